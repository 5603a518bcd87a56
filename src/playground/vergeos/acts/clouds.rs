//! Snapshots of the whole system, and what can be had back from one (section 4.8).

use super::{Action, Said, tenants, vms};
use crate::playground::vergeos::refusal::Refusal;
use crate::playground::vergeos::store::Id;
use crate::playground::vergeos::world::World;
use serde_json::{Value, json};

/// A snapshot holds all that there is, and is a while in the making.
pub(super) fn created(world: &mut World, snapshot: &Id) {
    world.store.set(snapshot, "status", "building");
    world.become_later(snapshot, "status", json!("building"), [("status", json!("normal"))]);
    if world.store.flag(snapshot, "immutable") {
        world.store.set(snapshot, "immutable_status", "locked");
    }
    let kinds = [
        ("vms", "cloud_snapshot_vms", &["name", "description", "uuid", "cpu_cores", "ram", "os_family"][..]),
        ("tenants", "cloud_snapshot_tenants", &["name", "description", "uuid"][..]),
    ];
    for (from, to, columns) in kinds {
        for id in world.store.with(from, "is_snapshot", &json!(false)) {
            let row =
                world.store.add(to, [("cloud_snapshot", snapshot.key.to_value()), ("original_key", id.key.to_value())]);
            for column in columns {
                let value = world.store.cell(&id, column);
                world.store.set(&row, column, value);
            }
        }
    }
}

/// `cloud_snapshot_vm_actions`, `cloud_snapshot_tenant_actions`: what is had back is new, and the old stays.
pub(super) fn recover(world: &mut World, table: &str, action: &Action<'_>) -> Said {
    if action.name != "recover" {
        return Err(Refusal::action(action.name));
    }
    let mut made = Vec::new();
    for key in tenants::keys(action.params) {
        let row = super::named(world, table, &key)?;
        let name = action.text("name").unwrap_or_else(|| format!("{}_recovered", world.store.text(&row, "name")));
        let original = world.store.number(&row, "original_key");
        let id = if table == "cloud_snapshot_vms" {
            if world.store.first("vms", "name", &name.clone().into()).is_some() {
                return Err(Refusal::new(409, "This name is already in use"));
            }
            match world.store.find("vms", original) {
                Some(vm) => {
                    let machine = vms::machine(world, &vm)?;
                    vms::copy(world, &vm, &machine, &name, false)
                }
                None => {
                    let vm = world.store.add("vms", [("name", name.into())]);
                    super::adopt_vm(world, &vm);
                    vm
                }
            }
        } else {
            let tenant = world.store.add("tenants", [("name", name.into())]);
            tenants::created(world, &tenant)?;
            tenant
        };
        made.push(Value::from(id.key.to_string()));
    }
    Ok(Some(json!({ "response": { "rows": made } })))
}
