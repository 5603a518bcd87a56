//! Exec over HTTP: the frames of a socket as the chunks of a body (section 2.3).

use super::frames::{self, In, Out};
use super::session::{Seat, Session};
use super::start::{self, Command, Failed};
use crate::playground::sprites::errors::{Answer, Refusal};
use crate::playground::sprites::freeze::Hold;
use crate::playground::sprites::sprite::Sprite;
use crate::provider::exec::Signal;
use crate::stream;
use crate::transport::header::X_CONTENT_TYPE_OPTIONS;
use crate::transport::server::{Request, Response};
use crate::transport::{HeaderValue, StatusCode};
use bytes::Bytes;
use futures_util::StreamExt;
use std::sync::Arc;

/// Kills what runs for a client that hung up.
struct Attended {
    session: Arc<Session>,
    seat: Seat,
    _hold: Hold,
}

impl Drop for Attended {
    fn drop(&mut self) {
        self.session.signal(&Signal::parse("KILL").expect("it exists"));
    }
}

/// `POST B/exec`.
pub(super) fn post(sprite: &Arc<Sprite>, request: Request) -> Answer {
    if request.query.first("tty").is_some() {
        return Err(Refusal::text(400, "TTY not supported on POST /exec"));
    }
    if ["id", "detachable", "cc"].iter().any(|name| request.query.first(name).is_some_and(|value| !value.is_empty())) {
        return Err(Refusal::text(400, "Unsupported parameters for POST /exec"));
    }
    let world = sprite.world.upgrade().ok_or_else(Refusal::no_sprite)?;
    let command = Command::of(&request.query, world.options.survive);
    let command = command.ok_or_else(|| Refusal::text(400, "No command specified"))?;
    let (session, pump) = match start::start(&world.processes, sprite, &command) {
        Ok(started) => Session::new(sprite, started, None, None, command.stdin, &world.options),
        Err(Failed::Program(status, why)) => {
            let why = frames::framed(frames::Stream::Err, format!("{why}\n").as_bytes());
            return Ok(answer(stream::iter([Ok(why), Ok(frames::exit_frame(status))])));
        }
        Err(Failed::Other(_)) => return Err(Refusal::text(500, "failed to start process")),
    };
    if command.stdin {
        let (mut body, session) = (request.body, Arc::clone(&session));
        tokio::spawn(async move {
            while let Some(Ok(bytes)) = body.next().await {
                session.input(In::Data(bytes)).await;
            }
            session.input(In::End).await;
        });
    }
    let seat = session.join().ok_or_else(|| Refusal::text(500, "failed to start process"))?;
    tokio::spawn(pump);
    let attended = Attended { session, seat, _hold: sprite.hold() };
    let body = stream::unfold(Some(attended), |attended| async move {
        let Some(mut attended) = attended else { return Ok(None) };
        loop {
            match attended.seat.queue.recv().await {
                Some(Out::Data(stream, bytes)) => {
                    return Ok(Some((frames::framed(stream, &bytes), Some(attended))));
                }
                Some(Out::Text(_)) => {}
                Some(Out::Exit(status)) => return Ok(Some((frames::exit_frame(status), None))),
                None => return Ok(None),
            }
        }
    });
    Ok(answer(body))
}

fn answer(body: stream::Items<Bytes>) -> crate::transport::server::Reply {
    Response::stream(StatusCode::OK, "application/octet-stream", body)
        .header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
        .into()
}
