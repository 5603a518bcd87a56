//! A call: the command line it means, and what came of it.

use super::protocol::Called;
use super::tools::{HELP, Tools};
use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The most that an answer may hold, in bytes: more is of no use to a model.
const ANSWER: u64 = 1 << 20;

/// Flags that would lead a call elsewhere, or have it print something else than is read.
const REFUSED: [&str; 8] = ["--target", "--all", "--config", "--output", "-o", "--format", "--watch", "--new"];

/// How calls are made.
pub(super) struct Caller {
    /// Where every call acts, if that is settled.
    pub(super) pinned: Option<String>,
    /// The config file that was named.
    pub(super) config: Option<PathBuf>,
    /// How long a call may take.
    pub(super) timeout: Duration,
}

impl Caller {
    /// Does what a call asks for. Dropping it ends the command.
    pub(super) async fn call(&self, tools: &Tools, tool: &str, arguments: Map<String, Value>) -> Called {
        let outcome = match self.line(tools, tool, &arguments) {
            Ok(line) => self.run(&line, arguments.get("stdin").and_then(Value::as_str)).await,
            Err(error) => Err(error),
        };
        outcome.unwrap_or_else(|error| {
            let hint = error.parts().hint.as_ref().map_or_else(String::new, |hint| format!("\nhint: {hint}"));
            Called { text: format!("error: {error}{hint}"), data: None, failed: true }
        })
    }

    /// The command line of a call.
    fn line(&self, tools: &Tools, tool: &str, arguments: &Map<String, Value>) -> Result<Vec<String>> {
        let known = ["verb", "arguments", "target", "stdin", "command", "workdir", "env"];
        if let Some(unknown) = arguments.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(Error::usage(format!("there is no argument `{unknown}`")));
        }
        let text = |name: &str| match arguments.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(Error::usage(format!("`{name}` is no text"))),
        };
        let verb = text("verb")?;
        let mut line = tools.command(tool, verb)?;
        let given = texts(arguments, "arguments")?;
        if verb == Some(HELP) {
            line.extend(
                given.iter().filter(|word| !word.starts_with('-')).flat_map(|word| word.split(' ')).map(str::to_owned),
            );
            line.push("--help".to_owned());
            return Ok(line);
        }
        if let Some(flag) = given.iter().take_while(|word| *word != "--").find(|word| is_refused(word)) {
            return Err(
                Error::usage(format!("`{flag}` is not for tools")).hint("say where in `target`, if that is open")
            );
        }
        match (&self.pinned, text("target")?) {
            (Some(pinned), Some(other)) if other != pinned => {
                return Err(Error::forbidden(format!("every call acts on `{pinned}`")));
            }
            (Some(target), _) => {
                if tool == "files" {
                    stays_there(verb.unwrap_or_default(), &given)?;
                }
                line.push(format!("--target={target}"));
            }
            (None, Some(target)) => line.push(format!("--target={target}")),
            (None, None) => {}
        }
        if let Some(config) = &self.config {
            line.push(format!("--config={}", config.display()));
        }
        line.extend(["--output=json".to_owned(), "--no-input".to_owned(), "--no-progress".to_owned()]);
        if tool == "exec" {
            let command = texts(arguments, "command")?;
            if command.is_empty() {
                return Err(Error::usage("`command` is missing: what is to be run?"));
            }
            line.extend(text("workdir")?.map(|dir| format!("--workdir={dir}")));
            if let Some(env) = arguments.get("env").and_then(Value::as_object) {
                let pairs = env.iter().filter_map(|(name, value)| Some(format!("--env={name}={}", value.as_str()?)));
                line.extend(pairs);
            }
            line.extend([
                "-T".to_owned(),
                if text("stdin")?.is_some() { "-i" } else { "-I" }.to_owned(),
                "--".to_owned(),
            ]);
            line.extend(command);
        } else {
            line.extend(given);
        }
        Ok(line)
    }

    async fn run(&self, line: &[String], stdin: Option<&str>) -> Result<Called> {
        let cannot = |error: std::io::Error| Error::failure("cannot start the command").source(error);
        let mut command = tokio::process::Command::new(std::env::current_exe().map_err(cannot)?);
        command.args(line).stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(cannot)?;
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let feed = async {
            if let (Some(mut pipe), Some(text)) = (child.stdin.take(), stdin) {
                // One that does not read it to its end says by its status whether that is well.
                let _ = pipe.write_all(text.as_bytes()).await;
            }
        };
        let listen = async {
            let (mut stdout, mut stderr) =
                (stdout.map(|pipe| pipe.take(ANSWER + 1)), stderr.map(|pipe| pipe.take(ANSWER)));
            let all = async {
                if let Some(pipe) = &mut stdout { pipe.read_to_end(&mut out).await.map(drop) } else { Ok(()) }
            };
            let said = async {
                if let Some(pipe) = &mut stderr { pipe.read_to_end(&mut err).await.map(drop) } else { Ok(()) }
            };
            tokio::try_join!(all, said).map(drop)
        };
        let ended = tokio::time::timeout(self.timeout, async { tokio::join!(feed, listen).1 }).await;
        match ended {
            Ok(read) => read.map_err(|error| Error::failure("cannot read what the command says").source(error))?,
            Err(_) => {
                let limit = crate::config::duration::show(self.timeout);
                return Err(Error::timeout(format!("the command took longer than {limit}")));
            }
        }
        if out.len() as u64 > ANSWER {
            return Err(Error::limit(format!("the answer is larger than {ANSWER} bytes")).hint("ask for less of it"));
        }
        let status = child.wait().await.map_err(|error| Error::failure("cannot wait for the command").source(error))?;
        Ok(answer(&out, &err, status.success()))
    }
}

