//! Where things go: the rules of `cp`, decided before anything is copied.

use super::{End, Options};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FileEntry, FileKind, RemotePath};

/// A source and where it goes.
pub(super) struct Plan<'a> {
    pub(super) source: End<'a>,
    pub(super) entry: FileEntry,
    pub(super) to: RemotePath,
}

/// The destination of every source that can be copied, and why the others cannot.
pub(super) async fn plan<'a>(
    sources: Vec<End<'a>>,
    dest: &End<'_>,
    options: &Options,
) -> Result<(Vec<Plan<'a>>, Vec<Error>)> {
    let there = match dest.files.stat(&dest.path, true).await {
        Ok(entry) => Some(entry.kind),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let several = sources.len() > 1;
    let into = destination(there, several, dest, options)?;
    let mut plans = Vec::new();
    let mut failed = Vec::new();
    for source in sources {
        let entry = match source.files.stat(&source.path, true).await {
            Ok(entry) => entry,
            Err(error) => {
                failed.push(error);
                continue;
            }
        };
        match place(&source, &entry, dest, into, there, options) {
            Ok(to) => plans.push(Plan { source, entry, to }),
            Err(error) => failed.push(error),
        }
    }
    Ok((plans, failed))
}

/// Whether sources go into the destination rather than under its name.
fn destination(there: Option<FileKind>, several: bool, dest: &End<'_>, options: &Options) -> Result<bool> {
    let wants_directory = several || options.into_directory;
    match there {
        Some(FileKind::Directory) => Ok(true),
        Some(_) if wants_directory => Err(Error::conflict(format!("`{}` is not a directory", dest.shown()))),
        // A tree under a new name may be written with a slash; anything else needs a directory that is there.
        None if several && !options.parents => Err(no_directory(dest)),
        None => Ok(several),
        Some(_) => Ok(false),
    }
}

fn no_directory(dest: &End<'_>) -> Error {
    Error::not_found(format!("no directory `{}`", dest.shown())).hint("--parents makes it")
}

fn place(
    source: &End<'_>,
    entry: &FileEntry,
    dest: &End<'_>,
    into: bool,
    there: Option<FileKind>,
    options: &Options,
) -> Result<RemotePath> {
    let name = source.path.file_name();
    if entry.kind != FileKind::Directory {
        if source.path.as_bytes().ends_with(b"/") {
            return Err(Error::conflict(format!("`{}` is not a directory", source.shown())));
        }
        return match there {
            _ if into => Ok(dest.path.join(name)),
            None if options.into_directory && options.parents => Ok(dest.path.join(name)),
            None if options.into_directory => Err(no_directory(dest)),
            _ => Ok(dest.path.clone()),
        };
    }
    if !options.recursive {
        return Err(Error::usage(format!("`{}` is a directory", source.shown())).hint("pass -r to copy it"));
    }
    if there.is_some_and(|kind| kind != FileKind::Directory) {
        return Err(Error::conflict(format!("cannot copy a directory over `{}`", dest.shown())));
    }
    // `DIR/.` means what is in it, and so does a root, which has no name.
    let to = if into && !matches!(name, b"" | b"." | b"..") { dest.path.join(name) } else { dest.path.clone() };
    if source.place == dest.place && is_within(&to, &source.path) {
        return Err(Error::usage(format!("cannot copy `{}` into itself", source.shown())));
    }
    Ok(to)
}

/// Whether `path` is `dir` or below, as far as the texts tell.
pub(super) fn is_within(path: &RemotePath, dir: &RemotePath) -> bool {
    let parts = |path: &RemotePath| -> Vec<Vec<u8>> {
        let parts = path.as_bytes().split(|byte| *byte == b'/');
        parts.filter(|part| !matches!(*part, b"" | b".")).map(<[u8]>::to_vec).collect()
    };
    parts(path).starts_with(&parts(dir))
}
