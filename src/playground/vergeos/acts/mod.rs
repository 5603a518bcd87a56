//! What happens beside the rows: checks that no column can say, things that come with other things, and actions.
//!
//! Each kind of thing that has such rules has them in one of the files below; here stands only who is asked.

mod clouds;
mod identity;
mod jobs;
mod nas;
mod networks;
mod parts;
mod power;
mod recipes;
mod sites;
mod snapshots;
mod system;
mod tenants;
mod vms;

use super::files;
use super::key::Key;
use super::refusal::{Answer, Refusal};
use super::rows::Body;
use super::store::Id;
use super::world::World;
use serde_json::{Map, Value};

/// An action on a row, with its parameters.
pub(super) struct Action<'a> {
    pub(super) name: &'a str,
    pub(super) params: &'a Map<String, Value>,
    pub(super) user: &'a str,
}

impl Action<'_> {
    /// A parameter; null if it is not given.
    fn param(&self, name: &str) -> Value {
        self.params.get(name).cloned().unwrap_or_default()
    }

    fn text(&self, name: &str) -> Option<String> {
        self.param(name).as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn flag(&self, name: &str) -> bool {
        matches!(self.param(name), Value::Bool(true)) || self.param(name) == "true" || self.param(name) == 1
    }
}

/// What something has to say when it is done, if anything.
pub(super) type Said = Answer<Option<Value>>;

/// Before a row is made: what the body says may still be changed.
pub(super) fn before_create(world: &mut World, table: &str, body: &mut Body) -> Answer<()> {
    match table {
        "vms" => vms::before_create(body),
        "machine_drives" | "machine_nics" | "machine_devices" => parts::before_create(world, table, body),
        "machine_snapshots" => snapshots::before_create(world, body),
        "vnets" | "vnet_rules" => networks::before_create(world, table, body),
        "users" | "groups" => {
            identity::lower(table, body);
            Ok(())
        }
        "tenant_storage" => tenants::before_storage(world, body),
        "vm_recipe_instances" => recipes::before_create(world, body),
        "volume_browser" => nas::before_browse(world, body.get("volume").unwrap_or(&Value::Null)),
        _ => Ok(()),
    }
}

/// After a row was made; what is said is the `response` of the reply.
pub(super) fn created(world: &mut World, id: &Id, body: &Body, user: &str) -> Said {
    let table = world.store.schema_of(id.table).name.clone();
    let said = match table.as_str() {
        "vms" => vms::created(world, id, body)?,
        "machine_drives" | "machine_nics" | "machine_devices" | "cloudinit_files" => {
            parts::created(world, &table, id, body)?
        }
        "machine_snapshots" => snapshots::created(world, id)?,
        "vnets" => networks::created(world, id),
        "user_api_keys" => identity::key_created(world, id)?,
        "tenants" => tenants::created(world, id)?,
        "tenant_nodes" => tenants::node_created(world, id)?,
        "vm_recipe_instances" => recipes::created(world, id, user)?,
        "tenant_recipe_instances" => recipes::tenant_created(world, id)?,
        _ => {
            made(world, &table, id)?;
            None
        }
    };
    touched(world, &table, id, user, "created");
    Ok(said)
}

/// The rest of them, which have nothing to say.
fn made(world: &mut World, table: &str, id: &Id) -> Answer<()> {
    match table {
        "files" => files::make(world, id)?,
        "oidc_applications" => identity::application_created(world, id),
        "vnet_addresses" => tenants::address_created(world, id),
        "vnet_wireguards" | "vnet_wireguard_peers" => networks::tunnel_created(world, table, id),
        "shared_objects" => tenants::shared(world, id),
        "cloud_snapshots" => clouds::created(world, id),
        "tasks" => jobs::task_created(world, id),
        "vm_imports" => jobs::import_created(world, id),
        "volume_browser" => jobs::browse(world, id),
        "system_diagnostics" => jobs::diagnose(world, id),
        "volumes" => nas::volume_created(world, id),
        "volume_snapshots" => nas::snapshot_created(world, id),
        "volume_cifs_shares" | "volume_nfs_shares" => nas::share_changed(world, id),
        "volume_antivirus" => nas::antivirus_created(world, id),
        "site_syncs_incoming" => sites::incoming_created(world, id),
        "site_syncs_outgoing" => sites::outgoing_created(world, id),
        "catalogs" => world.log_in("catalog_logs", "catalog", id, "Catalog created"),
        "catalog_repositories" => {
            world.log_in("catalog_repository_logs", "catalog_repository", id, "Repository created");
        }
        "licenses" => system::license_created(world, id),
        "certificates" => system::certificate_created(world, id),
        "root_certificates" => system::root_created(world, id),
        queries if queries.ends_with("_queries") => jobs::query(world, id),
        _ => {}
    }
    Ok(())
}

