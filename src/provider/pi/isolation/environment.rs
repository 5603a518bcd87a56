//! The environment of an agent, which starts empty.

use super::Layout;
use crate::error::Result;
use crate::provider::Variables;
use crate::provider::agent::{Isolation, Keys, SessionSpec};
use crate::provider::pi::Settings;
use crate::provider::pi::keys::{self, Wanted};
use bytes::Bytes;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

/// What of our environment every agent gets: where programs are, the language, the time zone.
const BASE: &[&str] = &["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"];

/// The whole environment of an agent.
pub(in crate::provider::pi) fn environment(
    layout: &Layout,
    spec: &SessionSpec,
    settings: &Settings,
    vars: &Variables,
) -> Result<Vec<(String, Bytes)>> {
    let mut env = Environment::default();
    for name in BASE {
        env.copy(name, vars);
    }
    env.set("TERM", "dumb");
    // Neither looks for updates, and neither tells anybody.
    env.set("PI_SKIP_VERSION_CHECK", "1");
    env.set("PI_TELEMETRY", "0");
    env.set("PI_OFFLINE", "1");
    match &layout.home {
        Some(home) => env.set("HOME", home.as_os_str()),
        None => env.copy("HOME", vars),
    }
    match &layout.agent {
        Some(agent) => env.set("PI_CODING_AGENT_DIR", agent.as_os_str()),
        None => env.copy("PI_CODING_AGENT_DIR", vars),
    }
    if spec.isolation == Isolation::ShareConfig || spec.keys == Keys::All {
        for name in keys::all() {
            env.copy(name, vars);
        }
    }
    for name in &settings.pass_env {
        env.copy(name, vars);
    }
    for (name, value) in settings.env.iter().chain(&spec.env) {
        env.set(name, value);
    }
    if spec.keys != Keys::OfProvider {
        if let Some(name) = settings.key_env.as_deref().filter(|_| spec.keys == Keys::All) {
            env.copy(name, vars);
        }
        return Ok(env.0);
    }
    let given: Vec<String> = env.0.iter().map(|(name, _)| name.clone()).collect();
    let provider = spec.model_provider.as_deref().or_else(|| keys::provider_of(spec.model.as_deref()?));
    let wanted = Wanted {
        endpoint: &settings.endpoint,
        provider,
        key_env: settings.key_env.as_deref(),
        given: &given,
        has_login: layout.has_login(spec),
    };
    for (name, value) in keys::select(&wanted, &|name| vars.get(name))? {
        if !given.contains(&name) {
            env.set(&name, value);
        }
    }
    Ok(env.0)
}

#[derive(Default)]
struct Environment(Vec<(String, Bytes)>);

impl Environment {
    fn set(&mut self, name: &str, value: impl Into<OsString>) {
        let value = Bytes::from(value.into().into_vec());
        self.0.retain(|(other, _)| other != name);
        self.0.push((name.to_owned(), value));
    }

    fn copy(&mut self, name: &str, vars: &Variables) {
        if let Some(value) = vars.get(name) {
            self.set(name, value);
        }
    }
}
