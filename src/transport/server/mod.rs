//! The server half: HTTP/1.1 and websockets over a unix socket or a loopback port, with TLS or without, for simulators of
//! ours.
//!
//! A [`Handler`] turns a [`Request`] into a [`Reply`]; [`serve`] does the rest in one future, on whose task set every
//! connection hangs: dropping it ends them all. It can also misbehave on purpose, as servers do: a body that fails is
//! cut after what it yielded, and a [`Connection`] can be dropped or reset at any time.

mod body;
mod connection;
mod identity;
mod listener;
mod query;
mod reply;
mod request;
mod socket;
#[cfg(test)]
mod tests;

pub use connection::{Connection, End};
pub use identity::Identity;
pub use listener::{Listener, Peer};
pub use query::Query;
pub use reply::{Body, Reply, Response};
pub use request::Request;
pub use socket::{Message, Socket, SocketSink, SocketStream, Task};

use self::body::Outgoing;
use self::listener::Accepted;
use self::socket::Upgrade;
use async_trait::async_trait;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;

/// The longest head of a request and the most that is buffered of a connection, in bytes.
const BUFFER: usize = 256 * 1024;

/// How many connections are open at once; more wait in the backlog.
const MAX_CONNECTIONS: usize = 2048;

/// How long accepting pauses when the process has no descriptor left for another connection.
const PAUSE: Duration = Duration::from_millis(50);

/// What answers requests.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Answers a request. The future is dropped if the client hangs up before it is done.
    async fn handle(&self, request: Request) -> Reply;
}

/// Serves until the future is dropped, and with it every connection.
pub async fn serve(listener: Listener, handler: Arc<dyn Handler>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((accepted, peer)) => {
                    connections.spawn(attend(accepted, peer, handler.clone()));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Answers what comes over one connection, and then lives on as a websocket if that was agreed.
async fn attend(accepted: Accepted, peer: Peer, handler: Arc<dyn Handler>) {
    // Whoever speaks no TLS where it is due has nothing to be told.
    let Ok(wire) = accepted.open().await else { return };
    let connection = wire.connection();
    let agreed: Mutex<Option<Upgrade>> = Mutex::new(None);
    let service = service_fn(|request: hyper::Request<Incoming>| async {
        let (request, upgrade) = Request::new(request, peer.clone(), connection.clone());
        let (response, upgrade) = upgrade.answer(handler.handle(request).await, &connection);
        if upgrade.is_some() {
            *agreed.lock().unwrap_or_else(PoisonError::into_inner) = upgrade;
        }
        Ok::<hyper::Response<Outgoing>, Infallible>(response)
    });
    let http = hyper::server::conn::http1::Builder::new()
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(wire), service)
        .with_upgrades();
    // Whatever broke a connection, its client knows better than we could tell.
    let _ = http.await;
    let agreed = agreed.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(upgrade) = agreed {
        upgrade.run().await;
    }
}
