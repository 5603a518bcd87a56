//! A request's body on its way out, watched: how far it got, and what broke it.

use super::Body;
use crate::error::{Error, Result};
use crate::stream::ByteStream;
use bytes::Bytes;
use futures_util::StreamExt;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

/// What is known about a body while hyper owns it.
#[derive(Default)]
pub(super) struct Upload {
    /// The error of the body itself, which outranks what the connection makes of it.
    error: Mutex<Option<Error>>,
    /// Whether all of it was handed over.
    done: AtomicBool,
    /// Whether its source, not the server, is what everybody waits for.
    starved: AtomicBool,
    /// Counts the chunks handed over.
    chunks: AtomicU64,
}

impl Upload {
    pub(super) fn take_error(&self) -> Option<Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn is_done(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }

    pub(super) fn is_starved(&self) -> bool {
        self.starved.load(Ordering::Relaxed)
    }

    pub(super) fn chunks(&self) -> u64 {
        self.chunks.load(Ordering::Relaxed)
    }
}

/// The body as hyper takes it.
pub(super) struct Outgoing {
    source: Source,
    upload: Arc<Upload>,
}

enum Source {
    Ready(Option<Bytes>),
    /// Bytes of unknown number.
    Open(ByteStream),
    /// Exactly `len` bytes, `left` of which are to come. The chunk that completes them is `held` back until the
    /// stream has ended: hyper would neither see a surplus nor an error after it.
    Exact {
        body: ByteStream,
        len: u64,
        left: u64,
        held: Bytes,
    },
}

impl Outgoing {
    pub(super) fn new(body: Body) -> (Self, Arc<Upload>) {
        let source = match body {
            Body::Empty => Source::Ready(None),
            Body::Bytes(bytes) => Source::Ready(Some(bytes).filter(|bytes| !bytes.is_empty())),
            Body::Stream { body, len: None } => Source::Open(body),
            Body::Stream { body, len: Some(len) } => Source::Exact { body, len, left: len, held: Bytes::new() },
        };
        let upload = Arc::new(Upload::default());
        upload.done.store(matches!(source, Source::Ready(None)), Ordering::Relaxed);
        (Self { source, upload: upload.clone() }, upload)
    }

    /// The next chunk, or `None` at the end.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        match &mut self.source {
            Source::Ready(bytes) => Poll::Ready(bytes.take().map(Ok)),
            Source::Open(body) => poll_filled(body, cx),
            Source::Exact { body, len, left, held } => loop {
                match ready!(poll_filled(body, cx)) {
                    Some(Ok(bytes)) if bytes.len() as u64 > *left => {
                        return Poll::Ready(Some(Err(wrong_length(*len, "more"))));
                    }
                    Some(Ok(bytes)) => {
                        *left -= bytes.len() as u64;
                        if *left > 0 {
                            return Poll::Ready(Some(Ok(bytes)));
                        }
                        *held = bytes;
                    }
                    None if *left > 0 => return Poll::Ready(Some(Err(wrong_length(*len, "fewer")))),
                    None => {
                        let last = std::mem::take(held);
                        self.source = Source::Ready(None);
                        return Poll::Ready(Some(Ok(last)));
                    }
                    failed => return Poll::Ready(failed),
                }
            },
        }
    }
}

/// The next chunk that is not empty; hyper would take an empty one for the end.
fn poll_filled(body: &mut ByteStream, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
    loop {
        match ready!(body.poll_next_unpin(cx)) {
            Some(Ok(bytes)) if bytes.is_empty() => {}
            next => return Poll::Ready(next),
        }
    }
}

fn wrong_length(len: u64, relation: &str) -> Error {
    Error::failure(format!("the content changed while it was sent: it has {relation} than the {len} bytes announced"))
}

/// The body failed; the reason waits in its [`Upload`].
#[derive(Debug)]
pub(super) struct Aborted;

impl std::fmt::Display for Aborted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the request body failed")
    }
}

impl std::error::Error for Aborted {}

impl hyper::body::Body for Outgoing {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        let polled = self.poll_chunk(cx);
        self.upload.starved.store(polled.is_pending(), Ordering::Relaxed);
        Poll::Ready(match ready!(polled) {
            Some(Ok(bytes)) => {
                self.upload.chunks.fetch_add(1, Ordering::Relaxed);
                if matches!(self.source, Source::Ready(None)) {
                    self.upload.done.store(true, Ordering::Relaxed);
                }
                Some(Ok(Frame::data(bytes)))
            }
            Some(Err(error)) => {
                self.source = Source::Ready(None);
                *self.upload.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Some(Err(Aborted))
            }
            None => {
                self.upload.done.store(true, Ordering::Relaxed);
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.source, Source::Ready(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Ready(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Source::Exact { len, .. } => SizeHint::with_exact(*len),
            Source::Open(_) => SizeHint::default(),
        }
    }
}

/// Settles what hyper never looks at: a body that is announced to be empty.
pub(super) async fn settled(body: Body) -> Result<Body> {
    let Body::Stream { mut body, len: Some(0) } = body else { return Ok(body) };
    while let Some(bytes) = body.next().await {
        if !bytes?.is_empty() {
            return Err(wrong_length(0, "more"));
        }
    }
    Ok(Body::Empty)
}
