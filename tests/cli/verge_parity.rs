//! The official CLI of VergeOS beside esker: every command of it, and what esker says for it, must ask the same of a
//! system. A difference that is meant is written beside its row, and must be there.
//!
//! The rows are in `verge_parity/rows.txt`, what the system holds before each of them in `given.txt`. Both run against
//! one simulator, which is set back before each: keys are the same for both, and no row stands on another.

mod asked;
mod table;

use self::asked::{Asked, Strictness, differences};
use self::table::{Relation, Row};
use crate::support::peers;
use crate::support::playground::Playground;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const ROWS: &str = include_str!("verge_parity/rows.txt");
const GIVEN: &str = include_str!("verge_parity/given.txt");

/// A system, and what was asked of it since last time.
struct System {
    playground: Playground,
    /// Where commands run: the files that they read are there.
    directory: PathBuf,
}

impl System {
    fn start() -> Self {
        let system = Self { playground: Playground::vergeos(), directory: crate::support::home() };
        for line in GIVEN.lines().filter(|line| !line.starts_with('#')) {
            let (table, body) = line.split_once(' ').expect("a table and a body");
            let path = format!("/api/v4/{table}");
            let mut command = system.playground.esker();
            let args = ["api", "POST", &path, "--target", "vergeos", "--body", "-"];
            let output = command.args(args).write_stdin(body).output().expect("it runs");
            assert!(output.status.success(), "{line}: {output:?}");
        }
        let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/verge_parity/files");
        for file in std::fs::read_dir(files).expect("a directory") {
            let file = file.expect("a file");
            std::fs::copy(file.path(), system.directory.join(file.file_name())).expect("a copy");
        }
        std::fs::write(system.directory.join("up.iso"), vec![b'x'; 300_000]).expect("a file");
        system.order("PUT", "mark");
        system.order("PUT", "requests");
        system
    }

