//! `svc logs`

use crate::cli::over::at;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{At, LogEntry};
use crate::output::{Cell, Column, Format, ListOptions, human};
use crate::provider::feature::capability;
use crate::provider::services::{LogEvent, LogsQuery};
use crate::provider::{Feature, Need};
use crate::resolve::Target;
use clap::Args;
use futures_util::StreamExt;
use futures_util::stream::SelectAll;

const COLUMNS: &[Column<LogEntry>] = &[
    Column::new("TIME", "time", |e: &LogEntry| Cell::maybe(e.time.map(millis))),
    Column::new("SERVICE", "service", |e: &LogEntry| Cell::text(&e.service)),
    Column::new("MESSAGE", "message", |e: &LogEntry| Cell::text(&e.message)),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Following goes on across restarts of services and of the daemon, and picks up
services that start later.

Examples:
  esker svc logs web -n 50
  esker svc logs -f --since 10m
  esker svc logs web -f -o jsonl | jq -r .message")]
pub struct LogsArgs {
    /// Only these services
    #[arg(value_name = "NAME", add = complete::services())]
    names: Vec<String>,
    /// Go on with what comes
    #[arg(short, long)]
    follow: bool,
    /// The newest so many lines, or `all`
    #[arg(short = 'n', long, value_name = "N|all", default_value = "30", value_parser = parse_tail)]
    tail: Tail,
    /// Only lines written since: a duration ago, a date or RFC 3339
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Put the time before each line, also for one service
    #[arg(long)]
    timestamps: bool,
    /// Print the JSON of the provider's own CLI
    #[arg(long)]
    compat: bool,
}

/// How many lines.
#[derive(Clone, Copy, Debug)]
struct Tail(Option<u64>);

fn parse_tail(text: &str) -> std::result::Result<Tail, String> {
    match text {
        "all" => Ok(Tail(None)),
        number => number.parse().map(|n| Tail(Some(n))).map_err(|_| "expected a number or `all`".to_owned()),
    }
}

/// How a line is printed.
#[derive(Clone, Copy)]
enum Style {
    /// `TARGET | TIME [SERVICE] MESSAGE`, as much of it as tells something.
    Text { target: bool, prefix: bool },
    /// One event object per line.
    Events,
    /// As `pebble logs --format json` prints it.
    Compat,
}

/// Prints what services wrote, and what they write.
pub async fn run(ctx: &Ctx, args: LogsArgs) -> anyhow::Result<Outcome> {
    let since = args.since.as_deref().map(|text| human::parse_time(text, ctx.out.options().now())).transpose()?;
    let query = LogsQuery { services: args.names.clone(), tail: args.tail.0, since, follow: args.follow };
    let needs = vec![Need::new(Feature::Services, "svc logs"), Need::new(Feature::ServicesLogs, "svc logs")];
    let (targets, failed) = ctx.targets(&needs).await?;
    let whole = !args.follow && !args.compat && matches!(ctx.out.format(), Format::Json | Format::Yaml | Format::Csv);
    let style = match ctx.out.format() {
        _ if args.compat => Style::Compat,
        Format::Json | Format::Jsonl => Style::Events,
        Format::Yaml | Format::Csv | Format::Name | Format::Wide if args.follow => {
            return Err(Error::usage("`svc logs -f` has no end, so it prints text or JSON lines")
                .hint("use -o jsonl")
                .into());
        }
        _ => Style::Text { target: targets.len() > 1, prefix: args.timestamps || args.names.len() != 1 },
    };
    let mut failed = failed;
    let work = async {
        if whole {
            document(ctx, targets, &query, &mut failed).await
        } else {
            stream(ctx, targets, &query, style, &mut failed).await
        }
    };
    let done = super::within(ctx, "svc logs", work).await?;
    crate::cli::over::finish(failed, done)
}

/// Prints lines as they come, of every target; returns how many targets came to a good end.
async fn stream(
    ctx: &Ctx,
    targets: Vec<Target>,
    query: &LogsQuery,
    style: Style,
    failed: &mut Vec<Error>,
) -> anyhow::Result<usize> {
    let mut all = SelectAll::new();
    let count = targets.len();
    let mut broken = 0;
    for target in targets {
        let services = capability(&*target.place, |p| p.services(), Feature::Services, "svc logs")?;
        let events = services.logs(query.clone());
        all.push(events.map(move |event| (target.clone(), event)).boxed());
    }
    while let Some((target, event)) = all.next().await {
        match event {
            Ok(LogEvent::Entry(entry)) => print(ctx, &target, entry, style)?,
            Ok(LogEvent::Note(note)) => ctx.out.show(&note),
            Err(error) => {
                broken += 1;
                failed.push(error.at(target.provider.driver().id, &*target.full));
            }
        }
    }
    Ok(count - broken)
}

fn print(ctx: &Ctx, target: &Target, entry: LogEntry, style: Style) -> Result<()> {
    match style {
        Style::Text { target: several, prefix } => {
            let mut line = String::new();
            if several {
                line.push_str(&target.full);
                line.push_str(" | ");
            }
            if prefix {
                let time = entry.time.map_or_else(|| "-".to_owned(), millis);
                line.push_str(&time);
                line.push_str(" [");
                line.push_str(&entry.service);
                line.push_str("] ");
            }
            line.push_str(&entry.message);
            ctx.out.remote_line(&line)
        }
        Style::Events => ctx.out.event("log", &at(target, entry)),
        Style::Compat => {
            let time = entry.time.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), shortest);
            // Go escapes these two, which JavaScript takes for line ends.
            let text = |text: &str| {
                let json = serde_json::to_string(text).map_err(Error::internal)?;
                Ok::<_, Error>(json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"))
            };
            ctx.out.line(&format!(
                "{{\"time\":\"{time}\",\"service\":{},\"message\":{}}}",
                text(&entry.service)?,
                text(&entry.message)?
            ))
        }
    }
}

/// Milliseconds always, as logs are read in columns.
fn millis(time: crate::model::Time) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// No trailing zeros, as Go writes times.
fn shortest(time: crate::model::Time) -> String {
    time.to_string()
}

/// Prints one document of all lines; returns how many targets answered.
async fn document(
    ctx: &Ctx,
    targets: Vec<Target>,
    query: &LogsQuery,
    failed: &mut Vec<Error>,
) -> anyhow::Result<usize> {
    let mut rows: Vec<At<LogEntry>> = Vec::new();
    let mut done = 0;
    for target in targets {
        let services = capability(&*target.place, |p| p.services(), Feature::Services, "svc logs")?;
        let mut events = services.logs(query.clone());
        done += 1;
        while let Some(event) = events.next().await {
            match event {
                Ok(LogEvent::Entry(entry)) => rows.push(at(&target, entry)),
                Ok(LogEvent::Note(note)) => ctx.out.show(&note),
                Err(error) => {
                    done -= 1;
                    failed.push(error.at(target.provider.driver().id, &*target.full));
                    break;
                }
            }
        }
    }
    if done > 0 {
        ctx.out.list(&rows, COLUMNS, &ListOptions::default())?;
    }
    Ok(done)
}
