//! The least HTTP that asks a daemon something without any code of ours: what the tests compare esker with.

use serde_json::Value;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// An answer: its status and its document, `Null` if that is not JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

pub(crate) fn get(socket: &Path, path: &str) -> Answer {
    request(socket, "GET", path, None).expect("the daemon answers")
}

pub(crate) fn post(socket: &Path, path: &str, body: &Value) -> Answer {
    request(socket, "POST", path, Some(body)).expect("the daemon answers")
}

/// Sends one request on a connection of its own. HTTP/1.0: the answer ends with the connection and is not chunked.
pub(crate) fn request(socket: &Path, method: &str, path: &str, body: Option<&Value>) -> io::Result<Answer> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut stream = UnixStream::connect(socket)?;
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    // In one piece: who answers without reading the body may be gone before a second one.
    stream.write_all(format!("{head}{body}").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    Ok(Answer { status, body: serde_json::from_str(body).unwrap_or_default() })
}
