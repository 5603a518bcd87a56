//! The flags of `agent run`.

use crate::cli::agent::open::OpenArgs;
use crate::cli::agent::way_back::When;
use crate::config::duration;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

const LIMITS: &str = "Limits";

#[derive(Args, Debug)]
#[command(after_help = "\
The prompt is an argument, a file or stdin; stdin that is piped in beside a prompt
is context. On a terminal the text streams; piped, the final text alone is printed.

By default the agent has a configuration and a home of its own and only the key
of its provider. Questions are asked on the terminal; with nobody there they are
refused, and the exit status is 5.

With --in the agent runs in a target: paths are paths there, its configuration is
kept there, and the key goes along, on no command line. --rollback-on restores
the checkpoint, after transcript and session were copied here.

Exit status: 0 done; 1 the agent or its model failed; 4 no login; 5 something was
denied or stayed unanswered; 6 no such agent; 9 out of time; 14 a limit is used up.

Examples:
  esker agent run 'fix the failing test' --approve auto --max-cost 0.50
  git diff | esker agent run 'review this' --tools read -o json | jq -r .text
  esker agent run --continue 'and now the docs'
  esker agent run --target omp -o jsonl < prompt.md
  esker agent run 'upgrade it all' --in sprites/dev --checkpoint --rollback-on failure")]
pub struct RunArgs {
    /// What the agent is to do; `-` reads stdin
    #[arg(value_name = "PROMPT")]
    pub(super) prompt: Option<String>,
    /// Read the prompt from a file
    #[arg(long, value_name = "FILE", conflicts_with = "prompt")]
    pub(super) prompt_file: Option<PathBuf>,
    /// Picture to show with the prompt
    #[arg(long, value_name = "FILE")]
    pub(super) image: Vec<PathBuf>,
    /// Want JSON that keeps to this schema; asks again up to twice
    #[arg(long, value_name = "FILE")]
    pub(super) schema: Option<PathBuf>,

    #[command(flatten)]
    pub(super) open: OpenArgs,

    /// Go back to the checkpoint if this comes of it; repeat for several
    #[arg(long, value_name = "OUTCOME", help_heading = "Elsewhere", requires = "checkpoint")]
    pub(super) rollback_on: Vec<When>,

    /// Stop after so many calls of the model
    #[arg(long, value_name = "N", help_heading = LIMITS)]
    pub(super) max_turns: Option<u64>,
    /// Stop after so many US dollars
    #[arg(long, value_name = "USD", help_heading = LIMITS, value_parser = dollars)]
    pub(super) max_cost: Option<f64>,
    /// Stop after so many tokens
    #[arg(long, value_name = "N", help_heading = LIMITS)]
    pub(super) max_tokens: Option<u64>,
    /// Stop when nothing happens for so long
    #[arg(long, value_name = "DURATION", help_heading = LIMITS, value_parser = duration::parse)]
    pub(super) idle_timeout: Option<Duration>,
    /// How long it may take to end before it is killed
    #[arg(long, value_name = "DURATION", help_heading = LIMITS, value_parser = duration::parse, default_value = "5s")]
    pub(super) grace: Duration,
}

fn dollars(text: &str) -> Result<f64, String> {
    let amount: Option<f64> = text.strip_prefix('$').unwrap_or(text).parse().ok();
    amount
        .filter(|amount| amount.is_finite() && *amount > 0.0)
        .ok_or_else(|| "expected an amount such as 0.50".to_owned())
}
