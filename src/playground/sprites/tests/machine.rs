//! The machine around the sessions: its disk, its services, its sleep.

use super::*;
use crate::playground::sprites::processes;
use crate::playground::sprites::sprite::Status;

#[tokio::test]
async fn a_file_is_the_same_for_commands_and_for_the_api() {
    let rig = Rig::new().await;
    let write = "/v1/sprites/box/fs/write?path=/data/deep/a&mode=0755&mkdirParents=true";
    let written = rig.json(Request::put(write).body(Bytes::from_static(b"from the API\n"))).await;
    assert_eq!(written, json!({ "path": "/data/deep/a", "size": 13, "mode": "0755" }));
    let read = |path: &str| Request::get(format!("/v1/sprites/box/fs/read?path={path}&workingDir=/home/sprite"));
    assert_eq!(rig.ask(read("/data/deep/a")).await, (200, Bytes::from_static(b"from the API\n")));
    if rig.world.find("box").unwrap().disk().unwrap().view().unwrap().namespace().is_some() {
        assert_eq!(rig.sh("cat /data/deep/a; pwd").await.1, "from the API\n/home/sprite\n");
        rig.sh("echo out > /tmp/b; ln -s /tmp/b link; mkdir d").await;
        assert_eq!(rig.ask(read("link")).await.1, "out\n");
        assert!(!std::path::Path::new("/tmp/b").exists() || std::fs::read("/tmp/b").unwrap() != b"out\n");
    }
    let part = read("/data/deep/a").header(crate::transport::header::RANGE, HeaderValue::from_static("bytes=5-7"));
    assert_eq!(rig.ask(part).await, (206, Bytes::from_static(b"the")));
    let missing = rig.ask(read("nope")).await;
    let said: Value = serde_json::from_slice(&missing.1).unwrap();
    assert_eq!((missing.0, &said["code"], &said["path"]), (404, &json!("ENOENT"), &json!("/home/sprite/nope")));
}

#[tokio::test]
async fn files_are_listed_moved_and_removed() {
    let rig = Rig::new().await;
    let fs = |call: &str| format!("/v1/sprites/box/fs/{call}");
    for path in ["/w/a", "/w/sub/b"] {
        let write = fs(&format!("write?path={path}&mkdirParents=true"));
        assert_eq!(rig.ask(Request::put(write).body(Bytes::from_static(b"x"))).await.0, 200);
    }
    let list = rig.json(Request::get(fs("list?path=/w"))).await;
    assert_eq!((&list["count"], &list["entries"][1]["type"]), (&json!(2), &json!("directory")));
    assert_eq!(
        rig.json(Request::get(fs("list?path=/w&recursive=true&pattern=b"))).await["entries"][0]["path"],
        "/w/sub/b"
    );
    assert_eq!(rig.json(Request::get(fs("list?path=/w/a"))).await["entries"][0]["name"], "a");
    let copied = json!({ "source": "/w", "dest": "/v", "recursive": true, "workingDir": "/" });
    assert_eq!(rig.json(Request::post(fs("copy")).json(&copied)).await["totalBytes"], 2);
    let renamed = json!({ "source": "a", "dest": "c", "workingDir": "/v" });
    assert_eq!(rig.json(Request::post(fs("rename")).json(&renamed)).await["dest"], "/v/c");
    let mode = json!({ "path": "/v/c", "mode": "0600" });
    assert_eq!(rig.json(Request::post(fs("chmod")).json(&mode)).await["affected"][0]["mode"], "0600");
    assert_eq!(rig.json(Request::delete(fs("delete?path=/v"))).await["code"], "ENOTEMPTY");
    assert_eq!(rig.json(Request::delete(fs("delete?path=/v&recursive=true"))).await["count"], 1);
    assert_eq!(rig.json(Request::get(fs("list?path=/v"))).await["code"], "ENOENT");
}

