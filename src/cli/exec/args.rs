//! The command line of `exec`.

use crate::cli::complete;
use crate::config::duration;
use crate::error::{Error, Result};
use crate::model::RunId;
use crate::provider::exec::{Account, Owner, Signal, TermSize};
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::time::Duration;

/// Heading of the flags about the program's streams.
const STREAMS: &str = "Terminal and streams";
/// Heading of the flags about the program's surroundings.
const PROGRAM: &str = "The program";
/// Heading of the flags about a machine that is made for the program.
const FRESH: &str = "A machine for it alone";
/// Heading of the flags about runs.
const RUNS: &str = "Runs that were left";

#[derive(Args, Debug, Default)]
#[command(
    override_usage = "esker exec [TARGET...] [FLAGS] -- CMD [ARG...]",
    after_help = "\
Exit codes: the program's own (128+n if signal n killed it), 124 timed out,
125 esker failed, 126 not runnable, 127 not found, 123 several targets that
did not end alike.

Examples:
  esker exec -- uptime
  esker exec prod -t -- bash
  esker exec web1 web2 -w /srv --timeout 30s -- make check
  esker exec -- sh -c 'tail -n 5 /var/log/*.log | sort' > all.log
  id=$(esker exec --detach -- backup) && esker exec --wait \"$id\"
  esker exec --new sprites --copy . --rm -- make test"
)]
pub struct ExecArgs {
    /// Where to run it: as with --target
    #[arg(value_name = "TARGET", add = complete::targets())]
    pub(super) targets: Vec<String>,
    /// The program and its arguments, passed on byte for byte; no shell reads them
    #[arg(last = true, value_name = "CMD")]
    pub(super) command: Vec<OsString>,

    /// In a terminal; default if stdin and stdout are terminals
    #[arg(short = 't', long, overrides_with = "no_tty", help_heading = STREAMS)]
    pub(super) tty: bool,
    /// Without a terminal
    #[arg(short = 'T', long, overrides_with = "tty", help_heading = STREAMS)]
    pub(super) no_tty: bool,
    /// Pass on stdin; default if it is a pipe or a file, or a terminal with -t. With several targets: to all
    #[arg(short = 'i', long, overrides_with = "no_interactive", help_heading = STREAMS)]
    pub(super) interactive: bool,
    /// Leave stdin alone, as in a `while read` loop
    #[arg(short = 'I', long, overrides_with = "interactive", help_heading = STREAMS)]
    pub(super) no_interactive: bool,
    /// The size of a terminal that is not here, for -t in scripts
    #[arg(long, value_name = "COLSxROWS", value_parser = tty_size, help_heading = STREAMS, hide_short_help = true)]
    pub(super) tty_size: Option<TermSize>,
    /// Read stdin as events, one JSON object per line: stdin, eof, resize, signal, control
    #[arg(long, value_name = "FORMAT", help_heading = STREAMS, hide_short_help = true)]
    pub(super) stdin_format: Option<StdinFormat>,
    /// The keys that leave a terminal running where it can be joined again, or `none` (default ctrl-])
    #[arg(long, value_name = "KEYS", help_heading = STREAMS, hide_short_help = true)]
    pub(super) detach_keys: Option<String>,

    /// The directory to run it in
    #[arg(short, long, value_name = "DIR", help_heading = PROGRAM)]
    pub(super) workdir: Option<OsString>,
    /// Who runs it, by name or number
    #[arg(short, long, value_name = "USER[:GROUP]", value_parser = owner, help_heading = PROGRAM)]
    pub(super) user: Option<Owner>,
    /// As pebble has it: the user by number
    #[arg(long, value_name = "UID", hide = true, conflicts_with = "user")]
    pub(super) uid: Option<u32>,
    /// As pebble has it: the group by name
    #[arg(long, value_name = "GROUP", hide = true, conflicts_with = "gid")]
    pub(super) group: Option<String>,
    /// As pebble has it: the group by number
    #[arg(long, value_name = "GID", hide = true)]
    pub(super) gid: Option<u32>,
    /// Set a variable over there; without `=` it gets our value
    #[arg(long = "env", value_name = "K[=V]", help_heading = PROGRAM)]
    pub(super) environment: Vec<OsString>,
    /// A service whose environment, user and directory it inherits
    #[arg(long, value_name = "SVC", help_heading = PROGRAM)]
    pub(super) context: Option<String>,
    /// Leave it running at once and print the id of the run
    #[arg(long, help_heading = PROGRAM)]
    pub(super) detach: bool,
    /// How long --detach keeps its machine from falling asleep, at most; 0 lets it (default 1h)
    #[arg(long, value_name = "DURATION", requires = "detach", value_parser = duration::parse, help_heading = PROGRAM)]
    pub(super) keep_awake: Option<Duration>,
    /// Let it go on where it can be joined again if the connection is lost; a terminal does so by itself
    #[arg(long, conflicts_with = "detach", help_heading = PROGRAM, hide_short_help = true)]
    pub(super) survive: bool,
    /// Count and sum the output over there too, and fail if something did not arrive
    #[arg(long, conflicts_with = "detach", help_heading = PROGRAM)]
    pub(super) verify: bool,

    #[command(flatten)]
    pub(super) fresh: Option<FreshArgs>,

