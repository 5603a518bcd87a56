//! The one table of options: every flag, variable and config key that means something to every command.

/// What an option's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// On or off.
    Bool,
    /// How often, or how much.
    Number,
    /// A time span; `0` means none.
    Duration,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Several texts; a variable or config key holds one.
    List,
    /// Verbosity: a number, or `info`, `debug`, `trace`.
    Level,
}

/// One option.
#[derive(Debug)]
pub struct Setting {
    /// Which one.
    pub option: Opt,
    /// Its name, which is also its key in the config unless it has none there.
    pub name: &'static str,
    /// Its flag.
    pub flag: &'static str,
    /// Its environment variable.
    pub variable: Option<&'static str>,
    /// Its key in the config.
    pub key: Option<&'static str>,
    /// What its value is.
    pub kind: Kind,
    /// Its value when nobody says anything; `None` means unset.
    pub default: Option<&'static str>,
    /// One line of help.
    pub summary: &'static str,
}

macro_rules! settings {
    ($($option:ident $name:literal $flag:literal $variable:expr, $key:expr, $kind:expr, $default:expr, $summary:literal;)*) => {
        /// An option that means the same for every command.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Opt { $(#[doc = $summary] $option,)* }

        /// Every option, in the order of [`Opt`].
        pub static TABLE: &[Setting] = &[$(Setting {
            option: Opt::$option,
            name: $name,
            flag: $flag,
            variable: $variable,
            key: $key,
            kind: $kind,
            default: $default,
            summary: $summary,
        },)*];
    };
}

/// The values of `--output`.
pub const OUTPUTS: &[&str] = &["table", "wide", "json", "jsonl", "yaml", "csv", "name"];
/// The values of `--color`.
pub const COLORS: &[&str] = &["auto", "always", "never"];

settings! {
    Output "output" "--output" Some("ESKER_OUTPUT"), Some("output"), Kind::Word(OUTPUTS), Some("table"), "format of the answer";
    Fields "fields" "--fields" None, None, Kind::List, None, "columns or keys to show";
    NoHeader "no_header" "--no-header" None, Some("no_header"), Kind::Bool, Some("false"), "no table header";
    Target "target" "--target" Some("ESKER_TARGET"), Some("default_target"), Kind::List, None, "where to act";
    All "all" "--all" None, None, Kind::Bool, Some("false"), "every target that the verb fits";
    Jobs "jobs" "--jobs" Some("ESKER_JOBS"), Some("jobs"), Kind::Number, None, "how many targets or items at once";
    FailFast "fail_fast" "--fail-fast" None, None, Kind::Bool, Some("false"), "begin no further target once one failed";
    ConnectTimeout "connect_timeout" "--connect-timeout" None, Some("connect_timeout"), Kind::Duration, Some("10s"), "how long connecting may take";
    Quiet "quiet" "--quiet" Some("ESKER_QUIET"), Some("quiet"), Kind::Bool, Some("false"), "no notes, hints and progress";
    Verbose "verbose" "--verbose" Some("ESKER_LOG"), Some("log"), Kind::Level, Some("0"), "info, debug or trace on stderr";
    Yes "yes" "--yes" None, None, Kind::Bool, Some("false"), "accept moderate confirmations";
    Confirm "confirm" "--confirm" None, None, Kind::List, None, "accept a severe confirmation by naming the object";
    ConfirmCount "confirm_count" "--confirm-count" None, None, Kind::Number, None, "accept a severe confirmation by counting the objects";
    NoInput "no_input" "--no-input" Some("ESKER_NO_INPUT"), Some("no_input"), Kind::Bool, Some("false"), "never prompt";
    Color "color" "--color" Some("ESKER_COLOR"), Some("color"), Kind::Word(COLORS), Some("auto"), "when to colour";
    NoProgress "no_progress" "--no-progress" Some("ESKER_NO_PROGRESS"), Some("no_progress"), Kind::Bool, Some("false"), "no progress display";
    Timeout "timeout" "--timeout" Some("ESKER_TIMEOUT"), Some("timeout"), Kind::Duration, None, "how long the command may take, per target; 0 means no limit";
    AbsTime "abs_time" "--abs-time" None, Some("abs_time"), Kind::Bool, Some("false"), "absolute times";
    WaitForDaemon "wait_for_daemon" "--wait-for-daemon" None, None, Kind::Duration, None, "how long to wait for a server that is not there yet";
}

/// The variable that names the config file; not in the table, since it decides where the table's values come from.
pub const CONFIG_VARIABLE: &str = "ESKER_CONFIG";
