//! Tasks: what a program inside registers so that its sprite is not frozen (section 2.12).

use super::errors::{Answer, Refusal};
use super::times;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a task may live without being renewed.
const MAX_EXPIRE: Duration = Duration::from_hours(1);

/// The most tasks of one sprite.
const MAX_TASKS: usize = 1000;

/// The tasks of a sprite.
#[derive(Default)]
pub(super) struct Tasks(Mutex<BTreeMap<String, Task>>);

struct Task {
    started: Timestamp,
    expires: Timestamp,
    until: Instant,
}

/// What makes or renews a task.
#[derive(Debug, Deserialize)]
pub(super) struct TaskRequest {
    #[serde(default)]
    name: String,
    expire: Value,
}

impl Tasks {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Task>> {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        tasks.retain(|_, task| task.until > now);
        tasks
    }

    /// Until when the last of them keeps the sprite awake.
    pub(super) fn until(&self) -> Option<Instant> {
        self.lock().values().map(|task| task.until).max()
    }

    /// Forgets all: the machine was restarted.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// `GET /v1/tasks`.
    pub(super) fn list(&self) -> Value {
        json!({ "tasks": self.lock().iter().map(|(name, task)| task.to_json(name)).collect::<Vec<_>>() })
    }

    /// `GET /v1/tasks/{name}`.
    pub(super) fn get(&self, name: &str) -> Answer<Value> {
        self.lock().get(name).map(|task| task.to_json(name)).ok_or_else(not_found)
    }

    /// `POST /v1/tasks`.
    pub(super) fn create(&self, request: &TaskRequest) -> Answer<Value> {
        if request.name.is_empty() {
            return Err(Refusal::json(400, "name is required"));
        }
        if self.lock().contains_key(&request.name) {
            return Err(Refusal::json(409, format!("task '{}' already exists", request.name)));
        }
        self.put(&request.name, request)
    }

    /// `PUT /v1/tasks/{name}`: makes it, or gives it more time.
    pub(super) fn put(&self, name: &str, request: &TaskRequest) -> Answer<Value> {
        let expire = expire(&request.expire).ok_or_else(|| {
            Refusal::json(400, "expire must be a number of seconds or a duration, more than 0 and at most 1h")
        })?;
        let mut tasks = self.lock();
        if tasks.len() >= MAX_TASKS {
            return Err(Refusal::json(400, "too many tasks"));
        }
        let now = Timestamp::now();
        let started = tasks.get(name).map_or(now, |task| task.started);
        let task = Task { started, expires: now + expire, until: Instant::now() + expire };
        let shown = task.to_json(name);
        tasks.insert(name.to_owned(), task);
        Ok(shown)
    }

    /// `DELETE /v1/tasks/{name}`.
    pub(super) fn delete(&self, name: &str) -> Answer<()> {
        self.lock().remove(name).map(|_| ()).ok_or_else(not_found)
    }
}

impl Task {
    fn to_json(&self, name: &str) -> Value {
        json!({ "name": name, "started_at": times::inside(self.started), "expires_at": times::inside(self.expires) })
    }
}

fn not_found() -> Refusal {
    Refusal::json(404, "task not found")
}

/// Whole seconds, or a duration as Go writes them.
fn expire(value: &Value) -> Option<Duration> {
    let expire = match value {
        Value::Number(seconds) => Duration::from_secs(seconds.as_u64()?),
        Value::String(text) => times::duration(text)?,
        _ => return None,
    };
    (!expire.is_zero() && expire <= MAX_EXPIRE).then_some(expire)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> TaskRequest {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_task_is_made_once_and_renewed_at_will() {
        let tasks = Tasks::default();
        assert!(tasks.until().is_none());
        assert!(tasks.create(&request(r#"{"name":"a","expire":60}"#)).is_ok());
        assert_eq!(tasks.create(&request(r#"{"name":"a","expire":60}"#)).err().unwrap().0.status, 409);
        let before = tasks.get("a").ok().unwrap();
        assert!(tasks.put("a", &request(r#"{"expire":"5m"}"#)).is_ok());
        let after = tasks.get("a").ok().unwrap();
        assert_eq!(before["started_at"], after["started_at"]);
        assert_ne!(before["expires_at"], after["expires_at"]);
        assert!(tasks.until().unwrap() > Instant::now() + Duration::from_mins(4));
        assert!(tasks.delete("a").is_ok());
        assert_eq!(tasks.delete("a").err().unwrap().0.status, 404);
        assert_eq!(tasks.list(), json!({ "tasks": [] }));
    }

    #[test]
    fn the_longest_task_lasts_an_hour() {
        for (value, fine) in [("3600", true), (r#""1h""#, true), ("3601", false), (r#""61m""#, false), ("0", false)] {
            assert_eq!(expire(&serde_json::from_str(value).unwrap()).is_some(), fine, "{value}");
        }
    }
}
