//! Services of a sandbox (section 2.7). Logs are in `logs.rs`.

use super::api::{self, ServiceEvent};
use super::client::{Client, path};
use super::logs::{self, LINE_LIMIT};
use crate::error::{Effect, Error, ErrorKind, Result, Wire};
use crate::model::{Extra, Name, Progress, Service, ServiceDetail, Time};
use crate::operation::{Item, Operation, Step};
use crate::provider::exec::Signal;
use crate::provider::services::{Acted, Action, Editor, LogEvent, LogsQuery, ServiceSpec, Services};
use crate::stream::{self, ByteStream, Items};
use crate::suggest::nearest;
use crate::transport::query::segment;
use crate::transport::{Method, Request, ndjson};
use async_trait::async_trait;
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::collections::VecDeque;

/// How long a service is watched after its start: one that ends within is reported as failed, with its output.
const WATCHED: &str = "1s";

/// How long a service may take to stop before it is killed.
const STOP_TIMEOUT: &str = "10s";

/// How many of a failing service's own last lines its error shows; `log` in JSON has all that came.
const SHOWN_OUTPUT: usize = 5;

/// The services of a sandbox.
pub(super) struct SpritesServices {
    pub(super) client: Client,
    pub(super) name: Name,
}

/// What a stream of events is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    Running,
    Stopped,
}

/// A request that was accepted and whose events are still to be read.
struct Begun {
    service: String,
    changed: bool,
    events: Items<ServiceEvent>,
}

#[async_trait]
impl Services for SpritesServices {
    async fn list(&self, names: &[String]) -> Result<Vec<Service>> {
        let services = self.fetch().await?.into_iter().filter(|s| names.is_empty() || names.contains(&s.name));
        Ok(services.map(Into::into).collect())
    }

    async fn show(&self, name: &str) -> Result<ServiceDetail> {
        let what = format!("show `{name}`");
        let service: api::Service =
            match self.client.get(&what, &self.path(&format!("/{}", segment(name.as_bytes())))).await {
                Ok(service) => service,
                Err(error) if error.kind() == ErrorKind::NotFound => return Err(self.unknown(name, error).await),
                Err(error) => return Err(error),
            };
        let config = json!({
            "cmd": service.cmd, "args": service.args, "env": service.env, "dir": service.dir,
            "needs": service.needs, "http_port": service.http_port,
        });
        let words = std::iter::once(&service.cmd).chain(&service.args).map(String::as_str);
        Ok(ServiceDetail {
            command: Some(shown_command(words)),
            pid: service.state.pid,
            config,
            checks: Vec::new(),
            last_operation_id: None,
            service: service.into(),
        })
    }

    async fn act(&self, action: Action, names: &[String]) -> Result<Operation<Vec<Item<Acted>>>> {
        let (aim, rest) = match action {
            Action::Start => (Aim::Running, format!("start?duration={WATCHED}")),
            Action::Restart => (Aim::Running, format!("restart?duration={WATCHED}")),
            Action::Stop => (Aim::Stopped, format!("stop?timeout={STOP_TIMEOUT}")),
            Action::Replan | Action::Autostart => {
                return Err(Error::unsupported(format!("`sprites` does not support `svc {}`", action.verb())));
            }
        };
        let before = self.fetch().await?;
        // Every name is known before anything is done.
        for name in names {
            if !before.iter().any(|service| &service.name == name) {
                return Err(self.missing(name, &before));
            }
        }
        let mut begun = VecDeque::new();
        let mut items = Vec::new();
        for name in names {
            let status = before.iter().find(|s| &s.name == name).map(|s| s.state.status.as_str()).unwrap_or_default();
            let there = match aim {
                Aim::Running => status == "running" && action != Action::Restart,
                Aim::Stopped => status == "stopped",
            };
            let path = self.path(&format!("/{}/{rest}", segment(name.as_bytes())));
            let what = format!("{} `{name}`", action.verb());
            // One that cannot be acted on does not keep the others from it.
            match self.events(&what, Request::post(path)).await {
                Ok(events) => begun.push_back(Begun { service: name.clone(), changed: !there, events }),
                Err(error) => items.push(Item { name: name.clone(), outcome: Err(error) }),
            }
        }
        let watcher = Watcher { services: self.again(), action: action.verb(), aim, begun, items, output: Vec::new() };
        Ok(Operation::new(None, watcher.steps()))
    }

