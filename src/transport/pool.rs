//! Connections that wait for their next request.

use super::dial::Dialer;
use super::fault::Fault;
use super::link::AnswerFirst;
use super::outgoing::Outgoing;
use crate::error::Result;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::sync::{Mutex, PoisonError};
use tokio::task::JoinHandle;

/// The most hyper buffers per direction, in bytes. Its read buffer starts at 8 KiB and grows only while answers fill
/// it, so many small connections stay lean and one large body is read in large pieces.
const BUFFER: usize = 256 * 1024;

/// How many idle connections are kept.
const IDLE: usize = 16;

/// A connection that carries one request at a time. Dropping it closes it at once, whatever is under way.
pub(super) struct Conn {
    pub(super) sender: SendRequest<Outgoing>,
    task: JoinHandle<()>,
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The idle connections to one address, and how to make more.
pub(super) struct Pool {
    pub(super) dialer: Dialer,
    idle: Mutex<Vec<Conn>>,
}

impl Pool {
    pub(super) fn new(dialer: Dialer) -> Self {
        Self { dialer, idle: Mutex::default() }
    }

    /// An idle connection that is still open, as far as can be told.
    pub(super) async fn idle(&self) -> Option<Conn> {
        if self.lock().is_empty() {
            return None;
        }
        // A hang-up that has arrived since is noticed by the connections' own tasks, once the runtime has looked at
        // its sockets (the first yield) and run those tasks (the second): a request that cannot be repeated must
        // not go to a connection that is known to be dead.
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        loop {
            let mut conn = self.lock().pop()?;
            if !conn.sender.is_closed() && conn.sender.ready().await.is_ok() {
                return Some(conn);
            }
        }
    }

    /// A new connection.
    pub(super) async fn connect(&self) -> Result<Conn> {
        let link = self.dialer.dial().await?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(BUFFER)
            .handshake(TokioIo::new(AnswerFirst::new(link)))
            .await
            .map_err(|error| Fault::Lost.because(format!("cannot talk to `{}`", self.dialer.address()), error))?;
        let task = tokio::spawn(async move {
            // Its errors reach whoever waits for the answer.
            let _ = connection.with_upgrades().await;
        });
        Ok(Conn { sender, task })
    }

    /// Takes back a connection whose request and answer are complete.
    pub(super) fn put_back(&self, conn: Conn) {
        let mut idle = self.lock();
        idle.retain(|conn| !conn.sender.is_closed());
        if idle.len() < IDLE && !conn.sender.is_closed() {
            idle.push(conn);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Conn>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
