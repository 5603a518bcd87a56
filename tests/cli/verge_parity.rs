//! The official CLI of VergeOS beside esker: a command of each, on two systems that are alike, must ask the same of them.
//!
//! What changes something is compared request by request: method, path, decoded query and body. What only reads is
//! compared by the table that is read last and by its filter: esker asks for fewer rows and for other fields, and does not
//! begin with a request that says hello. A difference that is meant is written beside its row, and must be there.

use crate::support::peers;
use crate::support::playground::Playground;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::process::Command;

/// One thing to do, in both languages.
struct Row {
    vrg: &'static [&'static str],
    esker: &'static [&'static str],
    /// Why what is asked is not the same.
    differs: Option<&'static str>,
}

const fn row(vrg: &'static [&'static str], esker: &'static [&'static str]) -> Row {
    Row { vrg, esker, differs: None }
}

impl Row {
    const fn but(self, why: &'static str) -> Self {
        Self { differs: Some(why), ..self }
    }
}

/// What is done to virtual machines, in an order in which each can be done.
const VMS: &[Row] = &[
    row(&["vm", "list"], &["vm", "list", "--target", "vergeos"]),
    row(&["vm", "get", "web01"], &["vm", "show", "vergeos/web01"]).but("esker asks for the one row by its name"),
    row(&["vm", "start", "build01"], &["vm", "start", "--no-wait", "vergeos/build01"]),
    row(&["vm", "reset", "web01", "--yes"], &["vm", "reset", "vergeos/web01"]),
    row(&["vm", "hibernate", "web02"], &["vm", "hibernate", "--no-wait", "vergeos/web02"]),
    row(&["vm", "migrate", "db01"], &["vm", "migrate", "--no-wait", "vergeos/db01"]),
    row(&["vm", "stop", "web01", "--force"], &["vm", "stop", "--now", "vergeos/web01"]),
    row(
        &["vm", "update", "desktop", "--ram", "4096", "--cpu", "2"],
        &["vm", "update", "vergeos/desktop", "--set", "ram=4096", "--set", "cpu_cores=2"],
    ),
    row(&["vm", "delete", "desktop", "--yes"], &["vm", "delete", "vergeos/desktop", "--confirm", "vergeos/desktop"]),
];

/// What is read.
const READS: &[Row] = &[
    row(&["network", "list"], &["vm", "network", "list", "--target", "vergeos"]),
    row(&["user", "list"], &["vm", "user", "list", "--target", "vergeos"]),
    row(&["group", "list"], &["vm", "group", "list", "--target", "vergeos"]),
    row(&["node", "list"], &["vm", "node", "list", "--target", "vergeos"]),
    row(&["tenant", "list"], &["vm", "tenant", "list", "--target", "vergeos"]),
    row(&["task", "list"], &["vm", "task", "list", "--target", "vergeos"]),
    row(&["snapshot", "profile", "list"], &["vm", "resource", "snapshot_profiles", "list", "--target", "vergeos"]),
    row(&["webhook", "list"], &["vm", "resource", "webhook_urls", "list", "--target", "vergeos"]),
];

/// What is done to networks and by the generic table of resources.
const RESOURCES: &[Row] = &[
    row(
        &["network", "rule", "create", "Internal", "--name", "ssh", "--protocol", "tcp", "--dest-ports", "22"],
        &[
            "vm",
            "rule",
            "create",
            "--of",
            "Internal",
            "--set",
            "name=ssh",
            "--set",
            "protocol=tcp",
            "--set",
            "destination_ports=22",
            "--target",
            "vergeos",
        ],
    )
    .but("vrg sends the defaults of all other fields too"),
    row(
        &["tag", "category", "create", "--name", "Purpose"],
        &["vm", "resource", "tag_categories", "create", "--set", "name=Purpose", "--target", "vergeos"],
    ),
    row(
        &["webhook", "create", "--name", "hook", "--url", "https://example.com/"],
        &[
            "vm",
            "resource",
            "webhook_urls",
            "create",
            "--set",
            "name=hook",
            "--set",
            "url=https://example.com/",
            "--target",
            "vergeos",
        ],
    )
    .but("vrg sends the defaults of all other fields too"),
    row(
        &["webhook", "delete", "hook", "--yes"],
        &["vm", "resource", "webhook_urls", "delete", "hook", "--yes", "--target", "vergeos"],
    ),
];

