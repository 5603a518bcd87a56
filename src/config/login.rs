//! What `endpoint login` stored: one private file per endpoint under the state directory.

use super::{Secret, load, reason, write};
use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The stored logins.
#[derive(Clone, Debug)]
pub struct Logins(PathBuf);

/// One stored login: secrets by what they are (`token`, `password`, `refresh_token`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// The secrets.
    pub secrets: BTreeMap<String, Secret>,
    /// What to act on: the file is open to others.
    pub warning: Option<String>,
}

impl Logins {
    /// The logins under a state directory.
    pub fn new(state: &Path) -> Self {
        Self(state.join("logins"))
    }

    /// Where the login of an endpoint is kept.
    pub fn path(&self, endpoint: &str) -> Result<PathBuf> {
        super::check_name(endpoint)
            .map_err(|why| Error::usage(format!("cannot keep a login for `{endpoint}`: {why}")))?;
        Ok(self.0.join(format!("{endpoint}.json")))
    }

    /// The login of an endpoint, if there is one.
    pub fn load(&self, endpoint: &str) -> Result<Option<Login>> {
        let path = self.path(endpoint)?;
        let cannot = |why: &str| Error::config(format!("cannot read the login `{}`: {why}", path.display()));
        let text = match fs::read_to_string(&path) {
            Ok(text) => Secret::new(text),
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(cannot(&reason(&e))),
        };
        // The parser's own words would quote the content.
        let secrets: BTreeMap<String, String> = serde_json::from_str(text.expose())
            .map_err(|_| cannot("it is damaged").hint(format!("sign in again: `esker endpoint login {endpoint}`")))?;
        let warning = fs::metadata(&path).ok().and_then(|meta| load::exposure(&path, &meta, true));
        Ok(Some(Login { secrets: secrets.into_iter().map(|(k, v)| (k, Secret::new(v))).collect(), warning }))
    }

    /// Stores the login of an endpoint in place of an earlier one, with mode 0600 whatever that one had.
    pub fn store(&self, endpoint: &str, secrets: &BTreeMap<String, Secret>) -> Result<()> {
        let path = self.path(endpoint)?;
        let _lock = write::lock(&path)?;
        let exposed: BTreeMap<&str, &str> = secrets.iter().map(|(k, v)| (k.as_str(), v.expose())).collect();
        let text = serde_json::to_string(&exposed).map(Secret::new).map_err(Error::internal)?;
        let _ = fs::remove_file(&path);
        write::replace(&path, text.expose().as_bytes())
    }

    /// Forgets the login of an endpoint; whether there was one.
    pub fn remove(&self, endpoint: &str) -> Result<bool> {
        let path = self.path(endpoint)?;
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
            Err(e) => Err(Error::failure(format!("cannot remove `{}`: {}", path.display(), reason(&e)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(token: &str) -> BTreeMap<String, Secret> {
        BTreeMap::from([("token".to_owned(), Secret::new(token))])
    }

    #[test]
    fn a_login_is_kept_and_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let logins = Logins::new(&dir.path().join("state"));
        assert_eq!(logins.load("lab").unwrap(), None);
        assert!(!logins.remove("lab").unwrap());
        assert!(!dir.path().join("state").exists(), "nothing is created by reading");
        logins.store("lab", &login("a")).unwrap();
        logins.store("lab", &login("b")).unwrap();
        let kept = logins.load("lab").unwrap().unwrap();
        assert_eq!((&kept.secrets, kept.warning.as_ref()), (&login("b"), None));
        assert_eq!(fs::read_dir(dir.path().join("state/logins")).unwrap().count(), 1, "no temporary file is left");
        assert!(logins.remove("lab").unwrap());
        assert_eq!(logins.load("lab").unwrap(), None);
    }

    #[test]
    fn a_name_cannot_leave_the_directory() {
        let logins = Logins::new(Path::new("/nowhere"));
        for name in ["../x", "a/b", "", "..", ".x"] {
            assert!(logins.store(name, &login("t")).is_err(), "{name}");
        }
    }

    #[test]
    fn a_damaged_login_is_told_without_its_content() {
        let dir = tempfile::tempdir().unwrap();
        let logins = Logins::new(dir.path());
        logins.store("lab", &login("hunter2")).unwrap();
        fs::write(logins.path("lab").unwrap(), "{\"token\": hunter2}").unwrap();
        let error = logins.load("lab").unwrap_err();
        assert!(error.to_string().ends_with("it is damaged"));
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[cfg(unix)]
    #[test]
    fn a_login_is_private_and_one_that_is_not_is_warned_about() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let logins = Logins::new(&dir.path().join("state"));
        logins.store("lab", &login("a")).unwrap();
        let path = logins.path("lab").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let warning = logins.load("lab").unwrap().unwrap().warning.unwrap();
        assert!(warning.contains("can be read by others and holds a secret"), "{warning}");
        logins.store("lab", &login("b")).unwrap();
        assert_eq!(mode(&path), 0o600);
    }
}
