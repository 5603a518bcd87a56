//! Exec sessions.

use super::*;
use crate::transport::StatusCode;

#[tokio::test]
async fn nothing_is_answered_without_the_token() {
    let rig = Rig::new().await;
    let stranger = Client::new(Net::default(), rig.client.address().clone());
    for path in ["/v1/sprites", "/v1/sprites/box", "/v1/sprites/box/exec", "/v1/organization"] {
        assert_eq!(stranger.send(Request::get(path)).await.unwrap().status, 401, "{path}");
    }
    let WsReply::Refused(refused) = stranger.websocket("/v1/sprites/box/exec?cmd=id", &[]).await.unwrap() else {
        panic!("it was let in");
    };
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED.as_u16());
}

#[tokio::test]
async fn pipes_carry_every_byte_and_the_exit_is_said_twice() {
    let rig = Rig::new().await;
    let mut socket = rig.open("/v1/sprites/box/exec?cmd=sh&cmd=-c&cmd=cat;echo+oops+>%262;exit+7&stdin=true").await;
    let info = socket.text().await;
    assert_eq!((&info["type"], &info["is_owner"], &info["tty"]), (&json!("session_info"), &json!(true), &json!(false)));
    let input: Vec<u8> = (0..=255).cycle().take(200_000).collect();
    for chunk in input.chunks(30_000) {
        socket.sink.send_binary([&[0], chunk].concat().into()).await.unwrap();
    }
    socket.sink.send_binary(Bytes::from_static(&[4])).await.unwrap();
    let run = socket.finish().await;
    assert!(run.out == input);
    assert_eq!(run.err, b"oops\n");
    assert_eq!((run.binary_exit, run.text_exit, run.close), (Some(7), Some(7), Some(1000)));
}

#[tokio::test]
async fn without_stdin_a_program_reads_its_end_at_once() {
    let rig = Rig::new().await;
    assert_eq!(rig.sh("cat; echo done").await, (Some(0), "done\n".to_owned()));
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let rig = Rig::new().await;
    let run = rig.open("/v1/sprites/box/exec?cmd=no-such-program").await.finish().await;
    assert_eq!((run.binary_exit, run.text_exit), (Some(127), Some(127)));
    assert!(String::from_utf8_lossy(&run.err).contains("not found"), "{run:?}");
    let run = rig.open("/v1/sprites/box/exec?cmd=true&dir=/no/such").await.finish().await;
    assert_eq!((run.binary_exit, run.text_exit), (None, None));
    assert_eq!(run.texts[0]["type"], "error");
    let (status, body) = rig.ask(Request::get("/v1/sprites/none/exec")).await;
    assert_eq!((status, &body[..]), (404, &b"{\"error\":\"sprite not found\"}\n"[..]));
}

#[tokio::test]
async fn an_environment_replaces_the_default_one() {
    let rig = Rig::new().await;
    let default = rig.open("/v1/sprites/box/exec?cmd=env").await.finish().await;
    assert!(String::from_utf8_lossy(&default.out).contains("HOME="));
    let own = rig.open("/v1/sprites/box/exec?cmd=env&env=A%3D1&env=B%3D+x").await.finish().await;
    assert_eq!(String::from_utf8_lossy(&own.out), "A=1\nB= x\n");
}

#[tokio::test]
async fn a_terminal_has_its_size_and_takes_another() {
    let rig = Rig::new().await;
    let query = "cmd=sh&cmd=-c&cmd=stty+size;read+line;stty+size;exit+5&tty=true&rows=33&cols=101";
    let mut socket = rig.open(&format!("/v1/sprites/box/exec?{query}")).await;
    let info = socket.text().await;
    assert_eq!((&info["cols"], &info["rows"], &info["tty"]), (&json!(101), &json!(33), &json!(true)));
    socket.until("33 101").await;
    socket.sink.send_text(r#"{"type":"resize","cols":120,"rows":40}"#).await.unwrap();
    socket.sink.send_binary(Bytes::from_static(b"\r")).await.unwrap();
    socket.until("40 120").await;
    let run = socket.finish().await;
    assert_eq!((run.text_exit, run.close), (Some(5), Some(1000)));
}

#[tokio::test]
async fn a_session_is_listed_signalled_and_then_gone() {
    let rig = Rig::new().await;
    let mut socket = rig.open("/v1/sprites/box/exec?cmd=sleep&cmd=1000").await;
    let id = socket.text().await["session_id"].as_str().unwrap().to_owned();
    let list = rig.json(Request::get("/v1/sprites/box/exec")).await;
    assert_eq!((&list["count"], &list["sessions"][0]["id"]), (&json!(1), &json!(id)));
    assert!(list["sessions"][0]["command"].as_str().unwrap().ends_with("/sleep 1000"));
    let kill = format!("/v1/sprites/box/exec/{id}/kill");
    assert_eq!(rig.ask(Request::post(format!("{kill}?signal=WINCH"))).await.0, 400);
    let events = rig.lines(Request::post(&kill)).await;
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["signal", "exited", "complete"]);
    assert_eq!(events[2]["exit_code"], 143);
    assert_eq!(socket.finish().await.binary_exit, Some(143));
    assert_eq!(rig.json(Request::get("/v1/sprites/box/exec")).await["count"], 0);
    assert_eq!(rig.ask(Request::post(&kill)).await.0, 410);
    assert_eq!(rig.ask(Request::post("/v1/sprites/box/exec/999999999/kill")).await.0, 404);
}

