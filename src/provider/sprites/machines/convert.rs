//! From the wire to the model.

use crate::model::{Extra, Machine, MachineHealth, Time};
use crate::provider::sprites::api;
use serde_json::Value;

/// The states of section 2.2 in which a sandbox can be used: one that sleeps wakes up on its first request.
const USABLE: [&str; 2] = ["healthy", "hibernated"];

/// A sandbox as a machine.
pub(super) fn machine(sprite: api::Sprite) -> Machine {
    let api::Sprite { id, name, status, mut rest } = sprite;
    let url = text(&mut rest, "url");
    let labels = rest.shift_remove("labels").and_then(|labels| serde_json::from_value(labels).ok()).unwrap_or_default();
    let region = text(&mut rest, "primary_region");
    let created_at = text(&mut rest, "created_at").and_then(|text| time(&text));
    let last_active_at = text(&mut rest, "last_running_at").and_then(|text| time(&text));
    let config = rest.get("config");
    let number = |name: &str| config.and_then(|config| config.get(name)).and_then(Value::as_u64);
    let (cpus, ram, disk) = (number("cpus"), number("ram_mb"), number("storage_gb"));
    if !id.is_empty() {
        rest.insert("id".to_owned(), id.into());
    }
    Machine {
        key: super::key(&name),
        name,
        status: if status.is_empty() { "unknown".to_owned() } else { status },
        labels,
        url,
        image: None,
        region,
        cpus: cpus.and_then(|cpus| u32::try_from(cpus).ok()).map(f64::from),
        memory_bytes: ram.and_then(|mebibytes| mebibytes.checked_mul(1 << 20)),
        disk_bytes: disk.and_then(|gibibytes| gibibytes.checked_mul(1 << 30)),
        created_at,
        last_active_at,
        extra: rest,
    }
}

/// The answer of a check.
pub(super) fn health(check: api::Check) -> MachineHealth {
    MachineHealth {
        healthy: USABLE.contains(&check.status.as_str()),
        status: check.status,
        reason: check.reason.filter(|reason| !reason.is_empty()),
        checked_at: check.checked_at.as_deref().and_then(time),
        extra: check.rest,
    }
}

/// A time in any of the forms of section 2; one that cannot be read is unknown.
pub(super) fn time(text: &str) -> Option<Time> {
    text.parse().ok()
}

fn text(rest: &mut Extra, name: &str) -> Option<String> {
    match rest.shift_remove(name)? {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(document: Value) -> Machine {
        machine(serde_json::from_value(document).unwrap())
    }

    #[test]
    fn a_recorded_sandbox_is_read_and_what_is_unknown_is_kept() {
        let found = read(json!({
            "id": "sprite-7", "name": "dev", "status": "warm", "version": "v0.0.1-rc30", "url": "https://dev-a.sprites.app",
            "organization": "acme", "url_settings": {"auth": "sprite"}, "labels": ["ci", "k=v"],
            "created_at": "2026-01-31T12:20:24.123456Z", "updated_at": "2026-01-31T12:20:24Z",
            "last_running_at": "2026-01-31T14:20:24.5+02:00", "config": {"ram_mb": 2048, "cpus": 2, "storage_gb": 10},
        }));
        assert_eq!((found.name.as_str(), found.key.as_str(), found.status.as_str()), ("dev", "dev", "warm"));
        assert_eq!(found.labels, ["ci", "k=v"]);
        assert_eq!((found.cpus, found.memory_bytes, found.disk_bytes), (Some(2.0), Some(2 << 30), Some(10 << 30)));
        assert_eq!(found.created_at.unwrap().to_string(), "2026-01-31T12:20:24.123456Z");
        assert_eq!(found.last_active_at.unwrap().to_string(), "2026-01-31T12:20:24.5Z");
        assert_eq!((&found.extra["id"], &found.extra["organization"]), (&json!("sprite-7"), &json!("acme")));
    }

    #[test]
    fn a_sandbox_that_says_little_is_read_too() {
        let found = read(json!({"name": "x", "labels": null, "last_running_at": null, "created_at": "soon"}));
        assert_eq!((found.status.as_str(), found.labels.len(), found.created_at), ("unknown", 0, None));
    }
}
