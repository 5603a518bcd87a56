//! A server on a loopback port that says what a test tells it to, for providers that speak HTTP over TCP.

use async_trait::async_trait;
use bytes::Bytes;
use esker::error::Error;
use esker::stream;
use esker::transport::StatusCode;
use esker::transport::server::{Handler, Listener, Reply, Request, Response, serve};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

/// The longest body of a request, in bytes.
const BODY_MAX: usize = 64 << 20;

/// A request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Bytes,
    pub(crate) token: Option<String>,
    /// How many requests of this method for this path came before.
    pub(crate) nth: usize,
}

impl Asked {
    /// `METHOD /path`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The body as JSON; `Null` if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A scripted server, until the test process ends.
pub(crate) struct Scripted {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

struct Script<F> {
    asked: Arc<Mutex<Vec<Asked>>>,
    answer: F,
}

#[async_trait]
impl<F: Fn(&Asked) -> Response + Send + Sync> Handler for Script<F> {
    async fn handle(&self, mut request: Request) -> Reply {
        let body = request.bytes(BODY_MAX).await.unwrap_or_default();
        let (method, path) = (request.method.to_string(), request.path.clone());
        let asked = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let nth = asked.iter().filter(|other| other.method == method && other.path == path).count();
            let query = request.raw_query.clone();
            let token = request.bearer().map(str::to_owned);
            asked.push(Asked { method, path, query, body, token, nth });
            asked.last().cloned().expect("it was pushed just now")
        };
        (self.answer)(&asked).into()
    }
}

impl Scripted {
    /// Answers every request as `answer` says.
    pub(crate) fn start(answer: impl Fn(&Asked) -> Response + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Script { asked: Arc::clone(&asked), answer });
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = Listener::tcp(0).await.expect("a free port");
                sender.send(listener.port().expect("a port")).expect("somebody waits for it");
                serve(listener, script).await;
            });
        });
        Self { port: receiver.recv().expect("it listens"), asked }
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was asked so far, as `METHOD /path`.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(Asked::line).collect()
    }

    /// esker, whose Sprites it is.
    pub(crate) fn esker(&self) -> assert_cmd::Command {
        let mut command = super::esker();
        command
            .env("SPRITES_ENDPOINT", format!("http://127.0.0.1:{}", self.port))
            .env("SPRITES_TOKEN", "org/1/2/s3cret");
        command
    }
}

/// A document.
pub(crate) fn json(status: u16, value: &Value) -> Response {
    Response::json(StatusCode::from_u16(status).expect("a status"), value)
}

/// A text.
pub(crate) fn text(status: u16, text: &str) -> Response {
    Response::text(StatusCode::from_u16(status).expect("a status"), text)
}

/// A stream that comes in these chunks; then it ends, or the connection is cut.
pub(crate) fn chunks(chunks: impl IntoIterator<Item = Vec<u8>>, is_cut: bool) -> Response {
    let cut = is_cut.then(|| Err(Error::failure("cut")));
    let chunks: Vec<_> = chunks.into_iter().map(|chunk| Ok(Bytes::from(chunk))).chain(cut).collect();
    Response::stream(StatusCode::OK, "application/x-ndjson", stream::iter(chunks))
}