    async fn signal(&self, signal: &Signal, names: &[String]) -> Result<Vec<Item<()>>> {
        let mut items = Vec::new();
        for name in names {
            let what = format!("send {} to `{name}`", signal.name());
            let body = json!({"name": name, "signal": signal.name()});
            let path = self.path("/signal");
            let outcome = match self.client.send::<Value>(&what, Method::POST, &path, Some(&body)).await {
                Err(error) if error.kind() == ErrorKind::NotFound => Err(self.unknown(name, error).await),
                outcome => outcome.map(|_| ()),
            };
            items.push(Item { name: name.clone(), outcome });
        }
        Ok(items)
    }

    fn logs(&self, query: LogsQuery) -> Items<LogEvent> {
        logs::logs(self.again(), query)
    }

    fn editor(&self) -> Option<&dyn Editor> {
        Some(self)
    }
}

#[async_trait]
impl Editor for SpritesServices {
    async fn create(&self, spec: ServiceSpec) -> Result<Operation<Acted>> {
        let what = format!("create `{}`", spec.name);
        if spec.name == "signal" {
            // Section 2.7: its route is taken by another call.
            return Err(Error::usage("no service can be called `signal`: the API takes that name for signals"));
        }
        let Some((cmd, args)) = spec.command.split_first() else {
            return Err(Error::usage("a service needs a program to run"));
        };
        if !spec.replace && self.fetch().await?.iter().any(|service| service.name == spec.name) {
            return Err(Error::conflict(self.client.cannot(&what, "there is one of that name"))
                .hint("--replace puts this in its place"));
        }
        let body = api::NewService {
            cmd: cmd.clone(),
            args: args.to_vec(),
            env: spec.env.into_iter().collect(),
            dir: spec.dir,
            needs: spec.needs,
            http_port: spec.http_port,
        };
        let path = self.path(&format!("/{}?duration={WATCHED}", segment(spec.name.as_bytes())));
        let events = self.events(&what, Request::put(path).json(&body)).await?;
        let begun = VecDeque::from([Begun { service: spec.name, changed: true, events }]);
        let services = self.again();
        let watcher =
            Watcher { services, action: "create", aim: Aim::Running, begun, items: Vec::new(), output: Vec::new() };
        let steps = watcher.steps().map(|step| match step? {
            Step::Progress(progress) => Ok(Step::Progress(progress)),
            Step::Note(note) => Ok(Step::Note(note)),
            Step::Message(message) => Ok(Step::Message(message)),
            Step::Done(items) => match items.into_iter().next() {
                Some(item) => item.outcome.map(Step::Done),
                None => Err(Error::internal("a service was made and is not in its own result")),
            },
        });
        Ok(Operation::new(None, steps.boxed()))
    }

    async fn delete(&self, name: &str) -> Result<()> {
        let request = Request::delete(self.path(&format!("/{}", segment(name.as_bytes()))));
        match self.client.fetch(&format!("delete `{name}`"), request).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Err(self.unknown(name, error).await),
            outcome => outcome.map(|_| ()),
        }
    }
}

impl SpritesServices {
    /// The same services, for a stream that outlives the borrow.
    fn again(&self) -> Self {
        Self { client: self.client.clone(), name: self.name.clone() }
    }

    pub(super) fn path(&self, rest: &str) -> String {
        path(&self.name, &format!("/services{rest}"))
    }

