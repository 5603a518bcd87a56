//! `svc`: services, and what a service manager keeps around them.

pub mod act;
pub mod change;
pub mod check;
pub mod create;
pub mod health;
pub mod identity;
pub mod info;
pub mod layer;
pub mod list;
pub mod logs;
pub mod metrics;
pub mod notice;
pub mod plan;
pub mod show;
pub mod signal;
pub mod wait;
pub mod warning;

use super::Outcome;
use super::over::Gathered;
use super::tree::{Node, group, talk};
use crate::config::duration;
use crate::context::Ctx;
use crate::error::Error;
use crate::model::{At, Row};
use crate::output::{Column, ListOptions};
use crate::settings::Opt;
use crate::suggest::nearest;

/// The commands.
pub(super) static TREE: &[Node] = &[
    talk!("list", list::ListArgs, list::run, "List services").alias("ls"),
    talk!("show", show::ShowArgs, show::run, "Show a service with its configuration"),
    talk!("create", create::CreateArgs, create::create, "Create a service and start it"),
    talk!("delete", create::DeleteArgs, create::delete, "Stop services and forget them").alias("rm"),
    talk!("start", act::NamedArgs, act::start, "Start services and what they require"),
    talk!("stop", act::NamedArgs, act::stop, "Stop services and what requires them"),
    talk!("restart", act::NamedArgs, act::restart, "Restart services"),
    talk!("replan", act::WholeArgs, act::replan, "Apply a changed configuration"),
    talk!("autostart", act::WholeArgs, act::autostart, "Start every service that is enabled"),
    talk!("signal", signal::SignalArgs, signal::run, "Send a signal to services"),
    talk!("logs", logs::LogsArgs, logs::run, "Print what services wrote"),
    talk!("wait", wait::WaitArgs, wait::run, "Wait until services are in a state"),
    talk!("plan", plan::PlanArgs, plan::run, "Print the configuration in force"),
    group!("layer", "Layers of the configuration", layer::TREE),
    group!("check", "Health checks", check::TREE),
    talk!("health", health::HealthArgs, health::run, "Say whether it is healthy, also by exit code"),
    group!("change", "Changes: what was done and is being done", change::TREE),
    group!("notice", "Notices: what happened", notice::TREE),
    group!("identity", "Identities: who may do what", identity::TREE),
    group!("warning", "Warnings of the service manager", warning::TREE),
    talk!("metrics", metrics::MetricsArgs, metrics::run, "Print metrics"),
    talk!("info", info::InfoArgs, info::run, "Say which system answers, and its version"),
];

/// Keeps the rows that were asked for by name, all if none were. Returns the names that no target knows as errors: an
/// empty answer to a misspelt name would be a lie.
fn missing<T>(
    names: &[String],
    rows: &mut Vec<At<T>>,
    gathered: &Gathered<()>,
    noun: &str,
    name_of: impl Fn(&T) -> &String,
) -> Vec<Error> {
    if names.is_empty() {
        return Vec::new();
    }
    let place = match gathered.done.as_slice() {
        [] => return Vec::new(),
        [(target, ())] => format!(" on `{}`", target.full),
        _ => String::new(),
    };
    let known = || rows.iter().map(|row| name_of(&row.value).as_str());
    let unknown = names.iter().filter(|name| !known().any(|known| known == *name));
    let missing = unknown
        .map(|name| {
            let error = Error::not_found(format!("no {noun} `{name}`{place}"));
            match nearest(name, known()) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => {
                    error.hint(format!("`esker svc {}list` shows all", if noun == "check" { "check " } else { "" }))
                }
            }
        })
        .collect();
    rows.retain(|row| names.contains(name_of(&row.value)));
    missing
}

/// Prints what was asked for by name. Names that nobody knows are failures beside what was found, `known` of them.
fn list_named<R: Row>(
    ctx: &Ctx,
    rows: &[At<R>],
    columns: &[Column<R>],
    options: &ListOptions,
    mut gathered: Gathered<()>,
    missing: Vec<Error>,
    known: usize,
) -> anyhow::Result<Outcome> {
    if missing.is_empty() {
        return ctx.list(rows, columns, options, gathered);
    }
    if known > 0 {
        ctx.out.list(rows, columns, options)?;
    }
    gathered.failed.extend(missing);
    Err(Error::several(R::NOUN, gathered.failed, known).into())
}

/// Does what only reads and may have no end, within `--timeout`.
async fn within<T>(ctx: &Ctx, what: &str, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let Some(limit) = ctx.settings.duration(Opt::Timeout) else { return work.await };
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        Err(Error::timeout(format!("`{what}` gave up after {} (--timeout)", duration::show(limit))).into())
    })
}
