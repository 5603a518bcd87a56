//! The flags that mean the same for every command (ux section 2). Their defaults live in `settings.rs`.

use crate::config::duration;
use crate::settings::{COLORS, Flags, OUTPUTS};
use clap::Args;
use clap::builder::PossibleValuesParser;
use std::path::PathBuf;
use std::time::Duration;

/// Heading of the flags about where to act.
const WHERE: &str = "Where";
/// Heading of the flags about what is printed.
const OUTPUT: &str = "Output";
/// Heading of the flags about prompts.
const PROMPTS: &str = "Confirmation";
/// Heading of the flags about time.
const TIME: &str = "Time";

// The global flags.
#[derive(Args, Clone, Debug)]
pub struct Globals {
    /// Target to act on: ENDPOINT/NAME, ENDPOINT, a short name or unix:/PATH; repeat it or use a glob for several
    #[arg(long, global = true, value_name = "TARGET", help_heading = WHERE, add = super::complete::targets())]
    target: Vec<String>,
    /// Act on every target that the command fits
    #[arg(long, global = true, help_heading = WHERE, hide_short_help = true)]
    all: bool,
    /// How many targets or items at once
    #[arg(long, global = true, value_name = "N", help_heading = WHERE, hide_short_help = true)]
    jobs: Option<u64>,
    /// Begin no further target once one failed; exec also kills the programs that run
    #[arg(long, global = true, help_heading = WHERE, hide_short_help = true)]
    fail_fast: bool,
    /// Use this config file instead of the search path
    #[arg(long, global = true, value_name = "FILE", help_heading = WHERE, hide_short_help = true)]
    config: Option<PathBuf>,

    /// Format of the answer
    #[arg(short, long, global = true, value_name = "FORMAT", alias = "format", help_heading = OUTPUT,
          value_parser = PossibleValuesParser::new(OUTPUTS))]
    output: Option<String>,
    /// Columns or keys to show, in this order
    #[arg(long, global = true, value_name = "A,B", value_delimiter = ',', help_heading = OUTPUT, hide_short_help = true)]
    fields: Vec<String>,
    /// No table header
    #[arg(long, global = true, help_heading = OUTPUT, hide_short_help = true)]
    no_header: bool,
    /// Absolute times
    #[arg(long, global = true, help_heading = OUTPUT, hide_short_help = true)]
    abs_time: bool,
    /// When to colour
    #[arg(long, global = true, value_name = "WHEN", help_heading = OUTPUT, hide_short_help = true,
          value_parser = PossibleValuesParser::new(COLORS))]
    color: Option<String>,
    /// No progress display
    #[arg(long, global = true, help_heading = OUTPUT, hide_short_help = true)]
    no_progress: bool,
    /// No notes, hints and progress; errors and data stay
    #[arg(short, long, global = true, help_heading = OUTPUT)]
    quiet: bool,
    /// Say more: -v info, -vv debug, -vvv trace of the requests
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = OUTPUT)]
    verbose: u8,

    /// Accept moderate confirmations
    #[arg(short, long, global = true, help_heading = PROMPTS, hide_short_help = true)]
    yes: bool,
    /// Accept a severe confirmation by naming what is lost
    #[arg(long, global = true, value_name = "NAME", help_heading = PROMPTS, hide_short_help = true)]
    confirm: Vec<String>,
    /// Accept severe confirmations of a glob by their number
    #[arg(long, global = true, value_name = "N", help_heading = PROMPTS, hide_short_help = true)]
    confirm_count: Option<u64>,
    /// Never prompt; a needed prompt is an error
    #[arg(long, global = true, help_heading = PROMPTS, hide_short_help = true)]
    no_input: bool,

    /// How long the command may take, per target; 0 means no limit
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration::parse, help_heading = TIME)]
    timeout: Option<Duration>,
    /// How long connecting may take (default 10s)
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration::parse, help_heading = TIME, hide_short_help = true)]
    connect_timeout: Option<Duration>,
    /// Wait this long for a server that is not there yet
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration::parse, help_heading = TIME, hide_short_help = true)]
    wait_for_daemon: Option<Duration>,
}

impl From<Globals> for Flags {
    fn from(globals: Globals) -> Self {
        Self {
            output: globals.output,
            fields: globals.fields,
            no_header: globals.no_header,
            target: globals.target,
            all: globals.all,
            jobs: globals.jobs,
            fail_fast: globals.fail_fast,
            connect_timeout: globals.connect_timeout,
            quiet: globals.quiet,
            verbose: globals.verbose,
            yes: globals.yes,
            confirm: globals.confirm,
            confirm_count: globals.confirm_count,
            no_input: globals.no_input,
            color: globals.color,
            no_progress: globals.no_progress,
            timeout: globals.timeout,
            abs_time: globals.abs_time,
            wait_for_daemon: globals.wait_for_daemon,
            config: globals.config,
        }
    }
}
