//! Directories below a root that are entered one by one and never through a symbolic link, so that neither a name
//! from a server nor a link that somebody puts there meanwhile leads out of it.

use super::{accounts, failed};
use crate::error::{Error, Result};
use crate::provider::exec::Owner;
use crate::provider::files::MkdirSpec;
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid, chmodat, chownat, mkdirat, open, openat, statat};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Where may be written.
pub(super) struct Beneath {
    root: Option<PathBuf>,
    /// The directory that was used last: files come directory by directory.
    last: Mutex<Option<(PathBuf, Arc<OwnedFd>)>>,
}

/// A place for an entry: an open directory, and a name in it.
pub(super) struct Spot {
    pub(super) dir: Arc<OwnedFd>,
    pub(super) name: OsString,
    /// The whole path, for messages.
    pub(super) path: PathBuf,
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Beneath {
    pub(super) fn anywhere() -> Self {
        Self { root: None, last: Mutex::default() }
    }

    pub(super) fn root(root: PathBuf) -> Self {
        Self { root: Some(root), last: Mutex::default() }
    }

    /// The place of `path`. With `parents`, missing directories are made.
    pub(super) fn spot(&self, path: &Path, parents: bool) -> Result<Spot> {
        let name = match path.components().next_back() {
            Some(Component::Normal(name)) => name.to_owned(),
            _ => return Err(Error::usage(format!("cannot write `{}`: it names a directory", path.display()))),
        };
        let parent = path.parent().unwrap_or_else(|| Path::new("/"));
        let dir = self.directory(parent, parents)?;
        Ok(Spot { dir, name, path: path.to_owned() })
    }

    fn directory(&self, path: &Path, parents: bool) -> Result<Arc<OwnedFd>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, dir)) = &*last
            && known == path
        {
            return Ok(Arc::clone(dir));
        }
        let dir = Arc::new(self.open(path, parents)?);
        *last = Some((path.to_owned(), Arc::clone(&dir)));
        Ok(dir)
    }

    fn open(&self, path: &Path, parents: bool) -> Result<OwnedFd> {
        let cannot = |path: &Path, error: Errno| failed("open", path, error.into());
        let Some(root) = &self.root else {
            if parents {
                std::fs::create_dir_all(path).map_err(|error| failed("make", path, error))?;
            }
            return open(path, DIRECTORY, Mode::empty()).map_err(|error| cannot(path, error));
        };
        let below = path.strip_prefix(root).map_err(|_| {
            Error::internal(format!("`{}` is to be written outside of `{}`", path.display(), root.display()))
        })?;
        let mut dir = open(root, DIRECTORY, Mode::empty()).map_err(|error| cannot(root, error))?;
        let mut so_far = root.clone();
        for part in below.components() {
            let Component::Normal(name) = part else {
                return Err(Error::internal(format!("`{}` is not below `{}`", path.display(), root.display())));
            };
            so_far.push(name);
            if parents {
                make_if_missing(&dir, name, &so_far)?;
            }
            dir = openat(&dir, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())
                .map_err(|error| if is_link(&dir, name) { through_link(&so_far) } else { cannot(&so_far, error) })?;
        }
        Ok(dir)
    }

    /// Makes a directory, as [`Files::mkdir`](crate::provider::files::Files::mkdir) says.
    pub(super) fn mkdir(&self, path: &Path, spec: &MkdirSpec) -> Result<()> {
        if spec.parents && self.root.as_deref() == Some(path) {
            return Ok(());
        }
        let spot = self.spot(path, spec.parents)?;
        let mode = spec.mode.unwrap_or(0o777);
        match mkdirat(&spot.dir, &spot.name, Mode::from_raw_mode(mode)) {
            Ok(()) => {}
            Err(Errno::EXIST) if spec.parents && spot.kind() == Some(FileType::Directory) => return Ok(()),
            Err(Errno::EXIST) if spec.parents && is_link(&*spot.dir, &spot.name) => return Err(through_link(path)),
            Err(error) => return Err(failed("make", path, error.into())),
        }
        // The umask is not asked where a mode is.
        self.set(path, spec.mode, spec.owner.as_ref())
    }

    /// Changes the mode and owner of what exists, links not followed. The root is not ours and stays as it is.
    pub(super) fn set(&self, path: &Path, mode: Option<u32>, owner: Option<&Owner>) -> Result<()> {
        if self.root.as_deref() == Some(path) {
            return Ok(());
        }
        let spot = self.spot(path, false)?;
        if let Some(owner) = owner {
            let (user, group) = accounts::numbers(owner)?;
            chownat(
                &spot.dir,
                &spot.name,
                user.map(Uid::from_raw),
                group.map(Gid::from_raw),
                AtFlags::SYMLINK_NOFOLLOW,
            )
            .map_err(|error| failed("change the owner of", path, error.into()))?;
        }
        if let Some(mode) = mode {
            if is_link(&*spot.dir, &spot.name) {
                return Err(through_link(path));
            }
            chmodat(&spot.dir, &spot.name, Mode::from_raw_mode(mode), AtFlags::empty())
                .map_err(|error| failed("change the mode of", path, error.into()))?;
        }
        Ok(())
    }
}

impl Spot {
    /// What is there, links not followed.
    pub(super) fn stat(&self) -> Option<rustix::fs::Stat> {
        statat(&self.dir, &self.name, AtFlags::SYMLINK_NOFOLLOW).ok()
    }

    pub(super) fn kind(&self) -> Option<FileType> {
        self.stat().map(|stat| FileType::from_raw_mode(stat.st_mode))
    }
}

fn make_if_missing(dir: &OwnedFd, name: &OsStr, path: &Path) -> Result<()> {
    match mkdirat(dir, name, Mode::from_raw_mode(0o777)) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(failed("make", path, error.into())),
    }
}

fn is_link(dir: impl std::os::fd::AsFd, name: &OsStr) -> bool {
    statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
}

fn through_link(path: &Path) -> Error {
    Error::conflict(format!("refusing to write through `{}`: it is a symbolic link", path.display()))
        .hint("name the directory that it leads to as the destination")
}

/// The nearest directory that exists, at `path` or above: what lies below is for a copy to make.
pub fn nearest_directory(path: &Path) -> PathBuf {
    path.ancestors().find(|path| path.is_dir()).unwrap_or_else(|| Path::new("/")).to_owned()
}

/// Opens a file in `dir`, links not followed.
pub(super) fn open_at(spot: &Spot, flags: OFlags, mode: u32) -> rustix::io::Result<OwnedFd> {
    openat(&spot.dir, &spot.name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::from_raw_mode(mode))
}
