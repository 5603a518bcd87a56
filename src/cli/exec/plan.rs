//! From flags and surroundings to what is run: terminal or pipes, stdin or none, the environment (ux 9.2-9.4).

use super::args::{ExecArgs, StdinFormat};
use super::input::{self, Kind};
use super::keys::{self, Keys};
use crate::context::{Ctx, var};
use crate::error::{Error, Result};
use crate::model::RemotePath;
use crate::provider::exec::{ExecSpec, Io, Life, StdinMode, TermSize};
use crate::provider::{Feature, Place, require};
use crate::resolve::Target;
use crate::settings::Opt;
use crate::tty;
use bytes::Bytes;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The size of a terminal that does not know its own: that of the first ones.
const CLASSIC: TermSize = TermSize { cols: 80, rows: 24 };

/// What to run, before the defaults of a target are added.
pub(super) struct Plan {
    pub(super) base: ExecSpec,
    /// Where stdin comes from, if it is passed on.
    pub(super) stdin: Option<StdinFormat>,
    /// Whether the terminal here becomes the program's.
    pub(super) raw: bool,
    /// Whether changes of the size here are passed on.
    pub(super) follows_size: bool,
    /// The keys that leave it running, where the place has a way back.
    pub(super) keys: Option<String>,
    wants_keys: bool,
    /// Whether `-t` was said, which only fits one target.
    wants_tty: bool,
}

impl Plan {
    pub(super) fn new(ctx: &Ctx, args: &ExecArgs) -> Result<Self> {
        let tty = Self::wants_tty(ctx, args)?;
        if args.command.is_empty() && !tty && args.attach.is_none() {
            return Err(Error::usage("no command is given")
                .hint("write it after `--`: esker exec [TARGET...] [FLAGS] -- CMD [ARG...]"));
        }
        let scripted = args.stdin_format == Some(StdinFormat::Jsonl);
        let kind = input::kind();
        let passes = match (args.interactive, args.no_interactive || args.detach) {
            (true, false) => true,
            (_, true) if scripted => {
                return Err(Error::usage("--stdin-format needs stdin, which is not passed on here"));
            }
            (_, true) => false,
            _ => match kind {
                Kind::Nothing => false,
                Kind::Terminal => tty,
                Kind::Pipe | Kind::File(_) => true,
            },
        };
        let io = if tty {
            let size = args.tty_size.or_else(tty::size).unwrap_or(CLASSIC);
            Io::Terminal { size, interactive: passes, split_stderr: false }
        } else {
            let stdin = match kind {
                _ if !passes => StdinMode::None,
                Kind::File(length) if !scripted => StdinMode::Known(length),
                _ => StdinMode::Live,
            };
            Io::Pipes { stdin, merge_stderr: false }
        };
        let life = match (args.detach, args.survive) {
            (true, _) => Life::Detached { keep_awake: args.keep_awake },
            (false, true) => Life::Surviving,
            (false, false) => Life::Attached,
        };
        let base = ExecSpec {
            argv: args.command.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect(),
            env: environment(&args.environment, tty)?,
            dir: args.workdir.as_ref().map(|dir| RemotePath(dir.clone().into_vec())),
            user: args.owner(),
            service_context: args.context.clone(),
            io,
            life,
            timeout: ctx.settings.duration(Opt::Timeout),
            verify: args.verify,
        };
        if let Some(keys) = &args.detach_keys {
            Keys::parse(keys)?;
        }
        let raw = tty && passes && !scripted && kind == Kind::Terminal;
        Ok(Self {
            base,
            stdin: passes.then_some(args.stdin_format.unwrap_or(StdinFormat::Raw)),
            raw,
            follows_size: tty && args.tty_size.is_none(),
            keys: raw.then(|| args.detach_keys.clone().unwrap_or_else(|| keys::DEFAULT.to_owned())),
            wants_keys: args.detach_keys.as_deref().is_some_and(|keys| keys != keys::NONE),
            wants_tty: args.tty,
        })
    }

    fn wants_tty(ctx: &Ctx, args: &ExecArgs) -> Result<bool> {
        let here = ctx.out.stdin_is_tty() && ctx.out.stdout_is_tty();
        if args.no_tty {
            return Ok(false);
        }
        if !args.tty {
            // Output that is made into a document is no terminal, and neither is a program that nobody looks at.
            let is_for_bytes = args.detach || args.verify || is_document(ctx);
            return Ok(here && !is_for_bytes && args.tty_size.is_none());
        }
        if args.verify {
            return Err(Error::usage("-t and --verify exclude each other: a terminal changes the bytes"));
        }
        if args.detach {
            return Err(Error::usage("-t and --detach exclude each other: nobody looks at that terminal"));
        }
        if !(tty::is_here() || args.tty_size.is_some()) {
            return Err(Error::usage("-t needs a terminal, and there is none here")
                .hint("give it a size with --tty-size 80x24, or leave -t out"));
        }
        Ok(true)
    }

