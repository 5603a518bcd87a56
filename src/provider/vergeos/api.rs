//! Plain data of the wire (sections 1 to 3), shared with the simulator.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The root of everything but session tokens and the version.
pub const ROOT: &str = "/api/v4";
/// What stands before the name of a table.
pub const TABLES: &str = "/api/v4/";
/// Where sessions begin and end (section 1.2).
pub const TOKENS: &str = "/api/sys/tokens";
/// Who answers, without a credential (section 1.1).
pub const VERSION: &str = "/version.json";
/// The header of a session.
pub const SESSION_HEADER: &str = "x-yottabyte-token";
/// The parts in which a file is uploaded, in bytes (section 4.6).
pub const PART: u64 = 262_144;

/// `GET /version.json`.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Version {
    /// Such as `26.1.8`.
    #[serde(default)]
    pub version: String,
}

/// What a session begins with.
#[derive(Debug, Deserialize, Serialize)]
pub struct Login {
    /// The user.
    pub login: String,
    /// The password.
    pub password: String,
}

/// The answer to what makes a row (section 2.1); the key is a text there, whatever it is in rows.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Created {
    /// `/v4/vms/36`.
    #[serde(default)]
    pub location: Option<String>,
    /// The key.
    #[serde(rename = "$key", default)]
    pub key: Option<Value>,
    /// What the table adds, such as the machine of a virtual machine.
    #[serde(default)]
    pub response: Map<String, Value>,
}

impl Created {
    /// The key as text: its own member, or the end of the location.
    pub fn key(&self) -> Option<String> {
        let own = self.key.as_ref().and_then(text);
        own.or_else(|| Some(self.location.as_ref()?.rsplit('/').next()?.to_owned()).filter(|key| !key.is_empty()))
    }
}

/// A key or reference as text: numbers and texts are one (section 2.2).
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

/// A reference to a row: 0, null and nothing mean none; of `vms/39` and `/v4/users/2` the last part.
pub fn reference(value: &Value) -> Option<String> {
    let text = text(value)?;
    let last = text.rsplit('/').next().unwrap_or_default();
    (!last.is_empty() && last != "0").then(|| last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_read_in_every_form() {
        let created = |value: Value| serde_json::from_value::<Created>(value).unwrap().key();
        let recorded = json!({"location": "/v4/vms/36", "dbpath": "vms/36", "$row": 36, "$key": "36"});
        assert_eq!(created(recorded).as_deref(), Some("36"));
        assert_eq!(created(json!({"$key": 9_007_199_254_740_993_u64})).as_deref(), Some("9007199254740993"));
        assert_eq!(created(json!({"location": "/v4/vms/7"})).as_deref(), Some("7"));
        assert_eq!(created(json!({})), None);
        assert_eq!(reference(&json!("/v4/users/2")).as_deref(), Some("2"));
        assert_eq!((reference(&json!(0)), reference(&json!(null)), reference(&json!("0"))), (None, None, None));
    }
}
