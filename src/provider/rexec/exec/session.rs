//! A program under way: what whoever writes to it and whoever reads from it share.

use super::words;
use crate::error::Result;
use crate::provider::exec::{Remote, Signal};
use crate::provider::rexec::spot::Spot;
use crate::provider::rexec::terminal::Typist;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// How much may be typed that the program has not taken yet, as it is typed: less than a pipe over there holds.
const WINDOW: usize = 32 * 1024;

/// From how many bytes on a piece goes as a block.
const BLOCK: usize = 8 * 1024;

/// How many bytes one line carries, in base64 and as a format, which may be four times as long.
const ARMOURED: usize = 2250;
const FORMATTED: usize = 750;

/// What the far side can decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Armour {
    /// Base64 on any number of lines.
    Blocks,
    /// Base64, one line at a time.
    Lines,
    /// Nothing but what `printf` does.
    None,
}

/// What is known of the far side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Lines that the program has taken.
    pub(super) taken: u64,
    /// Whether it takes no more.
    pub(super) is_deaf: bool,
    /// Blocks that were asked for, and those that arrived.
    pub(super) wanted: u64,
    pub(super) stored: u64,
    /// Whether it is over, however it ended.
    pub(super) is_over: bool,
}

/// A program, its terminal and what it has taken.
pub(super) struct Session {
    pub(super) spot: Spot,
    /// The program, for messages.
    pub(super) program: String,
    /// The word of its records, by which its directory is found.
    pub(super) nonce: String,
    pub(super) armour: Armour,
    typist: tokio::sync::Mutex<Typist>,
    pub(super) progress: watch::Sender<Progress>,
    /// The lines that were typed and not taken yet: how long each is.
    sent: Mutex<Sent>,
}

#[derive(Default)]
struct Sent {
    lines: Vec<usize>,
    blocks: u64,
}

impl Session {
    pub(super) fn new(spot: Spot, program: String, nonce: String, armour: Armour, typist: Typist) -> Self {
        Self {
            spot,
            program,
            nonce,
            armour,
            typist: tokio::sync::Mutex::new(typist),
            progress: watch::Sender::new(Progress::default()),
            sent: Mutex::default(),
        }
    }

    /// Notes what the far side says.
    pub(super) fn note(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(change);
    }

    /// Waits until `is` holds, or until it is over; returns what is known then.
    async fn until(&self, is: impl Fn(&Progress) -> bool) -> Progress {
        let mut progress = self.progress.subscribe();
        // The sender lives as long as this.
        progress.wait_for(|now| now.is_over || is(now)).await.map(|now| *now).unwrap_or_default()
    }

    /// What was typed and is not taken yet, in bytes.
    fn outstanding(&self, taken: u64) -> usize {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = usize::try_from(taken).unwrap_or(usize::MAX).min(sent.lines.len());
        sent.lines[taken..].iter().sum()
    }

    /// Gives the program some of its stdin; false if it takes no more.
    pub(super) async fn write(&self, bytes: &[u8]) -> Result<bool> {
        let is_block = self.armour == Armour::Blocks && bytes.len() >= BLOCK && !words::is_plain(bytes);
        if is_block || bytes.len() > 8 * BLOCK && self.armour == Armour::Blocks {
            for block in bytes.chunks(8 * BLOCK) {
                if !self.block(block).await {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        let is_plain = self.armour == Armour::None || words::is_plain(bytes);
        for piece in bytes.chunks(if is_plain { FORMATTED } else { ARMOURED }) {
            let (kind, text) = if is_plain { ('p', words::format(piece)) } else { ('b', words::armoured(piece)) };
            let line = format!("{kind}{}:{text}\n", text.len());
            if !self.line(&line).await {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Types a line once there is room for it.
    async fn line(&self, line: &str) -> bool {
        let progress = self.until(|now| now.is_deaf || self.outstanding(now.taken) + line.len() <= WINDOW).await;
        if progress.is_deaf || progress.is_over {
            return false;
        }
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).lines.push(line.len());
        self.typist.lock().await.text(line).await
    }

    /// Types a block: asked for first, since from then on another program reads the terminal.
    async fn block(&self, bytes: &[u8]) -> bool {
        // Two blocks wait over there at most; what lines came before has been taken, or is in the pipe.
        let progress = self.until(|now| now.is_deaf || self.outstanding(now.taken) <= WINDOW).await;
        if progress.is_deaf || progress.is_over {
            return false;
        }
        let number = {
            let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
            sent.lines.push(WINDOW * 2 / 3);
            sent.blocks += 1;
            sent.blocks
        };
        // Held to the end: a line of somebody else would be taken for a part of it.
        let mut typist = self.typist.lock().await;
        if !typist.text(&format!("k{}\n", bytes.len())).await || self.until(|now| now.wanted >= number).await.is_over {
            return false;
        }
        let text = words::lines(&words::armoured(bytes)) + ".\n";
        typist.text(&text).await && !self.until(|now| now.stored >= number).await.is_over
    }

    /// Ends the program's stdin.
    pub(super) async fn end_input(&self) {
        self.line(".\n").await;
    }

    /// Sends a signal to the program and all that it leads.
    pub(super) async fn signal(&self, signal: &Signal) {
        if !self.progress.borrow().is_over {
            self.typist.lock().await.text(&format!("s{}\n", &signal.name()[3..])).await;
        }
    }

    /// Ends the program: asks it to, and kills it after half of `grace`.
    pub(super) async fn kill(&self, grace: Duration) -> Remote {
        for name in ["TERM", "KILL"] {
            let signal = Signal::parse(name).expect("Linux has it");
            let ended = async {
                self.signal(&signal).await;
                self.until(|_| false).await
            };
            if timeout(grace / 2, ended).await.is_ok() {
                return Remote::Gone;
            }
        }
        Remote::Unknown
    }

    /// The far side need not wait for output any more: whoever holds it is not the program.
    pub(super) async fn dismiss(&self) {
        // Whoever is in the middle of a block lets go.
        self.note(|now| now.is_over = true);
        self.typist.lock().await.text("x\n").await;
    }

    /// It is over: the socket is closed, and whoever waits to write goes away.
    pub(super) async fn end(&self) {
        self.note(|now| now.is_over = true);
        // Whoever writes may hold it, behind what nobody reads.
        if let Ok(mut typist) = timeout(Duration::from_millis(50), self.typist.lock()).await {
            typist.close().await;
        }
    }
}
