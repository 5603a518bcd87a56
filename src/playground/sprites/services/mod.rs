//! Services: programs that a sprite starts by itself and keeps running (section 2.7).

mod log;
mod run;
mod service;

use self::log::{Event, complete, lines_of};
use self::service::{Definition, Service};
use super::errors::{Answer, Refusal};
use super::sprite::Sprite;
use super::times;
use crate::provider::exec::Signal;
use crate::transport::StatusCode;
use crate::transport::server::{Reply, Request, Response};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The longest body, in bytes.
const MAX_BODY: usize = 1 << 20;

/// The most services of one sprite.
const MAX_SERVICES: usize = 100;

/// How long what happens is told, and how long a service may take to stop, by default.
const WATCH: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(10);

/// What may be sent to a service.
const SIGNALS: &[&str] = &["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM"];

/// The services of a sprite.
#[derive(Default)]
pub(super) struct Services(Mutex<BTreeMap<String, Arc<Service>>>);

#[derive(Debug, Deserialize)]
struct SignalRequest {
    name: String,
    signal: String,
}

impl Services {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Service>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, name: &str) -> Answer<Arc<Service>> {
        self.lock().get(name).cloned().ok_or_else(|| Refusal::json(404, format!("service not found: {name}")))
    }

    fn all(&self) -> Vec<Arc<Service>> {
        self.lock().values().cloned().collect()
    }

    /// The programs that run for them.
    pub(super) fn leaders(&self) -> Vec<i32> {
        self.all().iter().filter_map(|service| Some(service.running()?.pid())).collect()
    }

    /// Forgets what runs, so that nothing is started again: the machine is going down.
    pub(super) fn halt(&self) {
        self.all().iter().for_each(|service| service.halt());
    }

    /// Adds or replaces one. Returns the one that it replaced.
    fn put(&self, name: &str, definition: Definition) -> Answer<(Arc<Service>, Option<Arc<Service>>)> {
        let mut services = self.lock();
        if !services.contains_key(name) && services.len() >= MAX_SERVICES {
            return Err(Refusal::json(400, "too many services"));
        }
        for need in &definition.needs {
            if need == name || !services.contains_key(need) {
                return Err(Refusal::json(400, format!("service {name} needs unknown service: {need}")));
            }
        }
        if definition.needs.iter().any(|need| reaches(&services, need, name)) {
            return Err(Refusal::json(400, format!("service {name} would need itself")));
        }
        if definition.http_port.is_some()
            && let Some(other) =
                services.values().find(|other| other.name != name && other.definition.http_port.is_some())
        {
            return Err(Refusal::json(409, format!("service {} already has an http_port", other.name)));
        }
        let service = Service::new(name, definition);
        let before = services.insert(name.to_owned(), Arc::clone(&service));
        Ok((service, before))
    }

    /// Takes one out, unless another needs it.
    fn remove(&self, name: &str) -> Answer<Arc<Service>> {
        let mut services = self.lock();
        if let Some(other) = services.values().find(|other| other.definition.needs.iter().any(|need| need == name)) {
            return Err(Refusal::json(409, format!("service {} needs {name}", other.name)));
        }
        services.remove(name).ok_or_else(|| Refusal::json(404, format!("service not found: {name}")))
    }

    /// `name` and what it needs, what is needed first.
    fn with_needs(&self, name: &str) -> Vec<Arc<Service>> {
        fn visit(
            services: &BTreeMap<String, Arc<Service>>,
            name: &str,
            seen: &mut BTreeSet<String>,
            all: &mut Vec<Arc<Service>>,
        ) {
            let Some(service) = services.get(name).filter(|_| seen.insert(name.to_owned())) else { return };
            for need in &service.definition.needs {
                visit(services, need, seen, all);
            }
            all.push(Arc::clone(service));
        }
        let mut all = Vec::new();
        visit(&self.lock(), name, &mut BTreeSet::new(), &mut all);
        all
    }
}

/// Whether `from` needs `to`, directly or not.
fn reaches(services: &BTreeMap<String, Arc<Service>>, from: &str, to: &str) -> bool {
    from == to
        || services
            .get(from)
            .is_some_and(|service| service.definition.needs.iter().any(|need| reaches(services, need, to)))
}

/// Starts every service that was not stopped on purpose, in the order of their needs.
pub(super) fn start_all(sprite: &Arc<Sprite>) {
    for service in sprite.services.all().into_iter().filter(|service| service.is_wanted()) {
        start(sprite, &service.name);
    }
}

/// Starts a service, and first what it needs.
fn start(sprite: &Arc<Sprite>, name: &str) {
    for service in sprite.services.with_needs(name) {
        service.start(sprite);
    }
}

/// Makes a service as a sprite's owner would, and starts it.
pub(super) fn define(sprite: &Arc<Sprite>, name: &str, definition: &Value) -> Answer<()> {
    let definition = serde_json::from_value(definition.clone()).map_err(|error| Refusal::json(400, error))?;
    sprite.services.put(name, definition)?;
    start(sprite, name);
    Ok(())
}

