//! One sprite: what it is called, what it is doing, and all that belongs to it.

use super::checkpoints::Checkpoints;
use super::disk::Disk;
use super::errors::{Answer, Refusal};
use super::exec::Sessions;
use super::freeze::Activity;
use super::policy::Policies;
use super::services::Services;
use super::tasks::Tasks;
use super::times;
use super::world::{CreateRequest, World};
use jiff::Timestamp;
use ring::rand::SecureRandom as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use tokio::task::AbortHandle;

/// A virtual machine, as far as a directory and some processes are one.
pub(super) struct Sprite {
    /// `sprite-` and a UUID.
    pub(super) id: String,
    /// Its name, for ever.
    pub(super) name: String,
    /// The organisation that it is of.
    pub(super) world: Weak<World>,
    /// Its exec sessions.
    pub(super) sessions: Sessions,
    /// Its services.
    pub(super) services: Services,
    /// Its checkpoints.
    pub(super) checkpoints: Checkpoints,
    /// Its policies.
    pub(super) policies: Policies,
    /// What keeps it awake from inside.
    pub(super) tasks: Tasks,
    /// What keeps it awake from outside.
    pub(super) activity: Activity,
    created: Timestamp,
    environment: BTreeMap<String, String>,
    config: Option<Value>,
    settings: Mutex<Settings>,
    state: Mutex<State>,
    disk: OnceLock<Disk>,
    /// What serves its own programs.
    inside: Mutex<Option<AbortHandle>>,
}

/// Who may use a sprite's URL.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct UrlSettings {
    #[serde(default = "sprite_only")]
    auth: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    private_access: Option<String>,
}

fn sprite_only() -> String {
    "sprite".to_owned()
}

impl UrlSettings {
    /// Refuses what the API refuses.
    pub(super) fn check(&self) -> Answer<()> {
        match self.auth.as_str() {
            "sprite" | "public" => Ok(()),
            _ => Err(Refusal::list(400, "invalid auth type, must be one of: sprite, public")),
        }
    }
}

/// What can be changed from outside.
struct Settings {
    url: UrlSettings,
    labels: Vec<String>,
    updated: Timestamp,
}

/// What `PUT` changes; what is absent stays.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct UpdateRequest {
    url_settings: Option<UrlSettings>,
    labels: Option<Vec<String>>,
    clear_labels: bool,
}

/// Whether it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// It runs.
    Running,
    /// It is frozen, its memory kept.
    Warm,
    /// It is off; only its disk is there.
    Cold,
}

struct State {
    status: Status,
    last_running: Option<Timestamp>,
    last_warming: Option<Timestamp>,
}

impl Sprite {
    /// A new one, cold and with an empty disk.
    pub(super) fn new(world: &Arc<World>, name: &str, request: CreateRequest) -> Arc<Self> {
        let now = Timestamp::now();
        Arc::new(Self {
            id: format!("sprite-{}", uuid()),
            name: name.to_owned(),
            world: Arc::downgrade(world),
            sessions: Sessions::default(),
            services: Services::default(),
            checkpoints: Checkpoints::new(now),
            policies: Policies::default(),
            tasks: Tasks::default(),
            activity: Activity::default(),
            created: now,
            environment: request.environment.unwrap_or_default().into_iter().collect(),
            config: request.config,
            settings: Mutex::new(Settings {
                url: request.url_settings.unwrap_or_else(|| UrlSettings { auth: sprite_only(), private_access: None }),
                labels: request.labels.unwrap_or_default(),
                updated: now,
            }),
            state: Mutex::new(State { status: Status::Cold, last_running: None, last_warming: None }),
            disk: OnceLock::new(),
            inside: Mutex::default(),
        })
    }

    /// Its disk, made when it is first asked for.
    pub(super) fn disk(&self) -> io::Result<&Disk> {
        if let Some(disk) = self.disk.get() {
            return Ok(disk);
        }
        let disk = Disk::create(&self.place().ok_or(io::ErrorKind::NotFound)?.join("disk"))?;
        super::checkpoints::save(&disk, "v0")?;
        Ok(self.disk.get_or_init(|| disk))
    }

    /// Where on this machine it is: named by the id, since a sprite of the same name may be made while this one goes.
    fn place(&self) -> Option<PathBuf> {
        Some(self.world.upgrade()?.dir.join(self.machine()))
    }

    /// The number of the machine that it runs on.
    pub(super) fn machine(&self) -> &str {
        &self.id[self.id.len() - 12..]
    }

