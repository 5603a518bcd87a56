//! Drives and network cards of machines that run: they are plugged in once they are made, and out before they go
//! (sections 3.5 and 3.6). What cannot be plugged in would stay behind, offline, so it is taken back.

use super::VergeResources;
use super::find::number;
use super::write::row_path;
use crate::error::{Error, Result};
use crate::model::Record;
use crate::provider::machines::Row;
use crate::provider::vergeos::tables::Def;
use crate::transport::Method;
use serde_json::{Value, json};

/// The action that plugs rows of a table in or out, if there is one.
fn action(def: &Def) -> Option<&'static str> {
    match def.name() {
        "machine_drives" => Some("hotplugdrive"),
        "machine_nics" => Some("hotplugnic"),
        _ => None,
    }
}

/// Whether a new part is of the kind that the platform plugs in. Others are seen by the machine at its next start.
fn fits(def: &Def, body: &Row) -> bool {
    let is = |name: &str, usual: &[&str]| body.get(name).is_none_or(|has| usual.iter().any(|one| has == one));
    body.get("enabled") != Some(&Value::Bool(false))
        && (def.name() != "machine_drives" || is("media", &["disk"]) && is("interface", &["virtio", "virtio-scsi"]))
}

impl VergeResources {
    /// Plugs a row that was just made into the running machine with this key, or takes it back.
    pub(super) async fn plug_in(&self, vm: &str, def: &Def, key: &str, body: &Row) -> Result<()> {
        let Some(action) = action(def) else { return Ok(()) };
        if !fits(def, body) {
            self.0.notes().warn(format!("the machine sees the {} once it was restarted", def.table.one));
            return Ok(());
        }
        let what = format!("plug in the {}", def.table.one);
        let Err(refusal) = self.plug(&what, vm, action, key, false).await else { return Ok(()) };
        let gone = self.0.send::<Value>(&what, Method::DELETE, &row_path(def, key), None::<&Row>).await;
        Err(match gone {
            Ok(_) => refusal.cause(format!("the {} was made and deleted again", def.table.one)),
            Err(_) => refusal.cause(format!("the {} (key {key}) was made and is still there", def.table.one)),
        })
    }

    /// Plugs a part out of the running machine with this key, if it is in use.
    pub(super) async fn plug_out(&self, vm: &str, def: &Def, part: &Record) -> Result<()> {
        let Some(action) = action(def) else { return Ok(()) };
        let status = part.fields.get("status").and_then(Value::as_str).unwrap_or_default();
        if !["online", "up"].contains(&status) {
            return Ok(());
        }
        self.plug(&format!("plug out the {}", def.table.one), vm, action, &part.key.0, true).await
    }

    async fn plug(&self, what: &str, vm: &str, action: &str, device: &str, out: bool) -> Result<(), Error> {
        let mut params = json!({ "device": number(device) });
        if out {
            params["unplug"] = true.into();
        }
        let body = json!({"vm": number(vm), "action": action, "params": params});
        self.0.send::<Value>(what, Method::POST, "vm_actions", Some(&body)).await.map(drop)
    }
}
