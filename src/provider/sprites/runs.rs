//! Runs: the sessions that run now, and the folders of those that were started with `--detach`.
//!
//! A session's id is a process number, which is given out again. So a run is called `SESSION@CREATED`, the second of its
//! birth behind it: no number is given out twice in a second. `SESSION` alone is taken too where it means one run.

use super::api::{ExecText, KillEvent, Session, Sessions};
use super::exec::{Place, RUNS, SpritesExec, attach, folder, takes_signals};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::{Run, RunId};
use crate::operation::{Operation, Step};
use crate::provider::exec::{Event, Exec, ExecSpec, Exit, From, Io, Process, Remote, Runs, Signal};
use crate::provider::retry::retrying;
use crate::stream::{self, ByteStream, Items};
use crate::transport::query::{Query, segment};
use crate::transport::{Method, Request, WebSocket, ndjson};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use serde::Deserialize;
use std::time::Duration;

/// The longest line of an answer to a kill, in bytes.
const LINE: usize = 64 * 1024;

/// Lists the folders: name, status, moment of the end and command, one line each.
const LIST: &str = r#"for d in /var/tmp/esker-runs/*/; do [ -e "$d/command" ] || continue
s=-; e=-; read -r s e 2>/dev/null <"$d/exit"; read -r c <"$d/command"; d=${d%/}; printf '%s\t%s\t%s\t%s\n' "${d##*/}" "$s" "$e" "$c"; done"#;

/// Waits for the end of the run in the folder `$1`; says `STATUS TIME`, or `lost` once its shell is gone without one.
const WAIT: &str = r#"while [ ! -e "$1/exit" ]; do
kill -0 "$(cat "$1/pid")" 2>/dev/null || { [ -e "$1/exit" ] && break; echo lost; exit 0; }
sleep 0.2 || sleep 1; done; cat "$1/exit""#;

/// What a session is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Id {
    /// The server's id.
    pub(super) session: String,
    /// When it began, in Unix seconds.
    created: Option<i64>,
}

impl Id {
    /// The id in the server's word about a session.
    pub(super) fn of(info: &ExecText) -> Self {
        match info {
            ExecText::SessionInfo { session_id, created, .. } => {
                let seconds = created.as_ref().and_then(|number| number.as_i64().or(number.as_f64().map(|n| n as i64)));
                Self { session: session_id.clone(), created: seconds }
            }
            _ => Self { session: String::new(), created: None },
        }
    }

    fn parse(run: &str) -> Self {
        match run.rsplit_once('@').and_then(|(session, created)| Some((session, created.parse().ok()?))) {
            Some((session, created)) => Self { session: session.to_owned(), created: Some(created) },
            None => Self { session: run.to_owned(), created: None },
        }
    }

    /// Its text.
    pub(super) fn run(&self) -> RunId {
        match self.created {
            Some(created) => format!("{}@{created}", self.session).into(),
            None => self.session.as_str().into(),
        }
    }

    /// Whether it may be part of a path and of a shell's line as it is.
    pub(super) fn is_plain(&self) -> bool {
        !self.session.is_empty() && self.session.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    }

    /// Whether `other` may be the same: servers round differently, and some do not say when it began.
    fn is(&self, other: &Self) -> bool {
        let near = |a: i64, b: i64| a.abs_diff(b) <= 1;
        self.session == other.session && self.created.zip(other.created).is_none_or(|(a, b)| near(a, b))
    }
}

impl std::convert::From<&Session> for Id {
    fn from(session: &Session) -> Self {
        Self { session: session.id.clone(), created: session.created.map(jiff::Timestamp::as_second) }
    }
}

/// A run that was found.
enum Found {
    /// A folder, whose session may be over.
    Detached(Id),
    /// A session without one.
    Session(Id, Session),
}

/// The runs of a sandbox.
pub(super) struct SpritesRuns(pub(super) Place);

#[async_trait]
impl Runs for SpritesRuns {
    fn list(&self) -> Items<Run> {
        let place = self.0.clone();
        let all = async move { rows(&place).await };
        futures_util::stream::once(all)
            .flat_map(|rows| match rows {
                Ok(rows) => stream::iter(rows.into_iter().map(Ok)),
                Err(error) => stream::fail(error),
            })
            .boxed()
    }

