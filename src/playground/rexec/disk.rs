//! The files of a container: a root of its own, and a home that outlives it.
//!
//! `/tmp`, `/run` and the like are kept in memory over there, and Docker's archives do not see that: what is uploaded to
//! such a path is in a file that no program finds (section 3.3). Those files are kept in another directory.

use super::images::{Shells, program};
use crate::playground::view::{self, View};
use rustix::fs::OFlags;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The home of everybody, and where shells start.
pub(super) const HOME: &str = "/home/user";

/// What is kept in memory over there.
const IN_MEMORY: &[&str] = &["/tmp", "/var/tmp", "/run", "/var/run", "/var/log", "/var/cache/apt"];

/// What a fresh container has of its own.
const OWN: &[&str] = &["home/user", "root", "var/log", "srv", "mnt"];

/// The programs that a container can do without, by the fault that takes them away.
pub(super) const OPTIONAL: &[(&str, &str)] = &[("no-stty", "stty"), ("no-base64", "base64"), ("no-setsid", "setsid")];

/// What a container can have as `/bin/sh` whatever its image says, by the fault that makes it so.
pub(super) const SHELLS: &[(&str, &str)] =
    &[("sh-dash", "dash"), ("sh-bash", "bash"), ("sh-busybox", "busybox"), ("sh-zsh", "zsh")];

/// The files of a container.
pub(super) struct Disk {
    root: PathBuf,
    view: Arc<View>,
}

impl Disk {
    /// Makes those of a new container at `root`, with the home `volume`, which exists or is made.
    pub(super) fn create(
        root: &Path,
        volume: &Path,
        shells: Shells,
        without: &[&str],
        namespaces: bool,
    ) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        let root = root.canonicalize()?;
        OWN.iter().try_for_each(|dir| fs::create_dir_all(root.join(dir)))?;
        for dir in ["tmp", "var/tmp"] {
            fs::create_dir_all(root.join(dir))?;
            fs::set_permissions(root.join(dir), fs::Permissions::from_mode(0o1777))?;
        }
        fs::create_dir_all(volume)?;
        let volume = volume.canonicalize()?;
        let binds = if namespaces {
            programs(&root, shells, without)?;
            let mut binds = view::binds(&root)?;
            if !without.is_empty() {
                // Only what stands in the container's own `bin` is there.
                binds.retain(|bind| !bind.target.ends_with("sbin"));
            }
            let home = root.join("home/user");
            binds.push(crate::host::namespace::Bind { source: volume.clone(), target: home, writable: true });
            Some(binds)
        } else {
            fs::remove_dir(root.join("home/user"))?;
            fs::rename(&volume, root.join("home/user"))?;
            None
        };
        let view = Arc::new(View::of(&root, binds.as_deref())?);
        Ok(Self { root, view })
    }

    /// How its processes see it.
    pub(super) fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// Puts the home back where it is found again, if it had to be moved.
    pub(super) fn give_back(&self, volume: &Path) -> io::Result<()> {
        if self.view.namespace().is_none() { fs::rename(self.root.join("home/user"), volume) } else { Ok(()) }
    }

    /// Where it is on this machine.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Opens `path` as Docker's archives do, which do not see what is in memory.
    pub(super) fn archive(&self, path: &Path, flags: OFlags, mode: u32) -> rustix::io::Result<OwnedFd> {
        match hidden(path) {
            None => self.view.open(path, flags, mode),
            Some(below) => {
                let under = self.root.with_extension("under").join(below.strip_prefix("/").unwrap_or(&below));
                if flags.intersects(OFlags::CREATE) {
                    // The mount points themselves are in the image.
                    let _ =
                        fs::create_dir_all(under.parent().filter(|dir| hidden(dir).is_none()).unwrap_or(&self.root));
                }
                rustix::fs::open(under, flags | OFlags::CLOEXEC, rustix::fs::Mode::from_raw_mode(mode))
            }
        }
    }

    /// Makes the places below which archives find their own files.
    pub(super) fn prepare_archive(&self) -> io::Result<()> {
        let under = self.root.with_extension("under");
        IN_MEMORY.iter().try_for_each(|dir| fs::create_dir_all(under.join(&dir[1..])))
    }
}

/// The path without its steps back, if it is in memory over there.
fn hidden(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::from("/");
    for part in path.components() {
        match part {
            std::path::Component::Normal(name) => plain.push(name),
            std::path::Component::ParentDir => {
                plain.pop();
            }
            _ => {}
        }
    }
    IN_MEMORY.iter().any(|dir| plain.starts_with(dir)).then_some(plain)
}

/// Gives a container a `bin` of its own where its shell is another than this machine's, or where programs are missing.
fn programs(root: &Path, shells: Shells, without: &[&str]) -> io::Result<()> {
    let sh = program(shells.sh);
    let ours = fs::canonicalize("/bin/sh").ok();
    let is_ours = sh.as_ref().is_none_or(|sh| fs::canonicalize(sh).ok() == ours);
    let is_merged = fs::read_link("/bin").is_ok();
    if !is_merged || is_ours && without.is_empty() {
        return Ok(());
    }
    let bin = root.join("bin");
    fs::create_dir(&bin)?;
    for entry in fs::read_dir("/usr/bin")?.flatten() {
        let name = entry.file_name();
        let is_without = name.to_str().is_some_and(|name| without.contains(&name));
        if name != "sh" && !is_without {
            symlink(entry.path(), bin.join(name))?;
        }
    }
    symlink(sh.unwrap_or_else(|| "/usr/bin/dash".to_owned()), bin.join("sh"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_memory_is_known_whatever_the_path() {
        for path in ["/tmp/x", "/tmp", "/home/../tmp/x", "/var/log/a/b"] {
            assert!(hidden(Path::new(path)).is_some(), "{path}");
        }
        for path in ["/tmpx", "/home/user/tmp", "/tmp/../home"] {
            assert!(hidden(Path::new(path)).is_none(), "{path}");
        }
    }
}
