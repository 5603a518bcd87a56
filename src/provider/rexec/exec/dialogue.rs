//! The way from a terminal's shell, whichever it is, to one that runs a script of ours and prints records (section 4.8).
//!
//! The shell is replaced, so that there is no prompt, no editing of lines and no history; the terminal is made raw, so
//! that nothing is changed on the way. All that is typed is printable ASCII on lines that any terminal takes. What
//! follows is sent only once it was asked for: a shell may read a terminal ahead, and lose that when another process
//! goes on reading.

use super::record::{Damaged, Item, Parser, Record};
use super::words::{self, lines};
use crate::error::{Error, Result};
use crate::provider::exec::TermSize;
use crate::provider::rexec::DRIVER;
use crate::provider::rexec::spot::Spot;
use crate::provider::rexec::terminal::{self, Listener, Said, Typist};
use crate::transport::nonce;
use std::time::Duration;
use tokio::time::timeout;

/// How long the shell may take to be replaced, and the script to begin.
const ANSWER: Duration = Duration::from_secs(20);

/// The size that a terminal has where none is wanted: nothing is to be wrapped.
const WIDE: TermSize = TermSize { cols: 200, rows: 50 };

/// A script that runs over there, and the terminal that it runs in.
pub(super) struct Dialogue {
    pub(super) spot: Spot,
    pub(super) typist: Typist,
    pub(super) listener: Listener,
    pub(super) parser: Parser,
    /// The word that records bear, and the script's directory.
    pub(super) nonce: String,
}

/// What a dialogue brings.
pub(super) enum Turn {
    Record(Record),
    /// What is no record, where that is wanted.
    Plain(Vec<u8>),
}

impl Dialogue {
    /// Opens a terminal and has it run a script, of which `settings` come first. `what` completes "cannot …".
    pub(super) async fn open(
        spot: &Spot,
        what: &str,
        size: Option<TermSize>,
        command: &[u8],
        settings: &str,
        body: &str,
    ) -> Result<Self> {
        let (typist, listener) = terminal::open(spot, what).await?;
        let nonce = nonce();
        // A terminal that is looked at has its own returns, which are no part of any record.
        let parser = Parser::new(&nonce);
        let parser = if size.is_some() { parser.with_plain() } else { parser };
        let mut dialogue = Self { spot: spot.clone(), typist, listener, parser, nonce };
        let begun = timeout(ANSWER, dialogue.begin(what, size, command, settings, body)).await;
        match begun {
            Ok(Ok(())) => Ok(dialogue),
            Ok(Err(error)) => {
                dialogue.typist.close().await;
                Err(error)
            }
            Err(_) => {
                dialogue.typist.close().await;
                let why = format!("its shell does not answer within {} s", ANSWER.as_secs());
                Err(dialogue.cannot(what, &why).hint("it needs /bin/sh; `esker exec -t` shows what is there"))
            }
        }
    }

    async fn begin(
        &mut self,
        what: &str,
        size: Option<TermSize>,
        command: &[u8],
        settings: &str,
        body: &str,
    ) -> Result<()> {
        let nonce = &self.nonce;
        let command = words::format(command);
        // What is said to whoever reads the scripts need not be sent.
        let body: String =
            body.lines().filter(|line| !line.trim_start().starts_with("# ")).flat_map(|line| [line, "\n"]).collect();
        let script = format!("esk_n={nonce}\n{settings}\nesk_put() {{ printf '{command}'; }}\n{body}");
        let script = words::format(script.as_bytes());
        self.typist.resize(size.unwrap_or(WIDE)).await;
        self.typist.text(&bootstrap(nonce, script.len())).await;
        self.wait(what, b'R').await?;
        self.typist.text(&(lines(&script) + ".\n")).await;
        Ok(())
    }

    /// Waits for a record of this kind.
    pub(super) async fn wait(&mut self, what: &str, kind: u8) -> Result<Record> {
        loop {
            match self.next(what).await? {
                Turn::Record(record) if record.kind == kind => return Ok(record),
                // It cannot go on, and says why.
                Turn::Record(record) if record.kind == b'N' => {
                    return Err(self.cannot(what, &String::from_utf8_lossy(&record.payload)));
                }
                _ => {}
            }
        }
    }

    /// What comes next.
    ///
    /// # Errors
    ///
    /// `Unreachable` once the terminal or its shell is gone, `Failure` if a record was damaged on the way.
    pub(super) async fn next(&mut self, what: &str) -> Result<Turn> {
        loop {
            match self.parser.item() {
                Ok(Some(Item::Record(record))) => return Ok(Turn::Record(record)),
                Ok(Some(Item::Plain(bytes))) => return Ok(Turn::Plain(bytes)),
                Ok(None) => {}
                Err(Damaged(why)) => return Err(self.damaged(what, why)),
            }
            let said = self.listener.next().await.map_err(|error| self.spot.client.broken(what, error))?;
            match said {
                Said::Output(bytes) => self.parser.push(&bytes),
                Said::Ready | Said::Stats(_) => {}
                Said::ShellEnded => return Err(self.cannot(what, "its shell over there has ended")),
                Said::Moved => {
                    self.spot.forget().await;
                    return Err(self.cannot(what, "the container was made anew meanwhile"));
                }
                Said::Ended(why) => return Err(self.cannot(what, &why)),
            }
        }
    }

    fn cannot(&self, what: &str, why: &str) -> Error {
        Error::unreachable(self.spot.client.cannot(what, why)).at(DRIVER.id, self.spot.full())
    }

    fn damaged(&self, what: &str, why: &str) -> Error {
        Error::failure(self.spot.client.cannot(what, "its output was damaged on the way"))
            .cause(format!("a record is not whole: {why}"))
            .at(DRIVER.id, self.spot.full())
    }
}

/// The line that replaces a shell by one that reads a script of this length and runs it: any shell takes it, tmux too,
/// whose client gives its own terminal up. The shell that goes has nothing of it in its history, which some save as they
/// are replaced. A script of another length was damaged on the way.
fn bootstrap(nonce: &str, length: usize) -> String {
    const DAMAGED: &str = "the script was damaged on the way";
    let record = |kind: char, text: &str| format!(r#"printf \"\036%s{kind} 0 {} {text}.\n\" {nonce}"#, text.len());
    let (ready, damaged) = (record('R', ""), record('N', DAMAGED));
    let inner = format!(
        r#"stty raw -echo 2>/dev/null; {ready}; esk_p=; while IFS= read -r esk_l; do case \$esk_l in .) break;; esac; esk_p=\$esk_p\$esk_l; done; if [ \${{#esk_p}} = {length} ]; then eval \"\$(printf \"\$esk_p\")\"; else {damaged}; fi"#
    );
    format!(
        " unset HISTFILE; exec /bin/sh -c 'esk_b=\"{inner}\"; [ -z \"$TMUX\" ] || exec tmux detach-client -E \"$esk_b\"; eval \"$esk_b\"'\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_is_typed_is_short_plain_and_no_record() {
        let line = bootstrap("0123456789abcdef0123456789abcdef", 1_000_000);
        assert!(line.len() < 1000 && line.starts_with(' ') && line.ends_with('\n'));
        assert!(!line.contains(['\x1e', '!', '\t']) && line.is_ascii());
        // Between its quotes there is none: no shell has to know how to escape one.
        assert_eq!(line.matches('\'').count(), 2);
    }
}
