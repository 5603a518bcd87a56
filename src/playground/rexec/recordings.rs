//! Recordings of terminals (section 3.8), with a header that is not quite asciicast.

use super::access::User;
use super::errors::{Answer, Refusal, ok};
use super::world::{World, uuid};
use crate::transport::StatusCode;
use crate::transport::server::{Request, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What is recorded: input too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Output,
    Input,
    Resize,
}

struct Recording {
    id: String,
    user_id: String,
    container: String,
    title: String,
    created: Timestamp,
    begun: Instant,
    /// How long it is, once it was stopped.
    duration_ms: Option<u128>,
    events: Vec<(f64, Kind, String)>,
    public: bool,
}

/// The recordings of a server.
#[derive(Default)]
pub(super) struct Recordings(Mutex<Vec<Recording>>);

impl Recordings {
    fn lock(&self) -> MutexGuard<'_, Vec<Recording>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to the recording of a container, if one is under way.
    pub(super) fn record(&self, container: &str, kind: Kind, text: &str) {
        let mut all = self.lock();
        if let Some(recording) = all.iter_mut().find(|one| one.container == container && one.duration_ms.is_none()) {
            let at = recording.begun.elapsed().as_secs_f64();
            recording.events.push((at, kind, text.to_owned()));
        }
    }
}

impl Recording {
    fn cast(&self) -> String {
        // A time where asciicast has a number, and always the same size.
        let head = json!({ "version": 2, "width": 120, "height": 30, "timestamp": self.created, "title": self.title });
        let mut text = format!("{head}\n");
        for (at, kind, data) in &self.events {
            let kind = match kind {
                Kind::Output => "o",
                Kind::Input => "i",
                Kind::Resize => "r",
            };
            text.push_str(&json!([at, kind, data]).to_string());
            text.push('\n');
        }
        text
    }

    fn to_json(&self) -> Value {
        json!({
            "id": self.id, "container_id": self.container, "title": self.title, "created_at": self.created,
            "duration_ms": self.duration_ms.map_or(0, |ms| u64::try_from(ms).unwrap_or(u64::MAX)), "size_bytes": self.cast().len(),
            "events_count": self.events.len(), "is_public": self.public, "storage_type": "local",
        })
    }
}

/// Routes below `/api/recordings`.
pub(super) async fn route(world: &World, user: &User, rest: &[&str], mut request: Request) -> Answer {
    let none = || Refusal::new(404, "recording not found");
    let body = request.bytes(1 << 16).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let container = |id: &str| world.by_any_id(user, id).map(|container| container.db_id.clone());
    let mut all = world.recordings.lock();
    let live = |one: &Recording, id: &str| one.container == id && one.duration_ms.is_none();
    match (request.method.as_str(), rest) {
        ("GET", []) => {
            let own: Vec<Value> = all.iter().filter(|one| one.user_id == user.id).map(Recording::to_json).collect();
            ok(&json!({ "recordings": if own.is_empty() { Value::Null } else { own.into() } }))
        }
        ("POST", ["start"]) => {
            let id = container(body["container_id"].as_str().unwrap_or_default())?;
            if all.iter().any(|one| live(one, &id)) {
                return Err(Refusal::new(409, "recording already in progress"));
            }
            let title = body["title"].as_str().unwrap_or("recording").to_owned();
            let recording = Recording {
                id: uuid(),
                user_id: user.id.clone(),
                container: id,
                title,
                created: Timestamp::now(),
                begun: Instant::now(),
                duration_ms: None,
                events: Vec::new(),
                public: false,
            };
            let said = json!({ "recording_id": recording.id, "started_at": recording.created,
                "container_id": recording.container, "message": "recording started" });
            all.push(recording);
            ok(&said)
        }
        ("POST", ["stop", id]) => {
            let id = container(id)?;
            let one = all.iter_mut().find(|one| live(one, &id)).ok_or_else(none)?;
            one.duration_ms = Some(one.begun.elapsed().as_millis());
            let mut said = one.to_json();
            said["recording_id"] = said["id"].take();
            said["share_token"] = json!(uuid());
            said["message"] = json!("recording stopped");
            ok(&said)
        }
        ("GET", ["status", id]) => {
            let id = container(id)?;
            ok(&match all.iter().find(|one| live(one, &id)) {
                None => json!({ "recording": false }),
                Some(one) => json!({ "recording": true, "recording_id": one.id, "started_at": one.created,
                    "duration_ms": u64::try_from(one.begun.elapsed().as_millis()).unwrap_or(u64::MAX), "events_count": one.events.len() }),
            })
        }
        (method, [id, tail @ ..]) => {
            let at = all.iter().position(|one| one.id == *id && one.user_id == user.id).ok_or_else(none)?;
            match (method, tail) {
                ("GET", []) => ok(&all[at].to_json()),
                ("GET", ["stream"]) => {
                    Ok(Response::bytes(StatusCode::OK, "application/x-asciicast", all[at].cast()).into())
                }
                ("PATCH", []) => {
                    all[at].public = body["is_public"].as_bool().unwrap_or(false);
                    ok(&json!({ "message": "recording updated" }))
                }
                ("DELETE", []) => {
                    all.remove(at);
                    ok(&json!({ "message": "recording deleted" }))
                }
                _ => Err(Refusal::no_route()),
            }
        }
        _ => Err(Refusal::no_route()),
    }
}
