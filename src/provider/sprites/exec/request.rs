//! From what is to run to what the server is asked: the query of the upgrade, and what is said to a shell beside it
//! (section 3.1).

use super::script;
use crate::error::{Error, Result};
use crate::provider::exec::{ExecSpec, Io, Life, StdinMode, TermSize};
use crate::transport::query::Query;
use bytes::Bytes;
use std::time::Duration;

/// The longest path and query that every server on the way takes, in bytes.
const LINE_LIMIT: usize = 7_800;

/// How long a program without a terminal outlives a lost connection, if it is to: time to notice, and to come back.
const SURVIVES: Duration = Duration::from_hours(1);

/// The same for a detached one: for good.
const STAYS: Duration = Duration::from_hours(24 * 365);

/// Variables that say nothing about their owner, and may be seen in a log.
const HARMLESS: &[&str] = &["TERM", "COLORTERM", "LANG", "TZ"];

/// What the server is asked.
#[derive(Debug, PartialEq)]
pub(super) struct Ask {
    /// The query of the upgrade, with its question mark.
    pub(super) query: String,
    /// What is sent first on stdin, for the shell over there.
    pub(super) prelude: Option<Bytes>,
    /// A file that the shell over there reads and removes; `path`, content.
    pub(super) file: Option<(String, Bytes)>,
    /// Whether our stdin follows.
    pub(super) stdin: bool,
    /// The terminal's size, if it is in one.
    pub(super) terminal: Option<TermSize>,
}

/// How arguments and variables get there.
enum Way {
    /// In the query, as they are.
    Query,
    /// On stdin, where the shell reads them first.
    Stdin,
    /// In a file: what is typed at a terminal would be echoed.
    File(String),
}

impl Ask {
    /// What is asked for `spec`; `then` is what the shell is to do with its arguments, if not just become the program.
    pub(super) fn new(spec: &ExecSpec, then: Option<&str>) -> Result<Self> {
        let terminal = match spec.io {
            Io::Terminal { split_stderr: true, .. } => {
                return Err(Error::unsupported("a terminal of a sandbox has no separate stderr"));
            }
            Io::Terminal { size, .. } => Some(size),
            Io::Pipes { .. } => None,
        };
        let stdin = match spec.io {
            Io::Pipes { stdin, .. } => stdin != StdinMode::None,
            Io::Terminal { interactive, .. } => interactive,
        };
        let redirected = match spec.io {
            Io::Pipes { merge_stderr: true, .. } => Some(" 2>&1"),
            Io::Terminal { interactive: false, .. } => Some(" </dev/null"),
            _ => None,
        };
        let becoming = redirected.map(|redirect| format!("{}{redirect}", script::BECOME));
        let then = then.map(str::to_owned).or(becoming);
        let mut argv = spec.argv.clone();
        if argv.is_empty() {
            argv = ["sh", "-c", script::LOGIN_SHELL].map(|word| Bytes::from_static(word.as_bytes())).to_vec();
        }
        let secret = spec.env.iter().any(|(name, _)| !HARMLESS.contains(&name.as_str()) && !name.starts_with("LC_"));
        let ask = |way: &Way| Self::by(way, spec, &argv, then.as_deref(), terminal, stdin);
        let plain = ask(&Way::Query);
        if !secret && plain.query.len() <= LINE_LIMIT {
            return Ok(plain);
        }
        let ask = ask(&if terminal.is_some() { Way::File(file_name()) } else { Way::Stdin });
        if ask.query.len() > LINE_LIMIT {
            return Err(Error::usage("the working directory is too long for a request"));
        }
        Ok(ask)
    }

    /// What is asked for a program that is left: a shell with `script`, which is sent its line once it has a name.
    pub(super) fn detached(spec: &ExecSpec, script: &str) -> Self {
        let ask = Self::by(&Way::Stdin, spec, &[], Some(script), None, true);
        Self { prelude: None, ..ask }
    }

    fn by(
        way: &Way,
        spec: &ExecSpec,
        argv: &[Bytes],
        then: Option<&str>,
        terminal: Option<TermSize>,
        stdin: bool,
    ) -> Self {
        let then_script = then.unwrap_or(script::BECOME);
        let told = || Bytes::from(script::line(argv, &spec.env));
        let words =
            |words: &[&str]| words.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect::<Vec<_>>();
        let (command, prelude, file) = match way {
            Way::Query => {
                let mut command = Vec::new();
                if !spec.env.is_empty() {
                    command.extend(words(&["env"]));
                    let set = |(name, value): &(String, Bytes)| Bytes::from([name.as_bytes(), b"=", value].concat());
                    command.extend(spec.env.iter().map(set));
                }
                if let Some(then) = then {
                    command.extend(words(&["sh", "-c", then, "esker"]));
                }
                command.extend_from_slice(argv);
                (command, None, None)
            }
            Way::Stdin => (words(&["sh", "-c", &script::reads_stdin(then_script), "esker"]), Some(told()), None),
            Way::File(path) => {
                let command = words(&["sh", "-c", &script::reads_file(then_script), path]);
                (command, None, Some((path.clone(), told())))
            }
        };
        let mut query = Query::new("");
        for word in &command {
            query = query.with("cmd", word);
        }
        query = query.maybe("path", command.first()).maybe("dir", spec.dir.as_ref().map(|dir| &dir.0));
        if let Some(size) = terminal {
            query = query.with("tty", "true").with("cols", size.cols.to_string()).with("rows", size.rows.to_string());
        }
        // A terminal's stdin is the terminal, whoever types; a pipe without a writer ends at once.
        if terminal.is_some() || stdin || prelude.is_some() {
            query = query.with("stdin", "true");
        }
        query = query.maybe("max_run_after_disconnect", outlives(spec.life, terminal.is_some()));
        Self { query: query.build(), prelude, file, stdin, terminal }
    }
}

