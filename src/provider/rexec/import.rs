//! The set-up of the system's own client: `~/.rexec/config.json` (section 1.6).

use super::DEFAULT_URL;
use crate::config::Secret;
use crate::error::{Error, ErrorKind, Result};
use crate::provider::import::{Imported, Importer, Places};
use serde::Deserialize;
use serde_json::Map;
use std::path::{Path, PathBuf};

pub(super) const IMPORTER: Importer = Importer { client: "rexec", read };

const FILE: &str = ".rexec/config.json";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Content {
    host: String,
    token: String,
    username: String,
}

/// What the file says.
pub(super) struct Setup {
    pub(super) path: PathBuf,
    content: Content,
}

impl Setup {
    /// The server that it is about.
    pub(super) fn host(&self) -> &str {
        let host = self.content.host.trim().trim_end_matches('/');
        if host.is_empty() { DEFAULT_URL } else { host }
    }

    /// Whether it is about `url`: a token is for its own server only.
    pub(super) fn is_about(&self, url: Option<&str>) -> bool {
        url.is_none_or(|url| url.trim_end_matches('/').eq_ignore_ascii_case(self.host()))
    }

    /// The token.
    pub(super) fn token(&self) -> Option<&str> {
        Some(self.content.token.trim()).filter(|token| !token.is_empty())
    }
}

/// The file below `home`, if there is one.
pub(super) fn read_file(home: &Path) -> Result<Option<Setup>> {
    let path = home.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => Secret::new(text),
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(Error::config(format!("cannot read `{}`", path.display())).source(error)),
    };
    // The parser's own words could quote the token.
    let content = serde_json::from_str(text.expose()).map_err(|_| {
        Error::new(
            ErrorKind::Config,
            format!("cannot read `{}`: it is not what Rexec's own client writes", path.display()),
        )
    })?;
    Ok(Some(Setup { path, content }))
}

fn read(places: &Places<'_>) -> Result<Vec<Result<Imported>>> {
    let home = places.home.ok_or_else(|| Error::config("cannot look for Rexec's own client: HOME is not set"))?;
    let none = |why: &str| {
        Error::not_found(format!("{why} `{}`", home.join(FILE).display()))
            .hint("`esker endpoint login rexec` stores a token; --guest needs no account")
    };
    let setup = read_file(home)?.ok_or_else(|| none("Rexec's own client has no set-up: there is no"))?;
    let token = setup.token().ok_or_else(|| none("there is no token in"))?;
    let mut keys = Map::new();
    let is_usual = setup.is_about(Some(DEFAULT_URL));
    if !is_usual {
        keys.insert("url".to_owned(), setup.host().into());
    }
    let name = if is_usual { "rexec".to_owned() } else { format!("rexec-{}", plain(setup.host())) };
    let who = Some(setup.content.username.as_str()).filter(|who| !who.is_empty());
    let what = who.map_or_else(|| setup.host().to_owned(), |who| format!("{who} at {}", setup.host()));
    Ok(vec![Ok(Imported { name, what, keys, secret: Some(("token", Secret::new(token))) })])
}

/// Only what the name of an endpoint may hold.
fn plain(host: &str) -> String {
    let host = host.split_once("://").map_or(host, |(_, host)| host);
    host.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(content: &str) -> Result<Imported> {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".rexec")).unwrap();
        std::fs::write(home.path().join(FILE), content).unwrap();
        let places = Places { root: Path::new("/"), home: Some(home.path()) };
        read(&places).and_then(|mut found| found.remove(0))
    }

    #[test]
    fn the_file_of_the_client_is_taken_over() {
        let usual = taken(r#"{"host":"","token":"rexec_hunter2","username":"ada"}"#).unwrap();
        assert_eq!((usual.name.as_str(), usual.keys.len()), ("rexec", 0));
        assert_eq!(usual.secret, Some(("token", Secret::new("rexec_hunter2"))));
        let own = taken(r#"{"host":"https://rx.example:8443/","token":"t","tier":"pro"}"#).unwrap();
        assert_eq!((own.name.as_str(), &own.keys["url"]), ("rexec-rx.example-8443", &"https://rx.example:8443".into()));
        for bad in [r#"{"host":"x"}"#, "rexec_hunter2"] {
            assert!(!format!("{:?}", taken(bad).unwrap_err()).contains("hunter2"), "{bad}");
        }
        let nowhere = Places { root: Path::new("/"), home: Some(Path::new("/nonexistent")) };
        assert_eq!(read(&nowhere).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
