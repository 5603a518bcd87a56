//! The command line, per program and version (section 1.1). Either refuses what it does not know, and one swallows the
//! word after it: nothing is sent that a build would not take.

use super::version::{Build, Flavour};
use crate::error::{Error, Result};
use crate::provider::agent::{Approval, Isolation, SessionSpec, Which};
use crate::suggest::nearest;

/// Something that a program or its version lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) build: Build,
    pub(super) what: &'static str,
    pub(super) since: Option<&'static str>,
}

impl From<Missing> for Error {
    fn from(missing: Missing) -> Self {
        let Missing { build, what, since } = missing;
        let error = Self::unsupported(format!("{build} has no {what}"));
        match since {
            Some(since) => error.hint(format!("it came with {} {since}", build.flavour.name())),
            None => error,
        }
    }
}

/// How an agent is started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Argv {
    /// The arguments after the program.
    pub(super) args: Vec<String>,
    /// The name that the session is to be given once it answers, where that is no argument.
    pub(super) name_later: Option<String>,
}

/// How much an agent may be told to think.
const LEVELS: &[&str] = &["off", "minimal", "low", "medium", "high", "xhigh", "max", "auto"];

/// The command line of a session. `guard` is the file of the extension that asks before tools do something.
pub(super) fn argv(build: &Build, spec: &SessionSpec, configured: &[String], guard: Option<&str>) -> Result<Argv> {
    let mut line = Line(vec!["--mode".to_owned(), "rpc".to_owned()]);
    line.value("--provider", spec.model_provider.as_deref());
    line.value("--model", spec.model.as_deref());
    if let Some(level) = &spec.thinking {
        line.value("--thinking", Some(thinking(build, level)?));
    }
    if build.is_omp() {
        match spec.approval {
            Approval::Own => {}
            Approval::Always => line.value("--approval-mode", Some("always-ask")),
            Approval::Never => line.value("--approval-mode", Some("yolo")),
        }
    }
    tools(build, spec, &mut line)?;
    match &spec.session {
        Which::New => {}
        Which::Unkept => line.flag("--no-session"),
        Which::Last => line.flag("--continue"),
        Which::Known(session) => line.value("--session", Some(session)),
        Which::ForkOf(session) => line.value("--fork", Some(session)),
    }
    line.value("--session-dir", spec.session_dir.as_deref());
    let named_at_start = build.is_pi(0, 78, 0);
    line.value("--name", spec.session_name.as_deref().filter(|_| named_at_start));
    line.value("--system-prompt", spec.system_prompt.as_deref());
    if build.is_omp() && spec.append_system_prompt.len() > 1 {
        line.value("--append-system-prompt", Some(&spec.append_system_prompt.join("\n\n")));
    } else {
        for text in &spec.append_system_prompt {
            line.value("--append-system-prompt", Some(text));
        }
    }
    for extension in guard.into_iter().chain(spec.extensions.iter().map(String::as_str)) {
        line.value("--extension", Some(extension));
    }
    if spec.isolation != Isolation::ShareConfig {
        isolated(build, &mut line);
    }
    line.0.extend(configured.iter().chain(&spec.args).cloned());
    let name_later = spec.session_name.clone().filter(|_| !named_at_start);
    Ok(Argv { args: line.0, name_later })
}

fn tools(build: &Build, spec: &SessionSpec, line: &mut Line) -> Result<()> {
    if spec.no_tools {
        line.flag("--no-tools");
    }
    if !spec.tools.is_empty() {
        line.value("--tools", Some(&names(&spec.tools, "--tools")?));
    }
    if !spec.exclude_tools.is_empty() {
        if !build.is_pi(0, 77, 0) {
            let since = (build.flavour == Flavour::Pi).then_some("0.77");
            return Err(build.lacks("--exclude-tools", since).into());
        }
        line.value("--exclude-tools", Some(&names(&spec.exclude_tools, "--exclude-tools")?));
    }
    Ok(())
}