/// A request as the simulator wrote it down.
#[derive(Debug, PartialEq)]
struct Asked {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    body: Value,
}

impl Asked {
    fn read(line: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let pairs = line["query"].as_array().into_iter().flatten();
        Self {
            method: text(&line["method"]),
            path: text(&line["path"]),
            query: pairs.map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
            body: plain(&line["body"]),
        }
    }

    fn table(&self) -> &str {
        self.path.trim_start_matches("/api/v4/").split('/').next().unwrap_or_default()
    }

    fn of(&self, name: &str) -> &str {
        self.query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// A body without what says nothing, and without times: keys as numbers, no empty parameters.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null() && **value != json!({}));
            let fields = fields.map(|(name, value)| match name.as_str() {
                "expires" => (name.clone(), json!("a time")),
                _ => (name.clone(), plain(value)),
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::String(text) => text.parse::<u64>().map_or_else(|_| value.clone(), Value::from),
        other => other.clone(),
    }
}

/// A system, and what was asked of it since last time.
struct System(Playground);

impl System {
    fn start() -> Self {
        let system = Self(Playground::vergeos());
        system.http("PUT");
        system
    }

    /// A request to the plain side of the simulator, which takes its orders there.
    fn http(&self, method: &str) -> String {
        use std::io::{Read as _, Write as _};
        let host = &self.0.variables()["VERGE_HOST"];
        let mut stream = std::net::TcpStream::connect(host).expect("it listens");
        write!(stream, "{method} /playground/requests HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    }

    fn asked(&self) -> Vec<Asked> {
        let lines: Vec<Value> = serde_json::from_str(&self.http("GET")).expect("a list");
        lines.iter().map(Asked::read).filter(|asked| asked.path != "/api/v4/system").collect()
    }

    fn vrg(&self, program: &std::path::Path, args: &[&str]) -> Result<Vec<Asked>, String> {
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", crate::support::home())
            .envs(self.0.variables())
            .env("REQUESTS_CA_BUNDLE", &self.0.variables()["VERGE_CA_FILE"]);
        self.run(command, args)
    }

    fn esker(&self, args: &[&str]) -> Result<Vec<Asked>, String> {
        let mut command = self.0.esker_process();
        command.args(args);
        self.run(command, args)
    }

    fn run(&self, mut command: Command, args: &[&str]) -> Result<Vec<Asked>, String> {
        let output = command.output().expect("it runs");
        if !output.status.success() {
            return Err(format!("{args:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)));
        }
        Ok(self.asked())
    }
}

/// What the two ask, as far as it is compared.
fn essence(asked: &[Asked]) -> String {
    let mut text = String::new();
    let changes: Vec<&Asked> = asked.iter().filter(|asked| asked.method != "GET").collect();
    for asked in &changes {
        let _ = writeln!(text, "{} {} {:?} {}", asked.method, asked.path, asked.query, asked.body);
    }
    if changes.is_empty()
        && let Some(last) = asked.last()
    {
        let _ = writeln!(text, "GET {} filter={}", last.table(), last.of("filter"));
    }
    text
}

/// Does all rows on one system each way, and says where they part.
fn compare(rows: &[Row]) {
    let Some(program) = peers::vrg() else { return };
    let (theirs, ours) = (System::start(), System::start());
    let mut wrong = String::new();
    for row in rows {
        let name = row.vrg.join(" ");
        let both = theirs.vrg(&program, row.vrg).and_then(|theirs| Ok((theirs, ours.esker(row.esker)?)));
        let (theirs, ours) = match both {
            Ok((theirs, ours)) => (essence(&theirs), essence(&ours)),
            Err(why) => {
                let _ = writeln!(wrong, "vrg {name}: {why}");
                continue;
            }
        };
        match (theirs == ours, row.differs) {
            (true, None) | (false, Some(_)) => {}
            (true, Some(why)) => {
                let _ = writeln!(wrong, "vrg {name}: there is no difference, but: {why}");
            }
            (false, None) => {
                let _ = writeln!(wrong, "vrg {name}:\n  vrg\n{theirs}  esker\n{ours}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn virtual_machines_are_asked_for_the_same() {
    compare(VMS);
}

#[test]
fn tables_are_read_the_same() {
    compare(READS);
}

#[test]
fn resources_are_changed_the_same() {
    compare(RESOURCES);
}
