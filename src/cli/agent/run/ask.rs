//! Questions asked on the terminal: several may be open, one is asked at a time, and one that is closed meanwhile gives
//! way to the next.

use crate::agent::policy;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{Dialog, DialogId, DialogKind};
use crate::provider::agent::Answer;
use crate::provider::labels;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::BufRead as _;
use std::time::Duration;
use tokio::sync::mpsc;

/// The questions that wait for the person at the terminal.
pub(super) struct Asker<'a> {
    ctx: &'a Ctx,
    waiting: VecDeque<Dialog>,
    lines: Option<mpsc::Receiver<String>>,
}

impl<'a> Asker<'a> {
    pub(super) fn new(ctx: &'a Ctx) -> Self {
        Self { ctx, waiting: VecDeque::new(), lines: None }
    }

    /// Whether somebody is being asked.
    pub(super) fn is_asking(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Asks, or lets the question wait for the one before it.
    pub(super) fn ask(&mut self, dialog: Dialog) -> Result<()> {
        if self.lines.is_none() {
            self.lines = Some(typed()?);
        }
        self.waiting.push_back(dialog);
        if self.waiting.len() == 1 {
            self.show();
        }
        Ok(())
    }

    /// The question is open no more.
    pub(super) fn close(&mut self, id: &DialogId) {
        let was_shown = self.waiting.front().is_some_and(|dialog| dialog.request_id == *id);
        let before = self.waiting.len();
        self.waiting.retain(|dialog| dialog.request_id != *id);
        if was_shown && before != self.waiting.len() {
            self.ctx.out.question("\n");
            self.ctx.out.done("(the question is closed)");
            self.show();
        }
    }

    /// Waits for the next answer. Cancel-safe; never, while nobody is asked.
    pub(super) async fn answered(&mut self) -> (DialogId, Answer) {
        loop {
            let line = match &mut self.lines {
                Some(lines) if !self.waiting.is_empty() => lines.recv().await,
                _ => std::future::pending().await,
            };
            let Some(dialog) = self.waiting.front() else { continue };
            let answer = match &line {
                Some(line) => read(dialog, line),
                // The end of the terminal's input: nobody is there any more.
                None => Some(Answer::Cancelled),
            };
            let id = dialog.request_id.clone();
            match answer {
                Some(answer) => {
                    self.waiting.pop_front();
                    self.show();
                    return (id, answer);
                }
                None => self.show(),
            }
        }
    }

    fn show(&self) {
        if let Some(dialog) = self.waiting.front() {
            self.ctx.out.question(&text(dialog));
        }
    }
}

/// The question as it is shown.
fn text(dialog: &Dialog) -> String {
    let mut text = dialog.prompt.clone();
    if let Some(seconds) = dialog.timeout_seconds {
        let left = crate::config::duration::show(Duration::from_secs_f64(seconds.round().clamp(1.0, 1e9)));
        let _ = write!(text, " (within {left})");
    }
    if let Some(message) = dialog.message.as_deref().filter(|message| !message.is_empty()) {
        text.push_str("\n  ");
        text.push_str(&message.replace('\n', "\n  "));
    }
    match dialog.kind {
        DialogKind::Permission
            if dialog.method == "confirm" || policy::answer(dialog, labels::Decision::Allow).is_some() =>
        {
            text.push_str("\nallow? [y/N] ");
        }
        DialogKind::Permission | DialogKind::Choice => {
            for (number, option) in dialog.options.iter().enumerate() {
                let _ = write!(text, "\n  {}) {option}", number + 1);
            }
            text.push_str("\nnumber: ");
        }
        DialogKind::Question => match &dialog.default {
            Some(default) => text.extend(["\n[", default, "] "]),
            None => text.push_str("\n> "),
        },
    }
    text
}

/// The answer that a line means; `None` if it means none.
fn read(dialog: &Dialog, line: &str) -> Option<Answer> {
    if dialog.kind == DialogKind::Question {
        return Some(match &dialog.default {
            // An example is no answer; what is filled in is.
            Some(filled) if line.is_empty() && dialog.method == "editor" => Answer::Value(filled.clone()),
            _ if line.is_empty() => Answer::Cancelled,
            _ => Answer::Value(line.to_owned()),
        });
    }
    let number = line.trim().parse::<usize>().ok().and_then(|number| dialog.options.get(number.checked_sub(1)?));
    if let Some(option) = number.or_else(|| dialog.options.iter().find(|option| *option == line)) {
        return Some(Answer::Value(option.clone()));
    }
    if dialog.kind == DialogKind::Choice {
        return line.trim().is_empty().then_some(Answer::Cancelled);
    }
    let decision = labels::typed(line)?;
    Some(policy::answer(dialog, decision).unwrap_or(Answer::Cancelled))
}

/// Lines that are typed, read by a thread that may stay behind in its last read.
fn typed() -> Result<mpsc::Receiver<String>> {
    let (sender, receiver) = mpsc::channel(1);
    let read = move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(read)
        .map_err(|error| Error::failure("cannot start a thread to read stdin").source(error))?;
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialog(method: &str, kind: DialogKind, options: &[&str]) -> Dialog {
        Dialog {
            request_id: "d".into(),
            method: method.into(),
            kind,
            prompt: "Allow tool: bash".into(),
            message: Some("rm -rf build".into()),
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            default: None,
            tool: None,
            arguments: None,
            tool_call_id: None,
            timeout_seconds: Some(30.0),
        }
    }

    #[test]
    fn a_line_means_an_answer_or_the_question_is_put_again() {
        let permission = dialog("confirm", DialogKind::Permission, &[]);
        assert_eq!(read(&permission, "y"), Some(Answer::Confirmed(true)));
        assert_eq!(read(&permission, ""), Some(Answer::Confirmed(false)));
        assert_eq!(read(&permission, "no, look at the book"), None);
        let approval = dialog("select", DialogKind::Permission, &["Approve", "Deny"]);
        assert_eq!(read(&approval, "yes"), Some(Answer::Value("Approve".into())));
        assert_eq!(read(&approval, "2"), Some(Answer::Value("Deny".into())));
        let choice = dialog("select", DialogKind::Choice, &["Red", " Red"]);
        assert_eq!(read(&choice, "2"), Some(Answer::Value(" Red".into())));
        assert_eq!(read(&choice, " Red"), Some(Answer::Value(" Red".into())));
        assert_eq!((read(&choice, "3"), read(&choice, "")), (None, Some(Answer::Cancelled)));
        let question = dialog("input", DialogKind::Question, &[]);
        assert_eq!(read(&question, "text"), Some(Answer::Value("text".into())));
    }

    #[test]
    fn a_question_shows_its_time_and_its_options() {
        let shown = text(&dialog("confirm", DialogKind::Permission, &[]));
        assert_eq!(shown, "Allow tool: bash (within 30s)\n  rm -rf build\nallow? [y/N] ");
        let choice = text(&dialog("select", DialogKind::Choice, &["Red", "Green"]));
        assert!(choice.ends_with("\n  1) Red\n  2) Green\nnumber: "), "{choice}");
    }
}
