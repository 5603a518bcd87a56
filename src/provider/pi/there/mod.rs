//! An agent in another machine, over whatever runs programs there (section 6).
//!
//! Without a terminal, in a shell that reads no profile and gives way to the program, with stderr apart. What is its own
//! is kept over there, as it would be here: paths that it is given are paths of that machine.

use super::isolation::{GUARD, Layout, environment};
use super::opening::Started;
use super::version::{Build, Flavour, Version};
use super::{PiAgent, argv};
use crate::error::{Error, Result};
use crate::model::RemotePath;
use crate::provider::agent::{Approval, Isolation, SessionSpec};
use crate::provider::exec::{Exec, ExecSpec, Exit, Io, StdinMode};
use crate::provider::over_exec::{Output, output_of};
use bytes::Bytes;

/// What starts it.
const START: &str = concat!(include_str!("where.sh"), include_str!("start.sh"));

/// Says which program there is.
const PROBE: &str = concat!(include_str!("where.sh"), include_str!("probe.sh"));

/// Installs a package.
const INSTALL: &str = concat!(include_str!("where.sh"), include_str!("install.sh"));

/// The status of [`PROBE`] where there is none.
const NONE: u8 = 97;

/// The variables of ours that mean nothing there.
const OURS: &[&str] = &["PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "PI_CODING_AGENT_DIR"];

/// A shell that runs `script` with these arguments, and nothing else that it has not said itself.
fn shell(script: &str, arguments: &[&str]) -> Vec<Bytes> {
    let words = ["sh", "-c", script, "esker"];
    words.iter().chain(arguments).map(|word| Bytes::copy_from_slice(word.as_bytes())).collect()
}

impl PiAgent {
    /// The program as it is called there.
    fn name_there(&self) -> String {
        let configured = self.settings.binary.as_ref().map(|binary| binary.display().to_string());
        configured.unwrap_or_else(|| self.flavour.name().to_owned())
    }

    /// Which build is there and in which directory it would work, installed first if that is wanted and none is.
    async fn detect_there(
        &self,
        dir: Option<&RemotePath>,
        exec: &dyn Exec,
        install: Option<&str>,
    ) -> Result<(Build, String)> {
        let name = self.name_there();
        let run = |script: &'static str, arguments: Vec<String>| {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            output_of(exec, ExecSpec { dir: dir.cloned(), ..ExecSpec::new(shell(script, &arguments)) })
        };
        let mut said = run(PROBE, vec![name.clone()]).await?;
        if let (Exit::Code(NONE), Some(version)) = (&said.exit, install) {
            let [new, old] = packages(self.flavour, version)?;
            let wanted = if new == old { new.clone() } else { format!("{new} (or {old}, for an old Node)") };
            self.notes.info(format!("installing {wanted}"));
            let installed = run(INSTALL, vec![new, old]).await?;
            if installed.exit != Exit::Code(0) {
                return Err(explained(Error::failure(format!("cannot install {wanted} there")), &installed));
            }
            said = run(PROBE, vec![name.clone()]).await?;
        }
        let text = String::from_utf8_lossy(&said.stdout);
        let (cwd, version) = text.split_once('\n').unwrap_or_default();
        match &said.exit {
            Exit::Code(0) => match Build::parse(version) {
                Some(build) => Ok((build, cwd.to_owned())),
                None => Err(explained(Error::failure(format!("`{name}` there is neither pi nor omp")), &said)),
            },
            Exit::Code(NONE) => Err(Error::not_found(format!("there is no program `{name}` there"))
                .hint("--install puts it there with npm")),
            exit => Err(explained(
                Error::failure(format!("`{name} --version` failed there with status {}", exit.code())),
                &said,
            )),
        }
    }

    /// Starts the agent there.
    pub(super) async fn start_there(
        &self,
        spec: SessionSpec,
        exec: &dyn Exec,
        install: Option<&str>,
    ) -> Result<Started> {
        if matches!(spec.isolation, Isolation::ShareLogin | Isolation::Ephemeral) {
            return Err(Error::unsupported("an agent elsewhere has neither your login nor a directory to throw away")
                .hint("set the key of its provider here, or pass --share-config for what is configured there"));
        }
        // What is missing here need not be looked for there.
        let head = self.head(&spec)?;
        let (build, cwd) = self.detect_there(spec.dir.as_ref(), exec, install).await?;
        let line = argv::argv(&build, &spec, &self.settings.args, None)?;
        let asks = spec.approval == Approval::Always && build.flavour == Flavour::Pi;
        if asks && spec.isolation == Isolation::ShareConfig {
            return Err(Error::unsupported("--approve goes without --share-config in another machine"));
        }
        let guard = if asks { GUARD } else { "" };
        let share = if spec.isolation == Isolation::ShareConfig { "config" } else { "nothing" };
        let name = self.name_there();
        let mut argv = shell(START, &[&name, &self.settings.endpoint, share]);
        argv.extend(line.args.iter().map(|arg| Bytes::copy_from_slice(arg.as_bytes())));
        let io = Io::Pipes { stdin: StdinMode::Live, merge_stderr: false };
        let mut process = exec.start(ExecSpec { dir: spec.dir, io, ..ExecSpec::new(argv) }).await?;
        let stdin = process.stdin.as_mut().ok_or_else(|| Error::internal("a program with a dialogue has no stdin"))?;
        // If nobody reads it, the exit tells why.
        stdin.write(Bytes::from([&head[..], guard.as_bytes(), b".\n"].concat())).await?;
        let layout = Layout::default();
        Ok(Started {
            build,
            name_later: line.name_later,
            process,
            layout,
            cwd: Some(cwd),
            name,
            keys: spec.keys,
            is_elsewhere: true,
        })
    }

    /// The variables that it gets there, a line each, and an empty one.
    fn head(&self, spec: &SessionSpec) -> Result<Vec<u8>> {
        let mut head = Vec::new();
        for (name, value) in environment(&Layout::default(), spec, &self.settings, &self.vars)? {
            if OURS.contains(&name.as_str()) {
                continue;
            }
            if !is_name(&name) || value.contains(&b'\n') {
                return Err(Error::usage(format!("the variable `{name}` cannot be passed on to another machine"))
                    .cause("its name must be one for a shell, and its value one line"));
            }
            head.extend_from_slice(&[name.as_bytes(), b"=", &value, b"\n"].concat());
        }
        head.push(b'\n');
        Ok(head)
    }
}