    /// Serves its own programs, if it does not yet.
    pub(super) fn listen_inside(self: &Arc<Self>) -> io::Result<()> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.is_none() {
            *inside = Some(super::inside::listen(self)?);
        }
        Ok(())
    }

    /// The programs that were started in it and lead what they started.
    pub(super) fn leaders(&self) -> Vec<i32> {
        let mut leaders = self.sessions.leaders();
        leaders.extend(self.services.leaders());
        leaders
    }

    /// Ends what runs in it and removes its disk. It is no longer in the world.
    pub(super) async fn destroy(self: &Arc<Self>) -> io::Result<()> {
        self.stop_all().await;
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(inside) = inside {
            inside.abort();
        }
        let Some(place) = self.place().filter(|_| self.disk.get().is_some()) else { return Ok(()) };
        super::checkpoints::blocking(move || std::fs::remove_dir_all(place)).await
    }

    /// Its disk, if it was ever used.
    pub(super) fn known_disk(&self) -> Option<&Disk> {
        self.disk.get()
    }

    /// Whether it runs.
    pub(super) fn status(&self) -> Status {
        self.state().status
    }

    /// Notes that it runs, or no longer does, and tells who watches.
    pub(super) fn set_status(self: &Arc<Self>, status: Status) {
        {
            let mut state = self.state();
            if state.status == status {
                return;
            }
            state.status = status;
            match status {
                Status::Running => state.last_running = Some(Timestamp::now()),
                Status::Warm => state.last_warming = Some(Timestamp::now()),
                Status::Cold => {}
            }
        }
        if let Some(world) = self.world.upgrade() {
            world.tell(self);
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its own environment, as it was made with.
    pub(super) fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// Changes its settings.
    pub(super) fn update(&self, request: UpdateRequest) -> Answer<()> {
        if let Some(url) = &request.url_settings {
            url.check()?;
        }
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(url) = request.url_settings {
            settings.url = url;
        }
        if request.clear_labels {
            settings.labels.clear();
        } else if let Some(labels) = request.labels.filter(|labels| !labels.is_empty()) {
            settings.labels = labels;
        }
        settings.updated = Timestamp::now();
        Ok(())
    }

    /// As the API shows it.
    pub(super) fn to_json(&self) -> Value {
        let settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.state();
        let org = self.world.upgrade().map(|world| world.org.clone()).unwrap_or_default();
        let mut object = json!({
            "id": self.id,
            "name": self.name,
            "status": state.status.name(),
            "version": super::VERSION,
            "environment_version": null,
            "url": format!("https://{}-{org}.sprites.app", self.name),
            "organization": org,
            "url_settings": settings.url,
            "created_at": times::edge(self.created),
            "updated_at": times::edge(settings.updated),
            "last_running_at": state.last_running.map(times::edge),
            "last_warming_at": state.last_warming.map(times::edge),
        });
        if !settings.labels.is_empty() {
            object["labels"] = json!(settings.labels);
        }
        if !self.environment.is_empty() {
            object["environment"] = json!(self.environment);
        }
        if let Some(config) = &self.config {
            object["config"] = config.clone();
        }
        object
    }

    /// As a line of the state stream shows it.
    pub(super) fn to_state_line(&self, world: &World) -> Value {
        let state = self.state();
        let (status, running, warming) = (state.status, state.last_running, state.last_warming);
        drop(state);
        json!({
            "name": self.name,
            "status": status.name(),
            "running_version": super::VERSION,
            "last_running_at": running.map(times::edge),
            "last_warming_at": warming.map(times::edge),
            "timestamp": times::edge(Timestamp::now()),
            "org": world.summary(),
        })
    }
}

impl Status {
    /// As the API calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Warm => "warm",
            Self::Cold => "cold",
        }
    }
}

/// A random UUID, version 4.
pub(super) fn uuid() -> String {
    let mut bytes = [0u8; 16];
    ring::rand::SystemRandom::new().fill(&mut bytes).expect("a running system has random bytes");
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if [4, 6, 8, 10].contains(&at) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::world::tests::{make, world};
    use super::*;

    #[tokio::test]
    async fn an_empty_list_of_labels_changes_nothing_and_clear_does() {
        let (_dir, world) = world();
        let sprite = make(&world, "box");
        let update = |text: &str| sprite.update(serde_json::from_str(text).unwrap());
        assert!(update(r#"{"labels":["a","b"]}"#).is_ok());
        assert!(update(r#"{"labels":[]}"#).is_ok());
        assert_eq!(sprite.to_json()["labels"], json!(["a", "b"]));
        assert!(update(r#"{"clear_labels":true}"#).is_ok());
        assert_eq!(sprite.to_json().get("labels"), None);
        let bad = update(r#"{"url_settings":{"auth":"nobody"}}"#).err().unwrap();
        assert_eq!(bad.0.status, 400);
    }

    #[test]
    fn uuids_are_of_version_4_and_differ() {
        let uuid = uuid();
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
        assert_ne!(uuid, super::uuid());
    }
}
