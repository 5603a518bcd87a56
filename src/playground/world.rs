//! The simulators together: their directory, their environment, their end.

use super::fault::{Plan, Spec};
use super::{Room, Simulator};
use crate::error::{Error, Result};
use crate::host::process::Processes;
use futures_util::future::try_join_all;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinSet;

/// Variables that would lead esker elsewhere: to the user's own config and targets.
const HIDDEN: &[&str] = &["ESKER_CONFIG", "ESKER_TARGET"];

/// A path of a unix socket has at most 107 bytes: a longer directory for temporary files is not used.
const LONGEST: usize = 60;

/// What is simulated, and how.
#[derive(Clone)]
pub struct Options {
    /// Where the files are; see [`Directory`].
    pub dir: PathBuf,
    /// What is simulated.
    pub simulators: Vec<&'static Simulator>,
    /// What goes wrong.
    pub faults: Vec<Spec>,
    /// Whether there is something to look at from the beginning.
    pub seed_demo: bool,
    /// The `PATH` of whoever uses it.
    pub path: Option<OsString>,
}

/// The simulators, running. Dropping it ends them, and every process in them.
pub struct World {
    /// The environment in which everything leads here; `None` unsets a variable.
    pub variables: BTreeMap<String, Option<OsString>>,
    serving: JoinSet<&'static str>,
    processes: Processes,
}

impl World {
    /// Starts the simulators, at once, and returns when all can be reached.
    pub async fn start(options: Options, processes: Processes) -> Result<Self> {
        let bin = options.dir.join("bin");
        make(&bin)?;
        let rooms = options.simulators.iter().map(|simulator| {
            let dir = options.dir.join(simulator.id);
            let bin = bin.clone();
            let (faults, processes) = (Plan::new(&options.faults, simulator.id), processes.clone());
            async move {
                make(&dir)?;
                let room = Room { dir, bin, processes, faults, seed_demo: options.seed_demo };
                let started = (simulator.start)(room).await;
                started.map_err(|error| error.wrap(format!("cannot start the simulator of {}", simulator.id)))
            }
        });
        let started = try_join_all(rooms).await?;
        let target = started.first().map(|started| started.target.clone());
        let mut variables = surroundings(&options, target.as_deref())?;
        let mut serving = JoinSet::new();
        for (simulator, started) in options.simulators.iter().zip(started) {
            let id = simulator.id;
            variables.extend(simulator.hides.iter().map(|name| ((*name).to_owned(), None)));
            variables.extend(started.variables.into_iter().map(|(name, text)| (name.to_owned(), Some(text.into()))));
            serving.spawn(async move {
                started.serve.await;
                id
            });
        }
        Ok(Self { variables, serving, processes })
    }

    /// An environment with these variables in it.
    pub fn environment(&self, outer: Vec<(OsString, OsString)>) -> Vec<(OsString, OsString)> {
        let is_ours = |name: &OsStr| name.to_str().is_some_and(|name| self.variables.contains_key(name));
        let kept = outer.into_iter().filter(|(name, _)| !is_ours(name));
        let ours = self.variables.iter().filter_map(|(name, value)| Some((name.into(), value.clone()?)));
        kept.chain(ours).collect()
    }

    /// Waits until a simulator ends, which none does by itself: that is a bug of ours.
    pub async fn broken(&mut self) -> Error {
        match self.serving.join_next().await {
            Some(Ok(id)) => Error::internal(format!("the simulator of {id} ended")),
            Some(Err(error)) => Error::internal(error),
            None => std::future::pending().await,
        }
    }

    /// Ends everything: processes are asked to end, and killed after `grace`.
    pub async fn end(mut self, grace: Duration) {
        self.serving.shutdown().await;
        self.processes.shutdown(grace).await;
    }
}

/// What surrounds whoever uses the playground: a config with nothing of the user's in it, and esker on the `PATH`.
fn surroundings(options: &Options, target: Option<&str>) -> Result<BTreeMap<String, Option<OsString>>> {
    let cannot = |error: std::io::Error| Error::failure("cannot make the playground's directory").source(error);
    let dir = |name: &str| {
        let dir = options.dir.join(name);
        make(&dir).map(|()| dir)
    };
    let (bin, config) = (options.dir.join("bin"), dir("config")?);
    symlink(std::env::current_exe().map_err(cannot)?, bin.join("esker")).map_err(cannot)?;
    if let Some(target) = target {
        make(&config.join("esker"))?;
        let text = format!("# Of the playground, gone with it.\ndefault_target: {target}\n");
        fs::write(config.join("esker/config.yaml"), text).map_err(cannot)?;
    }
    let mut path = bin.into_os_string();
    if let Some(outer) = options.path.as_ref().filter(|path| !path.is_empty()) {
        path.push(":");
        path.push(outer);
    }
    let places = [
        ("XDG_CONFIG_HOME", config),
        ("XDG_CONFIG_DIRS", dir("system")?),
        ("XDG_STATE_HOME", dir("state")?),
        ("XDG_CACHE_HOME", dir("cache")?),
    ];
    let mut variables: BTreeMap<_, _> = HIDDEN.iter().map(|name| ((*name).to_owned(), None)).collect();
    variables.insert("PATH".to_owned(), Some(path));
    variables.extend(places.into_iter().map(|(name, dir)| (name.to_owned(), Some(dir.into_os_string()))));
    Ok(variables)
}

/// Makes a directory that nobody else can look into.
fn make(dir: &Path) -> Result<()> {
    let made = DirBuilder::new().mode(0o700).create(dir);
    made.map_err(|error| Error::failure(format!("cannot make the directory `{}`", dir.display())).source(error))
}

/// Where the files of a playground are.
#[derive(Clone, Debug)]
pub struct Directory {
    /// The directory.
    pub path: PathBuf,
    /// Whether it stays when the playground ends.
    pub stays: bool,
}

impl Directory {
    /// A directory that is gone in the end.
    pub fn temporary() -> Result<Self> {
        let usual = std::env::temp_dir();
        let base = if usual.as_os_str().len() > LONGEST { PathBuf::from("/tmp") } else { usual };
        for attempt in 0..1000 {
            let path = base.join(format!("esker-{:x}-{attempt}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path, stays: false }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::failure(format!("cannot make `{}`", path.display())).source(error)),
            }
        }
        Err(Error::failure(format!("cannot make a directory in `{}`: all names are taken", base.display())))
    }

    /// A directory that stays: a new one, or one that is empty.
    pub fn named(path: &Path) -> Result<Self> {
        let path = std::path::absolute(path).map_err(Error::internal)?;
        match fs::read_dir(&path).map(|mut entries| entries.next().is_none()) {
            Ok(true) => {}
            Ok(false) => {
                return Err(Error::conflict(format!("`{}` is not empty", path.display()))
                    .hint("name a directory that is empty or does not exist"));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => make(&path)?,
            Err(error) => return Err(Error::failure(format!("cannot read `{}`", path.display())).source(error)),
        }
        Ok(Self { path, stays: true })
    }

    /// Removes it, if it is not to stay. May be called again.
    pub fn clean(&self) {
        if !self.stays {
            // What somebody else put there and we may not remove stays: there is nobody left to tell.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
