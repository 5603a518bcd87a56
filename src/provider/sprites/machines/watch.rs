//! The state stream (section 2.2): it tells states and little else, so it stands on a list. The stream is opened
//! first: what happens while the list is read is not missed.

use super::convert::time;
use super::{SpritesMachines, path};
use crate::error::{ErrorKind, Result};
use crate::model::{Machine, Name, Note};
use crate::provider::machines::{Inventory, MachineEvent, MachineQuery};
use crate::provider::retry::{is_passing, retrying};
use crate::provider::sprites::api::{Sprite, StateLine};
use crate::stream::{self, Items};
use crate::transport::header::CONTENT_TYPE;
use crate::transport::query::Query;
use crate::transport::{Deadline, Request, ndjson};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

const NDJSON: &str = "application/x-ndjson";
/// A line of the stream is about one sandbox.
const LINE_LIMIT: usize = 1 << 20;
/// How often all is asked for beside a stream, which tells neither labels nor, for certain, an end.
const BESIDE: Duration = Duration::from_mins(1);
/// And where the server has no stream.
const ALONE: Duration = Duration::from_secs(2);
/// A stream that is silent for so long, without a heartbeat, is dead.
const SILENCE: Duration = Duration::from_mins(3);

struct Watch {
    machines: SpritesMachines,
    query: MachineQuery,
    every: Option<Duration>,
    seen: Inventory,
    queue: VecDeque<MachineEvent>,
    feed: Feed,
    next_list: Instant,
    /// Whether a stream was lost and is to be made again.
    lost: bool,
}

enum Feed {
    /// Not open yet, or lost.
    Closed,
    Lines(Items<Bytes>),
    /// The server has none.
    None,
}

/// What there is, then every change.
pub(super) fn watch(machines: SpritesMachines, query: MachineQuery, every: Option<Duration>) -> Items<MachineEvent> {
    let state = Watch {
        machines,
        query,
        every,
        seen: Inventory::default(),
        queue: VecDeque::new(),
        feed: Feed::Closed,
        next_list: Instant::now(),
        lost: false,
    };
    stream::unfold(state, |mut state| async move {
        loop {
            if let Some(event) = state.queue.pop_front() {
                return Ok(Some((event, state)));
            }
            state.advance().await?;
        }
    })
}

async fn open(machines: &SpritesMachines, prefix: &str) -> Result<Feed> {
    let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
    let mut request = Request::get(Query::new("/v1/sprites").maybe("prefix", prefix).build()).accept(NDJSON);
    request.idle = Deadline::After(SILENCE);
    let response = machines.0.open("watch sandboxes", request).await?;
    let is_stream = response.header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with(NDJSON));
    Ok(if is_stream { Feed::Lines(ndjson::lines(response.into_stream(), LINE_LIMIT)) } else { Feed::None })
}

impl Watch {
    async fn advance(&mut self) -> Result<()> {
        let lines = match &mut self.feed {
            Feed::Closed => {
                let (machines, prefix) = (self.machines.clone(), self.query.literal().to_owned());
                self.feed = retrying(|| open(&machines, &prefix)).await?;
                self.list().await?;
                if std::mem::take(&mut self.lost) {
                    self.machines.0.notes().say(Note::Reconnected { lost: None });
                }
                return Ok(());
            }
            Feed::None => {
                sleep_until(self.next_list).await;
                return self.list().await;
            }
            Feed::Lines(lines) => lines,
        };
        let line = tokio::select! {
            line = lines.next() => line,
            () = sleep_until(self.next_list) => return self.list().await,
        };
        match line {
            Some(Ok(line)) => self.take(&line).await,
            Some(Err(error)) if !is_passing(&error) && error.kind() != ErrorKind::Timeout => Err(error),
            // It ended or was lost. The list that follows shows what happened meanwhile.
            _ => {
                self.feed = Feed::Closed;
                self.lost = true;
                Ok(())
            }
        }
    }

    async fn list(&mut self) -> Result<()> {
        let all: Vec<Machine> = self.machines.all(self.query.literal()).try_collect().await?;
        let all = all.into_iter().filter(|machine| self.query.admits(machine)).collect();
        self.queue.extend(self.seen.replace(all));
        let every = if let Feed::None = self.feed { ALONE } else { BESIDE };
        self.next_list = Instant::now() + self.every.unwrap_or(every);
        Ok(())
    }

    /// One line of the stream.
    async fn take(&mut self, line: &[u8]) -> Result<()> {
        // What cannot be read, such as a blank line, is passed over: the next list makes up for it.
        let Ok(StateLine { r#type, name, status: Some(status), last_running_at }) = serde_json::from_slice(line) else {
            return Ok(());
        };
        if r#type.as_deref() == Some("heartbeat") || name.is_empty() {
            return Ok(());
        }
        let machine = match self.seen.get(&name) {
            Some(known) => Machine {
                status,
                last_active_at: last_running_at.as_deref().and_then(time).or(known.last_active_at),
                ..known.clone()
            },
            None => {
                let what = format!("find sandbox `{name}`");
                match self.machines.0.get::<Sprite>(&what, &path(&Name(name), "")).await {
                    Ok(sprite) => super::machine(sprite),
                    // It came and went.
                    Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
        };
        if self.query.admits(&machine) {
            self.queue.extend(self.seen.put(machine));
        }
        Ok(())
    }
}
