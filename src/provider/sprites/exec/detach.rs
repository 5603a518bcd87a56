//! Programs that are left running: the server keeps neither output nor status of a session that ended, so a shell over
//! there writes both to files (section 10), and keeps the sandbox awake meanwhile (section 2.12).
//!
//! The files are below [`RUNS`], in a folder that is called like the run. `/var/tmp` outlives a restart.

use super::SpritesExec;
use super::request::Ask;
use super::script;
use crate::error::{Effect, Error, Result};
use crate::provider::exec::{Event, ExecSpec, Exit, KEEP_AWAKE, Process};
use crate::stream;
use std::time::Duration;

/// Where the folders of runs are, over there.
pub(in super::super) const RUNS: &str = "/var/tmp/esker-runs";

/// How long the shell may take to make its folder and say that it is ready, the first heartbeat included.
const READY: Duration = Duration::from_secs(30);

/// How long the server may take to name the session.
const NAMING: Duration = Duration::from_secs(10);

/// What the shell says before it runs the program.
const WORD: &[u8] = b"esker-ready\n";

/// Makes the folder, sends the first heartbeat, says so, runs the program, and writes how it ended. The line that it
/// reads sets `esker_run` and `esker_awake`, in seconds.
///
/// The program runs in front, or INT would be ignored in it; the traps keep the shell alive when the whole group is
/// signalled. An expiry of five minutes, renewed every minute, is what section 2.12 recommends. All names are ours, as
/// a variable that is exported already would change for the program too.
const SCRIPT: &str = r#"esker_d=/var/tmp/esker-runs/$esker_run; esker_m=$(umask); umask 077
mkdir -p /var/tmp/esker-runs && mkdir "$esker_d" && : >"$esker_d/log" && printf '%s\n' "$*" >"$esker_d/command" && echo "$$" >"$esker_d/pid" || exit 125
umask "$esker_m"
esker_task=esker-$(printf %s "$esker_run" | tr -c 'A-Za-z0-9' -)
esker_ask() { curl -sS --fail -o /dev/null --max-time 10 --unix-socket /.sprite/api.sock -H 'Content-Type: application/json' "$@" "http://sprite/v1/tasks/$esker_task"; }
esker_renew() { esker_e=300; [ "$esker_awake" -ge 300 ] || esker_e=$esker_awake; esker_ask -X PUT -d "{\"expire\":$esker_e}"; }
esker_refuse() { rm -rf "$esker_d"; echo "it cannot be kept awake: $*" >&2; exit 125; }
if [ "$esker_awake" -gt 0 ]; then
  command -v curl >/dev/null || esker_refuse "there is no curl"
  esker_why=$(esker_renew 2>&1) || esker_refuse "$esker_why"
  ( while sleep 60; do esker_awake=$((esker_awake - 60)); [ "$esker_awake" -gt 0 ] || exit 0; esker_renew; done ) </dev/null >/dev/null 2>&1 &
  esker_beats=$!
fi
echo esker-ready
exec </dev/null >/dev/null 2>&1
trap : HUP INT TERM
( exec "$@" ) >>"$esker_d/log" 2>&1
esker_s=$?
echo "$esker_s $(date +%s)" >"$esker_d/exit.new" && mv "$esker_d/exit.new" "$esker_d/exit"
[ -z "$esker_beats" ] || { kill "$esker_beats"; esker_ask -X DELETE; }
exit "$esker_s""#;

impl SpritesExec {
    /// Starts a program and leaves it.
    pub(super) async fn detach(&self, spec: &ExecSpec, keep_awake: Option<Duration>) -> Result<Process> {
        let program = super::program(spec);
        let ask = Ask::detached(spec, SCRIPT);
        let mut attended = self.open(&ask, program.clone(), spec, None).await?;
        let session = attended.session.clone();
        let cannot = |why: &str| {
            Error::failure(format!("cannot leave `{program}` running on `{}`", self.0.full())).cause(why.to_owned())
        };
        // Without an answer nothing has run: the shell waits for its line, and gets the end of its stdin.
        let id = session.id(NAMING).await.ok_or_else(|| cannot("the server does not say which session it is"))?;
        let run = id.run();
        if !id.is_plain() {
            return Err(cannot("the name of its session cannot be that of a folder"));
        }
        let awake = keep_awake.unwrap_or(KEEP_AWAKE).as_secs();
        let facts = format!("esker_run='{run}' && esker_awake={awake} && ");
        let line = [facts.into_bytes(), script::line(&spec.argv, &spec.env)].concat();
        session.send(super::control::messages(&line.into(), false)).await;
        session.send([super::control::end_of_input()]).await;
        let said = tokio::time::timeout(READY, ready(&mut attended.process));
        match said.await.map_err(|_| cannot("the shell there does not answer"))?? {
            None => {}
            Some(why) if why.contains("kept awake") => {
                let hint = "run it with `--keep-awake 0`: it may be frozen then until somebody asks for it";
                return Err(cannot(&why).effect(Effect::None).hint(hint));
            }
            Some(why) => return Err(cannot(&why).effect(Effect::None)),
        }
        session.end().await;
        let events = stream::iter([Ok(Event::Exit(Exit::Detached(run)))]);
        let control = attended.process.control.clone();
        Ok(Process::new(None, None, control, events).known_as(session.run.clone()))
    }
}

/// Reads what the shell says: that it is ready, or why not.
async fn ready(process: &mut Process) -> Result<Option<String>> {
    let (mut said, mut failed) = (Vec::new(), Vec::new());
    loop {
        match process.next().await? {
            Event::Stdout(bytes) => said.extend_from_slice(&bytes),
            Event::Stderr(bytes) => failed.extend_from_slice(&bytes),
            Event::Note(_) => {}
            Event::Exit(exit) => {
                let why = String::from_utf8_lossy(&failed).trim().to_owned();
                return Ok(Some(if why.is_empty() { format!("the shell there ended early: {exit:?}") } else { why }));
            }
        }
        if said.ends_with(WORD) {
            return Ok(None);
        }
    }
}

/// A name that is a folder of a run and nothing else.
pub(in super::super) fn folder(run: &str) -> String {
    format!("{RUNS}/{run}")
}
