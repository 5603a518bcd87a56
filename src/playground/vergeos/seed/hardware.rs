//! One cluster of two nodes: what is in them, and what they measured.

use crate::playground::vergeos::acts;
use crate::playground::vergeos::store::Id;
use crate::playground::vergeos::world::World;
use crate::playground::vergeos::{VERSION, times};
use serde_json::json;

const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;
const DAY: i64 = 24 * 60 * 60;

/// Builds it.
pub(super) fn fill(world: &mut World) {
    nodes(world);
    graphics(world);
    storage(world);
}

fn nodes(world: &mut World) {
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
        let nic = world.store.add("machine_nics", [("machine", key.clone()), ("name", json!("fabric1"))]);
        neighbours(world, &node, &nic);
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

/// What the node's NIC sees of the others.
fn neighbours(world: &mut World, node: &Id, nic: &Id) {
    world.store.add(
        "machine_nic_fabric_status",
        [("parent_nic", nic.key.to_value()), ("max_score", json!(1)), ("min_score", json!(1)), ("paths", json!([]))],
    );
    world.store.add(
        "node_lldp_neighbors",
        [
            ("node", node.key.to_value()),
            ("nic", nic.key.to_value()),
            ("rid", json!("1")),
            ("via", json!("LLDP")),
            ("age", json!("12 days")),
            ("chassis", json!({ "name": "switch1", "descr": "A switch" })),
            ("port", json!({ "id": "Ethernet1/1" })),
            ("vlan", json!({})),
            ("other", json!({})),
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
        for table in ["cluster_tier_stats_history_short", "cluster_tier_stats_history_long"] {
            let cells = [
                ("tier", parent.key.to_value()),
                ("used", used.into()),
                ("capacity", capacity.into()),
                ("timestamp", times::seconds().into()),
            ];
            world.store.add(table, cells);
        }
    }
}

/// A graphics card in the first node, and what it can be divided into.
fn graphics(world: &mut World) {
    let store = &mut world.store;
    let pci = store.add(
        "node_pci_devices",
        [
            ("node", json!(1)),
            ("name", json!("NVIDIA L4")),
            ("slot", json!("81:00.0")),
            ("class", json!("3D controller")),
            ("class_hex", json!("0302")),
            ("vendor", json!("NVIDIA Corporation")),
            ("device", json!("AD104GL [L4]")),
            ("driver", json!("nvidia")),
        ],
    );
    let card = pci.key.to_value();
    let profile = [
        ("name", json!("NVIDIA L4-4Q")),
        ("framebuffer", json!("4096")),
        ("max_resolution", json!("7680x4320")),
        ("max_instance", json!(6)),
        ("profile_type", json!("Q")),
        ("num_heads", json!(4)),
    ];
    store.add("nvidia_vgpu_profiles", profile.clone());
    let local = store.add("node_nvidia_vgpu_profiles", profile);
    store.set_all(&local, [("physical_gpu", card.clone()), ("available_instances", json!(6))]);
    let gpu = store.add(
        "node_gpus",
        [("name", json!("NVIDIA L4")), ("node", json!(1)), ("pci_device", card.clone()), ("max_instances", json!(6))],
    );
    for table in ["node_gpu_stats", "node_gpu_stats_history_short", "node_gpu_stats_history_long"] {
        let cells = [
            ("node_gpu", gpu.key.to_value()),
            ("gpus_total", json!(1)),
            ("gpus_idle", json!(1)),
            ("timestamp", times::seconds().into()),
        ];
        store.add(table, cells);
    }
    store.add("node_gpu_instances", [("gpu", gpu.key.to_value()), ("description", json!("Idle"))]);
    let device = |name: &str| {
        [
            ("node", json!(1)),
            ("pci_device", card.clone()),
            ("name", name.into()),
            ("slot", json!("81:00.4")),
            ("vendor", json!("NVIDIA Corporation")),
            ("device", json!("AD104GL [L4]")),
        ]
    };
    for table in ["node_nvidia_vgpu_devices", "node_host_gpu_devices", "node_sriov_nic_devices"] {
        store.add(table, device("Virtual function 1"));
    }
    let cells = [
        ("node", json!(1)),
        ("driver_name", json!("nvidia-vgpu")),
        ("driver_key", json!("nvidia")),
        ("status", json!("complete")),
    ];
    store.add("node_drivers", cells);
    let services = [("name", json!("registry")), ("description", json!("A service of the platform"))];
    store.add("service_containers", services);
}
