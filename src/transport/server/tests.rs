//! The server against our own client, and against raw sockets where the bytes matter.

use super::{Handler, Listener, Message, Peer, Reply, Request, Response, Socket, serve};
use crate::error::Error;
use crate::stream;
use crate::transport::{self, Address, Client, Fault, Frame, Net, WsReply, fault};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A server that a function is, as long as this lives.
struct Server {
    address: Address,
    task: JoinHandle<()>,
    _folder: Option<TempDir>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    fn client(&self) -> Client {
        Client::new(Net::default(), self.address.clone())
    }

    fn port(&self) -> u16 {
        match self.address {
            Address::Tcp { port, .. } => port,
            _ => panic!("no port"),
        }
    }

    /// What a client that sends `text` and then only reads is told until the end.
    async fn raw(&self, text: impl AsRef<[u8]>) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port())).await?;
        stream.write_all(text.as_ref()).await?;
        let mut answer = Vec::new();
        let ended = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        ended.map(|_| answer.clone()).map_err(|error| std::io::Error::new(error.kind(), answer))
    }
}

struct Function<F>(F);

#[async_trait]
impl<F, Fut> Handler for Function<F>
where
    F: Fn(Request) -> Fut + Send + Sync,
    Fut: Future<Output = Reply> + Send,
{
    async fn handle(&self, request: Request) -> Reply {
        (self.0)(request).await
    }
}

async fn tcp<F, Fut>(function: F) -> Server
where
    F: Fn(Request) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Reply> + Send + 'static,
{
    let listener = Listener::tcp(0).await.unwrap();
    let address = Address::Tcp { host: "127.0.0.1".to_owned(), port: listener.port().unwrap() };
    Server { address, task: tokio::spawn(serve(listener, Arc::new(Function(function)))), _folder: None }
}

fn unix<F, Fut>(function: F) -> Server
where
    F: Fn(Request) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Reply> + Send + 'static,
{
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s");
    let listener = Listener::unix(&path, 0o600).unwrap();
    let task = tokio::spawn(serve(listener, Arc::new(Function(function))));
    Server { address: Address::Unix(path), task, _folder: Some(folder) }
}

fn ok(text: impl Into<String>) -> Reply {
    Response::text(StatusCode::OK, text).into()
}

#[tokio::test]
async fn a_request_arrives_taken_apart_and_its_answer_goes_back() {
    let server = unix(|mut request| async move {
        let body = request.bytes(100).await.unwrap();
        let values: Vec<_> = request.query.all("q").map(<[u8]>::to_vec).collect();
        let seen = format!("{} {:?} {values:?} {:?} {body:?}", request.method, request.segments(), request.bearer());
        assert!(matches!(request.peer, Peer::Unix { pid: Some(pid), .. } if pid.cast_unsigned() == std::process::id()));
        Response::text(StatusCode::CREATED, seen).header(HeaderName::from_static("x-a"), "b".parse().unwrap()).into()
    });
    let request = transport::Request::post("/v1/a%2Fb/?q=a+%ff&q=")
        .header(hyper::header::AUTHORIZATION, HeaderValue::from_static("Bearer tok"))
        .body(Bytes::from("hello"));
    let answer = server.client().send(request).await.unwrap();
    assert_eq!((answer.status, answer.headers["x-a"].as_bytes()), (201, &b"b"[..]));
    let text = answer.bytes(1000).await.unwrap();
    assert_eq!(text, r#"POST ["v1", "a/b", ""] [[97, 32, 255], []] Some("tok") b"hello""#);
}

#[tokio::test]
async fn a_socket_has_the_mode_it_was_asked_for_and_goes_with_its_server() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = unix(|_| async { ok("") });
    let Address::Unix(path) = server.address.clone() else { panic!("no path") };
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    UnixStream::connect(&path).await.unwrap();
    server.task.abort();
    while UnixStream::connect(&path).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!path.exists());
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_one_that_breaks_off_is_an_error() {
    let (seen, mut results) = mpsc::unbounded_channel();
    let server = tcp(move |mut request: Request| {
        let seen = seen.clone();
        async move {
            let result = request.bytes(4).await;
            seen.send(result.map_err(|error| error.kind())).unwrap();
            ok("")
        }
    })
    .await;
    let send = async |text: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
        stream.write_all(format!("POST / HTTP/1.1\r\nContent-Length: {text}").as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    };
    send("4\r\n\r\nfour").await;
    assert_eq!(results.recv().await.unwrap(), Ok(Bytes::from("four")));
    send("5\r\n\r\nfives").await;
    assert_eq!(results.recv().await.unwrap(), Err(crate::error::ErrorKind::Rejected));
    send("5\r\n\r\nfo").await;
    assert_eq!(results.recv().await.unwrap(), Err(crate::error::ErrorKind::Unreachable));
}

