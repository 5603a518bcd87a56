//! The API that a sprite's own programs have: a unix socket at `/.sprite/api.sock` (section 2.12).

use super::errors::{Answer, Refusal};
use super::sprite::Sprite;
use super::tasks::TaskRequest;
use super::{checkpoints, route, services};
use crate::transport::StatusCode;
use crate::transport::server::{Handler, Listener, Reply, Request, Response, serve};
use async_trait::async_trait;
use rustix::fs::{Mode, OFlags, open};
use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

struct Inside(Weak<Sprite>);

/// Listens in `sprite` until it is aborted.
pub(super) fn listen(sprite: &Arc<Sprite>) -> io::Result<tokio::task::AbortHandle> {
    let own = sprite.disk()?.own();
    // The path of a unix socket has 108 bytes, which a temporary directory may well use up.
    let dir = open(&own, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let path = PathBuf::from(format!("/proc/self/fd/{}/api.sock", dir.as_raw_fd()));
    let listener = Listener::unix(path, 0o666).map_err(io::Error::other)?;
    let inside: Arc<dyn Handler> = Arc::new(Inside(Arc::downgrade(sprite)));
    let task = tokio::spawn(async move {
        serve(listener, inside).await;
        drop(dir);
    });
    Ok(task.abort_handle())
}

#[async_trait]
impl Handler for Inside {
    async fn handle(&self, request: Request) -> Reply {
        match self.answer(request).await {
            Ok(reply) => reply,
            Err(refusal) => refusal.into(),
        }
    }
}

impl Inside {
    async fn answer(&self, mut request: Request) -> Answer {
        let sprite = self.0.upgrade().ok_or_else(Refusal::no_sprite)?;
        let segments: Vec<String> = request.segments().into_iter().map(str::to_owned).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let json = |status, value| Ok(Response::json(status, &value).into());
        match (request.method.as_str(), &segments[..]) {
            ("GET", ["v1", "tasks"]) => json(StatusCode::OK, sprite.tasks.list()),
            ("POST", ["v1", "tasks"]) => {
                let asked: TaskRequest = route::body(&mut request).await?;
                json(StatusCode::CREATED, sprite.tasks.create(&asked)?)
            }
            ("GET", ["v1", "tasks", name]) => json(StatusCode::OK, sprite.tasks.get(name)?),
            ("PUT", ["v1", "tasks", name]) => {
                let asked: TaskRequest = route::body(&mut request).await?;
                json(StatusCode::OK, sprite.tasks.put(name, &asked)?)
            }
            ("DELETE", ["v1", "tasks", name]) => {
                sprite.tasks.delete(name)?;
                Ok(Response::empty(StatusCode::NO_CONTENT).into())
            }
            (_, ["v1", "checkpoint" | "checkpoints", ..]) => checkpoints::route(&sprite, &segments[1..], request).await,
            (_, ["v1", "services", rest @ ..]) => services::route(&sprite, rest, request).await,
            _ => Err(Refusal::no_route()),
        }
    }
}
