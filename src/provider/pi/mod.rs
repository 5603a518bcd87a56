//! Coding agents: pi and its fork omp, as programs that speak JSON lines (pi reference).
//!
//! One folder for both: they share the protocol and differ in flags, in what they leave out, and in how they end.

pub mod api;
mod argv;
mod dialogs;
#[cfg(test)]
mod edges;
mod finish;
mod framing;
mod isolation;
mod keys;
mod opening;
mod program;
pub mod protocol;
mod session;
mod sessions;
#[cfg(test)]
mod tests;
mod there;
mod usage;
pub mod version;

use self::opening::{info, workspace};
use self::version::Flavour;
use super::agent::{Agent, Session, SessionSpec};
use super::exec::Exec;
use super::{ConfigKey, Driver, Env, Feature, KeyKind, Offer, Place, Provider, Variables, Vars};
use crate::config::EndpointConfig;
use crate::error::{Error, Result};
use crate::model::{AgentInfo, AgentSession, Extra, Info, Name, RemotePath};
use crate::notes::Notes;
use crate::provider::translation::Translation;
use async_trait::async_trait;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

#[async_trait]
impl Agent for PiAgent {
    async fn probe(&self, host: &dyn Exec) -> Result<AgentInfo> {
        let build = self.detect(&self.program()?, host).await?;
        Ok(info(&build))
    }

    async fn open(&self, spec: SessionSpec, host: &dyn Exec) -> Result<Session> {
        self.greeted(self.start_here(spec, host).await?).await
    }

    async fn open_there(&self, spec: SessionSpec, exec: &dyn Exec, install: Option<&str>) -> Result<Session> {
        self.greeted(self.start_there(spec, exec, install).await?).await
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
