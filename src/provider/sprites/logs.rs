//! Logs of services. The API keeps them one service at a time and ends every stream after a while; here all are merged
//! in the order of time, and following goes on: streams are asked for again, services that come later are picked up,
//! and a lost connection is said and mended, without a line twice.

use super::api::ServiceEvent;
use super::services::{SpritesServices, events};
use crate::error::{Effect, ErrorKind, Result};
use crate::model::{LogEntry, Note, Time};
use crate::provider::replay::Shown;
use crate::provider::services::{LogEvent, LogsQuery};
use crate::stream::{self, Items};
use crate::transport::Request;
use crate::transport::query::{Query, segment};
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, SelectAll};
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

/// The longest line of a stream of events.
pub(super) const LINE_LIMIT: usize = 16 << 20;

/// What is asked for where all that is kept is wanted: the API has no word for it.
const ALL_LINES: u64 = 1_000_000;

/// How long one stream of a follow lasts before it is asked for again.
const STRETCH: &str = "1h";

/// How many kept lines a renewed stream brings, to be told apart from new ones: a pause is short.
const OVERLAP: u64 = 1000;

/// How often it is looked for services that came later.
const LOOK: Duration = Duration::from_secs(5);

/// The pauses before a lost connection is tried again, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Log lines of services, oldest first.
pub(super) fn logs(services: SpritesServices, query: LogsQuery) -> Items<LogEvent> {
    if query.follow { follow(services, query) } else { once(services, query) }
}

/// What is kept now.
fn once(services: SpritesServices, query: LogsQuery) -> Items<LogEvent> {
    let state = (services, query, None::<VecDeque<LogEntry>>);
    stream::unfold(state, |(services, query, kept)| async move {
        let mut kept = match kept {
            Some(kept) => kept,
            None => collect(&services, &query).await?,
        };
        Ok(kept.pop_front().map(|entry| (LogEvent::Entry(entry), (services, query, Some(kept)))))
    })
}

/// The lines of all services that are meant, merged.
async fn collect(services: &SpritesServices, query: &LogsQuery) -> Result<VecDeque<LogEntry>> {
    let mut all = Vec::new();
    for name in names(services, query).await? {
        let lines = query.tail.filter(|_| query.since.is_none()).unwrap_or(ALL_LINES);
        let mut entries = open(services, &name, lines, "0s").await?;
        while let Some(entry) = entries.next().await {
            all.extend(entry?.filter(|entry| entry.time >= query.since));
        }
    }
    // Stable: lines of one instant stay in the order of their service.
    all.sort_by_key(|entry| entry.time);
    let most = query.tail.map_or(usize::MAX, |tail| usize::try_from(tail).unwrap_or(usize::MAX));
    Ok(all.split_off(all.len().saturating_sub(most)).into())
}

async fn names(services: &SpritesServices, query: &LogsQuery) -> Result<Vec<String>> {
    if !query.services.is_empty() {
        return Ok(query.services.clone());
    }
    Ok(services.fetch().await?.into_iter().map(|service| service.name).collect())
}

/// Opens the stream of one service; events that are no lines come as `None`.
async fn open(services: &SpritesServices, name: &str, lines: u64, duration: &str) -> Result<Items<Option<LogEntry>>> {
    let what = format!("read logs of `{name}`");
    let path = Query::new(&services.path(&format!("/{}/logs", segment(name.as_bytes()))))
        .with("lines", lines.to_string())
        .with("duration", duration)
        .build();
    let response = services.client.open(&what, Request::get(path).streaming()).await?;
    let name = name.to_owned();
    let events = events(&services.client, &what, response.into_stream());
    Ok(events.map(move |event| Ok(entry(&name, event?))).boxed())
}

/// A line, if the event is one.
fn entry(service: &str, event: ServiceEvent) -> Option<LogEntry> {
    if !matches!(event.kind.as_str(), "stdout" | "stderr") {
        return None;
    }
    #[allow(clippy::cast_possible_truncation)] // milliseconds of our era fit
    let time = event.timestamp.and_then(|millis| Time::from_millisecond(millis as i64).ok());
    let message = event.data.unwrap_or_default();
    let message = message.trim_end_matches(['\r', '\n']).to_owned();
    Some(LogEntry { time, service: service.to_owned(), message })
}

/// What is kept, then what comes.
fn follow(services: SpritesServices, query: LogsQuery) -> Items<LogEvent> {
    let state = Following {
        services,
        query,
        streams: SelectAll::new(),
        shown: HashMap::new(),
        queue: VecDeque::new(),
        begun: false,
    };
    stream::unfold(state, |mut state| async move {
        let event = state.next().await?;
        Ok(Some((event, state)))
    })
}

/// What the streams of a follow bring.
enum Brought {
    Line(LogEntry),
    /// The stream of a service came to its end, as it does every [`STRETCH`].
    Ended(String),
    /// The stream of a service broke, after so many tries.
    Broke(String, u32, crate::error::Error),
    /// It is time to look for services that came later.
    Look,
}

