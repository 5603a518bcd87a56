//! The set-up of the official client: `~/.sprites/sprites.json` (section 1.5).

use super::DEFAULT_URL;
use crate::config::Secret;
use crate::error::{Error, Result};
use crate::provider::import::{Imported, Importer, Places};
use serde::Deserialize;
use serde_json::Map;
use std::collections::BTreeMap;

pub(super) const IMPORTER: Importer = Importer { client: "sprite", read };

const FILE: &str = ".sprites/sprites.json";

#[derive(Deserialize)]
struct Setup {
    current_selection: Option<Selection>,
    #[serde(default)]
    urls: BTreeMap<String, Api>,
}

#[derive(Default, Deserialize)]
struct Selection {
    #[serde(default)]
    url: String,
    #[serde(default)]
    org: String,
}

#[derive(Deserialize)]
struct Api {
    #[serde(default)]
    orgs: BTreeMap<String, Organization>,
}

#[derive(Deserialize)]
struct Organization {
    token: Option<String>,
}

fn read(places: &Places<'_>) -> Result<Vec<Result<Imported>>> {
    let home = places.home.ok_or_else(|| Error::config("cannot look for the official client: HOME is not set"))?;
    let path = home.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => Secret::new(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::not_found(format!(
                "the official client has no set-up: there is no `{}`",
                path.display()
            ))
            .hint("`esker endpoint login sprites` stores a token, --from-fly makes one"));
        }
        Err(error) => return Err(Error::config(format!("cannot read `{}`", path.display())).source(error)),
    };
    // The parser's own words could quote a token.
    let setup: Setup = serde_json::from_str(text.expose()).map_err(|_| {
        Error::config(format!("cannot read `{}`: it is not what the official client writes", path.display()))
    })?;
    let found = taken(setup);
    if found.is_empty() {
        return Err(Error::not_found(format!("`{}` knows no organization", path.display())));
    }
    Ok(found)
}

/// An endpoint for each organization. That which is selected at the usual address is the provider's own.
fn taken(setup: Setup) -> Vec<Result<Imported>> {
    let selected = setup.current_selection.unwrap_or_default();
    let mut found = Vec::new();
    for (url, api) in setup.urls {
        for (organization, entry) in api.orgs {
            let is_selected = url == selected.url && organization == selected.org;
            let what = format!("{organization} at {url}");
            let Some(token) = entry.token.filter(|token| !token.trim().is_empty()) else {
                found.push(Err(in_keyring(&organization, &url)));
                continue;
            };
            let is_usual = url.trim_end_matches('/') == DEFAULT_URL;
            let mut keys = Map::new();
            if !(is_selected && is_usual) {
                keys.insert("url".to_owned(), url.as_str().into());
                keys.insert("organization".to_owned(), organization.as_str().into());
            }
            let name = if is_selected { "sprites".to_owned() } else { format!("sprites-{}", plain(&organization)) };
            let secret = Some(("token", Secret::new(token.trim())));
            found.push(Ok(Imported { name, what, keys, secret }));
        }
    }
    found
}

/// Only what the name of an endpoint may hold.
fn plain(organization: &str) -> String {
    organization.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect()
}

fn in_keyring(organization: &str, url: &str) -> Error {
    Error::auth(format!(
        "the token of organization `{organization}` at `{url}` is in the system's keyring, which esker does not read"
    ))
    .hint(format!("`esker endpoint login sprites --from-fly --org {organization}` makes another one"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn tokens_in_the_file_are_taken_over_and_those_in_a_keyring_are_named() {
        let setup: Setup = serde_json::from_str(
            r#"{"version":"1","current_selection":{"url":"https://api.sprites.dev","org":"acme"},"disable_keyring":true,
            "urls":{"https://api.sprites.dev":{"url":"https://api.sprites.dev","orgs":{
                "acme":{"name":"acme","token":"acme/1/2/hunter2\n","use_keyring":false,"sprites":{}},
                "b b":{"name":"b b","token":"hunter3"},
                "hidden":{"name":"hidden","keyring_key":"k","use_keyring":true}}}}}"#,
        )
        .unwrap();
        let found = taken(setup);
        let own = found[0].as_ref().unwrap();
        assert_eq!(
            (own.name.as_str(), own.keys.len(), own.what.as_str()),
            ("sprites", 0, "acme at https://api.sprites.dev")
        );
        assert_eq!(own.secret, Some(("token", Secret::new("acme/1/2/hunter2"))));
        let other = found[1].as_ref().unwrap();
        assert_eq!((other.name.as_str(), &other.keys["organization"]), ("sprites-b-b", &"b b".into()));
        let hidden = found[2].as_ref().unwrap_err();
        assert_eq!(hidden.kind(), ErrorKind::Auth);
        assert!(hidden.to_string().contains("`hidden`"));
        assert!(!format!("{found:?}").contains("hunter"));
    }
}
