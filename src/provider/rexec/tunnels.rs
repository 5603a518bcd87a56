//! TCP through a websocket (section 3.5): one forward is one connection, and ends with it.

use super::api::{Forward, ForwardRequest};
use super::find::{key, path};
use super::spot::Spot;
use crate::error::{Error, ErrorKind, Result};
use crate::provider::tunnels::{PortEvent, Tunnel, TunnelSink, Tunnels};
use crate::stream::{self, Items};
use crate::transport::query::segment;
use crate::transport::{Frame, Method, WsSink};
use async_trait::async_trait;
use bytes::Bytes;

/// The tunnels into a container.
pub(super) struct RexecTunnels(pub(super) Spot);

#[async_trait]
impl Tunnels for RexecTunnels {
    async fn connect(&self, host: &str, port: u16) -> Result<Tunnel> {
        if !matches!(host, "" | "localhost" | "127.0.0.1" | "::1") {
            return Err(Error::unsupported(format!("`rexec` reaches ports of the container itself, not of `{host}`"))
                .hint("leave the host out"));
        }
        let client = &self.0.client;
        let what = format!("connect to port {port}");
        // Made anew for every connection: the end of one ends its forward.
        self.0.docker_id().await?;
        let container = self.0.container().await?;
        let forward = self.forward(&what, key(&container), port).await?;
        let socket = client.websocket(&what, &format!("/ws/port-forward/{}", segment(forward.id.as_bytes()))).await?;
        let (sink, stream) = socket.split();
        let client = client.clone();
        let incoming = stream::unfold((stream, client), |(mut stream, client)| async move {
            match stream.next().await? {
                Some(Frame::Binary(bytes)) => Ok(Some((bytes, (stream, client)))),
                // It speaks in words only of failures.
                Some(Frame::Text(text)) => {
                    let why = text.trim_start_matches("Error: ").to_owned();
                    Err(Error::new(ErrorKind::Unreachable, client.cannot("reach the port", &why)))
                }
                Some(Frame::Close { code: None | Some(1000 | 1001 | 1005), .. }) | None => Ok(None),
                Some(Frame::Close { code: Some(code), reason }) => {
                    let why = client.cannot("read from the port", &format!("closed with {code}: {reason}"));
                    Err(Error::unreachable(why))
                }
                Some(Frame::Eof) => {
                    Err(Error::unreachable(client.cannot("read from the port", "the connection was dropped")))
                }
            }
        });
        Ok(Tunnel { sink: Box::new(Sink(sink)), stream: incoming, half_closes: false })
    }

    fn ports(&self) -> Items<PortEvent> {
        stream::fail(Error::unsupported("`rexec` does not tell which ports are open"))
    }
}

impl RexecTunnels {
    /// A new forward. Its local port means nothing but must not repeat, not even that of one that has ended.
    async fn forward(&self, what: &str, id: &str, port: u16) -> Result<Forward> {
        let mut tries = 0;
        loop {
            let body = ForwardRequest {
                name: format!("esker-{port}"),
                container_id: id.to_owned(),
                container_port: i64::from(port),
                local_port: random_port(),
            };
            let made = self.0.client.send(what, Method::POST, &path(id, "/port-forwards"), Some(&body)).await;
            match made {
                Err(error) if error.kind() == ErrorKind::Conflict && tries < 20 => tries += 1,
                made => return made,
            }
        }
    }
}

fn random_port() -> i64 {
    let digits = crate::transport::nonce();
    i64::from(u16::from_str_radix(&digits[..4], 16).unwrap_or(1).max(1))
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