    async fn attach(&self, id: &RunId, _: From, io: Io) -> Result<Process> {
        match find(&self.0, id).await? {
            Found::Session(id, session) => {
                let (socket, _) = open(&self.0, &id).await?;
                let program = session.command.split(' ').next().unwrap_or_default().to_owned();
                Ok(attach(&self.0, socket, program, session.tty, io).await)
            }
            Found::Detached(id) => {
                let (full, run) = (self.0.full(), id.run());
                Err(Error::conflict(format!("run {run} on `{full}` writes to a file, so there is nothing to join"))
                    .hint(format!(
                        "`esker exec {full} --logs {run}` shows what it wrote, `--wait {run}` waits for its end"
                    )))
            }
        }
    }

    fn logs(&self, id: &RunId) -> ByteStream {
        let (place, id) = (self.0.clone(), id.clone());
        let log = async move {
            let what = format!("read what run {id} wrote");
            let run = match find(&place, &id).await? {
                Found::Detached(id) => id.run(),
                Found::Session(id, _) => {
                    let run = id.run();
                    return Err(Error::not_found(format!("no log of run {run}"))
                        .hint("only runs that were started with --detach have one; --attach joins this one"));
                }
            };
            let query =
                Query::new("").with("path", format!("{}/log", folder(run.as_str()))).with("workingDir", "/").build();
            let path = place.path(&format!("/fs/read{query}"));
            let response = retrying(|| place.client.open(&what, Request::get(&path))).await?;
            Ok(response.into_stream())
        };
        futures_util::stream::once(log).flat_map(|log: Result<ByteStream>| log.unwrap_or_else(stream::fail)).boxed()
    }

    async fn result(&self, id: &RunId) -> Result<Operation<Exit>> {
        let place = self.0.clone();
        match find(&place, id).await? {
            Found::Detached(id) => {
                let operation = id.run().0.into();
                let steps = futures_util::stream::once(async move { ending(&place, &id).await.map(Step::Done) });
                Ok(Operation::new(Some(operation), steps.boxed()))
            }
            // Nobody keeps the status of such a one: whoever wants it has to be there.
            Found::Session(id, session) => {
                let (socket, _) = open(&place, &id).await?;
                let io = Io::Pipes { stdin: crate::provider::exec::StdinMode::None, merge_stderr: false };
                let process = attach(&place, socket, session.command.clone(), session.tty, io).await;
                let steps = stream::unfold(Some(process), |process| async move {
                    let Some(mut process) = process else { return Ok(None) };
                    loop {
                        match process.next().await? {
                            Event::Exit(exit) => return Ok(Some((Step::Done(exit), None))),
                            Event::Note(note) => return Ok(Some((Step::Note(note), Some(process)))),
                            Event::Stdout(_) | Event::Stderr(_) => {}
                        }
                    }
                });
                Ok(Operation::new(Some(id.run().0.into()), steps))
            }
        }
    }

    async fn kill(&self, id: &RunId, signal: Signal, grace: Duration) -> Result<Remote> {
        let id = match find(&self.0, id).await? {
            Found::Session(id, _) => id,
            Found::Detached(id) => {
                if !sessions(&self.0).await?.iter().any(|session| id.is(&session.into())) {
                    return Ok(Remote::Gone);
                }
                id
            }
        };
        kill(&self.0, &id.session, &signal, Some(grace)).await
    }
}

/// The sessions that run.
async fn sessions(place: &Place) -> Result<Vec<Session>> {
    let all: Sessions = place.client.get("list sessions", &place.path("/exec")).await?;
    Ok(all.sessions)
}