#[tokio::test]
async fn a_change_of_a_watched_directory_is_told() {
    let rig = Rig::new().await;
    let mut socket = rig.open("/v1/sprites/box/fs/watch").await;
    socket.sink.send_text(r#"{"type":"subscribe","paths":["/home/sprite"],"recursive":true}"#).await.unwrap();
    assert_eq!(socket.text().await["type"], "subscribed");
    let write = "/v1/sprites/box/fs/write?path=/home/sprite/new";
    rig.ask(Request::put(write).body(Bytes::from_static(b"x"))).await;
    let event = socket.text().await;
    assert_eq!((&event["event"], &event["path"]), (&json!("create"), &json!("/home/sprite/new")));
}

#[tokio::test]
async fn a_restore_brings_the_disk_back_and_ends_what_runs() {
    let rig = Rig::new().await;
    let put = |text: &'static str| {
        Request::put("/v1/sprites/box/fs/write?path=/home/sprite/f").body(Bytes::from_static(text.as_bytes()))
    };
    rig.ask(put("one")).await;
    let lines = rig.lines(Request::post("/v1/sprites/box/checkpoint").json(&json!({ "comment": "a" }))).await;
    assert_eq!(lines[3]["data"], "  ID: v1");
    assert_eq!(lines.last().unwrap()["data"], "Checkpoint v1 created successfully");
    rig.ask(put("two")).await;
    let mut socket = rig.open("/v1/sprites/box/exec?cmd=sleep&cmd=1000").await;
    socket.text().await;
    let lines = rig.lines(Request::post("/v1/sprites/box/checkpoints/v1/restore")).await;
    assert_eq!(lines.last().unwrap()["data"], "Restore from v1 complete");
    let run = socket.finish().await;
    assert_eq!((run.binary_exit, run.close), (None, None));
    assert_eq!(rig.ask(Request::get("/v1/sprites/box/fs/read?path=/home/sprite/f")).await.1, "one");
    let (status, text) = rig.ask(Request::get("/v1/sprites/box/checkpoints?history=v0")).await;
    assert_eq!((status, &text[..]), (200, &b"v1:v0\n"[..]));
    let lines = rig.lines(Request::post("/v1/sprites/box/checkpoints/v9/restore")).await;
    let last = lines.last().unwrap();
    assert!(last["type"] == "error" && last["error"].as_str().unwrap().ends_with("not found"), "{last}");
    let (status, text) = rig.ask(Request::get("/v1/sprites/box/checkpoints/v9")).await;
    assert_eq!((status, text.ends_with(b"not found\n")), (500, true));
}

#[tokio::test]
async fn a_service_is_started_again_when_it_crashes_and_stays_stopped_when_told() {
    let rig = Rig::new().await;
    let definition = json!({ "cmd": "sh", "args": ["-c", "echo up; exec sleep 1000"] });
    let events = rig.lines(Request::put("/v1/sprites/box/services/web?duration=300ms").json(&definition)).await;
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["started", "stdout", "complete"]);
    let state = || async { rig.json(Request::get("/v1/sprites/box/services/web")).await["state"].clone() };
    let first = state().await["pid"].clone();
    let kill = json!({ "name": "web", "signal": "KILL" });
    assert_eq!(rig.ask(Request::post("/v1/sprites/box/services/signal").json(&kill)).await.0, 204);
    let again = eventually(|| async { Some(state().await).filter(|now| now["pid"].is_u64() && now["pid"] != first) });
    assert_eq!(again.await["restart_count"], 1);
    let events = rig.lines(Request::post("/v1/sprites/box/services/web/stop")).await;
    assert_eq!(events.last().unwrap()["type"], "complete");
    assert_eq!(state().await["status"], "stopped");
    assert_eq!(rig.ask(Request::post("/v1/sprites/box/services/signal").json(&kill)).await.0, 409);
    let logs = rig.lines(Request::get("/v1/sprites/box/services/web/logs?lines=1")).await;
    assert_eq!((&logs[0]["data"], logs.len()), (&json!("up\n"), 2));
    assert_eq!(rig.ask(Request::get("/v1/sprites/box/services/web/logs?duration=5")).await.0, 400);
    assert_eq!(rig.ask(Request::delete("/v1/sprites/box/services/web")).await.0, 204);
}

