//! A Pebble daemon in a directory of its own, for one test: the real one, or with `ESKER_TEST_DAEMON=simulator` the
//! playground's in its place. What the tests expect of the two is the same.

use super::nobody::NOBODY;
use super::process::copy_of_program;
use super::{http, peers};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::{chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How a daemon is started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    layers: Vec<(String, String)>,
    http: Option<u16>,
    persist: bool,
    autostart: bool,
    unprivileged: bool,
}

impl Options {
    /// Layers in order: a label, or a file name below `layers/` that ends in `.yaml`; and the text.
    pub(crate) fn layers(mut self, layers: &[(&str, &str)]) -> Self {
        self.layers = layers.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        self
    }

    /// Speaks plain HTTP too, on this port of the loopback.
    pub(crate) fn http(mut self, port: u16) -> Self {
        self.http = Some(port);
        self
    }

    /// Keeps state on disk, as daemons outside of tests do: slower, but changes survive a restart.
    pub(crate) fn persist(mut self) -> Self {
        self.persist = true;
        self
    }

    /// Starts the services whose startup is `enabled`.
    pub(crate) fn autostart(mut self) -> Self {
        self.autostart = true;
        self
    }

    /// Not as root: as nobody if the tests run as root, else as whoever runs them.
    pub(crate) fn unprivileged(mut self) -> Self {
        self.unprivileged = true;
        self
    }

    /// Starts it and waits until it answers.
    pub(crate) fn start(self) -> Daemon {
        // Directly below /tmp: a socket's path holds at most 107 bytes.
        let dir = tempfile::Builder::new().prefix("pb").tempdir_in("/tmp").expect("a temporary directory");
        fs::create_dir(dir.path().join("layers")).expect("a directory for layers");
        for (index, (name, text)) in self.layers.iter().enumerate() {
            let is_file = Path::new(name).extension().is_some_and(|extension| extension == "yaml");
            let name = if is_file { name.clone() } else { format!("{:03}-{name}.yaml", index + 1) };
            let path = dir.path().join("layers").join(name);
            fs::create_dir_all(path.parent().expect("below layers")).expect("a directory for the layer");
            fs::write(path, text).expect("a layer file");
        }
        let mut program = if is_simulated() {
            // A process is called as its file is.
            let link = dir.path().join("pebble");
            symlink(env!("CARGO_BIN_EXE_esker"), &link).expect("a link to the simulator");
            link
        } else {
            peers::pebble().expect("the caller has checked `peers::pebble()`")
        };
        let nobody = self.unprivileged && rustix::process::geteuid().is_root();
        if nobody {
            // The build directory may be closed to other users.
            let copy = dir.path().join("pebble.copy");
            copy_of_program(&program, &copy);
            program = dir.path().join("pebble");
            fs::rename(&copy, &program).expect("a name for the copy");
            chown(dir.path(), Some(NOBODY), Some(NOBODY)).expect("a directory of nobody's");
        }
        let child = spawn(&program, dir.path(), &self, nobody);
        let mut daemon = Daemon { child, dir, program, options: self, nobody, orphans: Vec::new() };
        daemon.wait_until_ready();
        daemon
    }
}

/// Whether the daemons of the tests are simulated.
pub(crate) fn is_simulated() -> bool {
    std::env::var_os("ESKER_TEST_DAEMON").is_some_and(|which| which == "simulator")
}

fn spawn(program: &Path, dir: &Path, options: &Options, nobody: bool) -> Child {
    let log = File::options().create(true).append(true).open(dir.join("stderr")).expect("a file for its log");
    let mut command = Command::new(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", dir).env("TZ", "UTC").env("PEBBLE", dir);
    if is_simulated() {
        command.arg("simulate-pebble").arg(dir).arg("-v").args(options.persist.then_some("--persist"));
        command.args(options.http.map(|port| format!("--http={port}")));
    } else {
        command.arg("run").args(options.http.map(|port| format!("--http=127.0.0.1:{port}")));
        if !options.persist {
            command.env("PEBBLE_PERSIST", "never");
        }
    }
    command.args((!options.autostart).then_some("--hold"));
    if nobody {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.spawn().expect("the daemon starts")
}

/// A running daemon; dropping it ends it and everything that it started, at once.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Child,
    dir: TempDir,
    program: PathBuf,
    options: Options,
    nobody: bool,
    orphans: Vec<i32>,
}

impl Daemon {
    /// A daemon with these layers (label, text), state in memory only, nothing autostarted.
    /// Callers check `peers::pebble()` first.
    pub(crate) fn start(layers: &[(&str, &str)]) -> Self {
        Self::options().layers(layers).start()
    }

    /// A daemon to be started otherwise.
    pub(crate) fn options() -> Options {
        Options::default()
    }

    /// Its directory: `$PEBBLE`.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir().join(".pebble.socket")
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read(self.dir().join("stderr")).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }

    /// SIGKILL: its socket stays behind, and so do its services until the daemon is dropped.
    pub(crate) fn kill(&mut self) {
        self.orphans.extend(self.descendants());
        self.child.kill().expect("the daemon can be killed");
        self.child.wait().expect("the daemon can be waited for");
    }

    /// SIGTERM: it stops its services first. Returns how it ended.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.child.wait().expect("the daemon can be waited for")
    }

    /// Stops it if it runs, and starts it again in the same directory.
    pub(crate) fn restart(&mut self) {
        if self.child.try_wait().expect("the daemon can be waited for").is_none() {
            self.stop();
        }
        self.child = spawn(&self.program, self.dir.path(), &self.options, self.nobody);
        self.wait_until_ready();
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the daemon can be signalled");
    }

    /// The processes below it: services, commands, and what those left behind, since it adopts orphans.
    pub(crate) fn descendants(&self) -> Vec<i32> {
        let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            // `pid (name) state parent …`, where the name may hold anything.
            let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok());
            children.entry(parent.unwrap_or(0)).or_default().push(pid);
        }
        let mut found = Vec::new();
        let mut next = vec![i32::try_from(self.pid()).expect("process ids are positive")];
        while let Some(pid) = next.pop() {
            let below = children.remove(&pid).unwrap_or_default();
            found.extend(&below);
            next.extend(below);
        }
        found
    }

    fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + Duration::from_mins(1);
        let mut pause = Duration::from_millis(1);
        while !http::request(&self.socket(), "GET", "/v1/system-info", None).is_ok_and(|answer| answer.status == 200) {
            if let Some(status) = self.child.try_wait().expect("the daemon can be waited for") {
                panic!("the daemon ended with {status}:\n{}", self.log());
            }
            assert!(Instant::now() < deadline, "the daemon does not answer:\n{}", self.log());
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let mut left = std::mem::take(&mut self.orphans);
        if let Ok(None) = self.child.try_wait() {
            // Held still while its children are counted: it would restart services that die.
            let _ = kill_process(Pid::from_child(&self.child), Signal::STOP);
            left.extend(self.descendants());
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        for pid in left.into_iter().filter_map(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}
