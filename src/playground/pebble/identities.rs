//! Identities: who may do what, and how they prove who they are (section 2.10).

use super::crypt;
use super::errors::{Refusal, Result};
use super::go::quote;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What a user may do (section 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Access {
    Admin,
    Read,
    Metrics,
    Untrusted,
}

/// One identity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) access: Access,
    user_id: Option<u32>,
    password: Option<String>,
    pem: Option<String>,
}

/// All identities, by name.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Identities(BTreeMap<String, Identity>);

/// How a client describes them.
#[derive(Debug, Deserialize)]
pub(super) struct Changing {
    #[serde(default)]
    action: String,
    #[serde(default)]
    identities: Option<BTreeMap<String, Option<Described>>>,
}

#[derive(Debug, Deserialize)]
struct Described {
    #[serde(default)]
    access: String,
    #[serde(default)]
    local: Option<Local>,
    #[serde(default)]
    basic: Option<Basic>,
    #[serde(default)]
    cert: Option<Cert>,
}

#[derive(Debug, Deserialize)]
struct Local {
    #[serde(default, rename = "user-id")]
    user_id: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct Basic {
    #[serde(default)]
    password: String,
}

#[derive(Debug, Deserialize)]
struct Cert {
    #[serde(default)]
    pem: String,
}

impl Described {
    fn check(&self) -> std::result::Result<Identity, String> {
        let access = match self.access.as_str() {
            "admin" => Access::Admin,
            "read" => Access::Read,
            "metrics" => Access::Metrics,
            "untrusted" => Access::Untrusted,
            "" => {
                return Err(
                    "access value must be specified (\"admin\", \"read\", \"metrics\", or \"untrusted\")".to_owned()
                );
            }
            other => {
                let words = "must be \"admin\", \"read\", \"metrics\", or \"untrusted\"";
                return Err(format!("invalid access value {}, {words}", quote(other)));
            }
        };
        if self.local.is_none() && self.basic.is_none() && self.cert.is_none() {
            return Err("identity must have at least one type (\"local\", \"basic\", or \"cert\")".to_owned());
        }
        let user_id = match &self.local {
            Some(Local { user_id: None }) => return Err("local identity must specify user-id".to_owned()),
            local => local.as_ref().and_then(|local| local.user_id),
        };
        let password = self.basic.as_ref().map(|basic| basic.password.clone());
        if password.as_ref().is_some_and(String::is_empty) {
            return Err("basic identity must specify password (hashed)".to_owned());
        }
        let pem = self.cert.as_ref().map(|cert| cert.pem.clone());
        if pem.as_ref().is_some_and(|pem| !pem.trim_start().starts_with("-----BEGIN CERTIFICATE-----")) {
            return Err("cert identity must include a PEM-encoded certificate".to_owned());
        }
        Ok(Identity { access, user_id, password, pem })
    }
}

impl Identities {
    /// Does what a client asks for, all of it or nothing.
    pub(super) fn change(&mut self, wish: Changing) -> Result<()> {
        let action = wish.action.as_str();
        if !["add", "update", "replace", "remove"].contains(&action) {
            let words = "must be \"add\", \"update\", \"replace\", or \"remove\"";
            return Err(Refusal::bad(format!("invalid action {}, {words}", quote(action))));
        }
        let mut wished = BTreeMap::new();
        for (name, described) in wish.identities.unwrap_or_default() {
            let identity = described.map(|described| described.check()).transpose();
            let identity =
                identity.map_err(|why| Refusal::bad(format!("invalid identity for {}: {why}", quote(&name))))?;
            wished.insert(name, identity);
        }
        for (name, identity) in &wished {
            let name = quote(name);
            match (action, identity) {
                ("add" | "update", None) => {
                    return Err(Refusal::bad(format!(
                        "identity value for {name} must not be null for {action} operation"
                    )));
                }
                ("remove", Some(_)) => {
                    return Err(Refusal::bad(format!("identity value for {name} must be null for {action} operation")));
                }
                _ => {}
            }
        }
        let named = |is_there: bool| -> Vec<&str> {
            wished.keys().filter(|name| self.0.contains_key(*name) == is_there).map(String::as_str).collect()
        };
        let (there, absent) = (named(true), named(false));
        if action == "add" && !there.is_empty() {
            return Err(Refusal::bad(format!("identities already exist: {}", there.join(", "))));
        }
        if ["update", "remove"].contains(&action) && !absent.is_empty() {
            return Err(Refusal::bad(format!("identities do not exist: {}", absent.join(", "))));
        }
        let mut all = self.0.clone();
        for (name, identity) in wished {
            match identity {
                Some(identity) => {
                    named_well(&name)?;
                    all.insert(name, identity);
                }
                None => {
                    all.remove(&name);
                }
            }
        }
        unambiguous(&all)?;
        self.0 = all;
        Ok(())
    }

