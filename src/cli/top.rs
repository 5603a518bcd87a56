//! `top`: what goes on at every target, live. Drawn by hand: a table and a few keys need no library of widgets.

mod frame;
mod keys;
mod sample;

use super::{Outcome, complete};
use crate::config::{Origin, duration};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{At, TopRow};
use crate::output::{Cell, Column, ListOptions};
use crate::resolve::Pattern;
use crate::settings::Opt;
use crate::signal;
use crate::tty;
use clap::Args;
use frame::{Frame, View};
use sample::{Board, sample};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// Between two looks, unless `--every` says otherwise.
const EVERY: &str = "2s";
/// The frame where there is no terminal to fit.
const SIZE: (usize, usize) = (100, 50);

const COLUMNS: &[Column<TopRow>] = &[
    Column::new("KIND", "kind", |r: &TopRow| Cell::text(&r.kind)),
    Column::new("NAME", "name", |r: &TopRow| Cell::text(&r.name)),
    Column::new("STATE", "state", |r: &TopRow| Cell::state(&r.state)),
    Column::new("VALUE", "value", |r: &TopRow| Cell::maybe(r.shown().as_deref())),
    Column::new("OF", "metric", |r: &TopRow| Cell::maybe(r.metric.as_deref())),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Services, checks, machines, runs and agents of every target that is named, or of
all. A machine that sleeps is not woken up. The line at the right of a row is
what its metric did: restarts of a service, failures of a check, the processor
of a machine, tokens of an agent.

Keys: q quits, j and k or the arrows scroll, f shows one kind after the other,
s sorts by another column, space stops and goes on.

Examples:
  esker top
  esker top prod 'sprites/*' --every 5s
  esker top --once -o json | jq '.[] | select(.state != \"active\")'")]
pub struct TopArgs {
    /// Targets to look at; globs too; all of them if none is named
    #[arg(value_name = "TARGET", add = complete::targets())]
    targets: Vec<String>,
    /// Between two looks
    #[arg(long, value_name = "DURATION", default_value = EVERY, value_parser = duration::parse)]
    every: Duration,
    /// Print one frame and end; with -o json its rows
    #[arg(long)]
    once: bool,
}

/// Shows it until somebody quits.
pub async fn run(ctx: &Ctx, args: TopArgs) -> anyhow::Result<Outcome> {
    let patterns = patterns(ctx, &args.targets)?;
    let mut board = Board::default();
    if args.once {
        let round = sample(ctx, patterns).await;
        let failed = board.take(round);
        if ctx.out.is_structured() {
            let rows: Vec<At<TopRow>> = board.rows().cloned().collect();
            ctx.out.list(&rows, COLUMNS, &ListOptions::default())?;
        } else {
            let (width, height) = size(ctx);
            for line in Frame::new(ctx, &board, &View::default(), width, height.max(board.rows().count() + 3)).lines() {
                ctx.out.line(&line)?;
            }
        }
        return super::over::finish(failed, board.rows().count());
    }
    if ctx.out.is_structured() || !ctx.out.stdout_is_tty() || !ctx.out.stdin_is_tty() {
        return Err(Error::usage("`top` needs a terminal").hint("`esker top --once` prints one frame").into());
    }
    live(ctx, patterns, args.every.max(Duration::from_millis(100)), board).await
}

fn patterns(ctx: &Ctx, named: &[String]) -> Result<Vec<Pattern>> {
    let is_named = !named.is_empty() || matches!(ctx.settings.origin(Opt::Target), Origin::Flag(_));
    if is_named || ctx.settings.on(Opt::All) { ctx.patterns(named) } else { Ok(vec![Pattern::All]) }
}

fn size(ctx: &Ctx) -> (usize, usize) {
    let terminal = tty::size().filter(|_| ctx.out.stdout_is_tty());
    terminal.map_or(SIZE, |size| (size.cols.into(), size.rows.into()))
}

async fn live(ctx: &Ctx, patterns: Vec<Pattern>, every: Duration, mut board: Board) -> anyhow::Result<Outcome> {
    let mut signals = ctx.signals.listen().await?;
    let mut resizes = signal::resizes()?;
    let _raw = tty::Raw::enter()?;
    let _screen = tty::Screen::enter()?;
    let mut keys = keys::read();
    let mut view = View::noting("asking …");
    let mut round = Box::pin(sample(ctx, patterns.clone()));
    let mut is_asking = true;
    let mut next = Instant::now();
    loop {
        let (width, height) = size(ctx);
        let text = Frame::new(ctx, &board, &view, width, height).screen();
        ctx.out.bytes(text.as_bytes())?;
        tokio::select! {
            done = &mut round, if is_asking => {
                is_asking = false;
                let failed = board.take(done);
                view.note = match failed.as_slice() {
                    [] => String::new(),
                    [error] => error.to_string(),
                    [error, rest @ ..] => format!("{error} (and {} more)", rest.len()),
                };
                next = Instant::now() + every;
            }
            () = sleep_until(next), if !is_asking && !view.is_paused => {
                round = Box::pin(sample(ctx, patterns.clone()));
                is_asking = true;
            }
            key = keys.recv() => match key {
                Some(key) => if !view.press(key, board.rows().count()) { return Ok(Outcome::Done) },
                None => return Ok(Outcome::Done),
            },
            _ = resizes.recv() => {}
            signal = signals.next() => return Err(signal::interrupted(&signal, "interrupted").into()),
        }
        // What else was typed, before it is drawn.
        while let Ok(Some(key)) = timeout(Duration::ZERO, keys.recv()).await {
            if !view.press(key, board.rows().count()) {
                return Ok(Outcome::Done);
            }
        }
    }
}
