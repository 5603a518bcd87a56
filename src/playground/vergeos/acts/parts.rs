//! What machines are made of: drives, NICs, devices, and the files of cloud-init (sections 3.6 to 3.8 and 3.12).

use super::{Action, Said, named, power};
use crate::playground::vergeos::random;
use crate::playground::vergeos::refusal::{Answer, Refusal};
use crate::playground::vergeos::rows::Body;
use crate::playground::vergeos::store::Id;
use crate::playground::vergeos::world::World;
use serde_json::{Value, json};

/// The most that a file of cloud-init may hold, in bytes.
const MAX_CONTENTS: usize = 65536;

pub(super) fn before_create(world: &World, table: &str, body: &mut Body) -> Answer<()> {
    let machine = body.get("machine").cloned().unwrap_or_default();
    let Some(machine) = world.store.find_cell("machines", &machine) else { return Err(Refusal::dangling("machine")) };
    let others = world.store.with(table, "machine", &machine.key.to_value());
    let prefix = match table {
        "machine_drives" => "drive",
        "machine_nics" => "nic",
        _ => "device",
    };
    let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
    if name.is_empty() {
        body.insert("name".to_owned(), format!("{prefix}_{}", others.len()).into());
    }
    if !body.contains_key("orderid") {
        body.insert("orderid".to_owned(), others.len().into());
    }
    if table == "machine_drives" {
        let media = body.get("media").and_then(Value::as_str).unwrap_or("disk");
        let has_source = body.get("media_source").is_some_and(|source| !source.is_null() && *source != 0);
        if ["import", "clone"].contains(&media) && !has_source {
            return Err(Refusal::field("media_source", "is required"));
        }
    }
    if table == "machine_nics" {
        lower_mac(body)?;
    }
    Ok(())
}

/// Hardware addresses are stored in one spelling.
fn lower_mac(body: &mut Body) -> Answer<()> {
    let Some(Value::String(mac)) = body.get_mut("macaddress") else { return Ok(()) };
    let is_valid = mac.is_empty()
        || (mac.len() == 17
            && mac.bytes().enumerate().all(
                |(at, byte)| {
                    if at % 3 == 2 { byte == b':' } else { byte.is_ascii_hexdigit() }
                },
            ));
    if !is_valid {
        return Err(Refusal::field("macaddress", "fails validation test"));
    }
    mac.make_ascii_lowercase();
    Ok(())
}

pub(super) fn created(world: &mut World, table: &str, id: &Id, body: &Body) -> Said {
    match table {
        "cloudinit_files" => {
            check_contents(body)?;
            measure(world, id);
        }
        "machine_nics" => {
            if world.store.text(id, "macaddress").is_empty() {
                world.store.set(id, "macaddress", random::mac());
            }
        }
        "machine_drives" => fill(world, id),
        _ => {
            let uuid = random::uuid();
            let machine = world.store.follow(id, "machine");
            let kind = machine.map_or(Value::Null, |machine| world.store.cell(&machine, "type"));
            world.store.set_all(id, [("uuid", uuid.clone().into()), ("machine_type", kind)]);
            return Ok(Some(json!({ "uuid": uuid })));
        }
    }
    Ok(None)
}

/// A drive that is made from a file is busy with that for a while.
fn fill(world: &mut World, drive: &Id) {
    if world.store.text(drive, "preferred_tier").is_empty() {
        world.store.set(drive, "preferred_tier", "1");
    }
    let source = world.store.follow(drive, "media_source");
    let Some(status) = world.store.follow(drive, "status") else { return };
    let media = world.store.text(drive, "media");
    if !["import", "clone"].contains(&media.as_str()) {
        return;
    }
    let size = source.map_or(0, |file| world.store.number(&file, "filesize"));
    if world.store.number(drive, "disksize") < size {
        world.store.set(drive, "disksize", size);
    }
    world.store.set_all(&status, [("status", json!("importing")), ("status_info", json!("Importing 0%"))]);
    let drive = drive.clone();
    world.later(move |world| {
        world
            .store
            .set_all(&drive, [("media", json!("disk")), ("media_source", Value::Null), ("used_bytes", size.into())]);
        world.store.set_all(&status, [("status", json!("offline")), ("status_info", json!(""))]);
    });
}

