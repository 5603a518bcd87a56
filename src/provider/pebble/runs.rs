//! Runs that outlive their command: a run is a change, and its id is the change's.

use super::client::Client;
use super::exec::control::PebbleControl;
use super::exec::{GRACE, PebbleExec, log_path, task_of, verdict};
use super::{api, changes};
use crate::error::{Error, Result};
use crate::model::{Change, OperationId, Run, RunId};
use crate::operation::{Operation, Step};
use crate::provider::Feature;
use crate::provider::exec::{Event, Exit, From, Io, Process, Remote, Runs, Signal};
use crate::stream::{self, ByteStream, Items};
use crate::transport::query::Query;
use async_trait::async_trait;
use futures_util::StreamExt;
use std::time::Duration;

/// The runs of a daemon.
pub(super) struct PebbleRuns(pub(super) Client);

#[async_trait]
impl Runs for PebbleRuns {
    fn list(&self) -> Items<Run> {
        let client = self.0.clone();
        let all = async move {
            let path = Query::new("/v1/changes").with("select", "all").build();
            let changes: Vec<api::Change> = client.get("list runs", &path).await?;
            let mut runs: Vec<Change> =
                changes.into_iter().map(Into::into).filter(|c: &Change| c.kind == "exec").collect();
            runs.sort_by_key(|change| std::cmp::Reverse((change.started_at, change.id.parse::<u64>().ok())));
            Ok(runs.into_iter().map(run))
        };
        futures_util::stream::once(all)
            .flat_map(|runs: Result<_>| match runs {
                Ok(runs) => futures_util::stream::iter(runs.map(Ok)).boxed(),
                Err(error) => stream::fail(error),
            })
            .boxed()
    }

    async fn attach(&self, _: &RunId, _: From, _: Io) -> Result<Process> {
        Err(crate::provider::feature::unsupported(&super::DRIVER, Feature::ExecAttach, "--attach"))
    }

    async fn result(&self, id: &RunId) -> Result<Operation<Exit>> {
        let (first, change) = self.change(id).await?;
        let program = program(&change);
        let watch = changes::watch(&self.0, operation(id), Some(first));
        let client = self.0.clone();
        let steps = stream::unfold(Some((watch, client, program)), |state| async move {
            let Some((mut watch, client, program)) = state else { return Ok(None) };
            match watch.next().await? {
                Step::Progress(progress) => Ok(Some((Step::Progress(progress), Some((watch, client, program))))),
                Step::Note(note) => Ok(Some((Step::Note(note), Some((watch, client, program))))),
                Step::Message(message) => Ok(Some((Step::Message(message), Some((watch, client, program))))),
                Step::Done(change) => Ok(Some((Step::Done(verdict(&client, &change, &program)?), None))),
            }
        });
        Ok(Operation::new(Some(operation(id)), steps))
    }

    fn logs(&self, id: &RunId) -> ByteStream {
        let (exec, id) = (PebbleExec(self.0.clone()), id.clone());
        let start = async move {
            let (_, change) = PebbleRuns(exec.0.clone()).change(&id).await?;
            let path = log_path(&change).ok_or_else(|| Error::internal("a change without a time of birth"))?;
            let process = exec.helper(&["cat", "--", &path]).await?;
            Ok(log(process, id))
        };
        futures_util::stream::once(start).flat_map(|log: Result<ByteStream>| log.unwrap_or_else(stream::fail)).boxed()
    }

    /// Through the control websocket, which a detached run never had. It is given out once: where somebody had it
    /// before, the change is aborted, which kills the program.
    async fn kill(&self, id: &RunId, signal: Signal, grace: Duration) -> Result<Remote> {
        let (first, change) = self.change(id).await?;
        if change.ready {
            return Ok(Remote::Gone);
        }
        let task = task_of(&change)?.id.clone();
        if let Some(control) = PebbleControl::open(&self.0, &task).await? {
            return control.end(signal, grace).await;
        }
        let mut watch = changes::watch(&self.0, operation(id), Some(first));
        watch.cancel().await?;
        let ended = tokio::time::timeout(grace + GRACE, watch.wait()).await;
        Ok(ended.map_or(Remote::Unknown, |_| Remote::Gone))
    }
}

impl PebbleRuns {
    /// The change of a run, as received and as ours; anything else by that id is no run.
    async fn change(&self, id: &RunId) -> Result<(api::Change, Change)> {
        let first = changes::fetch(&self.0, &operation(id)).await?;
        let change = first.clone().into();
        task_of(&change)?;
        Ok((first, change))
    }
}

fn operation(id: &RunId) -> OperationId {
    id.0.as_str().into()
}

/// The program, out of the daemon's `Execute command "PROGRAM"`.
fn program(change: &Change) -> String {
    let quoted = change.summary.strip_prefix("Execute command ").and_then(|text| serde_json::from_str(text).ok());
    quoted.unwrap_or_else(|| change.summary.clone())
}

fn run(change: Change) -> Run {
    let state = match (change.ready, &change.error) {
        (false, _) => "running",
        (true, None) => "exited",
        (true, Some(_)) => "failed",
    };
    Run {
        command: program(&change),
        exit_code: super::exec::exec_task(&change).and_then(|task| task.exit_code).filter(|code| *code >= 0),
        state: state.to_owned(),
        started_at: change.started_at,
        ended_at: change.ready_at,
        id: change.id,
        extra: change.extra,
    }
}

/// What `cat` sends of a log.
fn log(process: Process, id: RunId) -> ByteStream {
    stream::unfold(Some((process, Vec::new(), id)), |state| async move {
        let Some((mut process, mut said, id)) = state else { return Ok(None) };
        loop {
            match process.next().await? {
                Event::Stdout(bytes) => return Ok(Some((bytes, Some((process, said, id))))),
                Event::Stderr(bytes) => said.extend_from_slice(&bytes),
                Event::Note(_) => {}
                Event::Exit(Exit::Code(0)) => return Ok(None),
                Event::Exit(Exit::NotFound(why)) => {
                    return Err(Error::unsupported(format!("cannot read the log of run {id}: {why} there")));
                }
                Event::Exit(_) => {
                    let said = String::from_utf8_lossy(&said).trim().to_owned();
                    return Err(Error::not_found(format!("no log of run {id}"))
                        .cause(said)
                        .hint("only runs that were started with --detach have one"));
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_read_out_of_the_summary() {
        let change = |summary: &str| Change { summary: summary.to_owned(), ..empty() };
        assert_eq!(program(&change("Execute command \"a \\\"b\\\"\"")), "a \"b\"");
        assert_eq!(program(&change("Something else")), "Something else");
    }

    fn empty() -> Change {
        Change {
            id: "1".into(),
            kind: "exec".into(),
            summary: String::new(),
            status: "Doing".into(),
            ready: false,
            error: None,
            started_at: None,
            ready_at: None,
            tasks: Vec::new(),
            extra: serde_json::Map::new(),
        }
    }
}
