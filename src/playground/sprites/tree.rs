//! Copies of directory trees, as checkpoints are made of.

use std::collections::HashMap;
use std::fs::{self, File, FileTimes, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, lchown, symlink};
use std::path::{Path, PathBuf};

/// Copies the directory `from` to `to`, which must not exist: modes, times, links and, as root, owners too. What
/// `skip` names, relative to `from`, is made as an empty directory. Sockets and devices are left out, and so is what
/// vanishes meanwhile.
pub(super) fn copy(from: &Path, to: &Path, skip: &dyn Fn(&Path) -> bool) -> io::Result<()> {
    let owners = rustix::process::geteuid().is_root();
    let mut copy = Copy { from, skip, owners, linked: HashMap::new() };
    copy.directory(from, to, &fs::symlink_metadata(from)?)
}

struct Copy<'a> {
    from: &'a Path,
    skip: &'a dyn Fn(&Path) -> bool,
    owners: bool,
    /// Where the first name of a file with several names went.
    linked: HashMap<(u64, u64), PathBuf>,
}

impl Copy<'_> {
    fn directory(&mut self, from: &Path, to: &Path, metadata: &Metadata) -> io::Result<()> {
        fs::create_dir(to)?;
        let skipped = from.strip_prefix(self.from).is_ok_and(|path| (self.skip)(path));
        if !skipped {
            for entry in fs::read_dir(from)? {
                let entry = entry?;
                match self.entry(&entry.path(), &to.join(entry.file_name())) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    done => done?,
                }
            }
        }
        self.owner(to, metadata)?;
        fs::set_permissions(to, metadata.permissions())?;
        times(&File::open(to)?, metadata)
    }

    fn entry(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let metadata = fs::symlink_metadata(from)?;
        let kind = metadata.file_type();
        if kind.is_dir() {
            return self.directory(from, to, &metadata);
        }
        let id = (metadata.dev(), metadata.ino());
        if metadata.nlink() > 1
            && let Some(first) = self.linked.get(&id)
        {
            return fs::hard_link(first, to);
        }
        if kind.is_symlink() {
            symlink(fs::read_link(from)?, to)?;
            self.owner(to, &metadata)
        } else if kind.is_file() {
            fs::copy(from, to)?;
            self.linked.insert(id, to.to_owned());
            self.owner(to, &metadata)?;
            // A change of owner takes the set-user-id bit away.
            fs::set_permissions(to, metadata.permissions())?;
            // A file that cannot be read by its owner could not have been copied either.
            times(&File::open(to)?, &metadata)
        } else if kind.is_fifo() {
            rustix::fs::mknodat(
                rustix::fs::CWD,
                to,
                rustix::fs::FileType::Fifo,
                rustix::fs::Mode::from_raw_mode(metadata.mode()),
                0,
            )?;
            self.owner(to, &metadata)
        } else {
            Ok(())
        }
    }

    fn owner(&self, to: &Path, metadata: &Metadata) -> io::Result<()> {
        if self.owners { lchown(to, Some(metadata.uid()), Some(metadata.gid())) } else { Ok(()) }
    }
}

fn times(file: &File, metadata: &Metadata) -> io::Result<()> {
    file.set_times(FileTimes::new().set_modified(metadata.modified()?).set_accessed(metadata.accessed()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_copy_has_the_modes_the_times_and_the_links() {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("from");
        fs::create_dir_all(from.join("sub/skipped")).unwrap();
        fs::write(from.join("sub/skipped/file"), "").unwrap();
        fs::write(from.join("tool"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(from.join("tool"), fs::Permissions::from_mode(0o4750)).unwrap();
        fs::hard_link(from.join("tool"), from.join("same")).unwrap();
        symlink("/nowhere", from.join("sub/link")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(from.join("socket")).unwrap();
        let to = dir.path().join("to");
        copy(&from, &to, &|path| path == Path::new("sub/skipped")).unwrap();
        let (old, new) = (fs::metadata(from.join("tool")).unwrap(), fs::metadata(to.join("tool")).unwrap());
        assert_eq!((old.mode(), old.mtime(), old.mtime_nsec()), (new.mode(), new.mtime(), new.mtime_nsec()));
        assert_ne!(old.ino(), new.ino());
        assert_eq!(new.ino(), fs::metadata(to.join("same")).unwrap().ino());
        assert_eq!(fs::read_link(to.join("sub/link")).unwrap(), Path::new("/nowhere"));
        assert_eq!(fs::read_dir(to.join("sub/skipped")).unwrap().count(), 0);
        assert!(!to.join("socket").exists());
        assert!(copy(&from, &to, &|_| false).is_err(), "the target exists");
    }
}