/// The wire has a list between commas.
fn names(tools: &[String], flag: &str) -> Result<String> {
    match tools.iter().find(|tool| tool.is_empty() || tool.contains(',')) {
        Some(odd) => {
            Err(Error::usage(format!("`{odd}` is no name of a tool")).hint(format!("repeat {flag} for several")))
        }
        None => Ok(tools.join(",")),
    }
}

/// What is not the user's business stays out (section 1.5).
fn isolated(build: &Build, line: &mut Line) {
    line.flag("--no-extensions");
    line.flag("--no-skills");
    match build.flavour {
        Flavour::Pi => {
            line.flag("--no-prompt-templates");
            line.flag("--no-themes");
            line.flag("--no-context-files");
            if build.is_pi(0, 79, 0) {
                // About the project's own resources, not about tools.
                line.flag("--no-approve");
            }
            if build.is_pi(0, 99, 0) {
                line.flag("--no-mcp");
            }
        }
        Flavour::Omp => {
            line.flag("--no-rules");
            line.flag("--no-lsp");
            line.flag("--no-title");
        }
    }
}

/// An unknown level would be ignored with a warning.
fn thinking<'a>(build: &Build, level: &'a str) -> Result<&'a str> {
    if !LEVELS.contains(&level) {
        let error = Error::usage(format!("no level of thinking `{level}`"));
        return Err(match nearest(level, LEVELS.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("choose from {}", LEVELS.join(", "))),
        });
    }
    match (level, build.flavour) {
        ("max", Flavour::Pi) if !build.is_pi(0, 80, 6) => {
            Err(build.lacks("`max` as a level of thinking", Some("0.80.6")).into())
        }
        ("auto", Flavour::Pi) => Err(build.lacks("`auto` as a level of thinking", None).into()),
        _ => Ok(level),
    }
}

struct Line(Vec<String>);

impl Line {
    fn flag(&mut self, name: &str) {
        self.0.push(name.to_owned());
    }

    fn value(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.0.extend([name.to_owned(), value.to_owned()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const BUILDS: [&str; 4] = ["0.73.1", "0.87.1", "1.5.2", "omp/18.2.3"];

    fn build(text: &str) -> Build {
        Build::parse(text).unwrap()
    }

    /// What a change of the spec adds to the line of a build, or why it is refused.
    fn added(text: &str, change: fn(&mut SessionSpec)) -> String {
        let mut spec = SessionSpec { isolation: Isolation::ShareConfig, ..SessionSpec::default() };
        change(&mut spec);
        match argv(&build(text), &spec, &["--configured".to_owned()], None) {
            Ok(Argv { args, name_later }) => {
                assert_eq!(args[..2].join(" "), "--mode rpc");
                let rest: Vec<_> = args[2..].iter().filter(|arg| *arg != "--configured").cloned().collect();
                assert_eq!(rest.len(), args.len() - 3, "what is configured is there");
                rest.join(" ") + &name_later.map(|name| format!(" later: {name}")).unwrap_or_default()
            }
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::Usage));
                format!("refused: {error}")
            }
        }
    }

