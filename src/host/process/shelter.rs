//! A process between us and a program, which ends everything that the program started when we are killed.
//!
//! A program that ends can be told to take nothing along: what it started in a session of its own lives on, and falls to
//! whoever adopts it. We adopt it as long as we live. The shelter does after that: it is the parent of the program, it
//! is told when its own parent ends, and it has every descendant that lost its parent for a child.
//!
//! It is made between `fork` and `exec`, where nothing may allocate or lock: there are only system calls here.

#[cfg(target_os = "linux")]
pub(super) use linux::enter;

/// Elsewhere nobody adopts: a program is told to end with us, and that is all.
#[cfg(not(target_os = "linux"))]
pub(super) fn enter(parent: rustix::process::Pid) -> rustix::io::Result<rustix::process::Pid> {
    Ok(parent)
}

#[cfg(target_os = "linux")]
mod linux {
    use rustix::process::{Pid, getpid};
    use std::ffi::c_int;
    use std::mem::MaybeUninit;
    use std::ptr::null_mut;

    /// The children of the one thread that there is, as numbers between blanks (proc(5)).
    const CHILDREN: &std::ffi::CStr = c"/proc/thread-self/children";

    /// Makes this process the shelter, and returns in the one that it shelters with the number of its parent now.
    pub(crate) fn enter(parent: Pid) -> rustix::io::Result<Pid> {
        let last = || rustix::io::Errno::from_raw_os_error(std::io::Error::last_os_error().raw_os_error().unwrap_or(0));
        // SAFETY: these are system calls on values of ours. The copy that `clone` makes has its own memory, as with
        // `fork`, whose handlers must not run here.
        unsafe {
            let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
            libc::sigfillset(all.as_mut_ptr());
            // Before there is a child whose end could be missed.
            libc::sigprocmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            let shelter = getpid();
            match libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) {
                -1 => Err(last()),
                0 => {
                    libc::sigprocmask(libc::SIG_SETMASK, before.as_ptr(), null_mut());
                    Ok(shelter)
                }
                child => watch(parent, c_int::try_from(child).unwrap_or(-1), all.as_ptr()),
            }
        }
    }

    /// Waits for the end of the program, and ends like it; or for the end of our parent, and ends all.
    ///
    /// # Safety
    /// Only in a process of one thread that holds nothing and will execute nothing.
    unsafe fn watch(parent: Pid, program: c_int, signals: *const libc::sigset_t) -> ! {
        // SAFETY: as above; nothing here is used after it was closed.
        unsafe {
            libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1);
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGHUP);
            // The pipes are the program's alone, or they would not end with it.
            libc::syscall(libc::SYS_close_range, 0, libc::c_uint::MAX, 0);
            loop {
                if libc::getppid() != parent.as_raw_nonzero().get() {
                    end_children();
                    libc::_exit(1);
                }
                let mut status = 0;
                loop {
                    match libc::waitpid(-1, &raw mut status, libc::WNOHANG) {
                        ended if ended == program => end_like(status),
                        ended if ended > 0 => {}
                        _ => break,
                    }
                }
                // Whichever it is, it is looked at above.
                libc::sigwaitinfo(signals, null_mut());
            }
        }
    }

    /// Kills every child, and whatever falls to us through that, until none is left.
    unsafe fn end_children() {
        // SAFETY: the buffer is as long as it is said to be.
        unsafe {
            loop {
                let mut text = [0u8; 4096];
                let file = libc::open(CHILDREN.as_ptr(), libc::O_RDONLY);
                if file < 0 {
                    // Then at least the program ends with us.
                    return;
                }
                let count = libc::read(file, text.as_mut_ptr().cast(), text.len());
                libc::close(file);
                let mut pid: c_int = 0;
                for byte in &text[..usize::try_from(count).unwrap_or(0)] {
                    if byte.is_ascii_digit() {
                        pid = pid.wrapping_mul(10).wrapping_add(c_int::from(byte - b'0'));
                    } else {
                        if pid > 1 {
                            libc::kill(pid, libc::SIGKILL);
                        }
                        pid = 0;
                    }
                }
                // Each that ends may leave others to us.
                if libc::waitpid(-1, null_mut(), 0) < 0 {
                    return;
                }
            }
        }
    }

    /// Ends as the program did. What it left falls to our parent.
    unsafe fn end_like(status: c_int) -> ! {
        // SAFETY: the default action of a signal that was blocked until now.
        unsafe {
            if libc::WIFSIGNALED(status) {
                let signal = libc::WTERMSIG(status);
                let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
                libc::setrlimit(libc::RLIMIT_CORE, &raw const no_core);
                libc::signal(signal, libc::SIG_DFL);
                let mut none = MaybeUninit::uninit();
                libc::sigemptyset(none.as_mut_ptr());
                libc::kill(libc::getpid(), signal);
                libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), null_mut());
            }
            libc::_exit(libc::WEXITSTATUS(status));
        }
    }
}
