//! What is made of nothing but programs over there: for wires that lack an ability and can run `sh`.
//!
//! Everything here yields the truth or fails. Paths go as arguments or NUL-terminated through stdin, never as a part of
//! a script, so that any bytes are a name.

mod bulk;
mod crc;
mod files;
#[cfg(test)]
pub mod here;
mod program;
mod reason;
mod sums;
pub mod tar;
#[cfg(test)]
mod tests;

pub use bulk::TarBulk;
pub use crc::Cksum;
pub use files::{Opened, ShellFiles};
pub use program::{Output, Program, output, output_of};
pub use reason::{kind_of, reason};
pub use sums::Sum;

use bytes::Bytes;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Runs `script` with these arguments (`$1`, …). Messages are untranslated, so that they can be read.
pub fn sh(script: &'static str, arguments: &[&[u8]]) -> Vec<Bytes> {
    let fixed = ["sh", "-c", script, "esker"].map(|word| Bytes::from_static(word.as_bytes()));
    fixed.into_iter().chain(arguments.iter().map(|argument| Bytes::copy_from_slice(argument))).collect()
}

/// A hidden name that nothing else has: what a killed copy leaves is known by it.
pub fn hidden_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.subsec_nanos());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!(".esker-{:x}-{nanos:08x}-{count:x}.part", std::process::id())
}
