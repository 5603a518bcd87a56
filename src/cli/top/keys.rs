//! What is typed.

use std::io::Read;
use tokio::sync::mpsc;

/// A key that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Quit,
    Up,
    Down,
    PageUp,
    PageDown,
    Filter,
    Sort,
    Pause,
}

/// The keys as they are typed, from a thread that waits for them.
pub(super) fn read() -> mpsc::Receiver<Key> {
    let (sender, keys) = mpsc::channel(64);
    std::thread::spawn(move || {
        let mut bytes = [0; 64];
        while let Ok(length @ 1..) = std::io::stdin().read(&mut bytes) {
            for key in parse(&bytes[..length]) {
                if sender.blocking_send(key).is_err() {
                    return;
                }
            }
        }
    });
    keys
}

/// The keys in what a terminal sent at once: sequences are not split over two reads by the terminals that people use.
fn parse(bytes: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        let (key, length) = match (first, tail) {
            (0x1b, [b'[' | b'O', b'A', ..]) => (Some(Key::Up), 3),
            (0x1b, [b'[' | b'O', b'B', ..]) => (Some(Key::Down), 3),
            (0x1b, [b'[', b'5', b'~', ..]) => (Some(Key::PageUp), 4),
            (0x1b, [b'[', b'6', b'~', ..]) => (Some(Key::PageDown), 4),
            // Another key of its own is none of ours.
            (0x1b, [b'[' | b'O', other @ ..]) => {
                (None, 3 + other.iter().take_while(|byte| !(0x40..=0x7e).contains(*byte)).count())
            }
            (b'q' | 0x03 | 0x1b, _) => (Some(Key::Quit), 1),
            (b'k', _) => (Some(Key::Up), 1),
            (b'j', _) => (Some(Key::Down), 1),
            (b'f', _) => (Some(Key::Filter), 1),
            (b's', _) => (Some(Key::Sort), 1),
            (b' ', _) => (Some(Key::Pause), 1),
            _ => (None, 1),
        };
        keys.extend(key);
        rest = &rest[length.min(rest.len())..];
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_their_sequences_are_told_apart() {
        assert_eq!(parse(b"jk\x1b[A\x1bOB\x1b[6~"), [Key::Down, Key::Up, Key::Up, Key::Down, Key::PageDown]);
        assert_eq!(parse(b"\x1b[15~q"), [Key::Quit]);
        assert_eq!((parse(b"\x1b"), parse(b"\x03"), parse(b"xyz\xff")), (vec![Key::Quit], vec![Key::Quit], vec![]));
    }
}
