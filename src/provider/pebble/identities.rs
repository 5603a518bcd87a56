//! Identities: who may do what.

use super::api;
use super::client::Client;
use crate::error::{Error, Result};
use crate::model::{Extra, Identity};
use crate::provider::identities::{Identities, IdentityAction};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the daemon shows instead of a secret. Sent back, it would become the password.
const MASK: &str = "*****";

/// The identities of a daemon.
pub(super) struct PebbleIdentities(pub(super) Client);

#[async_trait]
impl Identities for PebbleIdentities {
    async fn list(&self) -> Result<Vec<Identity>> {
        let found: BTreeMap<String, api::Identity> = self.0.get("list identities", "/v1/identities").await?;
        Ok(found.into_iter().map(|(name, identity)| to_model(name, identity)).collect())
    }

    async fn apply(&self, action: IdentityAction, document: &str) -> Result<Vec<String>> {
        let verb = match action {
            IdentityAction::Add => "add",
            IdentityAction::Update => "update",
            IdentityAction::Replace => "replace",
            IdentityAction::Remove => "remove",
        };
        let identities = read(action, document)?;
        let names = identities.keys().cloned().collect();
        let body = json!({"action": verb, "identities": identities});
        self.0.post::<Value>(&format!("{verb} identities"), "/v1/identities", &body).await?;
        Ok(names)
    }
}

/// Reads the map from name to identity, with or without the `identities:` key around it, and checks what the daemon
/// would take wrongly.
fn read(action: IdentityAction, document: &str) -> Result<Extra> {
    let bad = |why: String| {
        Error::usage(format!("cannot read identities: {why}"))
            .hint("the form is `identities: {NAME: {access: admin, local: {user-id: 42}}}`")
    };
    let value: Value = serde_yaml::from_str(document).map_err(|e| bad(e.to_string()))?;
    let Value::Object(mut map) = value else { return Err(bad("it is not a map from names".to_owned())) };
    if let Some(inner) = map.remove("identities") {
        if let Some(other) = map.keys().next() {
            return Err(bad(format!("unknown key `{other}` beside `identities`")));
        }
        let Value::Object(inner) = inner else { return Err(bad("`identities` is not a map".to_owned())) };
        map = inner;
    }
    if map.is_empty() {
        return Err(bad("it names nobody".to_owned()));
    }
    for (name, identity) in &mut map {
        if action == IdentityAction::Remove {
            *identity = Value::Null;
        } else if identity.is_null() && action != IdentityAction::Replace {
            return Err(bad(format!("`{name}` is null, which only `update --replace` and `remove` take")));
        } else if identity["basic"]["password"] == MASK || identity["cert"]["pem"] == MASK {
            return Err(bad(format!("the secret of `{name}` is the mask `{MASK}` that a listing shows, not a secret")));
        }
    }
    Ok(map)
}

fn to_model(name: String, identity: api::Identity) -> Identity {
    let types = ["local", "basic", "cert"];
    let mut known: Vec<String> =
        types.iter().filter(|kind| identity.types.contains_key(**kind)).map(|kind| (*kind).to_owned()).collect();
    // Ways to prove oneself that a newer daemon has are shown by their name.
    known.extend(
        identity
            .types
            .iter()
            .filter(|(key, v)| v.is_object() && !types.contains(&key.as_str()))
            .map(|(k, _)| k.clone()),
    );
    let user_id = identity.types.get("local").and_then(|local| local["user-id"].as_u64());
    let extra = identity.types.into_iter().filter(|(key, _)| !types.contains(&key.as_str())).collect();
    Identity { name, access: identity.access, types: known, user_id: user_id.and_then(|id| id.try_into().ok()), extra }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_secret_is_never_sent_back() {
        let document = "bob: {access: admin, basic: {password: '*****'}}";
        let error = read(IdentityAction::Update, document).unwrap_err();
        assert!(error.to_string().contains("mask"), "{error}");
    }

    #[test]
    fn both_forms_are_read_and_null_only_where_it_means_something() {
        for document in
            ["identities: {bob: {access: read, local: {user-id: 1}}}", "bob: {access: read, local: {user-id: 1}}"]
        {
            assert_eq!(read(IdentityAction::Add, document).unwrap()["bob"]["access"], "read");
        }
        assert!(read(IdentityAction::Add, "bob: null").is_err());
        assert!(read(IdentityAction::Replace, "bob: null").unwrap()["bob"].is_null());
        assert!(read(IdentityAction::Remove, "bob: {access: read}").unwrap()["bob"].is_null());
        assert!(read(IdentityAction::Add, "[]").is_err());
        assert!(read(IdentityAction::Add, "identities: {}").is_err());
    }
}
