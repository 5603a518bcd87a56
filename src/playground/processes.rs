//! The processes of a simulated machine, found wherever they went.
//!
//! In a namespace of its own, every process in it is the machine's, also one that left its session and its parents.
//! Without namespaces it is those that are led by what was started.

use super::view::View;
use crate::provider::exec::Signal;
use rustix::process::{Pid, kill_process};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

/// How often it is looked whether what was killed is gone, and how long at most.
const PAUSE: Duration = Duration::from_millis(5);
const TRIES: usize = 1000;

/// The numbers of the processes in `view`, or of those that `leaders` lead where it is no namespace.
pub(super) fn of(view: &View, leaders: &[i32]) -> Vec<i32> {
    let namespace = view.namespace().and_then(|namespace| namespace.id().ok());
    numbers()
        .filter(|pid| match namespace {
            // One that ends meanwhile has no namespace any more.
            Some(id) => fs::metadata(format!("/proc/{pid}/ns/mnt")).is_ok_and(|link| link.ino() == id),
            None => stat(*pid).is_some_and(|stat| leaders.contains(&stat.session) || leaders.contains(&stat.group)),
        })
        .collect()
}

/// Every process that can be seen.
fn numbers() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// What `/proc/PID/stat` says of a process.
pub(super) struct Stat {
    pub(super) parent: i32,
    pub(super) group: i32,
    pub(super) session: i32,
    /// The process group in the foreground of its terminal; -1 without one.
    pub(super) foreground: i32,
    /// It ended, and waits for its parent to ask how.
    pub(super) is_over: bool,
}

/// Reads `PID (NAME) STATE PARENT GROUP SESSION TERMINAL FOREGROUND …`, where the name may hold anything (proc(5)).
pub(super) fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let name_end = text.iter().rposition(|byte| *byte == b')')?;
    let mut fields = std::str::from_utf8(&text[name_end + 1..]).ok()?.split_ascii_whitespace();
    let is_over = matches!(fields.next()?, "Z" | "X" | "x");
    let mut number = || fields.next()?.parse().ok();
    let (parent, group, session) = (number()?, number()?, number()?);
    let _terminal: i32 = number()?;
    Some(Stat { parent, group, session, foreground: number()?, is_over })
}

/// `root` and all of `among` that descend from it.
pub(super) fn below(root: i32, among: &[i32]) -> BTreeSet<i32> {
    let parents: Vec<(i32, i32)> = among.iter().filter_map(|pid| Some((*pid, stat(*pid)?.parent))).collect();
    let mut below = BTreeSet::from([root]);
    loop {
        let before = below.len();
        for (pid, parent) in &parents {
            if below.contains(parent) {
                below.insert(*pid);
            }
        }
        if below.len() == before {
            return below;
        }
    }
}

/// Sends a signal; what is gone by now needs none.
pub(super) fn signal(pid: i32, signal: &Signal) {
    if let (Some(pid), Some(signal)) =
        (Pid::from_raw(pid), rustix::process::Signal::from_named_raw(i32::from(signal.number())))
    {
        let _ = kill_process(pid, signal);
    }
}

/// Kills all of them, and returns when they are gone.
pub(super) async fn kill_all(view: &View, leaders: &[i32]) {
    let kill = Signal::parse("KILL").expect("it exists");
    for _ in 0..TRIES {
        let left = of(view, leaders).into_iter().filter(|pid| stat(*pid).is_some_and(|stat| !stat.is_over));
        let left: Vec<i32> = left.collect();
        if left.is_empty() {
            return;
        }
        left.into_iter().for_each(|pid| signal(pid, &kill));
        tokio::time::sleep(PAUSE).await;
    }
}
