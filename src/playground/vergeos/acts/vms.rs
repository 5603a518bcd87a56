//! Virtual machines: two keys each, RAM in steps, clones, and everything that `vm_actions` takes (sections 3.1 to 3.5).

use super::{Action, Said, named, power, snapshots, text};
use crate::playground::vergeos::refusal::{Answer, Refusal};
use crate::playground::vergeos::rows::Body;
use crate::playground::vergeos::store::Id;
use crate::playground::vergeos::world::World;
use crate::playground::vergeos::{random, times};
use serde_json::{Value, json};

/// What the RAM of a VM is a multiple of, in MB.
const RAM_STEP: i64 = 256;

/// What a machine is made of that a copy has too, each with the columns that a copy does not share.
const PARTS: &[(&str, &[&str])] = &[
    ("machine_drives", &["machine", "status", "stats"]),
    ("machine_nics", &["machine", "status", "stats"]),
    ("machine_devices", &["machine", "status"]),
];

/// The columns of a VM that are its own, and not those of what it is a copy of.
const OWN: &[&str] =
    &["name", "uuid", "machine", "console_status", "is_snapshot", "created", "modified", "need_restart"];

/// The machine of a VM.
pub(super) fn machine(world: &World, vm: &Id) -> Answer<Id> {
    world.store.follow(vm, "machine").ok_or_else(|| Refusal::missing(format!("vms/{}", vm.key)))
}

