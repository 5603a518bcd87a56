//! The simulator as its clients see it: requests in, answers out.

use super::route::Api;
use super::seed;
use super::world::World;
use crate::playground::fault::Plan;
use crate::stream;
use crate::transport::header::{AUTHORIZATION, HeaderName};
use crate::transport::server::{Body, Handler, Reply, Request};
use crate::transport::{HeaderValue, Method};
use base64::Engine as _;
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;

const PASSWORD: &str = "secret";

struct System {
    api: Api,
    _dir: tempfile::TempDir,
}

impl System {
    /// One with the demonstration in it, where everything is done at once.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut world = World::new(dir.path().to_owned(), Duration::ZERO);
        seed::found(&mut world, PASSWORD);
        seed::fill(&mut world).unwrap();
        Self { api: Api::new(world, Plan::default()), _dir: dir }
    }

    async fn send(&self, method: Method, target: &str, body: &str, authorization: &str) -> (u16, Vec<u8>) {
        let mut request = Request::of(method, target, &[(AUTHORIZATION, authorization)]);
        request.body = stream::iter([Ok(Bytes::copy_from_slice(body.as_bytes()))]);
        self.answer(request).await
    }

    async fn answer(&self, request: Request) -> (u16, Vec<u8>) {
        let Reply::Response(response) = self.api.handle(request).await else { panic!("a websocket") };
        let bytes = match response.body {
            Body::Full(bytes) => bytes.to_vec(),
            Body::Stream { mut body, .. } => {
                let mut all = Vec::new();
                while let Some(chunk) = futures_util::StreamExt::next(&mut body).await {
                    all.extend_from_slice(&chunk.unwrap());
                }
                all
            }
        };
        (response.status.as_u16(), bytes)
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let (status, bytes) = self.send(method, &format!("/api/v4/{path}"), &text, &basic("admin", PASSWORD)).await;
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, value) = self.ask(Method::GET, path, &Value::Null).await;
        assert_eq!(status, 200, "{path}: {value}");
        value
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask(Method::POST, path, &body).await
    }

    async fn status_of(&self, vm: u64) -> String {
        let row = self.get(&format!("vms/{vm}?fields=machine%23status%23status+as+s")).await;
        row["s"].as_str().unwrap().to_owned()
    }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

