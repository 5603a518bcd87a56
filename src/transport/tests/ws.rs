//! Websockets against a server made of the same codec, and of raw bytes where it must misbehave.

use super::{Peer, Socket, socket};
use crate::transport::ws::accept_key;
use crate::transport::{Fault, Frame, Keepalive, WebSocket, WsOptions, WsReply, fault};
use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use std::time::Duration;
use tokio::net::UnixStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame as RawFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

/// Answers the handshake, `more` in the same write.
async fn shake_hands(socket: &Socket, more: &[u8]) -> Peer {
    let mut peer = socket.accept().await;
    let request = peer.request().await;
    let (_, key) = request.split_once("sec-websocket-key: ").unwrap();
    let accept = accept_key(key.lines().next().unwrap());
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    peer.say([head.as_bytes(), more].concat()).await;
    peer
}

async fn connected(more: &[u8]) -> (WebSocket, Peer) {
    connected_with(more, WsOptions::default()).await
}

async fn connected_with(more: &[u8], options: WsOptions) -> (WebSocket, Peer) {
    let socket = socket();
    let client = socket.client();
    let (reply, peer) =
        futures_util::future::join(client.websocket_with("/ws", &[], options), shake_hands(&socket, more)).await;
    let WsReply::Open(websocket) = reply.unwrap() else { panic!("the websocket was refused") };
    (websocket, peer)
}

async fn server(peer: Peer) -> WebSocketStream<UnixStream> {
    WebSocketStream::from_raw_socket(peer.0, Role::Server, None).await
}

#[tokio::test]
async fn messages_go_both_ways_whole_though_they_come_in_fragments_between_pings() {
    let (websocket, peer) = connected(&[]).await;
    let (mut sink, mut stream) = websocket.split();
    let mut server = server(peer).await;
    let fragment = |text: &'static str, kind, last| Message::Frame(RawFrame::message(text, OpCode::Data(kind), last));
    for message in [
        fragment("one ", Data::Binary, false),
        Message::Ping(Bytes::from("?")),
        fragment("whole", Data::Continue, true),
        Message::text("é"),
    ] {
        server.send(message).await.unwrap();
    }
    assert_eq!(stream.next().await.unwrap(), Some(Frame::Binary(Bytes::from("one whole"))));
    assert_eq!(stream.next().await.unwrap(), Some(Frame::Text("é".into())));
    assert!(sink.send_text("to you").await.unwrap());
    let large = Bytes::from(vec![0xa5; 3_000_000]);
    let (sent, received) = futures_util::future::join(sink.send_binary(large.clone()), async {
        let mut received = Vec::new();
        while received.len() < 3 {
            received.push(server.next().await.unwrap().unwrap());
        }
        received
    })
    .await;
    assert!(sent.unwrap());
    assert_eq!(received, [Message::Pong(Bytes::from("?")), Message::text("to you"), Message::Binary(large)]);
}

#[tokio::test]
async fn a_message_in_the_same_packet_as_the_handshake_is_not_lost() {
    let (websocket, _peer) = connected(b"\x82\x03abc").await;
    assert_eq!(websocket.split().1.next().await.unwrap(), Some(Frame::Binary(Bytes::from("abc"))));
}

#[tokio::test]
async fn a_close_is_told_from_an_end() {
    let (websocket, peer) = connected(&[]).await;
    let (mut sink, mut stream) = websocket.split();
    let mut server_end = server(peer).await;
    server_end.send(Message::binary("last")).await.unwrap();
    let close = CloseFrame { code: 4000.into(), reason: "enough".into() };
    server_end.send(Message::Close(Some(close.clone()))).await.unwrap();
    assert_eq!(stream.next().await.unwrap(), Some(Frame::Binary(Bytes::from("last"))));
    let closed = Frame::Close { code: Some(4000), reason: "enough".to_owned() };
    assert_eq!(stream.next().await.unwrap(), Some(closed));
    assert_eq!(stream.next().await.unwrap(), None);
    assert!(!sink.send_text("too late").await.unwrap());
    // The server gets our reply although nobody reads here any more.
    assert_eq!(server_end.next().await.unwrap().unwrap(), Message::Close(Some(close)));

    for half_a_frame in [&b""[..], b"\x82\x7fabc"] {
        let (websocket, peer) = connected(half_a_frame).await;
        let (mut sink, mut stream) = websocket.split();
        drop(peer);
        assert_eq!(stream.next().await.unwrap(), Some(Frame::Eof));
        assert_eq!(stream.next().await.unwrap(), None);
        assert!(!sink.send_binary(Bytes::from("too late")).await.unwrap());
    }
}

#[tokio::test]
async fn our_close_lets_the_server_finish() {
    let (websocket, peer) = connected(&[]).await;
    let (mut sink, mut stream) = websocket.split();
    assert!(sink.close(1000, "done").await.unwrap());
    assert!(!sink.send_text("too late").await.unwrap());
    let mut server = server(peer).await;
    let Message::Close(Some(close)) = server.next().await.unwrap().unwrap() else { panic!("no close came") };
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1000, "done"));
    let _ = server.next().await;
    assert_eq!(stream.next().await.unwrap(), Some(Frame::Close { code: Some(1000), reason: "done".to_owned() }));
}

