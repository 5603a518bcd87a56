//! Making a container: the server accepts, and works on by itself (section 3.2). Its record is asked for again and again,
//! and events tell how far it is and why it failed.

use super::RexecMachines;
use super::events::Events;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::{Machine, Note, Progress as Shown};
use crate::operation::Step;
use crate::provider::rexec::DRIVER;
use crate::provider::rexec::api::{Container, Progress};
use crate::provider::rexec::find::{all, is_docker_id, path};
use crate::stream::{self, Items};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};

/// How long it may take: a large image over a slow line.
const PATIENCE: Duration = Duration::from_mins(15);
/// Between two looks, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// How often a record that is gone is looked for: the server forgets pending ones at times.
const LOST: u32 = 3;

/// A creation that is watched.
pub(super) struct Watch {
    pub(super) machines: RexecMachines,
    /// The database's id.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) events: Option<Events>,
    /// Variables that its programs shall find.
    pub(super) env: Vec<(String, String)>,
    pub(super) labels: Vec<String>,
    /// Its place among those that are made at once.
    pub(super) slot: Option<OwnedSemaphorePermit>,
}

/// What is said, then the container as it is once it can be used.
pub(super) fn steps(watch: Watch) -> Items<Step<Machine>> {
    let state = State {
        watch,
        queue: VecDeque::new(),
        begun: Instant::now(),
        next: Instant::now() + PAUSE.0,
        pause: PAUSE.0,
        lost: 0,
        percent: 0,
        over: false,
    };
    stream::unfold(state, |mut state| async move {
        loop {
            if let Some(step) = state.queue.pop_front() {
                return Ok(Some((step, state)));
            }
            if state.over {
                return Ok(None);
            }
            state.advance().await.map_err(|error| error.effect(Effect::Done))?;
        }
    })
}

struct State {
    watch: Watch,
    queue: VecDeque<Step<Machine>>,
    begun: Instant,
    next: Instant,
    pause: Duration,
    lost: u32,
    /// The most that was told: the server's numbers go backwards.
    percent: u64,
    over: bool,
}

impl State {
    async fn advance(&mut self) -> Result<()> {
        let event = async {
            match &mut self.watch.events {
                Some(events) => events.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            event = event => match event {
                Some(event) => match event.progress().filter(|progress| progress.id == self.watch.id) {
                    Some(progress) => self.progress(progress),
                    None => Ok(()),
                },
                None => {
                    self.watch.events = None;
                    Ok(())
                }
            },
            () = sleep_until(self.next) => self.look().await,
        }
    }

    fn progress(&mut self, progress: Progress) -> Result<()> {
        if let Some(why) = progress.error.filter(|why| !why.is_empty()) {
            return Err(self.failed(&why));
        }
        self.percent = self.percent.max(progress.progress.min(100));
        let words = if progress.message.is_empty() { &progress.stage } else { &progress.message };
        let label = format!("container `{}`: {words}", self.watch.name);
        let shown = Shown { label, done: Some(self.percent), total: Some(100), log: None };
        self.queue.push_back(Step::Progress(shown));
        if progress.complete {
            // The record is the proof, and it is there by now.
            self.next = Instant::now();
        }
        Ok(())
    }

    async fn look(&mut self) -> Result<()> {
        self.pause = (self.pause * 3 / 2).min(PAUSE.1);
        self.next = Instant::now() + self.pause;
        let client = self.watch.machines.client.clone();
        let what = format!("create container `{}`", self.watch.name);
        match client.get::<Container>(&what, &path(&self.watch.id, "")).await {
            Ok(container) => {
                self.lost = 0;
                match container.status.as_str() {
                    "running" if is_docker_id(&container.id) => return self.finish(container).await,
                    "error" => return Err(self.why().await),
                    _ => {}
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.lost += 1;
                if self.lost >= LOST {
                    return self.gone().await;
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::TryLater | ErrorKind::Unreachable) => {}
            Err(error) => return Err(error),
        }
        if self.begun.elapsed() > PATIENCE {
            let why = format!("it is not ready after {} minutes", PATIENCE.as_secs() / 60);
            return Err(Error::timeout(client.cannot(&what, &why)).at(DRIVER.id, client.endpoint()));
        }
        Ok(())
    }

    async fn finish(&mut self, container: Container) -> Result<()> {
        let machines = &self.watch.machines;
        if !self.watch.env.is_empty() {
            machines.set_environment(&container, &self.watch.env).await?;
        }
        machines.labels.set(&self.watch.id, &self.watch.labels)?;
        let machine = machines.machine(container);
        self.queue.push_back(Step::Done(machine));
        self.over = true;
        self.watch.slot = None;
        Ok(())
    }

    /// The record says only that it failed; the event that says why may be on its way.
    async fn why(&mut self) -> Error {
        let told = async {
            let events = self.watch.events.as_mut()?;
            loop {
                let progress = events.next().await?.progress();
                if let Some(error) = progress.filter(|p| p.id == self.watch.id).and_then(|p| p.error) {
                    return Some(error);
                }
            }
        };
        let told = tokio::time::timeout(Duration::from_secs(1), told).await.ok().flatten();
        self.failed(told.as_deref().unwrap_or("the server does not say why"))
    }

    fn failed(&self, why: &str) -> Error {
        let client = &self.watch.machines.client;
        let what = format!("create container `{}`", self.watch.name);
        Error::failure(client.cannot(&what, why)).at(DRIVER.id, client.endpoint())
    }

    /// The record is gone. The container may have come up all the same, under another record or under none.
    async fn gone(&mut self) -> Result<()> {
        let client = self.watch.machines.client.clone();
        if let Some(other) = all(&client).await?.into_iter().find(|other| other.name == self.watch.name) {
            self.queue.push_back(Step::Note(Note::Gap(format!(
                "the server lost the record of container `{}` and has another one of that name",
                self.watch.name
            ))));
            self.watch.id = other.db_id;
            self.lost = 0;
            return Ok(());
        }
        Err(self.failed("the server lost its record while it was made").hint(format!(
            "make it again: esker vm create {}/{}",
            client.endpoint(),
            self.watch.name
        )))
    }
}
