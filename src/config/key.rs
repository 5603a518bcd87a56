//! What configuration may say: keys and their kinds, as data that the registry and the settings hand in.

use crate::error::Result;
use serde_json::Value;

/// What a configuration key holds; decides how its value is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Any text.
    Text,
    /// A path; relative ones start at the config file's folder, `~` expands.
    Path,
    /// An absolute URL.
    Url,
    /// `true` or `false`.
    Bool,
    /// A duration such as `90s`.
    Duration,
    /// A command as a list of words.
    Argv,
    /// Words, none included.
    Words,
    /// Variables: names and their values.
    Variables,
    /// A secret: never shown, and warned about where it stands in a file.
    Secret,
}

/// A key that an endpoint may have in the config.
#[derive(Debug)]
pub struct ConfigKey {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: KeyKind,
    /// One line of help.
    pub summary: &'static str,
}

/// A file of another client, in a directory or above it, that says which place the directory is about.
#[derive(Debug)]
pub struct PlaceFile {
    /// Its name.
    pub name: &'static str,
    /// Reads its text; `None` if it is something else that only has that name.
    pub read: fn(&str) -> Option<Pointed>,
}

/// What such a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointed {
    /// The place inside an endpoint.
    pub place: String,
    /// A key that its endpoint should have, and the value: of several endpoints the one that has it is meant.
    pub key: Option<(&'static str, String)>,
}

/// What the rest of the program knows about keys. Handed in, so that `config` knows neither providers nor settings.
pub trait Rules {
    /// The top-level keys beside `endpoints` and `targets`.
    fn settings(&self) -> Vec<&'static str>;
    /// The ids of the providers, which are also the names of their implicit endpoints.
    fn providers(&self) -> Vec<&'static str>;
    /// The keys of an endpoint of `provider`, beside the common ones; `None` if there is no such provider.
    fn keys(&self, provider: &str) -> Option<&'static [ConfigKey]>;
    /// The files of other clients that name a place, each with its provider.
    fn place_files(&self) -> Vec<(&'static str, &'static PlaceFile)> {
        Vec::new()
    }
}

impl KeyKind {
    /// Reads what somebody typed as the value of a key; a command may be a JSON list or words between blanks.
    pub fn parse(self, text: &str) -> Result<Value, String> {
        let scalar = super::Node::scalar;
        if self == Self::Variables {
            let pairs = text.split_whitespace().map(|pair| pair.split_once('=').filter(|(name, _)| !name.is_empty()));
            let pairs: Option<serde_json::Map<String, Value>> =
                pairs.map(|pair| pair.map(|(name, value)| (name.to_owned(), value.into()))).collect();
            return pairs.map(Value::from).ok_or_else(|| "expected NAME=VALUE, several between blanks".to_owned());
        }
        if !matches!(self, Self::Argv | Self::Words) {
            return self.read(&scalar(text));
        }
        let words: Vec<String> = if text.trim_start().starts_with('[') {
            serde_json::from_str(text).map_err(|_| "expected a JSON list of words".to_owned())?
        } else {
            text.split_whitespace().map(str::to_owned).collect()
        };
        let list = words.iter().map(|word| scalar(word)).collect();
        self.read(&super::Node { value: super::document::Value::List(list), ..scalar("") })
    }

    /// Checks what a file says, and brings it into the form that `EndpointConfig` hands out.
    pub(super) fn read(self, node: &super::Node) -> Result<Value, String> {
        match self {
            Self::Text | Self::Path | Self::Secret => {
                node.text().map(Value::from).ok_or_else(|| "expected a text".to_owned())
            }
            Self::Url if node.text().is_some_and(|text| text.starts_with("unix:/")) => {
                Ok(node.text().unwrap_or_default().into())
            }
            Self::Url => match node.text().and_then(|text| Some((text, text.split_once("://")?.1))) {
                // It would be shown wherever the URL is.
                Some((_, rest)) if rest.split('/').next().is_some_and(|host| host.contains('@')) => {
                    Err("a URL must not hold credentials".to_owned())
                }
                Some((text, _)) => Ok(text.into()),
                None => Err("expected a URL such as `https://host:port`".to_owned()),
            },
            Self::Bool => node.text().and_then(boolean).map(Value::from).ok_or_else(|| BOOLEAN.to_owned()),
            Self::Duration => {
                let text = node.text().unwrap_or_default();
                super::duration::parse(text).map(|_| text.into())
            }
            Self::Words => {
                let words: Option<Vec<&str>> =
                    node.list().and_then(|list| list.iter().map(super::Node::text).collect());
                words.map(Value::from).ok_or_else(|| "expected a list of words, such as `[a, b]`".to_owned())
            }
            Self::Variables => {
                let entries = node.map().map(|entries| {
                    let pair = |entry: &super::Entry| Some((entry.key.clone(), Value::from(entry.value.text()?)));
                    entries.iter().map(pair).collect::<Option<serde_json::Map<_, _>>>()
                });
                let variables = entries.flatten().map(Value::from);
                variables.ok_or_else(|| "expected names and texts, such as `{ RUST_LOG: debug }`".to_owned())
            }
            Self::Argv => {
                let words: Option<Vec<&str>> =
                    node.list().and_then(|list| list.iter().map(super::Node::text).collect());
                match words {
                    Some(words) if !words.is_empty() => Ok(words.into()),
                    _ => Err("expected a command as a list of words, such as `[pass, show, lab]`".to_owned()),
                }
            }
        }
    }
}

/// What a boolean may be written as.
pub const BOOLEAN: &str = "expected true or false (1/0, yes/no and on/off do too)";

/// Reads a boolean (ux 2.4).
pub fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}
