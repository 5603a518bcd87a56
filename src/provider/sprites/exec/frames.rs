//! What the messages of a session mean, and when its end is certain (sections 3.2 to 3.6).

use super::super::api::ExecText;
use crate::model::Note;
use crate::provider::exec::{Event, Exit};
use bytes::Bytes;
use std::time::Duration;

/// The stream ids of what arrives without a terminal.
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const EXIT: u8 = 3;

/// How long output may still come after one of the two forms of the exit, if the other one does not follow.
const SETTLES: Duration = Duration::from_millis(50);

/// How long two bytes of a terminal, which may be an old server's exit, are held back for the close that would follow.
const AT_ONCE: Duration = Duration::from_millis(250);

/// Turns messages into events, and remembers what they say about the exit.
#[derive(Debug, Default)]
pub(super) struct Frames {
    tty: bool,
    /// The exit in a binary message.
    binary: Option<u8>,
    /// The exit in a text message, which counts more.
    text: Option<u8>,
    /// The last message of a terminal, if it looks like an exit.
    held: Option<Bytes>,
}

/// What a text message says beside output and the exit.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    /// Nothing for us.
    Nothing,
    /// What the session is called.
    Info(ExecText),
    /// It is over before its time.
    Failed(String),
    /// Something to be told.
    Note(Note),
}

impl Frames {
    pub(super) fn new(tty: bool) -> Self {
        Self { tty, ..Self::default() }
    }

    /// The output in a binary message, what was held back before it included.
    pub(super) fn binary(&mut self, bytes: Bytes) -> Vec<Event> {
        if self.tty {
            return self.terminal(bytes);
        }
        match bytes.first() {
            Some(&STDOUT) if bytes.len() > 1 => vec![Event::Stdout(bytes.slice(1..))],
            Some(&STDERR) if bytes.len() > 1 => vec![Event::Stderr(bytes.slice(1..))],
            Some(&EXIT) => {
                self.binary = Some(bytes.get(1).copied().unwrap_or(0));
                Vec::new()
            }
            // An empty message, empty output, or a stream for later clients.
            _ => Vec::new(),
        }
    }

    /// A terminal's bytes have no stream id. Two that look like an exit of old servers are bytes if anything follows.
    fn terminal(&mut self, bytes: Bytes) -> Vec<Event> {
        let mut events = self.release();
        if bytes.len() == 2 && bytes[0] == EXIT {
            self.held = Some(bytes);
        } else if !bytes.is_empty() {
            events.push(Event::Stdout(bytes));
        }
        events
    }

    /// What a text message says; one that cannot be read is for other clients.
    pub(super) fn text(&mut self, text: &str) -> (Vec<Event>, Said) {
        let Ok(message) = serde_json::from_str(text) else { return (Vec::new(), Said::Nothing) };
        let said = match message {
            ExecText::Exit { exit_code } => {
                let code = u8::try_from(exit_code).unwrap_or(u8::MAX);
                self.text = Some(code);
                if self.held.as_ref().is_some_and(|held| held[1] == code) {
                    self.held = None;
                }
                Said::Nothing
            }
            ExecText::PortOpened { port } => Said::Note(Note::Port { port, open: true }),
            ExecText::PortClosed { port } => Said::Note(Note::Port { port, open: false }),
            ExecText::Error { error, message } => {
                Said::Failed(error.or(message).unwrap_or_else(|| "the server does not say why".to_owned()))
            }
            info @ ExecText::SessionInfo { .. } => Said::Info(info),
            ExecText::Other => Said::Nothing,
        };
        // A notice in between says nothing about the two bytes, an exit does.
        (if self.text.is_some() { self.release() } else { Vec::new() }, said)
    }

    /// The connection ended: two bytes before it were an exit.
    pub(super) fn closed(&mut self) {
        if let Some(held) = self.held.take() {
            self.binary = Some(held[1]);
        }
    }

    /// Nothing came for the time of [`Frames::patience`].
    pub(super) fn quiet(&mut self) -> Vec<Event> {
        self.release()
    }

    fn release(&mut self) -> Vec<Event> {
        self.held.take().map(Event::Stdout).into_iter().collect()
    }

    /// The exit, once something said so.
    pub(super) fn exit(&self) -> Option<u8> {
        self.text.or(self.binary)
    }

    /// Whether nothing more is to come. A terminal's exit is the text alone; otherwise there may be two of them, and
    /// output between.
    pub(super) fn is_complete(&self) -> bool {
        self.text.is_some() && (self.tty || self.binary.is_some())
    }

    /// How long the next message is waited for before silence means something.
    pub(super) fn patience(&self) -> Option<Duration> {
        if self.exit().is_some() {
            return Some(SETTLES);
        }
        self.held.is_some().then_some(AT_ONCE)
    }
}

