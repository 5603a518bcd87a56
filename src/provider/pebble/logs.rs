//! Logs. The daemon binds a follow to the services that have a buffer at that moment (pebble #56), and forgets
//! everything when it restarts; following here picks up later services and survives a restart, without a line twice.

use super::client::Client;
use super::names::Names;
use super::{api, services};
use crate::error::{ErrorKind, Result};
use crate::model::{LogEntry, Note, Time};
use crate::provider::replay::Shown;
use crate::provider::services::{LogEvent, LogsQuery};
use crate::stream::{self, Items};
use crate::transport::query::Query;
use crate::transport::{Request, ndjson};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, SelectAll};
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

/// One line holds one entry; the daemon's own buffer is 100 KiB, which JSON may expand six times.
const LINE_LIMIT: usize = 16 << 20;

/// How often a daemon that went away is tried again, at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Log lines of services, oldest first.
pub(super) fn logs(client: &Client, query: LogsQuery) -> Items<LogEvent> {
    if query.follow { follow(client.clone(), query) } else { once(client.clone(), query) }
}

/// What is buffered now.
fn once(client: Client, query: LogsQuery) -> Items<LogEvent> {
    let state = (client, query, None::<VecDeque<LogEntry>>, None::<Items<Bytes>>);
    stream::unfold(state, |(client, query, mut tail, mut lines)| async move {
        let source = match &mut lines {
            Some(lines) => lines,
            None => {
                lines.insert(open(&client, &query, None, query.tail.filter(|_| query.since.is_none()), false).await?)
            }
        };
        // With a start time the newest so many are known only at the end; until then they are kept.
        while tail.is_none() || query.since.is_some() {
            if let Some(line) = source.next().await {
                let entry = parse(&client, &line?)?;
                if query.since.is_none() {
                    return Ok(Some((LogEvent::Entry(entry), (client, query, None, lines))));
                }
                let kept = tail.get_or_insert_default();
                if entry.time >= query.since {
                    kept.push_back(entry);
                }
                if query.tail.is_some_and(|most| kept.len() as u64 > most) {
                    kept.pop_front();
                }
            } else {
                tail.get_or_insert_default();
                break;
            }
        }
        let next = tail.as_mut().and_then(VecDeque::pop_front);
        Ok(next.map(|entry| (LogEvent::Entry(entry), (client, LogsQuery { since: None, ..query }, tail, lines))))
    })
}

/// What is buffered, then what comes.
fn follow(client: Client, query: LogsQuery) -> Items<LogEvent> {
    let state = Following {
        client,
        query,
        streams: SelectAll::new(),
        opened: 0,
        owners: HashMap::new(),
        shown: HashMap::new(),
        state: State::Start,
        queue: VecDeque::new(),
    };
    stream::unfold(state, |mut state| async move {
        let event = state.next().await?;
        Ok(Some((event, state)))
    })
}

/// What one of the streams of a follow brings.
enum Brought {
    /// A line, and the number of the stream that it is from.
    Line(usize, Result<Bytes>),
    /// The stream ended: the daemon stopped, or the connection was lost.
    End,
    /// Some change moved: a service may have started.
    Moved,
}

/// How far a follow is.
enum State {
    Start,
    Streaming,
    /// The connection is lost; it is tried again after this pause.
    Lost(Duration),
}

struct Following {
    client: Client,
    query: LogsQuery,
    streams: SelectAll<BoxStream<'static, Brought>>,
    /// How many streams of lines were opened.
    opened: usize,
    /// Per service, the stream that its lines are taken from. The daemon does not say which services a stream is bound
    /// to, so two may bring those of one that starts at just that moment.
    owners: HashMap<String, usize>,
    /// Per service, what was shown last: what a replay after a reconnect is told apart by.
    shown: HashMap<String, Shown>,
    state: State,
    queue: VecDeque<LogEvent>,
}

