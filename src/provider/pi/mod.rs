//! Coding agents: pi and its fork omp, as programs that speak JSON lines (pi reference).
//!
//! One folder for both: they share the protocol and differ in flags, in what they leave out, and in how they end.

pub mod api;
mod argv;
mod dialogs;
mod finish;
mod framing;
mod isolation;
mod keys;
mod protocol;
mod session;
mod sessions;
#[cfg(test)]
mod tests;
mod usage;
mod version;

use self::isolation::Layout;
use self::protocol::Protocol;
use self::version::{Build, Flavour, Remembered};
use super::agent::{Agent, Keys, Session, SessionSpec, Which};
use super::exec::{Event, Exec, ExecSpec, Exit, Io, StdinMode};
use super::local::local_path;
use super::{ConfigKey, Driver, Env, Feature, KeyKind, Offer, Place, Provider, Variables, Vars};
use crate::config::{EndpointConfig, reason};
use crate::error::{Error, Result};
use crate::model::{AgentInfo, AgentSession, Extra, Info, Name, RemotePath};
use crate::notes::Notes;
use crate::provider::translation::Translation;
use async_trait::async_trait;
use bytes::Bytes;
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long either may take to answer for the first time: a cold omp takes twelve seconds (section 2.7).
const START: Duration = Duration::from_mins(1);

/// How long `--version` may take.
const PROBE: Duration = Duration::from_secs(30);

const KEYS: &[ConfigKey] = &[
    ConfigKey { name: "binary", kind: KeyKind::Text, summary: "the program: a name on PATH, or a path" },
    ConfigKey { name: "args", kind: KeyKind::Words, summary: "further arguments of the program" },
    ConfigKey { name: "env", kind: KeyKind::Variables, summary: "variables added to its environment" },
    ConfigKey { name: "pass_env", kind: KeyKind::Words, summary: "variables of yours that it gets too" },
    ConfigKey { name: "agent_dir", kind: KeyKind::Path, summary: "its configuration, instead of a private one" },
    ConfigKey { name: "home_dir", kind: KeyKind::Path, summary: "its home, instead of a private one" },
    ConfigKey { name: "session_dir", kind: KeyKind::Path, summary: "where its sessions are kept" },
    ConfigKey { name: "extensions", kind: KeyKind::Words, summary: "extensions that are loaded, as paths" },
    ConfigKey { name: "key_env", kind: KeyKind::Text, summary: "the variable that holds the key of the provider" },
    ConfigKey { name: "max_sessions", kind: KeyKind::Text, summary: "how many lasting sessions there may be at once" },
];

const OFFERS: &[Offer] = &[Offer::native(Feature::Agent)];

/// The commands of its own client.
const CLIENT: Translation = Translation {
    client: "pi",
    version: "0.87",
    about: "The agent runs here, or with --in inside any target. `esker agent run` asks it one thing and ends; \
            `esker agent start` keeps a session that outlives the command.",
    text: include_str!("pi.txt"),
};

/// The registry row of pi.
pub static PI: Driver = Driver {
    id: "pi",
    summary: "pi, the coding agent, over its RPC mode",
    place: None,
    keys: KEYS,
    variables: &[],
    offers: OFFERS,
    place_file: None,
    imports: &[],
    translations: &[CLIENT],
    implicit: |_: Vars<'_>| Ok(EndpointConfig::implicit("pi")),
    open: |config, env| open(&PI, Flavour::Pi, config, env),
};

/// The registry row of omp.
pub static OMP: Driver = Driver {
    id: "omp",
    summary: "oh-my-pi, a fork of pi, over its RPC mode",
    place: None,
    keys: KEYS,
    variables: &[],
    offers: OFFERS,
    place_file: None,
    imports: &[],
    translations: &[],
    implicit: |_: Vars<'_>| Ok(EndpointConfig::implicit("omp")),
    open: |config, env| open(&OMP, Flavour::Omp, config, env),
};