/// The exit in the server's words for a program that cannot be started, if they are known.
pub(in super::super) fn unstartable(words: &str) -> Option<Exit> {
    let missing = ["executable file not found", "command not found"];
    let barred = ["permission denied", "exec format error", "is a directory"];
    let named = |all: &[&str]| all.iter().any(|known| words.contains(known));
    let starting = words.contains("exec");
    if named(&missing) || (words.contains("fork/exec") && words.contains("no such file")) {
        return Some(Exit::NotFound(words.to_owned()));
    }
    (starting && named(&barred)).then(|| Exit::NotRunnable(words.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of events.
    fn shown(events: Vec<Event>) -> String {
        let one = |event| match event {
            Event::Stdout(bytes) => format!("{}", bytes.escape_ascii()),
            Event::Stderr(bytes) => format!("[{}]", bytes.escape_ascii()),
            other => format!("{other:?}"),
        };
        events.into_iter().map(one).collect()
    }

    fn binary(frames: &mut Frames, bytes: &'static [u8]) -> String {
        shown(frames.binary(Bytes::from_static(bytes)))
    }

    #[test]
    fn streams_are_told_apart_and_what_is_unknown_is_ignored() {
        let mut frames = Frames::new(false);
        assert_eq!(binary(&mut frames, b"\x01\x00\xff\x03"), "\\x00\\xff\\x03");
        assert_eq!(binary(&mut frames, b"\x02oops"), "[oops]");
        for ignored in [&b""[..], b"\x01", b"\x02", b"\x05abc", b"\x07\x00", b"\x04"] {
            assert_eq!(binary(&mut frames, ignored), "", "{ignored:?}");
        }
        assert_eq!((frames.exit(), frames.patience()), (None, None));
    }

    #[test]
    fn an_exit_comes_in_two_forms_and_in_either_order() {
        for forms in [[0, 1], [1, 0]] {
            let mut frames = Frames::new(false);
            for (at, form) in forms.into_iter().enumerate() {
                assert_eq!(frames.is_complete(), false);
                if form == 0 {
                    binary(&mut frames, b"\x03\x07");
                } else {
                    frames.text(r#"{"type":"exit","exit_code":7}"#);
                }
                if at == 0 {
                    assert_eq!(frames.patience(), Some(SETTLES));
                    assert_eq!(binary(&mut frames, b"\x01between"), "between");
                }
            }
            assert_eq!((frames.exit(), frames.is_complete()), (Some(7), true));
        }
    }

    #[test]
    fn codes_are_bytes() {
        for (code, expected) in [(0, 0), (1, 1), (126, 126), (137, 137), (255, 255), (256, 255), (-1, 255)] {
            let mut frames = Frames::new(true);
            frames.text(&format!(r#"{{"type":"exit","exit_code":{code}}}"#));
            assert_eq!((frames.exit(), frames.is_complete()), (Some(expected), true), "{code}");
        }
        let mut frames = Frames::new(false);
        binary(&mut frames, b"\x03");
        assert_eq!(frames.exit(), Some(0));
    }

    #[test]
    fn two_bytes_of_a_terminal_are_an_exit_only_if_it_closes_at_once() {
        let mut frames = Frames::new(true);
        assert_eq!(binary(&mut frames, b"\x03\x05"), "");
        assert_eq!(binary(&mut frames, b"more"), "\\x03\\x05more");
        assert_eq!(binary(&mut frames, b"\x03\x06"), "");
        assert_eq!(frames.patience(), Some(AT_ONCE));
        assert_eq!(shown(frames.quiet()), "\\x03\\x06");
        frames.closed();
        assert_eq!(frames.exit(), None);

        assert_eq!(binary(&mut frames, b"\x03\x07"), "");
        frames.closed();
        assert_eq!(frames.exit(), Some(7));
    }

    #[test]
    fn both_forms_of_a_terminals_exit_are_one_exit_and_another_code_is_output() {
        let mut frames = Frames::new(true);
        binary(&mut frames, b"\x03\x07");
        assert_eq!(frames.text(r#"{"type":"exit","exit_code":7}"#), (vec![], Said::Nothing));
        assert_eq!(frames.exit(), Some(7));

        let mut frames = Frames::new(true);
        binary(&mut frames, b"\x03\x07");
        assert_eq!(shown(frames.text(r#"{"type":"exit","exit_code":0}"#).0), "\\x03\\x07");
        assert_eq!(frames.exit(), Some(0));
    }

    #[test]
    fn a_notice_does_not_decide_about_the_two_bytes() {
        let mut frames = Frames::new(true);
        binary(&mut frames, b"\x03\x07");
        let port = Note::Port { port: 80, open: false };
        assert_eq!(frames.text(r#"{"type":"port_closed","port":80}"#), (vec![], Said::Note(port)));
        frames.closed();
        assert_eq!(frames.exit(), Some(7));
    }

    #[test]
    fn unknown_and_broken_texts_are_ignored_and_an_error_is_told() {
        let mut frames = Frames::new(false);
        for text in [r#"{"type":"brand_new","x":1}"#, "no json", "[]", r#"{"type":"debug","msg":"x"}"#, "{}"] {
            assert_eq!(frames.text(text), (vec![], Said::Nothing), "{text}");
        }
        for text in [r#"{"type":"error","error":"broken"}"#, r#"{"type":"error","message":"broken"}"#] {
            assert_eq!(frames.text(text).1, Said::Failed("broken".to_owned()));
        }
    }

    #[test]
    fn what_cannot_be_started_is_known_by_its_words() {
        let missing = unstartable(r#"exec: "foo": executable file not found in $PATH"#);
        assert!(matches!(missing, Some(Exit::NotFound(_))));
        let barred = unstartable("fork/exec /etc/passwd: permission denied");
        assert!(matches!(barred, Some(Exit::NotRunnable(_))));
        assert_eq!(unstartable("chdir /nope: no such file or directory"), None);
        assert_eq!(unstartable("sprite not found"), None);
    }
}
