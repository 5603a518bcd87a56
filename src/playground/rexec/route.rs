//! From a request to what answers it.

use super::access::User;
use super::errors::{Answer, Refusal, ok};
use super::limits::Kind;
use super::world::World;
use super::{account, agents, containers, create, events, files, forwards, recordings, shell, snippets, sse, terminal};
use crate::transport::server::{Handler, Reply, Request};
use crate::transport::{HeaderName, HeaderValue};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::sync::Arc;

/// The API of a server.
pub(super) struct Api(pub(super) Arc<World>);

#[async_trait]
impl Handler for Api {
    async fn handle(&self, request: Request) -> Reply {
        let world = &self.0;
        let kind = match request.path.as_str() {
            path if path.starts_with("/api/auth/") => Kind::Auth,
            path if path.starts_with("/ws/") => Kind::Socket,
            _ => Kind::Api,
        };
        let counted = match world.limits.count(kind, world.options.window) {
            Ok(counted) => counted,
            Err(refusal) => return refusal.into(),
        };
        let mut reply = self.answer(request).await.unwrap_or_else(Reply::from);
        if let Reply::Response(response) = &mut reply {
            let (limit, left) = counted;
            response.headers.insert(HeaderName::from_static("x-ratelimit-limit"), HeaderValue::from(limit));
            response.headers.entry("x-ratelimit-remaining").or_insert(HeaderValue::from(left));
        }
        reply
    }
}

impl Api {
    async fn answer(&self, request: Request) -> Answer {
        let world = &self.0;
        let segments: Vec<String> = request.segments().into_iter().map(str::to_owned).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (request.method.as_str(), &segments[..]) {
            ("GET", ["health"]) => return account::health(world),
            ("GET", ["api", "version"]) => return account::version(world, &request),
            ("POST", ["api", "auth", "guest"]) => return world.guest(request).await,
            (_, ["api" | "ws", ..]) => {}
            // The single-page app answers whatever else is asked for.
            _ => return Ok(page()),
        }
        let user = world.user(&request)?;
        match &segments[..] {
            ["ws", rest @ ..] => self.socket(&user, rest, &request),
            ["api", "containers", rest @ ..] => self.containers(&user, rest, request).await,
            ["api", "agents", rest @ ..] => agents::route(world, &user, rest, request).await,
            ["api", "snippets", rest @ ..] => snippets::route(world, &user, rest, request).await,
            ["api", "recordings", rest @ ..] => recordings::route(world, &user, rest, request).await,
            ["api", rest @ ..] => account::route(world, &user, rest, request).await,
            _ => Err(Refusal::no_route()),
        }
    }

    fn socket(&self, user: &User, rest: &[&str], request: &Request) -> Answer {
        let world = &self.0;
        match rest {
            _ if !request.is_websocket() => Err(Refusal::new(400, "websocket upgrade required")),
            ["terminal", id] => terminal::open(world, user, id, request),
            ["port-forward", id] => forwards::open(world, user, id, request),
            ["agent", id] => agents::connect(world, user, id, request),
            ["agent", id, "terminal"] => agents::open(world, user, id, request),
            _ => Err(Refusal::no_route()),
        }
    }

    async fn containers(&self, user: &User, rest: &[&str], request: Request) -> Answer {
        let world = &self.0;
        match (request.method.as_str(), rest) {
            ("GET", []) => containers::list(world, user, &request),
            ("POST", []) => create::create(world, user, request).await,
            ("POST", ["stream"]) => sse::create(world, user, request).await,
            ("GET", ["events"]) if request.is_websocket() => events::open(world, user, &request),
            ("GET", [id]) => containers::get(world, user, id, &request),
            ("DELETE", [id]) => match id.strip_prefix("agent:") {
                Some(agent) => {
                    world.agents.remove(user, agent)?;
                    ok(&json!({ "message": "agent deleted", "id": id }))
                }
                None => containers::delete(world, user, id).await,
            },
            ("PATCH", [id, "settings"]) => containers::settings(world, user, id, request).await,
            ("POST", [id, "start"]) => containers::start(world, user, id).await,
            ("POST", [id, "stop"]) => match id.strip_prefix("agent:") {
                Some(agent) => {
                    world.agents.disconnect(user, agent)?;
                    ok(&json!({ "message": "agent disconnected", "id": id, "status": "offline" }))
                }
                None => containers::stop(world, user, id).await,
            },
            ("GET", [id, "shell", "status"]) => {
                let container = world.by_docker_id(user, id)?;
                let shell = container.shells().login.unwrap_or("sh");
                ok(&json!({ "setup_complete": true, "current_shell": shell, "enhanced": false }))
            }
            ("GET", [id, "files", "list"]) => files::list(world, user, id, request).await,
            ("GET", [id, "files"]) => files::download(world, user, id, request).await,
            ("POST", [id, "files"]) => files::upload(world, user, id, request).await,
            ("DELETE", [id, "files"]) => files::delete(world, user, id, request).await,
            ("POST", [id, "files", "mkdir"]) => files::mkdir(world, user, id, request).await,
            ("POST", [id, "exec"]) if world.faults.take("sdk", &request).is_some() => {
                exec(world, user, id, request).await
            }
            (_, [id, "port-forwards", rest @ ..]) => forwards::route(world, user, id, rest, request).await,
            _ => Err(Refusal::no_route()),
        }
    }
}

/// What some SDKs call and no server has.
async fn exec(world: &World, user: &User, id: &str, mut request: Request) -> Answer {
    let body = request.bytes(1 << 20).await.unwrap_or_default();
    let wish: Value = serde_json::from_slice(&body).map_err(|error| Refusal::new(400, error))?;
    let words: Vec<&str> = wish["command"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let container = world.by_any_id(user, id)?;
    let [program, args @ ..] = words.as_slice() else { return Err(Refusal::new(400, "command is required")) };
    let ran = shell::run(world, &container, program, args).await;
    let (stdout, status) = ran.map_err(|error| Refusal::new(500, error))?;
    ok(&json!({ "exitCode": status, "stdout": String::from_utf8_lossy(&stdout), "stderr": "" }))
}

/// A page where a client might expect a document.
fn page() -> Reply {
    use crate::transport::StatusCode;
    use crate::transport::server::Response;
    Response::bytes(StatusCode::OK, "text/html; charset=utf-8", "<!doctype html><title>Rexec</title>\n").into()
}