#[tokio::test]
async fn who_ignores_a_signal_is_killed() {
    let rig = Rig::new().await;
    let query = "cmd=sh&cmd=-c&cmd=trap+''+TERM;echo+up;while+:;do+sleep+1;done";
    let mut socket = rig.open(&format!("/v1/sprites/box/exec?{query}")).await;
    let id = socket.text().await["session_id"].as_str().unwrap().to_owned();
    socket.until("up").await;
    let events = rig.lines(Request::post(format!("/v1/sprites/box/exec/{id}/kill?timeout=50ms"))).await;
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["signal", "timeout", "killed", "complete"]);
    assert_eq!(events[3]["exit_code"], 137);
}

#[tokio::test]
async fn a_session_is_joined_again_with_what_it_wrote() {
    let rig = Rig::new().await;
    let query = "cmd=sh&cmd=-c&cmd=echo+before;read+line;echo+got+$line&stdin=true&max_run_after_disconnect=1h";
    let mut first = rig.open(&format!("/v1/sprites/box/exec?{query}")).await;
    let id = first.text().await["session_id"].as_str().unwrap().to_owned();
    first.until("before").await;
    drop(first);
    let mut again = rig.open(&format!("/v1/sprites/box/exec/{id}")).await;
    assert_eq!(again.text().await["is_owner"], false);
    again.until("before").await;
    again.sink.send_binary(Bytes::from_static(b"\0more\n")).await.unwrap();
    again.until("got more").await;
    assert_eq!(again.finish().await.binary_exit, Some(0));
    let WsReply::Refused(refused) = rig.client.websocket(&format!("/v1/sprites/box/exec/{id}"), &[]).await.unwrap()
    else {
        panic!("it is gone");
    };
    assert_eq!(refused.status, 404);
}

#[tokio::test]
async fn a_program_outlives_its_last_client_only_so_long() {
    let rig = Rig::with(&[], |options| options.survive = Duration::from_millis(20)).await;
    let mut socket = rig.open("/v1/sprites/box/exec?cmd=sleep&cmd=1000").await;
    let pid = socket.text().await["session_id"].as_str().unwrap().to_owned();
    drop(socket);
    eventually(|| async {
        let list = rig.json(Request::get("/v1/sprites/box/exec")).await;
        (list["count"] == 0).then_some(())
    })
    .await;
    eventually(|| async { (!std::path::Path::new("/proc").join(&pid).exists()).then_some(()) }).await;
}

#[tokio::test]
async fn exec_over_http_has_the_same_frames() {
    let rig = Rig::new().await;
    let request = Request::post("/v1/sprites/box/exec?cmd=cat&stdin=true").body(Bytes::from_static(b"hello"));
    assert_eq!(rig.ask(request).await, (200, Bytes::from_static(b"\x01hello\x03\0")));
    assert_eq!(rig.ask(Request::post("/v1/sprites/box/exec?cmd=cat&tty=true")).await.0, 400);
}

#[tokio::test]
async fn faults_take_the_exit_away_or_the_end_of_the_output() {
    let rig = Rig::with(&["no-exit:first=1", "truncate=3"], |_| ()).await;
    let run = rig.open("/v1/sprites/box/exec?cmd=true").await.finish().await;
    assert_eq!((run.binary_exit, run.text_exit, run.close), (None, None, Some(1000)));
    assert_eq!(rig.sh("echo 12345").await, (Some(0), "123".to_owned()));
}

#[tokio::test]
async fn a_port_that_a_program_opens_is_told() {
    let rig = Rig::new().await;
    let script = "import+socket,time;s=socket.socket();s.bind(('127.0.0.1',0));s.listen();print(s.getsockname()[1],flush=True);time.sleep(1000)";
    let mut socket = rig.open(&format!("/v1/sprites/box/exec?cmd=python3&cmd=-c&cmd={script}")).await;
    let mut port = String::new();
    let told = loop {
        match socket.stream.next().await.unwrap() {
            Some(Frame::Binary(bytes)) if bytes[0] == 1 => port.push_str(std::str::from_utf8(&bytes[1..]).unwrap()),
            // A machine without Python has no program here that listens.
            Some(Frame::Binary(bytes)) if bytes[..] == [3, 127] => return,
            Some(Frame::Text(text)) if text.contains("port_opened") => break text,
            Some(_) => {}
            None => panic!("it ended"),
        }
    };
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((told["port"].to_string().as_str(), &told["address"]), (port.trim(), &json!("127.0.0.1")));
}