/// The folders of detached runs, by their names.
async fn folders(place: &Place) -> Result<Vec<Id>> {
    #[derive(Deserialize)]
    struct Listing {
        #[serde(default)]
        entries: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        name: String,
    }
    let query = Query::new("").with("path", RUNS).with("workingDir", "/").build();
    match place.client.get::<Listing>("list detached runs", &place.path(&format!("/fs/list{query}"))).await {
        Ok(listing) => Ok(listing.entries.iter().map(|entry| Id::parse(&entry.name)).collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The run of this name, or why there is none or more than one.
async fn find(place: &Place, run: &RunId) -> Result<Found> {
    let wanted = Id::parse(run.as_str());
    let (sessions, folders) = tokio::try_join!(sessions(place), folders(place))?;
    let mut found: Vec<Found> =
        folders.iter().filter(|id| wanted.is(id)).map(|id| Found::Detached(id.clone())).collect();
    for session in sessions {
        let id = Id::from(&session);
        if wanted.is(&id) && !folders.iter().any(|folder| folder.is(&id)) {
            found.push(Found::Session(id, session));
        }
    }
    match (found.pop(), found.as_slice()) {
        (Some(one), []) => Ok(one),
        (Some(one), _) => {
            let name = |found: &Found| match found {
                Found::Detached(id) | Found::Session(id, _) => id.run().0,
            };
            let all: Vec<String> = found.iter().chain([&one]).map(name).collect();
            Err(Error::conflict(format!("`{run}` may be any of these runs: {}", all.join(", ")))
                .hint("write one of them"))
        }
        (None, _) => Err(Error::not_found(format!("no run {run} on `{}`", place.full()))
            .hint("`esker exec --sessions` lists the runs; one without --detach is gone once it has ended")),
    }
}

async fn rows(place: &Place) -> Result<Vec<Run>> {
    let sessions = sessions(place).await?;
    let mut runs: Vec<Run> = Vec::new();
    for line in listing(place).await?.lines() {
        let mut parts = line.splitn(4, '\t');
        let (Some(name), Some(status), Some(ended), Some(command)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let id = Id::parse(name);
        let session = sessions.iter().find(|session| id.is(&Id::from(*session)));
        let exit_code: Option<i64> = status.parse().ok();
        let state = match (exit_code, session) {
            (Some(_), _) => "exited",
            (None, Some(_)) => "running",
            (None, None) => "lost",
        };
        runs.push(Run {
            id: name.to_owned(),
            command: command.to_owned(),
            state: state.to_owned(),
            exit_code,
            started_at: id.created.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()),
            ended_at: ended.parse().ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()),
            extra: session.map(extra).unwrap_or_default(),
        });
    }
    for session in &sessions {
        let id = Id::from(session);
        if !runs.iter().any(|run| Id::parse(&run.id).is(&id)) {
            runs.push(Run {
                id: id.run().0,
                command: session.command.clone(),
                state: "running".to_owned(),
                exit_code: None,
                started_at: session.created,
                ended_at: None,
                extra: extra(session),
            });
        }
    }
    runs.sort_by(|a, b| (b.started_at, &b.id).cmp(&(a.started_at, &a.id)));
    Ok(runs)
}

/// What the server says of a session beyond the common model.
fn extra(session: &Session) -> crate::model::Extra {
    let mut extra = session.rest.clone();
    extra.insert("tty".to_owned(), session.tty.into());
    extra
}

/// What a small program over there says, as text. It only looks, so a lost answer is asked for again.
async fn ask(place: &Place, script: &str, argument: &str) -> Result<String> {
    let argv = ["sh", "-c", script, "sh", argument].map(|word| Bytes::copy_from_slice(word.as_bytes())).to_vec();
    retrying(|| async {
        let said = async {
            let mut process = SpritesExec(place.clone()).start(ExecSpec::new(argv.clone())).await?;
            let mut said = Vec::new();
            loop {
                match process.next().await? {
                    Event::Stdout(bytes) => said.extend_from_slice(&bytes),
                    Event::Exit(Exit::Code(0)) => return Ok(String::from_utf8_lossy(&said).into_owned()),
                    Event::Exit(exit) => {
                        let why = format!("cannot look at the runs on `{}`: {exit:?}", place.full());
                        return Err(Error::failure(why));
                    }
                    Event::Stderr(_) | Event::Note(_) => {}
                }
            }
        };
        said.await.map_err(|error: Error| error.effect(Effect::None))
    })
    .await
}

async fn listing(place: &Place) -> Result<String> {
    // Most sandboxes never had a detached run: asking for the folder is cheaper than a program.
    if folders(place).await?.is_empty() { Ok(String::new()) } else { ask(place, LIST, "").await }
}

/// How a detached run ended.
async fn ending(place: &Place, id: &Id) -> Result<Exit> {
    let run = id.run();
    let said = ask(place, WAIT, &folder(run.as_str())).await?;
    match said.split_whitespace().next().and_then(|code| code.parse().ok()) {
        Some(code) => Ok(Exit::Code(code)),
        None => Err(Error::failure(format!("run {run} on `{}` is gone and left no exit status", place.full()))
            .cause("it was killed together with its shell, or the sandbox was restarted")
            .effect(Effect::Unknown)),
    }
}

/// Opens a socket to a session that runs, made sure of by when it began.
pub(super) async fn join(place: &Place, id: &Id) -> Result<(WebSocket, bool)> {
    if !sessions(place).await?.iter().any(|session| id.is(&session.into())) {
        return Err(Error::not_found(format!("session {} has ended meanwhile", id.session)));
    }
    open(place, id).await
}

/// Opens a socket to a session, in the way that old servers know too (section 3.9).
async fn open(place: &Place, id: &Id) -> Result<(WebSocket, bool)> {
    let what = format!("join session {}", id.session);
    let opened = place.client.websocket(&what, &place.path(&format!("/exec/{}", segment(id.session.as_bytes())))).await;
    let socket = match opened {
        Err(error) if error.kind() == ErrorKind::NotFound && !is_dead(&error) => {
            let query = Query::new("").with("id", &id.session).build();
            place.client.websocket(&what, &place.path(&format!("/exec{query}"))).await?
        }
        opened => opened?,
    };
    let takes_signals = takes_signals(&socket);
    Ok((socket, takes_signals))
}

/// Whether the server says that the session is not there, and not that it does not know the path.
fn is_dead(error: &Error) -> bool {
    error
        .parts()
        .wire
        .as_ref()
        .and_then(|wire| wire.message.as_deref())
        .is_some_and(|text| text.contains("session not found"))
}

/// Signals a session, and has it killed if it is still there after `escalate`; without, nothing is waited for.
pub(super) async fn kill(place: &Place, session: &str, signal: &Signal, escalate: Option<Duration>) -> Result<Remote> {
    let what = format!("signal session {session}");
    let limit = format!("{}ms", escalate.unwrap_or_default().as_millis());
    let limit = if escalate.is_none() { "0s".to_owned() } else { limit };
    let query = Query::new("").with("signal", signal.name()).with("timeout", limit).build();
    let path = place.path(&format!("/exec/{}/kill{query}", segment(session.as_bytes())));
    let answer = match place.client.open(&what, Request::new(Method::POST, path).streaming()).await {
        Ok(answer) => answer,
        // 410, and a session that ended before the request came.
        Err(error) if matches!(error.parts().wire.as_ref().and_then(|wire| wire.status), Some(404 | 410)) => {
            return Ok(Remote::Gone);
        }
        Err(error) => return Err(error),
    };
    let mut lines = ndjson::lines(answer.into_stream(), LINE);
    let mut remote = if escalate.is_none() { Remote::Running } else { Remote::Unknown };
    while let Some(line) = lines.next().await.transpose()? {
        let Ok(event) = serde_json::from_slice::<KillEvent>(&line) else { continue };
        match event.kind.as_str() {
            "complete" | "exited" | "killed" => remote = Remote::Gone,
            "error" => return Err(Error::failure(place.client.cannot(&what, &event.message))),
            _ => {}
        }
    }
    Ok(remote)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Id {
        Id::parse(text)
    }

    #[test]
    fn a_run_reads_back_and_may_be_shortened() {
        for text in ["840@1767609000", "840", "a@b@7"] {
            assert_eq!(id(text).run().0, text);
        }
        let full = id("840@1767609000");
        assert!(id("840").is(&full) && full.is(&id("840@1767609001")));
        assert!(!full.is(&id("840@1767609005")), "the number was given to another program");
        assert!(!full.is(&id("841@1767609000")));
    }

    #[test]
    fn an_id_comes_out_of_the_servers_word() {
        let info = |text: &str| Id::of(&serde_json::from_str(text).unwrap());
        assert_eq!(info(r#"{"type":"session_info","session_id":840,"created":1767609000.7}"#), id("840@1767609000"));
        assert_eq!(info(r#"{"type":"session_info","session_id":"840"}"#), id("840"));
    }

    #[test]
    fn only_plain_ids_become_folders() {
        assert!(id("840").is_plain());
        for odd in ["", "../x", "a'b", "a b"] {
            assert!(!id(odd).is_plain(), "{odd}");
        }
    }
}
