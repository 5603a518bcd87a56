//! Machines that start, stop and move: what runs is a machine, whether it is one of a VM, a network or a node (section
//! 3.4).

use crate::playground::vergeos::refusal::{Answer, Refusal};
use crate::playground::vergeos::store::Id;
use crate::playground::vergeos::world::World;
use crate::playground::vergeos::{random, times};
use serde_json::{Value, json};

/// The row of a machine's status.
pub(super) fn status(world: &World, machine: &Id) -> Answer<Id> {
    world.store.follow(machine, "status").ok_or_else(|| Refusal::missing(format!("machines/{}", machine.key)))
}

/// What a machine does now.
pub(super) fn state(world: &World, machine: &Id) -> String {
    world.store.follow(machine, "status").map(|status| world.store.text(&status, "status")).unwrap_or_default()
}

pub(super) fn is_running(world: &World, machine: &Id) -> bool {
    world.store.follow(machine, "status").is_some_and(|status| world.store.flag(&status, "running"))
}

/// Starts a machine, on `node` if that is given. `what` is what it is the machine of.
pub(super) fn on(world: &mut World, machine: &Id, what: &str, node: &Value) -> Answer<()> {
    let status = status(world, machine)?;
    let now = world.store.text(&status, "status");
    if !["stopped", "hibernated", "error"].contains(&now.as_str()) {
        return Err(Refusal::state(format!("Cannot power on {what}: already in {now} state")));
    }
    let node = place(world, machine, node)?;
    world.store.set_all(
        &status,
        [
            ("status", json!("starting")),
            ("powerstate", json!(true)),
            ("node", node),
            ("last_update", times::seconds().into()),
        ],
    );
    let machine = machine.clone();
    world.later(move |world| {
        if state(world, &machine) == "starting" {
            run(world, &machine);
        }
    });
    Ok(())
}

/// Has a machine run, from now on.
pub(super) fn run(world: &mut World, machine: &Id) {
    let Some(status) = world.store.follow(machine, "status") else { return };
    let (cores, ram) = (world.store.number(machine, "cores"), world.store.number(machine, "ram"));
    if world.store.cell(&status, "node").is_null() {
        let node = place(world, machine, &Value::Null).unwrap_or_default();
        world.store.set(&status, "node", node);
    }
    world.store.set_all(
        &status,
        [
            ("status", json!("running")),
            ("state", json!("online")),
            ("running", json!(true)),
            ("powerstate", json!(true)),
            ("running_cores", cores.into()),
            ("running_ram", ram.into()),
            ("started", times::seconds().into()),
            ("last_update", times::seconds().into()),
        ],
    );
    if let Some(stats) = world.store.follow(machine, "stats") {
        let used = ram * 45 / 100;
        world.store.set_all(
            &stats,
            [
                ("total_cpu", json!(7)),
                ("user_cpu", json!(5)),
                ("system_cpu", json!(2)),
                ("ram_used", used.into()),
                ("ram_pct", json!(45)),
                ("vram_used", ram.into()),
            ],
        );
    }
    measure(world, machine);
    parts(world, machine, true);
    greet(world, machine, &status);
    if let Some(vm) = world.store.first("vms", "machine", &machine.key.to_value()) {
        world.store.set(&vm, "need_restart", false);
        if let Some(console) = world.store.follow(&vm, "console_status") {
            world.store.set_all(&console, [("host", json!("127.0.0.1")), ("port", json!(5900))]);
        }
    }
    world.log_in("machine_logs", "machine", machine, "Powered on");
}

/// Writes down what a machine uses, as the platform does every so often, and of a network how good its gateway is.
fn measure(world: &mut World, machine: &Id) {
    let ram = world.store.number(machine, "ram");
    for table in ["machine_stats_history_short", "machine_stats_history_long"] {
        let cells = [
            ("machine", machine.key.to_value()),
            ("total_cpu", json!(7)),
            ("ram_used", (ram * 45 / 100).into()),
            ("timestamp", times::seconds().into()),
        ];
        world.store.add(table, cells);
    }
    let Some(vnet) = world.store.first("vnets", "machine", &machine.key.to_value()) else { return };
    for table in ["vnet_monitor_stats_history_short", "vnet_monitor_stats_history_long"] {
        let cells = [
            ("vnet", vnet.key.to_value()),
            ("sent", json!(30)),
            ("quality", json!(100)),
            ("latency_usec_avg", json!(412)),
            ("latency_usec_peak", json!(903)),
            ("timestamp", times::seconds().into()),
        ];
        world.store.add(table, cells);
    }
}

/// Stops a machine at once.
pub(super) fn halt(world: &mut World, machine: &Id) {
    let Some(status) = world.store.follow(machine, "status") else { return };
    // What it ran with and when it was started stays: only `running` tells (section 3.4).
    world.store.set_all(
        &status,
        [
            ("status", json!("stopped")),
            ("state", json!("offline")),
            ("running", json!(false)),
            ("powerstate", json!(false)),
            ("node", Value::Null),
            ("agent_version", json!("")),
            ("agent_features", Value::Null),
            ("agent_guest_info", Value::Null),
            ("last_update", times::seconds().into()),
        ],
    );
    parts(world, machine, false);
    world.log_in("machine_logs", "machine", machine, "Powered off");
}

/// Asks what runs on a machine to end. It may take no notice.
pub(super) fn off(world: &mut World, machine: &Id, what: &str) -> Answer<()> {
    let status = status(world, machine)?;
    let now = world.store.text(&status, "status");
    if now == "stopped" || now == "hibernated" {
        return Err(Refusal::state(format!("Cannot power off {what}: already in {now} state")));
    }
    if world.are_deaf {
        return Ok(());
    }
    world.store.set_all(&status, [("status", json!("stopping")), ("powerstate", json!(false))]);
    let machine = machine.clone();
    world.later(move |world| {
        if state(world, &machine) == "stopping" {
            halt(world, &machine);
        }
    });
    Ok(())
}