#[tokio::test]
async fn a_protocol_error_is_an_error_and_so_is_a_message_over_the_limit() {
    let options = WsOptions { max_message: 10, ..WsOptions::default() };
    for bytes in [&b"\x83\x01a"[..], b"\x82\x0b12345678901", b"\x02\x06123456\x80\x06123456", b"\x81\x01\xff"] {
        let (websocket, _peer) = connected_with(bytes, options).await;
        let mut stream = websocket.split().1;
        let error = stream.next().await.unwrap_err();
        assert_eq!(fault(&error), Some(Fault::Protocol), "{error}");
        assert_eq!(stream.next().await.unwrap(), None);
    }
}

#[tokio::test]
async fn any_other_answer_is_a_refusal_with_a_body_and_the_connection_lives_on() {
    let socket = socket();
    let client = socket.client();
    let (statuses, ()) = futures_util::future::join(
        async {
            let mut statuses = Vec::new();
            for _ in 0..3 {
                let WsReply::Refused(answer) = client.websocket("/ws", &[]).await.unwrap() else { panic!("open") };
                statuses.push((answer.status, answer.bytes(100).await.unwrap()));
            }
            statuses
        },
        async {
            let mut peer = socket.accept().await;
            for (status, body) in [("200 OK", ""), ("404 Not Found", "no task"), ("500 Error", "taken")] {
                let request = peer.request().await;
                assert!(request.contains("upgrade: websocket") && request.contains("sec-websocket-version: 13"));
                peer.say(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await;
            }
        },
    )
    .await;
    assert_eq!(statuses, [(200, "".into()), (404, "no task".into()), (500, "taken".into())]);
}

#[tokio::test]
async fn a_server_that_upgrades_to_something_else_is_not_believed() {
    let socket = socket();
    let client = socket.client();
    let (reply, _peer) = futures_util::future::join(client.websocket("/ws", &[]), async {
        let mut peer = socket.accept().await;
        peer.request().await;
        peer.say("HTTP/1.1 101 Ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n")
            .await;
        peer
    })
    .await;
    assert_eq!(fault(&reply.err().unwrap()), Some(Fault::Protocol));
}

#[tokio::test]
async fn a_long_stream_arrives_whole() {
    const MESSAGES: usize = 2048;
    let (websocket, peer) = connected(&[]).await;
    let mut stream = websocket.split().1;
    let mut server = server(peer).await;
    let chunk = Bytes::from(vec![1; 128 * 1024]);
    let (total, ()) = futures_util::future::join(
        async {
            let mut total = 0;
            while let Some(Frame::Binary(bytes)) = stream.next().await.unwrap() {
                total += bytes.len();
            }
            total
        },
        async {
            for _ in 0..MESSAGES {
                server.send(Message::Binary(chunk.clone())).await.unwrap();
            }
            server.close(None).await.unwrap();
        },
    )
    .await;
    assert_eq!(total, MESSAGES * chunk.len());
}

/// An open websocket with pings every 15 s, of which three may go unanswered.
async fn kept_alive() -> (WebSocket, WebSocketStream<UnixStream>) {
    let keepalive = Some(Keepalive { every: Duration::from_secs(15), misses: 3 });
    let (websocket, peer) = connected_with(&[], WsOptions { keepalive, ..WsOptions::default() }).await;
    (websocket, server(peer).await)
}

#[tokio::test]
async fn a_silent_server_lives_as_long_as_it_answers_pings() {
    let (websocket, mut server) = kept_alive().await;
    let (_sink, mut stream) = websocket.split();
    tokio::time::pause();
    let answering = async {
        // Reading answers them.
        for _ in 0..100 {
            assert!(matches!(server.next().await, Some(Ok(Message::Ping(_)))));
        }
        server.send(Message::text("done")).await.unwrap();
        server
    };
    let (frame, _server) = futures_util::future::join(stream.next(), answering).await;
    assert_eq!(frame.unwrap(), Some(Frame::Text("done".into())));
}

#[tokio::test]
async fn a_server_that_answers_no_pings_is_gone_after_three() {
    let (websocket, _server) = kept_alive().await;
    let (_sink, mut stream) = websocket.split();
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let error = stream.next().await.unwrap_err();
    assert_eq!((fault(&error), begun.elapsed().as_secs()), (Some(Fault::Lost), 60));
    assert_eq!(stream.next().await.unwrap(), None);
}

#[tokio::test]
async fn after_a_long_sleep_one_ping_is_sent_and_its_answer_is_waited_for() {
    let (websocket, mut server) = kept_alive().await;
    let (_sink, mut stream) = websocket.split();
    tokio::time::pause();
    assert!(stream.next().now_or_never().is_none());
    tokio::time::advance(Duration::from_hours(8)).await;
    let slept = async {
        assert!(matches!(server.next().await, Some(Ok(Message::Ping(_)))));
        assert!(server.next().now_or_never().is_none(), "one ping, and no second one");
        server.send(Message::text("still here")).await.unwrap();
        server
    };
    let (frame, _server) = futures_util::future::join(stream.next(), slept).await;
    assert_eq!(frame.unwrap(), Some(Frame::Text("still here".into())));
}
