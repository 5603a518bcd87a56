//! What happens before a command runs, or instead of it: completion, help, usage errors, panics.

use crate::cli;
use crate::config::Config;
use crate::context::{output_options, var};
use crate::error::Error;
use crate::output::{Format, Options, Output};
use crate::settings::{Flags, OUTPUTS, Settings};
use clap::error::ErrorKind as ClapKind;
use std::ffi::OsString;

/// Answers what needs no command and no parser: shell completion, the version, and help of the whole tool.
pub fn early(argv: &[OsString]) -> Option<u8> {
    if let Some(shell) = var(cli::complete::VARIABLE)
        && let Some(status) = cli::complete::answer(argv, &shell)
    {
        return Some(status);
    }
    let words: Vec<_> = argv.iter().skip(1).take(3).collect();
    let text = match words.as_slice() {
        [] => cli::overview(),
        [word] => match word.to_str()? {
            "--help" | "-h" | "help" => cli::overview(),
            "--version" | "-V" => concat!("esker ", env!("CARGO_PKG_VERSION")).to_owned(),
            _ => return None,
        },
        // Every start of a shell runs this one.
        [command, shell] if *command == "completion" => {
            let script = cli::completion::SCRIPTS.iter().find(|(name, ..)| *shell == name);
            script.map(|(_, _, script)| (*script).to_owned())?
        }
        _ => return None,
    };
    let out = output(argv);
    Some(match out.line(text.trim_end()) {
        Ok(()) => 0,
        Err(error) => out.report(&error.into(), false),
    })
}

/// Prints what clap has to say: help to stdout, errors to stderr, as JSON where that is asked for.
pub fn usage(argv: &[OsString], error: &clap::Error) -> u8 {
    let out = output(argv);
    match error.kind() {
        ClapKind::DisplayHelp | ClapKind::DisplayVersion => {
            let text = error.render();
            let text = if out.stdout_has_colors() { text.ansi().to_string() } else { text.to_string() };
            return match out.bytes(text.as_bytes()) {
                Ok(()) => 0,
                Err(error) => out.report(&error.into(), false),
            };
        }
        _ => {}
    }
    let passes_status = passes_status(argv);
    if out.is_structured() {
        return out.report(&as_usage(error).into(), passes_status);
    }
    let text = error.render();
    out.complain(&if out.stderr_has_colors() { text.ansi().to_string() } else { text.to_string() });
    if passes_status { 125 } else { 2 }
}

/// Reports an error that happened before there was a context.
pub fn report(argv: &[OsString], error: &anyhow::Error, passes_status: bool) -> u8 {
    output(argv).report(error, passes_status)
}

/// Installs what is done about a bug of ours (ux 8.6): the terminal restored, the message redacted, exit 1 or 125.
pub fn guard_panics(argv: &[OsString]) {
    let status = if passes_status(argv) { 125 } else { 1 };
    std::panic::set_hook(Box::new(move |panic| {
        crate::tty::restore();
        let place = panic.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        // The message of a panic may hold anything, a secret included: only the place is told.
        let out = Output::new(Options::default());
        out.report(&Error::internal(format!("panicked{place}, version {}", env!("CARGO_PKG_VERSION"))).into(), false);
        crate::host::exit(status)
    }));
}

/// clap's error as one of ours: its first line, and its tip.
fn as_usage(error: &clap::Error) -> Error {
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let message = lines.next().unwrap_or("the command line cannot be read");
    let usage = Error::usage(message.strip_prefix("error: ").unwrap_or(message));
    match lines.find_map(|line| line.strip_prefix("tip: ")) {
        Some(tip) => usage.hint(tip),
        None => usage.hint("`--help` after the command shows its arguments"),
    }
}

/// An output for what is said before the command line was understood: as far as flags and variables can be read.
fn output(argv: &[OsString]) -> Output {
    let flags = Flags { output: asked_format(argv), ..Flags::default() };
    let options = Settings::resolve(&flags, &var, &Config::default())
        .and_then(|settings| output_options(&settings))
        .unwrap_or_else(|_| Options { format: Format::Table, ..Options::default() });
    Output::new(options)
}

/// The format that a command line asks for which as a whole cannot be read.
fn asked_format(argv: &[OsString]) -> Option<String> {
    let mut words = argv.iter().skip(1).filter_map(|word| word.to_str()).take_while(|word| *word != "--");
    let mut asked = None;
    while let Some(word) = words.next() {
        if let Some(value) =
            word.strip_prefix("--output=").or_else(|| word.strip_prefix("-o")).filter(|v| !v.is_empty())
        {
            asked = Some(value.to_owned());
        } else if word == "-o" || word == "--output" {
            asked = words.next().map(str::to_owned);
        }
    }
    asked.filter(|format| OUTPUTS.contains(&format.as_str()))
}

/// Whether the command passes on a remote status, as far as an unreadable command line tells.
fn passes_status(argv: &[OsString]) -> bool {
    let words = argv.iter().skip(1).filter_map(|word| word.to_str()).take_while(|word| *word != "--");
    let names: Vec<&str> = words.collect();
    let command = names.iter().find_map(|word| cli::TREE.iter().find(|node| node.name == *word));
    matches!(command.map(|node| &node.kind), Some(cli::Kind::Leaf { passes_status: true, .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(words: &[&str]) -> Vec<OsString> {
        std::iter::once("esker").chain(words.iter().copied()).map(OsString::from).collect()
    }

    #[test]
    fn the_format_is_found_in_a_line_that_cannot_be_read() {
        assert_eq!(asked_format(&argv(&["svc", "list", "--bogus", "-o", "json"])).as_deref(), Some("json"));
        assert_eq!(asked_format(&argv(&["svc", "-ojson"])).as_deref(), Some("json"));
        assert_eq!(asked_format(&argv(&["svc", "--output=yaml"])).as_deref(), Some("yaml"));
        assert_eq!(asked_format(&argv(&["exec", "--", "x", "-o", "json"])), None);
        assert_eq!(asked_format(&argv(&["svc", "-o", "bogus"])), None);
    }
}
