//! The table of endpoints (section 2.2) and who may use them.

use super::access::{self, Needs, User};
use super::daemon::Daemon;
use super::errors::{Refusal, Result};
use super::{exec, exec_request, files, handlers, log_stream, metrics, notice_requests, reply};
use crate::transport::Method;
use crate::transport::server::{Query, Reply, Request, Response};
use std::sync::Arc;
use std::time::Instant;

/// What a path stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Endpoint {
    SystemInfo,
    Health,
    Changes,
    Change(String),
    Wait(String),
    Services,
    Service,
    Plan,
    Layers,
    Files,
    Logs,
    Exec,
    Websocket(String, String),
    Signals,
    Checks,
    Refresh,
    Notices,
    Notice(String),
    Identities,
    Pairing,
    Metrics,
}

impl Endpoint {
    fn of(segments: &[&str]) -> Option<Self> {
        Some(match *segments {
            ["v1", "system-info"] => Self::SystemInfo,
            ["v1", "health"] => Self::Health,
            ["v1", "changes"] => Self::Changes,
            ["v1", "changes", id] => Self::Change(id.to_owned()),
            ["v1", "changes", id, "wait"] => Self::Wait(id.to_owned()),
            ["v1", "services"] => Self::Services,
            ["v1", "services", _] => Self::Service,
            ["v1", "plan"] => Self::Plan,
            ["v1", "layers"] => Self::Layers,
            ["v1", "files"] => Self::Files,
            ["v1", "logs"] => Self::Logs,
            ["v1", "exec"] => Self::Exec,
            ["v1", "tasks", task, "websocket", name] => Self::Websocket(task.to_owned(), name.to_owned()),
            ["v1", "signals"] => Self::Signals,
            ["v1", "checks"] => Self::Checks,
            ["v1", "checks", "refresh"] => Self::Refresh,
            ["v1", "notices"] => Self::Notices,
            ["v1", "notices", id] => Self::Notice(id.to_owned()),
            ["v1", "identities"] => Self::Identities,
            ["v1", "pairing"] => Self::Pairing,
            ["v1", "metrics"] => Self::Metrics,
            _ => return None,
        })
    }

    /// What GET needs and what POST needs, where they exist.
    fn needs(&self) -> (Option<Needs>, Option<Needs>) {
        match self {
            Self::SystemInfo | Self::Health => (Some(Needs::Open), None),
            Self::Changes | Self::Wait(_) | Self::Logs | Self::Notice(_) => (Some(Needs::User), None),
            Self::Change(_) | Self::Services | Self::Service | Self::Checks | Self::Identities => {
                (Some(Needs::User), Some(Needs::Admin))
            }
            Self::Plan | Self::Websocket(..) => (Some(Needs::Admin), None),
            Self::Files => (Some(Needs::Admin), Some(Needs::Admin)),
            Self::Layers | Self::Exec | Self::Signals | Self::Refresh | Self::Pairing => (None, Some(Needs::Admin)),
            Self::Notices => (Some(Needs::User), Some(Needs::User)),
            Self::Metrics => (Some(Needs::Metrics), None),
        }
    }
}

/// Answers a request.
pub(super) async fn answer(daemon: &Arc<Daemon>, request: Request) -> Reply {
    let begun = Instant::now();
    let what = match request.raw_query.as_str() {
        "" => format!("{} {}", request.method, request.path),
        query => format!("{} {}?{query}", request.method, request.path),
    };
    let over = match request.peer {
        crate::transport::server::Peer::Unix { .. } => "http+unix",
        crate::transport::server::Peer::Tcp(_) => "http",
    };
    let reply = match route(daemon, request).await {
        Ok(reply) => reply,
        Err(refusal) => reply::refused(&refusal).into(),
    };
    let status = match &reply {
        Reply::Response(response) => response.status.as_u16(),
        Reply::Websocket { .. } => 101,
    };
    daemon.log(&format!("{what} {:?} {status} ({over})", begun.elapsed()));
    reply
}

