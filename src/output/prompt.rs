//! Confirmations: what may be asked, what a flag answers, and what is refused (ux section 7).

use super::color::Tone;
use super::{Output, labelled, lock, sanitize};
use crate::config::Secret;
use crate::error::{Error, Result};

/// How much a mistake would cost (U7.2). What is mild is not asked at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Danger {
    /// `[y/N]`, or `--yes`.
    Moderate {
        /// What is about to be done, after "to": "remove `/srv/a` and all below".
        action: String,
    },
    /// Type the name, or `--confirm NAME`; `--yes` does not cover it.
    Severe {
        /// What is about to be done, after "to": "delete vm `lab/db1`".
        action: String,
        /// What is lost, in full form: one name per object.
        names: Vec<String>,
    },
}

impl Output {
    /// Asks before something dangerous, or takes a flag for the answer. `Ok` means go ahead.
    ///
    /// Blocks while it waits for the terminal: async callers leave it to `spawn_blocking`. Where it cannot ask and no
    /// flag answers, it is a usage error that names the flag, and nothing was done (U7.3).
    pub fn confirm(&self, danger: &Danger) -> Result<()> {
        match danger {
            Danger::Moderate { .. } if self.0.options.yes => Ok(()),
            Danger::Moderate { action } => {
                self.must_prompt(action, "pass --yes")?;
                let answer = self.ask(&format!("{action}? [y/N] "))?;
                let is_yes = ["y", "yes"].iter().any(|yes| yes.eq_ignore_ascii_case(&answer));
                if is_yes { Ok(()) } else { Err(cancelled(action)) }
            }
            Danger::Severe { action, names } => self.confirm_names(action, names),
        }
    }

    fn confirm_names(&self, action: &str, names: &[String]) -> Result<()> {
        let options = &self.0.options;
        if let Some(count) = options.confirm_count {
            return if count == names.len() {
                Ok(())
            } else {
                Err(Error::usage(format!(
                    "refusing to {action}: --confirm-count is {count}, but {} would be lost",
                    names.len()
                ))
                .cause(format!("these are {}", names.join(", "))))
            };
        }
        if !options.confirm.is_empty() {
            let stray = options.confirm.iter().find(|given| !names.contains(given));
            let open = names.iter().find(|name| !options.confirm.contains(name));
            return match (stray, open) {
                (Some(stray), _) => {
                    Err(Error::usage(format!("refusing to {action}: `--confirm {stray}` names something else"))
                        .hint(format!("pass {}", flags(names))))
                }
                (None, Some(open)) => Err(Error::usage(format!("refusing to {action}: `{open}` is not confirmed"))
                    .hint(format!("pass {}", flags(names)))),
                (None, None) => Ok(()),
            };
        }
        self.must_prompt(action, &format!("pass {}", flags(names)))?;
        let (what, expected) = if let [name] = names {
            (format!("type `{name}`"), name.clone())
        } else {
            for name in names {
                self.stderr(&labelled("", Tone::Plain, name, false));
            }
            (format!("type how many these are ({})", names.len()), names.len().to_string())
        };
        let answer = self.ask(&format!("to {action}, {what}: "))?;
        if answer == expected { Ok(()) } else { Err(cancelled(action)) }
    }

    fn must_prompt(&self, action: &str, flag: &str) -> Result<()> {
        match self.why_not() {
            None => Ok(()),
            Some(why) => Err(Error::usage(format!("refusing to {action} without confirmation ({why})")).hint(flag)),
        }
    }

    /// Why nobody can be asked, if so (U7.1).
    pub(super) fn why_not(&self) -> Option<&'static str> {
        if self.0.options.no_input {
            Some("--no-input is set")
        } else if self.0.options.ci {
            Some("CI is set")
        } else if !self.stdin_is_tty() {
            Some("stdin is not a terminal")
        } else if !self.stderr_is_tty() {
            Some("stderr is not a terminal")
        } else {
            None
        }
    }

    /// Asks for a secret without showing it (U7.4). Blocks like [`confirm`](Self::confirm). Where nobody can be asked
    /// it is a usage error that names `flag`.
    pub fn ask_secret(&self, what: &str, flag: &str) -> Result<Secret> {
        if let Some(why) = self.why_not() {
            return Err(Error::usage(format!("cannot ask for {what}: {why}")).hint(format!("pass {flag}")));
        }
        let hidden = crate::tty::Hidden::enter()?;
        let answer = self.ask(&format!("{what}: ")).map(Secret::new);
        drop(hidden);
        // The newline that was typed was not shown either.
        self.stderr("\n");
        answer
    }

    /// Asks on stderr, `-q` or not, and reads one line.
    fn ask(&self, question: &str) -> Result<String> {
        let question = sanitize::line(question);
        self.stderr(&Tone::Strong.paint(&question, self.stderr_has_colors()));
        let mut line = Vec::new();
        let mut byte = [0];
        let mut stdin = lock(&self.0.stdin);
        loop {
            // One byte at a time: what follows the line is not ours.
            match stdin.read(&mut byte) {
                Ok(0) => {
                    self.stderr("\n");
                    break;
                }
                Ok(_) if byte[0] == b'\n' => break,
                Ok(_) => line.push(byte[0]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::failure("cannot read the answer from stdin").source(error)),
            }
        }
        Ok(String::from_utf8_lossy(&line).trim().to_owned())
    }
}