pub(super) fn before_update(world: &World, table: &str, id: &Id, body: &mut Body) -> Answer<()> {
    body.remove("machine");
    if table == "machine_nics" {
        return lower_mac(body);
    }
    if let Some(size) = body.get("disksize").and_then(|size| size.as_i64().or_else(|| size.as_str()?.parse().ok()))
        && size < world.store.number(id, "disksize")
    {
        return Err(Refusal::field("disksize", "cannot be made smaller"));
    }
    Ok(())
}

pub(super) fn before_delete(world: &World, table: &str, id: &Id) -> Answer<()> {
    let status = world.store.follow(id, "status").map(|status| world.store.text(&status, "status"));
    match (table, status.as_deref()) {
        ("machine_drives", Some("online")) => Err(Refusal::state("Unable to delete online drive")),
        ("machine_nics", Some("up")) => Err(Refusal::state("Unable to delete online NIC")),
        _ => Ok(()),
    }
}

/// Plugs a part into a running VM, or out of it. What cannot be plugged in stays behind, offline.
pub(super) fn hotplug(world: &mut World, vm: &Id, machine: &Id, table: &str, action: &Action<'_>) -> Answer<()> {
    let part = named(world, table, &action.param("device"))?;
    if world.store.follow(&part, "machine").as_ref() != Some(machine) {
        return Err(Refusal::not_permitted());
    }
    if !world.store.flag(vm, "allow_hotplug") || !power::is_running(world, machine) {
        return Err(Refusal::not_permitted());
    }
    let is_drive = table == "machine_drives";
    let fits = |interface: String| ["virtio", "virtio-scsi"].contains(&interface.as_str());
    if is_drive && !(fits(world.store.text(&part, "interface")) && world.store.text(&part, "media") == "disk") {
        return Err(Refusal::new(422, "This kind of drive cannot be hot-plugged"));
    }
    let Some(status) = world.store.follow(&part, "status") else { return Ok(()) };
    let (up, down) = if is_drive { ("online", "offline") } else { ("up", "down") };
    world.store.set(&status, "status", if action.flag("unplug") { down } else { up });
    Ok(())
}

/// Puts another disc into a drive, or takes the one out that is there.
pub(super) fn change_cd(world: &mut World, machine: &Id, action: &Action<'_>) -> Answer<()> {
    let drives = world.store.with("machine_drives", "machine", &machine.key.to_value());
    let asked = action.param("drive");
    let mut drives = drives.into_iter().filter(|drive| world.store.text(drive, "media") == "cdrom");
    let drive =
        drives.find(|drive| asked.is_null() || drive.key.to_value() == asked).ok_or_else(Refusal::not_permitted)?;
    let source = match action.param("media_source") {
        Value::Null => Value::Null,
        file => named(world, "files", &file)?.key.to_value(),
    };
    world.store.set(&drive, "media_source", source);
    Ok(())
}

fn check_contents(body: &Body) -> Answer<()> {
    let contents = body.get("contents").and_then(Value::as_str).unwrap_or_default();
    if contents.len() > MAX_CONTENTS {
        return Err(Refusal::field("contents", "fails validation test"));
    }
    Ok(())
}

/// Writes down how large a file of cloud-init is.
pub(super) fn measure(world: &mut World, file: &Id) {
    let contents = world.store.text(file, "contents");
    let size = contents.len();
    world.store.set_all(
        file,
        [
            ("filesize", size.into()),
            ("used_bytes", size.into()),
            ("allocated_bytes", MAX_CONTENTS.into()),
            ("contains_variables", contents.contains("((").into()),
        ],
    );
}