async fn route(daemon: &Arc<Daemon>, mut request: Request) -> Result<Reply> {
    let endpoint = Endpoint::of(&request.segments());
    let endpoint = endpoint.ok_or_else(|| Refusal::not_found("invalid API endpoint requested"))?;
    let (get, post) = endpoint.needs();
    let needs = match request.method {
        Method::GET => get,
        Method::POST => post,
        _ => None,
    };
    let needs = needs.ok_or_else(|| Refusal::method(request.method.as_str()))?;
    let user = access::user(&request, &daemon.book().identities);
    access::check(needs, user, &request.peer)?;
    let is_get = request.method == Method::GET;
    match endpoint {
        Endpoint::Files => files::answer(daemon, request).await.map(Reply::from),
        Endpoint::Logs => log_stream::answer(daemon, &request).map(Reply::from),
        Endpoint::Websocket(task, name) => {
            let connect = exec::connect(daemon, &task, &name, &request)?;
            Ok(match connect {
                Some(connect) => Reply::websocket(crate::transport::HeaderMap::new(), |socket| async {
                    connect.open(socket);
                }),
                None => Response::empty(crate::transport::StatusCode::OK).into(),
            })
        }
        endpoint if is_get => look(daemon, endpoint, request.query, user).await.map(Reply::from),
        endpoint => {
            let body = handlers::body(&mut request).await?;
            act(daemon, endpoint, &body, user).await.map(Reply::from)
        }
    }
}

/// What the real daemon says to whoever asks about one service by its path, or wants to change it: that is its whole
/// answer (version 1.32.1), and clients must meet it here too.
const ONE_SERVICE: &str = "not implemented";

/// Answers a GET.
async fn look(daemon: &Arc<Daemon>, endpoint: Endpoint, query: Query, user: Option<User>) -> Result<Response> {
    let query = &query;
    match endpoint {
        Endpoint::SystemInfo => Ok(handlers::system_info(daemon)),
        Endpoint::Health => handlers::health(daemon, query),
        Endpoint::Changes => handlers::changes(daemon, query),
        Endpoint::Change(id) => handlers::change(daemon, &id),
        Endpoint::Wait(id) => handlers::wait(daemon, &id, query).await,
        Endpoint::Services => Ok(handlers::services(daemon, query)),
        Endpoint::Plan => handlers::plan(daemon, query),
        Endpoint::Checks => handlers::checks(daemon, query),
        Endpoint::Notices => notice_requests::list(daemon, query, user).await,
        Endpoint::Notice(id) => notice_requests::show(daemon, &id, user),
        Endpoint::Identities => Ok(reply::sync(Some(daemon.book().identities.document()))),
        Endpoint::Metrics => Ok(Response::text(crate::transport::StatusCode::OK, metrics::text(&daemon.book()))),
        Endpoint::Service => Err(Refusal::bad(ONE_SERVICE)),
        endpoint => Err(Refusal::internal(format!("{endpoint:?} has no GET"))),
    }
}

/// Answers a POST.
async fn act(daemon: &Arc<Daemon>, endpoint: Endpoint, body: &[u8], user: Option<User>) -> Result<Response> {
    match endpoint {
        Endpoint::Change(id) => handlers::act_on_change(daemon, &id, body),
        Endpoint::Services => super::actions::post(daemon, body),
        Endpoint::Layers => handlers::add_layer(daemon, body),
        Endpoint::Exec => exec_request::post(daemon, body),
        Endpoint::Signals => handlers::signal(daemon, body),
        Endpoint::Checks => handlers::act_on_checks(daemon, body),
        Endpoint::Refresh => handlers::refresh(daemon, body).await,
        Endpoint::Notices => notice_requests::add(daemon, body, user),
        Endpoint::Identities => handlers::change_identities(daemon, body),
        // Only a client with a certificate could, and there is no HTTPS.
        Endpoint::Pairing => Err(Refusal::denied()),
        Endpoint::Service => Err(Refusal::bad(ONE_SERVICE)),
        endpoint => Err(Refusal::internal(format!("{endpoint:?} has no POST"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_endpoints() {
        let of = |path: &str| Endpoint::of(&path.split('/').collect::<Vec<_>>());
        assert_eq!(of("v1/changes/7/wait"), Some(Endpoint::Wait("7".to_owned())));
        assert_eq!(of("v1/checks/refresh"), Some(Endpoint::Refresh));
        assert_eq!(of("v1/tasks/1/websocket/stdio"), Some(Endpoint::Websocket("1".to_owned(), "stdio".to_owned())));
        for path in ["", "v1", "v2/services", "v1/warnings", "v1/changes/7/wait/x"] {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
