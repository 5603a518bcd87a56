//! Where files live: the XDG directories on every platform when they are set, otherwise the platform's (ux 10.3).
//!
//! Nothing here touches the disk: directories come into being when something is written.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The directories of esker; `None` where there is no home to put them in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dirs {
    /// The user's home.
    pub home: Option<PathBuf>,
    /// Of `config.yaml`.
    pub config: Option<PathBuf>,
    /// Of what must outlive a command: stored logins, sessions.
    pub state: Option<PathBuf>,
    /// Of what may be thrown away.
    pub cache: Option<PathBuf>,
    /// Of the machine's `config.yaml`, most important first.
    pub system: Vec<PathBuf>,
}

impl Dirs {
    /// Reads them from the environment. Relative values are ignored, as the XDG specification wants.
    pub fn find(var: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let absolute = |name| var(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = absolute("HOME").or_else(std::env::home_dir).filter(|home| home.is_absolute());
        let place = |name, below: &str, platform: fn(&directories::ProjectDirs) -> &Path| {
            if let Some(base) = absolute(name) {
                return Some(base.join("esker"));
            }
            if cfg!(any(target_os = "macos", windows)) {
                return directories::ProjectDirs::from("", "", "esker").map(|dirs| platform(&dirs).to_owned());
            }
            home.as_ref().map(|home| home.join(below).join("esker"))
        };
        let system = match var("XDG_CONFIG_DIRS").filter(|list| !list.is_empty()) {
            Some(list) => std::env::split_paths(&list).filter(|p| p.is_absolute()).map(|p| p.join("esker")).collect(),
            None => vec![PathBuf::from("/etc/xdg/esker")],
        };
        Self {
            config: place("XDG_CONFIG_HOME", ".config", directories::ProjectDirs::config_dir),
            state: place("XDG_STATE_HOME", ".local/state", |dirs| dirs.state_dir().unwrap_or(dirs.data_local_dir())),
            cache: place("XDG_CACHE_HOME", ".cache", directories::ProjectDirs::cache_dir),
            system,
            home,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(vars: &[(&str, &str)]) -> Dirs {
        Dirs::find(&|name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v)))
    }

    #[test]
    fn xdg_variables_win_and_relative_ones_do_not_count() {
        let dirs = find(&[
            ("HOME", "/h"),
            ("XDG_CONFIG_HOME", "/c"),
            ("XDG_STATE_HOME", ""),
            ("XDG_CACHE_HOME", "rel"),
            ("XDG_CONFIG_DIRS", "/a:rel:/b"),
        ]);
        assert_eq!(dirs.config.as_deref(), Some(Path::new("/c/esker")));
        assert_eq!(dirs.system, [Path::new("/a/esker"), Path::new("/b/esker")]);
        if cfg!(target_os = "linux") {
            assert_eq!(dirs.state.as_deref(), Some(Path::new("/h/.local/state/esker")));
            assert_eq!(dirs.cache.as_deref(), Some(Path::new("/h/.cache/esker")));
        }
    }

    #[test]
    fn the_system_has_its_place_too() {
        assert_eq!(find(&[("HOME", "/h")]).system, [Path::new("/etc/xdg/esker")]);
    }
}
