//! One client of a session: a socket, served until either side has enough.

use super::frames::{self, Control, Out};
use super::session::{Seat, Session};
use super::start::Failed;
use crate::playground::sprites::faults::ExecFaults;
use crate::playground::sprites::times::Options;
use crate::provider::exec::{Signal, TermSize};
use crate::transport::server::{Message, Socket, SocketSink, SocketStream};
use bytes::Bytes;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long the close of a client is waited for.
const GOODBYE: Duration = Duration::from_secs(1);

/// A client, as far as it is not about the session.
pub(super) struct Client {
    pub(super) socket: Socket,
    pub(super) options: Options,
    pub(super) faults: ExecFaults,
}

/// How sending to a client ended.
enum Sent {
    /// With the exit: nothing more comes.
    Exit,
    /// The client does not take any more, or was dropped.
    Broken,
}

/// Serves a client from its first message to the last.
pub(super) async fn serve(session: Arc<Session>, seat: Seat, client: Client, is_owner: bool) {
    let Client { socket, options, faults } = client;
    let connection = socket.connection();
    let (mut sink, mut stream) = socket.split();
    let ponged = AtomicBool::new(true);
    let sent = tokio::select! {
        sent = send(&session, seat, &mut sink, is_owner, &faults, &ponged) => sent,
        () = receive(&session, &mut stream, &faults, &ponged) => return,
    };
    match sent {
        // It did not read for too long, or the session was torn down: no close, as when a machine goes away.
        Sent::Broken => connection.cut(),
        Sent::Exit if faults.drop_after_exit => connection.cut(),
        Sent::Exit => goodbye(sink, stream, faults.linger.unwrap_or(options.linger)).await,
    }
}

/// Lets the socket linger, then closes it. Whoever leaves before has all there is.
async fn goodbye(sink: SocketSink, mut stream: SocketStream, linger: Duration) {
    let left = async { while !matches!(stream.next().await, None | Some(Message::Close { .. } | Message::Eof)) {} };
    if tokio::time::timeout(linger, left).await.is_err() {
        sink.finish(stream, 1000, "", GOODBYE).await;
    }
}

/// Sends what the session says.
async fn send(
    session: &Session,
    mut seat: Seat,
    sink: &mut SocketSink,
    is_owner: bool,
    faults: &ExecFaults,
    ponged: &AtomicBool,
) -> Sent {
    let mut sending = Sending { tty: session.tty, sink, faults, left: faults.truncate };
    if let Some(delay) = faults.late_info {
        tokio::time::sleep(delay).await;
    }
    let mut info = session.info(is_owner);
    if faults.integer_id {
        info["session_id"] = json!(session.running.pid());
    }
    let replay = std::mem::take(&mut seat.replay);
    let begun = if faults.replay_first {
        sending.replay(replay).await && sending.sink.text(info.to_string()).await
    } else {
        sending.sink.text(info.to_string()).await && sending.replay(replay).await
    };
    if !begun {
        return Sent::Broken;
    }
    let mut pings = faults.require_pong.map(tokio::time::interval);
    loop {
        let ping = async {
            match &mut pings {
                Some(pings) => drop(pings.tick().await),
                None => std::future::pending().await,
            }
        };
        let out = tokio::select! {
            out = seat.queue.recv() => out,
            () = ping => {
                if !ponged.swap(false, Ordering::AcqRel) || !sending.sink.ping(Bytes::new()).await {
                    return Sent::Broken;
                }
                continue;
            }
        };
        let sent = match out {
            Some(Out::Data(stream, bytes)) => sending.data(stream, bytes).await,
            Some(Out::Text(text)) => sending.sink.text(text).await,
            Some(Out::Exit(status)) => return if sending.exit(status).await { Sent::Exit } else { Sent::Broken },
            None => false,
        };
        if !sent {
            return Sent::Broken;
        }
    }
}

struct Sending<'a> {
    tty: bool,
    sink: &'a mut SocketSink,
    faults: &'a ExecFaults,
    /// How many bytes of output are sent before the rest is lost.
    left: Option<u64>,
}

impl Sending<'_> {
    async fn replay(&mut self, chunks: Vec<(frames::Stream, Bytes)>) -> bool {
        for (stream, bytes) in chunks {
            if !self.data(stream, bytes).await {
                return false;
            }
        }
        true
    }

    async fn data(&mut self, stream: frames::Stream, mut bytes: Bytes) -> bool {
        if let Some(left) = &mut self.left {
            bytes.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= bytes.len() as u64;
            if bytes.is_empty() {
                return true;
            }
        }
        if self.faults.unknown_text && !self.sink.text(r#"{"type":"weather","sky":"blue"}"#).await {
            return false;
        }
        if self.faults.unknown_stream && !self.tty && !self.sink.binary(&b"\x07not for you"[..]).await {
            return false;
        }
        self.sink.binary(if self.tty { bytes } else { frames::framed(stream, &bytes) }).await
    }

    async fn exit(&mut self, status: u8) -> bool {
        if self.faults.no_exit {
            return true;
        }
        let binary = self.tty || self.faults.no_binary_exit || self.sink.binary(frames::exit_frame(status)).await;
        binary && (self.faults.no_text_exit || self.sink.text(frames::exit_text(status)).await)
    }
}

/// Does what the client says, until it leaves.
async fn receive(session: &Session, stream: &mut SocketStream, faults: &ExecFaults, ponged: &AtomicBool) {
    if faults.stop_reading {
        std::future::pending().await
    }
    loop {
        let next = match faults.require_ping {
            None => stream.next().await,
            Some(bound) => match tokio::time::timeout(bound, stream.next()).await {
                Ok(next) => next,
                Err(_) => return,
            },
        };
        match next {
            Some(Message::Binary(bytes)) => {
                if let Some(input) = frames::input(session.tty, bytes) {
                    session.input(input).await;
                }
            }
            Some(Message::Text(text)) => match frames::control(&text) {
                Some(Control::Resize { cols, rows }) => session.resize(TermSize { cols, rows }),
                Some(Control::Signal(name)) if !faults.no_signals => {
                    if let Some(signal) = Signal::parse(&name) {
                        session.signal(&signal);
                    }
                }
                _ => {}
            },
            Some(Message::Pong(_)) => ponged.store(true, Ordering::Release),
            Some(Message::Ping(_)) => {}
            None | Some(Message::Close { .. } | Message::Eof) => return,
        }
    }
}

/// Serves a client whose command could not be started.
pub(super) async fn refuse(failed: Failed, tty: bool, client: Client) {
    let Client { socket, options, faults } = client;
    let (mut sink, stream) = socket.split();
    match failed {
        Failed::Program(status, why) => {
            let mut sending = Sending { tty, sink: &mut sink, faults: &faults, left: None };
            let why = if tty { format!("{why}\r\n") } else { format!("{why}\n") };
            if sending.data(frames::Stream::Err, why.into()).await && sending.exit(status).await {
                goodbye(sink, stream, faults.linger.unwrap_or(options.linger)).await;
            }
        }
        Failed::Other(why) => {
            sink.text(frames::error_text(&why)).await;
            sink.finish(stream, 1011, "", GOODBYE).await;
        }
    }
}
