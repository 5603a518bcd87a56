//! What the commands about lasting sessions share: where those are, and how one is reached.

use crate::context::Ctx;
use crate::error::Result;
use crate::model::{At, LiveSession};
use crate::output::{Cell, Column};
use crate::provider::registry::driver;
use crate::supervisor::{Client, Places};
use serde_json::Value;

/// The columns of a session.
pub(super) const COLUMNS: &[Column<LiveSession>] = &[
    Column::new("NAME", "name", |s: &LiveSession| Cell::text(&s.name)),
    Column::new("STATE", "state", |s: &LiveSession| Cell::state(&s.state)),
    Column::new("AGENT", "agent", |s: &LiveSession| Cell::text(&s.agent.agent)),
    Column::new("MODEL", "model", |s: &LiveSession| Cell::maybe(s.agent.model.as_deref())),
    Column::new("TURNS", "turns", |s: &LiveSession| Cell::count(s.turns)),
    Column::new("ACTIVE", "active_at", |s: &LiveSession| Cell::Time(Some(s.active_at))),
    Column::new("DIRECTORY", "cwd", |s: &LiveSession| Cell::maybe(s.agent.cwd.as_deref())).elastic(),
    Column::new("QUESTIONS", "questions", |s: &LiveSession| Cell::count(s.questions.len() as u64)).wide(),
    Column::new("TOKENS", "usage", |s: &LiveSession| Cell::count(s.usage.total_tokens)).wide(),
    Column::new("STARTED", "started_at", |s: &LiveSession| Cell::Time(Some(s.started_at))).wide(),
    Column::new("ENDED", "ended", |s: &LiveSession| Cell::maybe(s.ended.as_deref())).wide(),
];

/// Where sessions are.
pub(super) fn places(ctx: &Ctx) -> Result<Places> {
    Places::find(ctx.dirs.state.as_deref(), &|name| crate::context::var(name).map(Into::into))
}

/// The way to a session that is there.
pub(super) fn client(ctx: &Ctx, name: &str) -> Result<Client> {
    let places = places(ctx)?;
    places.known(name)?;
    Ok(Client::new(name, places.socket(name)))
}

/// A session as it is: by itself if it runs, by what it left otherwise.
pub(super) async fn look(places: &Places, name: &str) -> Option<LiveSession> {
    match Client::new(name, places.socket(name)).show().await {
        Ok(live) => Some(live),
        Err(_) => places.remembered(name),
    }
}

/// A row of it.
pub(super) fn row<T>(live: &LiveSession, value: T) -> At<T> {
    let provider = driver(&live.agent.agent).map_or("pi", |driver| driver.id);
    At { provider, target: live.endpoint.clone(), value }
}

/// Prints what the agent answered to a command, where there is something to print.
pub(super) fn print(ctx: &Ctx, live: &LiveSession, sentence: &str, data: &Value) -> Result<()> {
    ctx.out.done(sentence);
    if ctx.out.is_structured() {
        return ctx.out.one(&row(live, live.clone()), COLUMNS);
    }
    if !data.is_null() {
        ctx.out.info(&data.to_string());
    }
    Ok(())
}
