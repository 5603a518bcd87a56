//! The simulator, spoken to over its wire.

mod exec;
mod machine;

use super::route::Api;
use super::times::Options;
use super::world::World;
use crate::host::process::Processes;
use crate::playground::fault::{Faulty, Plan, parse};
use crate::transport::header::AUTHORIZATION;
use crate::transport::server::{Listener, serve};
use crate::transport::{Address, Client, Frame, HeaderValue, Net, Request, WsReply, WsSink, WsStream};
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// A simulator with one sprite, called `box`, and its client.
struct Rig {
    client: Client,
    world: Arc<World>,
    _server: tokio::task::JoinHandle<()>,
    _dir: tempfile::TempDir,
}

impl Rig {
    async fn new() -> Self {
        Self::with(&[], |_| ()).await
    }

    /// With these faults, and with other times.
    async fn with(faults: &[&str], change: impl FnOnce(&mut Options)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let simulators: Vec<_> = crate::playground::SIMULATORS.iter().collect();
        let specs: Vec<_> = faults.iter().map(|text| parse(text, &simulators).unwrap()).collect();
        let plan = Plan::new(&specs, "sprites");
        let mut options = Options { linger: Duration::ZERO, poll: Duration::from_millis(10), ..Options::default() };
        change(&mut options);
        let token = "acme/1/2/secret";
        let world = World::new(
            dir.path().to_owned(),
            token.to_owned(),
            "fm2_x".to_owned(),
            Processes::default(),
            plan.clone(),
            options,
        );
        let listener = Listener::tcp(0).await.unwrap();
        let address = Address::Tcp { host: "127.0.0.1".to_owned(), port: listener.port().unwrap() };
        let server = tokio::spawn(serve(listener, Arc::new(Faulty::new(Arc::new(Api(world.clone())), plan))));
        let bearer = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
        let client = Client::new(Net::default(), address).with_header(AUTHORIZATION, bearer);
        let rig = Self { client, world, _server: server, _dir: dir };
        let made = rig.ask(Request::post("/v1/sprites").json(&json!({ "name": "box" }))).await;
        assert_eq!(made.0, 201);
        rig
    }

    /// The status and the body of an answer.
    async fn ask(&self, request: Request) -> (u16, Bytes) {
        let answer = self.client.send(request).await.unwrap();
        (answer.status, answer.bytes(1 << 26).await.unwrap())
    }

    async fn json(&self, request: Request) -> Value {
        let (status, body) = self.ask(request).await;
        serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{status} {error}: {body:?}"))
    }

    /// The lines of an answer.
    async fn lines(&self, request: Request) -> Vec<Value> {
        let (_, body) = self.ask(request).await;
        body.split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    async fn open(&self, path: &str) -> Socket {
        match self.client.websocket(path, &[]).await.unwrap() {
            WsReply::Open(socket) => {
                let (sink, stream) = socket.split();
                Socket { sink, stream }
            }
            WsReply::Refused(answer) => {
                let status = answer.status;
                panic!("{status} {:?}", answer.bytes(1000).await)
            }
        }
    }

    /// Runs a script of `sh` and returns its status and what it wrote.
    async fn sh(&self, script: &str) -> (Option<u8>, String) {
        let script = script.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02x}"));
        let run = self.open(&format!("/v1/sprites/box/exec?cmd=sh&cmd=-c&cmd={script}")).await.finish().await;
        (run.binary_exit, String::from_utf8(run.out).unwrap())
    }
}

struct Socket {
    sink: WsSink,
    stream: WsStream,
}

/// What came until the end.
#[derive(Debug, Default)]
struct Run {
    out: Vec<u8>,
    err: Vec<u8>,
    raw: Vec<u8>,
    texts: Vec<Value>,
    binary_exit: Option<u8>,
    text_exit: Option<u64>,
    close: Option<u16>,
}

impl Socket {
    /// The next text, which must be there before anything else.
    async fn text(&mut self) -> Value {
        match self.stream.next().await.unwrap() {
            Some(Frame::Text(text)) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?} instead of a text"),
        }
    }

    /// Reads binary frames until `wanted` was in them.
    async fn until(&mut self, wanted: &str) -> String {
        let mut seen = String::new();
        while !seen.contains(wanted) {
            match self.stream.next().await.unwrap() {
                Some(Frame::Binary(bytes)) => seen.push_str(&String::from_utf8_lossy(&bytes)),
                Some(Frame::Text(_)) => {}
                other => panic!("{other:?} after {seen:?}"),
            }
        }
        seen
    }

    async fn finish(mut self) -> Run {
        let mut run = Run::default();
        while let Some(frame) = self.stream.next().await.unwrap() {
            match frame {
                Frame::Binary(bytes) => {
                    run.raw.extend_from_slice(&bytes);
                    match bytes.split_first() {
                        Some((1, rest)) => run.out.extend_from_slice(rest),
                        Some((2, rest)) => run.err.extend_from_slice(rest),
                        Some((3, rest)) => run.binary_exit = rest.first().copied(),
                        _ => {}
                    }
                }
                Frame::Text(text) => {
                    let text: Value = serde_json::from_str(&text).unwrap();
                    if text["type"] == "exit" {
                        run.text_exit = text["exit_code"].as_u64();
                    }
                    run.texts.push(text);
                }
                Frame::Close { code, .. } => run.close = code,
                Frame::Eof => {}
            }
        }
        run
    }
}

/// Asks again and again until the answer is right.
async fn eventually<T, F: Future<Output = Option<T>>>(mut ask: impl FnMut() -> F) -> T {
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits for the end of a process, whether or not somebody has asked how it ended.
async fn gone(pid: &str) {
    let pid = pid.parse().unwrap();
    eventually(|| async { super::processes::stat(pid).is_none_or(|stat| stat.is_over).then_some(()) }).await;
}