/// What a command said, for a model.
fn answer(out: &[u8], err: &[u8], succeeded: bool) -> Called {
    let (out, err) = (String::from_utf8_lossy(out), String::from_utf8_lossy(err));
    let mut text = out.trim_end().to_owned();
    if !err.trim().is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(err.trim_end());
    }
    let data = match serde_json::from_str::<Value>(&out) {
        Ok(object @ Value::Object(_)) => Some(object),
        Ok(rows @ Value::Array(_)) => Some(serde_json::json!({ "items": rows })),
        _ => None,
    };
    Called { text, data, failed: !succeeded }
}

fn texts(arguments: &Map<String, Value>, name: &str) -> Result<Vec<String>> {
    let wrong = || Error::usage(format!("`{name}` is no list of texts"));
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(all)) => all.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect(),
        Some(_) => Err(wrong()),
    }
}

/// Whether an argument is, or begins with, a flag that calls may not have.
fn is_refused(word: &str) -> bool {
    REFUSED
        .iter()
        .any(|flag| word == *flag || word.strip_prefix(flag).is_some_and(|rest| rest.starts_with('=') || *flag == "-o"))
}

/// Whether paths are over there: of a copy, those without a colon would be of this machine.
fn stays_there(verb: &str, arguments: &[String]) -> Result<()> {
    let copies = matches!(verb, "cp" | "sync");
    for path in arguments.iter().filter(|word| !word.starts_with('-')) {
        let is_there = path.starts_with(":/") || (!copies && path.starts_with('/'));
        // The value of a flag may be anything that is no path.
        let is_path = path.contains('/') || copies;
        if is_path && !is_there {
            return Err(Error::forbidden(format!("`{path}` is not a path over there")).hint(if copies {
                "write it as :/PATH; - is stdin and stdout"
            } else {
                "write it as /PATH"
            }));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line(pinned: Option<&str>, allowed: &[&str], tool: &str, arguments: Value) -> Result<String, String> {
        let tools =
            Tools::new(&allowed.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), pinned.is_some()).unwrap();
        let caller = Caller { pinned: pinned.map(str::to_owned), config: None, timeout: Duration::from_secs(1) };
        let Value::Object(arguments) = arguments else { panic!("an object") };
        caller.line(&tools, tool, &arguments).map(|line| line.join(" ")).map_err(|error| error.to_string())
    }

    const USUAL: &str = "--output=json --no-input --no-progress";

    #[test]
    fn a_call_becomes_a_command_line() {
        let list = json!({"verb": "check list", "arguments": ["db"], "target": "prod"});
        assert_eq!(line(None, &[], "svc", list).unwrap(), format!("svc check list --target=prod {USUAL} db"));
        let run = json!({"command": ["ls", "--all", "-o"], "workdir": "/srv", "env": {"A": "b c"}});
        let wanted = format!("exec --target=t {USUAL} --workdir=/srv --env=A=b c -T -I -- ls --all -o");
        assert_eq!(line(Some("t"), &["exec"], "exec", run).unwrap(), wanted);
        let help = json!({"verb": "help", "arguments": ["check list", "--target=x"]});
        assert_eq!(line(Some("t"), &[], "svc", help).unwrap(), "svc check list --help");
    }

    #[test]
    fn a_call_leads_nowhere_else() {
        for flag in ["--target=other", "--target", "--all", "--config=x", "-oyaml", "--output=yaml", "--watch=1s"] {
            assert!(line(Some("t"), &[], "svc", json!({"verb": "list", "arguments": [flag]})).is_err(), "{flag}");
        }
        assert!(line(Some("t"), &[], "svc", json!({"verb": "list", "target": "other"})).is_err());
        assert!(line(Some("t"), &[], "svc", json!({"verb": "list", "target": "t"})).is_ok());
        let copy = |from: &str, to: &str| {
            line(Some("t"), &["files cp"], "files", json!({"verb": "cp", "arguments": [from, to]}))
        };
        assert!(copy(":/a", ":/b").is_ok() && copy("-", ":/b").is_ok());
        for path in ["/etc/passwd", "./a", "a", "other:/etc/passwd", "unix:/x:/y"] {
            assert!(copy(path, ":/b").is_err() && copy(":/a", path).is_err(), "{path}");
        }
        assert!(line(Some("t"), &[], "files", json!({"verb": "cat", "arguments": ["other:/x"]})).is_err());
        assert!(line(Some("t"), &[], "files", json!({"verb": "cat", "arguments": ["/x"]})).is_ok());
    }

    #[test]
    fn arguments_that_are_none_are_refused() {
        for wrong in [json!({"verb": 3}), json!({"verb": "list", "arguments": "x"}), json!({"verb": "list", "what": 1})]
        {
            assert!(line(None, &[], "svc", wrong.clone()).is_err(), "{wrong}");
        }
        assert!(line(None, &["exec"], "exec", json!({})).is_err());
    }
}
