//! One connection, which anybody who serves it can cut or reset at any time.

use futures_util::task::AtomicWaker;
use rustix::net::sockopt::set_socket_linger;
use std::io;
use std::os::fd::AsFd as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

/// What a connection is made of.
pub(super) enum Raw {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Unix(UnixStream),
}

/// The connection of a request. Cheap to clone.
#[derive(Clone)]
pub struct Connection(Arc<Shared>);

/// How a connection ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is closed.
    Cut,
    /// It is reset.
    Reset,
    /// Nothing more is sent, and it stays open.
    Stall,
}

struct Shared {
    /// `None` once it is closed.
    raw: Mutex<Option<Raw>>,
    /// After how many more bytes it ends, and how.
    limit: Mutex<Option<(u64, End)>>,
    /// Counts how often everything written was handed to the system.
    flushes: AtomicU64,
    reader: AtomicWaker,
    writer: AtomicWaker,
    flushed: AtomicWaker,
}

impl Connection {
    /// Closes it at once, without another byte.
    pub fn cut(&self) {
        drop(self.take());
        self.wake();
    }

    /// Resets it: over TCP the client gets RST instead of an end. A unix socket has no such thing and is cut.
    pub fn reset(&self) {
        self.reset_at_end();
        self.cut();
    }

    /// Has it reset when it is closed, by whoever does that.
    pub fn reset_at_end(&self) {
        let raw = self.lock();
        let stream = match &*raw {
            Some(Raw::Tcp(stream)) => stream,
            Some(Raw::Tls(stream)) => stream.get_ref().0,
            Some(Raw::Unix(_)) | None => return,
        };
        // A connection that is gone already cannot be told, and need not.
        let _ = set_socket_linger(stream.as_fd(), Some(Duration::ZERO));
    }

    /// Has it end once so many more bytes were sent.
    pub fn end_after(&self, bytes: u64, end: End) {
        *self.0.limit.lock().unwrap_or_else(PoisonError::into_inner) = Some((bytes, end));
    }

    /// How much of `bytes` may be sent; `None` once the limit is reached and nothing is.
    fn allowed(&self, bytes: usize) -> Option<usize> {
        let limit = self.0.limit.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((left, end)) = *limit else { return Some(bytes) };
        if left > 0 {
            return Some(bytes.min(usize::try_from(left).unwrap_or(usize::MAX)));
        }
        match end {
            End::Cut => self.cut(),
            End::Reset => self.reset(),
            End::Stall => {}
        }
        None
    }

    fn sent(&self, bytes: usize) {
        if let Some((left, _)) = &mut *self.0.limit.lock().unwrap_or_else(PoisonError::into_inner) {
            *left = left.saturating_sub(bytes as u64);
        }
    }

    /// One that was closed before anything happened.
    #[cfg(test)]
    pub(super) fn closed() -> Self {
        Wire::closed().connection()
    }

    pub(super) fn flushes(&self) -> u64 {
        self.0.flushes.load(Ordering::Acquire)
    }

    /// Has the task woken when everything was handed to the system, or nothing ever will be.
    pub(super) fn on_flush(&self, cx: &Context<'_>) {
        self.0.flushed.register(cx.waker());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Raw>> {
        self.0.raw.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Raw> {
        self.lock().take()
    }

    fn wake(&self) {
        self.0.reader.wake();
        self.0.writer.wake();
        self.0.flushed.wake();
    }
}

/// The connection as hyper and the websocket codec use it. Dropping it closes the connection.
pub(super) struct Wire(Connection);

impl Wire {
    pub(super) fn new(raw: Raw) -> Self {
        Self::of(Some(raw))
    }

    #[cfg(test)]
    fn closed() -> Self {
        Self::of(None)
    }

    fn of(raw: Option<Raw>) -> Self {
        Self(Connection(Arc::new(Shared {
            raw: Mutex::new(raw),
            limit: Mutex::new(None),
            flushes: AtomicU64::new(0),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
            flushed: AtomicWaker::new(),
        })))
    }

    pub(super) fn connection(&self) -> Connection {
        self.0.clone()
    }

    /// Polls what the connection is made of; who waits is woken also when the connection is cut.
    fn poll<T>(
        &self,
        waker: &AtomicWaker,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Raw, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let mut raw = self.0.lock();
        let Some(open) = raw.as_mut() else { return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())) };
        let polled = poll(open, cx);
        if polled.is_pending() {
            waker.register(cx.waker());
        }
        polled
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.0.cut();
    }
}

/// Calls the same on every kind.
macro_rules! either {
    ($raw:expr, $stream:ident => $call:expr) => {
        match $raw {
            Raw::Tcp($stream) => $call,
            Raw::Tls($stream) => $call,
            Raw::Unix($stream) => $call,
        }
    };
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll(&self.0.0.reader, cx, |raw, cx| either!(raw, stream => Pin::new(stream).poll_read(cx, buf)))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let Some(allowed) = self.0.allowed(buf.len()) else {
            // It is cut, which the next line says, or stalled, which nobody ever wakes up from.
            return self.poll(&self.0.0.writer, cx, |_, _| Poll::Pending);
        };
        let written = self.poll(
            &self.0.0.writer,
            cx,
            |raw, cx| either!(raw, stream => Pin::new(stream).poll_write(cx, &buf[..allowed])),
        );
        if let Poll::Ready(Ok(bytes)) = written {
            self.0.sent(bytes);
        }
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let total = bufs.iter().map(|buf| buf.len()).sum();
        if self.0.allowed(total) != Some(total) {
            let first = bufs.iter().find(|buf| !buf.is_empty()).map_or(&[][..], |buf| &**buf);
            return self.as_mut().poll_write(cx, first);
        }
        let written = self.poll(
            &self.0.0.writer,
            cx,
            |raw, cx| either!(raw, stream => Pin::new(stream).poll_write_vectored(cx, bufs)),
        );
        if let Poll::Ready(Ok(bytes)) = written {
            self.0.sent(bytes);
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.poll(&self.0.0.writer, cx, |raw, cx| either!(raw, stream => Pin::new(stream).poll_flush(cx)));
        if matches!(polled, Poll::Ready(Ok(()))) {
            self.0.0.flushes.fetch_add(1, Ordering::Release);
            self.0.0.flushed.wake();
        }
        polled
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(&self.0.0.writer, cx, |raw, cx| either!(raw, stream => Pin::new(stream).poll_shutdown(cx)))
    }
}
