//! The platform itself: nodes, updates, licenses, certificates, alarms, billing (section 4.5).

use super::{Action, Said, power};
use crate::playground::vergeos::refusal::{Answer, Refusal};
use crate::playground::vergeos::store::Id;
use crate::playground::vergeos::world::World;
use crate::playground::vergeos::{files, random, times};
use serde_json::{Value, json};

const DAY: i64 = 24 * 60 * 60;

pub(super) fn node(world: &mut World, node: &Id, action: &Action<'_>) -> Said {
    match action.name {
        "enable_maintenance" | "maintenance" => world.store.set(node, "maintenance", true),
        "disable_maintenance" | "leavemaintenance" => world.store.set(node, "maintenance", false),
        "maintenance_reboot" | "reset" => {
            if let Some(machine) = world.store.follow(node, "machine") {
                power::reset(world, &machine, "node")?;
            }
            world.store.set_all(node, [("need_restart", json!(false)), ("restart_reason", json!(""))]);
        }
        "refresh" | "refresh_status" | "interfaces" | "ipmi_test" | "clear_sel" => {}
        name => return Err(Refusal::action(name)),
    }
    Ok(None)
}

pub(super) fn cluster(world: &mut World, cluster: &Id, action: &Action<'_>) -> Said {
    let status = world.store.follow(cluster, "status").ok_or_else(Refusal::not_permitted)?;
    match action.name {
        "shutdown" => world.store.set(&status, "status_info", "Shutting down"),
        "cancel_shutdown" => world.store.set(&status, "status_info", ""),
        name => return Err(Refusal::action(name)),
    }
    Ok(None)
}

pub(super) fn before_cluster_delete(world: &World, cluster: &Id) -> Answer<()> {
    if world.store.with("nodes", "cluster", &cluster.key.to_value()).is_empty() {
        Ok(())
    } else {
        Err(Refusal::state("Cluster has nodes"))
    }
}

/// `update_actions`: what there is to download is at its source.
pub(super) fn update(world: &mut World, source: &Id, action: &Action<'_>) -> Said {
    let settings = world.store.find("update_settings", 1).ok_or_else(Refusal::not_permitted)?;
    match action.name {
        "refresh" => world.store.set(source, "last_refreshed", times::seconds()),
        "download" => {
            for package in world.store.with("update_source_packages", "source", &source.key.to_value()) {
                world.store.set(&package, "downloaded", true);
            }
            world.store.set(source, "last_updated", times::seconds());
        }
        "install" => world.store.set_all(&settings, [("installed", json!(true)), ("reboot_required", json!(true))]),
        "apply" | "all" => {
            world.store.set(&settings, "applying_updates", true);
            let cells =
                [("applying_updates", json!(false)), ("reboot_required", json!(false)), ("installed", json!(true))];
            world.become_later(&settings, "applying_updates", json!(true), cells);
        }
        name => return Err(Refusal::action(name)),
    }
    let text = format!("Updates: {}", action.name);
    let cells = [("level", json!("message")), ("text", text.into()), ("timestamp", times::micros().into())];
    world.store.add("update_logs", cells);
    Ok(None)
}

/// `license_actions`: a request for a license, as a file of the catalog.
pub(super) fn license_request(world: &mut World, action: &Action<'_>) -> Said {
    if action.name != "generate" {
        return Err(Refusal::action(action.name));
    }
    let name = format!("license-request-{}.lrq", random::hex(4));
    let file = world.store.add("files", [("name", name.clone().into())]);
    let contents = [&[0x8a, 0x3a, 0, 0][..], random::hex(32).as_bytes()].concat();
    files::fill(world, &file, &contents).map_err(|error| Refusal::new(500, error))?;
    let response = json!({
        "filekey": file.key.to_string(),
        "filename": name,
        "filesize": contents.len(),
        "email": "licenses@example.com",
    });
    Ok(Some(json!({ "response": response })))
}

pub(super) fn license_created(world: &mut World, id: &Id) {
    let now = times::seconds();
    world.store.set_all(
        id,
        [
            ("name", json!("Added license")),
            ("added", now.into()),
            ("issued", now.into()),
            ("valid_from", now.into()),
            ("valid_until", (now + 365 * DAY).into()),
            ("features", json!({})),
        ],
    );
}

/// `billing_actions`: a record of what is used now.
pub(super) fn bill(world: &mut World, action: &Action<'_>) -> Said {
    if action.name != "generate" {
        return Err(Refusal::action(action.name));
    }
    let now = times::seconds();
    let running = world.store.with("machine_status", "running", &json!(true)).len();
    let record = world.store.add(
        "billing",
        [
            ("from", (now - 3600).into()),
            ("to", now.into()),
            ("description", json!("Generated")),
            ("used_cores", json!(22)),
            ("total_cores", json!(64)),
            ("online_cores", json!(64)),
            ("total_nodes", json!(2)),
            ("online_nodes", json!(2)),
            ("running_machines", running.into()),
            ("used_ram", json!(98_304)),
            ("total_ram", json!(524_288)),
            ("online_ram", json!(524_288)),
            ("tier_1_used", json!(4_u64 << 40)),
            ("tier_1_total", json!(14_u64 << 40)),
        ],
    );
    Ok(Some(json!({ "response": { "billing": record.key.to_string() } })))
}

pub(super) fn certificate_created(world: &mut World, id: &Id) {
    let name = world.store.text(id, "domainname");
    let shown = if name.is_empty() { world.store.text(id, "domain") } else { name };
    let expires = times::seconds() + 365 * DAY;
    world
        .store
        .set_all(id, [("domain", shown.clone().into()), ("domainname", shown.into()), ("expires", expires.into())]);
}

/// Renewing is a column that is set, and never stays so.
pub(super) fn certificate_updated(world: &mut World, id: &Id) {
    if world.store.flag(id, "renew") {
        world.store.set_all(id, [("renew", json!(false)), ("expires", (times::seconds() + 365 * DAY).into())]);
    }
}

/// What was raised is lowered, and history.
pub(super) fn resolve(world: &mut World, alarm: &Id, action: &Action<'_>) -> Said {
    if action.name != "resolve" {
        return Err(Refusal::action(action.name));
    }
    if !world.store.flag(alarm, "resolvable") {
        return Err(Refusal::not_permitted());
    }
    let kind = world.store.follow(alarm, "alarm_type").map_or(Value::Null, |kind| world.store.cell(&kind, "name"));
    let cells = [
        ("owner", world.store.cell(alarm, "owner").to_string().trim_matches('"').into()),
        ("alarm_type", kind),
        ("level", world.store.cell(alarm, "level")),
        ("status", world.store.cell(alarm, "status")),
        ("alarm_id", world.store.cell(alarm, "alarm_id")),
        ("archived_by", action.user.into()),
        ("alarm_raised", world.store.cell(alarm, "created")),
        ("alarm_lowered", times::seconds().into()),
    ];
    world.store.add("alarm_history", cells);
    world.store.remove(alarm);
    Ok(None)
}

pub(super) fn root_created(world: &mut World, id: &Id) {
    let now = times::seconds();
    world.store.set_all(
        id,
        [
            ("subject", json!("CN=Playground Root")),
            ("issuer", json!("CN=Playground Root")),
            ("fingerprint", random::hex(32).into()),
            ("startdate", now.into()),
            ("enddate", (now + 3650 * DAY).into()),
        ],
    );
}