/// What an endpoint says, and where things of ours are.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub(crate) endpoint: String,
    pub(crate) binary: Option<PathBuf>,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) pass_env: Vec<String>,
    pub(crate) agent_dir: Option<PathBuf>,
    pub(crate) home_dir: Option<PathBuf>,
    pub(crate) session_dir: Option<PathBuf>,
    pub(crate) extensions: Vec<PathBuf>,
    pub(crate) key_env: Option<String>,
    pub(crate) state: Option<PathBuf>,
    pub(crate) user_home: Option<PathBuf>,
}

fn open(driver: &'static Driver, flavour: Flavour, config: &EndpointConfig, env: Env) -> Result<Arc<dyn Provider>> {
    let home = env.home.as_deref();
    let binary = match config.text("binary") {
        Some(binary) if binary.contains('/') => config.path("binary", home)?,
        Some(binary) => Some(PathBuf::from(binary)),
        None => None,
    };
    if let Some(number) = config.text("max_sessions")
        && number.parse::<u32>().is_err()
    {
        return Err(Error::config(format!("`max_sessions` of endpoint `{}` is no number: `{number}`", config.name)));
    }
    let base = config.base.clone().unwrap_or_default();
    let extensions = config.words("extensions").unwrap_or_default();
    let settings = Settings {
        endpoint: config.name.clone(),
        binary,
        args: config.words("args").unwrap_or_default(),
        env: config.variables("env"),
        pass_env: config.words("pass_env").unwrap_or_default(),
        agent_dir: config.path("agent_dir", home)?,
        home_dir: config.path("home_dir", home)?,
        session_dir: config.path("session_dir", home)?,
        extensions: extensions.iter().map(|path| base.join(path)).collect(),
        key_env: config.text("key_env").map(str::to_owned),
        state: env.state,
        user_home: env.home,
    };
    let agent = PiAgent { driver, flavour, settings, vars: env.vars, notes: env.notes };
    Ok(Arc::new(Endpoint(Arc::new(PiPlace(agent)))))
}

/// An endpoint: one installed program, which is also its only place.
struct Endpoint(Arc<PiPlace>);

#[async_trait]
impl Provider for Endpoint {
    fn driver(&self) -> &'static Driver {
        self.0.0.driver
    }

    async fn check(&self) -> Result<Info> {
        let agent = &self.0.0;
        let program = agent.program()?;
        let build = agent.detect(&program, &super::local::LocalExec::bare()).await?;
        let version = Some(build.version.to_string());
        Ok(Info { version, address: program.display().to_string(), boot_id: None, extra: Extra::new() })
    }

    fn place(&self, name: Option<&Name>) -> Result<Arc<dyn Place>> {
        match name {
            None => Ok(self.0.clone()),
            Some(name) => {
                let endpoint = &self.0.0.settings.endpoint;
                Err(Error::usage(format!("an agent's endpoint holds one program, so `{name}` names nothing in it"))
                    .hint(format!("write `{endpoint}` alone")))
            }
        }
    }

    async fn names(&self, _glob: &str) -> Result<Vec<Name>> {
        Ok(Vec::new())
    }
}

struct PiPlace(PiAgent);

impl Place for PiPlace {
    fn offers(&self) -> &'static [Offer] {
        OFFERS
    }

    fn driver(&self) -> &'static Driver {
        self.0.driver
    }

    fn agent(&self) -> Option<&dyn Agent> {
        Some(&self.0)
    }
}

/// An installed program that sessions are opened with.
struct PiAgent {
    driver: &'static Driver,
    flavour: Flavour,
    settings: Settings,
    vars: Variables,
    notes: Notes,
}

