//! The websockets of a program, opened side by side (section 3.2).

use super::super::client::Client;
use super::HANDSHAKE;
use crate::error::{Error, Result};
use crate::transport::{WebSocket, WsOptions, WsReply, WsSink, WsStream};

/// What is read at once of a stream, in bytes: the daemon sends what a full pipe holds as one frame, with its head. The
/// library clears this much for every read, so more is not better.
const STREAM: usize = 64 * 1024 + 4096;

/// The same for control, where nothing ever comes.
const QUIET: usize = 512;

/// The open websockets.
pub(super) struct Sockets {
    /// Stdin and stdout.
    pub(super) stdio: (WsSink, WsStream),
    /// Stderr, if it is apart.
    pub(super) stderr: Option<WsStream>,
    /// Signals and sizes. `None` if the program ended before this one was there: it starts without.
    pub(super) control: Option<(WsSink, WsStream)>,
}

impl Sockets {
    /// Opens them. `None`: the daemon refused one that the program needs, and the change says why.
    pub(super) async fn open(client: &Client, task: &str, split_stderr: bool) -> Result<Option<Self>> {
        let stderr = async { if split_stderr { open(client, task, "stderr").await.map(Some) } else { Ok(None) } };
        let all = async { tokio::join!(open(client, task, "stdio"), stderr, open(client, task, "control")) };
        let Ok((stdio, stderr, control)) = tokio::time::timeout(HANDSHAKE, all).await else { return Ok(None) };
        let (Some(stdio), stderr) = (stdio?, stderr?) else { return Ok(None) };
        let stderr = match stderr {
            Some(None) => return Ok(None),
            Some(Some(socket)) => Some(socket.split().1),
            None => None,
        };
        Ok(Some(Self { stdio: stdio.split(), stderr, control: control?.map(WebSocket::split) }))
    }
}

/// Opens one; `None` if the daemon answers with anything but an open websocket.
pub(super) async fn open(client: &Client, task: &str, name: &str) -> Result<Option<WebSocket>> {
    let path = format!("/v1/tasks/{task}/websocket/{name}");
    let read_buffer = if name == "control" { QUIET } else { STREAM };
    let options = WsOptions { read_buffer, ..WsOptions::default() };
    let reply = client.http.websocket_with(&path, &[], options).await;
    match reply.map_err(|error: Error| client.broken("open the streams of the program", error))? {
        WsReply::Open(socket) => Ok(Some(socket)),
        WsReply::Refused(_) => Ok(None),
    }
}
