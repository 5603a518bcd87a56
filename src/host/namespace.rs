//! A private view of the file system: a directory as the root of some processes, with parts of the machine in it.
//!
//! It is a mount namespace, entered by a process between its fork and its program; where the caller is not root, a user
//! namespace of its own comes with it. No right is gained: what a process may do to a file is what its user may do.
//! Making one costs a fork and a mount for each part; entering one costs two system calls.

use rustix::fs::{Mode, OFlags, open};
use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_bind, mount_bind_recursive, mount_change, unmount};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A part of the machine that is seen in the new root.
#[derive(Clone, Debug)]
pub struct Bind {
    /// What is shown.
    pub source: PathBuf,
    /// Where: an existing directory below the new root.
    pub target: PathBuf,
    /// Whether it can be written to through this view.
    pub writable: bool,
}

/// A view of the file system that processes can be started in. It lasts as long as this or a process in it.
#[derive(Debug)]
pub struct Namespace {
    user: Option<OwnedFd>,
    mounts: OwnedFd,
    root: OwnedFd,
}

/// Held while a view is made.
static ALONE: Mutex<()> = Mutex::new(());

impl Namespace {
    /// Makes one whose root is `root` with `binds` in it.
    ///
    /// # Errors
    ///
    /// Those of the system, which may forbid it altogether (`PermissionDenied`).
    pub fn create(root: &Path, binds: &[Bind]) -> io::Result<Self> {
        let plan = Plan::new(root, binds)?;
        // One at a time: a process that was forked beside this one would keep its pipe open, and wait for ours.
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let (status, told) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let (held, hold) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        // SAFETY: the child only makes system calls on what was allocated before, and ends by `_exit`.
        let pid = match unsafe { libc::fork() } {
            -1 => return Err(io::Error::last_os_error()),
            0 => {
                let errno = plan.carry_out().err().map_or(0, rustix::io::Errno::raw_os_error);
                let _ = rustix::io::write(&told, &errno.to_ne_bytes());
                // SAFETY: the copy of the other end that this process got; nothing here uses it.
                unsafe { libc::close(hold.as_raw_fd()) };
                let _ = rustix::io::read(&held, &mut [0u8; 1]);
                // SAFETY: nothing of the parent's is run or flushed.
                unsafe { libc::_exit(0) }
            }
            pid => pid,
        };
        drop((told, held));
        let made = Self::of(pid, &status);
        drop(hold);
        // SAFETY: a child of ours; no memory is passed.
        unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
        made
    }

    /// The view of process `pid`, which waits after it told how that went.
    fn of(pid: i32, status: &OwnedFd) -> io::Result<Self> {
        let mut errno = [0; 4];
        if rustix::io::retry_on_intr(|| rustix::io::read(status, &mut errno))? != errno.len() {
            return Err(io::Error::other("the process that makes a view of the file system died"));
        }
        match i32::from_ne_bytes(errno) {
            0 => {}
            errno => return Err(io::Error::from_raw_os_error(errno)),
        }
        let link = |name: &str, flags| open(format!("/proc/{pid}/{name}"), flags | OFlags::CLOEXEC, Mode::empty());
        let user = link("ns/user", OFlags::RDONLY)?;
        let ours = rustix::fs::stat("/proc/self/ns/user")?;
        let is_ours = rustix::fs::fstat(&user)?.st_ino == ours.st_ino;
        Ok(Self {
            user: (!is_ours).then_some(user),
            mounts: link("ns/mnt", OFlags::RDONLY)?,
            root: link("root", OFlags::PATH | OFlags::DIRECTORY)?,
        })
    }

    /// Its root directory: paths are resolved from there as its processes see them.
    pub fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// The number by which `/proc/PID/ns/mnt` names it.
    pub fn id(&self) -> io::Result<u64> {
        Ok(rustix::fs::fstat(&self.mounts)?.st_ino)
    }

    fn enter(&self) -> rustix::io::Result<()> {
        if let Some(user) = &self.user {
            move_into_link_name_space(user.as_fd(), Some(LinkNameSpaceType::User))?;
        }
        move_into_link_name_space(self.mounts.as_fd(), Some(LinkNameSpaceType::Mount))
    }
}

/// Where a program starts.
#[derive(Clone, Debug)]
pub struct Within {
    /// The view of the file system that it has; `None` is ours.
    pub namespace: Option<Arc<Namespace>>,
    /// Its working directory, which was opened in that view.
    pub dir: Arc<OwnedFd>,
}

impl Within {
    /// Goes there, between `fork` and `exec`: only system calls are made.
    pub(super) fn enter(&self) -> rustix::io::Result<()> {
        if let Some(namespace) = &self.namespace {
            namespace.enter()?;
        }
        rustix::process::fchdir(&self.dir)
    }
}

/// What the child does, with all it needs allocated.
struct Plan {
    root: CString,
    binds: Vec<(CString, CString, bool)>,
    user_map: CString,
    group_map: CString,
}

