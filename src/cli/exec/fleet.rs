//! A program at one target or at many: who gets stdin, where the output goes, what the statuses make together.

use super::args::ExecArgs;
use super::attend::Attention;
use super::ended::{self, Ended, Fate};
use super::input::{self, Feed};
use super::plan::{self, Plan};
use crate::cli::Outcome;
use crate::context::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::fanout::{self, Limits};
use crate::output::{Fd, Lane, LaneStyle, Source};
use crate::provider::exec::{ExecSpec, Exit, Process};
use crate::provider::feature::capability;
use crate::provider::{Feature, require};
use crate::resolve::Target;
use crate::settings::Opt;
use crate::signal::{self, Listener};
use crate::tty;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// One target: bytes pass untouched, and the terminal here may become the program's.
pub(super) async fn single(ctx: &Ctx, plan: Plan, target: Target) -> anyhow::Result<Outcome> {
    let style = ctx.out.lane_style(false)?;
    let lanes = ctx.out.lanes(style, vec![source(&target)]);
    let (_never, stop) = watch::channel(false);
    let (leave, keys) = plan.keys(&*target.place)?.unzip();
    let feed = match plan.stdin {
        Some(format) => Some(Feed { chunks: input::read()?, format, keys }),
        None => None,
    };
    let lane = Running { ctx, leave, plan: &plan, style };
    let ended = lane.run(&target, lanes.lane(0), feed, stop).await;
    if !matches!(&ended, Err(error) if error.kind() == ErrorKind::Interrupted) {
        // Whoever interrupts may do so because our output is stuck.
        lanes.close().await?;
    }
    let status = ended.map_err(|error| error.at(target.provider.driver().id, &*target.full))?;
    Ok(Outcome::Status(status.unwrap_or(0)))
}

/// A run that was joined again: it is attended as one that was started here, and left when we stop.
pub(super) async fn joined(
    ctx: &Ctx,
    plan: Plan,
    target: &Target,
    process: Process,
    program: String,
) -> anyhow::Result<Outcome> {
    let style = ctx.out.lane_style(false)?;
    let lanes = ctx.out.lanes(style, vec![source(target)]);
    let (_never, stop) = watch::channel(false);
    let (leave, keys) = plan.keys(&*target.place)?.unzip();
    let feed = match plan.stdin {
        Some(format) => Some(Feed { chunks: input::read()?, format, keys }),
        None => None,
    };
    let lane = Running { ctx, leave, plan: &plan, style };
    let signals = ctx.signals.relayed().await?;
    let attended = Attended { program, timeout: None, leaves: true, begun: Instant::now() };
    let ended = lane.follow(process, attended, signals, lanes.lane(0), feed, stop).await;
    if !matches!(&ended, Err(error) if error.kind() == ErrorKind::Interrupted) {
        lanes.close().await?;
    }
    let status = ended.map_err(|error| error.at(target.provider.driver().id, &*target.full))?;
    Ok(Outcome::Status(status.unwrap_or(0)))
}

/// Several targets: no terminal, stdin only with `-i`, and then all at once.
pub(super) async fn several(
    ctx: &Ctx,
    args: &ExecArgs,
    plan: Plan,
    targets: Vec<Target>,
    failed: Vec<Error>,
) -> anyhow::Result<Outcome> {
    let plan = plan.for_several(args)?;
    let style = ctx.out.lane_style(true)?;
    let lanes = ctx.out.lanes(style, targets.iter().map(source).collect());
    let mut limits = Limits::changes(ctx.settings.number(Opt::Jobs), None);
    let mut feeds: Vec<Option<Feed>> = targets.iter().map(|_| None).collect();
    if let Some(format) = plan.stdin {
        // One that waits for its turn would keep the others from their stdin.
        limits.jobs = None;
        let chunks = input::copies(input::read()?, targets.len());
        feeds = chunks.into_iter().map(|chunks| Some(Feed { chunks, format, keys: None })).collect();
    }
    let feeds = Mutex::new(feeds);
    let (stop, stopped) = watch::channel(false);
    let lane = Running { ctx, leave: None, plan: &plan, style };
    let fail_fast = ctx.settings.on(Opt::FailFast);
    let work = |(index, target): (usize, Target)| {
        let feed = feeds.lock().map_or(None, |mut feeds| feeds[index].take());
        let (lane, lanes, stopped, stop) = (&lane, &lanes, stopped.clone(), &stop);
        async move {
            if *stopped.borrow() {
                return Ok(Fate::Stopped);
            }
            let ended = lane.run(&target, lanes.lane(index), feed, stopped).await;
            let fate = match ended {
                Ok(Some(status)) => Fate::Status(status),
                Ok(None) => Fate::Stopped,
                Err(error) => Fate::Failed(error.at(target.provider.driver().id, &*target.full)),
            };
            let failed = !matches!(fate, Fate::Status(0) | Fate::Stopped);
            if (failed && fail_fast) || interrupted(&fate) {
                let _ = stop.send(true);
            }
            Ok(fate)
        }
    };
    let all = targets.into_iter().enumerate().collect();
    let mut fates = gather(all, limits, work).await;
    fates.extend(failed.into_iter().map(Fate::Failed));
    if !fates.iter().any(interrupted) {
        lanes.close().await?;
    }
    ended::several(fates)
}

