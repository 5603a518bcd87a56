//! Numbers as people write and read them: durations, sizes, moments (U4.11). What does not parse is a usage error.

mod size;
mod time;

pub use crate::config::duration::show as duration;
pub use size::{parse_size, size};
pub use time::{absolute, parse_time, relative};
