//! Files (section 3.3): lists by `ls` in the container, contents by Docker's archives, which see another file system.

use super::access::User;
use super::disk::{Disk, HOME};
use super::errors::{Answer, Refusal, ok};
use super::shell;
use super::state::Container;
use super::world::World;
use crate::transport::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use crate::transport::multipart::{Piece, boundary, read};
use crate::transport::server::{Body, Request, Response};
use crate::transport::{HeaderName, HeaderValue, StatusCode};
use bytes::Bytes;
use futures_util::StreamExt;
use rustix::fs::{FileType, OFlags};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What nobody may delete, and nothing under it: looked at as text, before anything else.
const SYSTEM: &[&str] = &["/bin", "/sbin", "/usr", "/etc", "/var", "/lib", "/root"];

/// Whose files they are, if they can be had at all.
fn container(world: &World, user: &User, id: &str) -> Answer<Arc<Container>> {
    let container = world.by_docker_id(user, id)?;
    if container.status() != "running" {
        return Err(Refusal::new(400, "container is not running"));
    }
    Ok(container)
}

fn wanted(request: &Request) -> Option<String> {
    request.query.text("path").filter(|path| !path.is_empty()).map(std::borrow::Cow::into_owned)
}

fn demanded(request: &Request) -> Answer<String> {
    wanted(request).ok_or_else(|| Refusal::new(400, "path parameter required"))
}

/// `GET …/files/list`
pub(super) async fn list(world: &World, user: &User, id: &str, request: Request) -> Answer {
    let container = container(world, user, id)?;
    let path = wanted(&request).unwrap_or_else(|| HOME.to_owned());
    let sdk = world.faults.take("sdk", &request).is_some();
    drop(request);
    let args = ["-la", path.as_str()];
    let ran = tokio::time::timeout(world.options.files, shell::run(world, &container, "/bin/ls", &args));
    let (text, _) =
        ran.await.map_err(|_| Refusal::new(500, "failed to list files"))?.map_err(|error| Refusal::new(500, error))?;
    let entries: Vec<Value> = String::from_utf8_lossy(&text).lines().filter_map(|line| entry(line, &path)).collect();
    if sdk {
        return ok(&entries.into());
    }
    let files = if entries.is_empty() { Value::Null } else { entries.clone().into() };
    ok(&json!({ "path": path, "files": files, "count": entries.len() }))
}

/// A line of `ls -la`, taken apart at blanks: `drwxr-xr-x 2 root root 4096 Jan 1 12:00 NAME`.
fn entry(line: &str, dir: &str) -> Option<Value> {
    let words: Vec<&str> = line.split_whitespace().collect();
    if words.len() < 9 || words[0].starts_with("total") {
        return None;
    }
    let name = words[8..].join(" ");
    // A plain file lists itself by its whole path, and is dropped like that.
    if name == "." || name == ".." || name.starts_with('/') {
        return None;
    }
    Some(json!({
        "name": name,
        "path": format!("{}/{name}", dir.trim_end_matches('/')),
        "size": words[4].parse::<u64>().unwrap_or(0),
        "mode": words[0],
        "mod_time": time(&words[5..8]),
        "is_dir": words[0].starts_with('d'),
    }))
}

/// `Jan 1 12:00` or `Jan 1 2025`, in the year that it is now if none is said.
fn time(words: &[&str]) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.iter().position(|month| *month == words[0]).map_or(1, |at| at + 1);
    let day: u32 = words[1].parse().unwrap_or(1);
    let now = jiff::Timestamp::now().to_string();
    let (year, clock) = if words[2].contains(':') { (&now[..4], words[2]) } else { (words[2], "00:00") };
    format!("{year}-{month:02}-{day:02}T{clock}:00Z")
}