fn interrupted(fate: &Fate) -> bool {
    matches!(fate, Fate::Failed(error) if error.kind() == ErrorKind::Interrupted)
}

/// The fates of all, in the order of the targets.
async fn gather<F, Fut>(all: Vec<(usize, Target)>, limits: Limits, work: F) -> Vec<Fate>
where
    F: Fn((usize, Target)) -> Fut,
    Fut: Future<Output = Result<Fate>>,
{
    let fates = fanout::items(all, limits, work).await;
    fates.into_iter().map(|(_, fate)| fate.unwrap_or_else(Fate::Failed)).collect()
}

fn source(target: &Target) -> Source {
    Source { provider: target.provider.driver().id, target: target.full.clone() }
}

/// What the lanes of one command have in common.
struct Running<'a> {
    ctx: &'a Ctx,
    /// The keys that leave the program, to be told.
    leave: Option<String>,
    plan: &'a Plan,
    style: LaneStyle,
}

impl Running<'_> {
    /// Runs the program at one target. `None`: it was stopped because of another.
    async fn run(
        &self,
        target: &Target,
        lane: Box<dyn Lane>,
        feed: Option<Feed>,
        stop: watch::Receiver<bool>,
    ) -> Result<Option<u8>> {
        let spec = self.plan.spec(target);
        require(&*target.place, &spec)?;
        let program = plan::program(&spec);
        let timeout = spec.timeout;
        let mut signals = self.ctx.signals.relayed().await?;
        let begun = Instant::now();
        let process = start(target, spec, &mut signals).await?;
        self.follow(process, Attended { program, timeout, leaves: false, begun }, signals, lane, feed, stop).await
    }

    /// Attends what runs, to its end. `None`: it was stopped because of another.
    async fn follow(
        &self,
        process: Process,
        attended: Attended,
        signals: Listener,
        mut lane: Box<dyn Lane>,
        feed: Option<Feed>,
        stop: watch::Receiver<bool>,
    ) -> Result<Option<u8>> {
        let ctx = self.ctx;
        let Attended { program, timeout, leaves, begun } = attended;
        let run = process.run.clone();
        let raw = self.raw(&process)?;
        let attention = Attention {
            out: &ctx.out,
            program: program.clone(),
            signals,
            feed,
            raw: raw.is_some(),
            follows_size: self.plan.follows_size,
            leaves,
            stop,
        };
        let ended = attention.attend(process, &mut *lane).await;
        drop(raw);
        let ended = ended?;
        if let Ended::Exit(Exit::Detached(run)) = &ended {
            self.left(lane.as_mut(), run.as_str()).await?;
        }
        lane.finish(ended.result(run.get().map(|run| run.0.clone()), begun.elapsed())).await?;
        match ended {
            Ended::Exit(exit) => ended::status(&exit, &program, timeout).map(Some),
            Ended::Stopped => Ok(None),
        }
    }

    /// Makes the terminal here the program's, and says how to leave it.
    fn raw(&self, process: &Process) -> Result<Option<tty::Raw>> {
        if !self.plan.raw || !process.terminal || process.stdin.is_none() {
            return Ok(None);
        }
        if let Some(keys) = &self.leave {
            self.ctx.out.done(&format!("{keys} leaves it running"));
        }
        tty::Raw::enter().map(Some)
    }

    /// Prints the id of a run that goes on.
    async fn left(&self, lane: &mut dyn Lane, id: &str) -> Result<()> {
        if matches!(self.style, LaneStyle::Object | LaneStyle::Events) {
            // The id is in the result.
            return Ok(());
        }
        lane.write(Fd::Stdout, format!("{id}\n").into()).await
    }
}

/// What is attended.
struct Attended {
    /// The program, for messages.
    program: String,
    /// How long it may run.
    timeout: Option<Duration>,
    /// Whether it goes on when we stop.
    leaves: bool,
    begun: Instant,
}

/// Starts it. A signal that comes before it runs ends us: the daemon does not start what nobody attends.
async fn start(target: &Target, spec: ExecSpec, signals: &mut Listener) -> Result<Process> {
    let exec = capability(&*target.place, |place| place.exec(), Feature::Exec, "exec")?;
    tokio::select! {
        process = exec.start(spec) => process,
        signal = ending(signals) => Err(signal::interrupted(&signal, "interrupted before the program ran")),
    }
}

async fn ending(signals: &mut Listener) -> crate::provider::exec::Signal {
    loop {
        let signal = signals.next().await;
        if matches!(signal.name(), "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGQUIT") {
            return signal;
        }
    }
}
