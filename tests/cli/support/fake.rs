//! A daemon that says what a test tells it to: canned envelopes by path, and every way to misbehave.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;

/// A request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    pub(crate) query: String,
    /// Whether it brings a multipart form.
    pub(crate) is_form: bool,
    /// How many requests for this path came before.
    pub(crate) nth: usize,
    /// What it says of who asks.
    pub(crate) authorization: Option<String>,
    /// What it wants for an answer.
    pub(crate) accept: Option<String>,
    /// What it brings.
    pub(crate) body: String,
}

/// How a request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A status and a body.
    Text(u16, String),
    /// The head of an answer that is longer than the part of its body that follows; then the connection ends.
    Cut(String),
    /// These bytes, head included, to the end of the connection.
    Raw(Vec<u8>),
    /// An open websocket that sends this, and then either listens until the client leaves or drops the connection.
    Socket(Vec<u8>, Then),
    /// Bytes that are no HTTP.
    Garbage,
    /// The connection ends without an answer.
    Hangup,
    /// These bytes, and then nothing until the client leaves.
    Open(Vec<u8>),
    /// No answer, ever.
    Stall,
}

/// What becomes of a websocket that has sent all of its frames.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    Listen,
    Drop,
}

/// A text message of a websocket, as a server sends it.
pub(crate) fn text(content: &str) -> Vec<u8> {
    frame(0x81, content.as_bytes())
}

/// A binary one.
pub(crate) fn binary(content: &[u8]) -> Vec<u8> {
    frame(0x82, content)
}

fn frame(first: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).ok().filter(|length| *length < 126).expect("a short frame");
    [&[first, length], content].concat()
}

/// A reply of type `sync`.
pub(crate) fn sync(result: Value) -> Reply {
    let body = json!({"type": "sync", "status-code": 200, "status": "OK", "result": result});
    Reply::Text(200, body.to_string())
}

/// A reply of type `async`.
pub(crate) fn accepted(change: &str) -> Reply {
    let body = json!({"type": "async", "status-code": 202, "status": "Accepted", "change": change, "result": null});
    Reply::Text(202, body.to_string())
}

/// A reply of type `error`.
pub(crate) fn refused(status: u16, message: &str) -> Reply {
    let body = json!({"type": "error", "status-code": status, "status": "-", "result": {"message": message}});
    Reply::Text(status, body.to_string())
}

/// What a daemon says of a path that it does not have.
pub(crate) fn unknown() -> Reply {
    refused(404, "invalid API endpoint requested")
}

/// A fake daemon on a socket of its own, until it is dropped.
pub(crate) struct Fake {
    dir: TempDir,
    asked: Arc<Mutex<Vec<Asked>>>,
    port: u16,
}

impl Fake {
    /// Answers every request as `answer` says.
    pub(crate) fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let dir = tempfile::Builder::new().prefix("fk").tempdir_in("/tmp").expect("a temporary directory");
        let listener = UnixListener::bind(dir.path().join("s")).expect("a socket");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (asked.clone(), Arc::new(answer));
        // Ends with the test process; a thread that waits for a connection costs nothing.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer) = (log.clone(), answer.clone());
                std::thread::spawn(move || serve(&stream, &log, &*answer));
            }
        });
        Self { dir, asked, port: 0 }
    }

    /// The same on a TCP port of this machine.
    pub(crate) fn start_on_tcp(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let mut fake = Self::start(|_| Reply::Hangup);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        fake.port = listener.local_addr().expect("it is bound").port();
        let (log, answer) = (fake.asked.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer) = (log.clone(), answer.clone());
                std::thread::spawn(move || serve(&stream, &log, &*answer));
            }
        });
        fake
    }

    /// Its port, if it has one.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("s")
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many requests came for `path`.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.asked().iter().filter(|asked| asked.path == path).count()
    }

    /// esker, pointed at it.
    pub(crate) fn esker(&self) -> assert_cmd::Command {
        let mut command = super::esker();
        command.env("PEBBLE_SOCKET", self.socket());
        command
    }
}

fn serve<S>(stream: &S, log: &Mutex<Vec<Asked>>, answer: &dyn Fn(&Asked) -> Reply)
where
    for<'a> &'a S: Read + Write,
{
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(Head { method, target, key, is_form, authorization, accept, body }) = read_request(&mut reader) {
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let asked = {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            let nth = log.iter().filter(|asked| asked.path == path).count();
            let (path, query) = (path.to_owned(), query.to_owned());
            let asked = Asked { method, path, query, is_form, nth, authorization, accept, body };
            log.push(asked.clone());
            asked
        };
        let written = match answer(&asked) {
            Reply::Text(status, body) => {
                let length = body.len();
                write!(
                    writer,
                    "HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
                )
            }
            Reply::Cut(part) => {
                let length = part.len() + 1000;
                let _ = write!(writer, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{part}");
                return;
            }
            Reply::Raw(bytes) => {
                let _ = writer.write_all(&bytes);
                return;
            }
            Reply::Socket(frames, then) => {
                let accept = accept_key(&key.expect("a websocket is asked for with a key"));
                let _ = write!(
                    writer,
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Accept: {accept}\r\n\r\n"
                );
                let _ = writer.write_all(&frames);
                if let Then::Listen = then {
                    let _ = std::io::copy(&mut reader, &mut std::io::sink());
                }
                return;
            }
            Reply::Garbage => {
                let _ = writer.write_all(b"220 mail.example.com ESMTP ready\r\n");
                return;
            }
            Reply::Hangup => return,
            Reply::Open(bytes) => {
                let _ = writer.write_all(&bytes);
                let _ = reader.read(&mut [0]);
                return;
            }
            Reply::Stall => {
                // Until the client gives up.
                let _ = reader.read(&mut [0]);
                return;
            }
        };
        if written.is_err() {
            return;
        }
    }
}

/// What a websocket server answers to `key` (RFC 6455 section 1.3).
fn accept_key(key: &str) -> String {
    let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    BASE64.encode(ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()))
}

/// What is looked at of a request.
struct Head {
    method: String,
    target: String,
    /// That of a websocket.
    key: Option<String>,
    is_form: bool,
    authorization: Option<String>,
    accept: Option<String>,
    body: String,
}

/// The next request.
fn read_request(reader: &mut impl BufRead) -> Option<Head> {
    let first = read_line(reader).filter(|line| !line.is_empty())?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let (mut length, mut chunked, mut key, mut is_form) = (0, false, None, false);
    let (mut authorization, mut accept) = (None, None);
    loop {
        let line = read_line(reader)?;
        let Some((name, value)) = line.split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "content-type" => is_form = value.starts_with("multipart/form-data"),
            "transfer-encoding" => chunked = true,
            "sec-websocket-key" => key = Some(value.to_owned()),
            "authorization" => authorization = Some(value.to_owned()),
            "accept" => accept = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = read_exact(reader, length)?;
    while chunked {
        let length = usize::from_str_radix(&read_line(reader)?, 16).ok()?;
        body.extend_from_slice(&read_exact(reader, length + 2)?[..length]);
        chunked = length > 0;
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    Some(Head { method, target, key, is_form, authorization, accept, body })
}

fn read_line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    Some(line.trim_end().to_owned())
}

fn read_exact(reader: &mut impl BufRead, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes).ok()?;
    Some(bytes)
}
