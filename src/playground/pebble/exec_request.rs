//! What a client asks for when it runs a command (section 3.1).

use super::accounts::{self, Wish};
use super::changes::Kind;
use super::daemon::Daemon;
use super::errors::{Refusal, Result};
use super::exec::Exec;
use super::launch::{Launch, environment, is_executable, look_up};
use super::{go, handlers, reply};
use crate::provider::exec::TermSize;
use crate::transport::server::Response;
use rustix::process::geteuid;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Where programs are looked for if nobody says.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Wanted {
    #[serde(default)]
    command: Option<Vec<String>>,
    #[serde(default)]
    service_context: Option<String>,
    #[serde(default)]
    environment: Option<BTreeMap<String, String>>,
    #[serde(default)]
    working_dir: Option<String>,
    #[serde(default)]
    timeout: Option<String>,
    #[serde(flatten)]
    owner: Wish,
    #[serde(default)]
    terminal: Option<bool>,
    #[serde(default)]
    interactive: Option<bool>,
    #[serde(default)]
    split_stderr: Option<bool>,
    #[serde(default)]
    width: Option<i64>,
    #[serde(default)]
    height: Option<i64>,
}

/// Answers a POST.
pub(super) fn post(daemon: &Arc<Daemon>, body: &[u8]) -> Result<Response> {
    let wanted: Wanted = handlers::decode(body)?;
    let command = wanted.command.clone().unwrap_or_default();
    let Some(program) = command.first() else { return Err(Refusal::bad("must specify command")) };
    let path = daemon.options.environment.get("PATH").map(String::as_str);
    if !look_up(program, path).is_some_and(|file| is_executable(&file)) {
        return Err(Refusal::bad(format!("cannot find executable {}", go::quote(program))));
    }
    let summary = format!("Execute command {}", go::quote(program));
    let exec = prepare(daemon, &wanted, command)?;
    let (environment, dir) = (exec.launch.environment.clone(), exec.launch.dir.clone().unwrap_or_default());
    let (change, task) = daemon.change(|book| {
        let (change, task) = book.add_single(Kind::Exec, "exec", &summary, "");
        book.execs.insert(task, Arc::new(exec));
        (change, task)
    });
    let result =
        json!({"environment": environment, "task-id": task.to_string(), "working-dir": dir.display().to_string()});
    Ok(reply::accepted(change, result))
}

fn prepare(daemon: &Daemon, wanted: &Wanted, command: Vec<String>) -> Result<Exec> {
    let timeout = match wanted.timeout.as_deref() {
        None | Some("") => None,
        Some(text) => Some(go::duration(text).map_err(|why| Refusal::bad(format!("invalid timeout: {why}")))?),
    };
    let book = daemon.book();
    let context = match wanted.service_context.as_deref() {
        None | Some("") => None,
        Some(name) => Some(
            book.layers
                .plan()
                .services
                .get(name)
                .ok_or_else(|| Refusal::bad(format!("context service {} not found", go::quote(name))))?,
        ),
    };
    let wish = wanted.owner.clone().or(context.map(Wish::of_service).unwrap_or_default());
    let extra: BTreeMap<String, String> = context
        .into_iter()
        .flat_map(|service| service.environment.iter().map(|(name, value)| (name.clone(), value.0.clone())))
        .chain(wanted.environment.clone().unwrap_or_default())
        .collect();
    let pairs = extra.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let (mut environment, ids) = environment(&daemon.options.environment, &wish, pairs).map_err(Refusal::bad)?;
    let user = accounts::user(ids.map_or(geteuid().as_raw(), |ids| ids.uid));
    let home = user.as_ref().map(|user| user.home.display().to_string());
    let mut default = |name: &str, value: Option<String>| {
        if let Some(value) = value
            && environment.get(name).is_none_or(String::is_empty)
        {
            environment.insert(name.to_owned(), value);
        }
    };
    default("PATH", Some(PATH.to_owned()));
    default("HOME", home);
    default("USER", user.map(|user| user.name));
    default("LANG", Some("C.UTF-8".to_owned()));
    let asked = wanted.working_dir.clone().filter(|dir| !dir.is_empty());
    let asked = asked.or_else(|| context.map(|service| service.working_dir.0.clone()).filter(|dir| !dir.is_empty()));
    let what = if asked.is_some() { "working directory" } else { "home directory" };
    let dir = asked.or_else(|| environment.get("HOME").cloned()).unwrap_or_else(|| "/".to_owned());
    let cannot = |why: String| Refusal::internal(format!("cannot call exec: {why}"));
    match std::fs::metadata(&dir) {
        Ok(meta) if meta.is_dir() => {}
        Ok(_) => return Err(cannot(format!("{what} {} not a directory", go::quote(&dir)))),
        Err(_) => return Err(cannot(format!("{what} {} does not exist", go::quote(&dir)))),
    }
    let (terminal, interactive) = (wanted.terminal.unwrap_or_default(), wanted.interactive.unwrap_or_default());
    if interactive && !terminal {
        return Err(cannot("cannot use interactive mode without a terminal".to_owned()));
    }
    let launch = Launch { command, environment, ids, dir: Some(PathBuf::from(dir)) };
    let mut exec = Exec::new(launch, wanted.split_stderr.unwrap_or_default());
    (exec.terminal, exec.interactive, exec.timeout) = (terminal, interactive, timeout);
    let positive =
        |number: Option<i64>| number.and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0);
    if let (Some(cols), Some(rows)) = (positive(wanted.width), positive(wanted.height)) {
        exec.size = TermSize { cols, rows };
    }
    Ok(exec)
}