    /// The services as the server lists them, sorted by name. Some servers wrap the list.
    pub(super) async fn fetch(&self) -> Result<Vec<api::Service>> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Listed {
            Bare(Vec<api::Service>),
            Wrapped { services: Vec<api::Service> },
        }
        let mut services = match self.client.get("list services", &self.path("")).await? {
            Listed::Bare(services) | Listed::Wrapped { services } => services,
        };
        services.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(services)
    }

    /// Sends a request whose answer is a stream of events.
    async fn events(&self, what: &str, request: Request) -> Result<Items<ServiceEvent>> {
        let response = self.client.open(what, request.streaming()).await?;
        Ok(events(&self.client, what, response.into_stream()))
    }

    /// A service that does not exist, with what was probably meant.
    async fn unknown(&self, name: &str, refusal: Error) -> Error {
        let Ok(known) = self.fetch().await else { return refusal };
        // A 404 may be the sandbox's; then the list failed too.
        let wire = refusal.into_parts().wire.unwrap_or_default();
        self.missing(name, &known).wire(wire)
    }

    fn missing(&self, name: &str, known: &[api::Service]) -> Error {
        let error = Error::not_found(format!("no service `{name}` on `{}/{}`", self.client.endpoint(), self.name));
        match nearest(name, known.iter().map(|service| service.name.as_str())) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("`esker svc list --target {}/{}` shows all", self.client.endpoint(), self.name)),
        }
    }
}

/// The events of a body, one per line.
pub(super) fn events(client: &Client, what: &str, body: ByteStream) -> Items<ServiceEvent> {
    let (client, what) = (client.clone(), what.to_owned());
    let lines = ndjson::lines(body, LINE_LIMIT).filter(|line| {
        // Blank lines keep the connection alive.
        let wanted = !matches!(line, Ok(line) if line.trim_ascii().is_empty());
        async move { wanted }
    });
    lines.map(move |line| client.read(&what, &line?)).boxed()
}

/// Follows the events of several services, one after another: they run side by side over there.
struct Watcher {
    services: SpritesServices,
    action: &'static str,
    aim: Aim,
    begun: VecDeque<Begun>,
    items: Vec<Item<Acted>>,
    /// What the service in front wrote so far.
    output: Vec<String>,
}

impl Watcher {
    fn steps(self) -> Items<Step<Vec<Item<Acted>>>> {
        stream::unfold(Some(self), |watcher| async move {
            let Some(mut watcher) = watcher else { return Ok(None) };
            let Some(front) = watcher.begun.front_mut() else {
                let done = watcher.finish().await;
                return Ok(Some((Step::Done(done), None)));
            };
            let service = front.service.clone();
            match front.events.next().await {
                Some(Ok(event)) => {
                    let progress = watcher.take(&service, event);
                    Ok(Some((Step::Progress(progress), Some(watcher))))
                }
                Some(Err(error)) => {
                    // It was asked for; what became of it is not known.
                    watcher.end(Err(error.effect(Effect::Unknown)));
                    Ok(Some((Step::Progress(Progress::default()), Some(watcher))))
                }
                None => {
                    let lost = watcher.lost(&service);
                    watcher.end(Err(lost));
                    Ok(Some((Step::Progress(Progress::default()), Some(watcher))))
                }
            }
        })
    }

    /// Takes one event of the service in front.
    fn take(&mut self, service: &str, event: ServiceEvent) -> Progress {
        let data = event.data.unwrap_or_default();
        let mut progress = Progress { label: format!("{} `{service}`", self.action), ..Progress::default() };
        match event.kind.as_str() {
            "stdout" | "stderr" => {
                let line = data.trim_end_matches(['\r', '\n']);
                self.output.push(line.to_owned());
                progress.log = Some(line.to_owned());
            }
            "error" => self.end_failed(service, &data),
            "exit" if self.aim == Aim::Running => {
                let why = match event.exit_code {
                    Some(code) => format!("it ended at once, with code {code}"),
                    None => "it ended at once".to_owned(),
                };
                self.end_failed(service, &why);
            }
            "complete" => {
                let changed = self.begun.front().is_some_and(|begun| begun.changed);
                self.end(Ok(Acted { service: None, changed }));
            }
            _ => {}
        }
        progress
    }

