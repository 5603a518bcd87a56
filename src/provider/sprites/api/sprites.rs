//! Sandboxes, their organization and its tokens (sections 1.4 and 2.2).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A sandbox (section 2.2). Unknown members are kept for `extra`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sprite {
    /// `sprite-<uuid>`.
    #[serde(default)]
    pub id: String,
    /// Its name.
    pub name: String,
    /// `cold`, `warm` or `running`; may grow.
    #[serde(default)]
    pub status: String,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A page of sandboxes (section 2.2).
#[derive(Debug, Deserialize)]
pub struct Page {
    /// The sandboxes.
    pub sprites: Vec<Sprite>,
    /// Whether more follow; some servers say so after the last page too.
    #[serde(default)]
    pub has_more: bool,
    /// What to ask for next.
    pub next_continuation_token: Option<String>,
}

/// A line of the state stream (section 2.2).
#[derive(Debug, Deserialize)]
pub struct StateLine {
    /// `heartbeat` is about no sandbox.
    pub r#type: Option<String>,
    /// The sandbox.
    #[serde(default)]
    pub name: String,
    /// Its state; a line without one is about something else.
    pub status: Option<String>,
    /// When it last ran.
    pub last_running_at: Option<String>,
}

/// A sandbox to be made (section 2.2).
#[derive(Debug, Default, Serialize)]
pub struct Create {
    /// Its name.
    pub name: String,
    /// `ram_mb`, `cpus`, `region`, `storage_gb`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub config: Map<String, Value>,
    /// Its variables.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Who may use its address.
    #[serde(skip_serializing_if = "UrlSettings::is_empty")]
    pub url_settings: UrlSettings,
    /// Its labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// `wait_for_capacity`, `runtime`.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// What is to be changed of a sandbox; what is not there stays as it is (section 2.2).
#[derive(Debug, Default, Serialize)]
pub struct Update {
    /// Who may use its address.
    #[serde(skip_serializing_if = "UrlSettings::is_empty")]
    pub url_settings: UrlSettings,
    /// The labels that it bears from now on; an empty list changes nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Whether it bears none from now on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub clear_labels: bool,
}

/// Who may use an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlSettings {
    /// `sprite` or `public`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<String>,
    /// `admins` or `org_users`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_access: Option<String>,
}

impl UrlSettings {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How a sandbox is (section 2.2).
#[derive(Debug, Deserialize)]
pub struct Check {
    /// `healthy`, `hibernated`, `unhealthy` or `error`; may grow.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// When that was found.
    pub checked_at: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// The organization of a token (section 2.2).
#[derive(Debug, Deserialize)]
pub struct OrganizationReply {
    /// It.
    pub organization: Organization,
}

/// An organization and its limits.
#[derive(Debug, Default, Deserialize)]
pub struct Organization {
    /// Its short name.
    #[serde(default)]
    pub slug: String,
    /// Whether it may use Sprites at all.
    pub sprites_enabled: Option<bool>,
    /// The sandboxes that run, or how many.
    #[serde(default)]
    pub active_sprites: Value,
    /// How many it may have.
    pub max_sprites: Option<u64>,
    /// How many may run.
    pub active_sprite_limit: Option<u64>,
}

/// A token that was made (section 1.4).
#[derive(Deserialize)]
pub struct TokenReply {
    /// The token.
    pub token: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_said_is_not_sent() {
        let create = Create { name: "a".to_owned(), ..Create::default() };
        assert_eq!(serde_json::to_value(&create).unwrap(), json!({"name": "a"}));
        let auth = UrlSettings { auth: Some("public".to_owned()), private_access: None };
        let create = Create {
            config: Map::from_iter([("cpus".to_owned(), json!(2))]),
            url_settings: auth.clone(),
            labels: vec!["x".to_owned()],
            rest: Map::from_iter([("wait_for_capacity".to_owned(), json!(true))]),
            ..create
        };
        let sent = json!({"name": "a", "config": {"cpus": 2}, "url_settings": {"auth": "public"}, "labels": ["x"],
            "wait_for_capacity": true});
        assert_eq!(serde_json::to_value(&create).unwrap(), sent);
        assert_eq!(serde_json::to_value(Update::default()).unwrap(), json!({}));
        let update = Update { clear_labels: true, ..Update::default() };
        assert_eq!(serde_json::to_value(update).unwrap(), json!({"clear_labels": true}));
    }

    #[test]
    fn a_recorded_page_is_read() {
        let page: Page = serde_json::from_value(json!({
            "sprites": [{"id": "sprite-1", "name": "a", "status": "cold", "url": null, "labels": ["x"], "new": 1}],
            "has_more": true, "next_continuation_token": null, "name": "acme", "running": 0, "running_limit": 10,
        }))
        .unwrap();
        assert_eq!((page.sprites[0].name.as_str(), page.sprites[0].rest["new"].clone()), ("a", json!(1)));
        assert!(page.has_more && page.next_continuation_token.is_none());
        let line: StateLine = serde_json::from_str(r#"{"type":"heartbeat","org":{}}"#).unwrap();
        assert_eq!((line.r#type.as_deref(), line.status), (Some("heartbeat"), None));
    }
}