    /// List the runs
    #[arg(long, group = "verb", help_heading = RUNS)]
    pub(super) sessions: bool,
    /// Join a run again
    #[arg(long, group = "verb", value_name = "ID", add = complete::runs(), help_heading = RUNS)]
    pub(super) attach: Option<String>,
    /// Wait for a run, and exit as it does
    #[arg(long, group = "verb", value_name = "ID", add = complete::runs(), help_heading = RUNS)]
    pub(super) wait: Option<String>,
    /// Print what a detached run wrote so far
    #[arg(long, group = "verb", value_name = "ID", add = complete::runs(), help_heading = RUNS)]
    pub(super) logs: Option<String>,
    /// End a run: SIGTERM, and SIGKILL if that does not end it within --timeout (default 10s)
    #[arg(long, group = "verb", value_name = "ID", add = complete::runs(), help_heading = RUNS)]
    pub(super) kill: Option<String>,
    /// The signal that --kill begins with
    #[arg(long, value_name = "NAME", requires = "kill", value_parser = signal, help_heading = RUNS)]
    pub(super) signal: Option<Signal>,
}

// A machine that is made for the program.
#[derive(Args, Debug)]
pub(super) struct FreshArgs {
    /// Make a machine at this endpoint, and run it there
    #[arg(long, required = false, value_name = "ENDPOINT", add = complete::endpoints(), help_heading = FRESH)]
    new: String,
    /// Delete the machine in the end, whatever the end is
    #[arg(long, requires = "new", conflicts_with = "detach", help_heading = FRESH)]
    pub(super) rm: bool,
    /// What the machine is made of
    #[arg(long, requires = "new", value_name = "IMAGE", help_heading = FRESH)]
    pub(super) image: Option<String>,
    /// The checkpoint or machine that it begins as a copy of
    #[arg(long, requires = "new", value_name = "NAME", help_heading = FRESH)]
    pub(super) from: Option<String>,
    /// Copy what is in this directory to where the program runs
    #[arg(long, requires = "new", value_name = "DIR", help_heading = FRESH)]
    pub(super) copy: Option<OsString>,
    /// How long the machine may live, all in all
    #[arg(long, requires = "rm", value_name = "DURATION", value_parser = duration::parse, help_heading = FRESH)]
    pub(super) ttl: Option<Duration>,
}

impl FreshArgs {
    /// The endpoint at which it is made.
    pub(super) fn endpoint(&self) -> &str {
        &self.new
    }
}

/// How stdin is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum StdinFormat {
    /// As the bytes that it is.
    Raw,
    /// As events.
    Jsonl,
}

/// What is to be done about a run, instead of starting one.
#[derive(Debug)]
pub(super) enum Verb {
    Sessions,
    Attach(RunId),
    Wait(RunId),
    Logs(RunId),
    Kill(RunId, Signal),
}

impl ExecArgs {
    /// A command as it is run without any flag.
    pub fn of(command: Vec<OsString>) -> Self {
        Self { command, ..Self::default() }
    }

    /// What is to be done about a run, if that is what was asked for.
    pub(super) fn verb(&self) -> Result<Option<Verb>> {
        let id = |id: &Option<String>| id.as_deref().map(RunId::from);
        let verb = if self.sessions {
            Some(("--sessions", Verb::Sessions))
        } else if let Some(id) = id(&self.attach) {
            Some(("--attach", Verb::Attach(id)))
        } else if let Some(id) = id(&self.wait) {
            Some(("--wait", Verb::Wait(id)))
        } else if let Some(id) = id(&self.logs) {
            Some(("--logs", Verb::Logs(id)))
        } else if let Some(id) = id(&self.kill) {
            let signal = self.signal.clone().or_else(|| Signal::parse("TERM")).expect("Linux has SIGTERM");
            Some(("--kill", Verb::Kill(id, signal)))
        } else {
            None
        };
        match verb {
            Some((flag, _)) if !self.command.is_empty() => Err(Error::usage(format!("{flag} takes no command"))),
            verb => Ok(verb.map(|(_, verb)| verb)),
        }
    }

    /// Who runs it, in whichever way that was said.
    pub(super) fn owner(&self) -> Option<Owner> {
        let mut owner = self.user.clone().unwrap_or_default();
        owner.user = owner.user.or(self.uid.map(Account::Id));
        owner.group = owner.group.or(self.group.clone().map(Account::Name)).or(self.gid.map(Account::Id));
        (owner != Owner::default()).then_some(owner)
    }
}

fn owner(text: &str) -> Result<Owner, String> {
    let account = |text: &str| match text.parse() {
        Ok(id) => Account::Id(id),
        Err(_) => Account::Name(text.to_owned()),
    };
    let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
    if (user.is_empty() && group.is_none()) || group == Some("") {
        return Err("write USER, USER:GROUP or :GROUP".to_owned());
    }
    Ok(Owner { user: (!user.is_empty()).then(|| account(user)), group: group.map(account) })
}

fn tty_size(text: &str) -> Result<TermSize, String> {
    let size = text.split_once('x').and_then(|(cols, rows)| Some((cols.parse().ok()?, rows.parse().ok()?)));
    match size {
        Some((cols, rows)) if cols > 0 && rows > 0 => Ok(TermSize { cols, rows }),
        _ => Err("write columns and rows, such as 80x24".to_owned()),
    }
}

fn signal(text: &str) -> Result<Signal, String> {
    Signal::parse(text).ok_or_else(|| "Linux has no such signal".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_names_or_numbers() {
        let both = Owner { user: Some(Account::Name("app".into())), group: Some(Account::Id(7)) };
        assert_eq!(owner("app:7").unwrap(), both);
        assert_eq!(owner("1000").unwrap().user, Some(Account::Id(1000)));
        assert_eq!(owner(":adm").unwrap().user, None);
        assert!(owner("").is_err());
        assert!(owner("app:").is_err());
    }

    #[test]
    fn sizes_are_columns_and_rows() {
        assert_eq!(tty_size("80x24").unwrap(), TermSize { cols: 80, rows: 24 });
        for bad in ["80", "x24", "0x24", "80x-1", "80x70000"] {
            assert!(tty_size(bad).is_err(), "{bad}");
        }
    }
}
