//! NAS services and their volumes (section 4.7).

use super::{Action, Said, power};
use crate::playground::vergeos::refusal::{Answer, Refusal};
use crate::playground::vergeos::store::Id;
use crate::playground::vergeos::times;
use crate::playground::vergeos::world::World;
use serde_json::{Value, json};

pub(super) fn service_created(world: &mut World, service: &Id) {
    world.store.add("vm_service_antivirus", [("service", service.key.to_value())]);
}

/// The machine that a service runs on.
fn machine(world: &World, service: &Id) -> Option<Id> {
    let vm = world.store.follow(service, "vm")?;
    world.store.follow(&vm, "machine")
}

pub(super) fn before_service_delete(world: &World, service: &Id) -> Answer<()> {
    if world.store.with("volumes", "service", &service.key.to_value()).is_empty() {
        Ok(())
    } else {
        Err(Refusal::state("NAS service has volumes"))
    }
}

/// A volume is a drive of its service's machine, and is there once that is mounted.
pub(super) fn volume_created(world: &mut World, volume: &Id) {
    let size = world.store.cell(volume, "maxsize");
    let name = world.store.cell(volume, "name");
    let service = world.store.follow(volume, "service");
    if let Some(machine) = service.and_then(|service| machine(world, &service)) {
        let cells = [
            ("machine", machine.key.to_value()),
            ("name", name),
            ("disksize", size),
            ("preferred_tier", world.store.cell(volume, "preferred_tier")),
        ];
        let drive = world.store.add("machine_drives", cells);
        world.store.set(volume, "drive", drive.key.to_value());
    }
    mount(world, volume);
}

pub(super) fn volume_updated(world: &mut World, volume: &Id) {
    mount(world, volume);
}

fn mount(world: &mut World, volume: &Id) {
    let Some(status) = world.store.follow(volume, "status") else { return };
    let is_mounted = world.store.flag(volume, "enabled");
    let state = if is_mounted { "online" } else { "offline" };
    let cells = [
        ("mounted", json!(is_mounted)),
        ("status", json!(if is_mounted { "mounted" } else { "offline" })),
        ("state", json!(state)),
    ];
    world.store.set_all(&status, cells);
}

pub(super) fn before_volume_delete(world: &mut World, volume: &Id) -> Answer<()> {
    let status = world.store.follow(volume, "status");
    if status.is_some_and(|status| world.store.flag(&status, "mounted")) {
        return Err(Refusal::state("Volume must be disabled to delete"));
    }
    if let Some(drive) = world.store.follow(volume, "drive") {
        world.store.remove(&drive);
    }
    Ok(())
}

pub(super) fn volume(world: &mut World, volume: &Id, action: &Action<'_>) -> Said {
    match action.name {
        "reset" => mount(world, volume),
        "clone" => {
            let default = || format!("{}_{}", world.store.text(volume, "name"), times::seconds());
            let name = action.text("name").unwrap_or_else(default);
            let copy = super::tenants::copy(world, volume, &["id", "name", "status", "drive", "created", "modified"]);
            world.store.set(&copy, "name", name);
            volume_created(world, &copy);
            return Ok(Some(json!({ "response": { "volumekey": copy.key.to_value() } })));
        }
        "restore" | "recover_cloudsnapshot" => {}
        name => return Err(Refusal::action(name)),
    }
    Ok(None)
}

/// A share is there as long as it is enabled.
pub(super) fn share_changed(world: &mut World, share: &Id) {
    let Some(status) = world.store.follow(share, "status") else { return };
    let state = if world.store.flag(share, "enabled") { "online" } else { "offline" };
    world.store.set_all(&status, [("status", json!(state)), ("state", json!(state))]);
}

pub(super) fn snapshot_created(world: &mut World, snapshot: &Id) {
    let Some(volume) = world.store.follow(snapshot, "volume") else { return };
    let copy = super::tenants::copy(world, &volume, &["id", "status", "drive", "created", "modified"]);
    world.store.set(&copy, "is_snapshot", true);
    world.store.set(snapshot, "snap_volume", copy.key.to_value());
}

pub(super) fn before_snapshot_delete(world: &mut World, snapshot: &Id) {
    if let Some(copy) = world.store.follow(snapshot, "snap_volume") {
        world.store.remove(&copy);
    }
}

pub(super) fn sync(world: &mut World, sync: &Id, action: &Action<'_>) -> Said {
    let progress = world.store.follow(sync, "progress").ok_or_else(Refusal::not_permitted)?;
    match action.name {
        "start_sync" => {
            let cells =
                [("status", json!("syncing")), ("syncing", json!(true)), ("start_time", times::seconds().into())];
            world.store.set_all(&progress, cells);
            let cells =
                [("status", json!("complete")), ("syncing", json!(false)), ("stop_time", times::seconds().into())];
            world.become_later(&progress, "status", json!("syncing"), cells);
        }
        "stop_sync" => world.store.set_all(&progress, [("status", json!("aborted")), ("syncing", json!(false))]),
        name => return Err(Refusal::action(name)),
    }
    Ok(None)
}

pub(super) fn antivirus_created(world: &mut World, scanner: &Id) {
    let cells = [
        ("volume_antivirus", scanner.key.to_value()),
        ("level", json!("message")),
        ("text", json!("Antivirus configured")),
        ("timestamp", times::micros().into()),
    ];
    world.store.add("volume_antivirus_logs", cells);
}

pub(super) fn antivirus(world: &mut World, scanner: &Id, action: &Action<'_>) -> Said {
    let status = world.store.follow(scanner, "status").ok_or_else(Refusal::not_permitted)?;
    match action.name {
        "enable" => world.store.set(scanner, "enabled", true),
        "disable" => world.store.set(scanner, "enabled", false),
        "start" => {
            world.store.set_all(&status, [("status", json!("scanning")), ("state", json!("online"))]);
            world.become_later(&status, "status", json!("scanning"), [("status", json!("idle"))]);
        }
        "stop" => world.store.set(&status, "status", "idle"),
        name => return Err(Refusal::action(name)),
    }
    Ok(None)
}

/// Only a service that runs can say what is in a volume.
pub(super) fn before_browse(world: &World, volume: &Value) -> Answer<()> {
    let volume = world.store.find_cell("volumes", volume).ok_or_else(|| Refusal::dangling("volume"))?;
    let service = world.store.follow(&volume, "service");
    let is_running = service.and_then(|service| machine(world, &service)).is_some_and(|m| power::is_running(world, &m));
    if is_running { Ok(()) } else { Err(Refusal::state("NAS service is not running")) }
}
