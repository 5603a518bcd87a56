//! Finding, reading and merging the configuration files; every value keeps where it comes from.
//!
//! Without files this costs a failed `open` per place and nothing else.

use super::file::{self, File};
use super::place;
use super::{Dirs, EndpointConfig, Layer, Named, Origin, Rules, TargetConfig};
use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name of the file in a configuration directory.
pub const FILE: &str = "config.yaml";
/// The name of a directory file.
pub const DIRECTORY_FILE: &str = ".esker.yaml";
/// A directory file may come from a stranger, and a configuration is never as large as this.
pub(super) const MAX_BYTES: u64 = 1 << 20;

/// Where configuration is looked for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// The file named by flag or variable, which replaces the user's and the system's; and what named it.
    pub named: Option<(PathBuf, Origin)>,
    /// The user's file, whether it exists or not.
    pub user: Option<PathBuf>,
    /// The system's files, most important first.
    pub system: Vec<PathBuf>,
    /// The directory whose `.esker.yaml`, or that of its nearest parent, counts.
    pub cwd: Option<PathBuf>,
}

impl Search {
    /// The usual places.
    pub fn new(dirs: &Dirs, cwd: Option<PathBuf>, named: Option<(PathBuf, Origin)>) -> Self {
        Self {
            named,
            user: dirs.config.as_ref().map(|dir| dir.join(FILE)),
            system: dirs.system.iter().map(|dir| dir.join(FILE)).collect(),
            cwd,
        }
    }
}

/// All configuration files, merged.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The settings of the user's and system's files, by key.
    pub settings: BTreeMap<String, Named>,
    /// What the directory file names, or a file of another client there.
    pub directory: Option<Named>,
    /// The endpoints. One of the user's replaces one of the system's as a whole, so that they never share credentials.
    pub endpoints: BTreeMap<String, EndpointConfig>,
    /// The short names.
    pub targets: BTreeMap<String, TargetConfig>,
    /// The file that edits go to, whether it exists or not.
    pub writable: Option<PathBuf>,
    /// The files that were read, strongest first.
    pub files: Vec<PathBuf>,
    /// What to act on.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads and merges what `search` finds.
    pub fn load(search: &Search, rules: &dyn Rules) -> Result<Self> {
        let mut config = Self::default();
        let mut origins = BTreeMap::new();
        if let Some(path) = search.cwd.as_deref().and_then(directory_file)
            && let Some(mut file) = open(&path, Layer::Directory, rules)?
        {
            config.directory = file.settings.remove("default_target");
            config.files.push(path);
        }
        if let Some((path, origin)) = &search.named {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            let Some(file) = open(&path, Layer::User, rules)? else {
                return Err(Error::config(format!("cannot read config `{}`: no such file", path.display()))
                    .hint(format!("it is named by {origin}")));
            };
            config.take(path.clone(), file, &mut origins);
            config.writable = Some(path);
        } else {
            config.writable.clone_from(&search.user);
            let places = search.user.iter().map(|path| (path, Layer::User));
            for (path, layer) in places.chain(search.system.iter().map(|path| (path, Layer::System))) {
                if let Some(file) = open(path, layer, rules)? {
                    config.take(path.clone(), file, &mut origins);
                }
            }
        }
        if config.directory.is_none() {
            config.directory = search.cwd.as_deref().and_then(|cwd| place::find(cwd, rules, &config.endpoints));
        }
        config.refuse_clashes(&origins, rules)?;
        Ok(config)
    }

    /// Adds a weaker file.
    fn take(&mut self, path: PathBuf, file: File, origins: &mut BTreeMap<String, Origin>) {
        self.files.push(path);
        self.warnings.extend(file.warnings);
        for (key, value) in file.settings {
            self.settings.entry(key).or_insert(value);
        }
        for (name, (endpoint, origin)) in file.endpoints {
            origins.entry(name.clone()).or_insert(origin);
            self.endpoints.entry(name).or_insert(endpoint);
        }
        for (name, target) in file.targets {
            self.targets.entry(name).or_insert(target);
        }
    }

    /// Short names and endpoints, the implicit ones too, share one namespace (ux 1.3).
    fn refuse_clashes(&self, origins: &BTreeMap<String, Origin>, rules: &dyn Rules) -> Result<()> {
        if self.targets.is_empty() {
            return Ok(());
        }
        let providers = rules.providers();
        for (name, target) in &self.targets {
            let other = match origins.get(name) {
                Some(origin) => format!("the endpoint at {origin}"),
                None if providers.contains(&name.as_str()) => "the endpoint that its provider has by itself".to_owned(),
                None => continue,
            };
            let what = format!("target `{name}` has the same name as {other}");
            return Err(target.origin.fault(&what).hint("rename one of them"));
        }
        Ok(())
    }
}

/// The nearest `.esker.yaml` at or above `cwd`.
fn directory_file(cwd: &Path) -> Option<PathBuf> {
    cwd.ancestors().map(|dir| dir.join(DIRECTORY_FILE)).find(|path| path.symlink_metadata().is_ok())
}

/// Reads one file; `None` if it is not there.
fn open(path: &Path, layer: Layer, rules: &dyn Rules) -> Result<Option<File>> {
    let cannot = |why: String| Error::config(format!("cannot read config `{}`: {why}", path.display()));
    let opened = match std::fs::File::open(path) {
        Ok(opened) => opened,
        // A file where a directory should be is as absent as a missing one.
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
        Err(e) => return Err(cannot(crate::config::reason(&e))),
    };
    let meta = opened.metadata().map_err(|e| cannot(crate::config::reason(&e)))?;
    if meta.is_dir() {
        return Err(cannot("is a directory".to_owned()));
    }
    let mut bytes = Vec::new();
    opened.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|e| cannot(crate::config::reason(&e)))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(cannot("larger than 1 MiB".to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| cannot("not UTF-8".to_owned()))?;
    let mut file = file::read(&text, layer, &Arc::from(path), rules)?;
    // A pipe, as in `--config <(…)`, belongs to nobody else.
    if layer != Layer::Directory && meta.is_file() {
        let secret = file.endpoints.values().any(|(endpoint, _)| !endpoint.secrets.is_empty());
        file.warnings.extend(exposure(path, &meta, secret));
    }
    Ok(Some(file))
}

/// The warning about a file that others can reach: to write always matters, since a config can name commands to run;
/// to read matters where a secret stands in it.
#[cfg(unix)]
pub(super) fn exposure(path: &Path, meta: &std::fs::Metadata, secret: bool) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let what = match meta.mode() {
        mode if mode & 0o022 != 0 => "can be changed by others",
        mode if secret && mode & 0o044 != 0 => "can be read by others and holds a secret",
        _ => return None,
    };
    Some(format!("`{0}` {what}: run `chmod go-rwx {0}`", path.display()))
}

#[cfg(not(unix))]
pub(super) fn exposure(_: &Path, _: &std::fs::Metadata, _: bool) -> Option<String> {
    None
}

#[cfg(test)]
mod tests;
