//! A small company: five machines, a network, files, and what they are kept in order by.

use super::network_of;
use crate::playground::vergeos::acts;
use crate::playground::vergeos::store::Id;
use crate::playground::vergeos::world::World;
use crate::playground::vergeos::{files, random, times};
use serde_json::{Value, json};
use std::io;

const GIB: u64 = 1 << 30;
const DAY: i64 = 24 * 60 * 60;

/// Something to look at: a few machines as somebody might have them.
pub(in crate::playground::vergeos) fn fill(world: &mut World) -> io::Result<()> {
    let internal = network_of(world, "Internal", "internal", "192.168.10.0/24", "192.168.10.1");
    rules(world, &internal);
    let image = file(world, "debian-13-generic-amd64.qcow2", "Debian 13, for the cloud", 3 << 20)?;
    file(world, "netboot.iso", "To install from", 1 << 20)?;
    let profile =
        world.store.add("snapshot_profiles", [("name", json!("Daily")), ("description", json!("Kept for a week"))]);
    world.store.add(
        "snapshot_profile_periods",
        [
            ("profile", profile.key.to_value()),
            ("name", json!("midnight")),
            ("frequency", json!("daily")),
            ("retention", (7 * DAY).into()),
        ],
    );
    let category = world.store.add(
        "tag_categories",
        [("name", json!("Environment")), ("taggable_vms", json!(true)), ("taggable_vnets", json!(true))],
    );
    let tag = world.store.add("tags", [("name", json!("production")), ("category", category.key.to_value())]);
    for (number, vm) in VMS.iter().enumerate() {
        let id = machine(world, vm, number, &internal, &profile);
        if vm.is_tagged {
            let member = format!("vms/{}", id.key).into();
            world.store.add("tag_members", [("tag", tag.key.to_value()), ("member", member)]);
        }
    }
    alarms(world);
    outside(world);
    let drive = world.store.first("machine_drives", "name", &json!("installer"));
    if let Some(drive) = drive {
        world.store.set(&drive, "media_source", image.key.to_value());
    }
    Ok(())
}

/// A VM of the demonstration.
struct Vm {
    name: &'static str,
    description: &'static str,
    cores: u64,
    ram: u64,
    os: &'static str,
    is_running: bool,
    is_tagged: bool,
}

const VMS: &[Vm] = &[
    Vm { name: "web01", description: "Front end", cores: 2, ram: 2048, os: "linux", is_running: true, is_tagged: true },
    Vm { name: "web02", description: "Front end", cores: 2, ram: 2048, os: "linux", is_running: true, is_tagged: true },
    Vm {
        name: "db01",
        description: "PostgreSQL",
        cores: 8,
        ram: 16384,
        os: "linux",
        is_running: true,
        is_tagged: true,
    },
    Vm {
        name: "build01",
        description: "Builds at night",
        cores: 16,
        ram: 32768,
        os: "linux",
        is_running: false,
        is_tagged: false,
    },
    Vm {
        name: "desktop",
        description: "Accounting",
        cores: 4,
        ram: 8192,
        os: "windows",
        is_running: false,
        is_tagged: false,
    },
];

fn machine(world: &mut World, vm: &Vm, number: usize, network: &Id, profile: &Id) -> Id {
    let id = world.store.add(
        "vms",
        [
            ("name", vm.name.into()),
            ("description", vm.description.into()),
            ("cpu_cores", vm.cores.into()),
            ("ram", vm.ram.into()),
            ("os_family", vm.os.into()),
            ("guest_agent", (vm.os == "linux").into()),
            ("uefi", (vm.os == "windows").into()),
            ("snapshot_profile", profile.key.to_value()),
        ],
    );
    let machine = acts::adopt_vm(world, &id);
    let key = machine.key.to_value();
    world.store.add(
        "machine_drives",
        [
            ("machine", key.clone()),
            ("name", json!("system")),
            ("disksize", (40 * GIB).into()),
            ("used_bytes", (9 * GIB).into()),
            ("preferred_tier", json!("1")),
        ],
    );
    if !vm.is_running {
        let cells = [
            ("machine", key.clone()),
            ("name", json!("installer")),
            ("media", json!("cdrom")),
            ("interface", json!("ahci")),
            ("orderid", json!(1)),
        ];
        world.store.add("machine_drives", cells);
    }
    world.store.add(
        "machine_nics",
        [
            ("machine", key),
            ("name", json!("eth0")),
            ("vnet", network.key.to_value()),
            ("macaddress", random::mac().into()),
            ("ipaddress", format!("192.168.10.{}", 20 + number).into()),
        ],
    );
    if vm.is_running {
        acts::run(world, &machine);
    }
    id
}

fn rules(world: &mut World, network: &Id) {
    for (order, name, ports, action, is_system) in [
        (1, "Allow DHCP", "67", "accept", true),
        (2, "Allow web", "80,443", "accept", false),
        (3, "Drop the rest", "", "drop", false),
    ] {
        world.store.add(
            "vnet_rules",
            [
                ("vnet", network.key.to_value()),
                ("name", name.into()),
                ("orderid", order.into()),
                ("action", action.into()),
                ("protocol", json!(if ports.is_empty() { "any" } else { "tcp" })),
                ("destination_ports", ports.into()),
                ("system_rule", is_system.into()),
            ],
        );
    }
}

/// A file of the catalog, with contents that nobody will boot.
fn file(world: &mut World, name: &str, description: &str, size: usize) -> io::Result<Id> {
    let id = world.store.add("files", [("name", name.into()), ("description", description.into())]);
    let contents: Vec<u8> = name.bytes().cycle().take(size).collect();
    files::fill(world, &id, &contents)?;
    Ok(id)
}

fn alarms(world: &mut World) {
    for (owner, level, status, is_resolvable) in [
        ("nodes/2", "warning", "Drive 'drive2' has used 80% of its life", false),
        ("nodes/1", "error", "A drive was removed", true),
        ("clusters/1", "warning", "The cluster was without redundancy for a while", true),
    ] {
        let kind = owner.split_once('/').map_or(owner, |(kind, _)| kind);
        world.store.add(
            "alarms",
            [
                ("alarm_type", json!(1)),
                ("owner", owner.into()),
                ("owner_type", kind.into()),
                ("level", level.into()),
                ("status", status.into()),
                ("alarm_id", random::hex(4).into()),
                ("resolvable", is_resolvable.into()),
            ],
        );
    }
}

/// Where users come from, and what tenants can be made from.
fn outside(world: &mut World) {
    let source = world.store.add(
        "auth_sources",
        [("name", json!("Company")), ("driver", json!("openid")), ("settings", json!({ "client_id": "playground" }))],
    );
    let cells = [
        ("auth_source", source.key.to_value()),
        ("state", random::id().into()),
        ("timestamp", times::seconds().into()),
    ];
    world.store.add("auth_source_states", cells);
    let table = world.store.table("catalogs");
    let catalog = world.store.rows(table).next().map_or(Value::Null, |(key, _)| key.to_value());
    for name in ["Small tenant", "Large tenant"] {
        let cells = [("name", name.into()), ("catalog", catalog.clone()), ("version", json!("1.0.0"))];
        world.store.add("tenant_recipes", cells);
    }
}
