//! The few colours and what they mean (U8.1). Meaning never rests on them alone.

/// What a colour says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing in particular.
    #[default]
    Plain,
    /// A good state: green.
    Good,
    /// Something to watch: yellow.
    Warning,
    /// Something wrong: red.
    Bad,
    /// Something to type, or a hint: cyan.
    Literal,
    /// Secondary: dim.
    Dim,
    /// A heading: bold.
    Strong,
}

impl Tone {
    /// The escape sequence that starts it; empty for [`Tone::Plain`].
    const fn start(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Good => "\x1b[32m",
            Self::Warning => "\x1b[33m",
            Self::Bad => "\x1b[31m",
            Self::Literal => "\x1b[36m",
            Self::Dim => "\x1b[2m",
            Self::Strong => "\x1b[1m",
        }
    }

    /// `text` in this tone, or as it is if `colors` is off: for what draws a screen by itself.
    pub fn painted(self, text: &str, colors: bool) -> String {
        self.paint(text, colors)
    }

    /// Appends `text` in this tone, or as it is if `colors` is off.
    pub(super) fn push(self, line: &mut String, text: &str, colors: bool) {
        if !colors || self == Self::Plain || text.is_empty() {
            line.push_str(text);
        } else {
            line.extend([self.start(), text, "\x1b[0m"]);
        }
    }

    /// `text` in this tone, or as it is if `colors` is off.
    pub(super) fn paint(self, text: &str, colors: bool) -> String {
        let mut line = String::with_capacity(text.len() + 9);
        self.push(&mut line, text, colors);
        line
    }
}

/// The tone of a state, in the words that the providers use for it.
pub fn tone(state: &str) -> Tone {
    match state.to_ascii_lowercase().as_str() {
        "active" | "up" | "running" | "done" | "ready" | "healthy" | "ok" | "pass" | "enabled" => Tone::Good,
        "backoff" | "doing" | "do" | "wait" | "undo" | "undoing" | "abort" | "starting" | "stopping" | "pending"
        | "warn" | "warning" => Tone::Warning,
        "error" | "down" | "failed" | "fail" | "unhealthy" | "unresponsive" => Tone::Bad,
        "inactive" | "stopped" | "disabled" | "hold" | "undone" | "exited" | "skip" | "cold" | "hibernated"
        | "offline" => Tone::Dim,
        _ => Tone::Plain,
    }
}
