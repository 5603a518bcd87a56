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

#[tokio::test]
async fn a_server_that_answers_and_hangs_up_before_it_read_the_request_is_heard() {
    let socket = socket();
    let endless = stream::unfold(Bytes::from(vec![0; 65536]), |chunk| async { Ok(Some((chunk.clone(), chunk))) });
    let request = Request::post("/").body(Body::Stream { body: endless, len: None });
    let client = socket.client();
    let (answer, ()) = both(client.send(request), async {
        let mut peer = socket.accept().await;
        peer.say("HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno").await;
    })
    .await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.is_success()), (400, false));
    assert_eq!(answer.bytes(10).await.unwrap(), "no");
}

#[tokio::test]
async fn a_connection_whose_request_is_unfinished_is_not_used_again() {
    let socket = socket();
    let client = socket.client();
    let stuck = Body::Stream { body: futures_util::stream::pending().boxed(), len: None };
    let (answers, end) = both(
        async { [text(&client, Request::post("/1").body(stuck)).await, text(&client, Request::get("/2")).await] },
        async {
            let mut first = socket.accept().await;
            first.answer("early").await;
            let mut second = socket.accept().await;
            second.request().await;
            second.answer("later").await;
            first.request().await
        },
    )
    .await;
    assert_eq!(answers.map(Result::unwrap), ["early", "later"]);
    assert!(end.ends_with("<end>"), "{end}");
}

#[tokio::test]
async fn uploads_have_their_length_or_are_chunked() {
    let chunks = || stream::iter(["ab", "", "cde"].map(|chunk| Ok(Bytes::from(chunk))));
    for (len, end) in [(Some(5), "content-length: 5\r\n\r\nabcde"), (None, "\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n")]
    {
        let socket = socket();
        let client = socket.client();
        let request = Request::put("/").body(Body::Stream { body: chunks(), len });
        let (answer, request) = both(text(&client, request), async {
            let mut peer = socket.accept().await;
            let request = peer.request().await;
            peer.answer("ok").await;
            request
        })
        .await;
        assert_eq!(answer.unwrap(), "ok");
        assert!(request.ends_with(end), "{request}");
    }
}

#[tokio::test]
async fn a_body_that_fails_is_the_error_and_never_a_clean_end() {
    let chunk = || Result::Ok(Bytes::from("abc"));
    let broken = || Err(Error::failure("cannot read `x`: disk"));
    let cases = [
        (vec![chunk(), broken()], None, "cannot read `x`: disk"),
        (vec![chunk(), broken()], Some(6), "cannot read `x`: disk"),
        (vec![chunk(), broken()], Some(3), "cannot read `x`: disk"),
        (vec![chunk()], Some(4), "fewer than the 4 bytes announced"),
        (vec![chunk(), chunk()], Some(4), "more than the 4 bytes announced"),
        (vec![chunk(), chunk()], Some(3), "more than the 3 bytes announced"),
    ];
    for (chunks, len, complaint) in cases {
        let socket = socket();
        let client = socket.client();
        let request = Request::post("/").body(Body::Stream { body: stream::iter(chunks), len });
        let (answer, request) = both(client.send(request), async { socket.accept().await.request().await }).await;
        let error = answer.err().unwrap();
        assert!(error.to_string().contains(complaint), "{error}");
        assert_eq!(error.kind(), ErrorKind::Failure);
        assert!(request.ends_with("<end>") && !request.contains("0\r\n\r\n<"), "{request}");
    }
    let surplus = Request::post("/").body(Body::Stream { body: stream::iter([chunk()]), len: Some(0) });
    let error = socket().client().send(surplus).await.err().unwrap();
    assert!(error.to_string().contains("more than the 0 bytes"), "{error}");
}

