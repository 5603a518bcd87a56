//! Tenants: systems in the system, with nodes, storage and a network of their own (section 4.3).

use super::{Action, Said, named, text};
use crate::playground::vergeos::refusal::{Answer, Refusal};
use crate::playground::vergeos::rows::Body;
use crate::playground::vergeos::store::Id;
use crate::playground::vergeos::world::World;
use crate::playground::vergeos::{random, times};
use serde_json::{Map, Value, json};

/// The columns of a tenant that are its own, and not those of what it is a copy of.
const OWN: &[&str] = &["name", "uuid", "status", "vnet", "created", "modified", "ui_address"];

fn status(world: &World, tenant: &Id) -> Answer<Id> {
    world.store.follow(tenant, "status").ok_or_else(|| Refusal::missing(format!("tenants/{}", tenant.key)))
}

pub(super) fn created(world: &mut World, tenant: &Id) -> Said {
    if world.store.text(tenant, "uuid").is_empty() {
        world.store.set(tenant, "uuid", random::uuid());
    }
    let name = format!("Tenant: {}", world.store.text(tenant, "name"));
    let vnet = world.store.add("vnets", [("name", name.into()), ("owner", format!("tenants/{}", tenant.key).into())]);
    super::networks::created(world, &vnet);
    world.store.set(tenant, "vnet", vnet.key.to_value());
    let cells = [("tenant", tenant.key.to_value()), ("last_update", times::seconds().into())];
    world.store.add("tenant_stats", cells);
    for table in ["tenant_stats_history_short", "tenant_stats_history_long"] {
        world.store.add(table, [("tenant", tenant.key.to_value()), ("timestamp", times::seconds().into())]);
    }
    world.log_in("tenant_logs", "tenant", tenant, "Tenant created");
    Ok(None)
}

pub(super) fn before_delete(world: &mut World, tenant: &Id) -> Answer<()> {
    if world.store.flag(&status(world, tenant)?, "running") {
        return Err(Refusal::state("Tenant must be powered off to delete"));
    }
    for node in world.store.with("tenant_nodes", "tenant", &tenant.key.to_value()) {
        before_node_delete(world, &node);
    }
    if let Some(vnet) = world.store.follow(tenant, "vnet") {
        if let Some(machine) = world.store.follow(&vnet, "machine") {
            world.store.remove(&machine);
        }
        world.store.remove(&vnet);
    }
    let owner = format!("tenants/{}", tenant.key).into();
    for table in ["vnet_cidrs", "vnet_addresses"] {
        for row in world.store.with(table, "owner", &owner) {
            world.store.set(&row, "owner", Value::Null);
        }
    }
    Ok(())
}

/// A node of a tenant is a machine.
pub(super) fn node_created(world: &mut World, node: &Id) -> Said {
    let tenant = world.store.cell(node, "tenant");
    let number = world.store.with("tenant_nodes", "tenant", &tenant).len();
    if world.store.text(node, "name").is_empty() {
        world.store.set(node, "name", format!("node{number}"));
    }
    let name = world.store.cell(node, "name");
    let machine = world.store.add("machines", [("name", name), ("type", json!("tenant_node"))]);
    for (to, from) in
        [("cluster", "cluster"), ("preferred_node", "preferred_node"), ("cores", "cpu_cores"), ("ram", "ram")]
    {
        let value = world.store.cell(node, from);
        world.store.set(&machine, to, value);
    }
    world.store.set_all(node, [("machine", machine.key.to_value()), ("nodeid", number.into())]);
    Ok(Some(json!({ "machine": text(&machine.key) })))
}

pub(super) fn before_node_delete(world: &mut World, node: &Id) {
    if let Some(machine) = world.store.follow(node, "machine") {
        world.store.remove(&machine);
    }
}

/// What is provisioned comes from a tier that tenants may have.
pub(super) fn before_storage(world: &World, body: &Body) -> Answer<()> {
    let tier = named(world, "storage_tiers", body.get("tier").unwrap_or(&Value::Null))?;
    if world.store.number(&tier, "tier") == 0 {
        return Err(Refusal::field("tier", "fails validation test"));
    }
    Ok(())
}

