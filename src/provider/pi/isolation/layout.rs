//! The directories that are an agent's own: kept for each endpoint and working directory, readable by their owner alone,
//! so that a session can be gone on with.

use super::GUARD;
use crate::error::{Error, Result};
use crate::provider::agent::{Approval, Isolation, SessionSpec};
use crate::provider::pi::Settings;
use crate::provider::pi::version::{Build, Flavour};
use ring::digest::{SHA256, digest};
use std::fmt::Write as _;
use std::fs::{DirBuilder, Permissions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// Where an agent keeps what is its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::provider::pi) struct Layout {
    /// The directory that is made for it; `None` where the user's own is used.
    pub(in crate::provider::pi) root: Option<PathBuf>,
    /// Its `HOME`.
    pub(in crate::provider::pi) home: Option<PathBuf>,
    /// Its configuration.
    pub(in crate::provider::pi) agent: Option<PathBuf>,
    /// Where sessions are kept, if not there.
    pub(in crate::provider::pi) sessions: Option<PathBuf>,
    /// The guard, if it is to be loaded.
    pub(in crate::provider::pi) guard: Option<PathBuf>,
    /// Whether it goes when the session is closed.
    pub(in crate::provider::pi) is_temporary: bool,
}

impl Layout {
    /// Where everything is to be. Touches nothing.
    pub(in crate::provider::pi) fn plan(
        build: &Build,
        spec: &SessionSpec,
        settings: &Settings,
        workspace: &Path,
    ) -> Result<Self> {
        let state = || {
            settings.state.clone().ok_or_else(|| {
                Error::config("there is no place for the agent's private directory").hint("set HOME or XDG_STATE_HOME")
            })
        };
        let asks = build.flavour == Flavour::Pi && spec.approval == Approval::Always;
        let is_temporary = spec.isolation == Isolation::Ephemeral;
        let root = match spec.isolation {
            Isolation::Ephemeral => temporary(),
            Isolation::ShareConfig if !asks => PathBuf::new(),
            _ => root(&state()?, &settings.endpoint, workspace),
        };
        let guard = asks.then(|| root.join("guard.ts"));
        let sessions = spec.session_dir.as_ref().map(PathBuf::from).or_else(|| settings.session_dir.clone());
        if spec.isolation == Isolation::ShareConfig {
            let root = asks.then_some(root);
            let (home, agent) = (settings.home_dir.clone(), settings.agent_dir.clone());
            return Ok(Self { root, home, agent, sessions, guard, is_temporary });
        }
        let home = settings.home_dir.clone().filter(|_| !is_temporary).unwrap_or_else(|| root.join("home"));
        let own = match build.flavour {
            Flavour::Pi => root.join("agent"),
            // Its logs, caches and state go below the home anyway.
            Flavour::Omp => home.join(".omp/agent"),
        };
        let agent = settings.agent_dir.clone().unwrap_or(own);
        Ok(Self { root: Some(root), home: Some(home), agent: Some(agent), sessions, guard, is_temporary })
    }

    /// Makes what is to be there. What was there stays.
    pub(in crate::provider::pi) fn prepare(
        &self,
        build: &Build,
        spec: &SessionSpec,
        settings: &Settings,
    ) -> Result<()> {
        let cannot = |path: &Path| {
            let path = path.display().to_string();
            move |error: io::Error| {
                Error::failure(format!("cannot prepare `{path}`: {}", crate::config::reason(&error)))
            }
        };
        for dir in [&self.root, &self.home, &self.agent, &self.sessions].into_iter().flatten() {
            private_dir(dir).map_err(cannot(dir))?;
        }
        if let Some(root) = &self.root {
            // One that an older umask made wider.
            std::fs::set_permissions(root, Permissions::from_mode(0o700)).map_err(cannot(root))?;
        }
        if let Some(guard) = &self.guard {
            write_private(guard, GUARD).map_err(cannot(guard))?;
        }
        if let Some(agent) = self.agent.as_ref().filter(|_| spec.isolation != Isolation::ShareConfig) {
            let (name, theirs) = login(build, settings);
            let link = agent.join(name);
            let is_link = std::fs::symlink_metadata(&link).is_ok_and(|stat| stat.file_type().is_symlink());
            if is_link {
                std::fs::remove_file(&link).map_err(cannot(&link))?;
            }
            if spec.isolation == Isolation::ShareLogin {
                let theirs = theirs.filter(|path| path.is_file()).ok_or_else(|| {
                    Error::auth(format!("there is no login of {} to share", build.flavour.name()))
                        .hint(format!("run `{}` and `/login` there once, or set a key", build.flavour.name()))
                })?;
                if !is_link && link.exists() {
                    return Err(Error::conflict(format!("`{}` has a login of its own already", agent.display()))
                        .hint("remove it, or do without --share-login"));
                }
                // In place: a copy would go stale when a token is renewed, and so would the original.
                symlink(&theirs, &link).map_err(cannot(&link))?;
            }
        }
        Ok(())
    }

    /// Whether the agent can log in without a key from the environment.
    pub(super) fn has_login(&self, spec: &SessionSpec) -> bool {
        let has = |agent: &PathBuf| {
            ["auth.json", "models.json", "models.yml", "agent.db"].iter().any(|name| {
                // pi makes an empty one by itself.
                std::fs::metadata(agent.join(name)).is_ok_and(|file| file.len() > 4)
            })
        };
        matches!(spec.isolation, Isolation::ShareLogin | Isolation::ShareConfig) || self.agent.as_ref().is_some_and(has)
    }
}

/// The file of the user's own login, and what it is called.
fn login(build: &Build, settings: &Settings) -> (&'static str, Option<PathBuf>) {
    let (name, below) = match build.flavour {
        Flavour::Pi => ("auth.json", ".pi/agent/auth.json"),
        Flavour::Omp => ("agent.db", ".omp/agent/agent.db"),
    };
    (name, settings.user_home.as_ref().map(|home| home.join(below)))
}

/// The private directory of an endpoint in a workspace: named after it, and told apart by a digest of its path.
fn root(state: &Path, endpoint: &str, workspace: &Path) -> PathBuf {
    let mut name: String = workspace
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        .take(40)
        .collect();
    name.push('-');
    for byte in &digest(&SHA256, workspace.as_os_str().as_bytes()).as_ref()[..8] {
        // Writing to a `String` cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    state.join("agents").join(endpoint).join(name)
}

/// A directory that nothing else has.
fn temporary() -> PathBuf {
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    std::env::temp_dir().join(format!("esker-agent-{:x}-{nanos:x}", std::process::id()))
}

fn private_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Writes a file that only we read, unless it says so already: another session may be about to read it.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    if std::fs::read(path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(());
    }
    let temp = path.with_extension(format!("{:x}.part", std::process::id()));
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temp)?;
    file.write_all(text.as_bytes())?;
    std::fs::rename(&temp, path)
}