impl Plan {
    fn new(root: &Path, binds: &[Bind]) -> io::Result<Self> {
        let text = |path: &Path| Ok::<_, io::Error>(CString::new(path.as_os_str().as_bytes())?);
        let same = |id: u32| CString::new(format!("{id} {id} 1")).expect("digits hold no zero byte");
        let binds = binds.iter().map(|bind| Ok((text(&bind.source)?, text(&bind.target)?, bind.writable)));
        Ok(Self {
            root: text(root)?,
            binds: binds.collect::<io::Result<_>>()?,
            user_map: same(rustix::process::geteuid().as_raw()),
            group_map: same(rustix::process::getegid().as_raw()),
        })
    }

    fn carry_out(&self) -> rustix::io::Result<()> {
        self.leave()?;
        mount_change(c"/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)?;
        mount_bind(&*self.root, &*self.root)?;
        for (source, target, writable) in &self.binds {
            mount_bind_recursive(&**source, &**target)?;
            if !writable {
                make_read_only(target)?;
            }
        }
        rustix::process::chdir(&*self.root)?;
        // The old root ends up on top of the new one and is taken off it: pivot_root(2), "pivot_root(".", ".")".
        rustix::process::pivot_root(c".", c".")?;
        unmount(c".", UnmountFlags::DETACH)?;
        rustix::process::chdir(c"/")
    }

    /// Leaves the machine's namespaces; as somebody else than root that takes a user namespace too.
    fn leave(&self) -> rustix::io::Result<()> {
        // SAFETY: the table of descriptors is not touched.
        match unsafe { unshare_unsafe(UnshareFlags::NEWNS) } {
            Err(rustix::io::Errno::PERM) => {}
            done => return done,
        }
        // SAFETY: as above.
        unsafe { unshare_unsafe(UnshareFlags::NEWNS | UnshareFlags::NEWUSER)? };
        write(c"/proc/self/setgroups", c"deny")?;
        write(c"/proc/self/uid_map", &self.user_map)?;
        write(c"/proc/self/gid_map", &self.group_map)
    }
}

fn write(path: &CStr, text: &CStr) -> rustix::io::Result<()> {
    let file = open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(file, text.to_bytes()).map(|_| ())
}

/// Makes a mount and all below it read-only, for whoever sees them through this namespace.
fn make_read_only(target: &CStr) -> rustix::io::Result<()> {
    let attr = libc::mount_attr { attr_set: libc::MOUNT_ATTR_RDONLY, attr_clr: 0, propagation: 0, userns_fd: 0 };
    // SAFETY: `target` and `attr` are alive, and the size is that of `attr`.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            target.as_ptr(),
            libc::AT_RECURSIVE,
            &raw const attr,
            size_of::<libc::mount_attr>(),
        )
    };
    if done == 0 {
        return Ok(());
    }
    // SAFETY: the address of this thread's errno, right after the call that set it.
    Err(rustix::io::Errno::from_raw_os_error(unsafe { *libc::__errno_location() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_sees_the_directory_as_its_root_and_so_does_the_descriptor() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let mut binds = Vec::new();
        for name in ["usr", "lib", "lib64", "bin", "etc"] {
            let (source, target) = (Path::new("/").join(name), root.join(name));
            if let Ok(link) = std::fs::read_link(&source) {
                std::os::unix::fs::symlink(link, target).unwrap();
            } else if source.is_dir() {
                std::fs::create_dir(&target).unwrap();
                binds.push(Bind { source, target, writable: false });
            }
        }
        std::fs::create_dir(root.join("data")).unwrap();
        let namespace = match Namespace::create(&root, &binds) {
            Ok(namespace) => Arc::new(namespace),
            // Some containers allow no namespaces: the simulators then do without.
            Err(error) => return assert!(error.raw_os_error().is_some(), "{error}"),
        };
        let data = open_in(&namespace, "data");
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "pwd; echo hello > /data/file; echo no > /etc/esker-was-here"]);
        let within = Within { namespace: Some(Arc::clone(&namespace)), dir: Arc::new(data) };
        // SAFETY: only system calls between fork and exec.
        unsafe { std::os::unix::process::CommandExt::pre_exec(&mut command, move || Ok(within.enter()?)) };
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "/data\n");
        assert!(String::from_utf8_lossy(&output.stderr).contains("ead-only"), "{output:?}");
        assert_eq!(std::fs::read_to_string(root.join("data/file")).unwrap(), "hello\n");
        // The parts of the machine are there for whoever looks from its root, and only there.
        assert!(rustix::fs::statat(namespace.root(), "etc/passwd", rustix::fs::AtFlags::empty()).is_ok());
        assert!(!root.join("etc/passwd").exists());
    }

    fn open_in(namespace: &Namespace, path: &str) -> OwnedFd {
        rustix::fs::openat(namespace.root(), path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap()
    }
}
