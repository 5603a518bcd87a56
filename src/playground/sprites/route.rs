//! From a request to what answers it.

use super::errors::{Answer, Refusal};
use super::sprite::{Sprite, Status, uuid};
use super::world::World;
use super::{checkpoints, exec, fs, list, ports, proxy, services, times, version_headers};
use crate::stream::{self, ByteStream};
use crate::transport::header::{AUTHORIZATION, SERVER};
use crate::transport::server::{Body, Handler, Reply, Request, Response};
use crate::transport::{HeaderName, HeaderValue, StatusCode};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;

/// The longest JSON body, in bytes.
const MAX_BODY: usize = 1 << 20;

/// The longest request line that the edge takes, in bytes.
const MAX_TARGET: usize = 8 * 1024;

/// The API of an organisation.
pub(super) struct Api(pub(super) Arc<World>);

#[async_trait]
impl Handler for Api {
    async fn handle(&self, request: Request) -> Reply {
        let plain = self.0.faults.take("plain-errors", &request).is_some();
        let odd = self.0.faults.take("odd-lines", &request).is_some();
        let incomplete = self.0.faults.take("no-complete", &request).is_some();
        let mut reply = match self.answer(request).await {
            Ok(Reply::Response(response)) if odd || incomplete => distort(response, odd, incomplete).into(),
            Err(refusal) if plain => Response::text(refusal.0.status, reason(&refusal.0)).into(),
            Ok(reply) => reply,
            Err(refusal) => refusal.into(),
        };
        let headers = match &mut reply {
            Reply::Response(response) => &mut response.headers,
            Reply::Websocket { headers, .. } => headers,
        };
        let id = HeaderValue::try_from(uuid()).expect("a UUID is valid in a header");
        headers.insert(HeaderName::from_static("x-request-id"), id.clone());
        headers.insert(HeaderName::from_static("fly-request-id"), id);
        headers.insert(SERVER, HeaderValue::from_static("Fly/simulator"));
        reply
    }
}

/// Which version is asked for is not looked at: there is one.
#[derive(Debug, Deserialize)]
struct UpgradeRequest {}

impl Api {
    async fn answer(&self, mut request: Request) -> Answer {
        let world = &self.0;
        if request.path.len() + request.raw_query.len() > MAX_TARGET {
            return Err(Refusal::text(414, "URI Too Long"));
        }
        let segments: Vec<String> = request.segments().into_iter().map(str::to_owned).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        if let ["v1", "organizations", slug, "tokens"] = segments[..] {
            return self.token(slug, &request);
        }
        if request.bearer() != Some(world.token.as_str()) {
            return Err(Refusal::json(401, "authentication failed"));
        }
        match (request.method.as_str(), &segments[..]) {
            ("POST", ["v1", "sprites"]) => {
                self.limit(&request)?;
                let sprite = world.create(body(&mut request).await?)?;
                Ok(Response::json(StatusCode::CREATED, &sprite.to_json()).into())
            }
            ("GET", ["v1", "sprites"]) => list::list(world, &request),
            ("GET", ["v1", "organization"]) => Ok(Response::json(StatusCode::OK, &world.organization()).into()),
            ("GET", ["v1", "sprites", name]) => match world.find(name) {
                Some(sprite) => Ok(Response::json(StatusCode::OK, &sprite.to_json()).into()),
                None => Err(Refusal::json(500, "failed to retrieve sprite")),
            },
            (_, ["v1", "sprites", name, rest @ ..]) => {
                let sprite = world.find(name).ok_or_else(Refusal::no_sprite)?;
                self.sprite(&sprite, rest, request).await
            }
            (_, ["v1", "sprites" | "organization"]) => Err(Refusal::method()),
            _ => Err(Refusal::no_route()),
        }
    }

