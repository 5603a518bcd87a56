//! The TCP tunnel: one websocket for one connection (section 2.9).

use super::sprite::Sprite;
use crate::transport::server::{Message, Socket, SocketSink, SocketStream};
use bytes::BytesMut;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// How much is read at once.
const CHUNK: usize = 32 * 1024;

/// How long connecting may take, and how long the close of a client is waited for.
const CONNECT: Duration = Duration::from_secs(10);
const GOODBYE: Duration = Duration::from_secs(1);

#[derive(Debug, Deserialize)]
struct Init {
    #[serde(default)]
    host: String,
    port: i64,
}

/// Why there is no tunnel: a close code and a reason.
type Refused = (u16, String);

/// Serves a client.
pub(super) async fn serve(sprite: Arc<Sprite>, socket: Socket) {
    let _hold = sprite.hold();
    let (mut sink, mut stream) = socket.split();
    let (code, reason) = match open(&mut sink, &mut stream).await {
        Ok(target) => {
            let (from, to) = target.into_split();
            // There is no half-close: the end of either side is the end of both.
            tokio::select! {
                () = inward(&mut stream, to) => return,
                () = outward(from, &mut sink) => (1001, "upstream closed".to_owned()),
            }
        }
        Err(Some(refused)) => refused,
        Err(None) => return,
    };
    sink.finish(stream, code, &reason, GOODBYE).await;
}

/// Takes the first message and connects; `Err(None)` if the client is gone.
async fn open(sink: &mut SocketSink, stream: &mut SocketStream) -> Result<TcpStream, Option<Refused>> {
    let refuse = |code, reason: &str| Err(Some((code, reason.to_owned())));
    let init: Init = loop {
        match stream.next().await {
            Some(Message::Text(text)) => match serde_json::from_str(&text) {
                Ok(init) => break init,
                Err(_) => return refuse(1003, "Invalid JSON in initialization message"),
            },
            Some(Message::Binary(_)) => return refuse(1003, "Expected JSON initialization message"),
            Some(Message::Ping(_) | Message::Pong(_)) => {}
            None | Some(Message::Close { .. } | Message::Eof) => return Err(None),
        }
    };
    let Some(port) = u16::try_from(init.port).ok().filter(|port| *port > 0) else {
        return refuse(1003, "Invalid port number");
    };
    let host = if init.host.is_empty() { "localhost" } else { &init.host };
    let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    // Only this machine: what a sprite could reach of the world is no business of a simulator.
    if !is_local(host) {
        return refuse(1011, &format!("Failed to connect to target: dial tcp {target}: no route to host"));
    }
    match tokio::time::timeout(CONNECT, TcpStream::connect(&target)).await {
        Ok(Ok(connection)) => {
            let told = sink.text(json!({ "status": "connected", "target": target }).to_string()).await;
            if told { Ok(connection) } else { Err(None) }
        }
        Ok(Err(error)) => {
            let text = error.to_string();
            let why = text.split(" (os error").next().unwrap_or_default().to_lowercase();
            refuse(1011, &format!("Failed to connect to target: dial tcp {target}: connect: {why}"))
        }
        Err(_) => refuse(1011, &format!("Failed to connect to target: dial tcp {target}: i/o timeout")),
    }
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified())
}

async fn inward(stream: &mut SocketStream, mut to: OwnedWriteHalf) {
    while let Some(message) = stream.next().await {
        match message {
            Message::Binary(bytes) => {
                if to.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Message::Text(_) | Message::Ping(_) | Message::Pong(_) => {}
            Message::Close { .. } | Message::Eof => return,
        }
    }
}

async fn outward(mut from: OwnedReadHalf, sink: &mut SocketSink) {
    loop {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        match from.read_buf(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                if !sink.binary(chunk.freeze()).await {
                    return;
                }
            }
        }
    }
}
