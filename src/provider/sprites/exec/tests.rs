//! Sessions against a server that does what a script says, so that it can misbehave (sprites reference, section 9; the
//! numbers are those of its list).

use super::super::DRIVER;
use super::super::client::{Client, SYSTEM};
use super::super::credential::find;
use super::super::runs::SpritesRuns;
use super::{Place, SpritesExec};
use crate::config::{EndpointConfig, Secret};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::{Note, RunId};
use crate::provider::Env;
use crate::provider::exec::{
    Event, Exec, ExecSpec, Exit, From, Io, Life, Process, Remote, Runs, Signal, StdinMode, TermSize,
};
use crate::provider::web::Credential;
use crate::transport::server::{Handler, Listener, Message, Reply, Request, Response, Socket, serve};
use crate::transport::{Address, Client as Http, HeaderMap, Net, StatusCode};
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

const INFO: &str =
    r#"{"type":"session_info","session_id":"840","command":"/usr/bin/x","created":1767609000,"tty":false}"#;
const SESSIONS: &str =
    r#"{"count":1,"sessions":[{"id":"840","command":"/usr/bin/x a","created":"2026-01-05T10:30:00.9Z","tty":true}]}"#;
const KILLED: &str =
    "{\"type\":\"signal\",\"message\":\"sent\"}\n{\"type\":\"exited\"}\n{\"type\":\"complete\",\"exit_code\":143}";