struct Following {
    services: SpritesServices,
    query: LogsQuery,
    streams: SelectAll<BoxStream<'static, Brought>>,
    /// Per service that is followed, what was shown last.
    shown: HashMap<String, Shown>,
    queue: VecDeque<LogEvent>,
    begun: bool,
}

impl Following {
    async fn next(&mut self) -> Result<LogEvent> {
        if !self.begun {
            self.begin().await?;
        }
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Ok(event);
            }
            match self.streams.next().await {
                Some(Brought::Line(entry)) => {
                    let shown = self.shown.entry(entry.service.clone()).or_default();
                    if shown.admits(&entry) && entry.time >= self.query.since {
                        return Ok(LogEvent::Entry(entry));
                    }
                }
                Some(Brought::Ended(name)) => self.renew(name, 0),
                Some(Brought::Broke(name, tries, error)) => self.mend(name, tries, error)?,
                Some(Brought::Look) => self.look().await,
                // The clock, or a named service, is always there.
                None => return Err(crate::error::Error::internal("a follow has nothing left to follow")),
            }
        }
    }

    /// Shows what is kept, merged, and then follows each service from there.
    async fn begin(&mut self) -> Result<()> {
        self.begun = true;
        let names = names(&self.services, &self.query).await?;
        for entry in collect(&self.services, &self.query).await? {
            self.shown.entry(entry.service.clone()).or_default().admits(&entry);
            self.queue.push_back(LogEvent::Entry(entry));
        }
        for name in names {
            self.renew(name, 0);
        }
        if self.query.services.is_empty() {
            let clock = futures_util::stream::unfold((), |()| async {
                tokio::time::sleep(LOOK).await;
                Some((Brought::Look, ()))
            });
            self.streams.push(clock.boxed());
        }
        Ok(())
    }

    /// Follows a service from what was shown of it last.
    fn renew(&mut self, name: String, tries: u32) {
        self.shown.entry(name.clone()).or_default().expect_replay();
        let services = SpritesServices { client: self.services.client.clone(), name: self.services.name.clone() };
        let pause = if tries == 0 { Duration::ZERO } else { (RETRY.0 * 2_u32.pow(tries.min(10))).min(RETRY.1) };
        let opening = async move {
            tokio::time::sleep(pause).await;
            let opened = open(&services, &name, OVERLAP, STRETCH).await;
            (opened, name)
        };
        let brought = futures_util::stream::once(opening).flat_map(move |(opened, name)| match opened {
            Err(error) => futures_util::stream::once(async move { Brought::Broke(name, tries + 1, error) }).boxed(),
            Ok(entries) => {
                let ended = name.clone();
                let lines = entries.filter_map(move |entry| {
                    let brought = match entry {
                        Ok(entry) => entry.map(Brought::Line),
                        Err(error) => Some(Brought::Broke(name.clone(), 1, error)),
                    };
                    async move { brought }
                });
                // What broke is renewed by that alone.
                until_broken(lines.chain(futures_util::stream::once(async move { Brought::Ended(ended) })).boxed())
            }
        });
        self.streams.push(brought.boxed());
    }

    /// A lost connection is said once and tried again; what cannot pass ends the follow.
    fn mend(&mut self, name: String, tries: u32, error: crate::error::Error) -> Result<()> {
        let passes = matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::TryLater | ErrorKind::Timeout);
        if error.kind() == ErrorKind::NotFound && self.query.services.is_empty() {
            // It was deleted; the others go on.
            self.shown.remove(&name);
            return Ok(());
        }
        if !passes {
            return Err(error.effect(Effect::None));
        }
        if tries == 1 {
            let text = format!("lost the logs of `{name}` on `{}`; asking again", self.services.client.endpoint());
            self.queue.push_back(LogEvent::Note(Note::Gap(text)));
        }
        self.renew(name, tries);
        Ok(())
    }

    /// Binds to services that came later: all of their lines are new.
    async fn look(&mut self) {
        // A failure here is a failure of the connection: the streams will tell.
        let Ok(services) = self.services.fetch().await else { return };
        let known: HashSet<String> = self.shown.keys().cloned().collect();
        for service in services.into_iter().filter(|service| !known.contains(&service.name)) {
            self.renew(service.name, 0);
        }
    }
}

/// Ends a stream after its first break.
fn until_broken(stream: BoxStream<'static, Brought>) -> BoxStream<'static, Brought> {
    futures_util::stream::unfold(Some(stream), |stream| async {
        let mut stream = stream?;
        let brought = stream.next().await?;
        let rest = (!matches!(brought, Brought::Broke(..))).then_some(stream);
        Some((brought, rest))
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_output_is_a_line() {
        let event = |kind: &str| ServiceEvent {
            kind: kind.into(),
            timestamp: Some(1_767_609_000_123.0),
            data: Some("hello\r\n".into()),
            exit_code: None,
        };
        let line = entry("web", event("stderr")).unwrap();
        assert_eq!((line.message.as_str(), line.service.as_str()), ("hello", "web"));
        assert_eq!(line.time.unwrap().as_millisecond(), 1_767_609_000_123);
        assert!(entry("web", event("complete")).is_none());
    }
}