/// `GET …/files`
pub(super) async fn download(world: &World, user: &User, id: &str, request: Request) -> Answer {
    let container = container(world, user, id)?;
    let path = demanded(&request)?;
    let disk = container.disk().ok_or_else(Refusal::no_container)?;
    let cut = world.faults.take("files-cut", &request).map(crate::playground::fault::Value::number);
    drop(request);
    let plain = PathBuf::from(&path);
    let read = tokio::task::spawn_blocking(move || content(&disk, &plain)).await;
    let read = read.map_err(|error| Refusal::new(500, error))?;
    let Content { bytes, size, mode } = read.map_err(|error| match error {
        rustix::io::Errno::ISDIR => Refusal::new(400, "path is a directory, use /files/list to list contents"),
        rustix::io::Errno::NOENT => Refusal::new(404, format!("file not found: {path}")),
        error => Refusal::new(500, format!("failed to copy from container: {error}")),
    })?;
    let name = Path::new(&path).file_name().unwrap_or_default().to_string_lossy().replace('"', "_");
    let text = |text: String| HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("attachment"));
    let whole = bytes.len() as u64;
    let body = match cut {
        None => Body::Full(bytes),
        Some(cut) => {
            let some = bytes.slice(..usize::try_from(cut.min(whole)).unwrap_or(0));
            Body::Stream { body: crate::stream::iter([Ok(some)]), len: Some(whole) }
        }
    };
    Ok(Response { body, ..Response::empty(StatusCode::OK) }
        .header(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
        .header(CONTENT_DISPOSITION, text(format!("attachment; filename=\"{name}\"")))
        .header(CONTENT_LENGTH, HeaderValue::from(whole))
        .header(HeaderName::from_static("x-file-size"), HeaderValue::from(size))
        .header(HeaderName::from_static("x-file-mode"), text(mode))
        .into())
}

struct Content {
    bytes: Bytes,
    size: u64,
    /// As Go writes a mode.
    mode: String,
}

/// What an archive holds of `path`: of a link nothing.
fn content(disk: &Disk, path: &Path) -> rustix::io::Result<Content> {
    let found = disk.archive(path, OFlags::PATH | OFlags::NOFOLLOW, 0)?;
    let stat = rustix::fs::fstat(&found)?;
    let mode = stat.st_mode;
    match FileType::from_raw_mode(mode) {
        FileType::Directory => Err(rustix::io::Errno::ISDIR),
        FileType::Symlink => Ok(Content { bytes: Bytes::new(), size: 0, mode: go_mode('L', mode) }),
        _ => {
            let mut bytes = Vec::new();
            let mut file = File::from(disk.archive(path, OFlags::RDONLY, 0)?);
            file.read_to_end(&mut bytes).map_err(|_| rustix::io::Errno::IO)?;
            Ok(Content { size: bytes.len() as u64, bytes: bytes.into(), mode: go_mode('-', mode) })
        }
    }
}

fn go_mode(kind: char, mode: u32) -> String {
    let bits = (0..9).map(|bit| if mode & (0o400 >> bit) != 0 { ['r', 'w', 'x'][bit % 3] } else { '-' });
    std::iter::once(kind).chain(bits).collect()
}

/// `POST …/files`: a form with one file, into the directory `path`, which must exist.
pub(super) async fn upload(world: &World, user: &User, id: &str, mut request: Request) -> Answer {
    let container = container(world, user, id)?;
    let dir = wanted(&request).unwrap_or_else(|| format!("{HOME}/"));
    let none = |why: &str| Refusal::new(400, format!("no file uploaded: {why}"));
    let kind = request.header(&CONTENT_TYPE).unwrap_or_default().to_owned();
    if kind.starts_with("application/json") && world.faults.take("sdk", &request).is_some() {
        return upload_of_sdk(&container, request).await;
    }
    let boundary = boundary(&kind).ok_or_else(|| none("request Content-Type isn't multipart/form-data"))?;
    let body = std::mem::replace(&mut request.body, crate::stream::iter([]));
    let mut pieces = read(body, &boundary);
    let (mut name, mut bytes, mut in_file) = (None, Vec::new(), false);
    while let Some(piece) = pieces.next().await {
        match piece.map_err(|error| none(&error.to_string()))? {
            Piece::Begin(head) => {
                in_file = head.name == b"file" && name.is_none();
                if in_file {
                    name = head.filename;
                }
            }
            Piece::Data(data) if in_file => {
                bytes.extend_from_slice(&data);
                if bytes.len() as u64 > world.options.upload {
                    return Err(Refusal::new(400, "file too large (max 100MB)"));
                }
            }
            Piece::Data(_) | Piece::End => {}
        }
    }
    let name = name.ok_or_else(|| none("http: no such file"))?;
    let name = String::from_utf8_lossy(&name).into_owned();
    // Its last part alone counts.
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    if name.is_empty() || name == "." || name == ".." {
        return Err(Refusal::new(400, "invalid filename"));
    }
    let path = Path::new(&dir).join(&name);
    let size = bytes.len();
    write(&container, path.clone(), bytes).await?;
    let path = path.to_string_lossy();
    ok(&json!({ "message": "file uploaded successfully", "filename": name, "path": path, "size": size }))
}

