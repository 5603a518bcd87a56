//! Writing a file: straight to its place, as the real one does, so that an upload that breaks leaves half a file.

use super::spot::{Failure, make_directories, octal, parse_mode};
use super::{absolute, flag};
use crate::playground::sprites::disk::View;
use crate::playground::sprites::errors::{Answer, Refusal};
use crate::transport::StatusCode;
use crate::transport::server::{Request, Response};
use bytes::Bytes;
use futures_util::StreamExt;
use rustix::fs::{Mode, OFlags, fchmod};
use rustix::io::Errno;
use serde_json::json;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;

/// How many chunks of the body may be on their way to the disk.
const AHEAD: usize = 16;

/// `PUT fs/write`.
pub(super) async fn write(view: Arc<View>, path: PathBuf, mut request: Request) -> Answer {
    let parents = flag(&request, "mkdirParents") || flag(&request, "mkdir");
    let invalid = || Failure::new("write", &path, Errno::INVAL).refusal();
    let mode = match request.query.text("mode").filter(|mode| !mode.is_empty()) {
        None => None,
        Some(text) => Some(parse_mode(&text).ok_or_else(invalid)?),
    };
    let (sender, receiver) = mpsc::channel::<Bytes>(AHEAD);
    let shown = absolute(path.as_os_str().as_encoded_bytes(), b"/");
    let writing = tokio::task::spawn_blocking(move || save(&view, &path, mode, parents, receiver));
    let mut broken = None;
    while let Some(chunk) = request.body.next().await {
        match chunk {
            // A writer that failed says why below.
            Ok(chunk) => {
                if sender.send(chunk).await.is_err() {
                    break;
                }
            }
            Err(error) => {
                broken = Some(error);
                break;
            }
        }
    }
    drop(sender);
    let written = writing.await.map_err(Refusal::internal)?.map_err(|failure| failure.refusal())?;
    if let Some(error) = broken {
        return Err(Refusal::json(400, error));
    }
    let (size, mode) = written;
    let answer = json!({ "path": shown.to_string_lossy(), "size": size, "mode": octal(mode) });
    Ok(Response::json(StatusCode::OK, &answer).into())
}

/// Writes what comes, and returns how much that was and the file's mode.
fn save(
    view: &View,
    path: &Path,
    mode: Option<u32>,
    parents: bool,
    mut chunks: mpsc::Receiver<Bytes>,
) -> Result<(u64, u32), Failure> {
    if parents {
        make_directories(view, path.parent().unwrap_or(Path::new("/")), "mkdir")?;
    }
    let fail = |errno| Failure::new("open", path, errno);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC;
    let file = view.open(path, flags, mode.unwrap_or(0o644)).map_err(fail)?;
    if let Some(mode) = mode {
        // The umask is not asked, and a file that exists changes too.
        fchmod(&file, Mode::from_raw_mode(mode)).map_err(fail)?;
    }
    let mut file = File::from(file);
    let mut size = 0;
    while let Some(chunk) = chunks.blocking_recv() {
        file.write_all(&chunk).map_err(|error| Failure::of("write", path, &error))?;
        size += chunk.len() as u64;
    }
    let stat = rustix::fs::fstat(&file).map_err(fail)?;
    Ok((size, stat.st_mode))
}