    /// Refuses a new sprite, if that is to go wrong.
    fn limit(&self, request: &Request) -> Answer<()> {
        let take = |kind| self.0.faults.take(kind, request).map(crate::playground::fault::Value::duration);
        if let Some(delay) = take("create-limited") {
            return Err(Refusal::rate_limited(delay));
        }
        if let Some(delay) = take("create-limited-bare") {
            let mut refusal = Refusal::rate_limited(delay);
            refusal.0.body = Body::Full(Bytes::new());
            return Err(refusal);
        }
        match take("too-many-running") {
            Some(_) => Err(Refusal::too_many_running(10)),
            None => Ok(()),
        }
    }

    /// What the edge does with a sprite; the rest is for the sprite's own server.
    async fn sprite(&self, sprite: &Arc<Sprite>, rest: &[&str], mut request: Request) -> Answer {
        match (request.method.as_str(), rest) {
            ("PUT", []) => {
                sprite.update(body(&mut request).await?)?;
                Ok(Response::json(StatusCode::OK, &sprite.to_json()).into())
            }
            ("DELETE", []) => {
                self.0.remove(&sprite.name);
                sprite.destroy().await.map_err(Refusal::internal)?;
                Ok(Response::empty(StatusCode::NO_CONTENT).into())
            }
            (_, []) => Err(Refusal::method()),
            ("POST", ["upgrade"]) => {
                let _asked: UpgradeRequest = body(&mut request).await?;
                Ok(Response::json(StatusCode::OK, &json!({ "name": sprite.name, "status": "upgraded" })).into())
            }
            ("POST", ["restart"]) => {
                let _hold = sprite.hold();
                sprite.stop_all().await;
                sprite.start_again();
                Ok(Response::json(
                    StatusCode::OK,
                    &json!({ "sprite_name": sprite.name, "machine_id": sprite.machine(), "message": "Sprite restarted" }),
                )
                .into())
            }
            ("GET", ["check"]) => Ok(Response::json(StatusCode::OK, &check(sprite)).into()),
            (_, ["upgrade" | "restart" | "check"]) => Err(Refusal::method()),
            _ => within(sprite, rest, request).await,
        }
    }

    /// `POST /v1/organizations/{slug}/tokens`: a token of ours for one of Fly's.
    fn token(&self, slug: &str, request: &Request) -> Answer {
        let world = &self.0;
        let fly = request.header(&AUTHORIZATION).and_then(|value| value.strip_prefix("FlyV1 "));
        if fly != Some(world.fly_token.as_str()) {
            return Err(Refusal::json(401, "authentication failed"));
        }
        if slug != world.org {
            return Err(Refusal::json(403, format!("Sprites not enabled for organization {slug}")));
        }
        Ok(Response::json(StatusCode::CREATED, &json!({ "token": world.token })).into())
    }
}

/// What a sprite's own server answers. Asking it anything wakes the sprite.
async fn within(sprite: &Arc<Sprite>, rest: &[&str], mut request: Request) -> Answer {
    if sprite.activity.is_busy() {
        return Err(Refusal::text(503, "Process not ready"));
    }
    if let Some(world) = sprite.world.upgrade() {
        let time = |kind| world.faults.take(kind, &request).map(crate::playground::fault::Value::duration);
        let (freeze, cold) = (time("freeze"), time("cold"));
        sprite.activity.set_patience(|patience| {
            patience.freeze_after = freeze.or(patience.freeze_after);
            patience.cold_after = cold.or(patience.cold_after);
        });
    }
    let hold = sprite.hold();
    sprite.listen_inside().map_err(Refusal::internal)?;
    let answered = match (request.method.as_str(), rest) {
        (_, ["exec", rest @ ..]) => exec::route(sprite, rest, request).await,
        (_, ["checkpoint" | "checkpoints", ..]) => checkpoints::route(sprite, rest, request).await,
        (_, ["fs", rest @ ..]) => fs::route(sprite, rest, request).await,
        (_, ["services", rest @ ..]) => services::route(sprite, rest, request).await,
        (method, ["policy", kind]) => match method {
            "GET" => sprite.policies.get(kind).map(|policy| Response::json(StatusCode::OK, &policy).into()),
            "POST" => {
                let bytes = request.bytes(MAX_BODY).await.map_err(|error| Refusal::json(400, error))?;
                sprite.policies.set(kind, &bytes).map(|()| Response::empty(StatusCode::NO_CONTENT).into())
            }
            "DELETE" => sprite.policies.reset(kind).map(|()| Response::empty(StatusCode::NO_CONTENT).into()),
            _ => Err(Refusal::method()),
        },
        ("GET", ["proxy"]) => {
            let sprite = Arc::clone(sprite);
            Ok(Reply::websocket(version_headers(), move |socket| proxy::serve(sprite, socket)))
        }
        ("GET", ["ports", "watch"]) => {
            let sprite = Arc::clone(sprite);
            Ok(Reply::websocket(version_headers(), move |socket| ports::serve(sprite, socket)))
        }
        (_, ["proxy"] | ["ports", "watch"]) => Err(Refusal::method()),
        _ => Err(Refusal::no_route()),
    };
    drop(hold);
    // Its version is on whatever it says.
    let stamp = |response: &mut Response| response.headers.extend(version_headers());
    match answered {
        Ok(Reply::Response(mut response)) => {
            stamp(&mut response);
            Ok(response.into())
        }
        Ok(reply) => Ok(reply),
        Err(mut refusal) => {
            stamp(&mut refusal.0);
            Err(refusal)
        }
    }
}

