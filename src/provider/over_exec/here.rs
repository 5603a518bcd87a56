//! Programs of this machine, for tests of what is made over programs.

use crate::error::{Error, Result};
use crate::model::RunId;
use crate::provider::exec::{
    Control, Event, Exec, ExecSpec, Exit, Io, Process, Remote, Signal, Stdin, StdinMode, TermSize,
};
use crate::stream;
use async_trait::async_trait;
use bytes::Bytes;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{Notify, mpsc};

/// Starts programs here, and counts them.
#[derive(Default)]
pub struct Here {
    /// How many were started.
    pub started: AtomicUsize,
    /// Output beyond so many bytes is lost in silence, as some wires do.
    pub loses_after: Option<usize>,
    /// The directories in which programs are found, if not the usual ones.
    pub path: Option<String>,
}

struct Input(Option<ChildStdin>);

struct Handle(Arc<Notify>);

#[async_trait]
impl Exec for Here {
    async fn start(&self, spec: ExecSpec) -> Result<Process> {
        self.started.fetch_add(1, Ordering::Relaxed);
        let word = |bytes: &Bytes| OsStr::from_bytes(bytes).to_owned();
        let wants_stdin = !matches!(spec.io, Io::Pipes { stdin: StdinMode::None, .. });
        let mut command = Command::new(word(&spec.argv[0]));
        command.args(spec.argv[1..].iter().map(word)).kill_on_drop(true);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if wants_stdin { Stdio::piped() } else { Stdio::null() });
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        let mut child = command.spawn().map_err(|error| Error::failure("cannot start").source(error))?;
        let stdin = child.stdin.take().map(|stdin| Box::new(Input(Some(stdin))) as Box<dyn Stdin>);
        let kill = Arc::new(Notify::new());
        let (sender, receiver) = mpsc::channel(4);
        tokio::spawn(attend(child, sender, Arc::clone(&kill), self.loses_after));
        let events =
            stream::unfold(receiver, |mut receiver| async move { Ok(receiver.recv().await.map(|e| (e, receiver))) });
        Ok(Process::new(None, stdin, Arc::new(Handle(kill)), events))
    }
}

async fn attend(mut child: Child, sender: mpsc::Sender<Event>, kill: Arc<Notify>, loses_after: Option<usize>) {
    let (Some(mut out), Some(mut err)) = (child.stdout.take(), child.stderr.take()) else { return };
    let outs = async {
        let (mut buffer, mut left) = (vec![0; 32 * 1024], loses_after.unwrap_or(usize::MAX));
        while let Ok(len @ 1..) = out.read(&mut buffer).await {
            let shown = len.min(left);
            left -= shown;
            if shown > 0 && sender.send(Event::Stdout(Bytes::copy_from_slice(&buffer[..shown]))).await.is_err() {
                return;
            }
        }
    };
    let errs = async {
        let mut buffer = vec![0; 32 * 1024];
        while let Ok(len @ 1..) = err.read(&mut buffer).await {
            if sender.send(Event::Stderr(Bytes::copy_from_slice(&buffer[..len]))).await.is_err() {
                return;
            }
        }
    };
    let exit = tokio::select! {
        ((), ()) = async { tokio::join!(outs, errs) } => {
            match child.wait().await.ok().and_then(|status| status.code()) {
                Some(code) => Exit::Code(u8::try_from(code).unwrap_or(255)),
                None => Exit::Signal(9),
            }
        }
        () = kill.notified() => {
            let _ = child.kill().await;
            Exit::Signal(9)
        }
    };
    let _ = sender.send(Event::Exit(exit)).await;
}

#[async_trait]
impl Stdin for Input {
    async fn write(&mut self, chunk: Bytes) -> Result<bool> {
        let Some(stdin) = &mut self.0 else { return Ok(false) };
        Ok(stdin.write_all(&chunk).await.is_ok())
    }

    async fn end(&mut self) -> Result<()> {
        self.0 = None;
        Ok(())
    }
}

#[async_trait]
impl Control for Handle {
    async fn signal(&self, _: Signal) -> Result<()> {
        Ok(())
    }

    async fn resize(&self, _: TermSize) -> Result<()> {
        Ok(())
    }

    async fn kill(&self, _: Duration) -> Result<Remote> {
        self.0.notify_one();
        Ok(Remote::Gone)
    }

    async fn detach(&self) -> Result<Option<RunId>> {
        Ok(None)
    }
}
