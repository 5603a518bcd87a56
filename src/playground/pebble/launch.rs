//! What the daemon starts: who it runs as, with which environment, in the words of Go where it fails.

use super::accounts::{self, Ids, Wish};
use super::go;
use crate::host::process::{Child, Io, Lead, Processes, SpawnError, Spec, User};
use rustix::process::{getegid, geteuid};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// A program that is to be started.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    /// Its words, the program first.
    pub(super) command: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    /// As who; `None` is the daemon's own user.
    pub(super) ids: Option<Ids>,
    pub(super) dir: Option<PathBuf>,
}

/// The environment of a program: what the daemon has, the user's own home and name, what is asked for.
///
/// # Errors
///
/// The user is unknown or ambiguous.
pub(super) fn environment<'a>(
    base: &BTreeMap<String, String>,
    wish: &Wish,
    extra: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<(BTreeMap<String, String>, Option<Ids>), String> {
    let ids = accounts::resolve(wish)?;
    let mut environment = base.clone();
    if let Some(user) = ids.filter(|ids| ids.uid != geteuid().as_raw()).and_then(|ids| accounts::user(ids.uid)) {
        environment.insert("HOME".to_owned(), user.home.display().to_string());
        environment.insert("USER".to_owned(), user.name);
    }
    environment.extend(extra.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
    Ok((environment, ids))
}

/// The file of a program, as the daemon looks it up: by its own `PATH`, unless the name has a slash.
pub(super) fn look_up(name: &str, path: Option<&str>) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name));
    }
    path?.split(':').map(|dir| Path::new(dir).join(name)).find(|file| is_executable(file))
}

/// Whether a file can be executed by somebody.
pub(super) fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

impl Launch {
    /// Starts it; the error is what the daemon says.
    pub(super) fn start(&self, processes: &Processes, path: Option<&str>, io: Io, lead: Lead) -> Result<Child, String> {
        let (name, args) = self.command.split_first().ok_or("must specify command")?;
        let program = look_up(name, path)
            .ok_or_else(|| format!("exec: {}: executable file not found in $PATH", go::quote(name)))?;
        let mut spec = Spec::new(&program).args(args).io(io);
        spec.arg0 = Some(OsString::from(name));
        spec.env = Some(self.environment.iter().map(|(name, value)| (name.into(), value.into())).collect());
        spec.dir.clone_from(&self.dir);
        spec.lead = lead;
        spec.user = self.ids.filter(|ids| *ids != own()).map(|Ids { uid, gid }| User {
            uid,
            gid,
            groups: accounts::user(uid).map(|user| accounts::groups_of(&user.name)).unwrap_or_default(),
        });
        let failed =
            |SpawnError { error, .. }: SpawnError| format!("fork/exec {}: {}", program.display(), go::errno(&error));
        processes.spawn(&spec).map_err(failed)
    }
}

/// Who the daemon is.
fn own() -> Ids {
    Ids { uid: geteuid().as_raw(), gid: getegid().as_raw() }
}
