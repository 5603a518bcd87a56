//! What time it is, in the units of the API.

use jiff::Timestamp;

/// Seconds since the epoch, as almost every column has them.
pub(super) fn seconds() -> i64 {
    Timestamp::now().as_second()
}

/// Microseconds, as logs have them.
pub(super) fn micros() -> i64 {
    Timestamp::now().as_microsecond()
}