impl Following {
    async fn next(&mut self) -> Result<LogEvent> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Ok(event);
            }
            match self.state {
                State::Start => {
                    self.open(self.query.tail.filter(|_| self.query.since.is_none())).await?;
                    self.state = State::Streaming;
                }
                State::Lost(pause) => self.reconnect(pause).await?,
                State::Streaming => match self.streams.next().await {
                    Some(Brought::Line(from, Ok(line))) => {
                        let entry = parse(&self.client, &line)?;
                        if self.admits(from, &entry) {
                            return Ok(LogEvent::Entry(entry));
                        }
                    }
                    Some(Brought::Moved) => self.pick_up().await,
                    Some(Brought::Line(_, Err(error))) if error.kind() != ErrorKind::Unreachable => return Err(error),
                    Some(Brought::Line(_, Err(_)) | Brought::End) | None => self.lose(),
                },
            }
        }
    }

    /// Whether an entry is new, and from the stream that its service is read from.
    fn admits(&mut self, from: usize, entry: &LogEntry) -> bool {
        let owner = *self.owners.entry(entry.service.clone()).or_insert(from);
        owner == from
            && self.shown.entry(entry.service.clone()).or_default().admits(entry)
            && entry.time >= self.query.since
    }

    /// Opens the stream of what is there, and the feed that tells when more may be.
    async fn open(&mut self, tail: Option<u64>) -> Result<()> {
        self.streams.clear();
        self.owners.clear();
        let started = self.started().await?;
        self.read_lines(None, started, tail);
        self.streams.push(moves(self.client.clone()));
        Ok(())
    }

    /// The services that the daemon keeps a buffer of: those that ever started.
    async fn started(&mut self) -> Result<HashSet<String>> {
        let services = services::fetch(&self.client, &self.query.services).await?;
        Ok(services.into_iter().filter(|service| service.current_since.is_some()).map(|s| s.name).collect())
    }

    /// Adds a stream of the lines of `owned`, of which at least those are asked for. The request is sent when it is
    /// polled first and not waited for: the daemon does not answer before there is a line.
    fn read_lines(&mut self, only: Option<Vec<String>>, owned: HashSet<String>, tail: Option<u64>) {
        let number = self.opened;
        self.opened += 1;
        self.owners.extend(owned.into_iter().map(|name| (name, number)));
        let (client, query) = (self.client.clone(), self.query.clone());
        let opening = async move { open(&client, &query, only.as_deref(), tail, true).await };
        let lines = futures_util::stream::once(opening).map(|opened| match opened {
            Ok(lines) => lines,
            Err(error) => futures_util::stream::once(async move { Err(error) }).boxed(),
        });
        let lines = lines.flatten().map(move |line| Brought::Line(number, line));
        self.streams.push(lines.chain(futures_util::stream::iter([Brought::End])).boxed());
    }

    /// Binds to services that started since. Their buffers are younger than our first request, so all of them is new.
    async fn pick_up(&mut self) {
        // A failure here is a failure of the connection: the streams will tell.
        let Ok(started) = self.started().await else { return };
        let fresh: HashSet<String> = started.into_iter().filter(|name| !self.owners.contains_key(name)).collect();
        if !fresh.is_empty() {
            self.read_lines(Some(fresh.iter().cloned().collect()), fresh, None);
        }
    }

    /// The daemon went away. What it buffered before is gone with it, which is said, every time.
    fn lose(&mut self) {
        self.streams.clear();
        self.queue.push_back(LogEvent::Note(Note::Gap(format!(
            "lost the connection to `{}`; waiting for it to come back",
            self.client.endpoint
        ))));
        self.shown.values_mut().for_each(Shown::expect_replay);
        self.state = State::Lost(RETRY.0);
    }

    async fn reconnect(&mut self, pause: Duration) -> Result<()> {
        tokio::time::sleep(pause).await;
        match self.open(None).await {
            Ok(()) => {
                self.queue.push_back(LogEvent::Note(Note::Reconnected { lost: None }));
                self.state = State::Streaming;
            }
            Err(error) if error.kind() == ErrorKind::Unreachable => {
                self.state = State::Lost((pause * 2).min(RETRY.1));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// A feed of the moments at which some change moved (section 2.9). Without notices (old daemons), a slow clock.
fn moves(client: Client) -> BoxStream<'static, Brought> {
    stream::unfold((client, Feed::Start), |(client, feed)| async move {
        let after = match feed {
            Feed::Clock => {
                tokio::time::sleep(Duration::from_secs(2)).await;
                return Ok(Some((Brought::Moved, (client, Feed::Clock))));
            }
            Feed::Start => None,
            Feed::After(after) => Some(after),
        };
        // The first look does not wait: it only finds out from where to wait on, by the daemon's own clock.
        let query = Query::new("/v1/notices").with("types", "change-update");
        let path = match after {
            None => query.build(),
            Some(after) => query.with("timeout", "30s").maybe("after", after.map(|time| time.to_string())).build(),
        };
        match client.fetch("follow changes", Request::get(&path).long_poll(None)).await {
            Ok((_, body)) => {
                let notices: Vec<api::Notice> = client.result("follow changes", &body)?;
                let newest = notices.iter().filter_map(|notice| notice.last_repeated).max();
                Ok(Some((Brought::Moved, (client, Feed::After(newest.or(after.flatten()))))))
            }
            Err(error) if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::Forbidden) => {
                Ok(Some((Brought::Moved, (client, Feed::Clock))))
            }
            Err(error) => Err(error),
        }
    })
    .map(|moved: Result<Brought>| moved.unwrap_or(Brought::End))
    .boxed()
}

/// How the feed goes on.
enum Feed {
    Start,
    After(Option<Time>),
    Clock,
}

/// Opens a stream of lines. `tail` of `None` means all that is buffered.
async fn open(
    client: &Client,
    query: &LogsQuery,
    only: Option<&[String]>,
    tail: Option<u64>,
    follow: bool,
) -> Result<Items<Bytes>> {
    let path = Query::new("/v1/logs")
        .list("services", only.unwrap_or(&query.services))?
        .with("n", tail.map_or_else(|| "-1".to_owned(), |n| n.to_string()))
        .with("follow", if follow { "true" } else { "false" })
        .build();
    let mut request = Request::get(&path);
    if follow {
        request = request.long_poll(None).streaming();
    }
    let response = client.send("read logs", request).await?;
    if response.status != 200 {
        return Err(client.failure("read logs", response).await);
    }
    Ok(ndjson::lines(response.into_stream(), LINE_LIMIT))
}

fn parse(client: &Client, line: &[u8]) -> Result<LogEntry> {
    let entry: api::LogEntry = serde_json::from_slice(line).map_err(|e| client.garbled("read logs", &e.to_string()))?;
    Ok(LogEntry { time: entry.time, service: entry.service, message: entry.message })
}