/// How long it goes on after a lost connection, where that is not what the server does anyway.
fn outlives(life: Life, terminal: bool) -> Option<String> {
    let go = |limit: Duration| format!("{}s", limit.as_secs());
    match life {
        Life::Attached if terminal => Some(go(Duration::from_secs(10))),
        Life::Surviving if !terminal => Some(go(SURVIVES)),
        Life::Detached { .. } => Some(go(STAYS)),
        Life::Attached | Life::Surviving => None,
    }
}

/// A name that nobody can have planted something at.
fn file_name() -> String {
    format!("/tmp/.esker-{}", crate::transport::nonce())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RemotePath;

    fn spec(argv: &[&[u8]]) -> ExecSpec {
        ExecSpec::new(argv.iter().map(|word| Bytes::copy_from_slice(word)).collect())
    }

    fn terminal() -> Io {
        Io::Terminal { size: TermSize { cols: 80, rows: 24 }, interactive: true, split_stderr: false }
    }

    #[test]
    fn the_shortest_requests_are_those_of_the_reference() {
        let mut spec = spec(&[b"cat"]);
        assert_eq!(Ask::new(&spec, None).unwrap().query, "?cmd=cat&path=cat");
        spec.io = Io::Pipes { stdin: StdinMode::Live, merge_stderr: false };
        assert_eq!(Ask::new(&spec, None).unwrap().query, "?cmd=cat&path=cat&stdin=true");
        spec.io = terminal();
        spec.life = Life::Surviving;
        assert_eq!(Ask::new(&spec, None).unwrap().query, "?cmd=cat&path=cat&tty=true&cols=80&rows=24&stdin=true");
    }

    #[test]
    fn arguments_go_byte_for_byte() {
        let mut spec = spec(&[b"printf", b"a b+c&d=%\n\xff", b""]);
        spec.dir = Some(RemotePath(b"/tmp/x y".to_vec()));
        let query = Ask::new(&spec, None).unwrap().query;
        assert_eq!(query, "?cmd=printf&cmd=a%20b%2Bc%26d%3D%25%0A%FF&cmd=&path=printf&dir=/tmp/x%20y");
    }

    #[test]
    fn variables_are_added_and_no_secret_is_in_the_url() {
        let mut spec = spec(&[b"make"]);
        spec.env = vec![("API_KEY".to_owned(), "hunter2".into())];
        let ask = Ask::new(&spec, None).unwrap();
        assert!(!ask.query.contains("hunter2") && !ask.query.contains("env=") && ask.query.contains("&stdin=true"));
        assert_eq!(ask.prelude.as_deref(), Some(&b"set -- 'make' && export API_KEY='hunter2'\n"[..]));
        assert!(!ask.stdin, "what follows is the end");

        spec.io = terminal();
        let ask = Ask::new(&spec, None).unwrap();
        let (path, content) = ask.file.unwrap();
        assert!(!ask.query.contains("hunter2") && ask.prelude.is_none());
        assert!(ask.query.contains(&path), "{}", ask.query);
        assert!(content.ends_with(b"export API_KEY='hunter2'\n"));

        spec.env = vec![("TERM".to_owned(), "xterm".into())];
        let query = Ask::new(&spec, None).unwrap().query;
        assert!(query.starts_with("?cmd=env&cmd=TERM%3Dxterm&cmd=make&path=env&"), "{query}");
    }

    #[test]
    fn a_long_command_line_goes_another_way() {
        let long = vec![b'x'; 200_000];
        let ask = Ask::new(&spec(&[b"sh", b"-c", &long]), None).unwrap();
        assert!(ask.query.len() < 1000 && ask.prelude.unwrap().len() > 200_000);
        let mut dir = spec(&[b"true"]);
        dir.dir = Some(RemotePath(long));
        assert_eq!(Ask::new(&dir, None).unwrap_err().kind(), crate::error::ErrorKind::Usage);
    }

    #[test]
    fn how_long_it_outlives_us_depends_on_what_was_asked() {
        let of = |life, terminal| outlives(life, terminal);
        assert_eq!(of(Life::Attached, false), None);
        assert_eq!(of(Life::Attached, true).as_deref(), Some("10s"));
        assert_eq!(of(Life::Surviving, false).as_deref(), Some("3600s"));
        assert_eq!(of(Life::Surviving, true), None);
        assert!(of(Life::Detached { keep_awake: None }, false).is_some());
    }

    #[test]
    fn without_a_command_it_is_the_login_shell() {
        let mut spec = spec(&[]);
        spec.io = terminal();
        let query = Ask::new(&spec, None).unwrap().query;
        assert!(query.starts_with("?cmd=sh&cmd=-c&cmd=esker_s%3D%24%7BSHELL"), "{query}");
    }
}
