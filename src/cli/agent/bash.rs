//! `agent bash`

use super::{ask, target};
use crate::cli::Outcome;
use crate::cli::over::at;
use crate::context::Ctx;
use crate::error::Error;
use crate::model::Row;
use crate::provider::agent::{Command, Keys};
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::PathBuf;

/// What a command of the agent's shell came to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BashResult {
    /// What it wrote, stdout and stderr as one; a long output is cut by the agent.
    pub output: String,
    /// Its status; null if it was stopped.
    pub exit_code: Option<u8>,
    /// Whether the agent cut the output.
    pub truncated: bool,
    /// The file that holds all of it then.
    pub full_output_path: Option<String>,
}

impl Row for BashResult {
    const NOUN: &'static str = "results";
    fn id(&self) -> String {
        self.exit_code.map(|code| code.to_string()).unwrap_or_default()
    }
}

#[derive(Args, Debug)]
#[command(after_help = "\
Shows what the agent's own shell makes of a command: its PATH, its directory, its
limits of output. For bytes and a terminal there is `esker exec`. No model is
called. The status is that of the command.

Examples:
  esker agent bash 'node --version'
  esker agent bash --cwd ~/project 'env | sort'")]
pub struct BashArgs {
    /// Command for the shell
    #[arg(value_name = "COMMAND")]
    command: String,
    /// Directory it works in
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
}

/// Runs a command as the agent would.
pub async fn run(ctx: &Ctx, args: BashArgs) -> anyhow::Result<Outcome> {
    let target = target(ctx, "agent bash")?;
    let command = Command::Bash { command: args.command, private: false };
    let dir = args.cwd.as_deref().map(crate::provider::local::remote_path);
    let answer = ask(ctx, &target, Keys::None, dir, command, "agent bash").await?;
    let result = BashResult {
        output: answer["output"].as_str().unwrap_or_default().to_owned(),
        exit_code: answer["exitCode"].as_u64().and_then(|code| u8::try_from(code).ok()),
        truncated: answer["truncated"] == true,
        full_output_path: answer["fullOutputPath"].as_str().map(str::to_owned),
    };
    let code = result.exit_code;
    if ctx.out.is_structured() {
        ctx.out.one(&at(&target, result), &[])?;
    } else {
        ctx.out.piece(&result.output)?;
        if result.truncated {
            ctx.out.warn("the agent cut the output");
        }
    }
    match code {
        Some(0) => Ok(Outcome::Done),
        Some(code) => Ok(Outcome::Status(code)),
        None => Err(Error::failure("the command was stopped").into()),
    }
}
