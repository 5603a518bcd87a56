//! `completion`

use super::Outcome;
use crate::context::Ctx;
use crate::error::{Error, Result};
use clap::Args;
use clap::builder::PossibleValuesParser;
use clap_complete::env::Shells;

/// The shells, the file of each in `completions/`, and its text. The scripts ask the binary for everything, so that
/// they need no renewal with it.
pub const SCRIPTS: &[(&str, &str, &str)] = &[
    ("bash", "esker.bash", include_str!("../../completions/esker.bash")),
    ("zsh", "_esker", include_str!("../../completions/_esker")),
    ("fish", "esker.fish", include_str!("../../completions/esker.fish")),
    ("elvish", "esker.elv", include_str!("../../completions/esker.elv")),
    ("powershell", "esker.ps1", include_str!("../../completions/esker.ps1")),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Names of services, checks, changes and the like are completed too: from a cache
of 30 seconds, or asked for within 300 ms.

Examples:
  source <(esker completion bash)                       # in ~/.bashrc
  esker completion zsh > \"${fpath[1]}/_esker\"
  esker completion fish > ~/.config/fish/completions/esker.fish")]
pub struct CompletionArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = PossibleValuesParser::new(SCRIPTS.iter().map(|(shell, ..)| *shell)))]
    shell: String,
}

/// Prints a script.
pub fn run(ctx: &Ctx, args: CompletionArgs) -> anyhow::Result<Outcome> {
    for (_, _, script) in SCRIPTS.iter().filter(|(shell, ..)| *shell == args.shell) {
        ctx.out.bytes(script.as_bytes())?;
    }
    Ok(Outcome::Done)
}

/// The script of a shell, made anew: what the file in `completions/` must hold.
pub fn script(shell: &str) -> Result<String> {
    let mut script = Vec::new();
    let shells = Shells::builtins();
    let completer = shells.completer(shell).ok_or_else(|| Error::internal(format!("no completer for {shell}")))?;
    completer
        .write_registration(super::complete::VARIABLE, "esker", "esker", "esker", &mut script)
        .map_err(Error::internal)?;
    let script = String::from_utf8(script).map_err(Error::internal)?;
    Ok(format!("{}\n", script.trim()))
}