/// Routes below `B/services`.
pub(super) async fn route(sprite: &Arc<Sprite>, rest: &[&str], mut request: Request) -> Answer {
    let services = &sprite.services;
    match (request.method.as_str(), rest) {
        ("GET", []) => {
            let all: Vec<Value> = services.all().iter().map(|service| service.to_json()).collect();
            Ok(Response::json(StatusCode::OK, &all).into())
        }
        ("POST", ["signal"]) => {
            let body: SignalRequest = json(&mut request).await?;
            signal(sprite, &body)
        }
        ("GET", [name]) => Ok(Response::json(StatusCode::OK, &services.find(name)?.to_json()).into()),
        ("PUT", [name]) => {
            let watch = duration(&request, "duration", WATCH)?;
            let definition: Definition = json(&mut request).await?;
            definition.check(name)?;
            let (service, before) = services.put(name, definition)?;
            if let Some(before) = before {
                before.stop(PATIENCE).await;
            }
            let (sprite, name) = (Arc::clone(sprite), service.name.clone());
            Ok(log::watched(&service, watch, async move { start(&sprite, &name) }))
        }
        ("DELETE", [name]) => {
            services.remove(name)?.stop(PATIENCE).await;
            Ok(Response::empty(StatusCode::NO_CONTENT).into())
        }
        ("POST", [name, "start"]) => {
            let (watch, service) = (duration(&request, "duration", WATCH)?, services.find(name)?);
            let (sprite, name) = (Arc::clone(sprite), service.name.clone());
            Ok(log::watched(&service, watch, async move { start(&sprite, &name) }))
        }
        ("POST", [name, "restart"]) => {
            let (watch, service) = (duration(&request, "duration", WATCH)?, services.find(name)?);
            service.stop(PATIENCE).await;
            let (sprite, name) = (Arc::clone(sprite), service.name.clone());
            Ok(log::watched(&service, watch, async move { start(&sprite, &name) }))
        }
        ("POST", [name, "stop"]) => {
            let (patience, service) = (duration(&request, "timeout", PATIENCE)?, services.find(name)?);
            Ok(stopping(service, patience))
        }
        ("GET", [name, "logs"]) => {
            let service = services.find(name)?;
            let lines = match request.query.text("lines") {
                None => usize::MAX,
                Some(text) => text.parse().map_err(|_| Refusal::json(400, "invalid lines"))?,
            };
            Ok(log::logs(&service, lines, duration(&request, "duration", Duration::ZERO)?))
        }
        (_, [] | [_] | [_, "start" | "stop" | "restart" | "logs"]) => Err(Refusal::method()),
        _ => Err(Refusal::no_route()),
    }
}

/// Stops a service and tells how.
fn stopping(service: Arc<Service>, patience: Duration) -> Reply {
    let (sender, events) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        // Three lines; whoever hung up misses them.
        let _ = sender.send(Event::stopping(&service.name));
        let status = service.stop(patience).await;
        let _ = sender.send(Event::stopped(status));
        let _ = sender.send(complete(&service.name));
    });
    lines_of(events)
}

fn signal(sprite: &Sprite, body: &SignalRequest) -> Answer {
    let service = sprite.services.find(&body.name)?;
    let signal = Signal::parse(&body.signal).filter(|signal| SIGNALS.contains(&signal.name()));
    let signal = signal.ok_or_else(|| Refusal::json(400, format!("invalid signal: {}", body.signal)))?;
    let sent = service.running().is_some_and(|running| running.signal_group(&signal));
    if !sent {
        return Err(Refusal::json(409, format!("service not running: {}", body.name)));
    }
    Ok(Response::empty(StatusCode::NO_CONTENT).into())
}

async fn json<T: serde::de::DeserializeOwned>(request: &mut Request) -> Answer<T> {
    let bytes = request.bytes(MAX_BODY).await.map_err(|error| Refusal::json(400, error))?;
    serde_json::from_slice(&bytes).map_err(|error| Refusal::json(400, format!("invalid request body: {error}")))
}

/// A duration of the query: strictly as Go writes them.
fn duration(request: &Request, name: &str, default: Duration) -> Answer<Duration> {
    match request.query.text(name).filter(|text| !text.is_empty()) {
        None => Ok(default),
        Some(text) => times::duration(&text).ok_or_else(|| Refusal::json(400, format!("invalid {name}: {text}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn put(services: &Services, name: &str, definition: Value) -> Result<(), u16> {
        let definition: Definition = serde_json::from_value(definition).unwrap();
        services.put(name, definition).map(|_| ()).map_err(|refusal| refusal.0.status.as_u16())
    }

    #[test]
    fn needs_come_first_and_make_no_circle() {
        let services = Services::default();
        assert_eq!(put(&services, "web", json!({"cmd":"x","needs":["db"]})), Err(400));
        put(&services, "db", json!({"cmd":"x"})).unwrap();
        put(&services, "cache", json!({"cmd":"x","needs":["db"]})).unwrap();
        put(&services, "web", json!({"cmd":"x","needs":["cache","db"]})).unwrap();
        let order: Vec<_> = services.with_needs("web").iter().map(|service| service.name.clone()).collect();
        assert_eq!(order, ["db", "cache", "web"]);
        assert_eq!(put(&services, "db", json!({"cmd":"x","needs":["web"]})), Err(400));
        assert_eq!(services.remove("db").err().unwrap().0.status, 409);
        assert!(services.remove("web").is_ok());
    }

    #[test]
    fn one_service_has_the_http_port() {
        let services = Services::default();
        put(&services, "a", json!({"cmd":"x","http_port":8080})).unwrap();
        assert_eq!(put(&services, "b", json!({"cmd":"x","http_port":9090})), Err(409));
        put(&services, "a", json!({"cmd":"x","http_port":9090})).unwrap();
        put(&services, "b", json!({"cmd":"x"})).unwrap();
    }
}
