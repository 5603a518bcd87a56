//! Port forwards (section 3.5): one websocket is one connection, and the end of it ends the forward.

use super::access::User;
use super::errors::{Answer, Refusal, ok, said};
use super::terminal::protocol;
use super::world::{World, uuid};
use crate::provider::rexec::api::ForwardRequest;
use crate::transport::server::{Message, Reply, Request, SocketSink, SocketStream};
use bytes::BytesMut;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// How much is read at once.
const CHUNK: usize = 32 * 1024;

#[derive(Clone)]
struct Forward {
    id: String,
    user_id: String,
    container: String,
    name: String,
    port: u16,
    local_port: i64,
    active: bool,
    created: Timestamp,
}

/// The forwards of a server, those that ended among them.
#[derive(Default)]
pub(super) struct Forwards(Mutex<Vec<Forward>>);

impl Forwards {
    fn lock(&self) -> MutexGuard<'_, Vec<Forward>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, id: &str) {
        if let Some(forward) = self.lock().iter_mut().find(|forward| forward.id == id) {
            forward.active = false;
        }
    }
}

impl Forward {
    fn to_json(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "container_id": self.container, "container_port": self.port,
            "local_port": self.local_port, "protocol": "tcp", "is_active": self.active, "created_at": self.created,
            "websocket_url": format!("/ws/port-forward/{}", self.id), "proxy_url": format!("/p/{}/", self.id),
        })
    }
}

/// Routes below `/api/containers/ID/port-forwards`.
pub(super) async fn route(world: &Arc<World>, user: &User, id: &str, rest: &[&str], request: Request) -> Answer {
    let container = world.by_any_id(user, id).map_err(|_| Refusal::coded(404, "container not found"))?;
    match (request.method.as_str(), rest) {
        ("POST", []) => create(world, user, &container, request).await,
        ("GET", []) => {
            let all = world.forwards.lock();
            let all: Vec<Value> =
                all.iter().filter(|forward| forward.container == container.db_id).map(Forward::to_json).collect();
            ok(&json!({ "count": all.len(), "forwards": all }))
        }
        ("DELETE", [forward]) => {
            let mut all = world.forwards.lock();
            let before = all.len();
            all.retain(|other| other.id != *forward);
            if all.len() == before {
                return Err(Refusal::coded(404, "port forward not found"));
            }
            ok(&json!({ "message": "port forward deleted" }))
        }
        _ => Err(Refusal::no_route()),
    }
}

async fn create(world: &World, user: &User, container: &super::state::Container, mut request: Request) -> Answer {
    let body = request.bytes(1 << 16).await.unwrap_or_default();
    let wish: ForwardRequest = serde_json::from_slice(&body).map_err(|error| Refusal::coded(400, error))?;
    let is_port = |port: i64| (1..=65535).contains(&port);
    if wish.container_id.is_empty() || !is_port(wish.container_port) || !is_port(wish.local_port) {
        return Err(Refusal::coded(400, "invalid request"));
    }
    if container.status() != "running" {
        return Err(Refusal::coded(400, "container is not running"));
    }
    let port = u16::try_from(wish.container_port).unwrap_or_default();
    let mut all = world.forwards.lock();
    // Those that ended count too.
    let is_same = |other: &Forward| {
        (&other.user_id, &other.container, other.port, other.local_port)
            == (&user.id, &container.db_id, port, wish.local_port)
    };
    if all.iter().any(is_same) {
        return Err(Refusal::coded(409, "port forward already exists"));
    }
    let forward = Forward {
        id: uuid(),
        user_id: user.id.clone(),
        container: container.db_id.clone(),
        name: wish.name,
        port,
        local_port: wish.local_port,
        active: true,
        created: Timestamp::now(),
    };
    all.push(forward.clone());
    said(201, &forward.to_json())
}

/// `GET /ws/port-forward/ID`
pub(super) fn open(world: &Arc<World>, user: &User, id: &str, request: &Request) -> Answer {
    let found = world.forwards.lock().iter().find(|forward| forward.id == id && forward.user_id == user.id).cloned();
    let forward = found.ok_or_else(|| Refusal::coded(404, "port forward not found"))?;
    if !forward.active {
        return Err(Refusal::coded(400, "port forward is not active"));
    }
    let world = Arc::clone(world);
    Ok(Reply::websocket(protocol(request), move |socket| async move {
        let (mut sink, stream) = socket.split();
        match TcpStream::connect(("127.0.0.1", forward.port)).await {
            Ok(connection) => {
                let (from, to) = connection.into_split();
                // There is no half-close: the end of either side is the end of both.
                tokio::select! {
                    () = inward(stream, to) => {}
                    () = outward(from, &mut sink) => { sink.close(1000, "").await; }
                }
            }
            Err(error) => {
                sink.text(format!("Error: failed to connect to container port: {error}")).await;
                sink.close(1000, "").await;
            }
        }
        world.forwards.end(&forward.id);
    }))
}

async fn inward(mut stream: SocketStream, mut to: OwnedWriteHalf) {
    while let Some(message) = stream.next().await {
        match message {
            Message::Binary(bytes) if to.write_all(&bytes).await.is_ok() => {}
            Message::Text(text) if to.write_all(text.as_bytes()).await.is_ok() => {}
            Message::Ping(_) | Message::Pong(_) => {}
            _ => return,
        }
    }
}

async fn outward(mut from: OwnedReadHalf, sink: &mut SocketSink) {
    loop {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        match from.read_buf(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(_) if sink.binary(chunk.freeze()).await => {}
            Ok(_) => return,
        }
    }
}
