//! The faults of every server, around a handler.

use super::{Plan, Value};
use crate::error::Error;
use crate::stream::{self, ByteStream};
use crate::transport::server::{Body, Connection, End, Handler, Reply, Request, Response};
use crate::transport::{StatusCode, header};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use std::sync::Arc;

/// The statuses that are answered instead of by the simulator.
const STATUSES: &[&str] = &["401", "403", "429", "500", "502", "503"];

/// What nobody can parse: no UTF-8, no JSON, no multipart.
const GARBAGE: &[u8] = b"\xff\xfe{\"\x00]<garbage\r\n--\x80\n";

/// A handler that meets the faults of a plan.
pub struct Faulty {
    inner: Arc<dyn Handler>,
    plan: Plan,
}

impl Faulty {
    /// `inner`, with the generic faults of `plan`.
    pub fn new(inner: Arc<dyn Handler>, plan: Plan) -> Self {
        Self { inner, plan }
    }
}

#[async_trait]
impl Handler for Faulty {
    async fn handle(&self, request: Request) -> Reply {
        if let Some(delay) = self.plan.take("delay", &request) {
            tokio::time::sleep(delay.duration()).await;
        }
        let refused = STATUSES.iter().find_map(|status| Some((status, self.plan.take(status, &request)?)));
        if let Some((status, value)) = refused {
            return refusal(status, value).into();
        }
        let garbage = self.plan.take("garbage", &request);
        let end = [("cut", End::Cut), ("reset", End::Reset), ("stall", End::Stall)];
        let end = end.into_iter().find_map(|(kind, end)| Some((self.plan.take(kind, &request)?.number(), end)));
        let connection = request.connection.clone();
        match self.inner.handle(request).await {
            Reply::Response(mut response) => {
                if garbage.is_some() {
                    response.headers.remove(header::CONTENT_LENGTH);
                    response.body = Body::Full(Bytes::from_static(GARBAGE));
                }
                if let Some((bytes, end)) = end {
                    response.body = ending(response.body, bytes, end, connection);
                }
                Reply::Response(response)
            }
            Reply::Websocket { headers, task } => match end {
                None => Reply::Websocket { headers, task },
                Some((bytes, end)) => Reply::websocket(headers, move |socket| {
                    connection.end_after(bytes, end);
                    task(socket)
                }),
            },
        }
    }
}

fn refusal(status: &str, value: Value) -> Response {
    let status: StatusCode = status.parse().expect("the statuses above are numbers");
    let response = Response::text(status, format!("{} (a fault of the playground)\n", status.as_str()));
    match value {
        Value::Duration(delay) => response.header(header::RETRY_AFTER, delay.as_secs().max(1).into()),
        _ => response,
    }
}

/// A body that ends after `bytes`, with the length that it would have had.
fn ending(body: Body, bytes: u64, end: End, connection: Connection) -> Body {
    let (body, len) = match body {
        Body::Full(content) => {
            let len = content.len() as u64;
            (stream::iter([Ok(content)]), Some(len))
        }
        Body::Stream { body, len } => (body, len),
    };
    // A body that is announced to be empty is never asked for anything: it would end well.
    let len = len.filter(|len| *len > 0);
    Body::Stream { body: ended(body, bytes, end, connection), len }
}

