//! A Pebble daemon, simulated: the API of 1.32.1 over a unix socket, with real processes, files and checks.
//!
//! It takes the layers of its directory, runs services and commands in process groups of their own, keeps what they
//! write in rings, and answers in the words of the daemon. The map: `routes` has the table of endpoints, `handlers`,
//! `actions`, `files` and `exec_request` answer; `daemon` holds the state and is the one way to change it; `changes` is
//! the book of what is done, `services`, `upkeep`, `checks` and `exec` do it; `plan`, `layer`, `layers`, `merge`, `validate` and
//! `order` are what layers come to.
//!
//! What it has not: TLS, and with it pairing and client certificates; forwarding to log targets, which the plan shows
//! and nothing is sent to. It shares nothing with the client of this program but what a unix socket carries.

mod access;
mod accounts;
mod actions;
mod changes;
mod checks;
mod crypt;
mod daemon;
mod demo;
mod errors;
mod exec;
mod exec_request;
mod file_list;
mod file_read;
mod file_write;
mod files;
mod glob;
mod go;
mod handlers;
mod identities;
mod launch;
mod layer;
mod layers;
mod log_stream;
mod logs;
mod merge;
mod metrics;
mod multipart;
mod notice_requests;
mod notices;
mod order;
mod plan;
mod probe;
mod reply;
mod routes;
mod scalars;
mod services;
mod simulator;
mod sockets;
mod store;
mod upkeep;
mod validate;
mod words;
mod yaml;

pub use simulator::SIMULATOR;

use self::daemon::{Daemon, Options};
use self::layers::Layers;
use crate::error::{Error, Result};
use crate::host::process::Processes;
use crate::notes::Notes;
use crate::playground::fault::{Faulty, Plan};
use crate::transport::server::{Handler, Listener, Reply, Request, serve};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The version that it says it is.
const VERSION: &str = "v1.32.1";

/// The socket in the daemon's directory.
const SOCKET: &str = ".pebble.socket";

/// The state in the daemon's directory.
const STATE: &str = ".pebble.state";

/// Anybody may connect; what they may do is decided by who they are.
const SOCKET_MODE: u32 = 0o666;

/// How a daemon is started.
pub struct Setup {
    /// Its directory: `layers/` is read from there, and the socket is made there.
    pub dir: PathBuf,
    /// Whether services that are enabled are left alone at the start.
    pub hold: bool,
    /// Whether changes, notices and identities outlive the daemon.
    pub persist: bool,
    /// The loopback port that also speaks plain HTTP.
    pub http_port: Option<u16>,
    /// What services and commands begin with, beside the variable that names the directory.
    pub environment: BTreeMap<String, String>,
    /// Where its own log goes, as information.
    pub notes: Notes,
    /// What it does wrong.
    pub faults: Option<Plan>,
}

/// A daemon that listens.
pub struct Pebble {
    daemon: Arc<Daemon>,
    listeners: Vec<Listener>,
    hold: bool,
    faults: Option<Plan>,
}

impl Setup {
    /// A daemon in this directory with this environment, which is held, forgets and says nothing. Variables that are
    /// no text are left out: a plan could not name them either.
    pub fn new(dir: impl Into<PathBuf>, environment: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self {
            dir: dir.into(),
            hold: true,
            persist: false,
            http_port: None,
            environment: environment.into_iter().filter_map(text).collect(),
            notes: Notes::default(),
            faults: None,
        }
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.dir.join(SOCKET)
    }

    /// Reads the layers and listens.
    ///
    /// # Errors
    ///
    /// `Config` for a layer that is none; `Conflict` if another daemon listens there.
    pub async fn start(self, processes: Processes) -> Result<Pebble> {
        let layers = Layers::read(&self.dir.join("layers"));
        let layers = layers.map_err(|why| Error::config(format!("cannot run daemon: cannot load plan: {why}")))?;
        let socket = self.socket();
        clear(&socket)?;
        let mut listeners = vec![Listener::unix(&socket, SOCKET_MODE)?];
        if let Some(port) = self.http_port {
            listeners.push(Listener::tcp(port).await?);
        }
        let mut environment = self.environment;
        environment.insert("PEBBLE".to_owned(), self.dir.display().to_string());
        let notes = self.notes;
        let options = Options {
            environment,
            store: self.persist.then(|| self.dir.join(STATE)),
            http: self.http_port.map(|port| format!("127.0.0.1:{port}")),
            notes,
        };
        let daemon = Daemon::new(options, layers, processes);
        daemon.log("Started daemon.");
        Ok(Pebble { daemon, listeners, hold: self.hold, faults: self.faults })
    }
}

/// Removes a socket that nobody listens on.
fn clear(socket: &Path) -> Result<()> {
    if UnixStream::connect(socket).is_ok() {
        return Err(Error::conflict(format!("socket `{}` is already in use", socket.display())));
    }
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::failure(format!("cannot remove `{}`", socket.display())).source(error))
        }
        _ => Ok(()),
    }
}

impl Pebble {
    /// Serves until a service or a check ends the daemon; the exit status that it then has. Dropping the future leaves
    /// the services as they are: see [`Stop`].
    pub async fn run(self) -> u8 {
        let api: Arc<dyn Handler> = Arc::new(Api(self.daemon.clone()));
        let handler = match self.faults {
            Some(plan) => Arc::new(Faulty::new(api, plan)),
            None => api,
        };
        if !self.hold {
            actions::autostart(&self.daemon);
        }
        // What was begun by an earlier daemon is begun again.
        self.daemon.change(|_| ());
        let served =
            futures_util::future::join_all(self.listeners.into_iter().map(|listener| serve(listener, handler.clone())));
        tokio::select! {
            _ = served => 0,
            status = self.daemon.ended() => status,
        }
    }

    /// What stops its services.
    pub fn stop(&self) -> Stop {
        Stop(self.daemon.clone())
    }
}

/// Stops the services of a daemon, as its end does.
pub struct Stop(Arc<Daemon>);

impl Stop {
    /// Stops them, each with the time that it has for that.
    pub async fn services(&self) {
        self.0.stop_services().await;
    }
}

/// Answers requests.
struct Api(Arc<Daemon>);

#[async_trait]
impl Handler for Api {
    async fn handle(&self, request: Request) -> Reply {
        routes::answer(&self.0, request).await
    }
}
