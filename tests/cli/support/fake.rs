//! A daemon that says what a test tells it to: canned envelopes by path, and every way to misbehave.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
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
    /// How many requests for this path came before.
    pub(crate) nth: usize,
}

/// How a request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A status and a body.
    Text(u16, String),
    /// The head of an answer that is longer than the part of its body that follows; then the connection ends.
    Cut(String),
    /// Bytes that are no HTTP.
    Garbage,
    /// The connection ends without an answer.
    Hangup,
    /// No answer, ever.
    Stall,
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
        Self { dir, asked }
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

fn serve(stream: &UnixStream, log: &Mutex<Vec<Asked>>, answer: &dyn Fn(&Asked) -> Reply) {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some((method, target)) = read_request(&mut reader) {
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let asked = {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            let nth = log.iter().filter(|asked| asked.path == path).count();
            let asked = Asked { method, path: path.to_owned(), query: query.to_owned(), nth };
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
            Reply::Garbage => {
                let _ = writer.write_all(b"220 mail.example.com ESMTP ready\r\n");
                return;
            }
            Reply::Hangup => return,
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

/// The method and the target of the next request; its body is read and dropped.
fn read_request(reader: &mut impl BufRead) -> Option<(String, String)> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|length| *length > 0)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((method, target))
}
