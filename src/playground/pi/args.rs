//! The command line, which each build reads in its own way (section 1.1): what one takes kills another.

use super::dialect::Dialect;

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arguments {
    /// Only the version is wanted.
    pub version: bool,
    pub(super) provider: Option<String>,
    pub(super) model: Option<String>,
    pub(super) thinking: Option<String>,
    pub(super) tools: Option<Vec<String>>,
    pub(super) excluded: Vec<String>,
    pub(super) session: Which,
    pub(super) session_dir: Option<String>,
    pub(super) name: Option<String>,
    pub(super) extensions: Vec<String>,
    pub(super) system: Vec<String>,
    /// omp asks before a tool changes something.
    pub(super) asks: bool,
}

/// Which session is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Which {
    #[default]
    New,
    Unkept,
    Last,
    Known(String),
    ForkOf(String),
}

/// Why it does not start: what it says on stderr, and its exit status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is said.
    pub text: String,
    /// The exit status.
    pub status: u8,
}

impl Refusal {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), status: 1 }
    }
}

/// Flags that say nothing here, with whether they take a value and who knows them.
const SILENT: &[(&str, bool, &[Dialect])] = {
    use Dialect::{New, Old, Omp};
    &[
        ("--no-extensions", false, &[Old, New, Omp]),
        ("--no-skills", false, &[Old, New, Omp]),
        ("--no-prompt-templates", false, &[Old, New]),
        ("--no-themes", false, &[Old, New]),
        ("--no-context-files", false, &[Old, New]),
        ("--offline", false, &[Old, New]),
        ("--no-builtin-tools", false, &[Old, New]),
        ("--approve", false, &[New]),
        ("--no-approve", false, &[New]),
        ("--no-rules", false, &[Omp]),
        ("--no-lsp", false, &[Omp]),
        ("--no-title", false, &[Omp]),
        ("--no-pty", false, &[Omp]),
        ("--api-key", true, &[Old, New, Omp]),
        ("--models", true, &[Old, New, Omp]),
        ("--skill", true, &[Old, New]),
        ("--prompt-template", true, &[Old, New]),
        ("--theme", true, &[Old, New]),
    ]
};

impl Arguments {
    /// Reads the words after the program.
    pub fn parse(dialect: Dialect, words: &[String]) -> Result<Self, Refusal> {
        let mut args = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().cloned().unwrap_or_default();
            match word.as_str() {
                "--version" | "-v" => args.version = true,
                "--mode" => match value().as_str() {
                    "rpc" => {}
                    "rpc-ui" if dialect == Dialect::Omp => {}
                    other => {
                        let text = format!("Error: Invalid mode \"{other}\". Valid values: text, json, rpc");
                        return Err(Refusal::new(text));
                    }
                },
                "--provider" => args.provider = Some(value()),
                "--model" => args.model = Some(value()),
                "--thinking" => args.thinking = Some(value()),
                "--tools" | "-t" => args.tools = Some(list(&value())),
                "--exclude-tools" if dialect == Dialect::New => args.excluded = list(&value()),
                "--no-tools" => args.tools = Some(Vec::new()),
                "--session" | "--resume" => args.session = Which::Known(value()),
                "--continue" | "-c" => args.session = Which::Last,
                "--fork" => args.session = Which::ForkOf(value()),
                "--no-session" => args.session = Which::Unkept,
                "--session-dir" => args.session_dir = Some(value()),
                "--name" if dialect == Dialect::New => args.name = Some(value()),
                "--system-prompt" | "--append-system-prompt" => args.system.push(value()),
                "--extension" | "-e" => args.extensions.push(value()),
                "--approval-mode" if dialect == Dialect::Omp => args.asks = value() != "yolo",
                "--auto-approve" | "--yolo" if dialect == Dialect::Omp => args.asks = false,
                flag if flag.starts_with('-') => {
                    let known = SILENT.iter().find(|(name, _, who)| *name == flag && who.contains(&dialect));
                    match known {
                        Some((_, true, _)) => drop(value()),
                        Some(_) => {}
                        None if dialect == Dialect::Omp => {
                            return Err(Refusal { text: format!("Error: unknown flag: {flag}"), status: 2 });
                        }
                        None => return Err(Refusal::new(format!("Error: Unknown option: {flag}"))),
                    }
                }
                file if file.starts_with('@') => {
                    return Err(Refusal::new("Error: @file arguments are not supported in RPC mode"));
                }
                // A message, which this mode ignores.
                _ => {}
            }
        }
        Ok(args)
    }

    /// Whether the model may use a tool.
    pub(super) fn allows(&self, tool: &str) -> bool {
        self.tools.as_ref().is_none_or(|tools| tools.iter().any(|name| name == tool))
            && self.excluded.iter().all(|name| name != tool)
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