#[tokio::test]
async fn silence_freezes_a_sprite_and_a_request_thaws_it() {
    let rig = Rig::with(&[], |options| options.freeze_after = Duration::from_millis(20)).await;
    let query = "cmd=sh&cmd=-c&cmd=while+:;do+sleep+0.01;done&max_run_after_disconnect=1h";
    let mut socket = rig.open(&format!("/v1/sprites/box/exec?{query}")).await;
    let pid = socket.text().await["session_id"].as_str().unwrap().parse().unwrap();
    let sprite = rig.world.find("box").unwrap();
    assert_eq!(sprite.status(), Status::Running);
    drop(socket);
    let letter = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit(')').next().unwrap().trim().chars().next().unwrap()
    };
    eventually(|| async { (sprite.status() == Status::Warm && letter() == 'T').then_some(()) }).await;
    assert_eq!(rig.json(Request::get("/v1/sprites/box/check")).await["status"], "hibernated");
    let mut again = rig.open(&format!("/v1/sprites/box/exec/{pid}")).await;
    again.text().await;
    assert_eq!(sprite.status(), Status::Running);
    eventually(|| async { (letter() != 'T').then_some(()) }).await;
    assert!(processes::of(&sprite).contains(&pid));
}

#[tokio::test]
async fn a_task_from_inside_keeps_a_sprite_awake() {
    let rig = Rig::with(&[], |options| options.freeze_after = Duration::from_millis(20)).await;
    let sprite = rig.world.find("box").unwrap();
    rig.sh("true").await;
    let inside = Client::new(Net::default(), Address::Unix(sprite.disk().unwrap().own().join("api.sock")));
    let task = json!({ "name": "work", "expire": "5m" });
    assert_eq!(inside.send(Request::post("/v1/tasks").json(&task)).await.unwrap().status, 201);
    assert_eq!(inside.send(Request::post("/v1/tasks").json(&task)).await.unwrap().status, 409);
    rig.sh("true").await;
    assert_eq!(sprite.status(), Status::Running);
    assert!(sprite.tasks.until().is_some());
    assert_eq!(inside.send(Request::delete("/v1/tasks/work")).await.unwrap().status, 204);
    rig.sh("true").await;
    eventually(|| async { (sprite.status() == Status::Warm).then_some(()) }).await;
}

#[tokio::test]
async fn a_tunnel_carries_bytes_and_says_why_it_cannot() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let rig = Rig::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let echo = tokio::spawn(async move {
        let (mut peer, _) = listener.accept().await.unwrap();
        let mut bytes = [0; 5];
        peer.read_exact(&mut bytes).await.unwrap();
        peer.write_all(&bytes).await.unwrap();
    });
    let mut socket = rig.open("/v1/sprites/box/proxy").await;
    socket.sink.send_text(json!({ "port": port }).to_string()).await.unwrap();
    let said = socket.text().await;
    assert_eq!(said, json!({ "status": "connected", "target": format!("localhost:{port}") }));
    socket.sink.send_binary(Bytes::from_static(b"hello")).await.unwrap();
    socket.until("hello").await;
    assert_eq!(socket.finish().await.close, Some(1001));
    echo.await.unwrap();
    let mut refused = rig.open("/v1/sprites/box/proxy").await;
    refused.sink.send_text(json!({ "port": port }).to_string()).await.unwrap();
    assert_eq!(refused.finish().await.close, Some(1011));
}

#[tokio::test]
async fn a_sprite_that_is_deleted_takes_everything_with_it() {
    let rig = Rig::new().await;
    rig.sh("echo x > f").await;
    let sprite = rig.world.find("box").unwrap();
    let root = sprite.disk().unwrap().root().to_owned();
    let mut socket = rig.open("/v1/sprites/box/exec?cmd=sleep&cmd=1000").await;
    let pid = socket.text().await["session_id"].as_str().unwrap().to_owned();
    assert_eq!(rig.ask(Request::delete("/v1/sprites/box")).await.0, 204);
    assert!(!root.exists());
    eventually(|| async { (!std::path::Path::new("/proc").join(&pid).exists()).then_some(()) }).await;
    let (status, body) = rig.ask(Request::get("/v1/sprites/box")).await;
    assert_eq!((status, &body[..]), (500, &b"{\"error\":\"failed to retrieve sprite\"}\n"[..]));
}
