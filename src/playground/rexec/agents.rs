//! Registered agents (sections 3.10, 4.9 and 4.10): machines that connect to the server, which passes terminals on.
//!
//! An agent of this simulator is a socket of whoever plays one; there is none by itself.

use super::access::User;
use super::errors::{Answer, Refusal, ok, said};
use super::terminal::protocol;
use super::world::{World, uuid};
use crate::transport::server::{Message, Reply, Request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

struct Agent {
    id: String,
    user_id: String,
    name: String,
    fields: Value,
    created: Timestamp,
    /// What goes to it, while it is connected.
    socket: Option<mpsc::UnboundedSender<Value>>,
    /// Who looks at its shells, by session.
    viewers: HashMap<String, Vec<mpsc::UnboundedSender<Value>>>,
}

/// The agents of a server.
#[derive(Default)]
pub(super) struct Agents(Mutex<Vec<Agent>>);

impl Agent {
    fn status(&self) -> &'static str {
        if self.socket.is_some() { "online" } else { "offline" }
    }

    fn to_json(&self) -> Value {
        let text = |key: &str| self.fields[key].as_str().unwrap_or_default().to_owned();
        json!({
            "id": self.id, "user_id": self.user_id, "name": self.name, "description": text("description"),
            "os": text("os"), "arch": text("arch"), "shell": text("shell"), "status": self.status(),
            "mfa_locked": false, "created_at": self.created, "updated_at": self.created,
        })
    }
}

impl Agents {
    fn lock(&self) -> MutexGuard<'_, Vec<Agent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As the list of containers has them.
    pub(super) fn as_containers(&self, user: &User) -> Vec<Value> {
        let all = self.lock();
        let own = all.iter().filter(|agent| agent.user_id == user.id);
        own.map(|agent| {
            let mut item = agent.to_json();
            item["id"] = json!(format!("agent:{}", agent.id));
            item["image"] = json!("agent");
            item["session_type"] = json!("agent");
            item["last_used_at"] = json!(agent.created);
            item["resources"] = json!({ "memory_mb": 0, "cpu_shares": 0, "disk_mb": 0 });
            item["status"] = json!(if agent.socket.is_some() { "running" } else { "offline" });
            item
        })
        .collect()
    }

    /// Does something to an agent of `user`.
    fn with<T>(&self, user: &User, id: &str, work: impl FnOnce(&mut Agent) -> T) -> Answer<T> {
        let mut all = self.lock();
        let agent = all.iter_mut().find(|agent| agent.id == id && agent.user_id == user.id);
        agent.map(work).ok_or_else(|| Refusal::new(404, "agent not found"))
    }

    /// Forgets an agent, or only lets it go.
    pub(super) fn remove(&self, user: &User, id: &str) -> Answer<()> {
        self.with(user, id, |_| ())?;
        self.lock().retain(|agent| agent.id != id);
        Ok(())
    }

    pub(super) fn disconnect(&self, user: &User, id: &str) -> Answer<()> {
        self.with(user, id, |agent| agent.socket = None)
    }
}

/// Routes below `/api/agents`.
pub(super) async fn route(world: &World, user: &User, rest: &[&str], mut request: Request) -> Answer {
    let body = request.bytes(1 << 16).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    match (request.method.as_str(), rest) {
        ("POST", ["register"]) => {
            let name = body["name"].as_str().filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| Refusal::new(400, "name is required"))?.to_owned();
            let agent = Agent {
                id: uuid(),
                user_id: user.id.clone(),
                name: name.clone(),
                fields: body,
                created: Timestamp::now(),
                socket: None,
                viewers: HashMap::new(),
            };
            let id = agent.id.clone();
            world.agents.lock().push(agent);
            said(201, &json!({ "id": id, "name": name, "token": world.issue_api(user) }))
        }
        // A bare array, and `null` for none.
        ("GET", []) => {
            let all = world.agents.lock();
            let own: Vec<Value> = all.iter().filter(|agent| agent.user_id == user.id).map(Agent::to_json).collect();
            ok(&if own.is_empty() { Value::Null } else { own.into() })
        }
        ("GET", [id]) => ok(&world.agents.with(user, id, |agent| agent.to_json())?),
        ("GET", [id, "status"]) => ok(&world.agents.with(user, id, |agent| json!({ "status": agent.status() }))?),
        ("DELETE", [id]) => {
            world.agents.remove(user, id)?;
            ok(&json!({ "message": "agent deleted" }))
        }
        _ => Err(Refusal::no_route()),
    }
}

