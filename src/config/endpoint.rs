//! The configuration of one endpoint, as values; the registry checks its keys against the provider's.

use super::{Secret, duration};
use crate::error::{Error, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The configuration of one endpoint.
#[derive(Clone, Debug, Default)]
pub struct EndpointConfig {
    /// Its name.
    pub name: String,
    /// The provider that speaks to it.
    pub provider: String,
    /// Its keys, checked against the provider's.
    pub values: BTreeMap<String, Value>,
    /// Its inline secrets, kept apart so that nobody prints them.
    pub secrets: BTreeMap<String, Secret>,
    /// Where it is written: a file and line, or "environment" or "default", for messages and `config show --origin`.
    pub origin: String,
    /// The folder that relative paths start at.
    pub base: Option<PathBuf>,
    /// Whether it was made from the environment and defaults instead of a file.
    pub implicit: bool,
    /// Its own deadline for connecting.
    pub connect_timeout: Option<Duration>,
    /// Its own deadline for an answer to begin.
    pub request_timeout: Option<Duration>,
}

impl EndpointConfig {
    /// An endpoint made from the environment and defaults.
    pub fn implicit(provider: &'static str) -> Self {
        Self {
            name: provider.to_owned(),
            provider: provider.to_owned(),
            origin: "default".to_owned(),
            implicit: true,
            ..Self::default()
        }
    }

    /// Sets a key.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.values.insert(key.to_owned(), value.into());
        self
    }

    /// Sets a secret.
    pub fn with_secret(mut self, key: &str, secret: Secret) -> Self {
        self.secrets.insert(key.to_owned(), secret);
        self
    }

    /// The secret of a key.
    pub fn secret(&self, key: &str) -> Option<&Secret> {
        self.secrets.get(key)
    }

    /// The duration of a key.
    pub fn duration(&self, key: &str) -> Option<Duration> {
        duration::parse(self.text(key)?).ok()
    }

    /// The text of a key.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.values.get(key)?.as_str()
    }

    /// The switch of a key.
    pub fn flag(&self, key: &str) -> Option<bool> {
        self.values.get(key)?.as_bool()
    }

    /// The words of a key.
    pub fn words(&self, key: &str) -> Option<Vec<String>> {
        let words = self.values.get(key)?.as_array()?;
        words.iter().map(|word| word.as_str().map(str::to_owned)).collect()
    }

    /// The variables of a key; none if it is not there.
    pub fn variables(&self, key: &str) -> Vec<(String, String)> {
        let variables = self.values.get(key).and_then(Value::as_object);
        let pairs = variables.into_iter().flatten();
        pairs.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
    }

    /// The path of a key: `~` expands to `home`, relative ones start at the config file's folder.
    pub fn path(&self, key: &str, home: Option<&Path>) -> Result<Option<PathBuf>> {
        let Some(text) = self.text(key) else { return Ok(None) };
        let below_home = if text == "~" { Some("") } else { text.strip_prefix("~/") };
        let path = match (below_home, home) {
            (Some(rest), Some(home)) => home.join(rest),
            (Some(_), None) => {
                return Err(Error::config(format!(
                    "cannot expand `{text}` of endpoint `{}`: HOME is not set",
                    self.name
                )));
            }
            (None, _) => PathBuf::from(text),
        };
        Ok(Some(match &self.base {
            Some(base) if path.is_relative() => base.join(path),
            _ => path,
        }))
    }
}
