//! What one configuration file says: its tree checked against the rules, unknown keys refused with a suggestion.

use super::document::{self, Entry, Node};
use super::key::{ConfigKey, KeyKind, Rules};
use super::{EndpointConfig, Layer, Origin, Secret, duration};
use crate::error::{Error, Result};
use crate::suggest::nearest;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A value of a file and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// The value.
    pub node: Node,
    /// Where it stands.
    pub origin: Origin,
}

/// A short name.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetConfig {
    /// The address it stands for, as written.
    pub address: String,
    /// What commands there start with.
    pub defaults: Defaults,
    /// Where it stands.
    pub origin: Origin,
}

/// What commands at a target start with; flags override it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// The working directory.
    pub workdir: Option<String>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
}

/// What one file says.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) settings: BTreeMap<String, Named>,
    pub(super) endpoints: BTreeMap<String, (EndpointConfig, Origin)>,
    pub(super) targets: BTreeMap<String, TargetConfig>,
    pub(super) warnings: Vec<String>,
}

const ENDPOINT_KEYS: [&str; 3] = ["provider", "connect_timeout", "request_timeout"];
const TARGET_KEYS: [&str; 3] = ["address", "workdir", "env"];

/// Reads the text of the file at `path`.
pub(super) fn read(text: &str, layer: Layer, path: &Arc<Path>, rules: &dyn Rules) -> Result<File> {
    let reader = Reader { layer, path, rules };
    let root = match document::parse(text) {
        Ok(Some(root)) => root,
        Ok(None) => return Ok(File::default()),
        Err(fault) => return Err(reader.at(fault.line).fault(&fault.what)),
    };
    if layer == Layer::Directory { reader.directory(&root) } else { reader.file(&root) }
}

struct Reader<'a> {
    layer: Layer,
    path: &'a Arc<Path>,
    rules: &'a dyn Rules,
}

