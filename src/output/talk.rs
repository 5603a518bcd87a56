//! What a program over there says piece by piece, and what is asked on its behalf.

use super::color::Tone;
use super::{Output, sanitize};
use crate::error::Result;

impl Output {
    /// A piece of remote text on stdout, which may end anywhere: made safe on a terminal, as it is otherwise (U4.12).
    pub fn piece(&self, text: &str) -> Result<()> {
        let text = if self.stdout_is_tty() { safe(text, self.stdout_has_colors()) } else { text.to_owned() };
        self.bytes(text.as_bytes())
    }

    /// A piece of what is secondary, on stderr.
    pub fn aside(&self, text: &str) {
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                self.stderr("\n");
            }
            self.stderr(&Tone::Dim.paint(&sanitize::line(line), self.stderr_has_colors()));
        }
    }

    /// A line on stderr that says how something went.
    pub fn went(&self, well: bool, text: &str) {
        let mark = match (well, self.0.options.utf8) {
            (true, true) => "✓",
            (false, true) => "✗",
            (true, false) => "ok",
            (false, false) => "failed",
        };
        let colors = self.stderr_has_colors();
        let tone = if well { Tone::Good } else { Tone::Bad };
        let line = format!("{} {}\n", tone.paint(mark, colors), Tone::Dim.paint(&sanitize::line(text), colors));
        self.stderr(&line);
    }

    /// A question on stderr, whose answer is typed behind it.
    pub fn question(&self, text: &str) {
        self.stderr(&Tone::Strong.paint(&safe(text, false), self.stderr_has_colors()));
    }

    /// Whether somebody can be asked (U7.1).
    pub fn can_ask(&self) -> bool {
        self.why_not().is_none()
    }
}

/// Every line of it made safe; colours stay if `colors`.
fn safe(text: &str, colors: bool) -> String {
    let lines: Vec<_> = text.split('\n').map(|line| sanitize::log(line, colors)).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use crate::output::{Options, Output, Terminals};

    #[test]
    fn remote_text_is_safe_on_a_terminal_and_untouched_in_a_pipe() {
        let said = |stdout| {
            let terminals = Terminals { stdin: true, stdout, stderr: Some(80) };
            let (out, captured) = Output::capture(Options::default(), terminals, "");
            out.piece("a\nb\x1b[2Jc").unwrap();
            captured.stdout()
        };
        assert_eq!(said(None), "a\nb\x1b[2Jc");
        assert!(said(Some(80)).starts_with("a\nb") && !said(Some(80)).contains('\x1b'), "{:?}", said(Some(80)));
    }

    #[test]
    fn what_went_how_is_said_without_colour_too() {
        let said = |utf8| {
            let options = Options { utf8, no_color_env: true, ..Options::default() };
            let (out, captured) = Output::capture(options, Terminals::default(), "");
            out.went(true, "bash\nx");
            out.went(false, "edit");
            out.aside("thinking\nmore");
            captured.stderr()
        };
        assert!(said(true).starts_with("✓ bash") && said(true).contains("\n✗ edit\nthinking\nmore"));
        assert!(said(false).starts_with("ok bash") && said(false).contains("\nfailed edit\n"));
    }
}