#[tokio::test]
async fn each_chunk_of_a_body_is_sent_when_it_is_there() {
    let (chunks, source) = mpsc::unbounded_channel::<Bytes>();
    let source = Arc::new(Mutex::new(Some(source)));
    let server = unix(move |_| {
        let source = source.lock().unwrap().take().unwrap();
        let body = stream::unfold(source, |mut source| async { Ok(source.recv().await.map(|bytes| (bytes, source))) });
        async { Response::stream(StatusCode::OK, "application/x-ndjson", body).into() }
    });
    let answer = server.client().send(transport::Request::get("/")).await.unwrap();
    let mut body = answer.into_stream();
    for text in ["one", "two"] {
        chunks.send(Bytes::from(text)).unwrap();
        assert_eq!(body.next().await.unwrap().unwrap(), text);
    }
    drop(chunks);
    assert!(body.next().await.is_none());
}

#[tokio::test]
async fn a_body_that_fails_is_cut_after_what_it_yielded() {
    let server = tcp(|request| async move {
        let chunks = [Ok(Bytes::from("one ")), Ok(Bytes::from("two")), Err(Error::failure("cut"))];
        let mut answer = Response::stream(StatusCode::OK, "text/plain", stream::iter(chunks));
        if let super::Body::Stream { len, .. } = &mut answer.body {
            *len = (request.path == "/known").then_some(100);
        }
        answer.into()
    })
    .await;
    let chunked = server.raw("GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert!(chunked.ends_with("\r\n\r\n4\r\none \r\n3\r\ntwo\r\n"), "{chunked}");
    let known = server.raw("GET /known HTTP/1.1\r\n\r\n").await.unwrap();
    assert!(known.contains("content-length: 100\r\n") && known.ends_with("\r\n\r\none two"), "{known}");
    let answer = server.client().send(transport::Request::get("/")).await.unwrap();
    assert_eq!(fault(&answer.bytes(100).await.unwrap_err()), Some(Fault::Lost));
}

#[tokio::test]
async fn a_connection_can_be_cut_and_reset_in_the_middle_of_a_request() {
    let server = tcp(|request| async move {
        if request.path == "/reset" {
            request.connection.reset();
        } else {
            request.connection.cut();
        }
        ok("nobody gets this")
    })
    .await;
    assert_eq!(server.raw("GET /cut HTTP/1.1\r\n\r\n").await.unwrap(), "");
    let error = server.raw("GET /reset HTTP/1.1\r\n\r\n").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_handler_is_dropped_when_its_client_hangs_up() {
    struct Dropped(mpsc::UnboundedSender<&'static str>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.send("dropped").unwrap();
        }
    }
    let (seen, mut events) = mpsc::unbounded_channel();
    let server = unix(move |_| {
        let seen = seen.clone();
        async move {
            seen.send("called").unwrap();
            let _guard = Dropped(seen);
            std::future::pending().await
        }
    });
    let client = server.client();
    let mut asking = Box::pin(client.send(transport::Request::get("/")));
    tokio::select! {
        _ = &mut asking => panic!("nobody answers"),
        event = events.recv() => assert_eq!(event, Some("called")),
    }
    drop(asking);
    assert_eq!(events.recv().await, Some("dropped"));
}

/// A server whose websockets `serve` attends.
async fn sockets<F, Fut>(serve: F) -> Server
where
    F: Fn(Socket) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    tcp(move |_| {
        let serve = serve.clone();
        let headers = HeaderMap::from_iter([(HeaderName::from_static("sprite-version"), "v1".parse().unwrap())]);
        async { Reply::websocket(headers, serve) }
    })
    .await
}

async fn opened(server: &Server) -> transport::WebSocket {
    let WsReply::Open(websocket) = server.client().websocket("/ws", &[]).await.unwrap() else { panic!("refused") };
    websocket
}

