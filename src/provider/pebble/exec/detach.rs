//! Programs that are left running: their output goes to a file over there, named after the change (section 3.3: a
//! program whose streams are dropped dies of its next write).
//!
//! A shell over there opens the file and becomes the program, so its exit code is the change's. The name holds the
//! change's id and birth: ids start anew where the daemon keeps no state, and several daemons may share a `/tmp`.

use super::request::Command;
use super::sockets::open;
use super::verdict::exec_task;
use super::{HANDSHAKE, Launch, PebbleExec, control, over};
use crate::error::{Error, Result};
use crate::model::{Change, RunId};
use crate::provider::exec::{ExecSpec, Exit, Process};
use crate::provider::pebble::changes;
use crate::stream;
use crate::transport::{Frame, WsStream};
use std::sync::Arc;

/// Reads the name of its log, creates it for its owner alone (and only if it is not there: names in `/tmp` can be
/// planted), says so, and becomes the program.
const SCRIPT: &str = r#"IFS= read -r esker_log && esker_mask=$(umask) && umask 077 && set -C && : >"$esker_log" &&
set +C && umask "$esker_mask" && echo ready && unset esker_mask && exec "$@" >>"$esker_log" 2>&1 </dev/null"#;

/// Where the output of a detached run is, over there.
pub(in super::super) fn log_path(change: &Change) -> Option<String> {
    let born = change.started_at?.as_nanosecond();
    Some(format!("/tmp/esker-run-{}-{born}.log", change.id))
}

impl PebbleExec {
    /// Starts a program and leaves it: control is never opened, since dropping it would kill the program.
    pub(super) async fn detach(&self, spec: &ExecSpec) -> Result<Process> {
        let mut command = Command::new(spec)?;
        let program = command.program();
        let mut argv = vec!["sh", "-c", SCRIPT, "sh"];
        argv.append(&mut command.command);
        command.command = argv;
        command.split_stderr = false;
        let launch = match self.launch(&command).await? {
            Ok(launch) => Launch { program: program.to_owned(), ..launch },
            Err(_) => {
                return Err(Error::unsupported(format!(
                    "cannot detach on `{}`: that needs `sh` there, which does not exist",
                    self.0.endpoint
                )));
            }
        };
        let change: Change = changes::fetch(&self.0, &launch.change).await?.into();
        let log = log_path(&change).ok_or_else(|| Error::internal("a change without a time of birth"))?;
        let opened = tokio::time::timeout(HANDSHAKE, open(&self.0, &launch.task, "stdio")).await;
        let Ok(Some(socket)) = opened.unwrap_or(Ok(None)) else {
            return self.refused(&launch, super::Wait::start(&self.0, &launch)).await.map(over);
        };
        let (mut sink, mut stream) = socket.split();
        sink.send_binary(format!("{log}\n").into()).await?;
        sink.send_text(control::END).await?;
        let said = ready(&mut stream).await?;
        if said != "ready" {
            return Err(
                Error::failure(format!("cannot detach on `{}`: no log can be made there", self.0.endpoint)).cause(said)
            );
        }
        let run = RunId(launch.change.0.clone());
        let exit = Exit::Detached(run.clone());
        let events = stream::iter([Ok(crate::provider::exec::Event::Exit(exit))]);
        Ok(Process::new(Some(run), None, Arc::new(control::Nobody), events))
    }
}

/// What the shell says before it becomes the program: `ready`, or why not.
async fn ready(stream: &mut WsStream) -> Result<String> {
    let mut said = Vec::new();
    while let Some(Frame::Binary(bytes)) = stream.next().await? {
        said.extend_from_slice(&bytes);
        if said == b"ready\n" {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&said).trim().to_owned())
}

/// The task of a run, or why this change is none.
pub(in super::super) fn task_of(change: &Change) -> Result<&crate::model::Task> {
    exec_task(change).ok_or_else(|| {
        Error::not_found(format!("change {} is not a run of `exec`", change.id))
            .hint("`esker exec --sessions` shows the runs")
    })
}