/// Before a row is changed.
pub(super) fn before_update(world: &mut World, id: &Id, body: &mut Body) -> Answer<()> {
    let table = world.store.schema_of(id.table).name.clone();
    match table.as_str() {
        "vms" => vms::before_update(world, id, body),
        "machine_drives" | "machine_nics" => parts::before_update(world, &table, id, body),
        "vnets" | "vnet_rules" => networks::before_update(world, &table, id, body),
        "users" | "groups" => {
            identity::lower(&table, body);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// After a row was changed.
pub(super) fn updated(world: &mut World, id: &Id, body: &Body, user: &str) {
    let table = world.store.schema_of(id.table).name.clone();
    match table.as_str() {
        "vms" => vms::updated(world, id, body),
        "cloudinit_files" => parts::measure(world, id),
        "vnets" => networks::updated(world, id, body),
        "volumes" => nas::volume_updated(world, id),
        "volume_cifs_shares" | "volume_nfs_shares" => nas::share_changed(world, id),
        "certificates" => system::certificate_updated(world, id),
        _ => {}
    }
    touched(world, &table, id, user, "changed");
}

/// Before a row is removed.
pub(super) fn before_delete(world: &mut World, id: &Id, user: &str) -> Answer<()> {
    let table = world.store.schema_of(id.table).name.clone();
    match table.as_str() {
        "vms" => vms::before_delete(world, id)?,
        "machine_drives" | "machine_nics" => parts::before_delete(world, &table, id)?,
        "machine_snapshots" => snapshots::before_delete(world, id),
        "vnets" | "vnet_rules" => networks::before_delete(world, &table, id)?,
        "files" => files::check_unused(world, id)?,
        "tenants" => tenants::before_delete(world, id)?,
        "tenant_nodes" => tenants::before_node_delete(world, id),
        "clusters" => system::before_cluster_delete(world, id)?,
        "vm_services" => nas::before_service_delete(world, id)?,
        "volumes" => nas::before_volume_delete(world, id)?,
        "volume_snapshots" => nas::before_snapshot_delete(world, id),
        _ => {}
    }
    touched(world, &table, id, user, "deleted");
    Ok(())
}

/// An action on a row of `table`: `POST /vm_actions`. What is said is the whole reply.
pub(super) fn act(world: &mut World, id: &Id, action: &Action<'_>) -> Said {
    let table = world.store.schema_of(id.table).name.clone();
    let said = match table.as_str() {
        "vms" => vms::act(world, id, action)?,
        "vnets" => networks::act(world, id, action)?,
        "tenants" => tenants::act(world, id, action)?,
        "nodes" => system::node(world, id, action)?,
        "clusters" => system::cluster(world, id, action)?,
        "sites" => sites::site(world, id, action)?,
        "site_syncs_outgoing" => sites::outgoing(world, id, action)?,
        "site_syncs_incoming" => sites::incoming(world, id, action)?,
        "site_syncs_outgoing_remote_snaps" | "site_syncs_incoming_verified" => sites::remote(action)?,
        "volumes" => nas::volume(world, id, action)?,
        "volume_syncs" => nas::sync(world, id, action)?,
        "volume_antivirus" => nas::antivirus(world, id, action)?,
        "volume_vm_exports" => jobs::export(world, id, action)?,
        "update_sources" => system::update(world, id, action)?,
        "catalog_repositories" | "shared_objects" | "system_diagnostics" | "files" => accepted(action)?,
        "snapshot_profiles" if action.name == "delete" => {
            world.store.remove(id);
            return Ok(None);
        }
        _ => return Err(Refusal::action(action.name)),
    };
    let text = format!("{} was asked to {}", shown(world, id), action.name);
    world.log(action.user, id, text);
    Ok(said)
}

/// What the simulator has nothing to do for.
fn accepted(action: &Action<'_>) -> Said {
    const NAMES: &[&str] =
        &["refresh", "import", "send2support", "overwrite", "add_link", "delete_link", "delete_reference"];
    if NAMES.contains(&action.name) { Ok(None) } else { Err(Refusal::action(action.name)) }
}

/// A verb behind a row: `PUT /vnets/5/applydns`, `PUT /tasks/3?action=run`.
pub(super) fn verb(world: &mut World, id: &Id, action: &Action<'_>) -> Said {
    let table = world.store.schema_of(id.table).name.clone();
    match (table.as_str(), action.name) {
        ("machine_drives", "apply_universal_vars") => Ok(None),
        ("tasks", _) => jobs::task(world, id, action),
        ("task_scripts", _) => jobs::script(world, id, action),
        ("task_schedules", _) => jobs::schedule(world, id, action),
        ("task_events" | "task_schedule_triggers", "trigger") => {
            jobs::trigger(world, id);
            Ok(None)
        }
        ("vm_recipes" | "tenant_recipes", _) => recipes::act(world, id, action),
        ("vm_imports", _) => jobs::import(world, id, action),
        ("alarms", _) => system::resolve(world, id, action),
        ("webhook_urls", _) => jobs::call(world, id, action),
        ("users" | "groups", "enable" | "disable") => {
            world.store.set(id, "enabled", action.name == "enable");
            Ok(None)
        }
        // What has an endpoint of its own for its actions takes them here too.
        _ => act(world, id, action),
    }
}

/// An action that is on no row: `POST /license_actions`. `None` if the endpoint is not of that kind.
pub(super) fn general(world: &mut World, endpoint: &str, action: &Action<'_>) -> Option<Said> {
    Some(match endpoint {
        "license_actions" => system::license_request(world, action),
        "billing_actions" => system::bill(world, action),
        "cloud_snapshot_vm_actions" => clouds::recover(world, "cloud_snapshot_vms", action),
        "cloud_snapshot_tenant_actions" => clouds::recover(world, "cloud_snapshot_tenants", action),
        "update_actions" if action.name == "runpreinstallcheck" => Ok(None),
        _ => return None,
    })
}

/// Has a machine run, from the beginning.
pub(super) fn run(world: &mut World, machine: &Id) {
    power::run(world, machine);
}

/// Gives a VM that the simulator made what one that was asked for has. Its machine.
pub(super) fn adopt_vm(world: &mut World, vm: &Id) -> Id {
    // Nothing of a body can be wrong where there is none.
    let _ = vms::created(world, vm, &Body::new());
    world.store.follow(vm, "machine").expect("it was just made")
}

/// Gives a network that the simulator made a router, and starts it.
pub(super) fn start_network(world: &mut World, vnet: &Id) {
    networks::created(world, vnet);
    if let Some(machine) = world.store.follow(vnet, "machine") {
        power::run(world, &machine);
    }
}

/// What something is called in a sentence.
fn shown(world: &World, id: &Id) -> String {
    let schema = world.store.schema_of(id.table);
    let kind = schema.singular().replace('_', " ");
    match schema.column("name") {
        Some(_) => format!("{kind} '{}'", world.store.text(id, "name")),
        None => format!("{kind} {}", id.key),
    }
}

/// Whether changes of a table are in the system's log.
fn is_logged(table: &str) -> bool {
    ["vms", "vnets", "tenants", "users", "groups", "tasks", "clusters", "nodes", "files", "sites"].contains(&table)
}

/// Writes a change down, and marks what has to be applied after it (section 4.1).
fn touched(world: &mut World, table: &str, id: &Id, user: &str, what: &str) {
    networks::touched(world, table, id);
    if is_logged(table) {
        let text = format!("{} was {what}", shown(world, id));
        world.log(user, id, text);
    }
}

/// The row that a key in a body names; refused if there is none.
pub(super) fn named(world: &World, table: &str, value: &Value) -> Answer<Id> {
    let key = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    world.store.find_cell(table, value).ok_or_else(|| Refusal::missing(format!("{table}/{}", key())))
}

/// A key as replies to actions have it: as text.
fn text(key: &Key) -> Value {
    key.to_string().into()
}
