//! The thread that writes to stdout and stderr for the lanes, behind a short queue.

use super::Fd;
use crate::error::{Error, Result};
use crate::output::sink::Streams;
use crate::output::{Output, lock, stdout_failed};
use bytes::Bytes;
use std::io;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot};

/// Chunks that may wait; more would only hide how slow the reader is.
const QUEUE: usize = 4;

type Task = Box<dyn FnOnce(&Streams) -> io::Result<()> + Send>;

enum Job {
    Write(Fd, Bytes),
    /// Something that writes more than fits into memory.
    Print(Task),
    Flush(oneshot::Sender<()>),
}

/// The queue of the writer thread. It ends with the last of its clones, after writing what is queued.
#[derive(Clone)]
pub(in crate::output) struct Writer {
    jobs: mpsc::Sender<Job>,
    /// Why stdout failed: everything after it is dropped, and everybody is told.
    failure: Arc<Mutex<Option<Failure>>>,
}

/// An I/O error that can be told more than once.
#[derive(Clone, Copy)]
struct Failure {
    code: Option<i32>,
    kind: io::ErrorKind,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self { code: error.raw_os_error(), kind: error.kind() }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        stdout_failed(failure.code.map_or_else(|| failure.kind.into(), io::Error::from_raw_os_error))
    }
}

impl Writer {
    fn start(streams: Arc<Streams>) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let failure = Arc::new(Mutex::new(None));
        let thread = {
            let failure = failure.clone();
            move || run(queue, &streams, &failure)
        };
        // A thread that cannot be started closes the queue, which `send` reports.
        let _ = std::thread::Builder::new().name("output".to_owned()).spawn(thread);
        Self { jobs, failure }
    }

    /// Queues bytes; they are written whole, without another lane's between them.
    pub(super) async fn write(&self, fd: Fd, bytes: Bytes) -> Result<()> {
        if bytes.is_empty() { Ok(()) } else { self.send(Job::Write(fd, bytes)).await }
    }

    /// Has `task` write in the thread, and waits for it.
    pub(super) async fn print(&self, task: impl FnOnce(&Streams) -> io::Result<()> + Send + 'static) -> Result<()> {
        self.send(Job::Print(Box::new(task))).await?;
        self.flush().await
    }

    /// Waits until everything queued so far is written.
    pub(super) async fn flush(&self) -> Result<()> {
        let (done, wait) = oneshot::channel();
        self.send(Job::Flush(done)).await?;
        let _ = wait.await;
        self.check()
    }

    async fn send(&self, job: Job) -> Result<()> {
        self.check()?;
        self.jobs.send(job).await.map_err(|_| Error::internal("the output thread is gone"))
    }

    fn check(&self) -> Result<()> {
        lock(&self.failure).map_or(Ok(()), |failure| Err(failure.into()))
    }
}

impl Output {
    /// The writer thread of this output, started by the first who asks.
    pub(super) fn writer(&self) -> Writer {
        self.0.writer.get_or_init(|| Writer::start(self.0.streams.clone())).clone()
    }
}

fn run(mut queue: mpsc::Receiver<Job>, streams: &Streams, failure: &Mutex<Option<Failure>>) {
    while let Some(job) = queue.blocking_recv() {
        let is_broken = lock(failure).is_some();
        let outcome = match job {
            Job::Write(Fd::Stdout, _) | Job::Print(_) if is_broken => Ok(()),
            Job::Write(fd, bytes) => streams.write(fd, &bytes),
            Job::Print(task) => task(streams),
            Job::Flush(done) => {
                let _ = done.send(());
                Ok(())
            }
        };
        if let Err(error) = outcome {
            lock(failure).get_or_insert(error.into());
        }
    }
}
