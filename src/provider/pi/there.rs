//! An agent in another machine, over whatever runs programs there (section 6).
//!
//! Without a terminal, in a shell that reads no profile and gives way to the program, with stderr apart. What is its own
//! is kept over there, as it would be here.

use super::isolation::{GUARD, Layout, environment};
use super::version::{Build, Flavour};
use super::{PiAgent, argv};
use crate::error::{Error, Result};
use crate::provider::agent::{Approval, Isolation, SessionSpec};
use crate::provider::exec::{Exec, ExecSpec, Exit, Io, Process, StdinMode};
use crate::provider::over_exec::{Output, output};
use bytes::Bytes;

/// What starts it.
const START: &str = include_str!("there.sh");

/// Says which program there is; 97 is none.
const PROBE: &str = "PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}:$HOME/.local/share/esker/agents/node_modules/.bin\n\
    command -v \"$1\" >/dev/null 2>&1 || exit 97\nexec \"$1\" --version </dev/null 2>&1";

/// Installs a package where the others look for its program.
const INSTALL: &str = "set -eu; command -v npm >/dev/null || { echo 'there is no npm' >&2; exit 1; }\n\
    mkdir -p \"$HOME/.local/share/esker/agents\"; cd \"$HOME/.local/share/esker/agents\"\n\
    exec npm install --ignore-scripts --no-audit --no-fund --loglevel=error \"$1\" >&2";

/// The status of [`PROBE`] where there is none.
const NONE: u8 = 97;

/// The variables of ours that mean nothing there.
const OURS: &[&str] = &["PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "PI_CODING_AGENT_DIR"];

fn words(words: &[&str]) -> Vec<Bytes> {
    words.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect()
}

impl PiAgent {
    /// The program as it is called there.
    fn name_there(&self) -> String {
        let configured = self.settings.binary.as_ref().map(|binary| binary.display().to_string());
        configured.unwrap_or_else(|| self.flavour.name().to_owned())
    }

    /// Which build is there, installed first if that is wanted and none is.
    async fn detect_there(&self, exec: &dyn Exec, install: Option<&str>) -> Result<Build> {
        let name = self.name_there();
        let probe = || async { output(exec, words(&["sh", "-c", PROBE, "sh", &name]), None).await };
        let mut said = probe().await?;
        if let (Exit::Code(NONE), Some(version)) = (&said.exit, install) {
            let package = match self.flavour {
                Flavour::Pi => "@earendil-works/pi-coding-agent",
                Flavour::Omp => "@oh-my-pi/pi-coding-agent",
            };
            let wanted = if version.is_empty() { package.to_owned() } else { format!("{package}@{version}") };
            self.notes.info(format!("installing {wanted}"));
            let installed = output(exec, words(&["sh", "-c", INSTALL, "sh", &wanted]), None).await?;
            if installed.exit != Exit::Code(0) {
                return Err(explained(Error::failure(format!("cannot install {wanted} there")), &installed));
            }
            said = probe().await?;
        }
        match &said.exit {
            Exit::Code(0) => Build::parse(&String::from_utf8_lossy(&said.stdout))
                .ok_or_else(|| explained(Error::failure(format!("`{name}` there is neither pi nor omp")), &said)),
            Exit::Code(NONE) => Err(Error::not_found(format!("there is no program `{name}` there"))
                .hint("--install puts it there with npm")),
            exit => Err(explained(
                Error::failure(format!("`{name} --version` failed there with status {}", exit.code())),
                &said,
            )),
        }
    }

    /// Starts the agent there; returns its build and the program, ready for the first line of the protocol.
    pub(super) async fn start_there(
        &self,
        spec: &SessionSpec,
        exec: &dyn Exec,
        install: Option<&str>,
    ) -> Result<(Build, argv::Argv, Process)> {
        if matches!(spec.isolation, Isolation::ShareLogin | Isolation::Ephemeral) {
            return Err(Error::unsupported("an agent elsewhere has neither your login nor a directory to throw away")
                .hint("set the key of its provider here, or pass --share-config for what is configured there"));
        }
        let build = self.detect_there(exec, install).await?;
        let line = argv::argv(&build, spec, &self.settings.args, None)?;
        let nowhere = Layout { root: None, home: None, agent: None, sessions: None, guard: None, is_temporary: false };
        let mut head = Vec::new();
        for (name, value) in environment(&nowhere, spec, &self.settings, &self.vars)? {
            if OURS.contains(&name.as_str()) {
                continue;
            }
            if value.contains(&b'\n') {
                return Err(Error::usage(format!(
                    "the value of `{name}` has several lines, which cannot be passed on"
                )));
            }
            head.extend_from_slice(name.as_bytes());
            head.push(b'=');
            head.extend_from_slice(&value);
            head.push(b'\n');
        }
        head.push(b'\n');
        if spec.approval == Approval::Always && build.flavour == Flavour::Pi {
            if spec.isolation == Isolation::ShareConfig {
                return Err(Error::unsupported("--approve goes without --share-config elsewhere"));
            }
            head.extend_from_slice(GUARD.trim_end().as_bytes());
            head.push(b'\n');
        }
        head.extend_from_slice(b".\n");
        let share = if spec.isolation == Isolation::ShareConfig { "config" } else { "nothing" };
        let mut argv = words(&["sh", "-c", START, "sh", &self.name_there(), &self.settings.endpoint, share]);
        argv.extend(line.args.iter().map(|arg| Bytes::copy_from_slice(arg.as_bytes())));
        let io = Io::Pipes { stdin: StdinMode::Live, merge_stderr: false };
        let mut process = exec.start(ExecSpec { dir: spec.dir.clone(), io, ..ExecSpec::new(argv) }).await?;
        let stdin = process.stdin.as_mut().ok_or_else(|| Error::internal("a program with a dialogue has no stdin"))?;
        // If nobody reads it, the exit tells why.
        stdin.write(Bytes::from(head)).await?;
        Ok((build, line, process))
    }
}

/// The last of what a program said, as causes.
fn explained(error: Error, said: &Output) -> Error {
    let text = [&said.stdout[..], &said.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    let last: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).rev().take(3).collect();
    last.into_iter().rev().fold(error, |error, line| error.cause(line.trim()))
}
