//! What there is from the beginning: the platform itself, and a small company that uses it.

mod company;
mod hardware;

pub(super) use company::fill;

use crate::playground::vergeos::acts;
use crate::playground::vergeos::key::Key;
use crate::playground::vergeos::store::Id;
use crate::playground::vergeos::world::World;
use crate::playground::vergeos::{VERSION, random, times};
use serde_json::{Value, json};

/// The user that everything can be done as.
pub(super) const ADMIN: &str = "admin";

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
    hardware::fill(world);
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
            ("default_value", value.into()),
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
    for (name, description) in [
        ("Services", "A NAS service"),
        ("Crash Cart", "A console for tenants"),
        ("Debian 13", "A small server"),
        ("Alpine", "A smaller one"),
    ] {
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
