//! Other systems, and what is sent to them and comes from them (section 4.8).

use super::{Action, Said};
use crate::playground::vergeos::refusal::Refusal;
use crate::playground::vergeos::store::Id;
use crate::playground::vergeos::world::World;
use crate::playground::vergeos::{random, times};
use serde_json::json;

pub(super) fn incoming_created(world: &mut World, sync: &Id) {
    world.store.set_all(sync, [("sync_id", random::id().into()), ("registration_code", random::hex(16).into())]);
    let name = world.store.cell(sync, "name");
    let cells = [
        ("site_syncs_incoming", sync.key.to_value()),
        ("name", name),
        ("registered", json!(true)),
        ("registered_on", times::seconds().into()),
    ];
    world.store.add("site_syncs_incoming_verified", cells);
    world.log_in("site_syncs_incoming_logs", "site_syncs_incoming", sync, "Sync created");
}

pub(super) fn outgoing_created(world: &mut World, sync: &Id) {
    let stats = world.store.follow(sync, "stats");
    if let Some(stats) = stats {
        world
            .store
            .set_all(&stats, [("timestamp", times::seconds().into()), ("last_run_time", times::seconds().into())]);
    }
    let cells =
        [("parent", sync.key.to_value()), ("timestamp", times::seconds().into()), ("sent_bytes", json!(1 << 20))];
    world.store.add("site_sync_stats_history_long", cells);
    let cells = [
        ("site_syncs_outgoing", sync.key.to_value()),
        ("name", json!("Daily_20260101")),
        ("remote_key", json!(1)),
        ("created", times::seconds().into()),
    ];
    world.store.add("site_syncs_outgoing_remote_snaps", cells);
    world.log_in("site_syncs_outgoing_logs", "site_syncs_outgoing", sync, "Sync created");
}

pub(super) fn site(world: &mut World, site: &Id, action: &Action<'_>) -> Said {
    match action.name {
        "reauthenticate" => world.store.set(site, "authentication_status", "authenticated"),
        "refresh" | "refresh_settings" => world.store.set(site, "modified", times::seconds()),
        name => return Err(Refusal::action(name)),
    }
    Ok(None)
}

pub(super) fn outgoing(world: &mut World, sync: &Id, action: &Action<'_>) -> Said {
    match action.name {
        "enable" => world.store.set_all(sync, [("enabled", json!(true)), ("state", json!("online"))]),
        "disable" => world.store.set_all(sync, [("enabled", json!(false)), ("state", json!("offline"))]),
        "add_to_queue" => {
            let cells = [
                ("site_syncs_outgoing", sync.key.to_value()),
                ("id", random::id().into()),
                ("cloud_snapshot", action.param("cloud_snapshot")),
                ("priority", action.param("priority")),
                ("retention", action.param("retention")),
                ("timestamp", times::seconds().into()),
                ("stats", json!({})),
            ];
            world.store.add("site_syncs_outgoing_queue", cells);
        }
        "throttle_sync" => {
            let throttle = action.params.values().next().cloned().unwrap_or_default();
            world.store.set(sync, "sendthrottle", throttle);
        }
        "throttle_disable" => world.store.set(sync, "sendthrottle", 0),
        "refresh" => world.store.set(sync, "last_run", times::seconds()),
        name => return Err(Refusal::action(name)),
    }
    Ok(None)
}

pub(super) fn incoming(world: &mut World, sync: &Id, action: &Action<'_>) -> Said {
    match action.name {
        "enable" => world.store.set_all(sync, [("enabled", json!(true)), ("state", json!("online"))]),
        "disable" => world.store.set_all(sync, [("enabled", json!(false)), ("state", json!("offline"))]),
        name => return Err(Refusal::action(name)),
    }
    Ok(None)
}

/// What the other side has, of which some can be asked for.
pub(super) fn remote(action: &Action<'_>) -> Said {
    match action.name {
        "list_snaps" => {
            Ok(Some(json!({ "response": [{ "name": "Daily_20260101", "key": 1, "created": times::seconds() }] })))
        }
        "request" | "set_retention" => Ok(None),
        name => Err(Refusal::action(name)),
    }
}
