//! What there is from the beginning: the platform itself, and a small company that uses it.

use super::acts;
use super::key::Key;
use super::store::Id;
use super::world::World;
use super::{VERSION, files, random, times};
use serde_json::{Value, json};
use std::io;

/// The user that everything can be done as.
pub(super) const ADMIN: &str = "admin";

const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;
const DAY: i64 = 24 * 60 * 60;

/// The platform: one cluster of two nodes, its storage, the networks that are not for workloads, and an administrator.
pub(super) fn found(world: &mut World, password: &str) {
    let store = &mut world.store;
    store.add(
        "system",
        [
            ("yb_version", json!(VERSION)),
            ("os_version", json!("6.12.48")),
            ("cloud_name", json!("playground")),
            ("branch", json!("stable-26.1")),
            ("uuid", random::uuid().into()),
            ("started", (times::seconds() - 30 * DAY).into()),
        ],
    );
    administrator(world, password);
    hardware(world);
    storage(world);
    for (name, kind, network, address) in [
        ("Core", "core", "172.16.0.0/16", "172.16.0.1"),
        ("DMZ", "dmz", "100.96.0.0/16", "100.96.0.1"),
        ("External", "external", "192.0.2.0/24", "192.0.2.2"),
    ] {
        network_of(world, name, kind, network, address);
    }
    updates(world);
    settings(world);
    catalog(world);
}

fn administrator(world: &mut World, password: &str) {
    let store = &mut world.store;
    let admin = store.add(
        "users",
        [
            ("name", json!(ADMIN)),
            ("displayname", json!("Administrator")),
            ("email", json!("admin@example.com")),
            ("password", password.into()),
        ],
    );
    let group = store.add(
        "groups",
        [("name", json!("Administrators")), ("description", json!("May do everything")), ("system_group", json!(true))],
    );
    let member = format!("/v4/users/{}", admin.key).into();
    store.add("members", [("parent_group", group.key.to_value()), ("member", member)]);
    for owner in [&admin, &group] {
        let identity = store.cell(owner, "identity");
        let all = json!(true);
        store.add(
            "permissions",
            [
                ("identity", identity),
                ("table", json!("/")),
                ("rowdisplay", json!("System")),
                ("list", all.clone()),
                ("read", all.clone()),
                ("create", all.clone()),
                ("modify", all.clone()),
                ("delete", all),
            ],
        );
    }
}

fn hardware(world: &mut World) {
    let cluster = world.store.add(
        "clusters",
        [
            ("name", json!("main")),
            ("description", json!("Compute and storage")),
            ("storage", json!(true)),
            ("default_cpu", json!("EPYC-Genoa")),
            ("recommended_cpu_type", json!("EPYC-Genoa")),
        ],
    );
    for number in 1..=2_u64 {
        let name = format!("node{number}");
        let machine = world.store.add(
            "machines",
            [
                ("name", name.clone().into()),
                ("type", json!("node")),
                ("cluster", cluster.key.to_value()),
                ("cores", json!(32)),
                ("ram", json!(262_144)),
            ],
        );
        let node = world.store.add(
            "nodes",
            [
                ("name", name.into()),
                ("model", json!("PowerEdge R7615")),
                ("cpu", json!("AMD EPYC 9354P 32-Core Processor")),
                ("cpu_speed", json!("3250")),
                ("ram", json!(262_144)),
                ("vm_ram", json!(209_715)),
                ("failover_ram", json!(131_072)),
                ("cores", json!(32)),
                ("iommu", json!(true)),
                ("ipmi_address", format!("10.0.9.{number}").into()),
                ("ipmi_status", json!("ok")),
                ("vsan_nodeid", number.into()),
                ("yb_version", json!(VERSION)),
                ("os_version", json!("6.12.48")),
                ("kernel_version", json!("6.12.48")),
                ("appserver_version", json!(VERSION)),
                ("vsan_version", json!(VERSION)),
                ("qemu_version", json!("10.0.3")),
                ("cluster", cluster.key.to_value()),
                ("machine", machine.key.to_value()),
            ],
        );
        let (key, disk) = (machine.key.to_value(), format!("drive{number}"));
        world.store.add("machine_nics", [("machine", key.clone()), ("name", json!("fabric1"))]);
        let drive =
            world.store.add("machine_drives", [("machine", key), ("name", disk.into()), ("interface", json!("nvme"))]);
        physical(world, &drive, number);
        devices(world, &node, number);
        acts::run(world, &machine);
    }
    let status = world.store.follow(&cluster, "status").expect("a cluster has a status");
    world.store.set_all(
        &status,
        [
            ("total_nodes", json!(2)),
            ("online_nodes", json!(2)),
            ("total_ram", json!(524_288)),
            ("online_ram", json!(524_288)),
            ("used_ram", json!(98_304)),
            ("phys_ram_used", json!(81_920)),
            ("total_cores", json!(64)),
            ("online_cores", json!(64)),
            ("used_cores", json!(22)),
            ("running_machines", json!(9)),
            ("last_update", times::seconds().into()),
        ],
    );
}