pub(super) fn act(world: &mut World, tenant: &Id, action: &Action<'_>) -> Said {
    let status = status(world, tenant)?;
    let is_running = world.store.flag(&status, "running");
    match action.name {
        "poweron" => {
            if is_running {
                return Err(Refusal::state("Cannot power on tenant: already in running state"));
            }
            world.store.set_all(&status, [("status", json!("starting")), ("starting", json!(true))]);
            let cells = [
                ("status", json!("running")),
                ("state", json!("online")),
                ("starting", json!(false)),
                ("running", json!(true)),
                ("started", times::seconds().into()),
            ];
            world.become_later(&status, "status", json!("starting"), cells);
            world.log_in("tenant_logs", "tenant", tenant, "Power on requested");
        }
        "poweroff" => {
            if !is_running {
                return Err(Refusal::state("Cannot power off tenant: already in offline state"));
            }
            world.store.set_all(&status, [("status", json!("stopping")), ("stopping", json!(true))]);
            let cells = [
                ("status", json!("offline")),
                ("state", json!("offline")),
                ("stopping", json!(false)),
                ("running", json!(false)),
                ("stopped", times::seconds().into()),
            ];
            world.become_later(&status, "status", json!("stopping"), cells);
            world.log_in("tenant_logs", "tenant", tenant, "Power off requested");
        }
        "reset" => {
            if !is_running {
                return Err(Refusal::state("Tenant is not running"));
            }
            world.store.set(&status, "started", times::seconds());
        }
        "isolateon" => world.store.set(tenant, "isolate", true),
        "isolateoff" => world.store.set(tenant, "isolate", false),
        "give_file" => {
            named(world, "files", &action.param("file"))?;
        }
        "clone" => return clone(world, tenant, action).map(Some),
        "restore" => {
            named(world, "tenant_snapshots", &action.param("snapshot"))?;
            if is_running {
                return Err(Refusal::state("Tenant must be powered off to restore"));
            }
        }
        "refresh_status" | "execute" | "convert_cloud_snapshot" | "recover_cloudsnapshot" => {}
        name => return Err(Refusal::action(name)),
    }
    Ok(None)
}

fn clone(world: &mut World, tenant: &Id, action: &Action<'_>) -> Answer<Value> {
    let default = || format!("{}_{}", world.store.text(tenant, "name"), times::seconds());
    let name = action.text("name").unwrap_or_else(default);
    if world.store.first("tenants", "name", &name.clone().into()).is_some() {
        return Err(Refusal::new(409, "This name is already in use"));
    }
    let copy = copy(world, tenant, OWN);
    world.store.set(&copy, "name", name);
    created(world, &copy)?;
    for (table, flag) in [("tenant_nodes", "no_nodes"), ("tenant_storage", "no_storage")] {
        if action.flag(flag) {
            continue;
        }
        for part in world.store.with(table, "tenant", &tenant.key.to_value()) {
            let part = self::copy(world, &part, &["tenant", "machine"]);
            world.store.set(&part, "tenant", copy.key.to_value());
            if table == "tenant_nodes" {
                node_created(world, &part)?;
            }
        }
    }
    Ok(json!({ "response": { "tenantkey": text(&copy.key) } }))
}

/// A row like another, but for these columns.
pub(super) fn copy(world: &mut World, id: &Id, own: &[&str]) -> Id {
    let mut row = world.store.row(id.table, &id.key).cloned().unwrap_or_default();
    let blank = world.store.blank(id.table);
    let schema = world.store.schema_of(id.table);
    for column in own {
        // Not every kind of row has all of them.
        if let Some(at) = schema.column(column) {
            row[at].clone_from(&blank[at]);
        }
    }
    world.store.insert(id.table, row)
}

/// The first address that a tenant is given is the one that its own users find it at.
pub(super) fn address_created(world: &mut World, address: &Id) {
    let owner = world.store.follow(address, "owner");
    let tenants = world.store.table("tenants");
    if let Some(tenant) = owner.filter(|owner| owner.table == tenants)
        && world.store.follow(&tenant, "ui_address").is_none()
    {
        world.store.set(&tenant, "ui_address", address.key.to_value());
    }
}

/// Something is given to a tenant: it lies in its inbox until it is taken.
pub(super) fn shared(world: &mut World, object: &Id) {
    world.store.set_all(object, [("id", random::id().into()), ("inbox", json!(true))]);
}

/// The parameters of an action that are of this kind of row.
pub(super) fn keys(params: &Map<String, Value>) -> Vec<Value> {
    params.get("rows").and_then(Value::as_array).cloned().unwrap_or_default()
}