/// `GET /ws/agent/ID`: an agent connects.
pub(super) fn connect(world: &Arc<World>, user: &User, id: &str, request: &Request) -> Answer {
    world.agents.with(user, id, |_| ())?;
    let (world, user, id) = (Arc::clone(world), user.clone(), id.to_owned());
    Ok(Reply::websocket(protocol(request), move |socket| async move {
        let (mut sink, mut stream) = socket.split();
        let (sender, mut receiver) = mpsc::unbounded_channel::<Value>();
        // One that was deleted meanwhile has nothing to say.
        let _ = world.agents.with(&user, &id, |agent| agent.socket = Some(sender));
        world.tell(&user.id, "agent_connected", json!({ "id": format!("agent:{id}") }));
        loop {
            tokio::select! {
                message = receiver.recv() => match message {
                    Some(message) if sink.text(message.to_string()).await => {}
                    _ => break,
                },
                message = stream.next() => match message {
                    Some(Message::Text(text)) => heard(&world, &user, &id, &text),
                    Some(Message::Close { .. } | Message::Eof) | None => break,
                    Some(_) => {}
                },
            }
        }
        let _ = world.agents.with(&user, &id, |agent| {
            agent.socket = None;
            agent.viewers.clear();
        });
        world.tell(&user.id, "agent_disconnected", json!({ "id": format!("agent:{id}") }));
    }))
}

/// Passes on what an agent says of a shell.
fn heard(world: &World, user: &User, id: &str, text: &str) {
    let Ok(mut message) = serde_json::from_str::<Value>(text) else { return };
    let kind = message["type"].as_str().unwrap_or_default().to_owned();
    let data = message["data"].take();
    let session = data["session_id"].as_str().unwrap_or("main").to_owned();
    let said = match kind.as_str() {
        "shell_output" => {
            let bytes = STANDARD.decode(data["data"].as_str().unwrap_or_default()).unwrap_or_default();
            // Here what is no UTF-8 is replaced and not deleted.
            json!({ "type": "output", "data": String::from_utf8_lossy(&bytes) })
        }
        "shell_starting" | "shell_started" | "shell_stopped" | "shell_error" | "exec_result" | "stats" => {
            json!({ "type": kind, "data": data })
        }
        _ => return,
    };
    let _ = world.agents.with(user, id, |agent| {
        let viewers = agent.viewers.iter().filter(|(name, _)| kind == "stats" || **name == session);
        for viewer in viewers.flat_map(|(_, viewers)| viewers) {
            let _ = viewer.send(said.clone());
        }
    });
}

/// `GET /ws/agent/ID/terminal`
pub(super) fn open(world: &Arc<World>, user: &User, id: &str, request: &Request) -> Answer {
    let is_online = world.agents.with(user, id, |agent| agent.socket.is_some())?;
    if !is_online {
        return Err(Refusal::new(404, "agent not online"));
    }
    let is_new = request.query.first("newSession") == Some(b"true");
    let own = request.query.text("id").unwrap_or("default".into()).into_owned();
    let session = if is_new { format!("split-{own}") } else { "main".to_owned() };
    let (world, user, id) = (Arc::clone(world), user.clone(), id.to_owned());
    Ok(Reply::websocket(protocol(request), move |socket| async move {
        let (mut sink, mut stream) = socket.split();
        let (sender, mut receiver) = mpsc::unbounded_channel::<Value>();
        let tell = |kind: &str, mut data: Value| {
            data["session_id"] = json!(session);
            let _ = world.agents.with(&user, &id, |agent| {
                agent.socket.as_ref().map(|socket| socket.send(json!({ "type": kind, "data": data })))
            });
        };
        let _ = world.agents.with(&user, &id, |agent| agent.viewers.entry(session.clone()).or_default().push(sender));
        tell("shell_start", json!({ "new_session": is_new }));
        loop {
            tokio::select! {
                message = receiver.recv() => match message {
                    Some(message) if sink.text(message.to_string()).await => {}
                    _ => break,
                },
                message = stream.next() => {
                    let input = |bytes: &[u8]| tell("shell_input", json!({ "data": STANDARD.encode(bytes) }));
                    match message {
                        // Binary is input; text that is no frame is dropped, unlike a container's.
                        Some(Message::Binary(bytes)) => input(&bytes),
                        Some(Message::Text(text)) => {
                            let frame: Value = serde_json::from_str(&text).unwrap_or_default();
                            match frame["type"].as_str() {
                                Some("input") => input(frame["data"].as_str().unwrap_or_default().as_bytes()),
                                Some("resize") => {
                                    tell("shell_resize", json!({ "cols": frame["cols"], "rows": frame["rows"] }));
                                }
                                Some("exec") => tell("exec", frame["data"].clone()),
                                _ => {}
                            }
                        }
                        Some(Message::Close { .. } | Message::Eof) | None => break,
                        Some(_) => {}
                    }
                }
            }
        }
        tell("shell_stop_session", json!({}));
        drop(receiver);
        let _ = world.agents.with(&user, &id, |agent| {
            for viewers in agent.viewers.values_mut() {
                viewers.retain(|viewer| !viewer.is_closed());
            }
        });
    }))
}
