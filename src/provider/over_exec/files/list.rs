//! Lists and single entries: `stat` says what each is, in numbers and on lines; names follow, ended by NUL, so that any
//! bytes are a name.

use super::ShellFiles;
use crate::error::{Error, Result};
use crate::model::{Extra, FileEntry, FileKind, RemotePath};

/// The facts of a file: type and mode, size, time, and whose it is. GNU's and busybox's `stat` know these.
macro_rules! facts {
    () => {
        "%f %s %Y %u %g %U %G"
    };
}

/// Describes the files that are its arguments: how many, their facts, their names and the targets of links.
macro_rules! describe {
    () => {
        concat!(
            "echo $#; stat -c '",
            facts!(),
            "' -- \"$@\" || exit 46; ",
            "for f; do t=; [ -h \"$f\" ] && t=$(readlink -- \"$f\"; echo .) && t=${t%??}; ",
            "printf '%s\\000%s\\000' \"$f\" \"$t\"; done"
        )
    };
}

/// Lists the directory `$1`, or the file.
const LIST: &str = concat!(
    "LC_ALL=C; export LC_ALL; [ -e \"$1\" ] || [ -h \"$1\" ] || exit 44\n",
    "d() { ",
    describe!(),
    "; }\n",
    "if [ -d \"$1\" ]; then cd -- \"$1\" && [ -r . ] || { echo 'Permission denied' >&2; exit 1; }\n",
    "set --; n=0\n",
    "for f in .* *; do case $f in .|..) continue ;; esac; [ -e \"$f\" ] || [ -h \"$f\" ] || continue\n",
    "set -- \"$@\" \"$f\"; n=$((n + 1)); if [ $n = 200 ]; then d \"$@\" || exit; set --; n=0; fi; done\n",
    "[ $n = 0 ] || d \"$@\"\n",
    "else d \"$1\"; fi"
);

/// Describes `$1`; with `$2` what it leads to.
const STAT: &str = concat!(
    "LC_ALL=C; export LC_ALL; p=$1; l=$2\n",
    "if [ -n \"$l\" ]; then [ -e \"$p\" ] || exit 44; else [ -e \"$p\" ] || [ -h \"$p\" ] || exit 44; fi\n",
    "d() { echo $#; stat ${l:+-L} -c '",
    facts!(),
    "' -- \"$@\" || exit 46; ",
    "t=; [ -z \"$l\" ] && [ -h \"$p\" ] && t=$(readlink -- \"$p\"; echo .) && t=${t%??}; printf '%s\\000%s\\000' \"$p\" \"$t\"; }\n",
    "d \"$p\""
);

impl ShellFiles {
    /// The entries of a directory, sorted by name; a file is its own.
    pub(super) async fn listing(&self, dir: &RemotePath) -> Result<Vec<FileEntry>> {
        // Files may come and go while they are looked at: once more tells.
        let mut tries = 2;
        loop {
            tries -= 1;
            match self.run("list", dir, LIST, &[dir.as_bytes()], None).await {
                Ok(said) => {
                    let mut entries = self.read_entries("list", dir, &said.stdout)?;
                    entries.sort_by(|a, b| a.path.cmp(&b.path));
                    return Ok(entries);
                }
                Err(error) if tries == 0 || !error.to_string().contains("no such file") => return Err(error),
                Err(_) => {}
            }
        }
    }

    pub(super) async fn entry(&self, path: &RemotePath, follow: bool) -> Result<FileEntry> {
        let follow: &[u8] = if follow { b"y" } else { b"" };
        let said = self.run("look at", path, STAT, &[path.as_bytes(), follow], None).await?;
        let entry = self.read_entries("look at", path, &said.stdout)?.into_iter().next();
        entry.ok_or_else(|| self.garbled("look at", path))
    }

    fn garbled(&self, verb: &str, path: &RemotePath) -> Error {
        Error::failure(format!("cannot {verb} `{path}` on `{}`: what stat says cannot be read", self.place))
    }

    fn read_entries(&self, verb: &str, dir: &RemotePath, text: &[u8]) -> Result<Vec<FileEntry>> {
        let mut entries = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            rest = batch(rest, dir, &mut entries).ok_or_else(|| self.garbled(verb, dir))?;
        }
        Ok(entries)
    }
}

/// Reads one batch; returns what follows it.
fn batch<'a>(text: &'a [u8], dir: &RemotePath, entries: &mut Vec<FileEntry>) -> Option<&'a [u8]> {
    let (count, mut rest) = line(text)?;
    let count: usize = count.parse().ok()?;
    let mut facts = Vec::new();
    for _ in 0..count {
        let (fact, tail) = line(rest)?;
        facts.push(fact);
        rest = tail;
    }
    for fact in facts {
        let (name, tail) = field(rest)?;
        let (target, tail) = field(tail)?;
        rest = tail;
        entries.push(entry(fact, name, target, dir)?);
    }
    Some(rest)
}

fn line(text: &[u8]) -> Option<(&str, &[u8])> {
    let end = memchr::memchr(b'\n', text)?;
    Some((std::str::from_utf8(&text[..end]).ok()?, &text[end + 1..]))
}

fn field(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(0, text)?;
    Some((&text[..end], &text[end + 1..]))
}

fn entry(fact: &str, name: &[u8], target: &[u8], dir: &RemotePath) -> Option<FileEntry> {
    let words: Vec<&str> = fact.split_whitespace().collect();
    let [mode, size, time, user_id, group_id, user, group] = words.as_slice() else { return None };
    let mode = u32::from_str_radix(mode, 16).ok()?;
    let kind = match mode & 0o170_000 {
        0o100_000 => FileKind::File,
        0o040_000 => FileKind::Directory,
        0o120_000 => FileKind::Symlink,
        0o140_000 => FileKind::Socket,
        0o010_000 => FileKind::NamedPipe,
        0o020_000 | 0o060_000 => FileKind::Device,
        _ => FileKind::Unknown,
    };
    // Of a directory names are told, of a file the whole path.
    let path = if name.first() == Some(&b'/') { RemotePath::new(name) } else { dir.join(name) };
    let known = |name: &str| Some(name.to_owned()).filter(|name| name != "UNKNOWN" && name != "?");
    Some(FileEntry {
        name: String::from_utf8_lossy(path.file_name()).into_owned(),
        kind,
        size_bytes: if kind == FileKind::File { Some(size.parse().ok()?) } else { None },
        mode: Some(format!("{:o}", mode & 0o7777)),
        modified_at: jiff::Timestamp::from_second(time.parse().ok()?).ok(),
        user: known(user),
        user_id: user_id.parse().ok(),
        group: known(group),
        group_id: group_id.parse().ok(),
        link_target: (kind == FileKind::Symlink && !target.is_empty())
            .then(|| String::from_utf8_lossy(target).into_owned()),
        path,
        extra: Extra::new(),
    })
}
