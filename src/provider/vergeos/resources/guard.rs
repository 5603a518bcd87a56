//! Networks that belong to the platform: no workload on them, and nothing done to them (section 4.2).

use super::VergeResources;
use super::find::Found;
use crate::error::{Error, Result};
use crate::provider::machines::Row;
use crate::provider::vergeos::DRIVER;
use serde_json::Value;

/// What the platform keeps for itself: by type first, by name second.
const TYPES: [&str; 3] = ["core", "dmz", "physical"];
const NAMES: [&str; 2] = ["core", "dmz"];

/// Whether a network belongs to the platform.
pub(in crate::provider::vergeos) fn is_reserved(name: &str, kind: &str) -> bool {
    TYPES.contains(&kind) || NAMES.iter().any(|reserved| name.trim().eq_ignore_ascii_case(reserved))
}

fn reserved(row: &Row) -> Option<String> {
    let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
    let (name, kind) = (text("name"), text("type"));
    is_reserved(name, kind).then(|| name.to_owned())
}

impl VergeResources {
    /// A network for a workload, by name or key; one that belongs to the platform is refused.
    pub(in crate::provider::vergeos) async fn network(&self, wanted: &str, purpose: &str) -> Result<Found> {
        let found = self.key_of("vnets", wanted, "type").await?;
        match reserved(&found.row) {
            None => Ok(found),
            Some(name) => {
                Err(Error::usage(format!("refusing to use network `{name}` for {purpose}: it belongs to the platform"))
                    .hint("choose or make another: `esker vm network create NAME`")
                    .at(DRIVER.id, self.0.endpoint()))
            }
        }
    }

    /// Refuses to do something to a network that belongs to the platform.
    pub(super) fn spare(&self, row: &Row, deed: &str) -> Result<()> {
        match reserved(row) {
            None => Ok(()),
            Some(name) => Err(Error::usage(format!("refusing to {deed} network `{name}`: it belongs to the platform"))
                .at(DRIVER.id, self.0.endpoint())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_reserved;

    #[test]
    fn networks_of_the_platform_are_known_by_type_and_by_name() {
        for (name, kind, wanted) in [
            ("Core", "core", true),
            ("renamed", "core", true),
            ("core", "internal", true),
            ("Core ", "internal", true),
            ("DMZ", "internal", true),
            ("x", "dmz", true),
            ("fabric", "physical", true),
            ("Internal", "internal", false),
            ("Core-apps", "internal", false),
        ] {
            assert_eq!(is_reserved(name, kind), wanted, "{name} {kind}");
        }
    }
}
