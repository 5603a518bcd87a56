//! A connected byte stream of any kind, and one rule about writing to it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What every connection can do.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection: unix, TCP or TLS.
pub(super) type Link = Box<dyn Stream>;

/// A link for HTTP, where a server may answer and hang up before it has read the whole request.
///
/// A write then fails while the answer waits to be read; hyper would report the write and never look at the answer.
/// So a write to a peer that is gone stays pending, and what can be read (the answer, the end or the reset) decides.
pub(super) struct AnswerFirst {
    link: Link,
    broken: bool,
}

impl AnswerFirst {
    pub(super) fn new(link: Link) -> Self {
        Self { link, broken: false }
    }

    pub(super) fn into_inner(self) -> Link {
        self.link
    }

    fn after_write<T>(&mut self, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match result {
            Poll::Ready(Err(e)) if matches!(e.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => {
                self.broken = true;
                Poll::Pending
            }
            other => other,
        }
    }
}

impl AsyncRead for AnswerFirst {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.link).poll_read(cx, buf)
    }
}

impl AsyncWrite for AnswerFirst {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.broken {
            return Poll::Pending;
        }
        let result = Pin::new(&mut self.link).poll_write(cx, buf);
        self.after_write(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.broken {
            return Poll::Pending;
        }
        let result = Pin::new(&mut self.link).poll_write_vectored(cx, bufs);
        self.after_write(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.link.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken {
            return Poll::Pending;
        }
        let result = Pin::new(&mut self.link).poll_flush(cx);
        self.after_write(result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.link).poll_shutdown(cx)
    }
}
