//! `man`: manual pages made from the command tree, the table of settings, the kinds of errors and the registry.

mod config;
mod system;

use super::{Outcome, command};
use crate::context::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::provider::registry::DRIVERS;
use crate::provider::translation::{Translated, Translation};
use crate::settings::{CONFIG_VARIABLE, TABLE};
use clap::builder::{Resettable, StyledStr};
use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use std::path::PathBuf;

/// The statuses of commands that run a remote program (ux 3.2).
const EXEC: &[(&str, &str)] = &[
    ("remote's", "the program ran; 128+n if a signal n killed it"),
    ("123", "several targets: at least one command failed, not all alike"),
    ("124", "--timeout expired"),
    ("125", "anything of ours failed, usage errors included"),
    ("126, 127", "found but not runnable; not found"),
];

/// Variables that are not options: of the system and of shells.
const OTHER_VARIABLES: &[(&str, &str)] = &[
    (CONFIG_VARIABLE, "config file to use instead of the search path (--config)"),
    ("NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, TERM", "whether to colour, below --color"),
    ("COLUMNS", "width of tables, if stdout is a terminal"),
    ("CI", "if set: no prompts and no progress"),
    ("VISUAL, EDITOR", "editor of `esker config edit`"),
    ("XDG_CONFIG_HOME, XDG_CONFIG_DIRS, XDG_STATE_HOME, XDG_CACHE_HOME", "where files are, see FILES"),
];

const FILES: &[(&str, &str)] = &[
    ("$XDG_CONFIG_HOME/esker/config.yaml", "your config; ~/.config if the variable is not set"),
    ("/etc/xdg/esker/config.yaml", "the machine's config, below yours"),
    (".esker.yaml", "in the working directory or above: may name a target of your config, and nothing else"),
    ("$XDG_STATE_HOME/esker/logins/", "what `esker endpoint login` stored, readable by you alone; ~/.local/state"),
    ("$XDG_CACHE_HOME/esker/", "what may be thrown away; ~/.cache"),
];

const EXAMPLES: &str = "\
esker target add web prod
esker svc list --target web
esker svc list -o json | jq -r '.[] | select(.state != \"active\") | .name'
esker svc restart web --target 'prod-*'
esker svc logs web -f
esker api GET /v1/system-info";

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker man | man -l -
  esker man svc list
  esker man --dir ~/.local/share/man/man1")]
pub struct ManArgs {
    /// The command whose page is printed; otherwise that of esker itself
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// Write every page into this directory
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    dir: Option<PathBuf>,
}

/// Prints a page, or writes all of them.
pub fn run(ctx: &Ctx, args: ManArgs) -> anyhow::Result<Outcome> {
    let pages = pages()?;
    let Some(dir) = args.dir else {
        let name =
            std::iter::once("esker").chain(args.command.iter().map(String::as_str)).collect::<Vec<_>>().join("-");
        // Of two pages of one name that of the command comes first, as in man(1).
        let is_it = |file: &str| file.strip_prefix(&name).is_some_and(|rest| matches!(rest, ".1" | ".5" | ".7"));
        let Some((_, page)) = pages.iter().find(|(file, _)| is_it(file)) else {
            return Err(Error::not_found(format!("no command `{}`", args.command.join(" ")))
                .hint("`esker --help` shows all")
                .into());
        };
        ctx.out.bytes(page.as_bytes())?;
        return Ok(Outcome::Done);
    };
    let cannot = |error: &std::io::Error| {
        Error::failure(format!("cannot write to `{}`: {}", dir.display(), crate::config::reason(error)))
    };
    std::fs::create_dir_all(&dir).map_err(|error| cannot(&error))?;
    for (file, page) in &pages {
        std::fs::write(dir.join(file), page).map_err(|error| cannot(&error))?;
    }
    ctx.out.done(&format!("wrote {} pages to `{}`", pages.len(), dir.display()));
    Ok(Outcome::Done)
}

/// Every page with the name of its file, in the order of the tree.
pub fn pages() -> Result<Vec<(String, String)>> {
    let mut root = command().disable_help_subcommand(true);
    root.build();
    let mut pages = Vec::new();
    add(&root, true, &mut pages).map_err(Error::internal)?;
    pages.push(("esker-config.5".to_owned(), config::page()));
    for driver in DRIVERS {
        pages.push((format!("esker-{}.7", driver.id), system::page(driver)));
        pages.extend(
            driver
                .translations
                .iter()
                .map(|client| (format!("esker-from-{}.7", client.client), translated(driver.id, client))),
        );
    }
    Ok(pages)
}

/// The commands of another client, each with what it is here.
fn translated(provider: &str, client: &Translation) -> String {
    let mut roff = Roff::new();
    let title = format!("esker-from-{}", client.client);
    roff.control("TH", [title.as_str(), "7", "", "", "esker manual"]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!(
        "{title} - the commands of {} {} and what they are here",
        client.client, client.version
    ))]);
    roff.control("SH", ["DESCRIPTION"]);
    roff.text([roman(client.about)]);
    roff.control("SH", ["COMMANDS"]);
    for Translated { theirs, ours, flags, note } in client.commands() {
        roff.control("TP", []);
        roff.text([bold(format!("{} {theirs}", client.client))]);
        let ours = ours.map_or_else(String::new, |ours| format!("esker {ours}"));
        let note = if note.is_empty() || ours.is_empty() { note.to_owned() } else { format!(" ({note})") };
        roff.text([roman(ours), italic(note)]);
        for (flag, meaning) in flags {
            let dashes = if flag.len() == 1 { "-" } else { "--" };
            roff.control("br", []);
            roff.text([roman(format!("{dashes}{flag}: {meaning}"))]);
        }
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([bold(format!("esker-{provider}")), roman("(7): what esker does there; "), bold("esker"), roman("(1)")]);
    roff.to_roff()
}

