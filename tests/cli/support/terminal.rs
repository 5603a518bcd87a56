//! A real terminal for a command: its other end, its size, and the mode it is in.

use super::process::{Running, readable};
use super::pty::pair;
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

/// Both ends of a terminal.
pub(crate) struct Pty {
    master: File,
    slave: File,
    /// What was read and not asked for yet.
    seen: Vec<u8>,
}

impl Pty {
    pub(crate) fn new(cols: u16, rows: u16) -> Self {
        let (master, slave) = pair(cols, rows);
        Self { master, slave, seen: Vec::new() }
    }

    /// Starts a command whose stdin, stdout and stderr are the terminal.
    pub(crate) fn start(&self, mut command: Command) -> Running {
        let end = || Stdio::from(self.slave.try_clone().expect("a copy of the terminal"));
        command.stdin(end()).stdout(end()).stderr(end());
        Running(command.spawn().expect("the command starts"))
    }

    /// Changes the size; whoever should notice is to be signalled.
    pub(crate) fn resize(&self, cols: u16, rows: u16) {
        let size = Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.slave, size).expect("the terminal has a size");
    }

    /// Types.
    pub(crate) fn send(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).expect("keys are taken");
    }

    /// Reads until `text` was seen, and returns what came up to its end.
    pub(crate) fn until(&mut self, text: &str) -> String {
        loop {
            let seen = String::from_utf8_lossy(&self.seen).into_owned();
            if let Some(at) = seen.find(text) {
                let end = at + text.len();
                self.seen = seen.as_bytes()[end..].to_vec();
                return seen[..end].to_owned();
            }
            assert!(readable(&self.master), "{text:?} did not come; got {seen:?}");
            let mut buffer = [0; 4096];
            let length = self.master.read(&mut buffer).expect("the terminal is open");
            self.seen.extend_from_slice(&buffer[..length]);
        }
    }

    /// Whether keys are echoed and gathered into lines: not in raw mode.
    pub(crate) fn is_cooked(&self) -> bool {
        let modes = tcgetattr(&self.slave).expect("the terminal has modes").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }
}