async fn write(container: &Arc<Container>, path: PathBuf, bytes: Vec<u8>) -> Answer<()> {
    let disk = container.disk().ok_or_else(Refusal::no_container)?;
    let written = tokio::task::spawn_blocking(move || {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC;
        let mut file = File::from(disk.archive(&path, flags, 0o644)?);
        rustix::fs::fchmod(&file, rustix::fs::Mode::from_raw_mode(0o644))?;
        file.write_all(&bytes)
    });
    let written = written.await.map_err(|error| Refusal::new(500, error))?;
    written.map_err(|error| Refusal::new(500, format!("failed to copy to container: {error}")))
}

/// `{"path", "content": base64}`, as the SDKs for PHP and .NET send it and no server takes it.
async fn upload_of_sdk(container: &Arc<Container>, mut request: Request) -> Answer {
    use base64::Engine as _;
    let body = request.bytes(200 << 20).await.unwrap_or_default();
    let wish: Value = serde_json::from_slice(&body).map_err(|error| Refusal::new(400, error))?;
    let text = |key: &str| wish[key].as_str().unwrap_or_default().to_owned();
    let content = base64::engine::general_purpose::STANDARD.decode(text("content"));
    let content = content.map_err(|error| Refusal::new(400, error))?;
    write(container, text("path").into(), content).await?;
    ok(&json!({ "message": "file uploaded successfully" }))
}

/// `POST …/files/mkdir`: the path stands in the query, and a body is not looked at.
pub(super) async fn mkdir(world: &World, user: &User, id: &str, mut request: Request) -> Answer {
    let container = container(world, user, id)?;
    let mut path = wanted(&request);
    if path.is_none() && world.faults.take("sdk", &request).is_some() {
        let body = request.bytes(1 << 16).await.unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        path = body["path"].as_str().map(str::to_owned);
    }
    let path = path.ok_or_else(|| Refusal::new(400, "path parameter required"))?;
    let ran = shell::run(world, &container, "/bin/mkdir", &["-p", &path]).await;
    match ran {
        Ok((_, 0)) => ok(&json!({ "message": "directory created successfully", "path": path })),
        _ => Err(Refusal::new(500, "failed to create directory")),
    }
}

/// `DELETE …/files`
pub(super) async fn delete(world: &World, user: &User, id: &str, request: Request) -> Answer {
    let path = demanded(&request)?;
    drop(request);
    let is_system = |dir: &&str| path == **dir || path.starts_with(&format!("{dir}/"));
    if path == "/" || SYSTEM.iter().any(is_system) {
        return Err(Refusal::new(403, "cannot delete system files"));
    }
    let container = container(world, user, id)?;
    let ran = shell::run(world, &container, "/bin/rm", &["-rf", &path]).await;
    match ran {
        Ok((_, 0)) => ok(&json!({ "message": "file deleted successfully", "path": path })),
        _ => Err(Refusal::new(500, "failed to delete file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_ls_are_taken_apart_as_the_server_does() {
        let line = "-rw-r--r-- 1 root root   12 Jan  3 12:34 two  blanks.txt";
        let read = entry(line, "/home/user/").unwrap();
        assert_eq!((&read["name"], &read["size"]), (&json!("two blanks.txt"), &json!(12)));
        assert_eq!(read["path"], "/home/user/two blanks.txt");
        assert!(read["mod_time"].as_str().unwrap().ends_with("-01-03T12:34:00Z"));
        assert_eq!(entry("lrwxrwxrwx 1 a b 1 Mar 3 2024 l -> /x", "/").unwrap()["name"], "l -> /x");
        assert!(entry("total 8", "/").is_none() && entry("drwxr-xr-x 2 a b 4096 Mar 3 2024 .", "/").is_none());
    }
}
