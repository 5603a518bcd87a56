//! A command on a real terminal.

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Output, Stdio};

/// Both ends of a terminal: what the person sees and types at, and what a program gets.
pub(crate) fn pair(columns: u16, rows: u16) -> (File, File) {
    // Another test's child must not hold it open: closing it is how a terminal hangs up.
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
    grantpt(&master).expect("the terminal can be granted");
    unlockpt(&master).expect("the terminal can be unlocked");
    let name = ptsname(&master, Vec::new()).expect("the terminal has a name");
    let path = name.to_str().expect("names of terminals are ASCII");
    let slave = File::options()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOCTTY)
        .open(path)
        .expect("the terminal can be opened");
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&slave, size).expect("the terminal has a size");
    (File::from(master), slave)
}

/// Runs `command` with stdin and stdout on a terminal that is `columns` wide; stderr is a pipe. What it printed has
/// `\n` line ends, as it wrote them.
pub(crate) fn on_terminal(columns: u16, command: &mut Command) -> Output {
    let (mut master, slave) = pair(columns, 24);
    command.env_remove("COLUMNS").env("TERM", "xterm");
    command.stdin(Stdio::from(slave.try_clone().expect("a second handle")));
    command.stdout(Stdio::from(slave)).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    // The command holds handles of the terminal too: with them open here, its end would never be seen.
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut stderr = child.stderr.take().expect("a pipe");
    let errors = std::thread::spawn(move || {
        let mut text = Vec::new();
        stderr.read_to_end(&mut text).expect("stderr can be read");
        text
    });
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    // The end of the other side is EIO.
    while let Ok(length @ 1..) = master.read(&mut buffer) {
        text.extend_from_slice(&buffer[..length]);
    }
    let stdout = String::from_utf8_lossy(&text).replace("\r\n", "\n").into_bytes();
    let status = child.wait().expect("it ends");
    Output { status, stdout, stderr: errors.join().expect("stderr was read") }
}