impl Reader<'_> {
    fn at(&self, line: usize) -> Origin {
        Origin::File { layer: self.layer, path: Arc::clone(self.path), line }
    }

    /// The entries of what must be a map; `what` names it.
    fn map<'n>(&self, node: &'n Node, what: &str) -> Result<&'n [Entry]> {
        node.map().ok_or_else(|| self.at(node.line).fault(&format!("{what} must be a map")))
    }

    fn text<'n>(&self, entry: &'n Entry, of: &str) -> Result<&'n str> {
        let fault = || self.at(entry.line).fault(&format!("`{}` of {of} must be a text", entry.key));
        entry.value.text().ok_or_else(fault)
    }

    fn unknown(&self, entry: &Entry, of: &str, known: &[&str]) -> Error {
        let error = self.at(entry.line).fault(&format!("unknown key `{}`{of}", entry.key));
        match nearest(&entry.key, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("known keys are {}", known.join(", "))),
        }
    }

    fn directory(&self, root: &Node) -> Result<File> {
        let mut file = File::default();
        for entry in self.map(root, "the file")? {
            if entry.key != "target" {
                let what = format!("key `{}` is not allowed in a directory file", entry.key);
                return Err(self
                    .at(entry.line)
                    .fault(&what)
                    .hint("it may only hold `target: NAME`; what NAME is stands in config.yaml"));
            }
            self.text(entry, "the directory file")?;
            let named = Named { node: entry.value.clone(), origin: self.at(entry.line) };
            file.settings.insert("default_target".to_owned(), named);
        }
        Ok(file)
    }

    fn file(&self, root: &Node) -> Result<File> {
        let mut file = File::default();
        let settings = self.rules.settings();
        for entry in self.map(root, "the file")? {
            match entry.key.as_str() {
                "endpoints" => {
                    for endpoint in self.map(&entry.value, "`endpoints`")? {
                        self.endpoint(endpoint, &mut file)?;
                    }
                }
                "targets" => {
                    for target in self.map(&entry.value, "`targets`")? {
                        let config = self.target(target)?;
                        file.targets.insert(target.key.clone(), config);
                    }
                }
                key if settings.contains(&key) => {
                    if !entry.value.is_null() {
                        let named = Named { node: entry.value.clone(), origin: self.at(entry.line) };
                        file.settings.insert(key.to_owned(), named);
                    }
                }
                _ => {
                    let known: Vec<_> = ["endpoints", "targets"].into_iter().chain(settings).collect();
                    return Err(self.unknown(entry, "", &known));
                }
            }
        }
        Ok(file)
    }

    fn endpoint(&self, entry: &Entry, file: &mut File) -> Result<()> {
        let name = &entry.key;
        let of = format!("endpoint `{name}`");
        check_name(name).map_err(|why| self.at(entry.line).fault(&format!("{of}: {why}")))?;
        let entries = self.map(&entry.value, &of)?;
        let origin = self.at(entry.line);
        let mut config = EndpointConfig {
            name: name.clone(),
            origin: origin.to_string(),
            base: self.path.parent().map(Path::to_owned),
            ..EndpointConfig::default()
        };
        let providers = self.rules.providers();
        let Some(provider) = entries.iter().find(|entry| entry.key == "provider") else {
            return Err(origin
                .fault(&format!("{of} names no provider"))
                .hint(format!("add `provider:` with one of {}", providers.join(", "))));
        };
        self.text(provider, &of)?.clone_into(&mut config.provider);
        let Some(keys) = self.rules.keys(&config.provider) else {
            let error = self.at(provider.line).fault(&format!("unknown provider `{}` of {of}", config.provider));
            return Err(match nearest(&config.provider, providers.iter().copied()) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("providers are {}", providers.join(", "))),
            });
        };
        // The name of an implicit endpoint may be configured, but not be given to another system.
        if config.provider != *name && providers.contains(&name.as_str()) {
            return Err(origin
                .fault(&format!("{of} has the name of a provider and is one of `{}`", config.provider))
                .hint("give the endpoint another name"));
        }
        for entry in entries {
            self.endpoint_key(entry, keys, &mut config, file)?;
        }
        file.endpoints.insert(name.clone(), (config, origin));
        Ok(())
    }

    fn endpoint_key(
        &self,
        entry: &Entry,
        keys: &'static [ConfigKey],
        config: &mut EndpointConfig,
        file: &mut File,
    ) -> Result<()> {
        let of = format!("endpoint `{}`", config.name);
        let deadline = || {
            duration::parse(entry.value.text().unwrap_or_default())
                .map_err(|why| self.at(entry.line).fault(&format!("`{}` of {of}: {why}", entry.key)))
        };
        match entry.key.as_str() {
            "provider" => {}
            "connect_timeout" => config.connect_timeout = Some(deadline()?),
            "request_timeout" => config.request_timeout = Some(deadline()?),
            name => {
                let Some(key) = keys.iter().find(|key| key.name == name) else {
                    let known: Vec<_> = ENDPOINT_KEYS.into_iter().chain(keys.iter().map(|key| key.name)).collect();
                    return Err(self.unknown(entry, &format!(" in {of}"), &known));
                };
                let value = key
                    .kind
                    .read(&entry.value)
                    .map_err(|why| self.at(entry.line).fault(&format!("`{name}` of {of}: {why}")))?;
                if key.kind == KeyKind::Secret {
                    file.warnings.push(format!(
                        "{of} keeps its {name} in `{}`, line {}: `{name}_file`, `{name}_command` or `esker endpoint login {}` keep it elsewhere",
                        self.path.display(), entry.line, config.name
                    ));
                    let text = value.as_str().unwrap_or_default();
                    config.secrets.insert(name.to_owned(), Secret::new(text));
                } else {
                    config.values.insert(name.to_owned(), value);
                }
            }
        }
        Ok(())
    }

    fn target(&self, entry: &Entry) -> Result<TargetConfig> {
        let of = format!("target `{}`", entry.key);
        check_name(&entry.key).map_err(|why| self.at(entry.line).fault(&format!("{of}: {why}")))?;
        let mut config =
            TargetConfig { address: String::new(), defaults: Defaults::default(), origin: self.at(entry.line) };
        if let Some(address) = entry.value.text() {
            address.clone_into(&mut config.address);
            return Ok(config);
        }
        for key in self.map(&entry.value, &of)? {
            match key.key.as_str() {
                "address" => self.text(key, &of)?.clone_into(&mut config.address),
                "workdir" => config.defaults.workdir = Some(self.text(key, &of)?.to_owned()),
                "env" => {
                    for pair in self.map(&key.value, &format!("`env` of {of}"))? {
                        let value = if pair.value.is_null() { "" } else { self.text(pair, &of)? };
                        config.defaults.env.insert(pair.key.clone(), value.to_owned());
                    }
                }
                _ => return Err(self.unknown(key, &format!(" in {of}"), &TARGET_KEYS)),
            }
        }
        if config.address.is_empty() {
            return Err(config.origin.fault(&format!("{of} has no address")).hint("add `address: ENDPOINT/NAME`"));
        }
        Ok(config)
    }
}

/// Checks the name of an endpoint or a short name: it stands in front of `/` and `:`, so it is never encoded.
pub fn check_name(name: &str) -> Result<(), String> {
    let bad = |c: char| "/:*?[]%".contains(c) || c.is_whitespace() || c.is_control();
    if name.is_empty() {
        Err("a name must not be empty".to_owned())
    } else if let Some(c) = name.chars().find(|c| bad(*c)) {
        Err(format!("a name must not hold `{}`", c.escape_default()))
    } else if name.starts_with(['-', '.', '~']) {
        Err("a name must not start with `-`, `.` or `~`".to_owned())
    } else if name == "unix" {
        Err("`unix` means a socket, as in `unix:/path`".to_owned())
    } else {
        Ok(())
    }
}
