//! TCP through a websocket, one per connection (section 2.9), and the feed of ports (section 2.10).

use super::api;
use super::client::{Client, path};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Name, Port};
use crate::provider::tunnels::{PortEvent, Tunnel, TunnelSink, Tunnels};
use crate::stream::{self, Items};
use crate::transport::{Frame, WsSink, WsStream};
use async_trait::async_trait;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use std::collections::VecDeque;
use std::time::Duration;

/// How long the sandbox may take to connect to the port.
const CONNECT: Duration = Duration::from_secs(30);

/// The tunnels into a sandbox.
pub(super) struct SpritesTunnels {
    pub(super) client: Client,
    pub(super) name: Name,
}

/// How the server answers the wish for a connection.
#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    status: String,
    error: Option<String>,
    message: Option<String>,
}

#[async_trait]
impl Tunnels for SpritesTunnels {
    async fn connect(&self, host: &str, port: u16) -> Result<Tunnel> {
        let host = if host.is_empty() { "localhost" } else { host };
        let what = format!("connect to {host}:{port}");
        let socket = self.client.websocket(&what, &path(&self.name, "/proxy")).await?;
        let (mut sink, mut stream) = socket.split();
        sink.send_text(json!({"host": host, "port": port}).to_string()).await?;
        let refused = |why: &str| Error::new(ErrorKind::Unreachable, self.client.cannot(&what, why));
        // Bytes that the other end sends at once may overtake the answer.
        let mut early = VecDeque::new();
        let answered = async {
            loop {
                match stream.next().await? {
                    Some(Frame::Text(text)) => return Ok::<_, Error>(text),
                    Some(Frame::Binary(bytes)) => early.push_back(bytes),
                    Some(Frame::Close { code, reason }) => {
                        let code = code.map(|code| format!("closed with {code}")).unwrap_or_default();
                        return Err(refused(if reason.is_empty() { &code } else { &reason }));
                    }
                    Some(Frame::Eof) | None => return Err(refused("the connection was dropped")),
                }
            }
        };
        let reply = tokio::time::timeout(CONNECT, answered)
            .await
            .map_err(|_| refused(&format!("no answer within {} s", CONNECT.as_secs())))??;
        let reply: Reply =
            serde_json::from_str(&reply).map_err(|error| self.client.garbled(&what, &error.to_string()))?;
        if reply.status != "connected" {
            return Err(refused(reply.error.or(reply.message).as_deref().unwrap_or(&reply.status)));
        }
        let client = self.client.clone();
        let incoming = stream::unfold((stream, early, client), |(mut stream, mut early, client)| async move {
            loop {
                if let Some(bytes) = early.pop_front() {
                    return Ok(Some((bytes, (stream, early, client))));
                }
                match stream.next().await? {
                    Some(Frame::Binary(bytes)) => return Ok(Some((bytes, (stream, early, client)))),
                    // After the handshake text means nothing (section 2.9).
                    Some(Frame::Text(_)) => {}
                    Some(Frame::Close { code: None | Some(1000 | 1001 | 1005), .. }) | None => return Ok(None),
                    Some(Frame::Close { code: Some(code), reason }) => {
                        let why = client.cannot("read from the port", &format!("closed with {code}: {reason}"));
                        return Err(Error::unreachable(why));
                    }
                    Some(Frame::Eof) => {
                        let why = client.cannot("read from the port", "the connection was dropped");
                        return Err(Error::unreachable(why));
                    }
                }
            }
        });
        Ok(Tunnel { sink: Box::new(Sink(sink)), stream: incoming, half_closes: false })
    }

    fn ports(&self) -> Items<PortEvent> {
        let what = "watch ports";
        let state = Watch { client: self.client.clone(), name: self.name.clone(), stream: None };
        stream::unfold(state, move |mut watch| async move {
            loop {
                let stream = match &mut watch.stream {
                    Some(stream) => stream,
                    None => {
                        let socket = watch.client.websocket(what, &path(&watch.name, "/ports/watch")).await?;
                        watch.stream.insert(socket.split().1)
                    }
                };
                match stream.next().await? {
                    Some(Frame::Text(text)) => {
                        if let Some(event) = event(&text) {
                            return Ok(Some((event, watch)));
                        }
                    }
                    Some(Frame::Binary(_)) => {}
                    Some(Frame::Close { .. } | Frame::Eof) | None => {
                        return Err(Error::unreachable(watch.client.cannot(what, "the connection ended")));
                    }
                }
            }
        })
    }
}

struct Watch {
    client: Client,
    name: Name,
    stream: Option<WsStream>,
}

/// What a message of the feed says; an unknown one says nothing.
fn event(text: &str) -> Option<PortEvent> {
    #[derive(Deserialize)]
    struct Message {
        #[serde(rename = "type", default)]
        kind: String,
        #[serde(default)]
        ports: Vec<api::Port>,
        #[serde(flatten)]
        port: Option<api::Port>,
    }
    let message: Message = serde_json::from_str(text).ok()?;
    let of = |port: api::Port| Port { port: port.port, address: port.address, pid: port.pid };
    match (message.kind.as_str(), message.port) {
        ("port_list", _) => Some(PortEvent::Now(message.ports.into_iter().map(of).collect())),
        ("port_opened", Some(port)) => Some(PortEvent::Opened(of(port))),
        ("port_closed", Some(port)) => Some(PortEvent::Closed(of(port))),
        _ => None,
    }
}

struct Sink(WsSink);

#[async_trait]
impl TunnelSink for Sink {
    async fn write(&mut self, chunk: Bytes) -> Result<bool> {
        self.0.send_binary(chunk).await
    }

    async fn close(&mut self) -> Result<()> {
        self.0.close(1000, "").await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_the_feed_are_read_and_others_passed_over() {
        let port = |port: u16, address: &str, pid| Port { port, address: address.into(), pid };
        let list = r#"{"type":"port_list","ports":[{"port":80,"address":"0.0.0.0","pid":7},{"port":81}]}"#;
        assert_eq!(event(list), Some(PortEvent::Now(vec![port(80, "0.0.0.0", Some(7)), port(81, "", None)])));
        let closed = r#"{"type":"port_closed","port":80,"address":"::","pid":7}"#;
        assert_eq!(event(closed), Some(PortEvent::Closed(port(80, "::", Some(7)))));
        for text in ["", "[]", r#"{"type":"port_opened"}"#, r#"{"type":"news","port":1}"#] {
            assert_eq!(event(text), None, "{text}");
        }
    }
}
