//! Making containers: checked at once, made by and by (section 3.2).

use super::access::User;
use super::disk::{Disk, OPTIONAL, SHELLS};
use super::errors::{Answer, Refusal, said};
use super::images::KEYS;
use super::limits::Kind;
use super::state::Container;
use super::world::{World, docker_id};
use crate::provider::rexec::api::{Create, Resources};
use crate::transport::server::Request;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The longest reference of an image, and what the database holds of it with `custom:` before it.
const REFERENCE: usize = 256;
const COLUMN: usize = 100;

/// The words of names that are made up.
const ADJECTIVES: &[&str] = &["quiet", "brisk", "amber", "lunar"];
const NOUNS: &[&str] = &["ridge", "harbor", "meadow", "falcon"];

/// A creation that was accepted.
pub(super) struct Accepted {
    pub(super) container: Arc<Container>,
    fails: bool,
    lost: bool,
    stage: Duration,
}

/// Checks a wish, and makes the record.
pub(super) fn accept(world: &Arc<World>, user: &User, wish: Create, request: &Request) -> Answer<Accepted> {
    world.limits.count(Kind::Create, world.options.window)?;
    let sdk = world.faults.take("sdk", request).is_some();
    let image = image(&wish, sdk)?;
    let name = wish.name.clone().unwrap_or_else(made_up);
    check_name(&name)?;
    let own = world.of(user);
    if own.iter().any(|other| other.name() == name) {
        let body = json!({ "error": "container with this name already exists", "name": name });
        return Err(Refusal::body(409, &body));
    }
    if own.len() >= user.limit() {
        return Err(Refusal::body(
            403,
            &json!({
                "error": "container limit reached", "current": own.len(), "limit": user.limit(), "tier": user.tier,
                "message": "delete a container or upgrade your plan",
            }),
        ));
    }
    let wanted = Resources {
        memory_mb: wish.memory_mb.unwrap_or(0),
        cpu_shares: wish.cpu_shares.unwrap_or(0),
        disk_mb: wish.disk_mb.unwrap_or(0),
    };
    let resources = clamped(user, wanted, false);
    let without = OPTIONAL.iter().filter(|(fault, _)| world.faults.take(fault, request).is_some());
    let without: Vec<&str> = without.map(|(_, program)| *program).collect();
    let role = wish.role.clone().unwrap_or_else(|| "standard".to_owned());
    let mut container = Container::new(name, user.id.clone(), image, role, resources, without);
    let sh = SHELLS.iter().find(|(fault, _)| world.faults.take(fault, request).is_some());
    container.sh = sh.map(|(_, shell)| *shell);
    if world.faults.take("mfa", request).is_some() {
        container.mfa_locked.store(true, std::sync::atomic::Ordering::Relaxed);
    }
    let container = Arc::new(container);
    world.containers().push(Arc::clone(&container));
    Ok(Accepted {
        container,
        fails: world.faults.take("create-fails", request).is_some(),
        lost: world.faults.take("create-lost", request).is_some(),
        stage: world
            .faults
            .take("slow-create", request)
            .map_or(world.options.stage, super::super::fault::Value::duration),
    })
}

/// `POST /api/containers`
pub(super) async fn create(world: &Arc<World>, user: &User, mut request: Request) -> Answer {
    let body = request.bytes(1 << 20).await.unwrap_or_default();
    let wish: Create = serde_json::from_slice(&body).map_err(|error| Refusal::new(400, error))?;
    let sdk = world.faults.take("sdk", &request).is_some();
    let accepted = accept(world, user, wish, &request)?;
    let container = Arc::clone(&accepted.container);
    if sdk {
        carry_out(Arc::clone(world), accepted).await;
        return said(201, &super::containers::plain(&container.to_json(true)));
    }
    tokio::spawn(carry_out(Arc::clone(world), accepted));
    let mut body = container.to_json(false);
    let role = body["role"].take();
    for key in ["idle_seconds", "last_used_at", "mfa_locked"] {
        body.as_object_mut().expect("it is one").shift_remove(key);
    }
    body["id"] = json!(container.db_id);
    body["status"] = json!("creating");
    body["role"] = role;
    body["async"] = json!(true);
    body["message"] = json!("container is being created");
    if user.guest {
        body["guest"] = json!(true);
        body["session_limit_seconds"] = json!(180_000);
    }
    said(202, &body)
}

/// Makes it, stage by stage.
pub(super) async fn carry_out(world: Arc<World>, accepted: Accepted) {
    let Accepted { container, fails, lost, stage } = accepted;
    let Ok(_slot) = world.creations.acquire().await else { return };
    let tell = |stage: &str, progress: u64, more: Value| {
        let mut event = json!({ "id": container.db_id, "stage": stage, "message": format!("{stage} container"), "progress": progress });
        for (key, value) in more.as_object().into_iter().flatten() {
            event[key] = value.clone();
        }
        world.tell(&container.user_id, "progress", event);
    };
    for (name, progress) in [("validating", 10), ("pulling", 15)] {
        tell(name, progress, json!({}));
        tokio::time::sleep(stage).await;
    }
    if lost {
        // The reconciler takes a record without a Docker id for a leftover.
        world.forget(&container);
        return;
    }
    if fails {
        let why = "failed to pull image: manifest unknown";
        container.state().status = "error";
        tell("error", 0, json!({ "error": why, "complete": true }));
        world.tell(&container.user_id, "updated", json!({ "id": container.db_id, "status": "error", "error": why }));
        return;
    }
    tell("creating", 35, json!({}));
    if let Err(error) = bring_up(&world, &container).await {
        container.state().status = "error";
        tell("error", 0, json!({ "error": error.to_string(), "complete": true }));
        return;
    }
    let id = container.state().docker_id.clone();
    container.state().status = "configuring";
    // Not in the order of their numbers, as over there.
    tell("starting", 85, json!({ "container_id": id }));
    tell("starting", 55, json!({ "container_id": id }));
    tell("configuring", 90, json!({ "container_id": id }));
    if container.role != "barebone" {
        tokio::time::sleep(stage * 3).await;
    }
    tokio::time::sleep(stage).await;
    container.state().status = "running";
    world.tell(&container.user_id, "created", container.to_json(false));
    tell("ready", 100, json!({ "complete": true, "container_id": id, "container": container.to_json(true) }));
}

