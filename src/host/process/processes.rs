//! Everything that was started, so that all of it can be ended.

use super::child::{Child, Exit, Running};
use super::spawn::{SpawnError, Spawned, Stage, spawn};
use super::tree::{self, Entry};
use super::{Lead, Spec};
use crate::provider::exec::Signal;
use rustix::process::{Pid, WaitOptions, getpid, kill_process, test_kill_process_group, waitpid};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How often it is looked whether what was killed is gone.
const PAUSE: Duration = Duration::from_millis(5);

/// How long a process that was killed may take to be gone: the system may be busy with it.
const BOUND: Duration = Duration::from_secs(5);

/// How long strangers that ended wait to be reaped, so that many are reaped at once.
const REAP_PAUSE: Duration = Duration::from_millis(100);

/// The processes of one owner. Cheap to clone; when the last clone is dropped, all of them are killed, and so is
/// what they started.
#[derive(Clone)]
pub struct Processes(Arc<Nursery>);

struct Nursery {
    table: Mutex<Table>,
    /// Whether every descendant of this process is meant.
    adopts: bool,
}

#[derive(Default)]
struct Table {
    /// What runs, and whether it leads a process group.
    running: BTreeMap<i32, bool>,
    /// The process groups whose leader has ended and that somebody may still be in.
    orphaned: BTreeSet<i32>,
}

impl Default for Processes {
    fn default() -> Self {
        Self(Arc::new(Nursery { table: Mutex::default(), adopts: false }))
    }
}

impl Processes {
    /// The same for the whole of this process: it becomes the parent of every descendant that loses its own, so that
    /// none escapes by leaving its session. Nothing else in this process may start a process.
    pub fn adopting() -> io::Result<Self> {
        tree::adopt()?;
        let nursery = Arc::new(Nursery { table: Mutex::default(), adopts: true });
        tokio::spawn(reap(Arc::downgrade(&nursery), signal(SignalKind::child())?));
        Ok(Self(nursery))
    }

    /// Starts a program. Must be called on a thread that lives as long as the program may: it is killed when the
    /// thread ends, however that happens.
    pub fn spawn(&self, spec: &Spec) -> Result<Child, SpawnError> {
        let Spawned { mut child, terminal, stdin, stdout, stderr } = spawn(spec)?;
        let pid = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let Some(pid) = pid else {
            return Err(SpawnError { stage: Stage::Resources, error: io::ErrorKind::NotFound.into() });
        };
        let leads = matches!(spec.lead, Lead::Group | Lead::Session) || terminal.is_some();
        let (ended, exit) = watch::channel(None);
        let running = Running::new(pid, leads, terminal.as_ref().map(Arc::downgrade).unwrap_or_default(), exit);
        self.0.table().running.insert(running.pid(), leads);
        let (nursery, number) = (Arc::downgrade(&self.0), running.pid());
        tokio::spawn(async move {
            // Waiting for a child of ours fails only if somebody else did it for us.
            let status = child.wait().await.unwrap_or_default();
            if let Some(nursery) = nursery.upgrade() {
                nursery.ended(number);
            }
            let _ = ended.send(Some(Exit::from(status)));
        });
        Ok(Child { stdin, stdout, stderr, running })
    }

    /// Ends everything: asks it to (SIGTERM), and kills what is left after `grace`. Returns how many are left even
    /// then, which only a process that hangs in the system can be.
    pub async fn shutdown(&self, grace: Duration) -> usize {
        let asked = Instant::now();
        let term = Signal::parse("TERM").expect("it exists");
        let cont = Signal::parse("CONT").expect("it exists");
        if !grace.is_zero() {
            for victim in self.0.victims() {
                victim.signal(&term);
                // What is stopped could not act on it.
                victim.signal(&cont);
            }
        }
        let kill = Signal::parse("KILL").expect("it exists");
        loop {
            let victims = self.0.victims();
            if victims.is_empty() || asked.elapsed() > grace + BOUND {
                return victims.len();
            }
            if asked.elapsed() >= grace {
                for victim in &victims {
                    victim.signal(&kill);
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Kills everything, and waits until it is gone. For when there is no runtime any more.
    pub fn kill(&self) {
        self.0.kill();
    }
}

impl Nursery {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self, pid: i32) {
        let mut table = self.table();
        if table.running.remove(&pid) == Some(true) {
            table.orphaned.insert(pid);
        }
        // A group that is empty is forgotten, before its number means somebody else.
        table
            .orphaned
            .retain(|group| Pid::from_raw(*group).is_some_and(|group| test_kill_process_group(group).is_ok()));
    }

    /// Everything that lives and is to be ended.
    fn victims(&self) -> Vec<Entry> {
        let table = self.table();
        if table.running.is_empty() && table.orphaned.is_empty() && !self.adopts {
            return Vec::new();
        }
        if self.adopts && !tree::has_children() {
            return Vec::new();
        }
        let own = getpid().as_raw_nonzero().get();
        let all = tree::entries();
        let roots: BTreeSet<i32> =
            if self.adopts { BTreeSet::from([own]) } else { table.running.keys().copied().collect() };
        let below = tree::below(&all, &roots);
        let leads = |group: i32| table.running.get(&group).copied().unwrap_or(false) || table.orphaned.contains(&group);
        all.into_iter()
            .filter(|entry| entry.pid != own && !entry.is_over)
            .filter(|entry| below.contains(&entry.pid) || leads(entry.group) || leads(entry.session))
            .collect()
    }

    fn kill(&self) {
        let kill = Signal::parse("KILL").expect("it exists");
        let begun = Instant::now();
        loop {
            let victims = self.victims();
            if victims.is_empty() || begun.elapsed() > BOUND {
                return;
            }
            for victim in &victims {
                victim.signal(&kill);
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Lets go of the strangers that ended: they are ours since their parents are gone.
    fn reap(&self) {
        let table = self.table();
        let own = getpid().as_raw_nonzero().get();
        let strangers = tree::entries().into_iter();
        let strangers = strangers.filter(|entry| entry.parent == own && entry.is_over);
        for stranger in strangers.filter(|entry| !table.running.contains_key(&entry.pid)) {
            // One that is gone by now was reaped by whoever it belonged to.
            let _ = waitpid(Pid::from_raw(stranger.pid), WaitOptions::NOHANG);
        }
    }
}

impl Drop for Nursery {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Entry {
    /// Sends a signal; what is gone by now needs none.
    fn signal(&self, signal: &Signal) {
        if let Some(pid) = Pid::from_raw(self.pid) {
            let _ = kill_process(pid, system_signal(signal));
        }
    }
}

/// Kills every descendant of this process, which must have become the parent of those that lose their own.
pub fn end_descendants() {
    Nursery { table: Mutex::default(), adopts: true }.kill();
}

/// Reaps strangers whenever a child ends, as long as there is somebody to reap for.
async fn reap(nursery: Weak<Nursery>, mut children: tokio::signal::unix::Signal) {
    while children.recv().await.is_some() {
        tokio::time::sleep(REAP_PAUSE).await;
        let Some(nursery) = nursery.upgrade() else { return };
        nursery.reap();
    }
}

/// The signal as the system has it.
pub(super) fn system_signal(signal: &Signal) -> rustix::process::Signal {
    rustix::process::Signal::from_named_raw(i32::from(signal.number())).expect("a signal with a name has a number")
}