impl PiAgent {
    /// The file of the program.
    fn program(&self) -> Result<PathBuf> {
        let name = self.settings.binary.clone().unwrap_or_else(|| PathBuf::from(self.flavour.name()));
        let missing = |why: String| {
            let package = match self.flavour {
                Flavour::Pi => "npm install -g @earendil-works/pi-coding-agent",
                Flavour::Omp => "npm install -g @oh-my-pi/pi-coding-agent",
            };
            Error::not_found(why)
                .hint(format!("install it (`{package}`), or set `binary` of endpoint `{}`", self.settings.endpoint))
        };
        if name.components().count() > 1 {
            let path = std::path::absolute(&name).unwrap_or(name);
            return if path.is_file() { Ok(path) } else { Err(missing(format!("no program `{}`", path.display()))) };
        }
        let path = self.vars.get("PATH").unwrap_or_default();
        let mut candidates = std::env::split_paths(&path).map(|dir| dir.join(&name));
        let is_program =
            |path: &PathBuf| path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
        candidates.find(is_program).ok_or_else(|| missing(format!("no program `{}` on PATH", name.display())))
    }

    /// Which program it is. Asked once for each state of its file.
    async fn detect(&self, program: &Path, host: &dyn Exec) -> Result<Build> {
        let memory = self.settings.state.as_ref().map(|state| state.join("agents/versions"));
        let real = program.canonicalize().unwrap_or_else(|_| program.to_owned());
        let stat = real.metadata().ok().map(|file| {
            let modified = i128::from(file.mtime()) * 1_000_000_000 + i128::from(file.mtime_nsec());
            (real.display().to_string(), modified, file.len())
        });
        let cache = memory.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        if let Some((path, modified, size)) = &stat
            && let Some(build) = Remembered::find(&cache, path, *modified, *size)
        {
            return Ok(build);
        }
        let said = self.version(program, host).await?;
        let Some(build) = Build::parse(&said) else {
            let first = said.lines().next().unwrap_or_default();
            return Err(Error::failure(format!("`{}` is neither pi nor omp", program.display()))
                .cause(format!("`--version` says `{first}`")));
        };
        if let (Some(memory), Some((path, modified, size))) = (memory, stat) {
            let line = Remembered { path, modified, size, said: build.word() };
            // A cache: without it, it is asked again.
            let _ = memory.parent().map(std::fs::create_dir_all);
            let _ = std::fs::write(memory, line.add(&cache));
        }
        Ok(build)
    }