fn flags(names: &[String]) -> String {
    match names {
        [name] => format!("--confirm {name}"),
        _ => format!("--confirm NAME for each, or --confirm-count {}", names.len()),
    }
}

fn cancelled(action: &str) -> Error {
    Error::failure(format!("cancelled: did not {action}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::output::{Options, Terminals};

    const TERMINAL: Terminals = Terminals { stdin: true, stdout: None, stderr: Some(80) };

    fn severe(names: &[&str]) -> Danger {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Danger::Severe { action: "delete vm".to_owned(), names }
    }

    fn moderate() -> Danger {
        Danger::Moderate { action: "remove `/srv`".to_owned() }
    }

    /// The error's kind and text, or `None`; and what was asked.
    fn confirm(
        danger: &Danger,
        terminals: Terminals,
        input: &str,
        change: impl FnOnce(&mut Options),
    ) -> (Option<(ErrorKind, String, Option<String>)>, String) {
        let mut options = Options { no_color_env: true, ..Options::default() };
        change(&mut options);
        let (output, captured) = Output::capture(options, terminals, input);
        let outcome = output.confirm(danger).err();
        assert_eq!(captured.stdout(), "", "prompts go to stderr");
        (outcome.map(|e| (e.kind(), e.to_string(), e.parts().hint.clone())), captured.stderr())
    }

    #[test]
    fn moderate_is_asked_and_defaults_to_no() {
        for yes in ["y\n", "YES\nmore", "y"] {
            assert_eq!(confirm(&moderate(), TERMINAL, yes, |_| ()).0, None, "{yes}");
        }
        for no in ["\n", "n\n", "", "yep\n"] {
            let (error, asked) = confirm(&moderate(), TERMINAL, no, |o| o.quiet = true);
            assert_eq!(error, Some((ErrorKind::Failure, "cancelled: did not remove `/srv`".into(), None)), "{no}");
            assert!(asked.starts_with("remove `/srv`? [y/N] "));
        }
    }

    #[test]
    fn yes_answers_moderate_and_not_severe() {
        assert_eq!(confirm(&moderate(), Terminals::default(), "", |o| o.yes = true), (None, String::new()));
        let (error, _) = confirm(&severe(&["lab/db"]), Terminals::default(), "", |o| o.yes = true);
        assert_eq!(error.unwrap().0, ErrorKind::Usage);
    }

    #[test]
    fn who_cannot_be_asked_is_told_the_flag() {
        let refused = |terminals, change: fn(&mut Options)| {
            let (error, asked) = confirm(&severe(&["lab/db"]), terminals, "lab/db\n", change);
            let (kind, message, hint) = error.unwrap();
            assert_eq!((kind, asked.as_str(), hint.as_deref()), (ErrorKind::Usage, "", Some("pass --confirm lab/db")));
            message
        };
        assert_eq!(
            refused(TERMINAL, |o| o.no_input = true),
            "refusing to delete vm without confirmation (--no-input is set)"
        );
        assert!(refused(TERMINAL, |o| o.ci = true).contains("(CI is set)"));
        assert!(refused(Terminals { stdin: false, ..TERMINAL }, |_| ()).contains("(stdin is not a terminal)"));
        assert!(refused(Terminals { stderr: None, ..TERMINAL }, |_| ()).contains("(stderr is not a terminal)"));
        let (error, _) = confirm(&moderate(), Terminals::default(), "y\n", |_| ());
        assert_eq!(error.unwrap().2.as_deref(), Some("pass --yes"));
    }

    #[test]
    fn severe_wants_the_name() {
        let (error, asked) = confirm(&severe(&["lab/db"]), TERMINAL, "lab/db\n", |_| ());
        assert_eq!((error, asked.as_str()), (None, "to delete vm, type `lab/db`: "));
        for wrong in ["db\n", "y\n", "\n", ""] {
            assert_eq!(confirm(&severe(&["lab/db"]), TERMINAL, wrong, |_| ()).0.unwrap().0, ErrorKind::Failure);
        }
        let (error, asked) = confirm(&severe(&["a", "b"]), TERMINAL, "2\n", |_| ());
        assert_eq!((error, asked.as_str()), (None, "a\nb\nto delete vm, type how many these are (2): "));
    }

    #[test]
    fn confirm_must_name_every_object_and_no_other() {
        let with = |names: &[&str], given: &[&str]| {
            let given = given.iter().map(|name| (*name).to_owned()).collect();
            confirm(&severe(names), Terminals::default(), "", |o| o.confirm = given)
                .0
                .map(|(kind, message, _)| (kind, message))
        };
        assert_eq!(with(&["a"], &["a"]), None);
        assert_eq!(with(&["a", "b"], &["b", "a"]), None);
        let missing = "refusing to delete vm: `b` is not confirmed".to_owned();
        assert_eq!(with(&["a", "b"], &["a"]), Some((ErrorKind::Usage, missing)));
        let stray = "refusing to delete vm: `--confirm c` names something else".to_owned();
        assert_eq!(with(&["a"], &["a", "c"]), Some((ErrorKind::Usage, stray)));
    }

    #[test]
    fn confirm_count_must_be_exact() {
        let with = |count| confirm(&severe(&["a", "b"]), Terminals::default(), "", |o| o.confirm_count = Some(count)).0;
        assert_eq!(with(2), None);
        let (kind, message, _) = with(3).unwrap();
        assert_eq!(
            (kind, message.as_str()),
            (ErrorKind::Usage, "refusing to delete vm: --confirm-count is 3, but 2 would be lost")
        );
    }
}
