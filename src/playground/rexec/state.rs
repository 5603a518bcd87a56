//! A container: a record in the database, and, once it was made, what Docker has of it.

use super::disk::Disk;
use super::images::Shells;
use crate::host::process::Running;
use crate::playground::processes;
use crate::provider::rexec::api::Resources;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// A container.
pub(super) struct Container {
    /// The database's id.
    pub(super) db_id: String,
    /// Whose it is.
    pub(super) user_id: String,
    /// What it was made of.
    pub(super) image: String,
    /// What was to be installed.
    pub(super) role: String,
    /// The programs that it does without.
    pub(super) without: Vec<&'static str>,
    /// What `/bin/sh` is, if not what its image has.
    pub(super) sh: Option<&'static str>,
    /// Whether terminals need a second factor.
    pub(super) mfa_locked: AtomicBool,
    created: Timestamp,
    state: Mutex<State>,
    /// Changes whenever the container behind the record is another one.
    generation: watch::Sender<u64>,
    /// How many terminals it has had: the first comes before the shells were looked for (section 4.4).
    terminals: AtomicU32,
}

/// What changes of a container.
pub(super) struct State {
    pub(super) name: String,
    pub(super) status: &'static str,
    pub(super) docker_id: Option<String>,
    pub(super) resources: Resources,
    pub(super) disk: Option<Arc<Disk>>,
    pub(super) running: Vec<Running>,
    pub(super) last_used: Timestamp,
}

impl Container {
    pub(super) fn new(
        name: String,
        user_id: String,
        image: String,
        role: String,
        resources: Resources,
        without: Vec<&'static str>,
    ) -> Self {
        let now = Timestamp::now();
        let state = State {
            name,
            status: "creating",
            docker_id: None,
            resources,
            disk: None,
            running: Vec::new(),
            last_used: now,
        };
        Self {
            db_id: super::world::uuid(),
            user_id,
            image,
            role,
            without,
            sh: None,
            mfa_locked: AtomicBool::new(false),
            created: now,
            state: Mutex::new(state),
            generation: watch::Sender::new(0),
            terminals: AtomicU32::new(0),
        }
    }

    /// What changes of it.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its name.
    pub(super) fn name(&self) -> String {
        self.state().name.clone()
    }

    /// Its status.
    pub(super) fn status(&self) -> &'static str {
        self.state().status
    }

    /// Its files, once it was made.
    pub(super) fn disk(&self) -> Option<Arc<Disk>> {
        self.state().disk.clone()
    }

    /// The shells of its image.
    pub(super) fn shells(&self) -> Shells {
        let shells = Shells::of(&self.image);
        Shells { sh: self.sh.unwrap_or(shells.sh), ..shells }
    }

    /// Whether this is the first terminal.
    pub(super) fn is_first_terminal(&self) -> bool {
        self.terminals.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// Tells when there is another container behind the record.
    pub(super) fn generation(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// There is another container behind the record now, or none.
    pub(super) fn renew(&self) {
        self.generation.send_modify(|generation| *generation += 1);
    }

    /// Remembers a program that was started in it.
    pub(super) fn add(&self, running: Running) {
        let mut state = self.state();
        state.running.retain(|running| running.exit().is_none() || running.has_group());
        state.running.push(running);
        state.last_used = Timestamp::now();
    }

    /// Ends everything that runs in it.
    pub(super) async fn kill(&self) {
        let (disk, leaders) = {
            let mut state = self.state();
            let running = std::mem::take(&mut state.running);
            (state.disk.clone(), running.iter().map(Running::pid).collect::<Vec<_>>())
        };
        if let Some(disk) = disk {
            processes::kill_all(disk.view(), &leaders).await;
        }
    }

    /// As a list has it; `GET` of one adds where it is.
    pub(super) fn to_json(&self, alone: bool) -> Value {
        let state = self.state();
        let mut object = json!({
            "id": state.docker_id.as_deref().unwrap_or(&self.db_id),
            "db_id": self.db_id,
            "user_id": self.user_id,
            "name": state.name,
            "image": self.image,
            "status": state.status,
            "created_at": self.created.to_string(),
            "last_used_at": state.last_used.to_string(),
            "mfa_locked": self.mfa_locked.load(Ordering::Relaxed),
            "resources": state.resources,
        });
        if !alone {
            object["role"] = json!(self.role);
            object["idle_seconds"] = json!(idle(state.last_used));
        } else if state.status == "running" {
            object["ip_address"] = json!("127.0.0.1");
            object["idle_seconds"] = json!(idle(state.last_used));
        }
        object
    }
}

fn idle(since: Timestamp) -> i64 {
    Timestamp::now().as_second() - since.as_second()
}
