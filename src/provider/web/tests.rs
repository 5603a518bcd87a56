//! The client against a server that answers as each test says.

use super::{Client, Credential, Ready, Refusal, System, is_open, text_of};
use crate::config::EndpointConfig;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::provider::Env;
use crate::transport::header::AUTHORIZATION;
use crate::transport::server::{Handler, Listener, Reply, Request as Asked, Response, serve};
use crate::transport::{Address, Client as Http, HeaderMap, Method, Net, Request, StatusCode};
use async_trait::async_trait;
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;

fn read(status: u16, _: &HeaderMap, body: &[u8]) -> Refusal {
    let kind = match status {
        401 => ErrorKind::Auth,
        503 => ErrorKind::TryLater,
        400..=499 => ErrorKind::Rejected,
        _ => ErrorKind::Failure,
    };
    Refusal::new(status, kind, text_of(status, body))
}

static PLAIN: System = System {
    id: "plain",
    name: "the plain API",
    variable: "PLAIN_URL",
    root: "/api/",
    read,
    is_open,
    refused: "is it current?",
    distrusted: None,
    has_pages: true,
    subprotocol: None,
    is_touchy: false,
    next_page: |_, _| None,
};
static TOUCHY: System = System { id: "touchy", is_touchy: true, has_pages: false, ..PLAIN };

fn find(_: &EndpointConfig, _: &Env) -> Result<Ready> {
    Ready::bearer(" t ", "a test")
}

fn nothing(endpoint: &EndpointConfig, _: &Env) -> Result<Ready> {
    Err(Error::auth(format!("endpoint `{}` has no token", endpoint.name)))
}

/// Answers by path, and keeps what it was asked.
#[derive(Default)]
struct Api {
    asked: Mutex<Vec<String>>,
    /// Requests that are being answered, and the most there ever were.
    at_once: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Handler for Api {
    async fn handle(&self, request: Asked) -> Reply {
        let path = request.path.clone();
        let token = request.header(&AUTHORIZATION).unwrap_or("-").to_owned();
        self.asked.lock().unwrap().push(format!("{path} {token}"));
        self.most.fetch_max(self.at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        let json = |text: &'static str| Response::bytes(StatusCode::OK, "application/json", text);
        match path.rsplit('/').next().unwrap_or_default() {
            "bom" => json("\u{feff}[1]"),
            "empty" => json(""),
            "garbled" => json("{"),
            "page" => Response::bytes(StatusCode::OK, "text/html; charset=utf-8", "<html>"),
            "moved" => Response::text(StatusCode::FOUND, ""),
            "wrong" => Response::text(StatusCode::UNAUTHORIZED, "no such token"),
            "no" => Response::text(StatusCode::BAD_REQUEST, "no"),
            "lost" => Response::text(StatusCode::INTERNAL_SERVER_ERROR, "<html>"),
            "busy" => Response::text(StatusCode::SERVICE_UNAVAILABLE, "later"),
            _ => json("{}"),
        }
        .into()
    }
}

struct Server {
    client: Client,
    api: Arc<Api>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn server(system: &'static System, find: super::credential::Find) -> Server {
    let listener = Listener::tcp(0).await.unwrap();
    let address = Address::Tcp { host: "127.0.0.1".to_owned(), port: listener.port().unwrap() };
    let api = Arc::new(Api::default());
    let task = tokio::spawn(serve(listener, api.clone()));
    let credential = Credential::new(EndpointConfig::implicit("lab"), Env::default(), find);
    let client = Client::new(system, Http::new(Net::default(), address), "/base".to_owned(), credential);
    Server { client, api, task }
}

impl Server {
    async fn get(&self, path: &str) -> Result<Value> {
        self.client.get("look", path).await
    }

    async fn post(&self, path: &str) -> Result<Value> {
        self.client.send("change it", Method::POST, path, Some(&1)).await
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.api.asked.lock().unwrap())
    }
}

#[tokio::test]
async fn documents_are_below_the_root_and_the_token_goes_along() {
    let server = server(&PLAIN, find).await;
    assert_eq!(server.get("bom").await.unwrap(), serde_json::json!([1]));
    assert_eq!(server.post("empty").await.unwrap(), Value::Null);
    server.client.anonymous("ask", Request::get("/open")).await.unwrap();
    assert_eq!(server.asked(), ["/base/api/bom Bearer t", "/base/api/empty Bearer t", "/base/open -"]);
}

#[tokio::test]
async fn a_refused_token_is_named_with_its_origin() {
    let error = server(&PLAIN, find).await.get("wrong").await.unwrap_err();
    assert_eq!(error.to_string(), "cannot look on `lab`: no such token");
    assert_eq!(error.parts().hint.as_deref(), Some("the token from a test was refused: is it current?"));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let server = server(&PLAIN, nothing).await;
    assert_eq!(server.get("x").await.unwrap_err().kind(), ErrorKind::Auth);
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn what_is_no_document_is_a_failure() {
    let plain = server(&PLAIN, find).await;
    for (path, cause) in [("garbled", "EOF"), ("page", "it is a web page")] {
        let error = plain.get(path).await.unwrap_err();
        assert_eq!(error.to_string(), "cannot look on `lab`: the answer cannot be read", "{path}");
        assert!(error.parts().causes[0].starts_with(cause), "{error:?}");
    }
    let error = plain.get("moved").await.unwrap_err();
    assert_eq!(error.to_string(), "cannot look on `lab`: it answered with a redirect (HTTP 302)");
    assert_eq!(server(&TOUCHY, find).await.client.fetch("look", Request::get("/page")).await.unwrap(), "<html>");
}

#[tokio::test]
async fn how_far_a_change_came_is_told() {
    let server = server(&PLAIN, find).await;
    for (path, effect) in
        [("no", Effect::None), ("lost", Effect::Unknown), ("busy", Effect::None), ("garbled", Effect::Done)]
    {
        let error = server.post(path).await.unwrap_err();
        assert_eq!(error.parts().effect, effect, "{path}");
    }
    assert_eq!(server.get("lost").await.unwrap_err().parts().effect, Effect::None);
}

#[tokio::test(start_paused = true)]
async fn only_what_had_no_effect_is_sent_again() {
    let server = server(&PLAIN, find).await;
    let change = async |path: &'static str| {
        let sent = server.client.change("change it", &|| Request::post(path)).await;
        (sent.unwrap_err().kind(), server.asked().len())
    };
    assert_eq!(change("/busy").await, (ErrorKind::TryLater, 4));
    assert_eq!(change("/lost").await, (ErrorKind::Failure, 1));
}

#[tokio::test]
async fn a_touchy_server_gets_one_request_before_the_token_is_known_to_be_good() {
    let good = server(&TOUCHY, find).await;
    let all = futures_util::future::join_all((0..4).map(|_| good.get("x"))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    let bad = server(&TOUCHY, find).await;
    let all = futures_util::future::join_all((0..4).map(|_| bad.get("wrong"))).await;
    assert!(all.iter().all(|one| one.as_ref().is_err_and(|error| error.kind() == ErrorKind::Auth)), "{all:?}");
    assert_eq!((bad.asked().len(), bad.api.most.load(Ordering::SeqCst)), (1, 1));
    let hint = bad.get("x").await.unwrap_err();
    assert_eq!(hint.parts().hint.as_deref(), Some("the token from a test was refused: is it current?"));
}
