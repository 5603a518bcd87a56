//! Everything that a server knows.

use super::access::User;
use super::agents::Agents;
use super::errors::{Answer, Refusal};
use super::forwards::Forwards;
use super::limits::Limits;
use super::recordings::Recordings;
use super::snippets::Snippets;
use super::state::Container;
use super::times::Options;
use crate::host::process::Processes;
use crate::playground::fault::Plan;
use crate::transport::nonce;
use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, broadcast};

/// How many creations run at once; the rest waits (section 3.2).
const CREATIONS: usize = 4;

/// The least of a Docker id that names a container.
const PREFIX: usize = 12;

/// A server.
pub(super) struct World {
    pub(super) dir: PathBuf,
    /// The token that was made up for whoever uses the playground.
    pub(super) token: String,
    pub(super) processes: Processes,
    pub(super) faults: Plan,
    pub(super) options: Options,
    pub(super) limits: Limits,
    pub(super) users: Mutex<HashMap<String, User>>,
    pub(super) forwards: Forwards,
    pub(super) snippets: Snippets,
    pub(super) recordings: Recordings,
    pub(super) agents: Agents,
    pub(super) creations: Semaphore,
    containers: Mutex<Vec<Arc<Container>>>,
    events: broadcast::Sender<Event>,
}

/// What the events socket tells one user.
#[derive(Clone)]
pub(super) struct Event {
    pub(super) user_id: String,
    pub(super) kind: &'static str,
    pub(super) container: Value,
}

impl World {
    pub(super) fn new(dir: PathBuf, processes: Processes, faults: Plan, options: Options) -> Arc<Self> {
        let token = format!("rexec_{}{}", nonce(), nonce());
        let users = HashMap::from([(token.clone(), User::owner())]);
        let (events, _) = broadcast::channel(1024);
        Arc::new(Self {
            dir,
            token,
            processes,
            faults,
            options,
            limits: Limits::default(),
            users: Mutex::new(users),
            forwards: Forwards::default(),
            snippets: Snippets::default(),
            recordings: Recordings::default(),
            agents: Agents::default(),
            creations: Semaphore::new(CREATIONS),
            containers: Mutex::default(),
            events,
        })
    }

    pub(super) fn containers(&self) -> MutexGuard<'_, Vec<Arc<Container>>> {
        self.containers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of a user, newest first.
    pub(super) fn of(&self, user: &User) -> Vec<Arc<Container>> {
        self.containers().iter().rev().filter(|container| container.user_id == user.id).cloned().collect()
    }

    /// By the database's id or the whole Docker id, which `GET`, `PATCH` and `DELETE` take.
    pub(super) fn by_any_id(&self, user: &User, id: &str) -> Answer<Arc<Container>> {
        let found = self.of(user).into_iter();
        let mut found = found.filter(|found| found.db_id == id || found.state().docker_id.as_deref() == Some(id));
        found.next().ok_or_else(Refusal::no_container)
    }

    /// By the Docker id or twelve digits of it, which is all that `start`, `stop` and files take.
    pub(super) fn by_docker_id(&self, user: &User, id: &str) -> Answer<Arc<Container>> {
        let is = |found: &Arc<Container>| {
            let state = found.state();
            state.docker_id.as_deref().is_some_and(|whole| whole == id || id.len() >= PREFIX && whole.starts_with(id))
        };
        let found = self.containers().iter().find(|found| is(found)).cloned().ok_or_else(Refusal::no_container)?;
        if found.user_id == user.id { Ok(found) } else { Err(Refusal::new(403, "access denied")) }
    }

    /// Takes a container out of the records.
    pub(super) fn forget(&self, container: &Container) {
        self.containers().retain(|other| other.db_id != container.db_id);
    }

    /// Tells whoever listens for this user.
    pub(super) fn tell(&self, user_id: &str, kind: &'static str, container: Value) {
        // Nobody may be listening.
        let _ = self.events.send(Event { user_id: user_id.to_owned(), kind, container });
    }

    /// What is told from now on.
    pub(super) fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }
}

/// A random UUID.
pub(super) fn uuid() -> String {
    let digits = nonce();
    format!("{}-{}-4{}-a{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..])
}

/// A Docker id.
pub(super) fn docker_id() -> String {
    nonce() + &nonce()
}
