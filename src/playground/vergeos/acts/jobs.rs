//! What takes a while and then is done: tasks, queries, imports, exports, diagnostics (section 2.7).

use super::{Action, Said};
use crate::playground::vergeos::key::Kind as KeyKind;
use crate::playground::vergeos::refusal::Refusal;
use crate::playground::vergeos::store::Id;
use crate::playground::vergeos::world::World;
use crate::playground::vergeos::{files, random, times};
use serde_json::{Value, json};

/// How long an answer to a query is kept, in seconds.
const KEPT: i64 = 3600;

pub(super) fn task_created(world: &mut World, task: &Id) {
    let label = world.store.text(task, "action").replace('_', " ");
    world.store.set_all(task, [("id", random::id().into()), ("action_display", label.into())]);
}

/// `PUT /tasks/9?action=execute`.
pub(super) fn task(world: &mut World, task: &Id, action: &Action<'_>) -> Said {
    match action.name {
        "execute" | "run" | "trigger" => execute(world, task),
        "cancel" => world.store.set_all(task, [("status", json!("idle")), ("progress", json!(0))]),
        name => return Err(Refusal::action(name)),
    }
    Ok(None)
}

/// Has a task run: it is idle again when it is done, unless it was made to be gone by then.
pub(super) fn execute(world: &mut World, task: &Id) {
    world.store.set_all(task, [("status", json!("running")), ("progress", json!(0))]);
    let task = task.clone();
    world.later(move |world| {
        if world.store.text(&task, "status") != "running" {
            return;
        }
        let cells = [("status", json!("idle")), ("progress", json!(100)), ("last_run", times::seconds().into())];
        world.store.set_all(&task, cells);
        if world.store.flag(&task, "delete_after_run") {
            world.store.remove(&task);
        }
    });
}

/// What starts a task does so when it is asked to.
pub(super) fn trigger(world: &mut World, id: &Id) {
    if let Some(task) = world.store.follow(id, "task") {
        execute(world, &task);
    }
}

/// `PUT /task_scripts/1?action=run`: a script runs by itself, and all tasks that are made of it know.
pub(super) fn script(world: &mut World, script: &Id, action: &Action<'_>) -> Said {
    if action.name != "run" {
        return Err(Refusal::action(action.name));
    }
    for task in world.store.with("tasks", "script", &script.key.to_value()) {
        execute(world, &task);
    }
    Ok(None)
}

/// The next times of a schedule: `PUT /task_schedules/1?action=get_schedule`.
pub(super) fn schedule(world: &World, schedule: &Id, action: &Action<'_>) -> Said {
    if action.name != "get_schedule" {
        return Err(Refusal::action(action.name));
    }
    let seconds = match world.store.text(schedule, "repeat_every").as_str() {
        "minute" => 60,
        "hour" => 3600,
        "day" => 86_400,
        "week" => 7 * 86_400,
        "month" => 30 * 86_400,
        "year" => 365 * 86_400,
        _ => return Ok(Some(json!({ "times": [] }))),
    };
    let step = seconds * world.store.number(schedule, "repeat_iteration").max(1);
    let most = action.param("max").as_i64().unwrap_or(20);
    let from = action.param("start_time").as_i64().unwrap_or_else(times::seconds);
    let until = action.param("end_time").as_i64().unwrap_or(i64::MAX);
    let first = (from / step + 1) * step;
    let times = (0..most).map(|number| first + number * step).take_while(|at| *at <= until);
    Ok(Some(json!({ "times": times.collect::<Vec<_>>() })))
}

/// A query is answered after a moment.
pub(super) fn query(world: &mut World, id: &Id) {
    let kind = world.store.text(id, "query");
    let params = world.store.cell(id, "params");
    let host = params["host"].as_str().unwrap_or("127.0.0.1").to_owned();
    let result = match kind.as_str() {
        "ping" => format!("PING {host} 56(84) bytes of data.\n64 bytes from {host}: icmp_seq=1 ttl=64 time=0.412 ms\n"),
        "dns" => format!("{host} has address 192.0.2.10\n"),
        "arp" => "192.168.10.20 dev eth0 lladdr f0:db:30:00:00:01 REACHABLE\n".to_owned(),
        "traceroute" => format!("traceroute to {host}, 30 hops max\n 1  {host}  0.398 ms\n"),
        other => format!("{other}: ok\n"),
    };
    if world.store.schema_of(id.table).keys == KeyKind::Number {
        world.store.set(id, "id", random::id());
    }
    world.store.set_all(id, [("status", json!("running")), ("expires", (times::seconds() + KEPT).into())]);
    let (id, command) = (id.clone(), format!("{kind} {host}"));
    world.later(move |world| {
        world
            .store
            .set_all(&id, [("status", json!("complete")), ("result", result.into()), ("command", command.into())]);
    });
}

