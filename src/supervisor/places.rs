//! Where sessions are: a directory each under the state, and a socket each under the runtime directory, which only the
//! user can enter.

use crate::config::reason;
use crate::error::{Error, Result};
use crate::model::LiveSession;
use crate::suggest::nearest;
use rustix::fs::{FlockOperation, flock};
use std::ffi::OsString;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// The longest path of a socket, in bytes; the system has 107.
const LONGEST: usize = 100;

/// The longest name.
const NAME: usize = 40;

/// The places of all sessions.
#[derive(Clone, Debug)]
pub struct Places {
    state: PathBuf,
    runtime: PathBuf,
}

/// A name that is ours as long as this lives.
#[derive(Debug)]
pub struct Claim {
    /// The name.
    pub name: String,
    /// Its directory.
    pub dir: PathBuf,
    /// Where its socket is to be.
    pub socket: PathBuf,
    _lock: File,
}

impl Places {
    /// Below these: `state` is where state of ours is kept.
    pub fn find(state: Option<&Path>, var: &dyn Fn(&str) -> Option<OsString>) -> Result<Self> {
        let state =
            state.ok_or_else(|| Error::config("there is no place for sessions").hint("set HOME or XDG_STATE_HOME"))?;
        let usual =
            var("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| dir.is_absolute()).map(|dir| dir.join("esker"));
        let short = |dir: &PathBuf| dir.as_os_str().len() + NAME + 6 <= LONGEST;
        let own = || std::env::temp_dir().join(format!("esker-{}", rustix::process::getuid().as_raw()));
        let runtime = usual.filter(short).unwrap_or_else(own);
        Ok(Self { state: state.join("agents-live"), runtime })
    }

    /// The names that there are, sorted, those of sessions that have ended among them.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.state).into_iter().flatten().flatten();
        let dirs = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let mut names: Vec<_> = dirs.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// The directory of a session, which may not be there.
    pub fn dir(&self, name: &str) -> PathBuf {
        self.state.join(name)
    }

    /// The directory of a session that is there.
    pub fn known(&self, name: &str) -> Result<PathBuf> {
        let dir = self.dir(name);
        if is_name(name) && dir.is_dir() {
            return Ok(dir);
        }
        let names = self.names();
        let error = Error::not_found(format!("no session `{name}`"));
        Err(match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`esker agent list` shows all"),
        })
    }

    /// Whether somebody holds the session.
    pub fn is_live(&self, name: &str) -> bool {
        File::open(self.dir(name).join("lock"))
            .is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockShared) == Err(rustix::io::Errno::WOULDBLOCK))
    }

    /// What was written down of a session, and how it is now if nobody holds it.
    pub fn remembered(&self, name: &str) -> Option<LiveSession> {
        let text = std::fs::read_to_string(self.dir(name).join("session.json")).ok()?;
        let mut session: LiveSession = serde_json::from_str(&text).ok()?;
        if session.state != "ended" && !self.is_live(name) {
            "lost".clone_into(&mut session.state);
            session.ended = Some("what held it was killed".to_owned());
        }
        Some(session)
    }

    /// Forgets a session that has ended.
    pub fn forget(&self, name: &str) -> Result<()> {
        let Some(lock) = self.lock(name)? else {
            return Err(Error::conflict(format!("the session `{name}` is under way")).hint("stop it first"));
        };
        let dir = self.dir(name);
        let gone = std::fs::remove_dir_all(&dir);
        drop(lock);
        gone.map_err(|error| Error::failure(format!("cannot remove `{}`: {}", dir.display(), reason(&error))))
    }

    /// Takes a name: this one, or the first that is free after `prefix`. `most` is how many sessions there may be.
    pub fn claim(&self, name: Option<&str>, prefix: &str, most: Option<usize>) -> Result<Claim> {
        for dir in [&self.state, &self.runtime] {
            private(dir)?;
        }
        let all = File::create(self.state.join(".lock")).map_err(|error| cannot(&self.state, &error))?;
        // One at a time, or two would count the same free place.
        flock(&all, FlockOperation::LockExclusive).map_err(|error| cannot(&self.state, &error.into()))?;
        let live = self.names().iter().filter(|name| self.is_live(name)).count();
        if let Some(most) = most.filter(|most| live >= *most) {
            return Err(Error::try_later(format!("there are {live} sessions already, and `max_sessions` is {most}"))
                .hint("stop one: `esker agent list` shows them"));
        }
        let free = |name: &str| self.lock(name).transpose();
        let (name, lock) = match name {
            Some(name) if !is_name(name) => {
                return Err(Error::usage(format!("`{name}` is no name of a session"))
                    .hint(format!("letters, digits, `.`, `_` and `-`, {NAME} at most")));
            }
            Some(name) => match free(name) {
                Some(lock) => (name.to_owned(), lock?),
                None => {
                    return Err(Error::conflict(format!("there is a session `{name}` already"))
                        .hint(format!("choose another name, or `esker agent stop {name}`")));
                }
            },
            None => (1u32..)
                .map(|number| format!("{prefix}-{number}"))
                // One that ended keeps its name until somebody takes it on purpose.
                .filter(|name| !self.dir(name).exists())
                .find_map(|name| Some((free(&name)?, name)))
                .map(|(lock, name)| lock.map(|lock| (name, lock)))
                .expect("some number is free")?,
        };
        let dir = self.dir(&name);
        for old in ["events.jsonl", "events.1.jsonl", "session.json"] {
            let _ = std::fs::remove_file(dir.join(old));
        }
        let socket = self.socket(&name);
        let _ = std::fs::remove_file(&socket);
        Ok(Claim { name, dir, socket, _lock: lock })
    }

    /// Where the socket of a session is.
    pub fn socket(&self, name: &str) -> PathBuf {
        self.runtime.join(format!("{name}.sock"))
    }

    /// Locks a name; `None` if somebody holds it.
    fn lock(&self, name: &str) -> Result<Option<File>> {
        let dir = self.dir(name);
        private(&dir)?;
        let file = File::create(dir.join("lock")).map_err(|error| cannot(&dir, &error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(cannot(&dir, &error.into())),
        }
    }
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.len() <= NAME && !name.starts_with('.') && name.chars().all(fits)
}

