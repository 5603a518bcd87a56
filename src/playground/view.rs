//! A directory as the file system that the processes of a simulated machine see, and that its files API resolves in.
//!
//! Nobody may change the root of a process without rights, and a machine without programs runs nothing. So where the
//! system allows namespaces, the directory becomes the root of the machine's processes, with this machine's programs and
//! devices shown in it read-only; a files API resolves every path from the same root. Nothing outside can be written to.
//!
//! Where namespaces are refused, paths of the API lie below the directory and processes only *start* there: a command
//! that names `/tmp/x` itself reaches the machine's.

use crate::host::namespace::{Bind, Namespace};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What of the machine is in every sandbox.
const SHARED: &[&str] =
    &["bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc", "opt", "run", "nix", "gnu", "sys"];

/// And what is there to be written to: devices, and what the kernel tells.
const SHARED_WRITABLE: &[&str] = &["dev", "proc"];

/// A directory as its processes see it.
pub(super) struct View {
    namespace: Option<Arc<Namespace>>,
    root: OwnedFd,
    /// Where the root is on the machine, if processes see the machine.
    mapped: Option<PathBuf>,
}

impl View {
    /// The view of `root`, by a namespace with these binds if there are any.
    pub(super) fn of(root: &Path, binds: Option<&[Bind]>) -> io::Result<Self> {
        // Whatever the system has against it, there is the other way.
        let namespace = binds.and_then(|binds| Namespace::create(root, binds).ok());
        match namespace {
            Some(namespace) => {
                let top = rustix::fs::openat(namespace.root(), ".", DIRECTORY, Mode::empty())?;
                Ok(Self { namespace: Some(Arc::new(namespace)), root: top, mapped: None })
            }
            None => {
                let top = rustix::fs::openat(CWD, root, DIRECTORY, Mode::empty())?;
                Ok(Self { namespace: None, root: top, mapped: Some(root.to_owned()) })
            }
        }
    }

    /// The namespace that its processes are started in, where the system has such.
    pub(super) fn namespace(&self) -> Option<&Arc<Namespace>> {
        self.namespace.as_ref()
    }

    /// How a process has to write `path` of it.
    pub(super) fn outside(&self, path: &str) -> String {
        self.mapped.as_ref().map_or_else(|| path.to_owned(), |root| format!("{}{path}", root.display()))
    }

    /// How a program of it is started: by its path in it, or on the machine where processes see that.
    pub(super) fn program(&self, path: &Path) -> PathBuf {
        let own = self.mapped.as_ref().map(|root| root.join(path.strip_prefix("/").unwrap_or(path)));
        own.filter(|own| own.exists()).unwrap_or_else(|| path.to_owned())
    }

    /// Opens `path`: links are followed as there, and none leads out of it.
    pub(super) fn open(&self, path: &Path, flags: OFlags, mode: u32) -> rustix::io::Result<OwnedFd> {
        let mode = if flags.intersects(OFlags::CREATE) { Mode::from_raw_mode(mode) } else { Mode::empty() };
        let path = if path.as_os_str().is_empty() { Path::new("/") } else { path };
        loop {
            match openat2(&self.root, path, flags | OFlags::CLOEXEC, mode, ResolveFlags::IN_ROOT) {
                // Something on the way was renamed while it was resolved.
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                done => return done,
            }
        }
    }

    /// Opens a directory only to resolve from it.
    pub(super) fn directory(&self, path: &Path) -> rustix::io::Result<OwnedFd> {
        self.open(path, DIRECTORY, 0)
    }
}

impl AsFd for View {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }
}

const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// What is shown of the machine, each with its place in `root`, which is made.
///
/// A name that is there already as something else than a directory of ours stays as it is.
pub(super) fn binds(root: &Path) -> io::Result<Vec<Bind>> {
    let mut binds = Vec::new();
    let shared = SHARED.iter().map(|name| (name, false));
    for (name, writable) in shared.chain(SHARED_WRITABLE.iter().map(|name| (name, true))) {
        let (source, target) = (Path::new("/").join(name), root.join(name));
        if let Ok(link) = fs::read_link(&source) {
            if fs::symlink_metadata(&target).is_err() {
                std::os::unix::fs::symlink(link, &target)?;
            }
        } else if fs::symlink_metadata(&target).is_ok_and(|found| !found.is_dir()) {
            // Somebody put something else there: it stays, and the machine's is not shown.
        } else if source.is_dir() {
            fs::create_dir_all(&target)?;
            binds.push(Bind { source, target, writable });
        }
    }
    Ok(binds)
}

/// Whether `name`, directly in the root, is the machine's and no part of a sandbox.
pub(super) fn is_shared(name: &str) -> bool {
    SHARED.contains(&name) || SHARED_WRITABLE.contains(&name)
}
