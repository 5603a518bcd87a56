//! Requests, answers, reuse and loss.

use super::{Peer, Socket, impatient, socket};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::stream;
use crate::transport::{Body, Client, Deadline, Fault, NetOptions, Request, Trace, fault};
use bytes::Bytes;
use futures_util::StreamExt;
use hyper::header::{HeaderName, HeaderValue};
use std::sync::{Arc, Mutex};
use std::time::Duration;

async fn text(client: &Client, request: Request) -> Result<String> {
    let bytes = client.send(request).await?.bytes(1 << 20).await?;
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

/// Runs a client and a server side by side until both are done.
async fn both<A, B>(client: impl Future<Output = A>, server: impl Future<Output = B>) -> (A, B) {
    futures_util::future::join(client, server).await
}

#[tokio::test]
async fn a_request_says_what_it_was_told_to_and_connections_are_reused() {
    let socket = socket();
    let client = socket.client().with_header(HeaderName::from_static("x-a"), HeaderValue::from_static("1"));
    let (answers, requests) = both(
        async {
            [
                text(&client, Request::get("/v1/a?b=c%20d").accept("a/b")).await.unwrap(),
                text(&client, Request::post("/v1/p").json(&serde_json::json!({"k": [1]}))).await.unwrap(),
                text(&client.clone(), Request::delete("/v1/d")).await.unwrap(),
            ]
        },
        async {
            let mut peer = socket.accept().await;
            let mut requests = Vec::new();
            for body in ["one", "", "three"] {
                requests.push(peer.request().await);
                peer.answer(body).await;
            }
            requests
        },
    )
    .await;
    assert_eq!(answers, ["one", "", "three"]);
    assert_eq!(requests[0], "GET /v1/a?b=c%20d HTTP/1.1\r\nhost: localhost\r\nx-a: 1\r\naccept: a/b\r\n\r\n");
    assert!(requests[1].starts_with("POST /v1/p HTTP/1.1\r\n"), "{}", requests[1]);
    assert!(requests[1].ends_with("content-length: 9\r\n\r\n{\"k\":[1]}"), "{}", requests[1]);
    assert!(requests[2].starts_with("DELETE /v1/d HTTP/1.1\r\n"), "{}", requests[2]);
}

/// One exchange, after which the server does `after` to the connection that the client will want to reuse.
async fn first(socket: &Socket, client: &Client) -> Peer {
    let (answer, peer) = both(text(client, Request::get("/first")), async {
        let mut peer = socket.accept().await;
        peer.request().await;
        peer.answer("first").await;
        peer
    })
    .await;
    assert_eq!(answer.unwrap(), "first");
    peer
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_replaced_even_for_a_post() {
    let socket = socket();
    let client = socket.client();
    drop(first(&socket, &client).await);
    let (answer, request) = both(text(&client, Request::post("/second").body(Bytes::from("x"))), async {
        let mut peer = socket.accept().await;
        let request = peer.request().await;
        peer.answer("second").await;
        request
    })
    .await;
    assert_eq!(answer.unwrap(), "second");
    assert!(request.starts_with("POST /second"));
}

#[tokio::test]
async fn a_reused_connection_that_dies_is_replaced_for_a_get_only() {
    let socket = socket();
    let client = socket.client();
    let mut peer = first(&socket, &client).await;
    let (answer, ()) = both(text(&client, Request::get("/second")), async {
        peer.request().await;
        drop(peer);
        let mut peer = socket.accept().await;
        peer.request().await;
        peer.answer("second").await;
    })
    .await;
    assert_eq!(answer.unwrap(), "second");

    let client = socket.client();
    let mut peer = first(&socket, &client).await;
    let (answer, _) =
        both(text(&client, Request::post("/second").body(Bytes::from("x"))), async move { peer.request().await }).await;
    let error = answer.unwrap_err();
    assert_eq!(
        (error.kind(), error.parts().effect, fault(&error)),
        (ErrorKind::Unreachable, Effect::Unknown, Some(Fault::Lost))
    );
}

#[tokio::test]
async fn a_get_on_a_fresh_connection_is_not_repeated() {
    let socket = socket();
    let client = socket.client();
    let (answer, ()) = both(text(&client, Request::get("/")), async {
        socket.accept().await.request().await;
    })
    .await;
    let error = answer.unwrap_err();
    assert_eq!((error.parts().effect, fault(&error)), (Effect::None, Some(Fault::Lost)));
    assert_eq!(error.to_string(), format!("lost the connection to `{}` before an answer came", socket.path.display()));
}