/// What the server does on a socket.
#[derive(Clone, Debug)]
enum Do {
    Text(&'static str),
    Binary(&'static [u8]),
    Ping,
    /// Waits for a message that ends like this.
    Until(&'static [u8]),
    Close(u16, &'static str),
    /// Drops the connection without a word.
    Cut,
    Reset,
}
use Do::{Binary, Close, Cut, Ping, Reset, Text, Until};

/// A server and what it heard.
struct Server {
    place: Place,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    scripts: Mutex<VecDeque<Vec<Do>>>,
    heard: Mutex<Vec<String>>,
    sessions: Mutex<&'static str>,
    capabilities: &'static str,
    /// Whether it knows `exec/{id}`.
    is_old: bool,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn hear(&self, text: String) {
        self.heard.lock().unwrap().push(text);
    }

    async fn play(&self, socket: Socket, script: Vec<Do>) {
        let connection = socket.connection();
        let (mut sink, mut stream) = socket.split();
        for step in script {
            match step {
                Text(text) => drop(sink.text(text).await),
                Binary(bytes) => drop(sink.binary(bytes).await),
                Ping => {
                    sink.ping("?").await;
                    while let Some(message) = stream.next().await {
                        if message == Message::Pong("?".into()) {
                            self.hear("pong".to_owned());
                            break;
                        }
                    }
                }
                Until(end) => {
                    while let Some(message) = stream.next().await {
                        if self.note(&message).ends_with(end) {
                            break;
                        }
                    }
                }
                Close(code, reason) => drop(sink.close(code, reason).await),
                Cut => return connection.cut(),
                Reset => return connection.reset(),
            }
        }
        // As in production the socket stays open.
        while let Some(message) = stream.next().await {
            self.note(&message);
        }
    }

    fn note(&self, message: &Message) -> Vec<u8> {
        match message {
            Message::Text(text) => self.hear(text.to_string()),
            Message::Binary(bytes) => self.hear(bytes.escape_ascii().to_string()),
            Message::Close { code, .. } => self.hear(format!("close {code:?}")),
            Message::Ping(_) | Message::Pong(_) | Message::Eof => {}
        }
        match message {
            Message::Text(text) => text.as_bytes().to_vec(),
            Message::Binary(bytes) => bytes.to_vec(),
            _ => Vec::new(),
        }
    }
}

struct Api(Arc<Shared>);

#[async_trait]
impl Handler for Api {
    async fn handle(&self, request: Request) -> Reply {
        let shared = self.0.clone();
        shared.hear(format!("{} {}?{}", request.method, request.path, request.raw_query));
        let rest = request.path.strip_prefix("/v1/sprites/box/").unwrap_or_default().to_owned();
        if request.is_websocket() && request.raw_query.starts_with("cmd=sh&cmd=-c&cmd=for") {
            // The list of detached runs, of which there are none.
            let nothing = Shared::default();
            return Reply::websocket(HeaderMap::new(), move |socket| async move {
                nothing.play(socket, vec![Binary(b"\x03\x00")]).await;
            });
        }
        if request.is_websocket() {
            if shared.is_old && rest != "exec" {
                return Response::text(StatusCode::NOT_FOUND, "404 page not found").into();
            }
            let Some(script) = shared.scripts.lock().unwrap().pop_front() else {
                return Response::text(StatusCode::NOT_FOUND, "session not found: 840").into();
            };
            let mut headers = HeaderMap::new();
            headers.insert("x-sprite-capabilities", shared.capabilities.parse().unwrap());
            return Reply::websocket(headers, move |socket| async move { shared.play(socket, script).await });
        }
        let json = |text: &'static str| Response::bytes(StatusCode::OK, "application/json", text).into();
        match rest.as_str() {
            "exec" => json(*shared.sessions.lock().unwrap()),
            "exec/840/kill" => json(KILLED),
            "exec/841/kill" => Response::text(StatusCode::GONE, "session already exited").into(),
            "fs/write" | "fs/delete" => json("{}"),
            _ => Response::text(StatusCode::NOT_FOUND, "404 page not found").into(),
        }
    }
}

async fn server_with(shared: Shared) -> Server {
    let listener = Listener::tcp(0).await.unwrap();
    let address = Address::Tcp { host: "127.0.0.1".to_owned(), port: listener.port().unwrap() };
    let shared = Arc::new(shared);
    let task = tokio::spawn(serve(listener, Arc::new(Api(shared.clone()))));
    let endpoint = EndpointConfig::implicit(DRIVER.id).with_secret("token", Secret::new("t/o/k/en"));
    let credential = Credential::new(endpoint, Env::default(), find);
    let http = Http::new(Net::default(), address);
    let client = Client::new(&SYSTEM, http, String::new(), credential);
    Server { place: Place { client, name: "box".into() }, shared, task }
}

async fn server(scripts: &[&[Do]]) -> Server {
    let scripts = Mutex::new(scripts.iter().map(|script| script.to_vec()).collect());
    server_with(Shared { scripts, sessions: Mutex::new(SESSIONS), capabilities: "signal", ..Shared::default() }).await
}

impl Server {
    async fn start(&self, spec: ExecSpec) -> Result<Process> {
        SpritesExec(self.place.clone()).start(spec).await
    }

    fn heard(&self) -> Vec<String> {
        self.shared.heard.lock().unwrap().clone()
    }

    /// Waits until the server has heard this.
    async fn hears(&self, text: &str) {
        while !self.heard().iter().any(|heard| heard.contains(text)) {
            tokio::task::yield_now().await;
        }
    }
}

fn x() -> ExecSpec {
    ExecSpec::new(vec![Bytes::from("x")])
}

fn terminal() -> ExecSpec {
    let size = TermSize { cols: 80, rows: 24 };
    let io = Io::Terminal { size, interactive: true, split_stderr: false };
    ExecSpec { io, life: Life::Surviving, ..x() }
}

/// What a process says to its end: stdout, stderr in brackets, the exit.
async fn said(process: &mut Process) -> (String, Result<Exit>) {
    let mut text = String::new();
    loop {
        match process.next().await {
            Ok(Event::Stdout(bytes)) => text += &bytes.escape_ascii().to_string(),
            Ok(Event::Stderr(bytes)) => text.extend(["[", &bytes.escape_ascii().to_string(), "]"]),
            Ok(Event::Note(note)) => text.extend(["<", &format!("{note:?}"), ">"]),
            Ok(Event::Exit(exit)) => return (text, Ok(exit)),
            Err(error) => return (text, Err(error)),
        }
    }
}

async fn run(spec: ExecSpec, script: &[Do]) -> (String, Result<Exit>) {
    let server = server(&[script]).await;
    said(&mut server.start(spec).await.unwrap()).await
}

fn lost(exit: Result<Exit>) -> Error {
    let error = exit.unwrap_err();
    assert_eq!((error.kind(), error.parts().effect), (ErrorKind::Unreachable, Effect::Unknown), "{error:?}");
    error
}

#[tokio::test]
async fn the_worked_example_goes_as_in_the_reference() {
    let script = [
        Text(INFO),
        Until(b"\x04"),
        Binary(b"\x01hi\n"),
        Binary(b"\x03\x00"),
        Text(r#"{"type":"exit","exit_code":0}"#),
    ];
    let server = server(&[&script]).await;
    let io = Io::Pipes { stdin: StdinMode::Known(Some(3)), merge_stderr: false };
    let mut process = server.start(ExecSpec { io, ..ExecSpec::new(vec!["cat".into()]) }).await.unwrap();
    let mut stdin = process.stdin.take().unwrap();
    assert!(stdin.write("hi\n".into()).await.unwrap());
    stdin.end().await.unwrap();
    let (text, exit) = said(&mut process).await;
    assert_eq!((text.as_str(), exit.unwrap()), ("hi\\n", Exit::Code(0)));
    assert_eq!(process.run.get(), Some(&RunId::from("840@1767609000")));
    server.hears("close").await;
    let heard = server.heard();
    let expected = ["GET /v1/sprites/box/exec?cmd=cat&path=cat&stdin=true", r"\x00hi\n", r"\x04", "close Some(1000)"];
    assert_eq!(heard, expected);
}

/// 2, 3: the end of an empty stdin, before the server has said anything.
#[tokio::test]
async fn an_empty_stdin_is_ended_though_the_session_has_no_name_yet() {
    let script = [Until(b"\x04"), Text(INFO), Binary(b"\x03\x00")];
    let server = server(&[&script]).await;
    let io = Io::Pipes { stdin: StdinMode::Live, merge_stderr: false };
    let mut process = server.start(ExecSpec { io, ..x() }).await.unwrap();
    process.stdin.take().unwrap().end().await.unwrap();
    assert_eq!(said(&mut process).await.1.unwrap(), Exit::Code(0));
}

/// 7, 8, 9, 10: bytes as they are, streams in their order, empty messages and pings between.
#[tokio::test]
async fn output_is_what_was_sent() {
    let script = [
        Binary(b""),
        Binary(b"\x01\xc3"),
        Text(INFO),
        Binary(b"\x02oops"),
        Binary(b"\x01\xa9\x00\xff"),
        Ping,
        Binary(b"\x07later"),
        Binary(b"\x03\x05"),
    ];
    let (text, exit) = run(x(), &script).await;
    assert_eq!((text.as_str(), exit.unwrap()), (r"\xc3[oops]\xa9\x00\xff", Exit::Code(5)));
}

/// 11 to 15: each form of the exit alone, both in either order, output between them.
#[tokio::test]
async fn an_exit_is_believed_in_every_form() {
    const TEXT: &str = r#"{"type":"exit","exit_code":7}"#;
    for script in [
        &[Binary(b"\x01a"), Binary(b"\x03\x07")][..],
        &[Binary(b"\x01a"), Text(TEXT)],
        &[Binary(b"\x03\x07"), Binary(b"\x01a"), Text(TEXT)],
        &[Text(TEXT), Binary(b"\x01a"), Binary(b"\x03\x07"), Close(1000, "")],
        &[Binary(b"\x01a"), Text(TEXT), Cut],
        &[Binary(b"\x01a"), Binary(b"\x03\x07"), Close(1011, "linger")],
    ] {
        let (text, exit) = run(x(), script).await;
        assert_eq!((text.as_str(), exit.unwrap()), ("a", Exit::Code(7)), "{script:?}");
    }
    assert_eq!(run(x(), &[Binary(b"\x03")]).await.1.unwrap(), Exit::Code(0));
    assert_eq!(run(x(), &[Text(r#"{"type":"exit","exit_code":256}"#)]).await.1.unwrap(), Exit::Code(255));
}

/// 16, 17, 18: an end without an exit is never success, and nothing is run again.
#[tokio::test]
async fn an_end_without_an_exit_is_a_loss_that_names_the_session() {
    for (end, why) in [
        (Close(1000, ""), "the server closed the connection (1000) without it"),
        (Close(1011, "out of memory"), "the server closed the connection (1011): out of memory"),
        (Cut, "the connection ended"),
        (Reset, "the connection ended"),
    ] {
        let server = server(&[&[Text(INFO), Binary(b"\x01part"), end]]).await;
        let mut process = server.start(x()).await.unwrap();
        let (text, exit) = said(&mut process).await;
        let error = lost(exit);
        assert!(text.is_empty() || text == "part");
        assert_eq!(error.to_string(), "lost `x` on `sprites/box` before its exit status arrived (session 840)");
        assert_eq!(error.parts().causes, [why]);
        assert!(error.parts().hint.as_ref().unwrap().contains("--attach 840@1767609000"));
        assert_eq!(error.operation_id(), Some("840@1767609000"));
        assert_eq!(server.heard().iter().filter(|heard| heard.starts_with("GET")).count(), 1);
    }
}

/// 20: a terminal's connection is often dropped behind the exit. 31: the session's id was a number once.
#[tokio::test]
async fn a_terminal_ends_with_the_text_and_a_drop() {
    let script = [
        Text(r#"{"type":"session_info","session_id":840,"tty":true}"#),
        Binary(b"\x01\x02exit\r\n"),
        Text(r#"{"type":"exit","exit_code":0}"#),
        Cut,
    ];
    let server = server(&[&script]).await;
    let mut process = server.start(terminal()).await.unwrap();
    let (text, exit) = said(&mut process).await;
    assert_eq!((text.as_str(), exit.unwrap()), (r"\x01\x02exit\r\n", Exit::Code(0)));
    assert_eq!(process.run.get(), Some(&RunId::from("840")));
}

#[tokio::test]
async fn a_terminal_of_an_old_server_ends_with_two_bytes_and_a_close() {
    let (text, exit) = run(terminal(), &[Binary(b"$ "), Binary(b"\x03\x07"), Close(1000, "")]).await;
    assert_eq!((text.as_str(), exit.unwrap()), ("$ ", Exit::Code(7)));
    let script = [Binary(b"\x03\x07"), Binary(b"$ "), Text(r#"{"type":"exit","exit_code":1}"#)];
    let (text, exit) = run(terminal(), &script).await;
    assert_eq!((text.as_str(), exit.unwrap()), (r"\x03\x07$ ", Exit::Code(1)));
}

/// 22: sizes before the session has a name, and 0x0.
#[tokio::test]
async fn sizes_are_told_by_name_and_zero_is_not() {
    let script = [Until(b"41}"), Text(INFO), Text(r#"{"type":"exit","exit_code":0}"#)];
    let server = server(&[&script]).await;
    let mut process = server.start(terminal()).await.unwrap();
    process.control.resize(TermSize { cols: 0, rows: 0 }).await.unwrap();
    process.control.resize(TermSize { cols: 120, rows: 41 }).await.unwrap();
    said(&mut process).await.1.unwrap();
    let heard = server.heard();
    assert_eq!(heard[0], "GET /v1/sprites/box/exec?cmd=x&path=x&tty=true&cols=80&rows=24&stdin=true");
    assert_eq!(heard[1], r#"{"type":"resize","cols":120,"rows":41}"#);
}

/// 36: in the socket where the server takes that, else by a request.
#[tokio::test]
async fn signals_take_the_way_that_the_server_has() {
    let hup = Signal::parse("HUP").unwrap();
    let script: &[Do] = &[Text(INFO), Until(b"}"), Binary(b"\x03\x00")];
    let server = server(&[script]).await;
    let mut process = server.start(x()).await.unwrap();
    process.control.signal(hup.clone()).await.unwrap();
    said(&mut process).await.1.unwrap();
    assert_eq!(server.heard()[1], r#"{"type":"signal","signal":"HUP"}"#);

    let scripts = Mutex::new(VecDeque::from([vec![Text(INFO)]]));
    let server = server_with(Shared { scripts, ..Shared::default() }).await;
    let process = server.start(x()).await.unwrap();
    process.control.signal(hup).await.unwrap();
    assert_eq!(server.heard()[1], "POST /v1/sprites/box/exec/840/kill?signal=SIGHUP&timeout=0s");
}

/// 82: the program is ended over there, not only left.
#[tokio::test]
async fn a_timeout_kills_over_there() {
    let server = server(&[&[Text(INFO), Binary(b"\x01a")]]).await;
    let spec = ExecSpec { timeout: Some(Duration::from_millis(50)), ..x() };
    let (text, exit) = said(&mut server.start(spec).await.unwrap()).await;
    assert_eq!((text.as_str(), exit.unwrap()), ("a", Exit::TimedOut(Remote::Gone)));
    assert!(server.heard().iter().any(|heard| heard.starts_with("POST /v1/sprites/box/exec/840/kill?signal=SIGTERM")));
}

#[tokio::test]
async fn an_error_in_words_is_the_end() {
    let missing = r#"{"type":"error","error":"exec: \"x\": executable file not found in $PATH"}"#;
    assert!(matches!(run(x(), &[Text(missing)]).await.1.unwrap(), Exit::NotFound(_)));
    let error = lost(run(x(), &[Text(INFO), Text(r#"{"type":"error","message":"disk full"}"#)]).await.1);
    assert_eq!(error.parts().causes, ["disk full"]);
    let error =
        run(x(), &[Text(r#"{"type":"error","error":"chdir /nope: no such file or directory"}"#)]).await.1.unwrap_err();
    let expected = "cannot run `x` on `sprites/box`: chdir /nope: no such file or directory";
    assert_eq!((error.to_string().as_str(), error.parts().effect), (expected, Effect::None));
}

#[tokio::test]
async fn ports_are_told_and_nothing_is_done_about_them() {
    let port = r#"{"type":"port_opened","port":8080,"address":"0.0.0.0","pid":9}"#;
    let (text, _) = run(x(), &[Text(port), Text(r#"{"type":"news"}"#), Binary(b"\x03\x00")]).await;
    assert_eq!(text, format!("<{:?}>", Note::Port { port: 8080, open: true }));
}

/// 30: the snapshot comes before the name, and a size makes the program draw anew. Never an end of input (8.4).
#[tokio::test]
async fn a_terminal_is_joined_and_its_stdin_is_not_ended() {
    let script =
        [Binary(b"snapshot"), Text(INFO), Until(b"24}"), Binary(b"live"), Text(r#"{"type":"exit","exit_code":3}"#)];
    let server = server(&[&script]).await;
    let Io::Terminal { .. } = terminal().io else { panic!("no terminal") };
    let runs = SpritesRuns(server.place.clone());
    let mut process = runs.attach(&"840".into(), From::Now, terminal().io).await.unwrap();
    assert!(process.terminal);
    process.stdin.take().unwrap().end().await.unwrap();
    let (text, exit) = said(&mut process).await;
    assert_eq!((text.as_str(), exit.unwrap()), ("snapshotlive", Exit::Code(3)));
    server.hears("close").await;
    let heard = server.heard();
    let from = heard.iter().position(|heard| heard.starts_with("GET /v1/sprites/box/exec/840?")).unwrap();
    let sizes = [r#"{"type":"resize","cols":80,"rows":23}"#, r#"{"type":"resize","cols":80,"rows":24}"#];
    assert_eq!(heard[from + 1..], [sizes[0], sizes[1], "close Some(1000)"]);
}

#[tokio::test]
async fn an_old_server_is_joined_in_its_own_way() {
    let scripts = Mutex::new(VecDeque::from([vec![Text(r#"{"type":"exit","exit_code":0}"#)]]));
    let server =
        server_with(Shared { scripts, sessions: Mutex::new(SESSIONS), is_old: true, ..Shared::default() }).await;
    let runs = SpritesRuns(server.place.clone());
    let mut process = runs.attach(&"840".into(), From::Now, terminal().io).await.unwrap();
    assert_eq!(said(&mut process).await.1.unwrap(), Exit::Code(0));
    assert!(server.heard().iter().any(|heard| heard == "GET /v1/sprites/box/exec?id=840"));
}

/// 28, 29: a session that ended, and one whose number is another program's now.
#[tokio::test]
async fn what_is_gone_or_another_is_not_joined() {
    let server = server(&[&[Text(INFO)]]).await;
    let runs = SpritesRuns(server.place.clone());
    for gone in ["841", "840@1700000000"] {
        let error = runs.attach(&gone.into(), From::Now, terminal().io).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{gone}");
    }
    assert!(runs.attach(&"840@1767609000".into(), From::Now, terminal().io).await.is_ok());
}

/// 33: a terminal whose connection was lost is joined again, and that is said; the exit is its own.
#[tokio::test]
async fn a_terminal_survives_its_connection() {
    let first = [Text(INFO), Binary(b"before "), Cut];
    let second = [Text(INFO), Binary(b"after"), Until(b"24}"), Text(r#"{"type":"exit","exit_code":9}"#)];
    let server = server(&[&first, &second]).await;
    let (text, exit) = said(&mut server.start(terminal()).await.unwrap()).await;
    assert_eq!((text.as_str(), exit.unwrap()), ("before <Reconnected { lost: None }>after", Exit::Code(9)));
}

#[tokio::test]
async fn a_terminal_that_ended_meanwhile_is_lost() {
    let server = server(&[&[Text(INFO), Cut]]).await;
    *server.shared.sessions.lock().unwrap() = r#"{"count":0,"sessions":[]}"#;
    let error = lost(said(&mut server.start(terminal()).await.unwrap()).await.1);
    assert_eq!(error.parts().causes, ["the connection ended", "session 840 has ended meanwhile"]);
}

/// 34: one that is gone already has been killed well enough.
#[tokio::test]
async fn a_session_that_has_ended_is_killed_already() {
    let server = server(&[]).await;
    let term = Signal::parse("TERM").unwrap();
    for (session, expected) in [("840", Remote::Gone), ("841", Remote::Gone), ("842", Remote::Gone)] {
        let remote = super::super::runs::kill(&server.place, session, &term, Some(Duration::from_secs(1))).await;
        assert_eq!(remote.unwrap(), expected, "{session}");
    }
}

/// 84: variables of any kind, none of them in the URL.
#[tokio::test]
async fn variables_go_by_stdin_ahead_of_what_is_passed_on() {
    let script = [Until(b"\x04"), Binary(b"\x03\x00")];
    let server = server(&[&script]).await;
    let io = Io::Pipes { stdin: StdinMode::Live, merge_stderr: false };
    let env = vec![("SECRET".to_owned(), Bytes::from("a=b&c%+\n'd"))];
    let mut process = server.start(ExecSpec { env, io, ..x() }).await.unwrap();
    let mut stdin = process.stdin.take().unwrap();
    stdin.write("mine".into()).await.unwrap();
    stdin.end().await.unwrap();
    said(&mut process).await.1.unwrap();
    let heard = server.heard();
    assert!(!heard[0].contains("SECRET"), "{}", heard[0]);
    let line = "\\x00set -- \\'x\\' && export SECRET=\\'a=b&c%+\\'\\\"$esker_n\\\"\\'\\'\\\\\\'\\'d\\'\\n";
    assert_eq!(heard[1..4], [line, "\\x00mine", "\\x04"]);
}

#[tokio::test]
async fn variables_of_a_terminal_go_by_a_file() {
    let server = server(&[&[Text(r#"{"type":"exit","exit_code":0}"#)]]).await;
    let spec = ExecSpec { env: vec![("SECRET".to_owned(), "hunter2".into())], ..terminal() };
    said(&mut server.start(spec).await.unwrap()).await.1.unwrap();
    let heard = server.heard();
    assert!(heard[0].starts_with("PUT /v1/sprites/box/fs/write?path=/tmp/.esker-"), "{heard:?}");
    assert!(heard[0].ends_with("&workingDir=/&mode=0600") && !heard.concat().contains("hunter2"), "{heard:?}");
}

#[tokio::test]
async fn a_refused_upgrade_removes_the_file_and_tells_the_servers_words() {
    let server = server(&[]).await;
    let spec = ExecSpec { env: vec![("SECRET".to_owned(), "hunter2".into())], ..terminal() };
    let error = server.start(spec).await.err().unwrap();
    assert_eq!(error.to_string(), "cannot run `x` on `sprites`: session not found: 840");
    assert!(server.heard().iter().any(|heard| heard.starts_with("DELETE /v1/sprites/box/fs/delete?path=/tmp/.esker-")));
}

/// Leaving closes politely and the session goes on.
#[tokio::test]
async fn a_terminal_can_be_left() {
    let server = server(&[&[Text(INFO)]]).await;
    let process = server.start(terminal()).await.unwrap();
    assert_eq!(process.control.detach().await.unwrap(), Some(RunId::from("840@1767609000")));
    server.hears("close Some(1000)").await;
    assert!(!server.heard().iter().any(|heard| heard.contains("kill")));
}

#[tokio::test]
async fn a_message_of_the_users_own_goes_as_it_is() {
    let server = server(&[&[Text(INFO), Until(b"}"), Binary(b"\x03\x00")]]).await;
    let mut process = server.start(x()).await.unwrap();
    process.control.message(serde_json::json!({"type": "custom", "n": 1})).await.unwrap();
    said(&mut process).await.1.unwrap();
    assert_eq!(server.heard()[1], r#"{"type":"custom","n":1}"#);
}
