//! Identifiers that nobody chose.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};
use std::fmt::Write as _;

/// So many random bytes, as hexadecimal digits.
pub(super) fn hex(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    // A simulator's identifiers need to be distinct, and without randomness nothing here would have started.
    SystemRandom::new().fill(&mut random).expect("the system has randomness");
    random.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What a hex-keyed row is called.
pub(super) fn id() -> String {
    hex(20)
}

pub(super) fn uuid() -> String {
    let digits = hex(16);
    format!("{}-{}-4{}-a{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..])
}

/// A key of a tunnel, as text.
pub(super) fn key() -> String {
    STANDARD.encode(&hex(32).into_bytes()[..32])
}

/// A hardware address of the kind that is made up locally.
pub(super) fn mac() -> String {
    let digits = hex(4);
    format!("f0:db:{}:{}:{}:{}", &digits[..2], &digits[2..4], &digits[4..6], &digits[6..])
}
