//! The terminal: raw mode that is always left again, its size, and changes of its size.
//!
//! With `panic = "abort"` and signals no drop runs, so what must be restored is kept in one place that the panic hook
//! and the way out of `main` know.

use crate::error::{Error, Result};
use crate::provider::exec::TermSize;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::io::{IsTerminal, stdin, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// How the terminal was before it was made raw.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Raw mode, as long as this lives.
#[derive(Debug)]
pub struct Raw(());

impl Raw {
    /// Puts the terminal on stdin into raw mode.
    pub fn enter() -> Result<Self> {
        let cannot =
            |error| Error::failure("cannot put the terminal into raw mode").source(std::io::Error::from(error));
        let before = tcgetattr(stdin()).map_err(cannot)?;
        let mut raw = before.clone();
        raw.make_raw();
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        tcsetattr(stdin(), OptionalActions::Now, &raw).map_err(cannot)?;
        Ok(Self(()))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

/// Whether the terminal on stdout shows a screen of ours instead of what was there.
static ON_SCREEN: AtomicBool = AtomicBool::new(false);

/// A screen of our own without a cursor, as long as this lives; what was there comes back.
#[derive(Debug)]
pub struct Screen(());

impl Screen {
    /// Clears the terminal on stdout for it.
    pub fn enter() -> Result<Self> {
        ON_SCREEN.store(true, Ordering::Relaxed);
        let cannot = |error| Error::failure("cannot write to the terminal").source(std::io::Error::from(error));
        rustix::io::write(stdout(), b"\x1b[?1049h\x1b[?25l").map_err(cannot)?;
        Ok(Self(()))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave_screen();
    }
}

fn leave_screen() {
    if ON_SCREEN.swap(false, Ordering::Relaxed) {
        // The terminal may be gone by now: then there is nothing to restore.
        let _ = rustix::io::write(stdout(), b"\x1b[?25h\x1b[?1049l");
    }
}

/// What is typed is not shown, as long as this lives.
#[derive(Debug)]
pub struct Hidden(());

impl Hidden {
    /// Stops the terminal on stdin from echoing.
    pub fn enter() -> Result<Self> {
        let cannot = |error| Error::failure("cannot hide what is typed").source(std::io::Error::from(error));
        let before = tcgetattr(stdin()).map_err(cannot)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        tcsetattr(stdin(), OptionalActions::Now, &hidden).map_err(cannot)?;
        Ok(Self(()))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        restore();
    }
}

/// Leaves our screen and raw mode, if they were entered. May be called at any time and any number of times.
pub fn restore() {
    leave_screen();
    if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // The terminal may be gone by now: then there is nothing to restore.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &before);
    }
}

/// Whether stdin or stdout is a terminal.
pub fn is_here() -> bool {
    stdin().is_terminal() || stdout().is_terminal()
}

/// The size of the terminal on stdout or else on stdin, if it is one and knows its size.
pub fn size() -> Option<TermSize> {
    let size = tcgetwinsize(stdout()).or_else(|_| tcgetwinsize(stdin())).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some(TermSize { cols: size.ws_col, rows: size.ws_row })
}
