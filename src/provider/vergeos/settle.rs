//! Waiting until something has come to its end. No request has an id: the row itself is looked at (section 2.7).

use super::api::text;
use super::client::Client;
use super::rows::Select;
use super::tables::{Def, Settle};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Progress;
use crate::operation::Step;
use crate::provider::machines::Row;
use crate::stream::{self, Items};
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The first pause between two looks, and the longest.
const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(2);
/// How long a sign that something has begun is waited for, where it ends as it began.
const UNSEEN: Duration = Duration::from_secs(10);

/// The pauses between looks: growing, so that what is quick is seen quickly.
pub(super) struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(Duration::ZERO)
    }
}

impl Pauses {
    /// Waits for the next look; the first is at once.
    pub(super) async fn next(&mut self) {
        if !self.0.is_zero() {
            sleep(self.0).await;
        }
        self.0 = (self.0 * 3 / 2).clamp(FIRST, LONGEST);
    }
}

/// What is looked at.
#[derive(Clone)]
pub(super) struct Watch {
    pub(super) client: Client,
    pub(super) def: &'static Def,
    pub(super) settle: Settle,
    /// Which row.
    pub(super) filter: String,
    /// What is done, for messages: "start network `x`".
    pub(super) what: String,
    /// What the column by which a beginning is seen read before.
    pub(super) before: Option<Value>,
}

/// One look at a row.
struct Look {
    reads: String,
    began: Option<Value>,
}

impl Watch {
    fn select(&self) -> Select {
        let began =
            if self.settle.begins.is_empty() { String::new() } else { format!(",{} as began", self.settle.begins) };
        let fields = format!("$key,{} as reads{began}", self.settle.column);
        Select::new(self.def.name(), &fields).filter(self.filter.clone()).limit(1)
    }

    async fn look(&self) -> Result<Option<Look>> {
        let row: Option<Row> = self.client.row(&self.what, &self.select()).await?;
        Ok(row.map(|row| Look {
            reads: row.get("reads").and_then(text).unwrap_or_default(),
            began: row.get("began").cloned(),
        }))
    }

    /// Remembers how things are before something is done, where that is how its end looks, too.
    pub(super) async fn prepared(mut self) -> Result<Self> {
        if !self.settle.begins.is_empty() {
            self.before = self.look().await?.and_then(|look| look.began);
        }
        Ok(self)
    }

    /// The steps until the end. A row that goes away meanwhile has come to its end, too.
    pub(super) fn steps(self) -> Items<Step<()>> {
        struct State {
            watch: Watch,
            pauses: Pauses,
            begun: Instant,
            /// What it read last.
            last: Option<String>,
            /// Whether it was seen to have begun.
            is_seen: bool,
            is_done: bool,
        }
        let is_seen = self.settle.begins.is_empty();
        let state = State {
            watch: self,
            pauses: Pauses::default(),
            begun: Instant::now(),
            last: None,
            is_seen,
            is_done: false,
        };
        stream::unfold(state, |mut state| async move {
            if state.is_done {
                return Ok(None);
            }
            loop {
                state.pauses.next().await;
                let Some(look) = state.watch.look().await? else {
                    state.is_done = true;
                    return Ok(Some((Step::Done(()), state)));
                };
                let settle = state.watch.settle;
                let among = |words: &str| words.split_whitespace().any(|word| word == look.reads);
                if among(settle.fails) {
                    return Err(state.watch.failed(&look.reads));
                }
                state.is_seen |= look.began != state.watch.before || !among(settle.until);
                let is_overdue = state.begun.elapsed() > UNSEEN;
                if among(settle.until) && (state.is_seen || is_overdue) {
                    state.is_done = true;
                    return Ok(Some((Step::Done(()), state)));
                }
                if state.last.as_deref() != Some(&look.reads) {
                    state.last = Some(look.reads.clone());
                    let label = if look.reads.is_empty() { "not begun".to_owned() } else { look.reads };
                    return Ok(Some((Step::Progress(Progress { label, ..Progress::default() }), state)));
                }
            }
        })
    }

    fn failed(&self, reads: &str) -> Error {
        self.client.error(ErrorKind::Failure, &self.what, &format!("it is `{reads}` now"))
    }
}
