//! What becomes of containers: the events say that something happened, the list what (section 5.1).

use super::RexecMachines;
use super::events::Events;
use crate::error::Result;
use crate::model::Note;
use crate::provider::machines::{Inventory, MachineEvent, MachineQuery};
use crate::provider::retry::retrying;
use crate::stream::{self, Items};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How often all is asked for beside the events, which do not tell of every stop.
const BESIDE: Duration = Duration::from_secs(10);
/// How long after its end the socket is opened again.
const AGAIN: Duration = Duration::from_secs(1);
/// Events come in bursts: the list is asked for after them.
const SETTLES: Duration = Duration::from_millis(100);

struct Watch {
    machines: RexecMachines,
    query: MachineQuery,
    every: Duration,
    seen: Inventory,
    queue: VecDeque<MachineEvent>,
    events: Option<Events>,
    next_list: Instant,
    next_open: Instant,
    was_open: bool,
}

/// What there is, then every change.
pub(super) fn watch(machines: RexecMachines, query: MachineQuery, every: Option<Duration>) -> Items<MachineEvent> {
    let now = Instant::now();
    let state = Watch {
        machines,
        query,
        every: every.unwrap_or(BESIDE),
        seen: Inventory::default(),
        queue: VecDeque::new(),
        events: None,
        next_list: now,
        next_open: now,
        was_open: false,
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

impl Watch {
    async fn advance(&mut self) -> Result<()> {
        if self.events.is_none() && self.next_open <= Instant::now() {
            let client = &self.machines.client;
            self.events = Some(retrying(|| Events::open(client)).await?);
            if std::mem::replace(&mut self.was_open, true) {
                client.notes().say(Note::Reconnected { lost: None });
            }
            return self.list().await;
        }
        let event = async {
            match &mut self.events {
                Some(events) => events.next().await,
                None => {
                    sleep_until(self.next_open).await;
                    None
                }
            }
        };
        tokio::select! {
            event = event => match event {
                Some(event) if matches!(event.kind.as_str(), "list" | "agent_stats") => {}
                Some(_) => self.next_list = self.next_list.min(Instant::now() + SETTLES),
                None if self.events.take().is_some() => self.next_open = Instant::now() + AGAIN,
                None => {}
            },
            () = sleep_until(self.next_list) => self.list().await?,
        }
        Ok(())
    }

    async fn list(&mut self) -> Result<()> {
        let all = self.machines.all().await?.into_iter().filter(|machine| self.query.admits(machine)).collect();
        self.queue.extend(self.seen.replace(all));
        self.next_list = Instant::now() + self.every;
        Ok(())
    }
}
