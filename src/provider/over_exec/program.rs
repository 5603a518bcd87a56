//! A program that is fed and listened to at once.

use crate::error::{Error, Result};
use crate::provider::exec::{Event, Exec, ExecSpec, Exit, Io, Process, StdinMode};
use crate::stream::ByteStream;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use std::time::Duration;

/// The most that is kept of each output of a program whose output is an answer, in bytes.
const OUTPUT_MAX: usize = 64 << 20;

/// How long a program that is no longer wanted may take to end.
const GRACE: Duration = Duration::from_secs(1);

/// A program under way. Its stdin is fed while its events are asked for.
pub struct Program {
    process: Process,
    feeding: Option<BoxFuture<'static, Result<()>>>,
}

/// All that a program said.
#[derive(Debug)]
pub struct Output {
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
    /// How it ended.
    pub exit: Exit,
}

impl Program {
    /// Starts a program that reads `input` to its end; without, its stdin is empty.
    pub async fn start(exec: &dyn Exec, argv: Vec<Bytes>, input: Option<ByteStream>) -> Result<Self> {
        Self::of(exec, ExecSpec::new(argv), input).await
    }

    /// The same with more to it than its arguments.
    async fn of(exec: &dyn Exec, spec: ExecSpec, input: Option<ByteStream>) -> Result<Self> {
        let stdin = if input.is_some() { StdinMode::Known(None) } else { StdinMode::None };
        let spec = ExecSpec { io: Io::Pipes { stdin, merge_stderr: false }, ..spec };
        let mut process = exec.start(spec).await?;
        let feeding = match (input, process.stdin.take()) {
            (Some(mut input), Some(mut stdin)) => Some(Box::pin(async move {
                while let Some(chunk) = input.next().await.transpose()? {
                    if !stdin.write(chunk).await? {
                        // It reads no more; its exit will tell why.
                        return Ok(());
                    }
                }
                stdin.end().await
            }) as BoxFuture<'static, Result<()>>),
            (Some(_), None) => return Err(Error::internal("a program was to be fed and has no stdin")),
            (None, _) => None,
        };
        Ok(Self { process, feeding })
    }

    /// What happens next. If its input fails, the program is killed before it could take the part for the whole, and
    /// the input's error is returned.
    pub async fn next(&mut self) -> Result<Event> {
        loop {
            let Some(feeding) = &mut self.feeding else { return self.process.next().await };
            let fed = tokio::select! {
                event = self.process.next() => return event,
                fed = feeding => fed,
            };
            self.feeding = None;
            if let Err(error) = fed {
                // That it could not be killed changes nothing: its input has no end either.
                let _ = self.process.control.kill(GRACE).await;
                return Err(error);
            }
        }
    }
}

/// Runs a program and collects what it says.
pub async fn output(exec: &dyn Exec, argv: Vec<Bytes>, input: Option<ByteStream>) -> Result<Output> {
    said(Program::start(exec, argv, input).await?).await
}

/// The same for one without input that is more than its arguments.
pub async fn output_of(exec: &dyn Exec, spec: ExecSpec) -> Result<Output> {
    said(Program::of(exec, spec, None).await?).await
}

/// All that it says.
async fn said(mut program: Program) -> Result<Output> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    loop {
        match program.next().await? {
            Event::Stdout(bytes) => keep(&mut stdout, &bytes)?,
            Event::Stderr(bytes) => keep(&mut stderr, &bytes)?,
            Event::Note(_) => {}
            Event::Exit(exit) => return Ok(Output { stdout, stderr, exit }),
        }
    }
}

/// Adds `bytes` to what is kept.
pub(super) fn keep(kept: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    if kept.len() + bytes.len() > OUTPUT_MAX {
        return Err(Error::limit(format!("a program over there said more than {OUTPUT_MAX} bytes")));
    }
    kept.extend_from_slice(bytes);
    Ok(())
}
