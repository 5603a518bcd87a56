//! How a command ended when it did not fail.

/// Success, or a status to pass through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what was asked.
    Done,
    /// It ended with this status: that of a remote program, or an answer such as "unhealthy".
    Status(u8),
}

impl Outcome {
    /// The exit status.
    pub const fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Status(status) => status,
        }
    }
}
