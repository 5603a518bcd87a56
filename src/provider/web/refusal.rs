//! A refusal in the words of a server.

use crate::error::{Error, ErrorKind, Wire};
use std::time::Duration;

/// The longest text of a server that is repeated to the user, in characters.
const SHOWN: usize = 500;

/// What a server said went wrong, mapped onto a kind.
#[derive(Debug)]
pub struct Refusal {
    /// What it means.
    pub kind: ErrorKind,
    /// Why, in the server's words.
    pub message: String,
    /// What to do, where the server or the reference knows.
    pub hint: Option<String>,
    /// How long to wait before asking again.
    pub retry_after: Option<Duration>,
    /// What was on the wire.
    pub wire: Wire,
}

impl Refusal {
    /// A refusal that says no more than this.
    pub fn new(status: u16, kind: ErrorKind, message: String) -> Self {
        let wire = Wire { status: Some(status), message: Some(message.clone()), ..Wire::default() };
        Self { kind, message, hint: None, retry_after: None, wire }
    }

    /// The status of the answer.
    pub fn status(&self) -> u16 {
        self.wire.status.unwrap_or_default()
    }

    /// The error; `cannot` completes the sentence.
    pub fn error(self, cannot: impl FnOnce(&str) -> String) -> Error {
        let mut error = Error::new(self.kind, cannot(&self.message)).wire(self.wire);
        error.parts_mut().retry_after = self.retry_after;
        match self.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// What there is to read in a body that is not of the expected shape.
pub fn text_of(status: u16, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    // A page of some proxy on the way says less than its status.
    if text.is_empty() || text.starts_with('<') || text.starts_with('{') {
        return format!("HTTP status {status} without a reason");
    }
    text.chars().take(SHOWN).collect()
}
