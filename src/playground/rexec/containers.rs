//! What is done to containers that exist (section 3.2).

use super::access::User;
use super::create::{bring_up, check_name, clamped};
use super::errors::{Answer, Refusal, ok};
use super::state::Container;
use super::world::World;
use crate::provider::rexec::api::Settings;
use crate::transport::server::Request;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /api/containers`: those of the user, agents among them.
pub(super) fn list(world: &World, user: &User, request: &Request) -> Answer {
    let own = world.of(user);
    let mut all: Vec<Value> = own.iter().map(|container| container.to_json(false)).collect();
    all.extend(world.agents.as_containers(user));
    if world.faults.take("sdk", request).is_some() {
        return ok(&all.iter().map(plain).collect());
    }
    ok(&json!({ "containers": all, "count": all.len(), "limit": user.limit() }))
}

/// What the SDKs read of a container.
pub(super) fn plain(container: &Value) -> Value {
    let keys = ["id", "name", "image", "status", "created_at"];
    keys.iter().map(|key| ((*key).to_owned(), container[*key].clone())).collect::<serde_json::Map<_, _>>().into()
}

/// `GET /api/containers/ID`
pub(super) fn get(world: &World, user: &User, id: &str, request: &Request) -> Answer {
    let container = world.by_any_id(user, id)?.to_json(true);
    ok(&if world.faults.take("sdk", request).is_some() { plain(&container) } else { container })
}

/// `DELETE /api/containers/ID`
pub(super) async fn delete(world: &Arc<World>, user: &User, id: &str) -> Answer {
    let container = world.by_any_id(user, id)?;
    world.forget(&container);
    let (name, docker_id) = (container.name(), container.state().docker_id.clone());
    finish(&container).await;
    if let Some(disk) = container.disk() {
        let under = disk.root().with_extension("under");
        let _ = tokio::task::spawn_blocking(move || {
            let _ = std::fs::remove_dir_all(under);
            std::fs::remove_dir_all(disk.root())
        })
        .await;
    }
    let body = json!({ "message": "container deleted", "id": docker_id, "db_id": container.db_id, "name": name });
    world.tell(&user.id, "deleted", json!({ "id": container.db_id, "db_id": container.db_id, "name": name }));
    ok(&body)
}

/// Ends what runs in it, and lets its terminals go.
async fn finish(container: &Container) {
    container.state().status = "stopped";
    container.renew();
    container.kill().await;
}

/// `POST /api/containers/ID/start`
pub(super) async fn start(world: &Arc<World>, user: &User, id: &str) -> Answer {
    let container = world.by_docker_id(user, id)?;
    let (name, old) = (container.name(), id.to_owned());
    if container.state().disk.is_none() {
        recreate(world, &container).await?;
        let new = container.state().docker_id.clone();
        world.tell(&user.id, "started", container.to_json(false));
        return ok(&json!({
            "message": "container recreated", "id": new, "old_id": old, "name": name, "status": "running",
            "recreated": true, "volume_kept": true,
        }));
    }
    container.state().status = "running";
    world.tell(&user.id, "started", container.to_json(false));
    ok(&json!({ "message": "container started", "id": container.state().docker_id, "name": name, "status": "running" }))
}

/// `POST /api/containers/ID/stop`
pub(super) async fn stop(world: &Arc<World>, user: &User, id: &str) -> Answer {
    let container = world.by_docker_id(user, id)?;
    finish(&container).await;
    world.tell(&user.id, "updated", container.to_json(false));
    let (name, id) = (container.name(), container.state().docker_id.clone());
    ok(&json!({ "message": "container stopped", "id": id, "name": name, "status": "stopped" }))
}

/// Makes another container behind the record: a new Docker id, the same home.
async fn recreate(world: &Arc<World>, container: &Arc<Container>) -> Answer<()> {
    let failed = |error: std::io::Error| Refusal::new(500, format!("failed to recreate container: {error}"));
    container.kill().await;
    let old = container.state().disk.take();
    if let Some(old) = old {
        let volume = world.dir.join("volumes").join(format!("{}-{}", container.user_id, container.name()));
        old.give_back(&volume).map_err(failed)?;
    }
    bring_up(world, container).await.map_err(failed)?;
    container.state().status = "running";
    container.renew();
    Ok(())
}

/// `PATCH /api/containers/ID/settings`: always with the name, and what is left out is lowered to the least.
pub(super) async fn settings(world: &Arc<World>, user: &User, id: &str, mut request: Request) -> Answer {
    let body = request.bytes(1 << 16).await.unwrap_or_default();
    let wish: Settings = serde_json::from_slice(&body).map_err(|error| Refusal::new(400, error))?;
    let container = world.by_any_id(user, id)?;
    check_name(&wish.name)?;
    let is_other = |other: &Arc<Container>| other.db_id != container.db_id && other.name() == wish.name;
    if world.of(user).iter().any(is_other) {
        return Err(Refusal::body(
            409,
            &json!({ "error": "container with this name already exists", "name": wish.name }),
        ));
    }
    let was_running = container.status() == "running";
    {
        let mut state = container.state();
        state.resources = clamped(user, wish.resources, true);
        state.name = wish.name;
    }
    if was_running {
        recreate(world, &container).await?;
    }
    let mut shown = container.to_json(false);
    shown["status"] = json!("running");
    world.tell(&user.id, "updated", container.to_json(false));
    ok(&json!({ "message": "settings updated", "restarted": was_running, "container": shown }))
}
