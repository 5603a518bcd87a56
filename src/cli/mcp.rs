//! `mcp`: the capabilities as tools of a Model Context Protocol server on stdio, for an agent that is to work with a
//! system and nothing else. What a call does, this very program does in a process of its own: it ends with its call,
//! and nothing that it prints can get between the messages.

mod call;
mod protocol;
mod tools;

use super::Outcome;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::provider::Needs;
use crate::settings::Opt;
use clap::Args;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;
use std::collections::HashMap;
use std::io::BufRead;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long a call may take unless `--timeout` says otherwise.
const TIMEOUT: Duration = Duration::from_mins(5);
/// The longest line that a client may send, in bytes.
const LINE: usize = 16 << 20;

#[derive(Args, Debug)]
#[command(after_help = "\
The tools are svc, exec, files, checkpoint, vm and agent, each with its verbs.
Without --allow they only read: list, show, logs, cat and the like. With
--target every call acts there and nowhere else, and no file of this machine is
read or written.

Examples:
  esker mcp --target sprites/dev --allow exec --allow files
  esker mcp --target prod --allow 'svc restart'
  esker mcp")]
pub struct McpArgs {
    /// Verbs that may change something: a capability, or one of its commands; repeat it for several
    #[arg(long, value_name = "COMMAND")]
    allow: Vec<String>,
}

/// Serves until the client closes stdin.
pub async fn run(ctx: &Ctx, args: McpArgs) -> anyhow::Result<Outcome> {
    let pinned = pinned(ctx)?;
    let tools = tools::Tools::new(&args.allow, pinned.is_some())?;
    let timeout = ctx.settings.duration(Opt::Timeout).unwrap_or(TIMEOUT);
    let caller = call::Caller { pinned, config: ctx.config_file.clone(), timeout };
    let mut lines = lines();
    let mut running = FuturesUnordered::new();
    let mut cancels: HashMap<String, oneshot::Sender<()>> = HashMap::new();
    loop {
        tokio::select! {
            line = lines.recv() => {
                let Some(line) = line else { break };
                match protocol::read(&line?) {
                    protocol::Message::Call { id, name, arguments } => {
                        let (cancel, cancelled) = oneshot::channel();
                        cancels.insert(id.to_string(), cancel);
                        let (tools, caller) = (&tools, &caller);
                        running.push(async move {
                            tokio::select! {
                                done = caller.call(tools, &name, arguments) => (id, Some(done)),
                                Ok(()) = cancelled => (id, None),
                            }
                        });
                    }
                    protocol::Message::Cancel(id) => {
                        if let Some(cancel) = cancels.remove(&id.to_string()) {
                            let _ = cancel.send(());
                        }
                    }
                    other => {
                        if let Some(answer) = protocol::answer(other, || tools.list(caller.pinned.is_none())) {
                            say(ctx, &answer)?;
                        }
                    }
                }
            }
            Some((id, done)) = running.next(), if !running.is_empty() => {
                cancels.remove(&id.to_string());
                // To a call that was cancelled there is no answer.
                if let Some(done) = done {
                    say(ctx, &protocol::called(&id, done))?;
                }
            }
        }
    }
    Ok(Outcome::Done)
}

/// The one target that every call is kept to, where one was named.
fn pinned(ctx: &Ctx) -> Result<Option<String>> {
    struct Nothing;
    impl Needs for Nothing {
        fn needs(&self) -> Vec<crate::provider::Need> {
            Vec::new()
        }
    }
    if ctx.settings.on(Opt::All) {
        return Err(Error::usage("--all is not for `mcp`").hint("without --target each call names its own"));
    }
    if !matches!(ctx.settings.origin(Opt::Target), crate::config::Origin::Flag(_)) {
        return Ok(None);
    }
    Ok(Some(ctx.target(&Nothing)?.full))
}

fn say(ctx: &Ctx, message: &Value) -> Result<()> {
    ctx.out.line(&message.to_string())
}

/// The lines of stdin, from a thread of their own.
fn lines() -> mpsc::Receiver<Result<Vec<u8>>> {
    let (sender, lines) = mpsc::channel(16);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let read = std::io::Read::take(&mut stdin, LINE as u64 + 1).read_until(b'\n', &mut line);
            let line = match read {
                Ok(0) => return,
                Ok(length) if length > LINE => Err(Error::limit(format!("a message is longer than {LINE} bytes"))),
                Ok(_) => Ok(line),
                Err(error) => Err(Error::failure("cannot read stdin").source(error)),
            };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}
