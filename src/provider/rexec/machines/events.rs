//! The socket of events (section 5.1): the only place that says why a creation failed.

use crate::error::Result;
use crate::provider::rexec::api::ServerEvent;
use crate::provider::rexec::client::Client;
use crate::transport::{Frame, WsSink, WsStream};

/// What the server tells.
pub(super) struct Events {
    stream: WsStream,
    /// Kept: the socket closes with its last half.
    _sink: WsSink,
}

impl Events {
    /// Listens from now on.
    pub(super) async fn open(client: &Client) -> Result<Self> {
        let socket = client.websocket("listen to events", "/api/containers/events").await?;
        let (sink, stream) = socket.split();
        Ok(Self { stream, _sink: sink })
    }

    /// The next event; `None` once the socket has ended. What is no event is passed over. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<ServerEvent> {
        loop {
            match self.stream.next().await {
                Ok(Some(Frame::Text(text))) => {
                    if let Ok(event) = serde_json::from_str(&text) {
                        return Some(event);
                    }
                }
                Ok(Some(Frame::Binary(_))) => {}
                _ => return None,
            }
        }
    }
}
