//! Snapshots of VMs: VMs themselves, hidden behind a flag, with machines of their own (section 3.9).

use super::{Action, power, vms};
use crate::playground::vergeos::refusal::{Answer, Refusal};
use crate::playground::vergeos::rows::{Body, check_unique};
use crate::playground::vergeos::store::Id;
use crate::playground::vergeos::times;
use crate::playground::vergeos::world::World;
use serde_json::{Value, json};

/// How long a snapshot is kept of which nobody said how long, in seconds. The API does not say so either.
const RETENTION: i64 = 72 * 60 * 60;

/// The VM whose machine this is.
fn vm_of(world: &World, machine: &Value) -> Option<Id> {
    world.store.first("vms", "machine", machine)
}

pub(super) fn before_create(world: &World, body: &mut Body) -> Answer<()> {
    let machine = body.get("machine").cloned().unwrap_or_default();
    if vm_of(world, &machine).is_none() {
        return Err(Refusal::dangling("machine"));
    }
    if body.get("expires_type").is_some_and(|kind| kind == "never") {
        body.insert("expires".to_owned(), 0.into());
    } else if !body.contains_key("expires") {
        body.insert("expires".to_owned(), (times::seconds() + RETENTION).into());
    }
    Ok(())
}

/// The snapshot of a row of `machine_snapshots` that was just made.
pub(super) fn created(world: &mut World, snapshot: &Id) -> super::Said {
    let machine = world.store.follow(snapshot, "machine").ok_or_else(|| Refusal::dangling("machine"))?;
    let vm = vm_of(world, &machine.key.to_value()).ok_or_else(|| Refusal::dangling("machine"))?;
    if world.store.number(snapshot, "expires") == 0 {
        world.store.set(snapshot, "expires_type", "never");
    }
    let name = world.store.text(&vm, "name");
    let copy = vms::copy(world, &vm, &machine, &name, true);
    world.store.set_all(&copy, [("is_snapshot", json!(true)), ("need_restart", json!(false))]);
    let copied = vms::machine(world, &copy)?;
    world.store.set(&copied, "is_snapshot", true);
    // It is quiet only if somebody inside could be asked to be.
    let has_agent = world.store.flag(&vm, "guest_agent") && power::is_running(world, &machine);
    let is_quiet = world.store.flag(snapshot, "quiesce") && has_agent;
    world.store.set_all(snapshot, [("snap_machine", copied.key.to_value()), ("quiesced", json!(is_quiet))]);
    Ok(None)
}

/// `vm_actions`: a snapshot without a request of its own.
pub(super) fn take(world: &mut World, machine: &Id, action: &Action<'_>) -> Answer<()> {
    let retention = action.param("retention").as_i64().unwrap_or(RETENTION);
    let expires = if retention == 0 { 0 } else { times::seconds() + retention };
    let name = action.text("name").unwrap_or_else(|| format!("snapshot_{}", times::seconds()));
    let table = world.store.table("machine_snapshots");
    let id = world.store.add(
        "machine_snapshots",
        [
            ("machine", machine.key.to_value()),
            ("name", name.into()),
            ("expires", expires.into()),
            ("created_manually", json!(true)),
            ("quiesce", action.flag("quiesce").into()),
        ],
    );
    let row = world.store.row(table, &id.key).cloned().unwrap_or_default();
    if let Err(refusal) = check_unique(world, table, &row, Some(&id.key)) {
        world.store.remove(&id);
        return Err(refusal);
    }
    created(world, &id).map(|_| ())
}

/// The VM that a snapshot is goes with it.
pub(super) fn before_delete(world: &mut World, snapshot: &Id) {
    let Some(machine) = world.store.follow(snapshot, "snap_machine") else { return };
    if let Some(vm) = vm_of(world, &machine.key.to_value()) {
        world.store.remove(&vm);
    }
    world.store.remove(&machine);
}

/// Puts a VM back to what a snapshot has: asked of the snapshot, or of the VM with the snapshot named.
pub(super) fn restore(world: &mut World, vm: &Id, action: &Action<'_>) -> Answer<()> {
    let snapshot = match action.param("snapshot") {
        Value::Null => {
            let machine = world.store.cell(vm, "machine");
            world.store.first("machine_snapshots", "snap_machine", &machine)
        }
        key => world.store.find_cell("machine_snapshots", &key),
    };
    let snapshot = snapshot.ok_or_else(Refusal::not_permitted)?;
    let original = vm_of(world, &world.store.cell(&snapshot, "machine")).ok_or_else(Refusal::not_permitted)?;
    if !world.store.flag(vm, "is_snapshot") && original != *vm {
        return Err(Refusal::not_permitted());
    }
    if power::state(world, &vms::machine(world, &original)?) != "stopped" {
        return Err(Refusal::state("Virtual Machine must be stopped to restore"));
    }
    let copy = vm_of(world, &world.store.cell(&snapshot, "snap_machine")).ok_or_else(Refusal::not_permitted)?;
    vms::take_over(world, &original, &copy)
}
