//! The files API of a sprite (section 2.6). Every path is resolved from the sprite's own root, see [`super::disk`].

mod change;
mod list;
mod read;
mod spot;
mod watch;
mod write;

use self::spot::Failure;
use super::disk::View;
use super::errors::{Answer, Refusal};
use super::sprite::Sprite;
use crate::transport::StatusCode;
use crate::transport::server::{Reply, Request, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The longest JSON body, in bytes.
const MAX_BODY: usize = 1 << 20;

/// Routes below `B/fs/`.
pub(super) async fn route(sprite: &Arc<Sprite>, rest: &[&str], mut request: Request) -> Answer {
    let view = || sprite.disk().and_then(super::disk::Disk::view).map_err(Refusal::internal);
    match (request.method.as_str(), rest) {
        ("GET", ["read"]) => {
            let (path, part) = (asked(&request)?, read::Asked::of(&request));
            read::read(view()?, path, part).await
        }
        ("PUT", ["write"]) => write::write(view()?, asked(&request)?, request).await,
        ("GET", ["list"]) => {
            let recursive = flag(&request, "recursive");
            let pattern = request.query.text("pattern").map(std::borrow::Cow::into_owned);
            let path = asked(&request)?;
            work(view()?, move |view| list::list(view, &path, recursive, pattern.as_deref())).await
        }
        ("DELETE", ["delete"]) => {
            // The SDKs put it into the query, the documentation into a body.
            let body: change::Delete = body(&mut request).await?;
            let recursive = body.recursive || flag(&request, "recursive");
            let path = match body.path {
                Some(path) => absolute(path.as_bytes(), body.working_dir.as_deref().unwrap_or("/").as_bytes()),
                None => asked(&request)?,
            };
            work(view()?, move |view| change::delete(view, &path, recursive)).await
        }
        ("POST", ["rename"]) => {
            let body = body(&mut request).await?;
            work(view()?, move |view| change::rename(view, &body)).await
        }
        ("POST", ["copy"]) => {
            let body = body(&mut request).await?;
            work(view()?, move |view| change::copy(view, &body)).await
        }
        ("POST", ["chmod"]) => {
            let body = body(&mut request).await?;
            work(view()?, move |view| change::chmod(view, &body)).await
        }
        ("POST", ["chown"]) => {
            let body = body(&mut request).await?;
            work(view()?, move |view| change::chown(view, &body)).await
        }
        ("GET", ["watch"]) => {
            let (sprite, view) = (Arc::clone(sprite), view()?);
            Ok(Reply::websocket(super::version_headers(), async move |socket| {
                let _hold = sprite.hold();
                watch::watch(view, socket).await;
            }))
        }
        (_, ["read" | "write" | "list" | "delete" | "rename" | "copy" | "chmod" | "chown" | "watch"]) => {
            Err(Refusal::method())
        }
        _ => Err(Refusal::no_route()),
    }
}

/// Does what waits for the disk on a thread of its own, and answers with its JSON.
async fn work(view: Arc<View>, work: impl FnOnce(&View) -> Result<Value, Failure> + Send + 'static) -> Answer {
    match tokio::task::spawn_blocking(move || work(&view)).await {
        Ok(Ok(value)) => Ok(Response::json(StatusCode::OK, &value).into()),
        Ok(Err(failure)) => Err(failure.refusal()),
        Err(error) => Err(Refusal::internal(error)),
    }
}

/// The path that the query names, absolute.
fn asked(request: &Request) -> Answer<PathBuf> {
    let path = request.query.first("path").filter(|path| !path.is_empty());
    let path = path.ok_or_else(|| Failure::new("path", Path::new(""), rustix::io::Errno::INVAL).refusal())?;
    Ok(absolute(path, request.query.first("workingDir").unwrap_or(b"/")))
}

/// `path`, which is relative to `dir`, which is relative to the root.
fn absolute(path: &[u8], dir: &[u8]) -> PathBuf {
    Path::new("/").join(OsStr::from_bytes(dir)).join(OsStr::from_bytes(path))
}

fn flag(request: &Request, name: &str) -> bool {
    request.query.first(name) == Some(b"true")
}

/// The JSON of the body; an empty one is an empty object.
async fn body<T: DeserializeOwned>(request: &mut Request) -> Answer<T> {
    let bytes = request.bytes(MAX_BODY).await.map_err(|error| Refusal::json(400, error))?;
    let bytes = if bytes.is_empty() { b"{}" } else { &*bytes };
    serde_json::from_slice(bytes).map_err(|error| Refusal::json(400, format!("Invalid request body: {error}")))
}