    /// The same for several targets: no terminal, and stdin only if it was asked for.
    pub(super) fn for_several(mut self, args: &ExecArgs) -> Result<Self> {
        if self.wants_tty {
            return Err(Error::usage("-t needs exactly one target").hint("name one, without wildcards"));
        }
        if self.base.argv.is_empty() {
            return Err(Error::usage("no command is given").hint("write it after `--`"));
        }
        (self.raw, self.follows_size, self.keys) = (false, false, None);
        if !args.interactive {
            self.stdin = None;
        }
        let stdin = match (self.stdin, self.base.io) {
            (None, _) => StdinMode::None,
            (Some(_), Io::Pipes { stdin, .. }) => stdin,
            (Some(_), Io::Terminal { .. }) => StdinMode::Live,
        };
        if let Io::Terminal { .. } = self.base.io {
            self.base.env.retain(|(name, _)| name != "TERM" || named(&args.environment, "TERM"));
        }
        self.base.io = Io::Pipes { stdin, merge_stderr: false };
        Ok(self)
    }

    /// The keys that leave a terminal at this place running: only where it can be joined again. Elsewhere they belong
    /// to the program, and asking for them by a flag is refused.
    pub(super) fn keys(&self, place: &dyn Place) -> Result<Option<(String, Keys)>> {
        let joins = require(place, &(Feature::ExecAttach, "--detach-keys"));
        match (&self.keys, joins) {
            (_, Err(refusal)) if self.wants_keys => Err(refusal),
            (Some(text), Ok(())) => Ok(Keys::parse(text)?.map(|keys| (text.clone(), keys))),
            _ => Ok(None),
        }
    }

    /// What runs at this target: its defaults, and over them what was said.
    pub(super) fn spec(&self, target: &Target) -> ExecSpec {
        let mut spec = self.base.clone();
        let defaults = &target.defaults;
        for (name, value) in &defaults.env {
            if !spec.env.iter().any(|(said, _)| said == name) {
                spec.env.push((name.clone(), Bytes::copy_from_slice(value.as_bytes())));
            }
        }
        if let Some(dir) = &defaults.workdir {
            spec.dir.get_or_insert_with(|| RemotePath(dir.clone().into_bytes()));
        }
        // A terminal that can be joined again is not to be lost with its connection.
        let joins = || require(&*target.place, &(Feature::ExecAttach, "-t")).is_ok();
        if spec.life == Life::Attached && matches!(spec.io, Io::Terminal { .. }) && joins() {
            spec.life = Life::Surviving;
        }
        spec
    }
}

/// Whether `-o` was given as a flag, in which case the output becomes a document or events (ux 4.12).
pub(super) fn is_document(ctx: &Ctx) -> bool {
    let options = ctx.out.options();
    options.format_from_flag && options.format.is_structured()
}

fn named(variables: &[OsString], name: &str) -> bool {
    variables.iter().any(|variable| variable.as_bytes().split(|b| *b == b'=').next() == Some(name.as_bytes()))
}

/// The variables of `--env`, the last of a name, and our TERM for a terminal.
fn environment(variables: &[OsString], tty: bool) -> Result<Vec<(String, Bytes)>> {
    let mut all: Vec<(String, Bytes)> = Vec::new();
    if tty && let Some(term) = var("TERM") {
        all.push(("TERM".to_owned(), term.into()));
    }
    for variable in variables {
        let bytes = variable.as_bytes();
        let (name, value) = match memchr::memchr(b'=', bytes) {
            Some(at) => (&bytes[..at], Some(Bytes::copy_from_slice(&bytes[at + 1..]))),
            None => (bytes, std::env::var_os(variable).map(|value| value.into_vec().into())),
        };
        let name = std::str::from_utf8(name).ok().filter(|name| !name.is_empty()).ok_or_else(|| {
            Error::usage(format!("`--env {}` names no variable", variable.display())).hint("write --env NAME=VALUE")
        })?;
        let value = value.ok_or_else(|| {
            Error::usage(format!("`--env {name}` copies our `{name}`, which is not set"))
                .hint(format!("write --env {name}=VALUE"))
        })?;
        all.retain(|(other, _)| other != name);
        all.push((name.to_owned(), value));
    }
    Ok(all)
}

/// A program as it is called in messages.
pub(super) fn program(spec: &ExecSpec) -> String {
    let name = spec.argv.first().map_or(OsStr::new("the login shell"), |word| OsStr::from_bytes(word));
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(variables: &[&str]) -> Result<Vec<(String, Bytes)>> {
        environment(&variables.iter().map(OsString::from).collect::<Vec<_>>(), false)
    }

    #[test]
    fn variables_are_set_or_copied_and_the_last_one_counts() {
        assert_eq!(env(&["A=1", "B==x=", "A="]).unwrap(), [("B".into(), "=x=".into()), ("A".into(), "".into())]);
        assert_eq!(env(&["PATH"]).unwrap()[0].1, std::env::var_os("PATH").unwrap().as_bytes());
        assert!(env(&["=1"]).is_err());
        assert!(env(&["ESKER_SURELY_NOT_SET"]).unwrap_err().to_string().contains("not set"));
    }

    #[test]
    fn a_named_variable_is_known_with_and_without_a_value() {
        let variables = ["TERM=x".into(), "TERMINAL".into()];
        assert!(named(&variables, "TERM") && named(&variables, "TERMINAL") && !named(&variables, "TE"));
    }
}
