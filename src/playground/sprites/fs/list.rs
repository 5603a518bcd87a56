//! Listing a directory; a file lists itself, which is all there is for `stat`.

use super::spot::{Failure, by_descriptor, is_dir, octal};
use crate::playground::sprites::disk::View;
use crate::playground::sprites::times;
use jiff::Timestamp;
use rustix::fs::{AtFlags, FileType, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;
use serde_json::{Value, json};
use std::os::fd::OwnedFd;
use std::path::Path;

/// The most entries of one answer.
const MAX_ENTRIES: usize = 200_000;

/// The deepest that a recursive list goes.
const MAX_DEPTH: usize = 128;

/// `GET fs/list`.
pub(super) fn list(view: &View, path: &Path, recursive: bool, pattern: Option<&str>) -> Result<Value, Failure> {
    let fail = |errno| Failure::new("stat", path, errno);
    let found = match view.open(path, OFlags::PATH, 0) {
        // A link that leads nowhere is still something.
        Err(Errno::NOENT) => view.open(path, OFlags::PATH | OFlags::NOFOLLOW, 0).map_err(fail)?,
        found => found.map_err(fail)?,
    };
    let stat = fstat(&found).map_err(fail)?;
    let mut entries = Vec::new();
    if is_dir(&stat) {
        let mut walk = Walk { entries: &mut entries, recursive, pattern };
        walk.directory(&found, path, 0).map_err(|errno| Failure::new("open", path, errno))?;
    } else {
        entries.push(entry(path, &stat));
    }
    Ok(json!({ "path": path.to_string_lossy(), "count": entries.len(), "entries": entries }))
}

struct Walk<'a> {
    entries: &'a mut Vec<Value>,
    recursive: bool,
    pattern: Option<&'a str>,
}

impl Walk<'_> {
    fn directory(&mut self, dir: &OwnedFd, path: &Path, depth: usize) -> rustix::io::Result<()> {
        let read = std::fs::read_dir(by_descriptor(dir)).map_err(|error| errno(&error))?;
        let mut names: Vec<_> = read.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
        names.sort_unstable();
        for name in names {
            let Ok(stat) = statat(dir, &name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            let path = super::spot::join(path, &name);
            if self.pattern.is_none_or(|pattern| matches(pattern.as_bytes(), name.as_encoded_bytes())) {
                if self.entries.len() >= MAX_ENTRIES {
                    return Err(Errno::NOBUFS);
                }
                self.entries.push(entry(&path, &stat));
            }
            if self.recursive && is_dir(&stat) && depth < MAX_DEPTH {
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                // What vanished or may not be read is left out.
                if let Ok(inner) = openat(dir, &name, flags, rustix::fs::Mode::empty()) {
                    let _ = self.directory(&inner, &path, depth + 1);
                }
            }
        }
        Ok(())
    }
}

fn errno(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

/// An entry as the API shows it.
fn entry(path: &Path, stat: &Stat) -> Value {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => "directory",
        FileType::Symlink => "symlink",
        _ => "file",
    };
    let modified = Timestamp::new(stat.st_mtime, i32::try_from(stat.st_mtime_nsec).unwrap_or_default());
    json!({
        "name": path.file_name().unwrap_or(path.as_os_str()).to_string_lossy(),
        "path": path.to_string_lossy(),
        "type": kind,
        "size": stat.st_size,
        "mode": octal(stat.st_mode),
        "modTime": times::inside(modified.unwrap_or(Timestamp::UNIX_EPOCH)),
        "isDir": kind == "directory",
    })
}

/// Whether a name matches a pattern of `*`, `?` and plain bytes.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => matches(rest, name) || !name.is_empty() && matches(pattern, &name[1..]),
        ([b'?', pattern @ ..], [_, name @ ..]) => matches(pattern, name),
        ([p, pattern @ ..], [n, name @ ..]) if p == n => matches(pattern, name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names() {
        for (pattern, name) in [("*", "a"), ("*.txt", "a.txt"), ("a?c", "abc"), ("a*c*", "abcd"), ("", "")] {
            assert!(matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
        for (pattern, name) in [("*.txt", "a.rs"), ("?", ""), ("a", "ab")] {
            assert!(!matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
    }
}
