//! Views that are counted when they are asked for, and are no tables.

use super::key::Key;
use super::path::{At, Path};
use super::world::World;
use serde_json::{Map, Value, json};

/// What the view `name` shows; `None` if there is none of this name.
pub(super) fn show(world: &World, name: &str) -> Option<Value> {
    let count = Counter(world);
    Some(match name {
        "dashboard" => system(&count),
        "vnet_dashboard" => networks(&count),
        "tenant_dashboard" => tenants(&count),
        "update_dashboard" => updates(&count),
        _ => return None,
    })
}

struct Counter<'a>(&'a World);

impl Counter<'_> {
    fn rows(&self, table: &str) -> Vec<At<'_>> {
        let store = &self.0.store;
        let number = store.table(table);
        store.rows(number).map(|(key, row)| At { store, table: number, key, row }).collect()
    }

    fn all(&self, table: &str) -> usize {
        self.rows(table).len()
    }

    /// How many rows there are, and how many of them are online, in trouble, or broken, by the state at the end of a path.
    fn states(&self, object: &mut Map<String, Value>, prefix: &str, table: &str, path: &str, suffix: [&str; 4]) {
        let path = Path::parse(path).expect("a path of ours");
        let flag = Path::parse("is_snapshot").expect("a path of ours");
        let rows = self.rows(table);
        let rows = rows.into_iter().filter(|at| flag.value(*at).as_deref() != Some(&true.into()));
        let states: Vec<Value> = rows.map(|at| path.value(at).unwrap_or_default().into_owned()).collect();
        let of = |state: &str| states.iter().filter(|value| *value == state).count();
        let counts = [states.len(), of("online"), of("warning"), of("error")];
        for (suffix, count) in suffix.into_iter().zip(counts) {
            object.insert(format!("{prefix}{suffix}"), count.into());
        }
    }

    fn logs(&self) -> Value {
        let store = &self.0.store;
        let table = store.table("logs");
        let keys: Vec<&Key> = store.rows(table).map(|(key, _)| key).collect();
        let ids = keys.into_iter().rev().take(20).map(|key| super::store::Id { table, key: key.clone() });
        ids.map(|id| {
            json!({
                "$key": id.key.to_value(),
                "level": store.cell(&id, "level"),
                "text": store.cell(&id, "text"),
                "timestamp": store.cell(&id, "timestamp"),
            })
        })
        .collect()
    }
}

const COUNTS: [&str; 4] = ["_count", "_online", "_warn", "_error"];

fn system(count: &Counter<'_>) -> Value {
    let mut object = Map::new();
    let kinds = [
        ("machines", "vms", "machine#status#state"),
        ("vms", "vms", "machine#status#state"),
        ("vnets", "vnets", "machine#status#state"),
        ("tenants", "tenants", "status#state"),
        ("nodes", "nodes", "machine#status#state"),
        ("clusters", "clusters", "status#state"),
        ("storage_tiers", "cluster_tiers", "status#state"),
        ("cluster_tiers", "cluster_tiers", "status#state"),
        ("sites", "sites", "status"),
        ("repos", "catalog_repositories", "status#state"),
    ];
    for (prefix, table, path) in kinds {
        count.states(&mut object, prefix, table, path, COUNTS);
    }
    for (name, table) in [("users_count", "users"), ("groups_count", "groups"), ("alarms_count", "alarms")] {
        object.insert(name.to_owned(), count.all(table).into());
    }
    object.insert("logs".to_owned(), count.logs());
    object.into()
}

fn networks(count: &Counter<'_>) -> Value {
    let mut object = Map::new();
    count.states(&mut object, "vnets", "vnets", "machine#status#state", COUNTS);
    for prefix in ["ext", "int", "ten", "vpn"] {
        for suffix in COUNTS {
            object.insert(format!("{prefix}{suffix}"), 0.into());
        }
    }
    for network in count.rows("vnets") {
        let kind = network.column("type").unwrap_or_default();
        let prefix = match kind.as_str().unwrap_or_default() {
            "external" => "ext",
            "vpn" => "vpn",
            _ => "int",
        };
        let state = Path::parse("machine#status#state").expect("a path of ours").value(network);
        for (suffix, is_so) in [("_count", true), ("_online", state.as_deref() == Some(&"online".into()))] {
            let count = object[&format!("{prefix}{suffix}")].as_u64().unwrap_or(0) + u64::from(is_so);
            object.insert(format!("{prefix}{suffix}"), count.into());
        }
    }
    count.states(&mut object, "nics", "machine_nics", "status#state", COUNTS);
    object.insert("wireguards_count".to_owned(), count.all("vnet_wireguards").into());
    for name in ["running_ext_vnets", "running_int_vnets", "running_tenant_vnets", "nics_rate"] {
        object.insert(name.to_owned(), json!([]));
    }
    object.insert("logs".to_owned(), count.logs());
    object.into()
}

fn tenants(count: &Counter<'_>) -> Value {
    let mut object = Map::new();
    count.states(&mut object, "tenants", "tenants", "status#state", COUNTS);
    count.states(&mut object, "nodes", "tenant_nodes", "machine#status#state", COUNTS);
    count.states(&mut object, "tenant_recipes", "tenant_recipes", "status#state", COUNTS);
    count.states(&mut object, "devices", "machine_devices", "status#state", COUNTS);
    let all = [
        ("storage_count", "tenant_storage"),
        ("snapshots_count", "tenant_snapshots"),
        ("cloud_snapshots_count", "cloud_snapshots"),
    ];
    for (name, table) in all {
        object.insert(name.to_owned(), count.all(table).into());
    }
    let lists = [
        "running_nodes_cpu",
        "running_nodes_nic",
        "running_nodes_ram",
        "running_tenants_cores",
        "tenant_snapshots",
        "tenant_storage",
    ];
    for name in lists {
        object.insert(name.to_owned(), json!([]));
    }
    object.insert("logs".to_owned(), count.logs());
    object.into()
}

fn updates(count: &Counter<'_>) -> Value {
    let show = |table: &str, fields: &str| -> Value {
        let fields = super::fields::Fields::parse(fields);
        count.rows(table).into_iter().map(|at| fields.show(at)).collect()
    };
    let settings = show("update_settings", "all,$key");
    json!({
        "node_count": count.all("nodes"),
        "counts": { "event_count": count.all("update_logs"), "task_count": 0 },
        "logs": show("update_logs", "$key,level,text,timestamp,user"),
        "packages": show("update_packages", "$key,name,version,description,type"),
        "branches": show("update_branches", "$key,name,description"),
        "settings": settings.get(0).cloned().unwrap_or_default(),
    })
}