#[tokio::test]
async fn a_truncated_answer_is_an_error() {
    for head in ["Content-Length: 9\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"] {
        let socket = socket();
        let client = socket.client();
        let (answer, ()) = both(text(&client, Request::post("/")), async {
            let mut peer = socket.accept().await;
            peer.request().await;
            peer.say(format!("HTTP/1.1 200 OK\r\n{head}")).await;
        })
        .await;
        let error = answer.unwrap_err();
        assert_eq!((fault(&error), error.parts().effect), (Some(Fault::Lost), Effect::Unknown));
        assert!(error.to_string().ends_with("in the middle of the answer"), "{error}");
    }
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_refused_with_or_without_an_announcement() {
    for head in ["Content-Length: 4\r\n\r\nabcd", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"] {
        for limit in [3, 4] {
            let socket = socket();
            let client = socket.client();
            let (answer, ()) = both(client.send(Request::get("/")), async {
                let mut peer = socket.accept().await;
                peer.request().await;
                peer.say(format!("HTTP/1.1 200 OK\r\n{head}")).await;
            })
            .await;
            let bytes = answer.unwrap().bytes(limit).await;
            match bytes {
                Ok(bytes) => assert_eq!((limit, &bytes[..]), (4, &b"abcd"[..])),
                Err(error) => assert_eq!((limit, error.kind()), (3, ErrorKind::Limit)),
            }
        }
    }
}

#[tokio::test]
async fn leaving_a_stream_closes_its_connection() {
    let socket = socket();
    let client = socket.client();
    let ((), end) = both(
        async {
            let mut stream = client.send(Request::get("/logs").streaming()).await.unwrap().into_stream();
            assert_eq!(stream.next().await.unwrap().unwrap(), "line\n");
        },
        async {
            let mut peer = socket.accept().await;
            peer.request().await;
            peer.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nline\n\r\n").await;
            peer.request().await
        },
    )
    .await;
    assert_eq!(end, "<end>");
}

#[tokio::test]
async fn an_answer_that_does_not_begin_or_pauses_names_its_deadline() {
    let socket = socket();
    let client = socket.client_with(impatient());
    let (answer, _peer) = both(client.send(Request::post("/")), socket.accept()).await;
    let error = answer.err().unwrap();
    assert_eq!(
        (error.kind(), error.parts().effect, fault(&error)),
        (ErrorKind::Timeout, Effect::Unknown, Some(Fault::TimedOut))
    );
    assert!(error.to_string().ends_with("within 20ms (first-byte deadline)"), "{error}");

    let pause = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
    let (answer, mut peer) = both(client.send(Request::get("/")), async {
        let mut peer = socket.accept().await;
        peer.request().await;
        peer.say(pause).await;
        peer
    })
    .await;
    let error = answer.unwrap().bytes(10).await.unwrap_err();
    assert_eq!((error.kind(), error.parts().effect), (ErrorKind::Timeout, Effect::None));
    assert!(error.to_string().ends_with("paused for more than 20ms (idle deadline)"), "{error}");
    assert_eq!(peer.request().await, "<end>");
}

#[tokio::test]
async fn a_declared_stream_may_pause_and_a_long_poll_may_be_late() {
    let socket = socket();
    let client = socket.client_with(impatient());
    let mut request = std::pin::pin!(client.send(Request::get("/").streaming().long_poll(None)));
    // Longer than every deadline of the client.
    let long = Duration::from_millis(60);
    assert!(tokio::time::timeout(long, request.as_mut()).await.is_err());
    let mut peer = socket.accept().await;
    peer.request().await;
    peer.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na").await;
    let mut stream = request.await.unwrap().into_stream();
    assert_eq!(stream.next().await.unwrap().unwrap(), "a");
    assert!(tokio::time::timeout(long, stream.next()).await.is_err());
    peer.say("b").await;
    assert_eq!(stream.next().await.unwrap().unwrap(), "b");
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_body_that_is_late_itself_does_not_run_down_the_servers_clock() {
    let socket = socket();
    let client = socket.client_with(impatient());
    let late = stream::unfold(0, |n| async move {
        tokio::time::sleep(Duration::from_millis(60)).await;
        Ok((n < 2).then(|| (Bytes::from("x"), n + 1)))
    });
    let mut request = Request::post("/").body(Body::Stream { body: late, len: None });
    request.first_byte = Deadline::After(Duration::from_millis(20));
    let (answer, ()) = both(text(&client, request), async {
        let mut peer = socket.accept().await;
        peer.request().await;
        peer.answer("ok").await;
    })
    .await;
    assert_eq!(answer.unwrap(), "ok");
}

#[tokio::test]
async fn a_large_answer_is_read_no_faster_than_it_is_used() {
    const CHUNK: usize = 1 << 20;
    const CHUNKS: usize = 256;
    let socket = socket();
    let client = socket.client();
    let sent = Arc::new(Mutex::new(0));
    let count = sent.clone();
    let (total, ()) = both(
        async {
            let response = client.send(Request::get("/")).await.unwrap();
            let mut stream = response.into_stream();
            for _ in 0..1000 {
                tokio::task::yield_now().await;
            }
            assert!(*sent.lock().unwrap() <= 4, "the server was not held back");
            let mut total = 0;
            while let Some(bytes) = stream.next().await {
                total += bytes.unwrap().len();
            }
            total
        },
        async {
            let mut peer = socket.accept().await;
            peer.request().await;
            peer.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", CHUNK * CHUNKS)).await;
            let chunk = vec![7; CHUNK];
            for _ in 0..CHUNKS {
                peer.say(&chunk).await;
                *count.lock().unwrap() += 1;
            }
        },
    )
    .await;
    assert_eq!(total, CHUNK * CHUNKS);
}

#[tokio::test]
async fn the_trace_tells_what_happens_but_no_secret_and_no_body() {
    let socket = socket();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    let trace = Trace::new(move |line| sink.lock().unwrap().push(line.to_owned()));
    let mut plain = HeaderValue::from_static("hunter2");
    plain.set_sensitive(true);
    let client = socket
        .client_with(NetOptions { trace, ..NetOptions::default() })
        .with_header(hyper::header::AUTHORIZATION, HeaderValue::from_static("Bearer hunter2"))
        .with_header(HeaderName::from_static("x-plain"), plain);
    let request = Request::post("/v1/x?token=hunter2&n=1").body(Bytes::from("hunter2 body"));
    let (answer, ()) = both(text(&client, request), async {
        let mut peer = socket.accept().await;
        let request = peer.request().await;
        assert!(request.contains("token=hunter2") && request.contains("authorization: Bearer hunter2"));
        peer.answer("hunter2 answer").await;
    })
    .await;
    answer.unwrap();
    let lines = lines.lock().unwrap();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines[0].contains("connected"), "{}", lines[0]);
    assert_eq!(lines[1], "> POST /v1/x?token=***&n=1 [host: localhost, authorization: ***, x-plain: ***]");
    assert!(lines[2].starts_with("< 200 OK in "), "{}", lines[2]);
}
