//! Listing, and looking at one entry. There is no `stat`: to list a directory tells what is in it and not what it is, so
//! a directory is looked for in its parent (section 2.6).

use super::{SpritesFiles, wire};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FileEntry, FileKind, RemotePath};
use crate::provider::exec::Exit;
use crate::provider::over_exec::{kind_of, output, reason, sh};
use crate::provider::sprites::DRIVER;
use crate::provider::sprites::api::FsList;

/// Where `$1` leads, all links followed.
const RESOLVE: &str = r#"LC_ALL=C readlink -f -v -- "$1""#;

/// Where the link `$1` leads by its own words.
const READ_LINK: &str = r#"LC_ALL=C readlink -v -- "$1""#;

/// What a path lists.
pub(super) struct Listing {
    /// Sorted by name.
    pub(super) entries: Vec<FileEntry>,
    /// Whether that is the path itself, which is no directory.
    pub(super) is_itself: bool,
}

impl SpritesFiles {
    /// What is in `dir`, or the file itself.
    pub(super) async fn listing(&self, verb: &str, dir: &RemotePath) -> Result<Listing> {
        let query = wire::query(self, "list", dir)?.build();
        let what = self.doing(verb, dir);
        let listed = self.client.get(&what, &query).await.map_err(|error| self.refused(verb, dir, error));
        let listed: FsList = listed?;
        let wired = listed.entries.unwrap_or_default();
        let trimmed = trimmed(dir);
        // A file lists itself, under its own path.
        let is_itself = match wired.as_slice() {
            [only] => !only.path.is_empty() && only.path.as_bytes() != trimmed.join(only.name.as_bytes()).as_bytes(),
            _ => false,
        };
        let place = |name: &str| if is_itself { trimmed.clone() } else { trimmed.join(name.as_bytes()) };
        let mut entries: Vec<FileEntry> = wired
            .into_iter()
            .map(|entry| {
                let path = place(&entry.name);
                wire::entry(entry, path)
            })
            .collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Listing { entries, is_itself })
    }

    /// One entry; with `follow`, what a link leads to.
    pub(super) async fn entry(&self, path: &RemotePath, follow: bool) -> Result<FileEntry> {
        wire::text(path)?;
        // A name that ends with a slash, or is a dot, means what a link leads to.
        let is_plain = !path.as_bytes().ends_with(b"/") && !matches!(path.file_name(), b"." | b"..");
        let found = if matches!(path.file_name(), b"." | b"..") {
            self.look(&self.told(RESOLVE, "find", path).await?).await?
        } else {
            self.look(&trimmed(path)).await?
        };
        if found.kind != FileKind::Symlink {
            return Ok(FileEntry { path: path.clone(), ..found });
        }
        if follow || !is_plain {
            let target = self.look(&self.told(RESOLVE, "follow", path).await?).await?;
            return Ok(FileEntry { path: path.clone(), name: found.name, ..target });
        }
        // The API does not tell it. That it cannot be read is no reason to hide the rest.
        let target = self.told(READ_LINK, "read", path).await.ok();
        Ok(FileEntry { link_target: target.map(|target| target.text().into_owned()), ..found })
    }

    /// The entry of a path without dots, links not followed.
    async fn look(&self, path: &RemotePath) -> Result<FileEntry> {
        let name = path.file_name();
        if name.is_empty() {
            // The root is in no directory. That it can be listed shows that it is there.
            self.listing("find", path).await?;
            return Ok(root());
        }
        let within = |error: Error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::Conflict => {
                let kind = error.kind();
                let why = if kind == ErrorKind::NotFound { "no such file or directory" } else { "not a directory" };
                // A sandbox that does not exist is no missing file.
                let is_of_path = error.parts().wire.as_ref().is_some_and(|wire| wire.kind.is_some());
                if is_of_path { self.cannot_find(path, kind, why) } else { error }
            }
            _ => error,
        };
        let listing = self.listing("find", &path.parent()).await.map_err(within)?;
        if listing.is_itself {
            return Err(self.cannot_find(path, ErrorKind::Conflict, "not a directory"));
        }
        let found = listing.entries.into_iter().find(|entry| entry.name.as_bytes() == name);
        found.ok_or_else(|| self.cannot_find(path, ErrorKind::NotFound, "no such file or directory"))
    }

    fn cannot_find(&self, path: &RemotePath, kind: ErrorKind, why: &str) -> Error {
        Error::new(kind, self.client.cannot(&self.doing("find", path), why)).at(DRIVER.id, self.client.endpoint())
    }

    /// The path that a script tells about `path`.
    async fn told(&self, script: &'static str, verb: &str, path: &RemotePath) -> Result<RemotePath> {
        let said = output(&*self.exec, sh(script, &[path.as_bytes()]), None).await?;
        if said.exit != Exit::Code(0) {
            return Err(self.program_failed(verb, path, &said.exit, &said.stderr));
        }
        // One line break is the program's; any other belongs to the name.
        let told = said.stdout.strip_suffix(b"\n").unwrap_or(&said.stdout);
        Ok(RemotePath::new(told))
    }

    /// The failure of a program that was about `path`.
    pub(super) fn program_failed(&self, verb: &str, path: &RemotePath, exit: &Exit, stderr: &[u8]) -> Error {
        let why = match exit {
            Exit::NotFound(why) | Exit::NotRunnable(why) => format!("it takes a shell over there: {why}"),
            _ => reason(stderr),
        };
        let kind = kind_of(&String::from_utf8_lossy(stderr));
        Error::new(kind, self.client.cannot(&self.doing(verb, path), &why)).at(DRIVER.id, self.client.endpoint())
    }

    /// What a file looks like by its own listing, which tells size and time of a file that is known to be one.
    pub(super) async fn file_itself(&self, path: &RemotePath) -> Result<Option<FileEntry>> {
        let listing = self.listing("find", path).await?;
        Ok(listing.entries.into_iter().next().filter(|_| listing.is_itself))
    }
}

/// A path without the slashes at its end.
pub(super) fn trimmed(path: &RemotePath) -> RemotePath {
    let end = path.as_bytes().iter().rposition(|byte| *byte != b'/').map_or(1, |at| at + 1);
    RemotePath::new(&path.as_bytes()[..end])
}

fn root() -> FileEntry {
    FileEntry::new("/", "/", FileKind::Directory)
}