/// Gives a record its files and a Docker id.
pub(super) async fn bring_up(world: &World, container: &Arc<Container>) -> std::io::Result<()> {
    let id = docker_id();
    let root = world.dir.join("containers").join(&id[..16]);
    let volume = world.dir.join("volumes").join(format!("{}-{}", container.user_id, container.name()));
    let (shells, namespaces) = (container.shells(), world.options.namespaces);
    let without = container.without.clone();
    let made = tokio::task::spawn_blocking(move || {
        let disk = Disk::create(&root, &volume, shells, &without, namespaces)?;
        disk.prepare_archive()?;
        Ok::<_, std::io::Error>(disk)
    });
    let disk = made.await.map_err(std::io::Error::other)??;
    let mut state = container.state();
    state.disk = Some(Arc::new(disk));
    state.docker_id = Some(id);
    Ok(())
}

/// The image of a wish, as the record has it.
fn image(wish: &Create, sdk: bool) -> Answer<String> {
    if wish.image.is_empty() {
        return Err(Refusal::new(400, "Key: 'image' Error:Field validation for 'image' failed on the 'required' tag"));
    }
    if sdk || KEYS.contains(&wish.image.as_str()) {
        return Ok(wish.image.clone());
    }
    if wish.image != "custom" {
        let body = json!({ "error": "unsupported image type", "supported_images": KEYS });
        return Err(Refusal::body(400, &body));
    }
    let reference = wish.custom_image.as_deref().unwrap_or_default();
    if reference.is_empty() {
        return Err(Refusal::new(400, "custom_image is required when image is 'custom'"));
    }
    let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._/-".contains(&b));
    let (name, tag) = reference.split_once(':').unwrap_or((reference, "latest"));
    if reference.len() > REFERENCE || !is_plain(name) || !is_plain(tag) || tag.contains('/') {
        return Err(Refusal::new(400, "invalid custom_image format"));
    }
    let image = format!("custom:{reference}");
    if image.len() > COLUMN {
        return Err(Refusal::new(500, "pq: value too long for type character varying(100)"));
    }
    Ok(image)
}

/// Names have 1 to 64 letters, digits, `_` and `-`; the first is no sign.
pub(super) fn check_name(name: &str) -> Answer<()> {
    let is_sign = |byte: u8| byte == b'_' || byte == b'-';
    let is_fine = (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || is_sign(byte))
        && !name.bytes().next().is_some_and(is_sign);
    if is_fine { Ok(()) } else { Err(Refusal::new(400, "invalid container name")) }
}

fn made_up() -> String {
    let digits = crate::transport::nonce();
    let number = |at: usize| usize::from_str_radix(&digits[at..at + 2], 16).unwrap_or(0);
    let words = (ADJECTIVES[number(0) % ADJECTIVES.len()], NOUNS[number(2) % NOUNS.len()]);
    format!("{}-{}-{:03}", words.0, words.1, 100 + number(4))
}

/// What a container gets of what it was to have: nobody is told when that is less. In settings, nothing is the least.
pub(super) fn clamped(user: &User, wanted: Resources, zero_is_least: bool) -> Resources {
    let (memory, cpu, disk) = user.plan();
    if !matches!(user.tier, "guest" | "free" | "trial" | "enterprise" | "pro") || user.guest {
        return Resources { memory_mb: memory, cpu_shares: cpu, disk_mb: disk };
    }
    let clamp = |wanted: u64, least: u64, most: u64, plan: u64| match wanted {
        0 if !zero_is_least => plan,
        wanted => wanted.clamp(least, most).min(plan),
    };
    Resources {
        memory_mb: clamp(wanted.memory_mb, 256, 4096, memory),
        cpu_shares: clamp(wanted.cpu_shares, 250, 4000, cpu),
        disk_mb: clamp(wanted.disk_mb, 1024, 16384, disk),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_keys_or_plain_references() {
        let wish = |image: &str, custom: Option<&str>| {
            let wish = Create { image: image.into(), custom_image: custom.map(str::to_owned), ..Create::default() };
            super::image(&wish, false).map_err(|refusal| refusal.0.status.as_u16())
        };
        assert_eq!(wish("ubuntu", None).ok().as_deref(), Some("ubuntu"));
        assert_eq!(wish("custom", Some("busybox:1.37")).ok().as_deref(), Some("custom:busybox:1.37"));
        for (image, custom, status) in [
            ("", None, 400),
            ("ubuntu:24.04", None, 400),
            ("custom", None, 400),
            ("custom", Some("registry:5000/x:tag"), 400),
            ("custom", Some("x@sha256:0"), 400),
            ("custom", Some(&*"x".repeat(94)), 500),
        ] {
            assert_eq!(wish(image, custom).err(), Some(status), "{image} {custom:?}");
        }
        for (name, is_fine) in [("a", true), ("_a", false), ("A_b-1", true), ("", false), ("ä", false)] {
            assert_eq!(check_name(name).is_ok(), is_fine, "{name}");
        }
        assert!(check_name(&"x".repeat(64)).is_ok() && check_name(&"x".repeat(65)).is_err());
    }
}