/// `GET B/check`, which wakes nobody.
fn check(sprite: &Sprite) -> serde_json::Value {
    let begun = Instant::now();
    let (status, reason) = match sprite.status() {
        Status::Running => ("healthy", "sprite is running"),
        Status::Warm => ("hibernated", "sprite is suspended"),
        Status::Cold => ("hibernated", "sprite is not running"),
    };
    json!({
        "sprite_name": sprite.name,
        "sprite_id": sprite.id,
        "status": status,
        "reason": reason,
        "checked_at": times::edge(Timestamp::now()),
        "elapsed": format!("{:?}", begun.elapsed()),
    })
}

/// What an error says, as plain text.
fn reason(response: &Response) -> String {
    let Body::Full(body) = &response.body else { return String::new() };
    let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let said = value["error"].as_str().or(value["errors"][0].as_str());
    format!("{}\n", said.map_or_else(|| String::from_utf8_lossy(body), Into::into).trim_end())
}

/// An answer of lines, told badly.
fn distort(mut response: Response, odd: bool, incomplete: bool) -> Response {
    let Body::Stream { body, len: None } = response.body else { return response };
    let lines = body.filter(move |line| {
        let is_last = line.as_ref().is_ok_and(|line| memchr::memmem::find(line, br#""type":"complete""#).is_some());
        std::future::ready(!(incomplete && is_last))
    });
    response.body = Body::Stream { body: if odd { odd_bytes(lines.boxed()) } else { lines.boxed() }, len: None };
    response
}

/// Lines that end with CRLF, the last with nothing, in pieces of three bytes.
fn odd_bytes(lines: ByteStream) -> ByteStream {
    let ended = lines.scan(true, |first, line| {
        let line = line.map(|line| {
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            let before: &[u8] = if std::mem::take(first) { b"" } else { b"\r\n" };
            Bytes::from([before, text].concat())
        });
        std::future::ready(Some(line))
    });
    ended
        .flat_map(|line| match line {
            Ok(line) => stream::iter(
                (0..line.len())
                    .step_by(3)
                    .map(move |at| Ok(line.slice(at..line.len().min(at + 3))))
                    .collect::<Vec<_>>(),
            ),
            Err(error) => stream::iter(vec![Err(error)]),
        })
        .boxed()
}

/// The JSON of the body; an empty one is an empty object.
pub(super) async fn body<T: DeserializeOwned>(request: &mut Request) -> Answer<T> {
    let bytes = request.bytes(MAX_BODY).await.map_err(|error| Refusal::json(400, error))?;
    let bytes = if bytes.is_empty() { b"{}" } else { &*bytes };
    serde_json::from_slice(bytes).map_err(|error| Refusal::json(400, format!("invalid request body: {error}")))
}