fn physical(world: &mut World, drive: &Id, number: u64) {
    world.store.add(
        "machine_drive_phys",
        [
            ("parent_drive", drive.key.to_value()),
            ("model", json!("SAMSUNG MZQL27T6HBLA")),
            ("serial", format!("S6CKNT0W{number:06}").into()),
            ("fw", json!("GDC5902Q")),
            ("path", json!("/dev/nvme0n1")),
            ("size", (7 * TIB).into()),
            ("temp", json!(38)),
            ("wear_level", json!(2)),
            ("hours", json!(9_120)),
            ("vsan_tier", json!(1)),
            ("boot", json!(true)),
            ("vsan_online_since", (times::seconds() - 30 * DAY).into()),
        ],
    );
}

fn devices(world: &mut World, node: &Id, number: u64) {
    let key = node.key.to_value();
    let store = &mut world.store;
    for slot in 0..2 {
        store.add(
            "node_memory",
            [
                ("node", key.clone()),
                ("label", format!("DIMM_A{slot}").into()),
                ("locator", format!("A{slot}").into()),
                ("type", json!("DDR5")),
                ("size", json!("128 GB")),
                ("speed", json!("4800 MT/s")),
                ("manufacturer", json!("Samsung")),
            ],
        );
    }
    store.add(
        "node_pci_devices",
        [
            ("node", key.clone()),
            ("name", json!("Ethernet Controller E810-XXV")),
            ("slot", json!("41:00.0")),
            ("class", json!("Ethernet controller")),
            ("class_hex", json!("0200")),
            ("device_type", json!("network")),
            ("vendor", json!("Intel Corporation")),
            ("device", json!("Ethernet Controller E810-XXV")),
            ("driver", json!("ice")),
            ("sriov_totalvfs", json!(64)),
        ],
    );
    store.add(
        "node_usb_devices",
        [
            ("node", key.clone()),
            ("bus", json!("1")),
            ("device", number.to_string().into()),
            ("vendor", json!("American Megatrends, Inc.")),
            ("model", json!("Virtual Keyboard")),
        ],
    );
}

fn storage(world: &mut World) {
    for (tier, description, capacity, used) in [(0, "Metadata", TIB / 4, 40 * GIB), (1, "NVMe", 14 * TIB, 4 * TIB)] {
        let id = world.store.add(
            "storage_tiers",
            [
                ("tier", json!(tier)),
                ("description", json!(description)),
                ("capacity", capacity.into()),
                ("used", used.into()),
                ("allocated", (used + used / 2).into()),
                ("used_inflated", (used * 2).into()),
                ("dedupe_ratio", json!(1.84)),
            ],
        );
        let stats = world.store.follow(&id, "stats").expect("a tier has statistics");
        let cells =
            [("reads", json!(18_500_211)), ("writes", json!(9_120_442)), ("rops", json!(812)), ("wops", json!(344))];
        world.store.set_all(&stats, cells);
        let parent = world
            .store
            .add("cluster_tiers", [("tier", json!(tier)), ("cluster", json!(1)), ("description", json!(description))]);
        let status = world.store.follow(&parent, "status").expect("a tier has a status");
        let pct = used * 100 / capacity;
        world.store.set_all(&status, [("capacity", capacity.into()), ("used", used.into()), ("used_pct", pct.into())]);
    }
}

/// A network that runs.
fn network_of(world: &mut World, name: &str, kind: &str, network: &str, address: &str) -> Id {
    let vnet = world.store.add(
        "vnets",
        [("name", name.into()), ("type", kind.into()), ("network", network.into()), ("ipaddress", address.into())],
    );
    acts::start_network(world, &vnet);
    vnet
}

fn updates(world: &mut World) {
    let store = &mut world.store;
    let source = store.add(
        "update_sources",
        [
            ("name", json!("Production")),
            ("url", json!("https://updates.example.com")),
            ("last_refreshed", times::seconds().into()),
        ],
    );
    let branch = store.add("update_branches", [("name", json!("stable-26.1")), ("description", json!("Stable"))]);
    store.add(
        "update_settings",
        [("name", json!("Update Settings")), ("source", source.key.to_value()), ("branch", branch.key.to_value())],
    );
    for (name, description) in [("yb-system", "The platform"), ("yb-vsan", "Its storage")] {
        let cells = [
            ("name", json!(name)),
            ("description", json!(description)),
            ("version", json!(VERSION)),
            ("type", json!("package")),
            ("branch", branch.key.to_value()),
        ];
        store.add("update_packages", cells);
        store.add(
            "update_source_packages",
            [
                ("name", json!(name)),
                ("description", json!(description)),
                ("version", json!("26.1.9")),
                ("branch", branch.key.to_value()),
                ("source", source.key.to_value()),
            ],
        );
    }
    let cells =
        [("level", json!("message")), ("text", json!("No updates to install")), ("timestamp", times::micros().into())];
    store.add("update_logs", cells);
}