/// Pulls the plug.
pub(super) fn kill(world: &mut World, machine: &Id, what: &str) -> Answer<()> {
    if state(world, machine) == "stopped" {
        return Err(Refusal::state(format!("Cannot power off {what}: already in stopped state")));
    }
    halt(world, machine);
    Ok(())
}

/// Starts a running machine anew. Its status never leaves `running`.
pub(super) fn reset(world: &mut World, machine: &Id, what: &str) -> Answer<()> {
    let status = running(world, machine, what)?;
    world.store.set(&status, "started", times::seconds());
    world.log_in("machine_logs", "machine", machine, "Reset");
    Ok(())
}

pub(super) fn hibernate(world: &mut World, machine: &Id, what: &str) -> Answer<()> {
    let status = running(world, machine, what)?;
    world.store.set(&status, "status", "hibernating");
    let cells = [("status", json!("hibernated")), ("running", json!(false)), ("state", json!("offline"))];
    world.become_later(&status, "status", json!("hibernating"), cells);
    Ok(())
}

/// Moves a running machine to another node while it runs.
pub(super) fn migrate(world: &mut World, machine: &Id, what: &str, node: &Value) -> Answer<()> {
    let status = running(world, machine, what)?;
    let to = match node {
        Value::Null => other_node(world, &world.store.cell(&status, "node")),
        node => place(world, machine, node)?,
    };
    if to.is_null() {
        return Err(Refusal::state("No node is available to migrate to"));
    }
    world.store.set_all(&status, [("status", json!("migrating")), ("migration_destination", to.clone())]);
    let from = world.store.cell(&status, "node");
    let cells =
        [("status", json!("running")), ("migrated_node", from), ("node", to), ("migration_destination", Value::Null)];
    world.become_later(&status, "status", json!("migrating"), cells);
    Ok(())
}

fn running(world: &World, machine: &Id, what: &str) -> Answer<Id> {
    let status = status(world, machine)?;
    if !world.store.flag(&status, "running") {
        let now = world.store.text(&status, "status");
        return Err(Refusal::state(format!("{what} is not running: in {now} state")));
    }
    Ok(status)
}

/// The node that a machine starts on: the one that was asked for, the preferred one, or the first.
fn place(world: &World, machine: &Id, asked: &Value) -> Answer<Value> {
    if !asked.is_null() {
        return Ok(super::named(world, "nodes", asked)?.key.to_value());
    }
    let preferred = world.store.cell(machine, "preferred_node");
    if let Some(node) = world.store.find_cell("nodes", &preferred) {
        return Ok(node.key.to_value());
    }
    Ok(other_node(world, &Value::Null))
}

/// A node that is up and is not this one; null if there is none.
fn other_node(world: &World, than: &Value) -> Value {
    let table = world.store.table("nodes");
    let mut nodes = world.store.rows(table).map(|(key, _)| Id { table, key: key.clone() });
    let node = nodes.find(|node| node.key.to_value() != *than && !world.store.flag(node, "maintenance"));
    node.map_or(Value::Null, |node| node.key.to_value())
}

/// What a machine has goes up and down with it.
fn parts(world: &mut World, machine: &Id, is_up: bool) {
    let key = machine.key.to_value();
    let kinds = [
        ("machine_drives", "online", "offline"),
        ("machine_nics", "up", "down"),
        ("machine_devices", "online", "idle"),
    ];
    for (table, up, down) in kinds {
        for part in world.store.with(table, "machine", &key) {
            if !world.store.flag(&part, "enabled") {
                continue;
            }
            let Some(status) = world.store.follow(&part, "status") else { continue };
            let state = if is_up { "online" } else { "offline" };
            world.store.set_all(&status, [("status", json!(if is_up { up } else { down })), ("state", json!(state))]);
            if table == "machine_nics" {
                world.store.set(&status, "speed", if is_up { 1000 } else { 0 });
            }
        }
    }
}

/// The guest agent tells of itself, if the VM has one.
fn greet(world: &mut World, machine: &Id, status: &Id) {
    let Some(vm) = world.store.first("vms", "machine", &machine.key.to_value()) else { return };
    if !world.store.flag(&vm, "guest_agent") {
        return;
    }
    let nics = world.store.with("machine_nics", "machine", &machine.key.to_value());
    let interfaces: Vec<Value> = nics
        .iter()
        .enumerate()
        .map(|(at, nic)| {
            let ip = world.store.text(nic, "ipaddress");
            let addresses: Vec<Value> = (!ip.is_empty())
                .then(|| json!({ "ip-address-type": "ipv4", "ip-address": ip, "prefix": 24 }))
                .into_iter()
                .collect();
            json!({
                "name": format!("eth{at}"),
                "hardware-address": world.store.cell(nic, "macaddress"),
                "ip-addresses": addresses,
            })
        })
        .collect();
    let info = json!([
        { "name": "hostname", "value": world.store.cell(&vm, "name") },
        { "name": "network", "value": interfaces },
        { "name": "id", "value": random::hex(8) },
    ]);
    world.store.set_all(
        status,
        [
            ("agent_version", json!("9.2.0")),
            ("agent_features", json!(["guest-exec", "guest-network-get-interfaces", "guest-fsfreeze-freeze"])),
            ("agent_guest_info", info),
        ],
    );
}
