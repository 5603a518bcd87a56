//! A response's body on its way out.

use super::connection::Connection;
use super::reply::Body;
use crate::stream::ByteStream;
use bytes::Bytes;
use futures_util::StreamExt as _;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The body as hyper takes it.
pub(super) struct Outgoing {
    source: Source,
    connection: Connection,
}

enum Source {
    Ready(Option<Bytes>),
    Open {
        body: ByteStream,
        /// How many bytes are still to come, if that was announced.
        left: Option<u64>,
    },
    /// It failed, or ended early. The connection is cut once what came before is on its way: hyper would drop that.
    Failed {
        /// How often everything was handed to the system, when it failed.
        flushes: u64,
    },
}

/// The body failed, as somebody wanted it to.
#[derive(Debug)]
pub(super) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the response is cut")
    }
}

impl std::error::Error for Cut {}

impl Outgoing {
    pub(super) fn new(body: Body, connection: &Connection) -> Self {
        let source = match body {
            Body::Full(bytes) => Source::Ready(Some(bytes).filter(|bytes| !bytes.is_empty())),
            Body::Stream { body, len } => Source::Open { body, left: len },
        };
        Self { source, connection: connection.clone() }
    }

    /// The next chunk that is not empty, `None` at the end, `Err` if it failed.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        loop {
            match &mut self.source {
                Source::Ready(bytes) => return Poll::Ready(bytes.take().map(Ok)),
                Source::Open { body, left } => match ready!(body.poll_next_unpin(cx)) {
                    Some(Ok(bytes)) if bytes.is_empty() => {}
                    Some(Ok(mut bytes)) => {
                        if let Some(left) = left {
                            bytes.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                            *left -= bytes.len() as u64;
                        }
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                    None if left.is_none_or(|left| left == 0) => self.source = Source::Ready(None),
                    None | Some(Err(_)) => self.source = Source::Failed { flushes: self.connection.flushes() },
                },
                Source::Failed { flushes } => {
                    self.connection.on_flush(cx);
                    if self.connection.flushes() == *flushes {
                        return Poll::Pending;
                    }
                    return Poll::Ready(Some(Err(Cut)));
                }
            }
        }
    }
}

impl hyper::body::Body for Outgoing {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        self.poll_chunk(cx).map(|chunk| chunk.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.source, Source::Ready(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Ready(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Source::Open { left: Some(left), .. } => SizeHint::with_exact(*left),
            _ => SizeHint::default(),
        }
    }
}
