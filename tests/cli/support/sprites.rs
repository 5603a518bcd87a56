//! A small Sprites API that a test can bend: sandboxes in memory, pages of two, and whatever a test answers first.

use super::fake::{Asked, Fake, Reply};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The token that tests use.
pub(crate) const TOKEN: &str = "acme/org-1/tok-1/hunter2";

/// The API of one account.
pub(crate) struct Api {
    pub(crate) fake: Fake,
    world: Arc<Mutex<BTreeMap<String, Value>>>,
}

/// A sandbox as the wire has it.
pub(crate) fn sandbox(name: &str, status: &str, labels: &[&str]) -> Value {
    json!({
        "id": format!("sprite-{name}"), "name": name, "status": status, "version": "v0.0.1-rc48",
        "url": format!("https://{name}-acme.sprites.app"), "organization": "acme",
        "url_settings": {"auth": "sprite"}, "labels": labels,
        "created_at": "2026-01-31T12:20:24.123456Z", "updated_at": "2026-02-01T00:00:00.5Z",
        "last_running_at": if status == "cold" { Value::Null } else { json!("2026-02-01T00:00:00Z") },
    })
}

/// An answer with a document.
pub(crate) fn document(status: u16, body: &Value) -> Reply {
    Reply::Text(status, body.to_string())
}

impl Api {
    /// An account with these sandboxes.
    pub(crate) fn start(sandboxes: &[Value]) -> Self {
        Self::bent(sandboxes, |_| None)
    }

    /// The same, where `first` may answer instead.
    pub(crate) fn bent(sandboxes: &[Value], first: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let world: BTreeMap<_, _> =
            sandboxes.iter().map(|sandbox| (sandbox["name"].as_str().unwrap().to_owned(), sandbox.clone())).collect();
        let world = Arc::new(Mutex::new(world));
        let inside = world.clone();
        let fake = Fake::start(move |asked| {
            first(asked).unwrap_or_else(|| answer(asked, &mut inside.lock().unwrap_or_else(PoisonError::into_inner)))
        });
        Self { fake, world }
    }

    /// esker, with this account as the endpoint `sprites`.
    pub(crate) fn esker(&self) -> assert_cmd::Command {
        let mut command = super::esker();
        command.env("SPRITES_ENDPOINT", self.url()).env("SPRITES_TOKEN", TOKEN);
        command
    }

    /// The same, for tests that need the process while it runs.
    pub(crate) fn esker_process(&self) -> std::process::Command {
        let mut command = super::esker_process();
        command.env("SPRITES_ENDPOINT", self.url()).env("SPRITES_TOKEN", TOKEN);
        command
    }

    pub(crate) fn url(&self) -> String {
        format!("unix:{}", self.fake.socket().display())
    }

    /// Runs a command.
    pub(crate) fn run(&self, args: &[&str]) -> std::process::Output {
        self.esker().args(args).output().expect("esker runs")
    }

    /// Whether a sandbox is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.world.lock().unwrap_or_else(PoisonError::into_inner).contains_key(name)
    }

    /// Changes what is there.
    pub(crate) fn put(&self, sandbox: Value) {
        let name = sandbox["name"].as_str().unwrap().to_owned();
        self.world.lock().unwrap_or_else(PoisonError::into_inner).insert(name, sandbox);
    }

    /// `METHOD PATH` of every request so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.fake.asked().iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect()
    }

    /// The body of the last request with this method.
    pub(crate) fn body(&self, method: &str) -> Value {
        let asked = self.fake.asked();
        let last = asked.iter().rev().find(|asked| asked.method == method).expect("there was one");
        serde_json::from_str(&last.body).unwrap_or_default()
    }
}

/// The value of a parameter, which holds nothing that is escaped.
pub(crate) fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn answer(asked: &Asked, world: &mut BTreeMap<String, Value>) -> Reply {
    let missing = || document(404, &json!({"error": "sprite not found"}));
    let Some(path) = asked.path.strip_prefix("/v1/") else { return missing() };
    let parts: Vec<&str> = path.split('/').collect();
    let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    match (asked.method.as_str(), parts.as_slice()) {
        ("GET", ["organization"]) => document(
            200,
            &json!({"organization": {"slug": "acme", "sprites_enabled": true, "active_sprites": ["a"],
                "max_sprites": 100, "active_sprite_limit": 10}}),
        ),
        ("GET", ["sprites"]) => page(&asked.query, world),
        ("POST", ["sprites"]) => {
            let name = body["name"].as_str().unwrap_or_default();
            if world.contains_key(name) {
                let error = format!("A sprite named '{name}' already exists. Please choose a different name.");
                return document(409, &json!({ "error": error }));
            }
            let mut made = sandbox(name, "cold", &[]);
            for key in ["labels", "url_settings"] {
                if let Some(value) = body.get(key) {
                    made[key] = value.clone();
                }
            }
            world.insert(name.to_owned(), made.clone());
            document(201, &made)
        }
        (method, ["sprites", name, rest @ ..]) => {
            let Some(found) = world.get_mut(*name) else { return missing() };
            match (method, rest) {
                ("GET", []) => document(200, found),
                ("PUT", []) => {
                    if body["clear_labels"] == true {
                        found["labels"] = json!([]);
                    }
                    for key in ["labels", "url_settings"] {
                        if let Some(value) = body.get(key) {
                            found[key] = value.clone();
                        }
                    }
                    document(200, found)
                }
                ("DELETE", []) => {
                    world.remove(*name);
                    Reply::Text(204, String::new())
                }
                ("GET", ["check"]) => document(
                    200,
                    &json!({"sprite_name": name, "status": "healthy", "reason": "", "checked_at": "2026-02-01T00:00:00Z"}),
                ),
                ("POST", ["restart"]) => document(200, &json!({"sprite_name": name, "message": "restarted"})),
                ("POST", ["upgrade"]) => document(200, &json!({"name": name, "status": "upgraded"})),
                ("HEAD", ["exec"]) => {
                    Reply::Raw(b"HTTP/1.1 200 OK\r\nSprite-Version: v0.0.1-rc32\r\nContent-Length: 0\r\n\r\n".to_vec())
                }
                _ => missing(),
            }
        }
        _ => missing(),
    }
}

/// Two sandboxes at a time; the token is the name of the next one.
fn page(query: &str, world: &BTreeMap<String, Value>) -> Reply {
    let prefix = parameter(query, "prefix").unwrap_or_default();
    let from = parameter(query, "continuation_token").unwrap_or_default();
    let mut names = world.keys().filter(|name| name.starts_with(prefix) && name.as_str() >= from);
    let sprites: Vec<_> = names.by_ref().take(2).map(|name| world[name].clone()).collect();
    let next = names.next();
    document(200, &json!({"sprites": sprites, "has_more": next.is_some(), "next_continuation_token": next}))
}
