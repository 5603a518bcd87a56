//! What of this machine an agent gets (section 1.5): a configuration and a home of its own, and an environment that
//! starts empty. Nothing of the user's is read or passed on that was not asked for.
//!
//! The private directory is kept for each endpoint and working directory, readable by its owner alone, so that a
//! session can be gone on with.

use super::Settings;
use super::keys::{self, Wanted};
use super::version::{Build, Flavour};
use crate::error::{Error, Result};
use crate::provider::Variables;
use crate::provider::agent::{Approval, Isolation, Keys, SessionSpec};
use bytes::Bytes;
use ring::digest::{SHA256, digest};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{DirBuilder, Permissions};
use std::io::{self, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// The extension that asks before a tool of pi's changes something.
const GUARD: &str = include_str!("guard.ts");

/// What of our environment every agent gets: where programs are, the language, the time zone.
const BASE: &[&str] = &["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"];

/// Where an agent keeps what is its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The directory that is made for it; `None` where the user's own is used.
    pub(super) root: Option<PathBuf>,
    /// Its `HOME`.
    pub(super) home: Option<PathBuf>,
    /// Its configuration.
    pub(super) agent: Option<PathBuf>,
    /// Where sessions are kept, if not there.
    pub(super) sessions: Option<PathBuf>,
    /// The guard, if it is to be loaded.
    pub(super) guard: Option<PathBuf>,
    /// Whether it goes when the session is closed.
    pub(super) is_temporary: bool,
}

