//! Users and their keys: names in one spelling, secrets that are told once (section 4.4).

use super::Said;
use crate::playground::vergeos::random;
use crate::playground::vergeos::rows::Body;
use crate::playground::vergeos::store::Id;
use crate::playground::vergeos::times;
use crate::playground::vergeos::world::World;
use serde_json::{Value, json};

/// Names of users and all addresses are stored in lower case.
pub(super) fn lower(table: &str, body: &mut Body) {
    let columns: &[&str] = if table == "users" { &["name", "email"] } else { &["email"] };
    for column in columns {
        if let Some(Value::String(text)) = body.get_mut(*column) {
            *text = text.to_lowercase();
        }
    }
}

/// The key itself is in the reply to its creation, and nowhere else ever.
pub(super) fn key_created(world: &mut World, id: &Id) -> Said {
    let secret = random::hex(32);
    world.store.set(id, "key", secret.clone());
    if world.store.text(id, "expires_type") == "never" {
        world.store.set(id, "expires", 0);
    }
    Ok(Some(json!({ "private_key": secret })))
}

/// An application gets the name and the secret by which it signs in.
pub(super) fn application_created(world: &mut World, id: &Id) {
    let issuer = "https://localhost/.well-known/openid-configuration";
    world.store.set_all(
        id,
        [
            ("client_id", random::hex(16).into()),
            ("client_secret", random::hex(32).into()),
            ("well_known_configuration", issuer.into()),
        ],
    );
    let cells = [
        ("oidc_application", id.key.to_value()),
        ("level", json!("message")),
        ("text", json!("Application created")),
        ("timestamp", times::micros().into()),
    ];
    world.store.add("oidc_application_logs", cells);
}
