//! Who descends from whom, as `/proc` has it.

use std::collections::BTreeSet;
use std::fs;
use std::io;

/// A process of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) pid: i32,
    pub(super) parent: i32,
    pub(super) group: i32,
    pub(super) session: i32,
    /// It ended, and waits for its parent to ask how.
    pub(super) is_over: bool,
}

/// Every process that can be seen; none where there is no `/proc`.
pub(super) fn entries() -> Vec<Entry> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let numbers = entries.flatten().filter(|entry| entry.file_name().as_encoded_bytes()[0].is_ascii_digit());
    // One that ends meanwhile has no file any more.
    numbers.filter_map(|entry| parse(&fs::read(entry.path().join("stat")).ok()?)).collect()
}

/// Reads `PID (NAME) STATE PARENT GROUP SESSION …`, where the name may hold anything (proc(5)).
fn parse(stat: &[u8]) -> Option<Entry> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let name_start = stat.iter().position(|byte| *byte == b'(')?;
    let pid = std::str::from_utf8(&stat[..name_start]).ok()?.trim().parse().ok()?;
    let mut rest = std::str::from_utf8(&stat[name_end + 1..]).ok()?.split_ascii_whitespace();
    let is_over = matches!(rest.next()?, "Z" | "X" | "x");
    let mut number = || rest.next()?.parse().ok();
    Some(Entry { pid, parent: number()?, group: number()?, session: number()?, is_over })
}

/// Whether this process has a child, one that waits to be reaped counted. Whoever adopts has no descendants without.
pub(super) fn has_children() -> bool {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::All, look), Err(rustix::io::Errno::CHILD))
}

/// `roots` and everything that descends from them.
pub(super) fn below(all: &[Entry], roots: &BTreeSet<i32>) -> BTreeSet<i32> {
    let mut below = roots.clone();
    loop {
        let before = below.len();
        below.extend(
            all.iter().filter(|entry| below.contains(&entry.parent)).map(|entry| entry.pid).collect::<Vec<_>>(),
        );
        if below.len() == before {
            return below;
        }
    }
}

/// Makes this process the parent of every descendant that loses its own.
#[cfg(target_os = "linux")]
pub(crate) fn adopt() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn adopt() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let entry = parse(b"42 (a) R 1 (b)) Z 7 8 9 0 -1").unwrap();
        assert_eq!(entry, Entry { pid: 42, parent: 7, group: 8, session: 9, is_over: true });
        assert_eq!(parse(b"42 (a) S 7"), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn descendants_are_found_over_generations() {
        let entry = |pid, parent| Entry { pid, parent, group: pid, session: pid, is_over: false };
        let all = [entry(5, 4), entry(4, 3), entry(3, 1), entry(6, 1)];
        assert_eq!(below(&all, &BTreeSet::from([3])), BTreeSet::from([3, 4, 5]));
    }
}
