//! An answer: its head, and its body as it comes.

use super::fault::Fault;
use super::outgoing::Upload;
use super::pool::{Conn, Pool};
use crate::error::{Effect, Error, Result};
use crate::stream::ByteStream;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use hyper::HeaderMap;
use hyper::body::{Body as _, Incoming};
use hyper::header::{AsHeaderName, CONTENT_LENGTH};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// An answer. Dropping it before its body ended closes the connection, which is how a stream is left.
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    body: Incoming,
    ctx: Exchange,
}

/// What a body needs to know of its request.
pub(super) struct Exchange {
    /// The connection, until it is free again.
    pub(super) conn: Option<Conn>,
    pub(super) pool: Arc<Pool>,
    pub(super) upload: Arc<Upload>,
    /// What a request that got lost may have left behind.
    pub(super) effect: Effect,
    pub(super) idle: Option<Duration>,
}

impl Response {
    pub(super) fn new(response: hyper::Response<Incoming>, ctx: Exchange) -> Self {
        let (head, body) = response.into_parts();
        let mut response = Self { status: head.status.as_u16(), headers: head.headers, body, ctx };
        if response.body.is_end_stream() {
            response.ctx.finish();
        }
        response
    }

    /// The text of a header, unless it is missing or no text.
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the status is one of success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The length that the server announced, in bytes.
    pub fn content_length(&self) -> Option<u64> {
        self.header(CONTENT_LENGTH)?.parse().ok()
    }

    /// The whole body.
    ///
    /// # Errors
    ///
    /// `Limit` if it is longer than `limit` bytes; whatever ends [`Response::into_stream`].
    pub async fn bytes(self, limit: usize) -> Result<Bytes> {
        let too_long = || Error::limit(format!("the answer is longer than {limit} bytes"));
        let announced = self.content_length().unwrap_or(0);
        if announced > limit as u64 {
            return Err(too_long());
        }
        let mut stream = self.into_stream();
        let Some(first) = stream.next().await.transpose()? else { return Ok(Bytes::new()) };
        if first.len() > limit {
            return Err(too_long());
        }
        let Some(mut next) = stream.next().await.transpose()? else { return Ok(first) };
        let mut whole = BytesMut::with_capacity(usize::try_from(announced).unwrap_or(0).max(first.len()));
        whole.extend_from_slice(&first);
        loop {
            if next.len() > limit - whole.len() {
                return Err(too_long());
            }
            whole.extend_from_slice(&next);
            match stream.next().await.transpose()? {
                Some(more) => next = more,
                None => return Ok(whole.freeze()),
            }
        }
    }

    /// The body as it comes. A clean end means that it is whole.
    ///
    /// # Errors
    ///
    /// `Timeout` if it pauses longer than the request allows, `Unreachable` if the connection ends early, and the
    /// error of the request's own body.
    pub fn into_stream(self) -> ByteStream {
        BodyStream { body: self.body, ctx: self.ctx, pause: None, ended: false }.boxed()
    }
}

impl Exchange {
    /// Frees the connection once the answer is complete.
    fn finish(&mut self) {
        // A server may answer before it took the whole request; what it does with the rest is anybody's guess.
        if let Some(conn) = self.conn.take().filter(|_| self.upload.is_done()) {
            self.pool.put_back(conn);
        }
    }

    /// The error for an exchange that hyper gave up.
    pub(super) fn lost(&self, error: hyper::Error, when: &str) -> Error {
        lost(&self.pool, &self.upload, self.effect, error, when)
    }
}

/// The error for a request that hyper gave up: the body's own one, if that is why.
pub(super) fn lost(pool: &Pool, upload: &Upload, effect: Effect, error: hyper::Error, when: &str) -> Error {
    if let Some(error) = upload.take_error() {
        return error;
    }
    let address = pool.dialer.address();
    if error.is_parse() {
        return Fault::Protocol.because(format!("`{address}` does not answer in HTTP"), error).effect(effect);
    }
    Fault::Lost.because(format!("lost the connection to `{address}` {when}"), error).effect(effect)
}

struct BodyStream {
    body: Incoming,
    ctx: Exchange,
    /// Runs while the body pauses.
    pause: Option<Pause>,
    ended: bool,
}

/// A pause of the body. Its timer is kept and moved only when it fires, so a lively stream costs no timer work.
struct Pause {
    since: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl BodyStream {
    /// Ready once the body has paused for longer than `limit`.
    fn poll_pause(&mut self, cx: &mut Context<'_>, limit: Duration) -> Poll<()> {
        let pause = self.pause.get_or_insert_with(|| Pause { since: None, timer: Box::pin(tokio::time::sleep(limit)) });
        let since = *pause.since.get_or_insert_with(Instant::now);
        loop {
            ready!(pause.timer.as_mut().poll(cx));
            if since + limit <= Instant::now() {
                return Poll::Ready(());
            }
            pause.timer.as_mut().reset(since + limit);
        }
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        loop {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Some(pause) = &mut self.pause {
                        pause.since = None;
                    }
                    // Trailers carry nothing that we asked for.
                    if let Ok(bytes) = frame.into_data() {
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err(self.ctx.lost(error, "in the middle of the answer"))));
                }
                Poll::Ready(None) => {
                    self.ctx.finish();
                    return Poll::Ready(None);
                }
                Poll::Pending => {
                    let Some(limit) = self.ctx.idle else { return Poll::Pending };
                    ready!(self.poll_pause(cx, limit));
                    let address = self.ctx.pool.dialer.address();
                    let text = format!("the answer of `{address}` paused for more than {limit:?} (idle deadline)");
                    return Poll::Ready(Some(Err(Fault::TimedOut.error(text).effect(self.ctx.effect))));
                }
            }
        }
    }
}

impl Stream for BodyStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = ready!(self.poll_body(cx));
        self.ended = !matches!(next, Some(Ok(_)));
        if matches!(next, Some(Err(_))) {
            self.ctx.conn = None;
        }
        Poll::Ready(next)
    }
}
