//! What each step of a driver must say: one table for the three SDKs. Where one differs for a reason of its own, the
//! reason stands beside it (section 8.4 of the reference): the simulator must not hide it.

use super::{Says, Sdk};
use serde_json::{Value, json};

struct Row {
    step: &'static str,
    says: [Option<Says>; 3],
}

impl From<Value> for Says {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

fn row(step: &'static str) -> Row {
    Row { step, says: [None, None, None] }
}

impl Row {
    fn py(self, says: impl Into<Says>) -> Self {
        self.on(Sdk::Python, says.into())
    }

    fn js(self, says: impl Into<Says>) -> Self {
        self.on(Sdk::JavaScript, says.into())
    }

    fn go(self, says: impl Into<Says>) -> Self {
        self.on(Sdk::Go, says.into())
    }

    fn all(self, value: Value) -> Self {
        self.py(value.clone()).js(value.clone()).go(value)
    }

    fn on(mut self, sdk: Sdk, says: Says) -> Self {
        self.says[sdk as usize] = Some(says);
        self
    }
}

/// An error of this class, with this in its text.
fn fails(class: &str, text: &str) -> Says {
    Says::Error(json!({ "class": class, "text": text }))
}

/// The same, with the status of the answer.
fn refused(class: &str, status: u16, text: &str) -> Says {
    Says::Error(json!({ "class": class, "status": status, "text": text }))
}

/// What an SDK must see, in the order of its steps.
pub(super) fn steps(sdk: Sdk) -> Vec<(&'static str, Says)> {
    let groups = [sprites(), exec(), sessions(), checkpoints(), files(), services(), policy(), ports(), python_async()];
    let rows = groups.into_iter().flatten();
    rows.filter_map(|mut row| row.says[sdk as usize].take().map(|says| (row.step, says))).collect()
}

fn sprite(labels: &[&str], auth: &str) -> Value {
    json!({
        "name": "box", "labels": labels, "auth": auth, "id": true, "status": true, "url": true, "organization": true,
        "created": true,
    })
}

fn sprites() -> Vec<Row> {
    let fresh = sprite(&["one", "two"], "sprite");
    let taken = "A sprite named 'box' already exists. Please choose a different name.";
    // Neither JavaScript nor Go reads the list in `errors`.
    let unread = "API error (status 400)";
    let missing = "failed to retrieve sprite";
    vec![
        // Go keeps the name, and makes up a status.
        row("sprite.create").py(fresh.clone()).js(fresh.clone()).go(json!(["box", "created"])),
        row("sprite.create.taken").py(fails("SpriteError", taken)).js(refused("APIError", 409, taken)).go(refused(
            "sprites.APIError",
            409,
            taken,
        )),
        row("sprite.create.bad_name")
            .py(fails("SpriteError", "invalid sprite name format"))
            .js(refused("APIError", 400, unread))
            .go(refused("sprites.APIError", 400, unread)),
        row("sprite.get").all(fresh),
        // 500, as the true server was recorded: so none of them can tell that it is not there.
        row("sprite.get.missing").py(fails("SpriteError", missing)).js(refused("APIError", 500, missing)).go(refused(
            "sprites.APIError",
            500,
            missing,
        )),
        row("sprite.bad_token")
            .py(fails("AuthenticationError", "Authentication failed"))
            .js(refused("APIError", 401, "authentication failed"))
            .go(refused("sprites.APIError", 401, "authentication failed")),
        row("sprite.update").all(sprite(&["three"], "public")),
        row("sprite.update.url").all(sprite(&["three"], "sprite")),
        row("sprite.update.clear_labels").go(json!(0)),
        row("sprite.update.bad_auth")
            .py(fails("SpriteError", "invalid auth type, must be one of: sprite, public"))
            .js(refused("APIError", 400, unread))
            .go(refused("sprites.APIError", 400, unread)),
        row("sprite.list").all(json!([[["page-000", "page-001"], true], [["page-002", "page-003"], true]])),
        // Three pages: the server gives 50 at most, however many are asked for.
        row("sprite.list.all").all(json!({"count": 105, "distinct": 105, "all": 106})),
        row("sprite.upgrade").all(Value::Null),
        row("sprite.version").go(json!(true)),
        row("sprite.restart").js(json!({"name": "box", "machine": true, "message": true})),
        row("sprite.check").js(json!({"name": "box", "id": true, "status": "healthy", "checked": true})),
        row("sprite.watch").js(json!({"status": true, "organization": true})),
        row("token.create").go(json!({"token": true, "works": true})),
        row("sprite.delete").all(json!(103)),
        row("sprite.delete.missing")
            .py(fails("NotFoundError", "box"))
            .js(refused("APIError", 404, "sprite not found"))
            .go(refused("sprites.APIError", 404, "sprite not found")),
    ]
}

fn exec() -> Vec<Row> {
    let (megabytes, zeros) = (json!({"size": 5 << 20, "same": true}), json!({"size": 20_000_000, "same": true}));
    let resized = json!("24 80\r\n40 120\r\n");
    vec![
        row("exec.run").all(json!({"code": 0, "stdout": "out\n", "stderr": "err\n"})),
        row("exec.output").py(json!("hi\n")).go(json!("hi\n")),
        // `exec` of the JavaScript SDK splits at blanks and keeps quotes.
        row("exec.split").js(json!("'a b'\n")),
        row("exec.combined").py(json!("out\nerr\n")).go(json!(["err", "out"])),
        row("exec.arguments").all(json!("a b|q'\"||*|$HOME|+&%20=|\n|ü|")),
        row("exec.env").all(json!("a b=c&d+e%20\nü")),
        row("exec.dir").all(json!("work\nfile\n")),
        row("exec.exit_codes").all(json!([0, 1, 3, 126, 255, 143, 137])),
        row("exec.check")
            .py(fails("ExecError", "exit status 3"))
            .js(Says::Error(json!({"class": "ExecError", "text": "exit code 3", "exit": 3, "stderr": "oops\n"})))
            .go(Says::Error(json!({"class": "sprites.ExitError", "text": "exit status 3", "exit": 3}))),
        row("exec.not_found").all(json!(127)),
        row("exec.missing_sprite")
            .py(fails("APIError", "sprite not found"))
            // Node tells nothing of an answer that is not 101.
            .js(fails("Error", "WebSocket error"))
            .go(refused("fmt.wrapError", 404, "sprite not found")),
        row("exec.stdin").all(json!("hi\nthere")),
        row("exec.stdin.pipe").go(json!("one\ntwo\n")),
        row("exec.stdin.empty").all(json!("0")),
        row("exec.stdin.none").py(json!("0")).go(json!("0")),
        row("exec.stdin.unread").all(json!("xx")),
        // `execFile` declares a stdin and never closes it: a reader ends by a signal only.
        row("exec.stdin.never_closed").js(json!("failed")),
        row("exec.binary").all(megabytes),
        row("exec.binary.out").all(zeros),
        row("exec.max_buffer").js(fails("Error", "stdout maxBuffer exceeded")),
        row("exec.http").js(json!({"code": 3, "stdout": "out\n", "stderr": "err\n"})),
        row("exec.http.stdin").js(json!("hi")),
        row("exec.http.no_stdin").js(json!("0")),
        row("exec.http.timeout").js(fails("DOMException", "timeout")),
        row("exec.http.missing_sprite").js(refused("APIError", 404, "sprite not found")),
        row("exec.tty").all(json!("30 99\r\ntty\r\n")),
        row("exec.tty.stdin").all(json!("hello\r\nhello\r\n")),
        // JavaScript takes no notice of the exit message of a terminal: the code is 0 or 1, by how the socket is closed.
        row("exec.tty.exit").py(json!(7)).go(json!(7)).js(json!(true)),
        // Python has no call for it.
        row("exec.resize").js(resized.clone()).go(resized),
        row("exec.signal").js(json!([3, "ready\ngot\n"])).go(json!([3, "ready\ngot\n"])),
        // Both leave the command running.
        row("exec.timeout")
            .py(json!({"class": "TimeoutError", "remote_left": true}))
            .go(json!({"text": "context deadline exceeded", "remote_left": true})),
        row("exec.without_control").go(json!(["hi\n", "direct"])),
        row("exec.port_events").go(json!(["port_opened", "127.0.0.1", true])),
        row("control.fallback").py(json!("hi\n")).js(json!("hi\n")),
    ]
}

fn sessions() -> Vec<Row> {
    let both = json!({"codes": [5, 5], "ends": ["done"]});
    vec![
        row("session.list").all(json!({
            "command": "sleep 7002", "id": true, "tty": false, "workdir": true, "age": true, "code": 143,
        })),
        row("session.kill")
            // Python loses the texts and the exit code of the events, and sends the signal where nobody looks.
            .py(json!({
                "code": 143, "events": [["signal", null, null], ["exited", null, null], ["complete", null, null]],
            }))
            .js(json!({"code": 143, "types": ["signal", "exited", "complete"], "exit": 143})),
        row("session.kill.escalates")
            .js(json!({"code": 137, "types": ["signal", "timeout", "killed", "complete"], "exit": 137})),
        row("session.kill.bad_signal").js(refused("APIError", 400, "")),
        row("session.kill.missing").py(fails("APIError", "status 404")).js(refused("APIError", 404, "not found")),
        row("session.attach").all(both.clone()),
        row("session.attach.tty")
            .py(both)
            // As for `exec.tty.exit`: JavaScript does not know the code.
            .js(json!({"codes": [true, true], "ends": ["done"]}))
            // Without the control socket Go reads a terminal's bytes as frames, and so drops them.
            .go(json!({"codes": [5, 5], "ends": []})),
        row("session.create").js(json!({"tty": true})),
        row("session.attach.missing")
            .py(fails("APIError", "not found"))
            .js(fails("Error", "WebSocket error"))
            .go(fails("fmt.wrapError", "failed to start sprite command")),
        row("session.outlives_its_client").js(json!(true)),
    ]
}

fn checkpoints() -> Vec<Row> {
    vec![
        row("checkpoint.create").all(json!({"ids": ["v1"], "last": ["complete", "Checkpoint v1 created successfully"]})),
        row("checkpoint.list").all(json!(["Current", "v1", "v0"])),
        row("checkpoint.list.auto").go(json!(true)),
        row("checkpoint.get").all(json!({"id": "v1", "comment": "first, with \"quotes\" and ü", "age": true})),
        row("checkpoint.get.missing")
            .py(fails("SpriteError", "not found"))
            .js(fails("Error", "not found"))
            .go(fails("errors.errorString", "not found")),
        // The answer is text, and none of them can read it.
        row("checkpoint.history")
            .py(fails("JSONDecodeError", ""))
            .js(fails("SyntaxError", "not valid JSON"))
            .go(fails("errors.errorString", "text response not supported in SDK: v1:v0")),
        row("checkpoint.restore").all(json!({
            "types": ["info", "info", "complete"], "last": "Restore from v1 complete", "state": "before", "extra": false,
        })),
        // None of them fails: their users have to look at the lines.
        row("checkpoint.restore.missing").all(json!(["info", "error"])),
    ]
}

fn files() -> Vec<Row> {
    let (data, listed) = (json!({"size": 3 << 20, "same": true}), json!(["x", "y", "z"]));
    let text = "a b+c%20ü.txt";
    vec![
        row("fs.text")
            .py(json!(["grüße\n", text, 8, "600", false]))
            .js(json!(["grüße\n", 8, 0o600, false, true]))
            .go(json!(["grüße\n", text, 8, "-rw-------", false])),
        row("fs.open").go(json!("grüße\n")),
        row("fs.binary").all(data),
        row("fs.exec_sees_it").all(json!("by the command")),
        row("fs.root").go(json!("by the command")),
        row("fs.list").all(listed.clone()),
        row("fs.list.types").js(json!([["x", false], ["y", false], ["z", true]])),
        row("fs.list.recursive").js(json!(["deep", "x", "y", "z"])),
        row("fs.list.pattern").js(json!(["x"])),
        row("fs.list.file").all(json!(["seen"])),
        row("fs.kinds").py(json!([true, true, false])),
        row("fs.exists").js(json!([true, false])),
        row("fs.symlink").js(json!(true)),
        // They take the first entry of the listing: a child of the directory, not the directory.
        row("fs.stat.directory").py(json!(["child", 5, false])).js(json!([5, false])).go(json!(["child", 5, false])),
        // For the same reason an empty directory is not there.
        row("fs.stat.empty_directory").all(json!([false, []])),
        row("fs.mkdir")
            .py(json!("made:\ndeep\n\nmade/deep:\n"))
            .js(json!("made:\ndeep\n\nmade/deep:\n"))
            // Go leaves behind what makes the server make the directory.
            .go(json!("made:\ndeep\nother\n\nmade/deep:\n.keep\n\nmade/other:\n.keep\n")),
        row("fs.mkdir.no_parent").js(Says::Error(json!({"class": "FilesystemError", "code": "ENOENT"}))),
        row("fs.rename")
            .py(json!(["/home/sprite/new", "moved", false]))
            .js(json!(["moved", false]))
            .go(json!(["moved", false])),
        row("fs.copy").all(listed),
        row("fs.chmod").py(json!(["755", "ran\n"])).js(json!([0o755, "ran\n"])).go(json!(["-rwxr-xr-x", "ran\n"])),
        row("fs.chown").js(Value::Null),
        row("fs.append").js(json!(["one\ntwo\n", "first\n"])),
        row("fs.json").js(json!({"a": [1, "ü"]})),
        row("fs.touch").py(json!("")),
        row("fs.watch").js(json!(["subscribed", "event", false])),
        row("fs.unlink").py(json!(false)),
        row("fs.rm").js(json!(false)),
        row("fs.remove").go(json!(false)),
        row("fs.rmdir").py(Value::Null),
        row("fs.rmtree").py(json!(false)),
        row("fs.rm.recursive").js(json!(false)),
        row("fs.remove_all").go(json!(false)),
        row("fs.read.missing")
            .py(fails("FileNotFoundError_", "ENOENT"))
            .js(Says::Error(json!({"class": "FilesystemError", "code": "ENOENT"})))
            .go(json!(true)),
        row("fs.read.directory")
            .py(fails("IsADirectoryError_", "EISDIR"))
            .js(Says::Error(json!({"class": "FilesystemError", "code": "EISDIR"})))
            .go(fails("fs.PathError", "is a directory")),
        row("fs.remove.not_empty")
            .py(fails("DirectoryNotEmptyError", "ENOTEMPTY"))
            .js(Says::Error(json!({"class": "FilesystemError", "code": "ENOTEMPTY"})))
            .go(fails("fs.PathError", "not empty")),
        row("fs.remove.missing")
            .py(fails("FileNotFoundError_", "ENOENT"))
            .js(Says::Error(json!({"class": "FilesystemError", "code": "ENOENT"})))
            .go(fails("fs.PathError", "file does not exist")),
    ]
}

fn services() -> Vec<Row> {
    let created = |stdout: &str| json!({"types": ["started", "stdout", "complete"], "stdout": stdout, "logs": ["combined", "stderr", "stdout"]});
    let web = json!({
        "name": "web", "cmd": "sh", "args": 2, "needs": [], "http_port": 8080, "status": "running", "pid": true,
    });
    let worker = json!({
        "name": "worker", "cmd": "sleep", "args": 1, "needs": ["web"], "http_port": null, "status": "running",
        "pid": true,
    });
    vec![
        row("service.create").all(created("hello you")),
        row("service.create.second_port")
            .py(fails("APIError", "Service conflict"))
            .js(fails("Error", "Service conflict"))
            .go(fails("errors.errorString", "service conflict")),
        row("service.create.needs").all(worker),
        row("service.list").all(json!(["web", "worker"])),
        row("service.get").all(web),
        row("service.get.missing")
            .py(fails("APIError", "Service not found: none"))
            .js(fails("Error", "Service not found"))
            .go(fails("errors.errorString", "service not found")),
        row("service.logs").js(json!("hello you")),
        row("service.signal").py(json!("signalled\n")).js(json!("stdout")).go(json!("signalled\n")),
        row("service.signal.bad")
            .py(fails("APIError", "Invalid signal: NOSUCH"))
            .js(fails("Error", "Invalid signal"))
            .go(fails("errors.errorString", "invalid signal")),
        row("service.signal.missing")
            .py(fails("APIError", "Service not found: none"))
            .js(fails("Error", "Service not found"))
            .go(fails("errors.errorString", "service not found")),
        row("service.restart").js(json!([["started", "complete"], "running", true])),
        row("service.stop").all(json!([["stopping", "stopped", "complete"], "stopped"])),
        row("service.signal.stopped")
            .py(fails("APIError", "Service not running"))
            .js(fails("Error", "Service not running"))
            .go(fails("errors.errorString", "service not running")),
        row("service.start").all(json!([["started", "complete"], "running"])),
        row("service.delete").py(json!([])).js(json!([])).go(json!(0)),
        row("service.delete.missing")
            // Python takes every failure for one of its general kind.
            .py(fails("SpriteError", "status 404"))
            .js(fails("Error", "Service not found"))
            .go(fails("errors.errorString", "service not found")),
    ]
}

fn policy() -> Vec<Row> {
    let rules = json!([{"domain": "*.example.com", "action": "allow"}, {"include": "defaults"}]);
    let invalid = "invalid policy config";
    vec![
        row("policy.network")
            .py(json!([["*.example.com", "allow", null], [null, null, "defaults"]]))
            .js(rules.clone())
            .go(rules),
        row("policy.network.bad")
            .py(fails("SpriteError", invalid))
            .js(fails("Error", invalid))
            .go(fails("errors.errorString", invalid)),
        row("policy.network.unknown_key").js(fails("Error", invalid)),
        row("policy.network.empty").py(json!([])).js(json!([])).go(json!(0)),
        row("policy.privileges")
            .js(json!([{"profile": "minimal", "devices": ["/dev/null"], "noNewPrivileges": true}, ""])),
        row("policy.resources").js(json!([{"memory": {"limitMB": 2048, "autoscale": true}}, 0])),
    ]
}

/// Python has none of these.
fn ports() -> Vec<Row> {
    vec![
        row("proxy.socket").go(json!(true)),
        row("proxy.port").js(json!([true, true])).go(json!(true)),
        row("proxy.ports").js(json!([true, true])).go(json!([true, true])),
        row("proxy.refused").go(fails("fmt.wrapError", "close 1011")),
        row("ports.watch").js(json!(["port_list", true, "port_opened", "127.0.0.1", true, "port_closed"])),
    ]
}

/// The asynchronous client of Python: the same calls once more, in other code.
fn python_async() -> Vec<Row> {
    vec![row("async").py(json!({
        "create": ["async-box", ["async"]],
        "get": "async-box",
        "list": ["async-box"],
        "list.all": 105,
        "update": ["more"],
        "run": {"code": 3, "stdout": "out\n", "stderr": "err\n"},
        "output": "hi",
        "parallel": [0, 1, 2, 3, 4, 5, 6, 7],
        "fs": ["text", ["again", "moved"]],
        "fs.removed": false,
        "sessions": [],
        "checkpoint.create": "Checkpoint v1 created successfully",
        "checkpoint.list": ["Current", "v1", "v0"],
        "checkpoint.get": "async",
        "checkpoint.restore": "Restore from v1 complete",
        "service.create": "started",
        "service.list": ["web"],
        "service.stop": ["complete", "stopped"],
        "policy": [["*", "deny"]],
        "delete": [],
    }))]
}
