//! What must hold inside one layer, whatever it is added to.

use super::document::{DEFAULT_PERIOD, Document, Object, Value};
use super::report::{Path, Report, below};
use super::schema::Section;
use super::words;

/// Words that end one command and begin another in a shell: here they are arguments.
const SHELL: [&str; 8] = ["&&", "||", "|", ";", ">", ">>", "<", "2>&1"];

/// Checks every object of `layer`.
pub(super) fn check(layer: &Document, report: &mut Report) {
    for section in Section::ALL {
        for (name, object) in layer.section(section) {
            let path = vec![section.name().to_owned(), name.clone()];
            check_name(section, name, &path, report);
            check_override(section, name, object, &path, report);
            match section {
                Section::Services => check_service(object, &path, report),
                Section::Checks => check_check(object, &path, report),
                Section::LogTargets => check_log_target(object, &path, report),
                Section::Workloads => check_account(object, &path, report),
            }
        }
    }
}

fn check_name(section: Section, name: &str, path: &Path, report: &mut Report) {
    let noun = section.noun();
    if name.is_empty() {
        let message = format!("a {noun} needs a name");
        // The daemon forgets to look at the names of log targets.
        let refused = section != Section::LogTargets;
        let _ = if refused { report.error(path, message) } else { report.warning(path, message) };
    }
    if section != Section::Services {
        return;
    }
    match name {
        "pebble" => {
            report.error(path, "a service cannot be called `pebble`");
        }
        "all" | "default" | "none" => {
            report
                .warning(path, format!("`{name}` as the name of a service is deprecated: it has a meaning of its own"));
        }
        name if name.starts_with('-') => {
            report.error(path, "the name of a service cannot start with `-`");
        }
        _ => {}
    }
}

fn check_override(section: Section, name: &str, object: &Object, path: &Path, report: &mut Report) {
    // A word that is none of these two was reported already.
    if object.text("override").is_empty() {
        let message = format!("{} `{name}` must say `override: replace` or `override: merge`", section.noun());
        let key = below(path, "override");
        let _ = if report.has(&key) { report.error(&key, message) } else { report.error(path, message) };
    }
    if object.text("override") == "merge" {
        for key in section.keys() {
            let path = below(path, key.name);
            if report.has(&path) && !object.has_any(&[key.name]) && !report.has_error(&path) {
                report.warning(&path, "an empty value changes nothing: merging cannot unset");
            }
        }
    }
}

fn check_service(service: &Object, path: &Path, report: &mut Report) {
    check_command(service.text("command"), &below(path, "command"), true, report);
    if let Some(Value::Float(factor)) = service.0.get("backoff-factor") {
        let path = below(path, "backoff-factor");
        if *factor < 1.0 {
            report.error(&path, format!("the factor must be at least 1, not {factor}"));
        } else if !factor.is_finite() {
            report.warning(&path, format!("{factor} is not a factor to multiply a delay by"));
        }
    }
    for key in ["backoff-delay", "backoff-limit", "kill-delay"] {
        if service.duration(key).is_some_and(|nanoseconds| nanoseconds < 0) {
            report.warning(&below(path, key), "a negative duration is over before it starts");
        }
    }
    if service.has_any(&["group", "group-id"])
        && !service.has_any(&["user", "user-id"])
        && service.text("override") != "merge"
    {
        report.warning(&below(path, group_key(service)), "a group without a user: the service will not start");
    }
}

fn check_check(check: &Object, path: &Path, report: &mut Report) {
    for key in ["period", "timeout"] {
        match check.duration(key) {
            Some(0) => {
                report.error(&below(path, key), format!("the {key} must not be zero"));
            }
            Some(nanoseconds) if nanoseconds < 0 => {
                report.warning(&below(path, key), format!("a negative {key} makes no sense"));
            }
            _ => {}
        }
    }
    // The period of a check that is merged may be in another layer.
    let default = (check.text("override") == "replace").then_some(DEFAULT_PERIOD);
    if let (Some(period), Some(timeout)) = (check.duration("period").or(default), check.duration("timeout"))
        && timeout > period
    {
        report.warning(&below(path, "timeout"), "the timeout is longer than the period, which is used instead");
    }
    if let Some(Value::Int(threshold)) = check.0.get("threshold")
        && *threshold < 0
    {
        report.warning(&below(path, "threshold"), "a negative threshold makes no sense");
    }
    if let Some(http) = check.object("http") {
        let url = http.text("url");
        if !url.is_empty() && !url.starts_with("http://") && !url.starts_with("https://") {
            report.warning(&below(&below(path, "http"), "url"), "not an http:// or https:// URL: the check will fail");
        }
    }
    if let Some(tcp) = check.object("tcp")
        && let Some(Value::Int(port)) = tcp.0.get("port")
        && !(1..=65535).contains(port)
    {
        report.warning(&below(&below(path, "tcp"), "port"), format!("{port} is no TCP port: the check will fail"));
    }
    if let Some(exec) = check.object("exec") {
        let path = below(path, "exec");
        check_command(exec.text("command"), &below(&path, "command"), false, report);
        check_account(exec, &path, report);
    }
}

fn check_log_target(target: &Object, path: &Path, report: &mut Report) {
    for (label, _) in target.map("labels") {
        if label.starts_with("pebble_") {
            report.error(
                &below(&below(path, "labels"), label),
                format!("label `{label}`: names that start with `pebble_` are reserved"),
            );
        }
    }
}

/// Whom a check or workload runs as. Whether such users exist, only the daemon's host can say.
fn check_account(object: &Object, path: &Path, report: &mut Report) {
    if object.has_any(&["group", "group-id"]) && !object.has_any(&["user", "user-id"]) {
        report.error(&below(path, group_key(object)), "a group needs a user beside it");
    }
}

fn group_key(object: &Object) -> &'static str {
    if object.has_any(&["group"]) { "group" } else { "group-id" }
}

fn check_command(command: &str, path: &Path, groups: bool, report: &mut Report) {
    if command.is_empty() {
        return;
    }
    let words = match words::split(command) {
        Ok(words) => words,
        Err(why) => {
            report.error(path, format!("cannot split this command into words: {why}"));
            return;
        }
    };
    if groups && let Err(why) = words::check_group(&words) {
        report.error(path, format!("cannot use this command: {why}"));
    }
    if words.is_empty() {
        report.warning(path, "there is no word in this command: it will not start");
    }
    if let Some(word) = words.iter().find(|word| !word.quoted && SHELL.contains(&word.text.as_str())) {
        let message = format!("`{}` is an argument here, since no shell reads this command", word.text);
        report.warning(path, message).suggestion = Some(format!("sh -c '{}'", command.replace('\'', "'\\''")));
    }
}