/// Makes a directory that nobody else can enter, or makes sure that it is one: in a place that all may write to, somebody
/// else may have been there first.
fn private(dir: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| cannot(dir, &error))?;
    let stat = std::fs::symlink_metadata(dir).map_err(|error| cannot(dir, &error))?;
    if !stat.is_dir() || stat.uid() != rustix::process::getuid().as_raw() || stat.mode() & 0o077 != 0 {
        return Err(Error::forbidden(format!("`{}` is open to others", dir.display()))
            .hint("make it a directory of yours with mode 0700, or remove it"));
    }
    Ok(())
}

fn cannot(dir: &Path, error: &std::io::Error) -> Error {
    Error::failure(format!("cannot use `{}`: {}", dir.display(), reason(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn places(folder: &Path) -> Places {
        let run = folder.join("run").into_os_string();
        Places::find(Some(&folder.join("state")), &move |name| (name == "XDG_RUNTIME_DIR").then(|| run.clone()))
            .unwrap()
    }

    #[test]
    fn a_name_has_one_holder_and_is_free_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(folder.path());
        let first = places.claim(Some("fix"), "pi", None).unwrap();
        assert!(places.is_live("fix"));
        assert_eq!(places.claim(Some("fix"), "pi", None).unwrap_err().kind(), ErrorKind::Conflict);
        assert_eq!(places.forget("fix").unwrap_err().kind(), ErrorKind::Conflict);
        let mode = |path: &Path| path.metadata().unwrap().mode() & 0o777;
        assert_eq!((mode(&first.dir), mode(first.socket.parent().unwrap())), (0o700, 0o700));
        drop(first);
        assert!(!places.is_live("fix"));
        drop(places.claim(Some("fix"), "pi", None).unwrap());
        places.forget("fix").unwrap();
        assert_eq!(places.known("fix").unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn names_are_found_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(folder.path());
        let held: Vec<Claim> = (0..3).map(|_| places.claim(None, "pi", Some(3)).unwrap()).collect();
        let names: Vec<_> = held.iter().map(|claim| claim.name.as_str()).collect();
        assert_eq!(names, ["pi-1", "pi-2", "pi-3"]);
        assert_eq!(places.claim(None, "pi", Some(3)).unwrap_err().kind(), ErrorKind::TryLater);
        drop(held);
        assert_eq!(places.claim(None, "pi", Some(3)).unwrap().name, "pi-4");
        for odd in ["", "a/b", "..", ".x", "a b", &"x".repeat(41)] {
            assert_eq!(places.claim(Some(odd), "pi", None).unwrap_err().kind(), ErrorKind::Usage, "{odd:?}");
        }
    }

    #[test]
    fn a_directory_that_others_can_enter_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(folder.path());
        DirBuilder::new().recursive(true).mode(0o755).create(&places.runtime).unwrap();
        assert_eq!(places.claim(Some("x"), "pi", None).unwrap_err().kind(), ErrorKind::Forbidden);
    }
}
