//! What is said beside the answer, on stderr: results of changes, notes, warnings, hints, logs.
//!
//! A failure to write there is not reported: there is nowhere left to say it.

use super::color::Tone;
use super::{Output, lock, sanitize};
use crate::model::Note;
use crate::notes::Notes;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;

impl Output {
    /// What a change did, in a sentence: "started `web` on `prod`" (U4.9).
    pub fn done(&self, sentence: &str) {
        if !self.0.options.quiet {
            self.say("", Tone::Plain, sentence);
        }
    }

    /// A text that is formatted already: what the command-line parser says.
    pub fn complain(&self, text: &str) {
        self.stderr(text);
    }

    /// Something worth knowing; once per run.
    pub fn note(&self, text: &str) {
        if !self.0.options.quiet && self.is_new(text) {
            self.say("note", Tone::Literal, text);
        }
    }

    /// Something to act on; once per run. Never changes the exit code (U12.4).
    pub fn warn(&self, text: &str) {
        if !self.0.options.quiet && self.is_new(text) {
            self.say("warning", Tone::Warning, text);
        }
    }

    /// One thing to do next.
    pub fn hint(&self, text: &str) {
        if !self.0.options.quiet && self.is_new(text) {
            self.say("hint", Tone::Literal, text);
        }
    }

    /// Shown from `-v` on.
    pub fn info(&self, text: &str) {
        self.log(1, "info", text);
    }

    /// Shown from `-vv` on.
    pub fn debug(&self, text: &str) {
        self.log(2, "debug", text);
    }

    /// Shown from `-vvv` on. Secrets are taken out by whoever calls.
    pub fn trace(&self, text: &str) {
        self.log(3, "trace", text);
    }

    /// A note of a provider.
    pub fn show(&self, note: &Note) {
        match note {
            Note::Info(text) => self.info(text),
            Note::Warning(text) => self.warn(text),
            Note::Reconnected { lost: None } => self.done("reconnected; something may be missing"),
            Note::Reconnected { lost: Some(0) } => self.done("reconnected, nothing is missing"),
            Note::Reconnected { lost: Some(lost) } => self.done(&format!("reconnected; {lost} missing")),
            // A gap is never hidden, however often it happens (U5.4).
            Note::Gap(text) => self.say("warning", Tone::Warning, text),
            Note::Port { port, open } => self.info(&format!("port {port} {}", if *open { "opened" } else { "closed" })),
        }
    }

    /// Notes that are shown here as they happen.
    pub fn notes(&self) -> Notes {
        let output = self.clone();
        Notes::new(move |note| output.show(&note))
    }

    /// From now on our own notices start with `esker:`, since the output of a remote program stands beside them (U9.5).
    pub fn mark_notices(&self) {
        self.0.notices_are_marked.store(true, Ordering::Relaxed);
    }

    fn log(&self, level: u8, label: &str, text: &str) {
        if self.0.options.verbose >= level {
            self.say(label, Tone::Dim, text);
        }
    }

    /// Whether this was not said before.
    fn is_new(&self, text: &str) -> bool {
        let mut said = lock(&self.0.said);
        !said.contains(text) && said.insert(text.to_owned())
    }

    fn say(&self, label: &str, tone: Tone, text: &str) {
        let mut message = String::new();
        if self.0.notices_are_marked.load(Ordering::Relaxed) {
            message.push_str("esker: ");
        }
        message.push_str(&labelled(label, tone, text, self.stderr_has_colors()));
        self.stderr(&message);
    }

    /// Writes a finished text to stderr.
    pub(crate) fn stderr(&self, text: &str) {
        self.without_bars(|| {
            let _ = lock(&self.0.streams.stderr).write_all(text.as_bytes());
        });
    }
}

/// `LABEL: TEXT` and a newline; further lines of the text are indented, and everything a terminal would act on is
/// escaped.
pub(crate) fn labelled(label: &str, tone: Tone, text: &str, colors: bool) -> String {
    let mut message = String::new();
    if !label.is_empty() {
        tone.push(&mut message, &format!("{label}:"), colors);
        message.push(' ');
    }
    for (i, line) in text.trim_end().split('\n').enumerate() {
        // Writing to a `String` cannot fail.
        let _ = writeln!(message, "{}{}", if i > 0 { "  " } else { "" }, sanitize::line(line.trim_end_matches('\r')));
    }
    message
}
