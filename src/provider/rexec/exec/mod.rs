//! Running programs on a system that offers a terminal and nothing else (section 4.8): true bytes, a true status, or an
//! error.
//!
//! `live` is a dialogue, for programs that are attended; `spool` leaves a program with files for its output, which
//! survives a lost connection; `tty` is a real terminal. All of them replace the terminal's shell by a script of ours
//! (`dialogue`) that prints records (`record`).

mod control;
mod dialogue;
mod live;
mod reap;
pub mod record;
mod session;
mod spool;
mod track;
mod tty;
mod words;

pub(super) use self::spool::RexecRuns;
pub(super) use self::words::exports;

use self::control::{PipeControl, PipeStdin};
use self::dialogue::Dialogue;
use self::live::Reader;
use self::session::{Armour, Session};
use self::track::Track;
use super::spot::Spot;
use crate::error::{Effect, Result};
use crate::provider::exec::{Event, Exec, ExecSpec, Exit, Io, Life, Nobody, Process, Stdin, StdinMode};
use crate::provider::queue::{Bounds, queue};
use crate::stream::{self, Items};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Runs a program with pipes.
const LIVE: &str = concat!(include_str!("common.sh"), include_str!("live.sh"));

/// The programs of a container or agent.
pub(super) struct RexecExec(pub(super) Spot);

#[async_trait]
impl Exec for RexecExec {
    async fn start(&self, spec: ExecSpec) -> Result<Process> {
        match (spec.io, spec.life) {
            (_, Life::Detached { .. }) => spool::detach(&self.0, &spec).await,
            (Io::Terminal { .. }, _) => tty::start(&self.0, &spec).await,
            (Io::Pipes { .. }, Life::Surviving) => spool::start(&self.0, &spec).await,
            (Io::Pipes { stdin, merge_stderr }, Life::Attached) => {
                live(&self.0, &spec, stdin, merge_stderr, true).await
            }
        }
    }
}

/// Programs that are not looked for when their terminal is lost: those that look for others.
struct Quiet(Spot);

#[async_trait]
impl Exec for Quiet {
    async fn start(&self, spec: ExecSpec) -> Result<Process> {
        live(&self.0, &spec, StdinMode::None, false, false).await
    }
}

async fn live(spot: &Spot, spec: &ExecSpec, stdin: StdinMode, merge_stderr: bool, reaps: bool) -> Result<Process> {
    let program = program(spec);
    let what = format!("run `{program}`");
    let has_stdin = stdin != StdinMode::None;
    let flag = |is: bool| if is { "1" } else { "" };
    let settings = format!("esk_stdin={}\nesk_merge={}", flag(has_stdin), flag(merge_stderr));
    let mut dialogue = Dialogue::open(spot, &what, None, &words::script(spec)?, &settings, LIVE).await?;
    // From here on it may have begun.
    let go = dialogue.wait(&what, b'G').await.map_err(|error| error.effect(Effect::Unknown))?;
    let armour = match go.payload.as_slice() {
        b"B" => Armour::Blocks,
        b"b" => Armour::Lines,
        _ => Armour::None,
    };
    let session = Session::new(spot.clone(), program, dialogue.nonce.clone(), armour, dialogue.typist.clone());
    let session = Arc::new(session);
    let (filler, taker) = queue(Bounds::default());
    let track = Track::marked(&dialogue.nonce);
    let reader = Reader {
        session: Arc::clone(&session),
        dialogue,
        out: filler,
        deadline: spec.timeout.and_then(|limit| Instant::now().checked_add(limit)),
        streams: [track.clone(), if merge_stderr { Track::ended() } else { track }],
        reaps,
    };
    let reading = Reading(tokio::spawn(reader.run()));
    let events = stream::unfold((taker, reading), |(mut taker, reading)| async move {
        let event = taker.next().await.transpose()?;
        Ok(event.map(|event| (event, (taker, reading))))
    });
    let stdin = has_stdin.then(|| Box::new(PipeStdin(Arc::clone(&session))) as Box<dyn Stdin>);
    Ok(Process::new(None, stdin, Arc::new(PipeControl(session)), events))
}

/// The task that reads, which ends with whoever takes from it.
struct Reading(JoinHandle<()>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The program, for messages.
fn program(spec: &ExecSpec) -> String {
    spec.argv.first().map_or_else(|| "the login shell".to_owned(), |word| String::from_utf8_lossy(word).into_owned())
}

/// A process that is over already.
fn over(exit: Exit) -> Process {
    let events: Items<Event> = stream::iter([Ok(Event::Exit(exit))]);
    Process::new(None, None, Arc::new(Nobody), events)
}