fn add(command: &Command, is_root: bool, pages: &mut Vec<(String, String)>) -> std::io::Result<()> {
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let shown = command.clone().after_help(Resettable::<StyledStr>::Reset);
    // Flags of every command are in esker(1) alone. The generator leaves out the text of what `-h` leaves out.
    let shown = shown.mut_args(|arg| {
        let elsewhere = !is_root && arg.is_global_set() || arg.is_hide_set();
        arg.hide(elsewhere).hide_short_help(false)
    });
    let man = Man::new(shown).manual("esker manual");
    let name = man.get_filename();
    let mut page = Vec::new();
    man.render(&mut page)?;
    let mut page = String::from_utf8_lossy(&page).into_owned();
    page.push_str(&if is_root { root_sections() } else { sections(&after) }.to_roff());
    pages.push((name, page));
    let children = command.get_subcommands().filter(|child| !child.is_hide_set());
    children.into_iter().try_for_each(|child| add(child, false, pages))
}

/// What a command says after its flags, and where the rest is.
fn sections(after: &str) -> Roff {
    let mut roff = Roff::new();
    let (notes, examples) = after.split_once("Examples:\n").unwrap_or((after, ""));
    if !notes.trim().is_empty() {
        roff.control("SH", ["NOTES"]);
        verbatim(&mut roff, notes.trim());
    }
    if !examples.is_empty() {
        roff.control("SH", ["EXAMPLES"]);
        let lines: Vec<_> = examples.lines().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
        verbatim(&mut roff, &lines.join("\n"));
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([bold("esker"), roman("(1): the flags of every command, exit status, environment and files")]);
    roff
}

fn root_sections() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    item(&mut roff, bold("0"), "done; also an empty list, and a reader that left");
    for kind in ErrorKind::ALL {
        item(&mut roff, bold(kind.exit_code().to_string()), &format!("{}: {}", kind.name(), kind.meaning()));
    }
    roff.control("PP", []);
    roff.text([roman("Commands that run a remote program have their own:")]);
    for (status, meaning) in EXEC {
        item(&mut roff, bold(*status), meaning);
    }
    roff.control("SH", ["ENVIRONMENT"]);
    roff.text([roman(
        "Flags come first, then these, then .esker.yaml, then the config. An empty variable is not set.",
    )]);
    for setting in TABLE {
        if let Some(variable) = setting.variable {
            item(&mut roff, bold(variable), &format!("{} ({})", setting.summary, setting.flag));
        }
    }
    for (variable, meaning) in OTHER_VARIABLES {
        item(&mut roff, bold(*variable), meaning);
    }
    for driver in DRIVERS {
        let meaning = format!("read for the endpoint `{}`, which is made from them", driver.id);
        item(&mut roff, bold(driver.variables.join(", ")), &meaning);
    }
    roff.control("SH", ["FILES"]);
    for (file, meaning) in FILES {
        item(&mut roff, italic(*file), meaning);
    }
    roff.control("SH", ["EXAMPLES"]);
    verbatim(&mut roff, EXAMPLES);
    roff
}

fn item(roff: &mut Roff, term: Inline, text: &str) {
    roff.control("TP", []);
    roff.text([term]);
    roff.text([roman(text)]);
}

fn verbatim(roff: &mut Roff, text: &str) {
    roff.control("nf", []);
    for line in text.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::parse;
    use std::ffi::OsString;

    /// Words as a shell splits them, as far as our own spellings need it.
    fn words(text: &str) -> Vec<OsString> {
        let mut all = vec![String::from("esker")];
        let (mut quote, mut is_open) = (None, false);
        for c in text.chars() {
            match (c, quote) {
                (' ', None) => is_open = false,
                ('"' | '\'', None) => quote = Some(c),
                (c, Some(closing)) if c == closing => quote = None,
                (c, _) => {
                    if !is_open {
                        all.push(String::new());
                        is_open = true;
                    }
                    all.last_mut().expect("the first word is there").push(c);
                }
            }
        }
        all.into_iter().map(OsString::from).collect()
    }

    #[test]
    fn every_command_of_another_client_is_one_here_or_has_a_reason() {
        let (mut count, mut wrong) = (0, Vec::new());
        for client in DRIVERS.iter().flat_map(|driver| driver.translations) {
            for Translated { theirs, ours, flags, note } in client.commands() {
                count += 1;
                let Some(ours) = ours else {
                    assert!(!note.is_empty(), "{theirs} has neither a command nor a reason");
                    continue;
                };
                let plain = ours.replace(['[', ']'], "");
                if parse(&words(&plain)).is_err() {
                    wrong.push(format!("{theirs}: {ours}"));
                }
                for (flag, meaning) in flags {
                    assert!(!flag.is_empty() && !meaning.is_empty(), "{theirs} --{flag}");
                    if meaning.starts_with("--") {
                        let value = match meaning {
                            "--filter" | "--limit" | "--status" | "--timeout" | "--comment" | "--to" | "--name"
                            | "--set" => " 1=1",
                            "--memory" => " 1GiB",
                            "--cpus" => " 1",
                            _ => "",
                        };
                        let value = if ["--limit", "--timeout"].contains(&meaning) { " 1" } else { value };
                        let meaning = meaning.replace("DURATION", "1d").replace(", under settings", "");
                        let line = format!("{plain} {meaning}{value}");
                        if parse(&words(&line)).is_err() {
                            wrong.push(format!("{theirs} --{flag}: {line}"));
                        }
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(count > 650, "{count}");
    }
}
