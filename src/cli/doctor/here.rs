//! What can be seen without talking to anybody.

use super::Diagnosis;
use crate::config::Logins;
use crate::context::{Ctx, variables};
use crate::settings::{CONFIG_VARIABLE, TABLE};
use crate::suggest::nearest;

/// The prefix of our own variables.
const PREFIX: &str = "ESKER_";

pub(super) fn examine(ctx: &Ctx) -> Vec<Diagnosis> {
    let mut found = config(ctx);
    found.extend(modes(ctx));
    found.extend(our_variables(ctx));
    found
}

/// Whether the files can be read, and the short names in them stand for something.
fn config(ctx: &Ctx) -> Vec<Diagnosis> {
    let broken = ctx.config.targets.keys().filter_map(|name| ctx.resolver.parse(name).err());
    let mut found: Vec<_> = ctx.faults.iter().map(|fault| Diagnosis::error("config", "fail", fault)).collect();
    found.extend(broken.map(|error| Diagnosis::error("config", "fail", &error)));
    if found.is_empty() {
        let files: Vec<_> = ctx.config.files.iter().map(|file| file.display().to_string()).collect();
        let reason =
            if files.is_empty() { "no config file".to_owned() } else { format!("valid: {}", files.join(", ")) };
        found.push(Diagnosis::new("config", "pass", reason));
    }
    found
}

/// Whether others can read or change what is ours.
fn modes(ctx: &Ctx) -> Vec<Diagnosis> {
    let mut warnings = ctx.config.warnings.clone();
    let mut broken = Vec::new();
    if let Some(logins) = ctx.dirs.state.as_deref().map(Logins::new) {
        for endpoint in ctx.resolver.endpoints() {
            match logins.load(&endpoint) {
                Ok(login) => warnings.extend(login.and_then(|login| login.warning)),
                Err(error) => broken.push(Diagnosis::error("modes", "fail", &error)),
            }
        }
    }
    let warn = |text: &String| match text.split_once(": ") {
        Some((reason, fix)) => Diagnosis::new("modes", "warn", reason).fix(fix),
        None => Diagnosis::new("modes", "warn", text),
    };
    let mut found: Vec<_> = warnings.iter().map(warn).chain(broken).collect();
    if found.is_empty() {
        found.push(Diagnosis::new("modes", "pass", "config and logins are yours alone"));
    }
    found
}

/// Whether every variable of ours means something, and the providers' own agree with each other.
fn our_variables(ctx: &Ctx) -> Vec<Diagnosis> {
    let known = || TABLE.iter().filter_map(|setting| setting.variable).chain([CONFIG_VARIABLE]);
    let set = variables(PREFIX);
    let mut found = Vec::new();
    for name in set.iter().filter(|name| !known().any(|known| known == name.as_str())) {
        let diagnosis = Diagnosis::new("variables", "warn", format!("{name} is set and means nothing"));
        found.push(match nearest(name, known()) {
            Some(near) => diagnosis.fix(format!("did you mean {near}?")),
            None => diagnosis.fix(format!("unset {name}")),
        });
    }
    for driver in ctx.resolver.registry() {
        if let Err(error) = (driver.implicit)(&crate::context::var) {
            found.push(Diagnosis::error("variables", "fail", &error).at(Some(driver.id), driver.id));
        }
    }
    if found.is_empty() {
        let own = ctx.resolver.registry().iter().flat_map(|driver| driver.variables);
        let own = own.filter(|name| crate::context::var(name).is_some()).map(|name| (*name).to_owned());
        let all: Vec<_> = set.into_iter().chain(own).collect();
        let reason = if all.is_empty() { "none is set".to_owned() } else { all.join(", ") };
        found.push(Diagnosis::new("variables", "pass", reason));
    }
    found
}