fn settings(world: &mut World) {
    for (key, value, description) in [
        ("cloud_name", "playground", "Name of this system"),
        ("max_connections", "1000", "Most connections of the web server"),
        ("session_timeout", "3600", "Seconds until a silent session ends"),
        ("api_rate_limit", "50", "Most requests of a session in a second"),
    ] {
        let cells = [
            ("key", key.into()),
            ("value", value.into()),
            ("default", value.into()),
            ("description", description.into()),
        ];
        world.store.add("settings", cells);
    }
    world.store.add(
        "licenses",
        [
            ("name", json!("Playground")),
            ("issued", (times::seconds() - 30 * DAY).into()),
            ("valid_from", (times::seconds() - 30 * DAY).into()),
            ("valid_until", (times::seconds() + 335 * DAY).into()),
            ("features", json!({ "nas": true, "tenants": true })),
        ],
    );
    world.store.add(
        "certificates",
        [
            ("domain", json!("localhost")),
            ("domainname", json!("localhost")),
            ("type", json!("self_signed")),
            ("autocreated", json!(true)),
            ("expires", (times::seconds() + 300 * DAY).into()),
        ],
    );
}

/// The recipes that the platform itself needs: NAS services and crash carts are deployed from one.
fn catalog(world: &mut World) {
    let store = &mut world.store;
    let repository = store.add(
        "catalog_repositories",
        [("name", json!("Local")), ("type", json!("local")), ("description", json!("Recipes of this system"))],
    );
    let catalog = store.add("catalogs", [("name", json!("Services")), ("repository", repository.key.to_value())]);
    for (name, description) in
        [("Services", "A NAS service"), ("Crash Cart", "A console for tenants"), ("Debian 13", "A small server")]
    {
        let recipe = store.add(
            "vm_recipes",
            [
                ("name", name.into()),
                ("description", description.into()),
                ("catalog", catalog.key.to_value()),
                ("version", json!("1.0.0")),
            ],
        );
        let owner = format!("vm_recipes/{}", recipe.key);
        let section = store.add("recipe_sections", [("recipe", owner.clone().into()), ("name", json!("General"))]);
        store.add(
            "recipe_questions",
            [
                ("recipe", owner.into()),
                ("section", section.key.to_value()),
                ("name", json!("HOSTNAME")),
                ("display", json!("Hostname")),
                ("required", json!(true)),
            ],
        );
    }
    for (name, level) in [("Drive wear", "warning"), ("Node offline", "critical")] {
        store.add("alarm_types", [("name", name.into()), ("description", name.into()), ("level", level.into())]);
    }
}

/// Something to look at: a few machines as somebody might have them.
pub(super) fn fill(world: &mut World) -> io::Result<()> {
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
    let alarm = [
        ("alarm_type", json!(1)),
        ("owner", json!("nodes/2")),
        ("owner_type", json!("nodes")),
        ("level", json!("warning")),
        ("status", json!("Drive 'drive2' has used 80% of its life")),
        ("alarm_id", random::hex(4).into()),
    ];
    world.store.add("alarms", alarm);
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

/// So many more VMs, every other one running, for whoever wants to see how long a list takes.
pub(super) fn crowd(world: &mut World, count: usize) {
    let nodes = world.store.table("nodes");
    let nodes: Vec<Value> = world.store.rows(nodes).map(|(key, _)| Key::to_value(key)).collect();
    for number in 0..count {
        let name = format!("vm{number:05}");
        let id = world.store.add(
            "vms",
            [
                ("name", name.into()),
                ("description", json!("One of many")),
                ("cpu_cores", json!(2)),
                ("ram", json!(2048)),
            ],
        );
        let machine = acts::adopt_vm(world, &id);
        if number % 2 == 0
            && let Some(status) = world.store.follow(&machine, "status")
        {
            let node = nodes.get(number / 2 % nodes.len().max(1)).cloned().unwrap_or_default();
            world.store.set_all(
                &status,
                [
                    ("status", json!("running")),
                    ("state", json!("online")),
                    ("running", json!(true)),
                    ("powerstate", json!(true)),
                    ("node", node),
                    ("started", times::seconds().into()),
                ],
            );
        }
    }
}