impl Layout {
    /// Where everything is to be. Touches nothing.
    pub(super) fn plan(build: &Build, spec: &SessionSpec, settings: &Settings, workspace: &Path) -> Result<Self> {
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
    pub(super) fn prepare(&self, build: &Build, spec: &SessionSpec, settings: &Settings) -> Result<()> {
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
    fn has_login(&self, spec: &SessionSpec) -> bool {
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
pub(super) fn root(state: &Path, endpoint: &str, workspace: &Path) -> PathBuf {
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

/// The whole environment of an agent.
pub(super) fn environment(
    layout: &Layout,
    spec: &SessionSpec,
    settings: &Settings,
    vars: &Variables,
) -> Result<Vec<(String, Bytes)>> {
    let mut env = Environment::default();
    for name in BASE {
        env.copy(name, vars);
    }
    env.set("TERM", "dumb");
    // Neither looks for updates, and neither tells anybody.
    env.set("PI_SKIP_VERSION_CHECK", "1");
    env.set("PI_TELEMETRY", "0");
    env.set("PI_OFFLINE", "1");
    match &layout.home {
        Some(home) => env.set("HOME", home.as_os_str()),
        None => env.copy("HOME", vars),
    }
    match &layout.agent {
        Some(agent) => env.set("PI_CODING_AGENT_DIR", agent.as_os_str()),
        None => env.copy("PI_CODING_AGENT_DIR", vars),
    }
    if spec.isolation == Isolation::ShareConfig || spec.keys == Keys::All {
        for name in keys::all() {
            env.copy(name, vars);
        }
    }
    for name in &settings.pass_env {
        env.copy(name, vars);
    }
    for (name, value) in settings.env.iter().chain(&spec.env) {
        env.set(name, value);
    }
    if spec.keys != Keys::OfProvider {
        if let Some(name) = settings.key_env.as_deref().filter(|_| spec.keys == Keys::All) {
            env.copy(name, vars);
        }
        return Ok(env.0);
    }
    let given: Vec<String> = env.0.iter().map(|(name, _)| name.clone()).collect();
    let provider = spec.model_provider.as_deref().or_else(|| keys::provider_of(spec.model.as_deref()?));
    let wanted = Wanted {
        endpoint: &settings.endpoint,
        provider,
        key_env: settings.key_env.as_deref(),
        given: &given,
        has_login: layout.has_login(spec),
    };
    for (name, value) in keys::select(&wanted, &|name| vars.get(name))? {
        if !given.contains(&name) {
            env.set(&name, value);
        }
    }
    Ok(env.0)
}

#[derive(Default)]
struct Environment(Vec<(String, Bytes)>);

impl Environment {
    fn set(&mut self, name: &str, value: impl Into<OsString>) {
        let value = Bytes::from(value.into().into_vec());
        self.0.retain(|(other, _)| other != name);
        self.0.push((name.to_owned(), value));
    }

    fn copy(&mut self, name: &str, vars: &Variables) {
        if let Some(value) = vars.get(name) {
            self.set(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn settings(state: &Path) -> Settings {
        Settings { endpoint: "pi".to_owned(), state: Some(state.to_owned()), ..Settings::default() }
    }

    fn pi() -> Build {
        Build::parse("0.73.1").unwrap()
    }

    fn vars(set: &'static [(&'static str, &'static str)]) -> Variables {
        Variables::new(move |name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
    }

    fn names(env: &[(String, Bytes)]) -> Vec<&str> {
        let mut names: Vec<_> = env.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    }

    fn value<'a>(env: &'a [(String, Bytes)], name: &str) -> Option<&'a [u8]> {
        env.iter().find(|(known, _)| known == name).map(|(_, value)| &value[..])
    }

    #[test]
    fn nothing_of_the_user_goes_along_but_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let spec = SessionSpec { model_provider: Some("openai".into()), ..SessionSpec::default() };
        let layout = Layout::plan(&pi(), &spec, &settings, Path::new("/srv/a b")).unwrap();
        let hostile = vars(&[
            ("PATH", "/bin"),
            ("HOME", "/home/u"),
            ("LANG", "C.UTF-8"),
            ("OPENAI_API_KEY", "k1"),
            ("ANTHROPIC_API_KEY", "k2"),
            ("AWS_SECRET_ACCESS_KEY", "k3"),
            ("PI_CODING_AGENT_DIR", "/home/u/.pi/agent"),
            ("PI_SESSION_ID", "outer"),
            ("NODE_OPTIONS", "--require /evil.js"),
            ("LD_PRELOAD", "/evil.so"),
        ]);
        let env = environment(&layout, &spec, &settings, &hostile).unwrap();
        let expected = [
            "HOME",
            "LANG",
            "OPENAI_API_KEY",
            "PATH",
            "PI_CODING_AGENT_DIR",
            "PI_OFFLINE",
            "PI_SKIP_VERSION_CHECK",
            "PI_TELEMETRY",
            "TERM",
        ];
        assert_eq!(names(&env), expected);
        let home = layout.home.unwrap();
        assert!(home.starts_with(folder.path()) && value(&env, "HOME") == Some(home.as_os_str().as_bytes()));
    }

    /// One row for each field of `PiConfig` (section 4.1) that is part of the environment: the key of the
    /// configuration, and what the agent gets.
    #[test]
    fn every_field_has_its_variable() {
        type Row = (&'static str, fn(&mut Settings), &'static str, Option<&'static str>);
        let folder = tempfile::tempdir().unwrap();
        let set = vars(&[("HOME", "/home/u"), ("KEY", "k"), ("PASSED", "p"), ("OPENAI_API_KEY", "o")]);
        let table: &[Row] = &[
            ("home_dir", |s| s.home_dir = Some("/h".into()), "HOME", Some("/h")),
            ("agent_dir", |s| s.agent_dir = Some("/a".into()), "PI_CODING_AGENT_DIR", Some("/a")),
            ("api_key_env: key_env", |s| s.key_env = Some("KEY".into()), "OPENAI_API_KEY", Some("k")),
            ("env_passthrough: pass_env", |s| s.pass_env = vec!["PASSED".into()], "PASSED", Some("p")),
            ("extra_env: env", |s| s.env = vec![("X".into(), "y".into())], "X", Some("y")),
            (
                "package_dir: env",
                |s| s.env = vec![("PI_PACKAGE_DIR".into(), "/p".into())],
                "PI_PACKAGE_DIR",
                Some("/p"),
            ),
            ("offline", |_| (), "PI_OFFLINE", Some("1")),
            ("skip_version_check", |_| (), "PI_SKIP_VERSION_CHECK", Some("1")),
            ("telemetry", |_| (), "PI_TELEMETRY", Some("0")),
            ("inherit_env", |_| (), "PASSED", None),
            ("api_key", |_| (), "OPENAI_API_KEY", Some("o")),
        ];
        for (field, change, name, expected) in table {
            for text in ["0.73.1", "omp/18.2.3"] {
                let mut settings = settings(folder.path());
                change(&mut settings);
                let spec = SessionSpec { model_provider: Some("openai".into()), ..SessionSpec::default() };
                let layout = Layout::plan(&Build::parse(text).unwrap(), &spec, &settings, Path::new("/w")).unwrap();
                let env = environment(&layout, &spec, &settings, &set).unwrap();
                assert_eq!(value(&env, name), expected.map(str::as_bytes), "{field} of {text}");
            }
        }
    }

    #[test]
    fn the_private_directory_is_one_of_its_own_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let spec = SessionSpec { approval: Approval::Always, ..SessionSpec::default() };
        let plan =
            |workspace: &str, spec: &SessionSpec| Layout::plan(&pi(), spec, &settings, Path::new(workspace)).unwrap();
        let layout = plan("/w/project", &spec);
        assert_eq!(layout, plan("/w/project", &spec));
        assert_ne!(layout.root, plan("/other/project", &spec).root);
        layout.prepare(&pi(), &spec, &settings).unwrap();
        layout.prepare(&pi(), &spec, &settings).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(layout.root.as_ref().unwrap()), 0o700);
        assert_eq!(mode(layout.agent.as_ref().unwrap()), 0o700);
        assert_eq!(mode(layout.guard.as_ref().unwrap()), 0o600);
        let ephemeral = plan("/w/project", &SessionSpec { isolation: Isolation::Ephemeral, ..spec });
        assert!(ephemeral.is_temporary && ephemeral.root != layout.root);
    }

    #[test]
    fn a_login_is_shared_in_place_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("user");
        let theirs = home.join(".pi/agent");
        std::fs::create_dir_all(&theirs).unwrap();
        std::fs::write(theirs.join("settings.json"), "{\"defaultModel\":\"evil\"}").unwrap();
        let settings = Settings { user_home: Some(home), ..settings(folder.path()) };
        let shared = SessionSpec { isolation: Isolation::ShareLogin, ..SessionSpec::default() };
        let layout = Layout::plan(&pi(), &shared, &settings, Path::new("/w")).unwrap();
        assert_eq!(layout.prepare(&pi(), &shared, &settings).unwrap_err().kind(), ErrorKind::Auth);
        std::fs::write(theirs.join("auth.json"), "{\"anthropic\":{}}").unwrap();
        layout.prepare(&pi(), &shared, &settings).unwrap();
        let agent = layout.agent.as_ref().unwrap();
        assert_eq!(std::fs::read_link(agent.join("auth.json")).unwrap(), theirs.join("auth.json"));
        assert!(!agent.join("settings.json").exists());
        assert!(environment(&layout, &shared, &settings, &vars(&[])).is_ok(), "no key is needed then");
        // The next run without it has it no more.
        let own = SessionSpec::default();
        layout.prepare(&pi(), &own, &settings).unwrap();
        assert!(!agent.join("auth.json").exists() && theirs.join("auth.json").exists());
        assert_eq!(environment(&layout, &own, &settings, &vars(&[])).unwrap_err().kind(), ErrorKind::Auth);
    }

    #[test]
    fn the_user_s_own_configuration_is_a_choice() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let spec = SessionSpec { isolation: Isolation::ShareConfig, ..SessionSpec::default() };
        let layout = Layout::plan(&pi(), &spec, &settings, Path::new("/w")).unwrap();
        assert_eq!((&layout.root, &layout.agent), (&None, &None));
        let set = vars(&[("HOME", "/home/u"), ("ANTHROPIC_API_KEY", "a"), ("OPENAI_API_KEY", "o"), ("OTHER", "x")]);
        let env = environment(&layout, &spec, &settings, &set).unwrap();
        assert_eq!(value(&env, "HOME"), Some(&b"/home/u"[..]));
        assert!(value(&env, "OPENAI_API_KEY").is_some() && value(&env, "OTHER").is_none());
    }
}
