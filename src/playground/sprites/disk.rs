//! The disk of a sprite: a directory, and the one view of it that commands and the files API share.
//!
//! Nobody may change the root of a process without rights, and a sandbox without programs runs nothing. So where the
//! system allows namespaces, the directory becomes the root of the sprite's processes, with the machine's programs and
//! devices shown in it read-only; the files API resolves every path from the same root. `/home/sprite/x` is then one
//! file for both, `/tmp` is the sprite's own, and nothing outside can be written to.
//!
//! Where namespaces are refused, paths of the API lie below the directory and processes only *start* there, with `HOME`
//! and `TMPDIR` in it: a command that names `/tmp/x` itself reaches the machine's.

use crate::host::namespace::{Bind, Namespace};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The home of the sprite's user, and where commands start.
pub(super) const HOME: &str = "/home/sprite";

/// What of the machine is in every sprite.
const SHARED: &[&str] =
    &["bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc", "opt", "run", "nix", "gnu", "sys"];

/// And what is there to be written to: devices, and what the kernel tells.
const SHARED_WRITABLE: &[&str] = &["dev", "proc"];

/// What a fresh sprite has of its own.
const OWN: &[&str] = &[
    "home/sprite",
    "root",
    "var/tmp",
    "var/log",
    "srv",
    "mnt",
    ".sprite/checkpoints",
    ".sprite/logs/services",
    ".sprite/tmp",
];

/// A directory that is the root of a sprite.
pub(super) struct Disk {
    root: PathBuf,
    view: Mutex<Option<Arc<View>>>,
}

/// The disk as the sprite sees it. Whoever has one keeps it: a restore makes another.
pub(super) struct View {
    namespace: Option<Arc<Namespace>>,
    root: OwnedFd,
    /// Where the root is on the machine, if processes see the machine.
    mapped: Option<PathBuf>,
}

impl Disk {
    /// Makes the disk of a new sprite at `root`, which must not exist.
    pub(super) fn create(root: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o755).create(root)?;
        // Tools look at the path of a mount as the kernel knows it.
        let root = root.canonicalize()?;
        for dir in OWN {
            fs::create_dir_all(root.join(dir))?;
        }
        for dir in ["tmp", "var/tmp"] {
            fs::create_dir_all(root.join(dir))?;
            fs::set_permissions(root.join(dir), fs::Permissions::from_mode(0o1777))?;
        }
        Ok(Self { root, view: Mutex::new(None) })
    }

    /// Where it is on this machine.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// What the sprite's own server keeps, which is no part of checkpoints.
    pub(super) fn own(&self) -> PathBuf {
        self.root.join(".sprite")
    }

    /// The disk as the sprite sees it now.
    pub(super) fn view(&self) -> io::Result<Arc<View>> {
        let mut known = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = &*known {
            return Ok(Arc::clone(view));
        }
        let view = Arc::new(View::of(&self.root)?);
        *known = Some(Arc::clone(&view));
        Ok(view)
    }

    /// Puts `tree` in the place of all that is on it but `.sprite`; everything open keeps what it had.
    pub(super) fn replace(&self, tree: &Path) -> io::Result<()> {
        let mut known = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        *known = None;
        let old = self.root.with_extension("old");
        fs::rename(&self.root, &old)?;
        fs::rename(tree, &self.root)?;
        let own = self.own();
        let _ = fs::remove_dir(&own);
        fs::rename(old.join(".sprite"), own)?;
        fs::remove_dir_all(old)
    }
}

impl View {
    fn of(root: &Path) -> io::Result<Self> {
        match Namespace::create(root, &binds(root)?) {
            Ok(namespace) => {
                let top = rustix::fs::openat(namespace.root(), ".", DIRECTORY, Mode::empty())?;
                Ok(Self { namespace: Some(Arc::new(namespace)), root: top, mapped: None })
            }
            Err(_) => {
                let top = rustix::fs::openat(CWD, root, DIRECTORY, Mode::empty())?;
                Ok(Self { namespace: None, root: top, mapped: Some(root.to_owned()) })
            }
        }
    }

