//! Telling a replay apart: after a reconnect a server sends again what it keeps, and no line may be shown twice or lost.

use crate::model::{LogEntry, Time};

/// The newest lines of one service that were shown.
#[derive(Debug, Default)]
pub struct Shown {
    newest: Option<Time>,
    at_newest: Vec<String>,
    /// After a reconnect: lines of the instant `newest` that the replay will bring once more.
    replayed: Option<Vec<String>>,
}

impl Shown {
    /// Whether an entry is to be shown: only a replay brings lines that were.
    pub fn admits(&mut self, entry: &LogEntry) -> bool {
        if entry.time > self.newest {
            self.newest = entry.time;
            self.at_newest.clear();
            self.replayed = None;
        } else if let Some(replayed) = &mut self.replayed {
            if entry.time < self.newest {
                return false;
            }
            if let Some(at) = replayed.iter().position(|message| *message == entry.message) {
                replayed.swap_remove(at);
                return false;
            }
        }
        self.at_newest.push(entry.message.clone());
        true
    }

    /// From here on everything that is kept comes again.
    pub fn expect_replay(&mut self) {
        self.replayed = Some(self.at_newest.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(millis: i64, message: &str) -> LogEntry {
        LogEntry { time: Time::from_millisecond(millis).ok(), service: "web".into(), message: message.into() }
    }

    #[test]
    fn a_replay_brings_no_line_twice_and_loses_none() {
        let mut shown = Shown::default();
        for (millis, message) in [(1, "a"), (2, "b"), (2, "b"), (2, "c")] {
            assert!(shown.admits(&entry(millis, message)), "equal lines of one instant are both real");
        }
        shown.expect_replay();
        let replay = [(1, "a"), (2, "b"), (2, "b"), (2, "c"), (2, "d"), (3, "a"), (3, "a")];
        let admitted: Vec<&str> =
            replay.iter().filter(|(millis, message)| shown.admits(&entry(*millis, message))).map(|(_, m)| *m).collect();
        assert_eq!(admitted, ["d", "a", "a"]);
    }
}
