//! One path on a sprite's disk, and what can be wrong with it.

use crate::playground::sprites::disk::View;
use crate::playground::sprites::errors::Refusal;
use rustix::fs::{AtFlags, FileType, Mode, Stat, mkdirat, statat};
use rustix::io::Errno;
use serde_json::json;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

/// A name in an open directory: what is done there happens in the sprite, whatever its path leads to meanwhile.
pub(super) struct Spot {
    pub(super) dir: OwnedFd,
    pub(super) name: OsString,
}

/// Why something was not done, in the system's words.
#[derive(Debug)]
pub(super) struct Failure {
    doing: &'static str,
    path: PathBuf,
    errno: Errno,
}

impl Failure {
    pub(super) fn new(doing: &'static str, path: &Path, errno: Errno) -> Self {
        Self { doing, path: path.to_owned(), errno }
    }

    /// From an error of the standard library.
    pub(super) fn of(doing: &'static str, path: &Path, error: &io::Error) -> Self {
        Self::new(doing, path, Errno::from_io_error(error).unwrap_or(Errno::IO))
    }

    /// As the API says it: the code counts, not the status.
    pub(super) fn refusal(&self) -> Refusal {
        let (status, code) = match self.errno {
            Errno::NOENT => (404, "ENOENT"),
            Errno::EXIST => (400, "EEXIST"),
            Errno::NOTDIR => (400, "ENOTDIR"),
            Errno::ISDIR => (400, "EISDIR"),
            Errno::NOTEMPTY => (400, "ENOTEMPTY"),
            Errno::INVAL | Errno::LOOP | Errno::NAMETOOLONG => (400, "EINVAL"),
            Errno::ACCESS | Errno::ROFS => (500, "EACCES"),
            Errno::PERM => (500, "EPERM"),
            _ => (500, "EIO"),
        };
        let text = io::Error::from(self.errno).to_string();
        let text = text.split(" (os error").next().unwrap_or_default().to_lowercase();
        let path = self.path.to_string_lossy();
        Refusal::body(status, &json!({ "error": format!("{} {path}: {text}", self.doing), "code": code, "path": path }))
    }
}

impl Spot {
    /// The place called `path`, whose directory exists; what is there may not.
    pub(super) fn find(view: &View, path: &Path, doing: &'static str) -> Result<Self, Failure> {
        let fail = |errno| Failure::new(doing, path, errno);
        let Some(Component::Normal(name)) = path.components().next_back() else { return Err(fail(Errno::INVAL)) };
        let dir = view.directory(path.parent().unwrap_or(Path::new("/"))).map_err(fail)?;
        Ok(Self { dir, name: name.to_owned() })
    }

    /// What is there, links not followed.
    pub(super) fn stat(&self) -> rustix::io::Result<Stat> {
        statat(&self.dir, &self.name, AtFlags::SYMLINK_NOFOLLOW)
    }

    /// A path of this machine that leads there, for as long as this lives.
    pub(super) fn path(&self) -> PathBuf {
        by_descriptor(&self.dir).join(&self.name)
    }
}

/// A path of this machine to an open file or directory.
pub(super) fn by_descriptor(fd: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

/// Makes the directory `path` and those above it, as far as they are missing.
pub(super) fn make_directories(view: &View, path: &Path, doing: &'static str) -> Result<(), Failure> {
    let mut missing = Vec::new();
    for dir in path.ancestors() {
        match view.directory(dir) {
            Ok(_) => break,
            Err(Errno::NOENT) => missing.push(dir),
            Err(errno) => return Err(Failure::new(doing, dir, errno)),
        }
    }
    for dir in missing.into_iter().rev() {
        // A part such as `..` names nothing that could be made.
        let Some(Component::Normal(_)) = dir.components().next_back() else { continue };
        let spot = Spot::find(view, dir, doing)?;
        match mkdirat(&spot.dir, &spot.name, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(Failure::new(doing, dir, errno)),
        }
    }
    Ok(())
}

/// Whether a file is a directory.
pub(super) fn is_dir(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// A mode as the API writes it.
pub(super) fn octal(mode: u32) -> String {
    format!("{:04o}", mode & 0o7777)
}

/// Reads a mode: octal digits, with or without a leading 0.
pub(super) fn parse_mode(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("0o").unwrap_or(text), 8).ok().filter(|mode| *mode <= 0o7777)
}

/// `name` in `dir`, for people.
pub(super) fn join(dir: &Path, name: &OsStr) -> PathBuf {
    dir.join(name)
}