    /// The namespace that its processes are started in, where the system has such.
    pub(super) fn namespace(&self) -> Option<&Arc<Namespace>> {
        self.namespace.as_ref()
    }

    /// How a process has to write `path` of the sprite.
    pub(super) fn outside(&self, path: &str) -> String {
        self.mapped.as_ref().map_or_else(|| path.to_owned(), |root| format!("{}{path}", root.display()))
    }

    /// How a program of the sprite is started: by its path in it, or on the machine where processes see that.
    pub(super) fn program(&self, path: &Path) -> PathBuf {
        let own = self.mapped.as_ref().map(|root| root.join(path.strip_prefix("/").unwrap_or(path)));
        own.filter(|own| own.exists()).unwrap_or_else(|| path.to_owned())
    }

    /// Opens `path`: links are followed as the sprite would, and none leads out of it.
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
fn binds(root: &Path) -> io::Result<Vec<Bind>> {
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
    // Commands read checkpoints there, and must not change them.
    let checkpoints = root.join(".sprite/checkpoints");
    fs::create_dir_all(&checkpoints)?;
    binds.push(Bind { source: checkpoints.clone(), target: checkpoints, writable: false });
    Ok(binds)
}

/// Whether `name`, directly in the root, is the machine's and no part of a sprite.
pub(super) fn is_shared(name: &str) -> bool {
    SHARED.contains(&name) || SHARED_WRITABLE.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(view: &View, path: &str) -> rustix::io::Result<String> {
        let file = view.open(Path::new(path), OFlags::RDONLY, 0)?;
        let mut text = String::new();
        io::Read::read_to_string(&mut fs::File::from(file), &mut text).unwrap();
        Ok(text)
    }

    #[test]
    fn links_stay_inside_and_the_machine_is_only_read() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("secret"), "outside").unwrap();
        let disk = Disk::create(&dir.path().join("disk")).unwrap();
        fs::write(disk.root().join("home/sprite/a"), "inside").unwrap();
        std::os::unix::fs::symlink("/home/sprite/a", disk.root().join("tmp/link")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("secret"), disk.root().join("tmp/out")).unwrap();
        let view = disk.view().unwrap();
        assert_eq!(read(&view, "/tmp/link").unwrap(), "inside");
        assert_eq!(read(&view, "/tmp/../../../../home/sprite/a").unwrap(), "inside");
        assert_eq!(read(&view, "/tmp/out").unwrap_err(), rustix::io::Errno::NOENT);
        if view.namespace().is_some() {
            assert!(!read(&view, "/etc/passwd").unwrap().is_empty());
            let written = view.open(Path::new("/usr/esker"), OFlags::WRONLY | OFlags::CREATE, 0o644);
            assert_eq!(written.unwrap_err(), rustix::io::Errno::ROFS);
        }
    }

    #[test]
    fn another_tree_takes_its_place_and_the_sprites_own_stays() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::create(&dir.path().join("disk")).unwrap();
        fs::write(disk.root().join("home/sprite/new"), "").unwrap();
        fs::write(disk.own().join("kept"), "").unwrap();
        let before = disk.view().unwrap();
        let tree = dir.path().join("tree");
        fs::create_dir_all(tree.join("home/sprite")).unwrap();
        fs::write(tree.join("home/sprite/old"), "then").unwrap();
        disk.replace(&tree).unwrap();
        let view = disk.view().unwrap();
        assert_eq!(read(&view, "/home/sprite/old").unwrap(), "then");
        assert_eq!(read(&view, "/home/sprite/new").unwrap_err(), rustix::io::Errno::NOENT);
        assert!(read(&view, "/.sprite/kept").is_ok());
        drop(before);
    }
}