    /// One row for each field of `PiConfig` (section 4.1) that is an argument: what sets it here, and what becomes of it
    /// with pi before 0.75, pi 0.87, pi 1.5 and omp 18. One value stands for all four where they agree.
    #[test]
    fn every_field_has_its_argument() {
        type Row = (&'static str, fn(&mut SessionSpec), &'static [&'static str]);
        let table: &[Row] = &[
            ("mode", |_| (), &[""]),
            ("provider", |s| s.model_provider = Some("fake".into()), &["--provider fake"]),
            ("model", |s| s.model = Some("fake-1".into()), &["--model fake-1"]),
            ("thinking", |s| s.thinking = Some("high".into()), &["--thinking high"]),
            (
                "thinking",
                |s| s.thinking = Some("max".into()),
                &[
                    "refused: pi 0.73.1 has no `max` as a level of thinking",
                    "--thinking max",
                    "--thinking max",
                    "--thinking max",
                ],
            ),
            ("thinking", |s| s.thinking = Some("hihg".into()), &["refused: no level of thinking `hihg`"]),
            ("auto_approve", |s| s.approval = Approval::Never, &["", "", "", "--approval-mode yolo"]),
            ("approval_mode", |s| s.approval = Approval::Always, &["", "", "", "--approval-mode always-ask"]),
            ("tools", |s| s.tools = vec!["read".into(), "bash".into()], &["--tools read,bash"]),
            ("tools", |s| s.tools = vec!["read,bash".into()], &["refused: `read,bash` is no name of a tool"]),
            (
                "exclude_tools",
                |s| s.exclude_tools = vec!["bash".into()],
                &[
                    "refused: pi 0.73.1 has no --exclude-tools",
                    "--exclude-tools bash",
                    "--exclude-tools bash",
                    "refused: omp 18.2.3 has no --exclude-tools",
                ],
            ),
            ("no_tools", |s| s.no_tools = true, &["--no-tools"]),
            ("no_builtin_tools", |s| s.args = vec!["--no-builtin-tools".into()], &["--no-builtin-tools"]),
            ("session", |s| s.session = Which::Unkept, &["--no-session"]),
            ("session_id", |s| s.session = Which::Known("01a1".into()), &["--session 01a1"]),
            ("session_path", |s| s.session = Which::Known("/s.jsonl".into()), &["--session /s.jsonl"]),
            ("fork", |s| s.session = Which::ForkOf("01a1".into()), &["--fork 01a1"]),
            ("continue_session", |s| s.session = Which::Last, &["--continue"]),
            (
                "session_name",
                |s| s.session_name = Some("fix".into()),
                &[" later: fix", "--name fix", "--name fix", " later: fix"],
            ),
            ("system_prompt", |s| s.system_prompt = Some("be kind".into()), &["--system-prompt be kind"]),
            (
                "append_system_prompt",
                |s| s.append_system_prompt = vec!["a".into(), "b".into()],
                &[
                    "--append-system-prompt a --append-system-prompt b",
                    "--append-system-prompt a --append-system-prompt b",
                    "--append-system-prompt a --append-system-prompt b",
                    "--append-system-prompt a\n\nb",
                ],
            ),
            ("session_dir", |s| s.session_dir = Some("/d".into()), &["--session-dir /d"]),
            ("extensions", |s| s.extensions = vec!["/e.ts".into()], &["--extension /e.ts"]),
            (
                "no_extensions, no_skills, no_context_files, no_prompt_templates, no_themes, no_mcp",
                |s| s.isolation = Isolation::Private,
                &[
                    "--no-extensions --no-skills --no-prompt-templates --no-themes --no-context-files",
                    "--no-extensions --no-skills --no-prompt-templates --no-themes --no-context-files --no-approve",
                    "--no-extensions --no-skills --no-prompt-templates --no-themes --no-context-files --no-approve \
                     --no-mcp",
                    "--no-extensions --no-skills --no-rules --no-lsp --no-title",
                ],
            ),
        ];
        for (field, change, expected) in table {
            let lines = BUILDS.map(|text| added(text, *change));
            match expected {
                [all] => assert!(lines.iter().all(|line| line == all), "{field}: {lines:?}"),
                each => assert_eq!(lines, *each, "{field}"),
            }
        }
    }

    #[test]
    fn further_arguments_come_last_and_the_guard_first() {
        let spec = SessionSpec { args: vec!["--x".into()], extensions: vec!["/e.ts".into()], ..SessionSpec::default() };
        let line = argv(&build("0.73.1"), &spec, &["--y".to_owned()], Some("/guard.ts")).unwrap().args.join(" ");
        assert!(line.contains("--extension /guard.ts --extension /e.ts "), "{line}");
        assert!(line.ends_with(" --y --x"), "{line}");
    }
}
