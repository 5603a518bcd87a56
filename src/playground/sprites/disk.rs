//! The disk of a sprite: a directory, and the one view of it that commands and the files API share. `/home/sprite/x` is
//! one file for both, and `/tmp` is the sprite's own. Without namespaces, `HOME` and `TMPDIR` lie in it.

pub(super) use crate::playground::view::{View, is_shared};

use crate::host::namespace::Bind;
use crate::playground::view;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The home of the sprite's user, and where commands start.
pub(super) const HOME: &str = "/home/sprite";

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
    /// Whether a namespace is tried at all.
    namespaces: bool,
    view: Mutex<Option<Arc<View>>>,
}

impl Disk {
    /// Makes the disk of a new sprite at `root`, which must not exist.
    pub(super) fn create(root: &Path, namespaces: bool) -> io::Result<Self> {
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
        Ok(Self { root, namespaces, view: Mutex::new(None) })
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
        let binds = if self.namespaces { Some(binds(&self.root)?) } else { None };
        let view = Arc::new(View::of(&self.root, binds.as_deref())?);
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

/// What is shown of the machine, and the checkpoints, which commands read and must not change.
fn binds(root: &Path) -> io::Result<Vec<Bind>> {
    let mut binds = view::binds(root)?;
    let checkpoints = root.join(".sprite/checkpoints");
    fs::create_dir_all(&checkpoints)?;
    binds.push(Bind { source: checkpoints.clone(), target: checkpoints, writable: false });
    Ok(binds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::OFlags;

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
        let disk = Disk::create(&dir.path().join("disk"), true).unwrap();
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
        let disk = Disk::create(&dir.path().join("disk"), true).unwrap();
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