    fn end_failed(&mut self, service: &str, why: &str) {
        let what = format!("{} `{service}`", self.action);
        let log = std::mem::take(&mut self.output);
        let mut error = Error::failure(self.services.client.cannot(&what, why));
        if !log.is_empty() {
            error = error.cause(log[log.len().saturating_sub(SHOWN_OUTPUT)..].join("\n"));
        }
        let error = error.hint(format!("see `esker svc logs {service} -n 50`"));
        self.end(Err(error.wire(Wire { log, ..Wire::default() })));
    }

    fn end(&mut self, outcome: Result<Acted>) {
        self.output.clear();
        if let Some(begun) = self.begun.pop_front() {
            self.items.push(Item { name: begun.service, outcome });
        }
    }

    /// The stream ended and did not say how.
    fn lost(&self, service: &str) -> Error {
        let what = format!("{} `{service}`", self.action);
        Error::unreachable(
            self.services.client.cannot(&what, "the connection ended before the server said how it went"),
        )
        .effect(Effect::Unknown)
        .hint(format!("see `esker svc show {service}`"))
    }

    /// How the services are afterwards, as a courtesy: without it the outcome is still known.
    async fn finish(&mut self) -> Vec<Item<Acted>> {
        let after = self.services.fetch().await.unwrap_or_default();
        for item in &mut self.items {
            if let Ok(acted) = &mut item.outcome {
                acted.service = after.iter().find(|service| service.name == item.name).cloned().map(Into::into);
            }
        }
        std::mem::take(&mut self.items)
    }
}

impl From<api::Service> for Service {
    fn from(service: api::Service) -> Self {
        let state = service.state;
        let waits = state.next_restart_at.is_some();
        let word = match state.status.as_str() {
            "running" => "active",
            "stopped" => "inactive",
            "failed" if waits => "backoff",
            "failed" => "error",
            "" => "unknown",
            // `starting` and `stopping` need no translation, and neither does what is yet to come.
            other => other,
        };
        let extra = [
            ("status", Some(json!(state.status))),
            ("pid", state.pid.map(|pid| json!(pid))),
            ("restart_count", state.restart_count.map(|count| json!(count))),
            ("next_restart_at", state.next_restart_at.as_ref().map(|at| json!(at))),
            ("needs", Some(json!(service.needs))),
            ("http_port", service.http_port.map(|port| json!(port))),
        ];
        let extra: Extra = extra.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
        Self {
            name: service.name,
            // The supervisor starts every service on boot, unless it was stopped.
            startup: Some(if state.status == "stopped" { "disabled" } else { "enabled" }.to_owned()),
            state: word.to_owned(),
            since: state.started_at.and_then(|at| at.parse::<Time>().ok()),
            last_error: state.error.filter(|error| !error.is_empty()),
            extra,
        }
    }
}

/// A command line as a shell would be given it.
fn shown_command<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let plain =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._/:=@%+,".contains(&b));
    let quoted =
        words.map(|word| if plain(word) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_told_in_our_words_and_kept_in_theirs() {
        let state = |status: &str, next: Option<&str>| {
            let service: Service = api::Service {
                name: "web".into(),
                state: api::ServiceState {
                    status: status.into(),
                    next_restart_at: next.map(Into::into),
                    ..api::ServiceState::default()
                },
                ..api::Service::default()
            }
            .into();
            (service.state, service.extra["status"].clone())
        };
        assert_eq!(state("running", None), ("active".into(), json!("running")));
        assert_eq!(state("failed", None).0, "error");
        assert_eq!(state("failed", Some("2026-01-01T00:00:00Z")).0, "backoff");
        assert_eq!(state("hibernating", None).0, "hibernating");
    }

    #[test]
    fn a_command_line_can_be_pasted() {
        assert_eq!(shown_command(["sh", "-c", "echo 'hi' $X"].into_iter()), r"sh -c 'echo '\''hi'\'' $X'");
    }
}