#[tokio::test]
async fn a_wrong_password_five_times_locks_the_account_for_everything_of_it() {
    let system = System::new();
    let (status, key) = system.post("user_api_keys", json!({"user": 1, "name": "ci"})).await;
    assert_eq!(status, 201);
    let bearer = format!("Bearer {}", key["response"]["private_key"].as_str().unwrap());
    let ask = |authorization: String| {
        let system = &system;
        async move { system.send(Method::GET, "/api/v4/system", "", &authorization).await.0 }
    };
    assert_eq!(ask(bearer.clone()).await, 200);
    assert_eq!(ask("Bearer nothing".to_owned()).await, 401);
    for _ in 0..4 {
        assert_eq!(ask(basic("admin", "wrong")).await, 401);
    }
    assert_eq!(ask(basic("admin", PASSWORD)).await, 200);
    for _ in 0..5 {
        assert_eq!(ask(basic("admin", "wrong")).await, 401);
    }
    assert_eq!(ask(basic("admin", PASSWORD)).await, 401);
    assert_eq!(ask(bearer).await, 401);
    let (status, body) = system.send(Method::GET, "/api/v4/nothing", "", "").await;
    assert_eq!((status, String::from_utf8(body).unwrap().trim()), (401, r#"{"err":"Login required"}"#));
    assert_eq!(system.send(Method::GET, "/version.json", "", "").await.0, 200);
}

#[tokio::test]
async fn a_session_is_begun_used_and_ended() {
    let system = System::new();
    let login = json!({"login": "admin", "password": PASSWORD}).to_string();
    let (status, body) = system.send(Method::POST, "/api/sys/tokens", &login, "").await;
    let session: Value = serde_json::from_slice(&body).unwrap();
    let token = session["$key"].as_str().unwrap();
    assert_eq!((status, &session["location"]), (201, &json!(format!("/sys/tokens/{token}"))));
    let name = HeaderName::from_static("x-yottabyte-token");
    let ask = |method: Method, path: String| {
        let mut request = Request::of(method, &path, &[]);
        request.headers.insert(name.clone(), HeaderValue::try_from(token).unwrap());
        system.answer(request)
    };
    assert_eq!(ask(Method::GET, "/api/v4/system".to_owned()).await.0, 200);
    assert_eq!(ask(Method::DELETE, format!("/api/sys/tokens/{token}")).await.0, 200);
    assert_eq!(ask(Method::GET, "/api/v4/system".to_owned()).await.0, 401);
}

#[tokio::test]
async fn a_user_may_do_what_a_permission_says() {
    let system = System::new();
    system.post("users", json!({"name": "Ops", "password": "x"})).await;
    let identity = system.get("users?filter=name+eq+'ops'&fields=identity").await[0]["identity"].clone();
    let ask = |path: &'static str| system.send(Method::GET, path, "", "Basic b3BzOng=");
    assert_eq!(ask("/api/v4/vms").await.0, 403);
    system.post("permissions", json!({"identity": identity, "table": "vms", "list": true})).await;
    assert_eq!(ask("/api/v4/vms").await.0, 200);
    assert_eq!(ask("/api/v4/vms/1").await.0, 403);
}

#[tokio::test]
async fn what_is_made_has_text_for_keys_and_two_of_them() {
    let system = System::new();
    let (status, reply) =
        system.post("vms", json!({"name": "new", "ram": 1000, "nonsense": 1, "need_restart": true})).await;
    assert_eq!(status, 201);
    assert_eq!(reply["$key"], "6");
    assert_eq!(reply["location"], "/v4/vms/6");
    assert!(reply["response"]["machine"].as_str().unwrap().parse::<u64>().unwrap() > 100);
    let row = system.get("vms/6?fields=ram,need_restart,nonsense,cpu_cores,creator").await;
    assert_eq!(row, json!({"ram": 768, "need_restart": false, "cpu_cores": 1, "creator": "users/1"}));
    assert_eq!(system.get("vms/6").await, json!({"$key": 6}));
    let (status, reply) = system.post("vms", json!({"name": "new"})).await;
    assert_eq!((status, reply), (409, json!({"err": "This name is already in use"})));
    assert_eq!(system.post("vms", json!({"ram": 512})).await.0, 422);
    assert_eq!(system.post("vms", json!({"name": "x", "os_family": "plan9"})).await.0, 422);
    assert_eq!(system.post("vms", json!({"name": "x", "cluster": 99})).await.0, 404);
    assert_eq!(system.get("vms?fields=,").await, json!([{"$count": 6}]));
}

#[tokio::test]
async fn power_takes_its_time_and_says_so_when_there_is_nothing_to_do() {
    let system = System::new();
    let act = |vm: u64, action: &str| system.post("vm_actions", json!({"vm": vm, "action": action}));
    assert_eq!(system.status_of(4).await, "stopped");
    assert_eq!(act(4, "poweron").await, (200, Value::Null));
    assert_eq!(system.status_of(4).await, "running");
    let (status, reply) = act(4, "poweron").await;
    assert_eq!((status, reply), (409, json!({"err": "Cannot power on VM: already in running state"})));
    assert_eq!(system.ask(Method::DELETE, "vms/4", &Value::Null).await.0, 409);
    assert_eq!(system.ask(Method::PUT, "vms/4", &json!({"ram": 4096})).await.0, 200);
    assert_eq!(system.get("vms/4?fields=need_restart").await["need_restart"], true);
    assert_eq!(act(4, "migrate").await.0, 200);
    assert_eq!(act(4, "poweroff").await.0, 200);
    assert_eq!(system.status_of(4).await, "stopped");
    assert_eq!(act(4, "guestshutdown").await.0, 400);
    assert_eq!(act(99, "poweron").await.0, 404);
    assert_eq!(system.ask(Method::DELETE, "vms/4", &Value::Null).await.0, 200);
    assert_eq!(system.ask(Method::GET, "vms/4", &Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_snapshot_is_a_hidden_vm_that_a_stopped_one_can_go_back_to() {
    let system = System::new();
    let machine = system.get("vms/5?fields=machine").await["machine"].clone();
    let (status, reply) = system.post("machine_snapshots", json!({"machine": machine, "name": "s1"})).await;
    assert_eq!((status, &reply["$key"]), (201, &json!("1")));
    let row = system.get("machine_snapshots/1?fields=all").await;
    assert_eq!(row["expires"].as_i64().unwrap() - row["created"].as_i64().unwrap(), 72 * 3600);
    let hidden =
        system.get(&format!("vms?filter=machine+eq+{}&fields=$key,is_snapshot,name", row["snap_machine"])).await;
    assert_eq!((&hidden[0]["is_snapshot"], &hidden[0]["name"]), (&json!(true), &json!("desktop")));
    let again = system.post("machine_snapshots", json!({"machine": machine, "name": "s1"})).await;
    assert_eq!(again.0, 409);
    system.ask(Method::PUT, "vms/5", &json!({"ram": 1024, "name": "renamed"})).await;
    let restore = json!({"vm": hidden[0]["$key"], "action": "restore"});
    assert_eq!(system.post("vm_actions", restore.clone()).await.0, 200);
    assert_eq!(system.get("vms/5?fields=name,ram").await, json!({"name": "renamed", "ram": 8192}));
    system.post("vm_actions", json!({"vm": 5, "action": "poweron"})).await;
    assert_eq!(system.status_of(5).await, "running");
    assert_eq!(system.post("vm_actions", restore).await.0, 409);
    let (status, clone) = system
        .post("vm_actions", json!({"vm": hidden[0]["$key"], "action": "clone", "params": {"name": "copy"}}))
        .await;
    assert_eq!(status, 200);
    let key = clone["response"]["vmkey"].as_str().unwrap();
    let copy =
        system.get(&format!("vms/{key}?fields=name,is_snapshot,machine[drives[name],nics[name,macaddress]]")).await;
    assert_eq!((&copy["name"], &copy["is_snapshot"]), (&json!("copy"), &json!(false)));
    assert_eq!(copy["machine"]["drives"].as_array().unwrap().len(), 2);
    assert_eq!(system.ask(Method::DELETE, "machine_snapshots/1", &Value::Null).await.0, 200);
    assert_eq!(system.get("vms?filter=is_snapshot+eq+true&fields=,").await, json!([{"$count": 0}]));
}

#[tokio::test]
async fn a_part_needs_a_machine_and_not_a_vm() {
    let system = System::new();
    let (status, reply) = system.post("machine_drives", json!({"machine": 1, "disksize": 1})).await;
    assert_eq!((status, reply), (404, json!({"err": "error setting field 'machine': No such file or directory"})));
    let machine = system.get("vms/1?fields=machine").await["machine"].clone();
    let nic = json!({"machine": machine, "macaddress": "F0:DB:30:AA:BB:CC", "vnet": 4});
    let (status, reply) = system.post("machine_nics", nic).await;
    assert_eq!(status, 201);
    let key = reply["$key"].as_str().unwrap().to_owned();
    let row = system.get(&format!("machine_nics/{key}?fields=macaddress,status%23status+as+s,vnet%23name+as+n")).await;
    assert_eq!(row, json!({"macaddress": "f0:db:30:aa:bb:cc", "s": "down", "n": "Internal"}));
    let plug = json!({"vm": 1, "action": "hotplugnic", "params": {"device": key}});
    assert_eq!(system.post("vm_actions", plug).await.0, 200);
    let row = system.get(&format!("machine_nics/{key}?fields=status%23status+as+s")).await;
    assert_eq!(row["s"], "up");
    let drives = system.get(&format!("machine_drives?filter=machine+eq+{machine}&fields=$key,disksize")).await;
    let path = format!("machine_drives/{}", drives[0]["$key"]);
    assert_eq!(system.ask(Method::DELETE, &path, &Value::Null).await.0, 409);
    assert_eq!(system.ask(Method::PUT, &path, &json!({"disksize": 1})).await.0, 422);
}

#[tokio::test]
async fn a_network_wants_to_be_told_of_its_rules() {
    let system = System::new();
    let of = |name: &'static str| {
        let system = &system;
        async move { system.get(&format!("vnets?filter=name+eq+'{name}'&fields=$key,need_fw_apply")).await[0].clone() }
    };
    let key = of("Internal").await["$key"].clone();
    let (status, _) = system.post("vnet_rules", json!({"vnet": key, "name": "ssh", "protocol": "tcp"})).await;
    assert_eq!((status, of("Internal").await["need_fw_apply"].clone()), (201, json!(true)));
    system.post("vnet_actions", json!({"vnet": key, "action": "refresh"})).await;
    assert_eq!(of("Internal").await["need_fw_apply"], false);
    let path = |row: &Value| format!("vnets/{}", row["$key"]);
    assert_eq!(system.ask(Method::DELETE, &path(&of("Internal").await), &Value::Null).await.0, 409);
    assert_eq!(system.ask(Method::DELETE, &path(&of("Core").await), &Value::Null).await.0, 405);
    let bad = json!({"name": "n", "network": "10.0.0.0/24", "dhcp_start": "10.0.1.1"});
    let (status, reply) = system.post("vnets", bad).await;
    assert_eq!(
        (status, reply["err"].as_str().unwrap()),
        (422, "Validation error on field: 'dhcp_start' - 'fails validation test'")
    );
    let (_, reply) = system.post("vnets", json!({"name": "n", "network": "10.0.0.0/24", "gateway": "10.1.0.1"})).await;
    assert_eq!(reply["err"], "Validation error: Gateway is outside of network");
}

#[tokio::test]
async fn a_file_comes_in_parts_and_goes_in_ranges() {
    let system = System::new();
    let (status, reply) = system.post("files", json!({"name": "a b.iso", "allocated_bytes": "10"})).await;
    assert_eq!(status, 201);
    let key = reply["$key"].as_str().unwrap().to_owned();
    let send = |method: Method, target: String, body: &'static str| {
        let system = &system;
        async move { system.send(method, &target, body, &basic("admin", PASSWORD)).await }
    };
    for (position, part) in [(5, "world"), (0, "hello")] {
        assert_eq!(send(Method::PUT, format!("/api/v4/files/{key}?filepos={position}"), part).await.0, 200);
    }
    assert_eq!(send(Method::PUT, format!("/api/v4/files/{key}?filepos=8"), "xyz").await.0, 400);
    let row = system.get(&format!("files/{key}")).await;
    assert_eq!((&row["name"], &row["type"], &row["filesize"]), (&json!("a b.iso"), &json!("iso"), &json!(10)));
    let (status, body) = send(Method::GET, format!("/api/v4/files/{key}?download=1&asname=x"), "").await;
    assert_eq!((status, body.as_slice()), (200, &b"helloworld"[..]));
    let target = format!("/api/v4/files/{key}?download=1");
    let mut request = Request::of(Method::GET, &target, &[(AUTHORIZATION, &basic("admin", PASSWORD))]);
    request.headers.insert(crate::transport::header::RANGE, HeaderValue::from_static("bytes=5-"));
    assert_eq!(system.answer(request).await, (206, b"world".to_vec()));
    assert_eq!(system.ask(Method::DELETE, "files/1", &Value::Null).await.0, 409);
}
