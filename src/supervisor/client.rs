//! The way to a session that a supervisor holds.

use super::wire::{self, From, LONGEST, Line, Request};
use crate::config::reason;
use crate::error::{Error, Result};
use crate::model::{AgentEvent, CommandId, DialogId, LiveSession, Reply};
use crate::provider::agent::{Answer, Command, Session, SessionControl};
use crate::provider::exec::Exit;
use crate::stream::{self, Items};
use async_trait::async_trait;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;

/// A session that is held elsewhere. Cheap to clone; every request has a connection of its own.
#[derive(Clone, Debug)]
pub struct Client {
    name: String,
    socket: PathBuf,
}

impl Client {
    /// The one of that name. Nothing is connected.
    pub fn new(name: &str, socket: PathBuf) -> Self {
        Self { name: name.to_owned(), socket }
    }

    async fn connect(&self, request: &Request) -> Result<(BufReader<OwnedReadHalf>, OwnedWriteHalf)> {
        let lost = |error: std::io::Error| {
            Error::unreachable(format!("cannot reach the session `{}`: {}", self.name, reason(&error)))
                .hint("`esker agent list` shows whether it runs")
        };
        let (read, mut write) = UnixStream::connect(&self.socket).await.map_err(lost)?.into_split();
        let mut line = serde_json::to_string(request).map_err(Error::internal)?;
        line.push('\n');
        write.write_all(line.as_bytes()).await.map_err(lost)?;
        Ok((BufReader::new(read), write))
    }

    /// A request and its answer.
    pub async fn ask(&self, request: &Request) -> Result<Value> {
        let (mut read, _write) = self.connect(request).await?;
        let mut line = String::new();
        let lost = || Error::unreachable(format!("the session `{}` ended before it had answered", self.name));
        match (&mut read).take(LONGEST as u64).read_line(&mut line).await {
            Ok(count) if count > 0 => wire::read_answer(&line),
            _ => Err(lost()),
        }
    }

    /// How it is.
    pub async fn show(&self) -> Result<LiveSession> {
        let value = self.ask(&Request::Show).await?;
        serde_json::from_value(value).map_err(Error::internal)
    }

    /// A command to the agent, and what it answered.
    pub async fn command(&self, command: Command) -> Result<Value> {
        let reply = self.reply(CommandId(String::new()), command).await?;
        reply.outcome.map_err(|why| Error::failure("the agent refused the command").cause(why))
    }

    async fn reply(&self, id: CommandId, command: Command) -> Result<Reply> {
        #[derive(serde::Deserialize)]
        struct Told {
            command: String,
            outcome: std::result::Result<Value, String>,
        }
        let value = self.ask(&Request::Send { command }).await?;
        let Told { command, outcome } = serde_json::from_value(value).map_err(Error::internal)?;
        Ok(Reply { id, command, outcome })
    }

    /// What happens in it from there on, with gaps. Returns once it is told of everything that comes.
    pub async fn lines(&self, from: From) -> Result<Items<Line>> {
        let (mut read, write) = self.connect(&Request::Events { from }).await?;
        let lost = |error: std::io::Error| Error::unreachable(format!("lost the session: {}", reason(&error)));
        let mut first = String::new();
        read.read_line(&mut first).await.map_err(lost)?;
        Ok(stream::unfold((read, write), move |(mut read, write)| async move {
            let mut text = String::new();
            match read.read_line(&mut text).await {
                Ok(0) => Ok(None),
                Ok(_) => Ok(Some((Line::parse(text.trim_end_matches('\n'))?, (read, write)))),
                Err(error) => Err(lost(error)),
            }
        }))
    }

    /// The session as one that is open here: its new events, and the way to talk to it.
    pub async fn open(&self) -> Result<Session> {
        let live = self.show().await?;
        let lines = self.lines(From::Now).await?;
        let (replies, replied) = mpsc::unbounded_channel();
        let control = Control { client: self.clone(), next: AtomicU64::new(1), replies };
        let events = stream::unfold((lines, replied), |(mut lines, mut replied)| async move {
            use futures_util::StreamExt as _;
            loop {
                let event = tokio::select! {
                    biased;
                    Some(reply) = replied.recv() => Some(reply),
                    line = lines.next() => match line.transpose()? {
                        Some(Line::Entry(entry)) => Some(entry.event),
                        // One who follows live may fall behind, and is told so by the numbers of events.
                        Some(Line::Gap(_)) => continue,
                        None => None,
                    },
                };
                return Ok(event.map(|event| (event, (lines, replied))));
            }
        });
        Ok(Session { info: live.agent, events, control: Arc::new(control) })
    }
}

/// The way to talk to it.
struct Control {
    client: Client,
    next: AtomicU64,
    replies: mpsc::UnboundedSender<AgentEvent>,
}

#[async_trait]
impl SessionControl for Control {
    async fn send(&self, command: Command) -> Result<CommandId> {
        let id = CommandId(format!("c{}", self.next.fetch_add(1, Ordering::Relaxed)));
        let (client, replies, ours) = (self.client.clone(), self.replies.clone(), id.clone());
        tokio::spawn(async move {
            let reply = client.reply(ours.clone(), command).await;
            let reply = reply.unwrap_or_else(|error| Reply {
                id: ours,
                command: String::new(),
                outcome: Err(error.to_string()),
            });
            // Whoever asked may have left.
            let _ = replies.send(AgentEvent::Reply(reply));
        });
        Ok(id)
    }

    async fn answer(&self, dialog: &DialogId, answer: Answer) -> Result<()> {
        self.client.ask(&Request::Answer { dialog: dialog.clone(), answer }).await.map(|_| ())
    }

    async fn close(&self, grace: Duration) -> Result<Exit> {
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        self.client.ask(&Request::Stop { grace_ms }).await.map(|_| Exit::Closed)
    }
}