    /// What `--version` prints.
    async fn version(&self, program: &Path, host: &dyn Exec) -> Result<String> {
        let name = program.display();
        // A home that does not exist: nothing of the user's is read for this.
        let env = [("PATH", self.vars.get("PATH").unwrap_or_default()), ("HOME", "/nonexistent".into())];
        let env = env.map(|(name, value)| (name.to_owned(), Bytes::copy_from_slice(value.as_bytes()))).to_vec();
        let mut process = host
            .start(ExecSpec {
                env,
                timeout: Some(PROBE),
                ..ExecSpec::new(vec![bytes(program), Bytes::from_static(b"--version")])
            })
            .await?;
        let (mut out, mut err) = (Vec::new(), Vec::new());
        loop {
            match process.next().await? {
                Event::Stdout(bytes) => out.extend_from_slice(&bytes),
                Event::Stderr(bytes) => err.extend_from_slice(&bytes),
                Event::Note(_) => {}
                Event::Exit(Exit::Code(0)) => {
                    // Some print it on stderr if their stdin is no terminal (0.74.2).
                    err.extend_from_slice(b"\n");
                    err.extend_from_slice(&out);
                    return Ok(String::from_utf8_lossy(&err).trim().to_owned());
                }
                Event::Exit(exit) => {
                    let error = match exit {
                        Exit::NotFound(why) => Error::not_found(format!("cannot start `{name}`: {why}")),
                        Exit::TimedOut(_) => {
                            Error::timeout(format!("`{name} --version` took longer than {}s", PROBE.as_secs()))
                        }
                        exit => Error::failure(format!("`{name} --version` failed with status {}", exit.code())),
                    };
                    let last = String::from_utf8_lossy(&err);
                    let last = last.lines().rev().find(|line| !line.trim().is_empty());
                    return Err(last.into_iter().fold(error, |error, line| error.cause(line.trim())));
                }
            }
        }
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

fn bytes(path: &Path) -> Bytes {
    Bytes::copy_from_slice(path.as_os_str().as_bytes())
}

fn workspace(dir: Option<&RemotePath>) -> Result<PathBuf> {
    let dir = dir.map_or(Path::new("."), local_path);
    // Links are followed, so that one directory has one session store.
    dir.canonicalize()
        .map_err(|error| Error::not_found(format!("no directory `{}` to work in: {}", dir.display(), reason(&error))))
}

#[async_trait]
impl Agent for PiAgent {
    async fn probe(&self, host: &dyn Exec) -> Result<AgentInfo> {
        let build = self.detect(&self.program()?, host).await?;
        Ok(info(&build))
    }

    async fn open(&self, spec: SessionSpec, host: &dyn Exec) -> Result<Session> {
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
                dir: Some(super::local::remote_path(&workspace)),
                io: Io::Pipes { stdin: StdinMode::Live, merge_stderr: false },
                ..ExecSpec::new(std::iter::once(bytes(&program)).chain(args).collect())
            })
            .await?;
        let cwd = Some(workspace.display().to_string());
        let protocol = Protocol::new(build, cwd.clone(), Instant::now());
        let root = layout.root.clone();
        let (mut reader, control) = session::connect(process, protocol, layout, self.notes.clone());
        control.begin(None);
        if let Err(error) = reader.greet(&program.display().to_string(), START).await {
            let _ = super::agent::SessionControl::close(&control, Duration::ZERO).await;
            return Err(error);
        }
        let mut info = control.with_protocol(|protocol| described(info(&build), protocol.state()));
        info.cwd = cwd;
        if info.model.is_none() && spec.keys == Keys::OfProvider {
            let _ = super::agent::SessionControl::close(&control, Duration::ZERO).await;
            return Err(Error::auth(format!("`{}` can use no model", self.settings.endpoint))
                .cause("it has neither a key nor a login for any")
                .hint("set the key of a provider, pass --share-login, or name a --provider"));
        }
        match lock(root.as_deref(), info.session_id.as_deref()) {
            Ok(held) => *control.lock.lock().expect("nobody else has it yet") = held,
            Err(error) => {
                let _ = super::agent::SessionControl::close(&control, Duration::ZERO).await;
                return Err(error);
            }
        }
        if line.name_later.is_some() {
            control.begin(line.name_later.as_deref());
        }
        Ok(Session { info, events: reader.events(), control: Arc::new(control) })
    }

    async fn sessions(&self, dir: Option<&RemotePath>, shared: bool) -> Result<Vec<AgentSession>> {
        let mut places = Vec::new();
        if let Some(state) = &self.settings.state {
            let own = state.join("agents").join(&self.settings.endpoint);
            let roots = std::fs::read_dir(own).into_iter().flatten().flatten().map(|entry| entry.path());
            places.extend(roots.flat_map(|root| [root.join("agent/sessions"), root.join("home/.omp/agent/sessions")]));
        }
        places.extend(self.settings.agent_dir.iter().map(|dir| dir.join("sessions")));
        places.extend(self.settings.session_dir.clone());
        let mut found: Vec<_> = places.iter().flat_map(|dir| sessions::files(dir)).map(|path| (path, false)).collect();
        if shared && let Some(home) = &self.settings.user_home {
            let theirs = home.join(match self.flavour {
                Flavour::Pi => ".pi/agent/sessions",
                Flavour::Omp => ".omp/agent/sessions",
            });
            found.extend(sessions::files(&theirs).into_iter().map(|path| (path, true)));
        }
        let wanted = dir.map(|dir| workspace(Some(dir))).transpose()?;
        let is_wanted = |session: &AgentSession| {
            wanted.as_ref().is_none_or(|dir| session.cwd.as_deref().map(Path::new) == Some(dir.as_path()))
        };
        let read = found.iter().filter_map(|(path, shared)| sessions::read(path, *shared));
        let mut all: Vec<_> = read.filter(is_wanted).collect();
        all.sort_by(|a, b| b.modified_at.cmp(&a.modified_at).then_with(|| a.path.cmp(&b.path)));
        all.dedup_by(|a, b| a.path == b.path);
        Ok(all)
    }
}

fn info(build: &Build) -> AgentInfo {
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
