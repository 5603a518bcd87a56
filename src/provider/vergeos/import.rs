//! The set-up of the official client: `~/.vrg/config.toml` (section 1.8).

use crate::config::{Secret, boolean};
use crate::error::{Error, Result};
use crate::provider::import::{Imported, Importer, Places};
use serde_json::Map;

pub(super) const IMPORTER: Importer = Importer { client: "vrg", read };

const FILE: &str = ".vrg/config.toml";

/// A section: its name, and its keys with their values.
#[derive(Debug, Default)]
struct Section {
    name: String,
    keys: Vec<(String, String)>,
}

impl Section {
    fn get(&self, key: &str) -> Option<&str> {
        let found = self.keys.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

fn read(places: &Places<'_>) -> Result<Vec<Result<Imported>>> {
    let home = places.home.ok_or_else(|| Error::config("cannot look for the official client: HOME is not set"))?;
    let path = home.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => Secret::new(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let what = format!("the official client has no set-up: there is no `{}`", path.display());
            return Err(Error::not_found(what).hint("`esker endpoint add lab --provider vergeos --set url=…` adds one"));
        }
        Err(error) => return Err(Error::config(format!("cannot read `{}`", path.display())).source(error)),
    };
    let sections = sections(text.expose()).map_err(|line| {
        Error::config(format!("cannot read `{}`: line {line} is not what the official client writes", path.display()))
    })?;
    let found: Vec<_> = sections.iter().filter_map(taken).collect();
    if found.is_empty() {
        return Err(Error::not_found(format!("`{}` names no system", path.display())));
    }
    Ok(found)
}

/// The little of TOML that the official client writes: sections of keys with a text, a boolean or a number. The error
/// is the number of a line, and never its content, which may be a secret.
fn sections(text: &str) -> Result<Vec<Section>, usize> {
    let mut all: Vec<Section> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            let name = rest.split(']').next().filter(|_| rest.contains(']')).ok_or(at + 1)?;
            all.push(Section { name: name.trim().replace('"', ""), keys: Vec::new() });
            continue;
        }
        let (key, value) = line.split_once('=').ok_or(at + 1)?;
        let value = scalar(value.trim()).ok_or(at + 1)?;
        // What stands above all sections is none of ours: which profile is the default one.
        if let Some(section) = all.last_mut() {
            section.keys.push((key.trim().trim_matches('"').to_owned(), value));
        }
    }
    Ok(all)
}

fn scalar(value: &str) -> Option<String> {
    if let Some(rest) = value.strip_prefix('\'') {
        return rest.split_once('\'').map(|(text, _)| text.to_owned());
    }
    let Some(rest) = value.strip_prefix('"') else {
        return Some(value.split('#').next().unwrap_or_default().trim().to_owned());
    };
    let mut text = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return Some(text),
            '\\' => match chars.next()? {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                c @ ('"' | '\\') => text.push(c),
                c @ ('u' | 'U') => {
                    let digits: String = chars.by_ref().take(if c == 'u' { 4 } else { 8 }).collect();
                    text.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                }
                _ => return None,
            },
            c => text.push(c),
        }
    }
}

/// An endpoint for each section that names a host.
fn taken(section: &Section) -> Option<Result<Imported>> {
    let name = section.name.strip_prefix("profile.").or_else(|| section.name.strip_prefix("profiles."));
    let name = name.unwrap_or(&section.name);
    let host = section.get("host")?;
    let host = host.strip_prefix("https://").or_else(|| host.strip_prefix("http://")).unwrap_or(host);
    let host = host.trim_end_matches('/');
    let mut keys = Map::from_iter([("url".to_owned(), format!("https://{host}").into())]);
    if let Some(user) = section.get("username") {
        keys.insert("username".to_owned(), user.into());
    }
    match section.get("verify_ssl").map(boolean) {
        Some(Some(false)) => {
            keys.insert("insecure".to_owned(), true.into());
        }
        Some(None) => {
            return Some(Err(Error::config(format!("profile `{name}` has a `verify_ssl` that is no boolean"))));
        }
        _ => {}
    }
    if let Some(timeout) = section.get("timeout").filter(|timeout| timeout.parse::<u32>().is_ok() && *timeout != "30") {
        keys.insert("request_timeout".to_owned(), format!("{timeout}s").into());
    }
    let token = section.get("token").or_else(|| section.get("api_key")).map(|token| ("token", token));
    let secret = token.or_else(|| section.get("password").map(|password| ("password", password)));
    // `default` would say nothing among other endpoints.
    let name = if name == "default" { "vrg" } else { name };
    Some(Ok(Imported {
        name: name.to_owned(),
        what: host.to_owned(),
        keys,
        secret: secret.map(|(kind, secret)| (kind, Secret::new(secret))),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const RECORDED: &str = "default_profile = \"prod\"\n\n[default]\nhost = \"192.0.2.1\"\ntoken = \"k\\\"ey\"\nverify_ssl = true\noutput = \"table\"\ntimeout = 30\n\n[profile.lab]\nhost = \"http://192.0.2.2:8443/\"\nusername = \"admin\" # who\npassword = 'pa#ss'\nverify_ssl = false\ntimeout = 90\n\n[profile.empty]\noutput = \"json\"\n";

    #[test]
    fn profiles_become_endpoints() {
        let found: Vec<_> = sections(RECORDED).unwrap().iter().filter_map(taken).map(Result::unwrap).collect();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].name.as_str(), &found[0].keys["url"]), ("vrg", &json!("https://192.0.2.1")));
        assert_eq!(found[0].secret.as_ref().map(|(kind, secret)| (*kind, secret.expose())), Some(("token", "k\"ey")));
        let lab =
            json!({"url": "https://192.0.2.2:8443", "username": "admin", "insecure": true, "request_timeout": "90s"});
        assert_eq!(serde_json::Value::Object(found[1].keys.clone()), lab);
        assert_eq!(
            found[1].secret.as_ref().map(|(kind, secret)| (*kind, secret.expose())),
            Some(("password", "pa#ss"))
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_line_alone() {
        assert_eq!(sections("[default]\ntoken hunter2\n").unwrap_err(), 2);
        assert_eq!(sections("[default\n").unwrap_err(), 1);
        assert_eq!(sections("[a]\nx = \"open\n").unwrap_err(), 2);
    }
}
