//! Snippets (section 3.7).

use super::access::User;
use super::errors::{Answer, Refusal, ok, said};
use super::world::{World, uuid};
use crate::transport::server::Request;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The snippets of a server.
#[derive(Default)]
pub(super) struct Snippets(Mutex<Vec<Value>>);

impl Snippets {
    fn lock(&self) -> MutexGuard<'_, Vec<Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one.
    pub(super) fn add(&self, user: &User, name: &str, content: &str, language: &str, description: &str) -> Value {
        let snippet = json!({
            "id": uuid(), "user_id": user.id, "username": user.username, "name": name, "content": content,
            "language": language, "is_public": false, "usage_count": 0, "description": description,
            "created_at": Timestamp::now(), "is_owner": true,
        });
        self.lock().push(snippet.clone());
        snippet
    }
}

/// Routes below `/api/snippets`.
pub(super) async fn route(world: &World, user: &User, rest: &[&str], mut request: Request) -> Answer {
    let none = || Refusal::coded(404, "snippet not found");
    let body = request.bytes(1 << 20).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let is = |snippet: &Value, id: &str| snippet["id"] == id && snippet["user_id"] == user.id.as_str();
    match (request.method.as_str(), rest) {
        ("GET", []) => {
            let own: Vec<Value> = world
                .snippets
                .lock()
                .iter()
                .filter(|snippet| snippet["user_id"] == user.id.as_str())
                .cloned()
                .collect();
            ok(&json!({ "count": own.len(), "snippets": own }))
        }
        ("GET", ["marketplace"]) => {
            let public: Vec<Value> =
                world.snippets.lock().iter().filter(|snippet| snippet["is_public"] == true).cloned().collect();
            ok(&json!({ "count": public.len(), "snippets": public }))
        }
        ("POST", []) => {
            if text("name").is_empty() || text("content").is_empty() {
                return Err(Refusal::coded(400, "name and content are required"));
            }
            let language = Some(text("language")).filter(|language| !language.is_empty());
            let language = language.unwrap_or_else(|| "bash".to_owned());
            said(201, &world.snippets.add(user, &text("name"), &text("content"), &language, &text("description")))
        }
        ("POST", [id, "use"]) => {
            let mut all = world.snippets.lock();
            let snippet = all.iter_mut().find(|snippet| snippet["id"] == *id).ok_or_else(none)?;
            snippet["usage_count"] = json!(snippet["usage_count"].as_u64().unwrap_or(0) + 1);
            ok(&json!({ "message": "usage recorded" }))
        }
        ("PUT", [id]) => {
            let mut all = world.snippets.lock();
            let snippet = all.iter_mut().find(|snippet| is(snippet, id)).ok_or_else(none)?;
            for key in ["name", "content", "language", "description"] {
                if !text(key).is_empty() {
                    snippet[key] = json!(text(key));
                }
            }
            ok(snippet)
        }
        ("DELETE", [id]) => {
            let mut all = world.snippets.lock();
            let before = all.len();
            all.retain(|snippet| !is(snippet, id));
            if all.len() == before { Err(none()) } else { ok(&json!({ "message": "snippet deleted" })) }
        }
        _ => Err(Refusal::no_route()),
    }
}