#[tokio::test]
async fn a_websocket_carries_messages_both_ways_and_a_close() {
    let (seen, mut messages) = mpsc::unbounded_channel();
    let server = sockets(move |socket| {
        let seen = seen.clone();
        async move {
            let (mut sink, mut stream) = socket.split();
            assert!(sink.ping("?").await && sink.text("hello").await);
            while let Some(message) = stream.next().await {
                if let Message::Binary(bytes) = &message {
                    sink.binary(bytes.clone()).await;
                }
                if message == Message::Text("bye".into()) {
                    sink.close(4001, "enough").await;
                }
                seen.send(message).unwrap();
            }
        }
    })
    .await;
    let (mut sink, mut stream) = opened(&server).await.split();
    assert_eq!(stream.next().await.unwrap(), Some(Frame::Text("hello".into())));
    let large = Bytes::from(vec![7; 1_000_000]);
    assert!(sink.send_binary(large.clone()).await.unwrap());
    assert_eq!(stream.next().await.unwrap(), Some(Frame::Binary(large.clone())));
    assert!(sink.send_text("bye").await.unwrap());
    let closed = Frame::Close { code: Some(4001), reason: "enough".to_owned() };
    assert_eq!(stream.next().await.unwrap(), Some(closed));
    let close = Message::Close { code: Some(4001), reason: "enough".to_owned() };
    for expected in [Message::Pong("?".into()), Message::Binary(large), Message::Text("bye".into()), close] {
        assert_eq!(messages.recv().await, Some(expected));
    }
}

#[tokio::test]
async fn a_websocket_ends_in_all_the_ways_that_servers_have() {
    // Finished: what was sent last arrives although the client still sends.
    let server = sockets(|socket| async {
        let (mut sink, stream) = socket.split();
        sink.text("last").await;
        sink.finish(stream, 1000, "", Duration::from_mins(1)).await;
    })
    .await;
    let (mut sink, mut stream) = opened(&server).await.split();
    sink.send_binary(Bytes::from(vec![0; 3_000_000])).await.unwrap();
    assert_eq!(stream.next().await.unwrap(), Some(Frame::Text("last".into())));
    assert_eq!(stream.next().await.unwrap(), Some(Frame::Close { code: Some(1000), reason: String::new() }));

    // Dropped without a close.
    let server = sockets(|socket| async move { drop(socket) }).await;
    assert_eq!(opened(&server).await.split().1.next().await.unwrap(), Some(Frame::Eof));

    // Cut from elsewhere while somebody reads: the reader wakes up too.
    let (cut, cuts) = tokio::sync::watch::channel(());
    let server = sockets(move |socket| {
        let cut = cut.clone();
        async move {
            let connection = socket.connection();
            tokio::spawn(async move { connection.cut() });
            assert_eq!(socket.split().1.next().await, Some(Message::Eof));
            cut.send(()).unwrap();
        }
    })
    .await;
    assert_eq!(opened(&server).await.split().1.next().await.unwrap(), Some(Frame::Eof));
    cuts.clone().changed().await.unwrap();

    // Reset after a message.
    let server = sockets(|socket| async {
        let connection = socket.connection();
        let (mut sink, mut stream) = socket.split();
        sink.text("one").await;
        assert_eq!(stream.next().await, Some(Message::Text("now".into())));
        connection.reset();
    })
    .await;
    let handshake = "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
                     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    // A masked text frame whose mask changes nothing.
    let error = server.raw([handshake.as_bytes(), b"\x81\x83\0\0\0\0now"].concat()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let said = error.to_string();
    assert!(said.starts_with("HTTP/1.1 101 ") && said.contains("\r\nsprite-version: v1\r\n"), "{said}");
    assert!(said.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") && said.ends_with("\u{FFFD}\x03one"), "{said}");
}

#[tokio::test]
async fn what_asks_for_no_websocket_gets_none() {
    let server = sockets(|_| async {}).await;
    for head in ["Upgrade: h2c\r\nConnection: Upgrade", "Connection: Upgrade", "X: y"] {
        let answer = server.raw(format!("GET / HTTP/1.1\r\n{head}\r\nConnection: close\r\n\r\n")).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    let request = Request::of(Method::GET, "/a/b?c=d", &[(hyper::header::AUTHORIZATION, "bearer x")]);
    assert_eq!((request.segments(), request.bearer(), request.is_websocket()), (vec!["a", "b"], Some("x"), false));
}