    /// Orders of a test go to the plain side of the simulator.
    fn order(&self, method: &str, what: &str) -> String {
        let host = &self.playground.variables()["VERGE_HOST"];
        let mut stream = std::net::TcpStream::connect(host).expect("it listens");
        write!(stream, "{method} /playground/{what} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    }

    /// What was asked since last time.
    fn asked(&self) -> Vec<Asked> {
        let lines: Vec<Value> = serde_json::from_str(&self.order("GET", "requests")).expect("a list");
        lines.iter().map(Asked::read).filter(|asked| !asked.is_greeting()).collect()
    }

    /// Everything is as it was at the beginning, and nothing was asked.
    fn rewind(&self) {
        self.order("PUT", "rewind");
        self.asked();
    }

    fn esker(&self, args: &[String]) -> Result<(), String> {
        let mut command = self.playground.esker_process();
        let output = command.args(args).env("ESKER_TARGET", "vergeos").current_dir(&self.directory).output().unwrap();
        if output.status.success() {
            return Ok(());
        }
        Err(format!("esker: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)))
    }
}

/// The official CLI, which runs one command after another.
struct Vrg {
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Vrg {
    fn start(mut command: Command, system: &System) -> Self {
        let variables = system.playground.variables();
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", crate::support::home())
            .envs(variables)
            .env("REQUESTS_CA_BUNDLE", &variables["VERGE_CA_FILE"])
            .current_dir(&system.directory);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let (stdin, stdout) = (process.stdin.take().expect("a pipe"), process.stdout.take().expect("a pipe"));
        Self { process, stdin, stdout: BufReader::new(stdout) }
    }

    fn run(&mut self, args: &[String]) -> Result<(), String> {
        writeln!(self.stdin, "{}", Value::from(args)).expect("it reads");
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("it answers");
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        if answer["exit"] == 0 {
            return Ok(());
        }
        Err(format!("vrg: {}: {} {}", answer["exit"], answer["output"].as_str().unwrap_or_default(), answer["failure"]))
    }
}

impl Drop for Vrg {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What is wrong with a row, if anything is.
fn judge(system: &System, vrg: &mut Vrg, row: &Row) -> Option<String> {
    if matches!(row.relation, Relation::Apart(_)) {
        return None;
    }
    system.rewind();
    let their_end = vrg.run(&row.vrg);
    let theirs = system.asked();
    system.rewind();
    let our_end = system.esker(&row.esker);
    let ours = system.asked();
    if let Err(why) = our_end {
        return Some(why);
    }
    let has = |words: &[String], word: &str| words.iter().any(|other| other == word);
    let strict = Strictness {
        only_named: row.relation == Relation::Less,
        one: has(&row.esker, "show") || has(&row.vrg, "get"),
        limited: has(&row.vrg, "--limit"),
        projected: has(&row.esker, "--field"),
    };
    let found = differences(&theirs, &ours, strict);
    match (&row.relation, their_end) {
        (Relation::Fails(_), Err(_)) => None,
        (Relation::Fails(why), Ok(())) => Some(format!("it does not fail any more: {why}")),
        (_, Err(why)) => Some(why),
        (Relation::Less, Ok(())) => {
            let is_same = differences(&theirs, &ours, Strictness { only_named: false, ..strict }).is_empty();
            Some(if is_same { "vrg sends nothing else".to_owned() } else { found }).filter(|wrong| !wrong.is_empty())
        }
        (Relation::But(why), Ok(())) => found.is_empty().then(|| format!("there is no difference, but: {why}")),
        (_, Ok(())) => Some(found).filter(|found| !found.is_empty()),
    }
}

/// Every row of every second: two systems work at the table, which halves the time that it takes.
fn compare(share: usize) {
    let Some(command) = peers::verge_rows() else { return };
    let system = System::start();
    let mut vrg = Vrg::start(command, &system);
    let mut wrong = String::new();
    for row in table::read(ROWS).iter().skip(share).step_by(2) {
        if let Some(why) = judge(&system, &mut vrg, row) {
            let _ = writeln!(wrong, "vrg {}\nesker {}\n  {why}", row.name(), row.esker.join(" "));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn one_half_of_the_commands_asks_the_same() {
    compare(0);
}

#[test]
fn the_other_half_of_the_commands_asks_the_same() {
    compare(1);
}

/// The rows of a command: those whose first words are its own.
fn rows_of<'a>(rows: &'a [Row], command: &str) -> Vec<&'a Row> {
    let words: Vec<&str> = command.split(' ').collect();
    rows.iter().filter(|row| row.vrg.iter().map(String::as_str).take(words.len()).eq(words.iter().copied())).collect()
}

#[test]
fn every_command_of_the_page_is_in_the_table() {
    let rows = table::read(ROWS);
    let page = table::page();
    assert_eq!(page.len(), 553, "what the official CLI has is counted");
    let mut wrong = String::new();
    for (command, spelling) in &page {
        let rows = rows_of(&rows, command);
        if rows.is_empty() {
            let _ = writeln!(wrong, "vrg {command}: it has no row");
            continue;
        }
        if rows.iter().all(|row| matches!(row.relation, Relation::Apart(_))) {
            continue;
        }
        // What the page says is what is run: the words before the first thing that is to be filled in.
        let fixed = spelling
            .esker
            .split(' ')
            .take_while(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b"_-".contains(&b)));
        let fixed: Vec<&str> = fixed.collect();
        if !rows.iter().any(|row| row.esker.iter().map(String::as_str).take(fixed.len()).eq(fixed.iter().copied())) {
            let _ = writeln!(wrong, "vrg {command}: no row runs `{}`", fixed.join(" "));
        }
        let used: BTreeSet<&str> =
            rows.iter().flat_map(|row| &row.vrg).filter_map(|word| word.strip_prefix("--")).collect();
        for (flag, how) in &spelling.flags {
            let name = if flag == "y" { "yes" } else { flag.as_str() };
            let negated = format!("no-{name}");
            if !how.starts_with("none") && !used.contains(name) && !used.contains(negated.as_str()) {
                let _ = writeln!(wrong, "vrg {command}: no row uses --{name}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