/// What is in a volume: the same two files in each.
pub(super) fn browse(world: &mut World, id: &Id) {
    let kind = world.store.text(id, "query");
    let now = times::seconds();
    let entries = json!([
        { "name": "reports", "n_name": "reports", "type": "directory", "size": 0, "date": now },
        { "name": "README.txt", "n_name": "README.txt", "type": "file", "size": 412, "date": now },
    ]);
    let result = if kind == "get-dir" { entries } else { json!([]) };
    let id = id.clone();
    world.later(move |world| world.store.set_all(&id, [("status", json!("complete")), ("result", result)]));
}

/// A VM is made from a file of the catalog.
pub(super) fn import_created(world: &mut World, id: &Id) {
    world.store.set_all(id, [("uuid", random::uuid().into()), ("timestamp", times::seconds().into())]);
    if world.store.flag(id, "importing") {
        start_import(world, id);
    }
}

pub(super) fn import(world: &mut World, id: &Id, action: &Action<'_>) -> Said {
    match action.name {
        "import" => start_import(world, id),
        "abort" => {
            world
                .store
                .set_all(id, [("status", json!("aborted")), ("aborted", json!(true)), ("importing", json!(false))]);
        }
        name => return Err(Refusal::action(name)),
    }
    Ok(None)
}

fn start_import(world: &mut World, id: &Id) {
    world.store.set_all(id, [("status", json!("importing")), ("importing", json!(true))]);
    world.log_in("vm_import_logs", "vm_import", id, "Import started");
    let id = id.clone();
    world.later(move |world| {
        if world.store.text(&id, "status") != "importing" {
            return;
        }
        let source = world.store.follow(&id, "file").map(|file| world.store.text(&file, "name")).unwrap_or_default();
        let is_known = source.is_empty() || ["ova", "ovf", "vmx", "ybvm"].contains(&files::kind(&source).as_str());
        world.store.set(&id, "importing", false);
        if !is_known {
            // A bare disk is imported as a drive, not as a VM (section 3.11).
            let cells = [("status", json!("error")), ("status_info", json!("Unknown Import file type"))];
            world.store.set_all(&id, cells);
            world.log_in("vm_import_logs", "vm_import", &id, "Unknown Import file type");
            return;
        }
        let name = world.store.cell(&id, "name");
        let vm = world.store.add("vms", [("name", name), ("imported", json!(true)), ("created_from", json!("import"))]);
        super::adopt_vm(world, &vm);
        world.store.set_all(&id, [("status", json!("complete")), ("vm", vm.key.to_value())]);
        world.log_in("vm_import_logs", "vm_import", &id, "Import complete");
    });
}

/// VMs are written into a volume.
pub(super) fn export(world: &mut World, id: &Id, action: &Action<'_>) -> Said {
    match action.name {
        "start_export" => {
            world.store.set(id, "status", "building");
            let name = action.text("name").unwrap_or_else(|| format!("export_{}", times::seconds()));
            let count = action.param("vms").as_array().map_or(0, Vec::len);
            let id = id.clone();
            world.later(move |world| {
                if world.store.text(&id, "status") != "building" {
                    return;
                }
                world.store.set(&id, "status", "idle");
                world.store.add(
                    "volume_vm_export_stats",
                    [
                        ("volume_vm_exports", id.key.to_value()),
                        ("file_name", name.into()),
                        ("virtual_machines", count.into()),
                        ("export_success", count.into()),
                        ("timestamp", times::seconds().into()),
                    ],
                );
            });
        }
        "stop_export" | "cleanup" => world.store.set(id, "status", "idle"),
        name => return Err(Refusal::action(name)),
    }
    Ok(None)
}

/// A file of diagnostics is collected.
pub(super) fn diagnose(world: &mut World, id: &Id) {
    world.store.set_all(id, [("status", json!("building")), ("timestamp", times::seconds().into())]);
    let id = id.clone();
    world.later(move |world| {
        let name = format!("{}_{}.zip", world.store.text(&id, "name"), id.key);
        let file = world.store.add("files", [("name", name.into())]);
        // Where the directory is gone, so is whoever would read it.
        let _ = files::fill(world, &file, b"diagnostics\n");
        world.store.set_all(&id, [("status", json!("complete")), ("file", file.key.to_value())]);
    });
}

/// A webhook is called: its queue has the message, sent or not.
pub(super) fn call(world: &mut World, id: &Id, action: &Action<'_>) -> Said {
    if action.name != "send" {
        return Err(Refusal::action(action.name));
    }
    let message = action.param("message");
    let message = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
    let queued = world.store.add(
        "webhooks",
        [("webhook_url", id.key.to_value()), ("message", message.into()), ("last_attempt", times::seconds().into())],
    );
    world.become_later(&queued, "status", json!("queued"), [("status", json!("sent"))]);
    Ok(Some(Value::Object(serde_json::Map::new())))
}
