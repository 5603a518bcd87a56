//! Files on their way to a client: one part each, and the verdicts behind them.

use super::errors::{FileError, Refusal, Result};
use super::files::{absolute, verdict};
use super::{go, multipart};
use crate::stream;
use crate::transport::StatusCode;
use crate::transport::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use crate::transport::server::{Request, Response};
use bytes::Bytes;
use ring::rand::SecureRandom as _;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::OpenOptionsExt as _;

/// How much is read at once, in bytes.
const CHUNK: usize = 256 * 1024;

const MULTIPART: &str = "multipart/form-data";

/// Answers a GET.
pub(super) fn answer(request: &Request) -> Result<Response> {
    let paths: VecDeque<Vec<u8>> = request.query.all("path").map(<[u8]>::to_vec).collect();
    if paths.is_empty() {
        return Err(Refusal::bad("must specify one or more paths"));
    }
    if request.header(&ACCEPT) != Some(MULTIPART) {
        return Err(Refusal::bad("must accept multipart/form-data"));
    }
    let boundary = boundary();
    let kind = format!("{MULTIPART}; boundary={boundary}");
    let kind = HeaderValue::try_from(kind).expect("digits are valid in a header");
    let reading = Reading { boundary, paths, open: None, verdicts: Vec::new(), is_over: false };
    let body = stream::unfold(reading, |reading| async {
        let step = tokio::task::spawn_blocking(move || reading.step()).await;
        step.map_err(|error| crate::error::Error::failure("cannot read files").source(error))
    });
    Ok(Response::stream(StatusCode::OK, MULTIPART, body).header(CONTENT_TYPE, kind))
}

fn boundary() -> String {
    let mut bytes = [0; 30];
    ring::rand::SystemRandom::new().fill(&mut bytes).expect("a running system has random bytes");
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

struct Reading {
    boundary: String,
    paths: VecDeque<Vec<u8>>,
    open: Option<(Vec<u8>, File)>,
    verdicts: Vec<Value>,
    is_over: bool,
}

impl Reading {
    /// The next bytes of the body.
    fn step(mut self) -> Option<(Bytes, Self)> {
        if let Some((path, mut file)) = self.open.take() {
            let mut chunk = vec![0; CHUNK];
            return Some(match file.read(&mut chunk) {
                Ok(0) => {
                    self.judge(&path, Ok(()));
                    (Bytes::from_static(b"\r\n"), self)
                }
                Ok(count) => {
                    chunk.truncate(count);
                    self.open = Some((path, file));
                    (chunk.into(), self)
                }
                Err(error) => {
                    let why = FileError::of("read", &String::from_utf8_lossy(&path), &error);
                    self.judge(&path, Err(why));
                    (Bytes::from_static(b"\r\n"), self)
                }
            });
        }
        while let Some(path) = self.paths.pop_front() {
            match open(&path) {
                Ok(file) => {
                    let head = multipart::file_head(&self.boundary, &path);
                    self.open = Some((path, file));
                    return Some((head.into(), self));
                }
                Err(error) => self.judge(&path, Err(error)),
            }
        }
        if std::mem::replace(&mut self.is_over, true) {
            return None;
        }
        let document =
            json!({"type": "sync", "status-code": 200, "status": "OK", "result": std::mem::take(&mut self.verdicts)});
        Some((multipart::last_part(&self.boundary, &go::json(&document)).into(), self))
    }

    fn judge(&mut self, path: &[u8], done: std::result::Result<(), FileError>) {
        self.verdicts.push(verdict(&String::from_utf8_lossy(path), done));
    }
}

fn open(path: &[u8]) -> std::result::Result<File, FileError> {
    let shown = String::from_utf8_lossy(path).into_owned();
    absolute(&shown)?;
    let path = OsString::from_vec(path.to_vec());
    let meta = std::fs::metadata(&path).map_err(|error| FileError::of("stat", &shown, &error))?;
    if !meta.is_file() {
        return Err(FileError::generic(format!("can only read a regular file: {}", go::quote(&shown))));
    }
    // Should it have become a pipe meanwhile, nobody waits for its other end.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let opened = File::options().read(true).custom_flags(flags).open(&path);
    opened.map_err(|error| FileError::of("open", &shown, &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt as _;

    #[test]
    fn files_come_in_order_and_the_verdicts_last() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        std::fs::write(&file, "hi").unwrap();
        let file = file.as_os_str().as_bytes().to_vec();
        let paths = VecDeque::from([file, b"relative".to_vec(), b"/".to_vec()]);
        let boundary = "b".to_owned();
        let mut reading = Reading { boundary, paths, open: None, verdicts: Vec::new(), is_over: false };
        let mut body = Vec::new();
        while let Some((bytes, next)) = reading.step() {
            body.extend(bytes);
            reading = next;
        }
        let body = String::from_utf8(body).unwrap();
        assert!(body.starts_with("--b\r\nContent-Disposition: form-data; name=\"files\""), "{body}");
        assert!(body.contains("\r\n\r\nhi\r\n--b\r\nContent-Disposition: form-data; name=\"response\""), "{body}");
        assert!(body.contains("paths must be absolute, got \\\"relative\\\""), "{body}");
        assert!(body.contains("can only read a regular file: \\\"/\\\"") && body.ends_with("\r\n--b--\r\n"), "{body}");
    }
}