    /// As clients see them: no secret is shown.
    pub(super) fn document(&self) -> Value {
        let one = |identity: &Identity| {
            let mut document = json!({"access": identity.access});
            if let Some(user_id) = identity.user_id {
                document["local"] = json!({"user-id": user_id});
            }
            if identity.password.is_some() {
                document["basic"] = json!({"password": "*****"});
            }
            if identity.pem.is_some() {
                document["cert"] = json!({"pem": "*****"});
            }
            document
        };
        Value::Object(self.0.iter().map(|(name, identity)| (name.clone(), one(identity))).collect::<Map<_, _>>())
    }

    /// Who has this name and this password.
    pub(super) fn by_password(&self, name: &str, password: &str) -> Option<&Identity> {
        let identity = self.0.get(name)?;
        crypt::verify(password, identity.password.as_deref()?).then_some(identity)
    }

    /// Who is this user of the machine.
    pub(super) fn by_uid(&self, uid: u32) -> Option<&Identity> {
        self.0.values().find(|identity| identity.user_id == Some(uid))
    }
}

fn named_well(name: &str) -> Result<()> {
    let is_well = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if is_well {
        return Ok(());
    }
    // The daemon's message has an empty name where the name should be.
    let rule =
        "must start with an alphabetic character and only contain alphanumeric characters, underscore, and hyphen";
    Err(Refusal::bad(format!("invalid identity for {}: identity name \"\" invalid: {rule}", quote(name))))
}

/// No user of the machine is two identities.
fn unambiguous(all: &BTreeMap<String, Identity>) -> Result<()> {
    let mut owners: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for (name, identity) in all {
        if let Some(user_id) = identity.user_id {
            owners.entry(user_id).or_default().push(name);
        }
    }
    match owners.into_iter().find(|(_, names)| names.len() > 1) {
        Some((user_id, names)) => {
            Err(Refusal::bad(format!("cannot have multiple identities with user ID {user_id} ({})", names.join(", "))))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(identities: &mut Identities, action: &str, wished: &str) -> std::result::Result<(), String> {
        let wish = serde_json::from_str(&format!(r#"{{"action":"{action}","identities":{wished}}}"#)).unwrap();
        identities.change(wish).map_err(|refusal| refusal.message)
    }

    #[test]
    fn changes_are_made_whole_or_not_at_all() {
        let mut all = Identities::default();
        let bob = r#"{"bob":{"access":"read","local":{"user-id":1001}}}"#;
        assert_eq!(change(&mut all, "add", bob), Ok(()));
        for (action, wished, why) in [
            ("add", bob, "identities already exist: bob"),
            ("remove", r#"{"zz":null}"#, "identities do not exist: zz"),
            ("update", r#"{"bob":null}"#, "identity value for \"bob\" must not be null for update operation"),
            (
                "replace",
                r#"{"bob":null,"al":{"access":"x","local":{"user-id":1}}}"#,
                "invalid identity for \"al\": invalid access value \"x\", must be \"admin\", \"read\", \"metrics\", or \"untrusted\"",
            ),
            (
                "add",
                r#"{"al":{"access":"read","local":{"user-id":1001}}}"#,
                "cannot have multiple identities with user ID 1001 (al, bob)",
            ),
        ] {
            assert_eq!(change(&mut all, action, wished), Err(why.to_owned()), "{action} {wished}");
        }
        assert_eq!(all.document(), json!({"bob": {"access": "read", "local": {"user-id": 1001}}}));
        assert_eq!(change(&mut all, "replace", r#"{"bob":null}"#), Ok(()));
        assert_eq!(all.document(), json!({}));
    }

    #[test]
    fn secrets_are_not_shown() {
        let mut all = Identities::default();
        change(&mut all, "add", r#"{"m":{"access":"metrics","basic":{"password":"x"}}}"#).unwrap();
        assert_eq!(all.document(), json!({"m": {"access": "metrics", "basic": {"password": "*****"}}}));
    }
}