/// Whether a shell takes it as the name of a variable.
fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(is_part) && name.starts_with(|c: char| !c.is_ascii_digit())
}

/// What npm installs, for a new Node and for an old one: the version that is wanted, or the newest that can be had
/// (section 5.1).
fn packages(flavour: Flavour, version: &str) -> Result<[String; 2]> {
    let wanted = Build::parse(version);
    if !version.is_empty() && wanted.is_none() {
        return Err(Error::usage(format!("`--install={version}` names no version"))
            .hint("write it like 0.87.1, or leave it out"));
    }
    Ok(match (flavour, wanted) {
        (Flavour::Omp, None) => ["18.2.3", "18.2.3"].map(|version| format!("@oh-my-pi/pi-coding-agent@{version}")),
        (Flavour::Omp, Some(_)) => [version, version].map(|version| format!("@oh-my-pi/pi-coding-agent@{version}")),
        (Flavour::Pi, None) => ["0.87.1", "0.74.2"].map(|version| format!("@earendil-works/pi-coding-agent@{version}")),
        (Flavour::Pi, Some(build)) => {
            // It moved (section 0).
            let scope = if build.version < Version(0, 74, 0) { "mariozechner" } else { "earendil-works" };
            [version, version].map(|version| format!("@{scope}/pi-coding-agent@{version}"))
        }
    })
}

/// The last of what a program said, as causes.
fn explained(error: Error, said: &Output) -> Error {
    let text = [&said.stdout[..], &said.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text);
    let last: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).rev().take(3).collect();
    last.into_iter().rev().fold(error, |error, line| error.cause(line.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_follow_the_version() {
        let first = |flavour, version| packages(flavour, version).unwrap()[0].clone();
        assert_eq!(first(Flavour::Pi, ""), "@earendil-works/pi-coding-agent@0.87.1");
        assert_eq!(packages(Flavour::Pi, "").unwrap()[1], "@earendil-works/pi-coding-agent@0.74.2");
        assert_eq!(first(Flavour::Pi, "0.73.1"), "@mariozechner/pi-coding-agent@0.73.1");
        assert_eq!(first(Flavour::Omp, "18.2.3"), "@oh-my-pi/pi-coding-agent@18.2.3");
        assert!(packages(Flavour::Pi, "latest; rm -rf /").is_err());
    }

    #[test]
    fn a_variable_has_a_name_for_a_shell() {
        assert!(is_name("A_1") && is_name("_x"));
        for not in ["", "1A", "A.B", "A-B", "A B", "Ä"] {
            assert!(!is_name(not), "{not}");
        }
    }
}
