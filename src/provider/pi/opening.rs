//! Opening a session: the program is started, and answers.

use super::isolation::{self, Layout};
use super::program::bytes;
use super::protocol::Protocol;
use super::version::Build;
use super::{PiAgent, api, argv, session};
use crate::config::reason;
use crate::error::{Error, Result};
use crate::model::{AgentInfo, RemotePath};
use crate::provider::agent::{Keys, Session, SessionControl as _, SessionSpec, Which};
use crate::provider::exec::{Exec, ExecSpec, Io, Process, StdinMode};
use crate::provider::local::local_path;
use bytes::Bytes;
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long either may take to answer for the first time: a cold omp takes twelve seconds (section 2.7).
const START: Duration = Duration::from_mins(1);

/// How long one that did not answer as it should may take to end.
const CLEAR: Duration = Duration::from_secs(2);

/// A program that was started and has not answered yet.
pub(super) struct Started {
    pub(super) build: Build,
    /// The name that the session is to be given.
    pub(super) name_later: Option<String>,
    pub(super) process: Process,
    pub(super) layout: Layout,
    pub(super) cwd: Option<String>,
    /// The program, for messages.
    pub(super) name: String,
    pub(super) keys: Keys,
    /// Whether that is another machine.
    pub(super) is_elsewhere: bool,
}

impl PiAgent {
    /// Waits for the first answer of a program, and makes a session of it.
    pub(super) async fn greeted(&self, started: Started) -> Result<Session> {
        let Started { build, name_later, process, layout, cwd, name, keys, is_elsewhere } = started;
        let protocol = Protocol::new(build, cwd.clone(), Instant::now());
        let root = layout.root.clone();
        let (mut reader, control) = session::connect(process, protocol, layout, is_elsewhere, self.notes.clone());
        control.begin(None);
        let opened = async {
            reader.greet(&name, START).await?;
            let mut info = control.with_protocol(|protocol| described(info(&build), protocol.state()));
            info.cwd = cwd;
            if info.model.is_none() && keys == Keys::OfProvider {
                return Err(Error::auth(format!("`{}` can use no model", self.settings.endpoint))
                    .cause("it has neither a key nor a login for any")
                    .hint("set the key of a provider, pass --share-login, or name a --provider"));
            }
            let held = lock(root.as_deref(), info.session_id.as_deref())?;
            Ok((info, held))
        };
        let (info, held) = match opened.await {
            Ok(opened) => opened,
            Err(error) => {
                let _ = control.close(CLEAR).await;
                return Err(error);
            }
        };
        *control.lock.lock().expect("nobody else has it yet") = held;
        if name_later.is_some() {
            control.begin(name_later.as_deref());
        }
        Ok(Session { info, events: reader.events(), control: Arc::new(control) })
    }

    /// Starts the program of this machine, in directories of its own.
    pub(super) async fn start_here(&self, spec: SessionSpec, host: &dyn Exec) -> Result<Started> {
        let program = self.program()?;
        let workspace = workspace(spec.dir.as_ref())?;
        let build = self.detect(&program, host).await?;
        let mut spec = self.resolved(spec, &workspace)?;
        let layout = Layout::plan(&build, &spec, &self.settings, &workspace)?;
        spec.session_dir = layout.sessions.as_ref().map(|dir| dir.display().to_string());
        let guard = layout.guard.as_ref().map(|guard| guard.display().to_string());
        let line = argv::argv(&build, &spec, &self.settings.args, guard.as_deref())?;
        layout.prepare(&build, &spec, &self.settings)?;
        let env = isolation::environment(&layout, &spec, &self.settings, &self.vars)?;
        let args = line.args.into_iter().map(|arg| Bytes::from(arg.into_bytes()));
        let process = host
            .start(ExecSpec {
                env,
                dir: Some(crate::provider::local::remote_path(&workspace)),
                io: Io::Pipes { stdin: StdinMode::Live, merge_stderr: false },
                ..ExecSpec::new(std::iter::once(bytes(&program)).chain(args).collect())
            })
            .await?;
        let cwd = Some(workspace.display().to_string());
        let name = program.display().to_string();
        let (name_later, keys) = (line.name_later, spec.keys);
        Ok(Started { build, name_later, process, layout, cwd, name, keys, is_elsewhere: false })
    }

    /// The spec with every file in it made absolute: the agent works in another directory.
    fn resolved(&self, mut spec: SessionSpec, workspace: &Path) -> Result<SessionSpec> {
        let configured = self.settings.extensions.iter().map(|path| path.display().to_string());
        let wanted: Vec<String> = configured.chain(spec.extensions).collect();
        spec.extensions = wanted.into_iter().map(|path| file("extension", &path)).collect::<Result<_>>()?;
        if let Which::Known(session) | Which::ForkOf(session) = &mut spec.session
            && session.contains('/')
        {
            // A path that is not there would begin a new session under that name.
            *session = file("session", session)?;
        }
        if let Some(dir) = &spec.session_dir {
            spec.session_dir = Some(std::path::absolute(dir).map_or_else(|_| dir.clone(), |d| d.display().to_string()));
        }
        if !workspace.is_dir() {
            return Err(Error::not_found(format!("no directory `{}` to work in", workspace.display())));
        }
        Ok(spec)
    }
}

/// The absolute path of a file that must be there.
fn file(what: &str, path: &str) -> Result<String> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
    if absolute.exists() {
        Ok(absolute.display().to_string())
    } else {
        Err(Error::not_found(format!("no {what} `{path}`")))
    }
}

/// The directory that is worked in.
pub(super) fn workspace(dir: Option<&RemotePath>) -> Result<PathBuf> {
    let dir = dir.map_or(Path::new("."), local_path);
    // Links are followed, so that one directory has one session store.
    dir.canonicalize()
        .map_err(|error| Error::not_found(format!("no directory `{}` to work in: {}", dir.display(), reason(&error))))
}

/// What is known of a build before it is started.
pub(super) fn info(build: &Build) -> AgentInfo {
    let (agent, version) = (build.flavour.name().to_owned(), Some(build.version.to_string()));
    AgentInfo { agent, version, ..AgentInfo::default() }
}

/// What the agent said of itself. Without a model it tells of one that is called `unknown` (section 2.3).
fn described(info: AgentInfo, state: &api::State) -> AgentInfo {
    let model = state.model.as_ref().filter(|model| !(model.id == "unknown" && model.provider == "unknown"));
    AgentInfo {
        session_id: state.session_id.clone(),
        session_file: state.session_file.clone(),
        model_provider: model.map(|model| model.provider.clone()),
        model: model.map(|model| model.id.clone()),
        thinking: state.thinking_level.clone(),
        messages: state.message_count.unwrap_or_default(),
        ..info
    }
}

/// Keeps a second one from opening the session: two programs would write one file.
fn lock(root: Option<&Path>, session: Option<&str>) -> Result<Option<File>> {
    let (Some(root), Some(session)) = (root, session) else { return Ok(None) };
    let name: String = session.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
    let path = root.join(format!("{name}.lock"));
    let file = File::create(&path).map_err(|error| {
        Error::failure(format!("cannot lock the session: `{}`: {}", path.display(), reason(&error)))
    })?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Err(Error::conflict(format!("the session `{session}` is open elsewhere")).hint("start a new one, or wait"))
        }
        // A file system without locks.
        Err(_) => Ok(None),
    }
}
