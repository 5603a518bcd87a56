//! The way to a session that a supervisor holds.

use super::wire::{self, From, LONGEST, Line, Request};
use crate::config::reason;
use crate::error::{Error, Result};
use crate::model::{AgentEvent, CommandId, DialogId, LiveSession, Reply};
use crate::provider::agent::{Answer, Command, Session, SessionControl};
use crate::provider::exec::Exit;
use crate::stream::{self, Items};
use async_trait::async_trait;
use futures_util::StreamExt as _;
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
        let following = Following { client: self.clone(), lines, replied, doubts: false };
        let events = stream::unfold(following, |mut following| async move {
            Ok(following.next().await?.map(|event| (event, following)))
        });
        Ok(Session { info: live.agent, events, control: Arc::new(control) })
    }
}

/// How long nothing comes before it is asked whether the end was among what was lost.
const QUIET: Duration = Duration::from_secs(1);

/// The new events of a session, as they come.
struct Following {
    client: Client,
    lines: Items<Line>,
    replied: mpsc::UnboundedReceiver<AgentEvent>,
    /// Whether the end of what the agent does may have been among what was lost.
    doubts: bool,
}

impl Following {
    /// The next event; `None` when the session has ended. What was lost, since it was said faster than it was read, is
    /// told; if the end was among it, there is nothing to wait for.
    async fn next(&mut self) -> Result<Option<AgentEvent>> {
        loop {
            let line = tokio::select! {
                biased;
                Some(reply) = self.replied.recv() => return Ok(Some(reply)),
                line = self.lines.next() => line.transpose()?,
                () = tokio::time::sleep(QUIET), if self.doubts => {
                    if self.client.show().await?.state == "idle" {
                        return Err(Error::failure("the end of the answer is among the events that were lost")
                            .hint(format!("`esker agent logs {}` prints what is left", self.client.name)));
                    }
                    continue;
                }
            };
            return Ok(match line {
                None => None,
                Some(Line::Gap(lost)) => {
                    self.doubts = true;
                    let text = format!("{lost} events were lost: they came faster than they were read");
                    Some(AgentEvent::Notice { level: "warning".to_owned(), text })
                }
                Some(Line::Entry(entry)) => {
                    self.doubts &= !matches!(entry.event, AgentEvent::End { .. });
                    Some(entry.event)
                }
            });
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AgentInfo, AgentUsage, EndReason, Time};
    use tokio::net::UnixListener;

    fn idle() -> LiveSession {
        LiveSession {
            name: "fix".to_owned(),
            state: "idle".to_owned(),
            agent: AgentInfo::default(),
            endpoint: "pi".to_owned(),
            host: None,
            turns: 1,
            usage: AgentUsage::default(),
            questions: Vec::new(),
            tools: Vec::new(),
            attached: 1,
            started_at: Time::UNIX_EPOCH,
            active_at: Time::UNIX_EPOCH,
            idle_limit_seconds: None,
            ended: None,
            pid: 1,
        }
    }

    /// A session that is idle and whose events are these lines, and nothing more.
    fn played(lines: Vec<String>) -> (tempfile::TempDir, Client) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("fix.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (read, mut write) = stream.into_split();
                let mut asked = String::new();
                BufReader::new(read).read_line(&mut asked).await.unwrap();
                let answer = if asked.contains("events") {
                    format!("\n{}\n", lines.join("\n"))
                } else {
                    wire::answer(Ok(serde_json::to_value(idle()).unwrap())) + "\n"
                };
                write.write_all(answer.as_bytes()).await.unwrap();
                held.push(write);
            }
        });
        (folder, Client::new("fix", socket))
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_lost_is_told_and_an_end_that_was_lost_is_not_waited_for() {
        let end = AgentEvent::End { reason: EndReason::Completed, final_text: "done".to_owned(), error: None };
        let entry = wire::Entry { event: end.clone(), seq: 9, time: Time::UNIX_EPOCH };
        let told = vec![Line::gap(7), serde_json::to_string(&entry).unwrap()];
        let (_folder, client) = played(told);
        let mut events = client.open().await.unwrap().events;
        let first = events.next().await.unwrap().unwrap();
        assert!(matches!(&first, AgentEvent::Notice { level, text } if level == "warning" && text.starts_with("7 ")));
        assert_eq!(events.next().await.unwrap().unwrap(), end);

        let (_folder, client) = played(vec![Line::gap(7)]);
        let mut events = client.open().await.unwrap().events;
        assert!(events.next().await.unwrap().is_ok());
        let error = events.next().await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "the end of the answer is among the events that were lost");
    }
}
