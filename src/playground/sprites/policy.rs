//! Policies: kept, checked as strictly as the API does, and not enforced, which would take rights over the machine.

use super::errors::{Answer, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};

/// The policies of a sprite, each as it was last set.
#[derive(Default)]
pub(super) struct Policies(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    network: Option<Network>,
    privileges: Option<Privileges>,
    resources: Option<Resources>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Network {
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    include: Option<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Privileges {
    profile: String,
    devices: Vec<String>,
    no_new_privileges: bool,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Resources {
    #[serde(default)]
    memory: Memory,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct Memory {
    limit_mb: u64,
    autoscale: bool,
}

impl Rule {
    fn is_valid(&self) -> bool {
        match (&self.domain, &self.include) {
            (Some(domain), None) => {
                !domain.is_empty() && self.action.as_deref().is_some_and(|action| ["allow", "deny"].contains(&action))
            }
            (None, Some(include)) => include == "defaults" && self.action.is_none(),
            _ => false,
        }
    }
}

impl Policies {
    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The policy called `kind`, as it was set or as it is by default.
    pub(super) fn get(&self, kind: &str) -> Answer<Value> {
        let kept = self.lock();
        Ok(match kind {
            "network" => json!(kept.network.as_ref().unwrap_or(&Network::default())),
            "privileges" => json!(kept.privileges.as_ref().unwrap_or(&Privileges::default())),
            "resources" => json!(kept.resources.as_ref().unwrap_or(&Resources::default())),
            _ => return Err(Refusal::no_route()),
        })
    }

    /// Replaces the policy called `kind`.
    pub(super) fn set(&self, kind: &str, body: &[u8]) -> Answer<()> {
        match kind {
            "network" => {
                let network: Network = parse(body)?;
                if !network.rules.iter().all(Rule::is_valid) {
                    return Err(invalid("each rule needs either domain and action (allow, deny), or include"));
                }
                self.lock().network = Some(network);
            }
            "privileges" => {
                let privileges: Privileges = parse(body)?;
                if !["", "minimal", "standard", "privileged"].contains(&privileges.profile.as_str()) {
                    return Err(invalid("unknown profile"));
                }
                self.lock().privileges = Some(privileges);
            }
            "resources" => self.lock().resources = Some(parse(body)?),
            _ => return Err(Refusal::no_route()),
        }
        Ok(())
    }

    /// Goes back to the default of the policy called `kind`; the network's can only be replaced.
    pub(super) fn reset(&self, kind: &str) -> Answer<()> {
        match kind {
            "network" => return Err(Refusal::method()),
            "privileges" => self.lock().privileges = None,
            "resources" => self.lock().resources = None,
            _ => return Err(Refusal::no_route()),
        }
        Ok(())
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Answer<T> {
    serde_json::from_slice(body).map_err(invalid)
}

fn invalid(why: impl std::fmt::Display) -> Refusal {
    Refusal::json(400, format!("invalid policy config: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_rules_are_checked_strictly() {
        let policies = Policies::default();
        assert_eq!(policies.get("network").ok().unwrap(), json!({ "rules": [] }));
        let good = br#"{"rules":[{"domain":"*.example.com","action":"deny"},{"include":"defaults"}]}"#;
        assert!(policies.set("network", good).is_ok());
        let same: Value = serde_json::from_slice(good).unwrap();
        for bad in [
            r#"{"rules":[{"domain":"a"}]}"#,
            r#"{"rules":[{"domain":"a","action":"maybe"}]}"#,
            r#"{"rules":[{"domain":"a","action":"allow","include":"defaults"}]}"#,
            r#"{"rules":[{"domain":"a","action":"allow","port":1}]}"#,
            r#"{"rules":[],"default":"deny"}"#,
            r#"{"rules":[{}]}"#,
            "{}",
            "nonsense",
        ] {
            assert_eq!(policies.set("network", bad.as_bytes()).err().unwrap().0.status, 400, "{bad}");
        }
        assert_eq!(policies.get("network").ok().unwrap(), same);
        assert_eq!(policies.reset("network").err().unwrap().0.status, 405);
    }

    #[test]
    fn the_others_go_back_to_their_default() {
        let policies = Policies::default();
        assert!(policies.set("privileges", br#"{"profile":"minimal","devices":["/dev/fuse"]}"#).is_ok());
        assert!(policies.set("privileges", br#"{"profile":"root"}"#).is_err());
        assert_eq!(policies.get("privileges").ok().unwrap()["profile"], "minimal");
        assert!(policies.reset("privileges").is_ok());
        assert_eq!(policies.get("privileges").ok().unwrap()["profile"], "");
        assert!(policies.set("resources", br#"{"memory":{"limit_mb":512,"autoscale":true}}"#).is_ok());
        assert!(policies.set("resources", br#"{"memory":{"limit_mb":-1}}"#).is_err());
        assert_eq!(policies.get("resources").ok().unwrap()["memory"]["limit_mb"], 512);
    }
}