fn ended(body: ByteStream, bytes: u64, end: End, connection: Connection) -> ByteStream {
    stream::unfold((body, bytes, connection), move |(mut body, left, connection)| async move {
        let next = if left > 0 { body.next().await } else { None };
        if let Some(chunk) = next {
            let mut chunk = chunk?;
            chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            let left = left - chunk.len() as u64;
            return Ok(Some((chunk, (body, left, connection))));
        }
        match end {
            End::Stall => std::future::pending().await,
            End::Cut => {}
            End::Reset => connection.reset_at_end(),
        }
        Err(Error::failure("a fault of the playground"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::transport::server::{Listener, Socket, serve};
    use crate::transport::{Address, Client, Fault, Frame, Net, NetOptions, WsReply, fault};
    use std::time::Duration;

    struct Echo;

    #[async_trait]
    impl Handler for Echo {
        async fn handle(&self, request: Request) -> Reply {
            if request.is_websocket() {
                return Reply::websocket(crate::transport::HeaderMap::new(), |socket: Socket| async {
                    let (mut sink, mut stream) = socket.split();
                    sink.text("hello").await;
                    sink.text("again").await;
                    stream.next().await;
                });
            }
            Response::text(StatusCode::OK, format!("path {}", request.path)).into()
        }
    }

    /// A server of these faults, and its client.
    async fn faulty(faults: &[&str]) -> (tokio::task::JoinHandle<()>, Client) {
        let specs: Vec<_> = faults.iter().map(|text| parse(text, &[]).unwrap()).collect();
        let listener = Listener::tcp(0).await.unwrap();
        let address = Address::Tcp { host: "127.0.0.1".to_owned(), port: listener.port().unwrap() };
        let handler = Arc::new(Faulty::new(Arc::new(Echo), Plan::new(&specs, "x")));
        let options = NetOptions { idle_timeout: Duration::from_millis(50), ..NetOptions::default() };
        (tokio::spawn(serve(listener, handler)), Client::new(Net::new(options), address))
    }

    async fn get(client: &Client, path: &str) -> Result<(u16, Bytes), Option<Fault>> {
        let answer = client.send(crate::transport::Request::get(path)).await.map_err(|error| fault(&error))?;
        let status = answer.status;
        Ok((status, answer.bytes(1000).await.map_err(|error| fault(&error))?))
    }

    #[tokio::test]
    async fn a_status_meets_as_many_requests_as_it_is_meant_for() {
        let (server, client) = faulty(&["429=3s:first=1", "503:path=/a*:first=2"]).await;
        let answer = client.send(crate::transport::Request::get("/b")).await.unwrap();
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("3")));
        let mut statuses = Vec::new();
        for path in ["/b", "/a", "/ab", "/a"] {
            statuses.push(get(&client, path).await.unwrap().0);
        }
        assert_eq!(statuses, [200, 503, 503, 200]);
        server.abort();
    }

    #[tokio::test]
    async fn a_body_is_cut_reset_stalled_or_nonsense() {
        let faults = ["cut=3:path=/cut", "reset=3:path=/reset", "stall=3:path=/stall", "garbage:path=/garbage"];
        let (server, client) = faulty(&faults).await;
        assert_eq!(get(&client, "/cut").await, Err(Some(Fault::Lost)));
        assert_eq!(get(&client, "/reset").await, Err(Some(Fault::Lost)));
        assert_eq!(get(&client, "/stall").await, Err(Some(Fault::TimedOut)));
        assert!(std::str::from_utf8(&get(&client, "/garbage").await.unwrap().1).is_err());
        assert_eq!(get(&client, "/fine").await, Ok((200, Bytes::from("path /fine"))));
        let answer = client.send(crate::transport::Request::get("/cut")).await.unwrap();
        let mut body = answer.into_stream();
        assert_eq!(body.next().await.unwrap().unwrap(), "pat");
        assert!(body.next().await.unwrap().is_err());
        server.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_delayed() {
        let (server, client) = faulty(&["delay=5s:first=1"]).await;
        let begun = tokio::time::Instant::now();
        assert_eq!(get(&client, "/").await.unwrap().0, 200);
        assert!(begun.elapsed() >= Duration::from_secs(5));
        server.abort();
    }

    #[tokio::test]
    async fn a_websocket_is_cut_reset_or_stalled_between_its_bytes() {
        // The first message is 7 bytes long on the wire.
        let (server, client) = faulty(&["cut=7:path=/cut", "reset=7:path=/reset", "stall=10:path=/stall"]).await;
        for path in ["/cut", "/reset", "/stall"] {
            let WsReply::Open(socket) = client.websocket(path, &[]).await.unwrap() else { panic!("refused") };
            let (_sink, mut stream) = socket.split();
            assert_eq!(stream.next().await.unwrap(), Some(Frame::Text("hello".into())));
            let next = tokio::time::timeout(Duration::from_millis(50), stream.next()).await;
            match path {
                "/stall" => assert!(next.is_err()),
                _ => assert_eq!(next.unwrap().unwrap(), Some(Frame::Eof)),
            }
        }
        server.abort();
    }
}