fn settle_fields(body: &mut Body) -> Answer<()> {
    if body.get("name").and_then(Value::as_str).is_some_and(|name| name.contains('"') || name.is_empty()) {
        return Err(Refusal::field("name", "fails validation test"));
    }
    let number = body.get("ram").and_then(|ram| ram.as_i64().or_else(|| ram.as_str()?.parse().ok()));
    if let Some(ram) = number {
        // Rounded down without a word (section 3.3).
        body.insert("ram".to_owned(), (ram / RAM_STEP * RAM_STEP).into());
    }
    if let Some(Value::String(kind)) = body.get_mut("machine_type") {
        match kind.as_str() {
            "q35" => "pc-q35-10.0".clone_into(kind),
            "pc" => "pc-i440fx-10.0".clone_into(kind),
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn before_create(body: &mut Body) -> Answer<()> {
    body.remove("machine");
    settle_fields(body)
}

pub(super) fn created(world: &mut World, vm: &Id, body: &Body) -> Said {
    let store = &mut world.store;
    let name = store.text(vm, "name");
    let machine = store.add("machines", [("name", name.into()), ("type", json!("vm"))]);
    if store.cell(vm, "cluster").is_null() {
        let cluster = store.find("clusters", 1).map_or(Value::Null, |id| id.key.to_value());
        store.set(vm, "cluster", cluster);
    }
    if store.text(vm, "uuid").is_empty() {
        store.set(vm, "uuid", random::uuid());
    }
    store.set(vm, "machine", machine.key.to_value());
    mirror(world, vm);
    for file in body.get("cloudinit_files").and_then(Value::as_array).into_iter().flatten() {
        let name = file["name"].as_str().unwrap_or_default();
        let name = if name.starts_with('/') { name.to_owned() } else { format!("/{name}") };
        let owner = format!("vms/{}", vm.key).into();
        let cells = [("name", name.into()), ("owner", owner), ("contents", file["contents"].clone())];
        let file = world.store.add("cloudinit_files", cells);
        super::parts::measure(world, &file);
    }
    Ok(Some(json!({ "machine": text(&machine.key) })))
}

pub(super) fn before_update(world: &World, vm: &Id, body: &mut Body) -> Answer<()> {
    body.remove("machine");
    settle_fields(body)?;
    let is_changed = |name: &str| body.get(name).is_some_and(|value| *value != world.store.cell(vm, name));
    let needs = ["cpu_cores", "ram", "machine_type", "cpu_type", "uefi", "secure_boot", "video", "console"];
    let is_restart_due = needs.into_iter().any(is_changed) && power::is_running(world, &machine(world, vm)?);
    if is_restart_due {
        // Set by the server alone, so not by the body.
        body.insert("$restart".to_owned(), true.into());
    }
    Ok(())
}

pub(super) fn updated(world: &mut World, vm: &Id, body: &Body) {
    if body.contains_key("$restart") {
        world.store.set(vm, "need_restart", true);
    }
    mirror(world, vm);
}

/// What a VM says of its machine stands in the machine too.
fn mirror(world: &mut World, vm: &Id) {
    let Some(machine) = world.store.follow(vm, "machine") else { return };
    let columns = [
        ("name", "name"),
        ("cores", "cpu_cores"),
        ("ram", "ram"),
        ("cluster", "cluster"),
        ("cluster_failover", "cluster_failover"),
        ("preferred_node", "preferred_node"),
        ("ha_group", "ha_group"),
        ("on_power_loss", "on_power_loss"),
        ("is_snapshot", "is_snapshot"),
    ];
    for (to, from) in columns {
        let value = world.store.cell(vm, from);
        world.store.set(&machine, to, value);
    }
}

pub(super) fn before_delete(world: &mut World, vm: &Id) -> Answer<()> {
    let Some(machine) = world.store.follow(vm, "machine") else { return Ok(()) };
    if power::state(world, &machine) != "stopped" && !world.store.flag(vm, "is_snapshot") {
        return Err(Refusal::state("Virtual Machine must be stopped to delete"));
    }
    for snapshot in world.store.with("machine_snapshots", "machine", &machine.key.to_value()) {
        snapshots::before_delete(world, &snapshot);
    }
    world.store.remove(&machine);
    Ok(())
}

pub(super) fn act(world: &mut World, vm: &Id, action: &Action<'_>) -> Said {
    let machine = machine(world, vm)?;
    let node = action.param("preferred_node");
    let is_snapshot = world.store.flag(vm, "is_snapshot");
    if is_snapshot && !["restore", "clone", "refresh"].contains(&action.name) {
        return Err(Refusal::not_permitted());
    }
    match action.name {
        "poweron" => power::on(world, &machine, "VM", &node)?,
        "poweroff" => power::off(world, &machine, "VM")?,
        "kill" => power::kill(world, &machine, "VM")?,
        "reset" => {
            power::reset(world, &machine, "VM")?;
            world.store.set(vm, "need_restart", false);
        }
        "hibernate" => power::hibernate(world, &machine, "VM")?,
        "migrate" => {
            let node = if node.is_null() { action.param("node") } else { node };
            power::migrate(world, &machine, "VM", &node)?;
        }
        "move" => relocate(world, vm, &machine, action)?,
        "clone" => return clone(world, vm, &machine, action).map(Some),
        "restore" => snapshots::restore(world, vm, action)?,
        "snapshot" | "quiesce_snapshot" => snapshots::take(world, &machine, action)?,
        "hotplugdrive" => super::parts::hotplug(world, vm, &machine, "machine_drives", action)?,
        "hotplugnic" => super::parts::hotplug(world, vm, &machine, "machine_nics", action)?,
        "changecd" => super::parts::change_cd(world, &machine, action)?,
        "changenet" | "fsync_strict" | "refresh" | "recover_cloudsnapshot" => {}
        "paste" | "execute" => {
            if !power::is_running(world, &machine) {
                return Err(Refusal::not_permitted());
            }
        }
        "erase_drive" => {
            let drive = named(world, "machine_drives", &action.param("drive"))?;
            world.store.set(&drive, "used_bytes", 0);
        }
        name => return Err(Refusal::action(name)),
    }
    Ok(None)
}

fn relocate(world: &mut World, vm: &Id, machine: &Id, action: &Action<'_>) -> Answer<()> {
    let (node, cluster) = (action.param("node"), action.param("cluster"));
    if !cluster.is_null() {
        let cluster = named(world, "clusters", &cluster)?;
        world.store.set(vm, "cluster", cluster.key.to_value());
        mirror(world, vm);
    }
    if power::is_running(world, machine) {
        return power::migrate(world, machine, "VM", &node);
    }
    if !node.is_null() {
        let node = named(world, "nodes", &node)?;
        world.store.set(vm, "preferred_node", node.key.to_value());
        mirror(world, vm);
    }
    Ok(())
}

fn clone(world: &mut World, vm: &Id, machine: &Id, action: &Action<'_>) -> Answer<Value> {
    // A snapshot has the name of the VM that it is of.
    let default = || format!("{}_{}", world.store.text(vm, "name"), times::seconds());
    let name = action.text("name").unwrap_or_else(default);
    if let Some(other) = world.store.first("vms", "name", &name.clone().into())
        && !world.store.flag(&other, "is_snapshot")
    {
        return Err(Refusal::new(409, "This name is already in use"));
    }
    let copy = copy(world, vm, machine, &name, action.flag("preserve_macs"));
    if let Some(description) = action.text("description") {
        world.store.set(&copy, "description", description);
    }
    world.store.set_all(&copy, [("is_snapshot", json!(false)), ("created_from", json!("clone"))]);
    mirror(world, &copy);
    let machine = self::machine(world, &copy)?;
    let status = power::status(world, &machine)?;
    let cluster = world.store.follow(&copy, "cluster");
    Ok(json!({ "response": {
        "vmkey": text(&copy.key),
        "machinekey": text(&machine.key),
        "machinestatuskey": text(&status.key),
        "clusterkey": cluster.map_or(Value::Null, |cluster| text(&cluster.key)),
    } }))
}

/// A VM like another, with a machine and parts of its own. It does not run.
pub(super) fn copy(world: &mut World, vm: &Id, machine: &Id, name: &str, keeps_macs: bool) -> Id {
    let store = &mut world.store;
    let mut row = store.row(vm.table, &vm.key).cloned().unwrap_or_default();
    let schema = store.schema_of(vm.table);
    let blank = store.blank(vm.table);
    for column in OWN {
        let at = schema.column(column).expect("columns of a VM");
        row[at].clone_from(&blank[at]);
    }
    let copy = store.insert(vm.table, row);
    let to = store.add("machines", [("name", name.into()), ("type", json!("vm"))]);
    store.set_all(&copy, [("name", name.into()), ("uuid", random::uuid().into()), ("machine", to.key.to_value())]);
    copy_parts(world, machine, &to, keeps_macs);
    mirror(world, &copy);
    copy
}

/// Gives a machine the parts that another has.
pub(super) fn copy_parts(world: &mut World, from: &Id, to: &Id, keeps_macs: bool) {
    for (table, own) in PARTS {
        for part in world.store.with(table, "machine", &from.key.to_value()) {
            let mut row = world.store.row(part.table, &part.key).cloned().unwrap_or_default();
            let schema = world.store.schema_of(part.table);
            for column in *own {
                row[schema.column(column).expect("columns of a part")] = Value::Null;
            }
            let copy = world.store.insert(part.table, row);
            world.store.set(&copy, "machine", to.key.to_value());
            if *table == "machine_nics" && !keeps_macs {
                world.store.set(&copy, "macaddress", random::mac());
            }
        }
    }
}

/// Takes over what another VM is, but for its name and its keys.
pub(super) fn take_over(world: &mut World, vm: &Id, other: &Id) -> Answer<()> {
    let (to, from) = (machine(world, vm)?, machine(world, other)?);
    let names: Vec<String> = world.store.schema_of(vm.table).columns.iter().map(|column| column.name.clone()).collect();
    for name in names.iter().filter(|name| !OWN.contains(&name.as_str())) {
        let value = world.store.cell(other, name);
        world.store.set(vm, name, value);
    }
    for (table, _) in PARTS {
        for part in world.store.with(table, "machine", &to.key.to_value()) {
            world.store.remove(&part);
        }
    }
    copy_parts(world, &from, &to, true);
    mirror(world, vm);
    Ok(())
}
