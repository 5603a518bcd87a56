//! From the wire to the model.

use crate::model::{Extra, Key, Machine, Time};
use crate::provider::rexec::api::Container;
use crate::provider::rexec::find::key;
use serde_json::Value;

/// The zero time of Go, which means never.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// A container or agent as a machine, with the labels that are kept here for it.
pub(super) fn machine(container: Container, labels: Vec<String>) -> Machine {
    let key = Key::from(key(&container));
    let Container { id, db_id, name, image, status, resources, mut rest } = container;
    let mut moment = |name: &str| match rest.shift_remove(name)? {
        Value::String(text) if text != NEVER => text.parse::<Time>().ok(),
        _ => None,
    };
    let (created_at, last_active_at) = (moment("created_at"), moment("last_used_at"));
    let region = match rest.shift_remove("region") {
        Some(Value::String(region)) if !region.is_empty() => Some(region),
        _ => None,
    };
    let some = resources.filter(|resources| resources.memory_mb > 0);
    let mut extra = Extra::from_iter([("id".to_owned(), id.into())]);
    if !db_id.is_empty() {
        extra.insert("db_id".to_owned(), db_id.into());
    }
    extra.extend(rest);
    Machine {
        key,
        name,
        status: if status.is_empty() { "unknown".to_owned() } else { status },
        labels,
        url: None,
        image: Some(image).filter(|image| !image.is_empty() && image != "agent"),
        region,
        // Thousandths of a processor.
        cpus: some.map(|some| some.cpu_shares as f64 / 1000.0),
        memory_bytes: some.and_then(|some| some.memory_mb.checked_mul(1 << 20)),
        disk_bytes: some.and_then(|some| some.disk_mb.checked_mul(1 << 20)),
        created_at,
        last_active_at,
        extra,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn containers_and_agents_are_read_and_what_is_unknown_is_kept() {
        let read = |document: Value| machine(serde_json::from_value(document).unwrap(), vec!["ci".to_owned()]);
        let found = read(json!({
            "id": "ab12", "db_id": "11-22", "user_id": "u", "name": "box", "image": "custom:x:1", "status": "configuring",
            "created_at": "2026-01-31T12:20:24.123456+02:00", "last_used_at": "0001-01-01T00:00:00Z", "mfa_locked": true,
            "resources": {"memory_mb": 512, "cpu_shares": 500, "disk_mb": 2048}, "brand_new": 1,
        }));
        assert_eq!((found.key.as_str(), found.status.as_str(), found.cpus), ("11-22", "configuring", Some(0.5)));
        assert_eq!((found.memory_bytes, found.last_active_at), (Some(512 << 20), None));
        assert_eq!((&found.extra["id"], &found.extra["mfa_locked"]), (&json!("ab12"), &json!(true)));
        assert_eq!(found.created_at.unwrap().to_string(), "2026-01-31T10:20:24.123456Z");
        let agent = read(
            json!({"id": "agent:77", "name": "pi", "status": "offline", "session_type": "agent", "region": "home"}),
        );
        assert_eq!((agent.key.as_str(), agent.region.as_deref(), agent.cpus), ("agent:77", Some("home"), None));
        assert_eq!(read(json!({"name": "x"})).status, "unknown");
    }
}
