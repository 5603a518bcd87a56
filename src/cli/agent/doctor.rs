//! `agent doctor`: whether an agent is there, starts, and answers.

use super::host::Host;
use super::{agent, ask, close, open, target};
use crate::cli::Outcome;
use crate::cli::args::Order;
use crate::cli::doctor::{COLUMNS, Diagnosis, FAILED};
use crate::context::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::provider::agent::{Command, Keys, SessionSpec, Which};
use crate::provider::local::LocalExec;
use crate::resolve::Target;
use clap::Args;
use std::time::Duration;

/// What the agent's shell is asked to say.
const WORD: &str = "esker-echo";

#[derive(Args, Debug)]
#[command(after_help = "\
Looks for the program, asks its version, starts it without a session, has its
shell echo a word, and sees whether it could log in. No model is called.

Examples:
  esker agent doctor
  esker agent doctor --target omp -o json")]
pub struct DoctorArgs {
    #[command(flatten)]
    list: Order,
}

/// Runs every check.
pub async fn run(ctx: &Ctx, args: DoctorArgs) -> anyhow::Result<Outcome> {
    let target = target(ctx, "agent doctor")?;
    let mut found = vec![program(&target).await];
    if found[0].status == "pass" {
        found.push(echo(ctx, &target).await);
        found.push(login(ctx, &target).await);
    } else {
        found.push(Diagnosis::new("echo", "skip", "the program is not there"));
        found.push(Diagnosis::new("login", "skip", "the program is not there"));
    }
    let failed = found.iter().any(|diagnosis| diagnosis.status == "fail");
    let provider = target.provider.driver().id;
    let found = found.into_iter().map(|diagnosis| diagnosis.at(Some(provider), &target.full)).collect();
    ctx.out.local_list(found, COLUMNS, &args.list.into())?;
    Ok(if failed { Outcome::Status(FAILED) } else { Outcome::Done })
}

async fn program(target: &Target) -> Diagnosis {
    let probed = async { agent(target, "agent doctor")?.probe(&LocalExec::confined()).await };
    match probed.await {
        Ok(info) => Diagnosis::new("program", "pass", format!("{} {}", info.agent, info.version.unwrap_or_default())),
        Err(error) => Diagnosis::error("program", "fail", &error),
    }
}

async fn echo(ctx: &Ctx, target: &Target) -> Diagnosis {
    let command = Command::Bash { command: format!("echo {WORD}"), private: false };
    match ask(ctx, target, Keys::None, None, command, "agent doctor").await {
        Ok(answer) if answer["output"].as_str().is_some_and(|output| output.contains(WORD)) => {
            Diagnosis::new("echo", "pass", "it starts, answers, and runs its shell")
        }
        Ok(answer) => Diagnosis::new("echo", "fail", format!("its shell says {answer}")),
        Err(error) => Diagnosis::error("echo", "fail", &error),
    }
}

async fn login(ctx: &Ctx, target: &Target) -> Diagnosis {
    let model: Result<String, Error> = async {
        let spec = SessionSpec { session: Which::Unkept, keys: Keys::OfProvider, ..SessionSpec::default() };
        let session = open(ctx, target, spec, &Host::here(), "agent doctor").await?;
        let model = session.info.model.clone().unwrap_or_default();
        close(session, Duration::from_secs(5)).await?;
        Ok(model)
    }
    .await;
    match model {
        Ok(model) => Diagnosis::new("login", "pass", format!("it would use `{model}`")),
        Err(error) if error.kind() == ErrorKind::Auth => Diagnosis::error("login", "warn", &error),
        Err(error) => Diagnosis::error("login", "fail", &error),
    }
}
