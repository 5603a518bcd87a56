//! What a user is and has beside containers (sections 1.5, 3.1 and 3.6).

use super::access::User;
use super::errors::{Answer, Refusal, ok, said};
use super::images;
use super::world::{World, uuid};
use crate::transport::server::Request;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

/// The code of every second factor.
const CODE: &str = "123456";

/// `GET /health`
pub(super) fn health(world: &World) -> Answer {
    let all = world.containers();
    let running = all.iter().filter(|container| container.status() == "running").count();
    // The first three are constants over there too.
    ok(&json!({ "status": "ok", "database": "connected", "docker": "connected", "containers_total": all.len(),
        "containers_running": running }))
}

/// `GET /api/version`, which here says that it is a simulator, and in which shapes it answers.
pub(super) fn version(world: &World, request: &Request) -> Answer {
    let mode = if world.faults.take("sdk", request).is_some() { "sdk" } else { "server" };
    ok(&json!({ "version": "v1.0.0", "build": "2024-12-10", "simulator": true, "mode": mode }))
}

/// Everything else that belongs to a user; `None` for what is not here.
pub(super) async fn route(world: &World, user: &User, segments: &[&str], mut request: Request) -> Answer {
    let body = request.bytes(1 << 20).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    match (request.method.as_str(), segments) {
        ("GET", ["images"]) => ok(&images::list()),
        ("GET", ["roles"]) => {
            let ids = ["barebone", "standard", "node", "python", "go", "neovim", "devops", "overemployed"];
            let roles: Vec<Value> = ids.iter().map(|id| json!({ "id": id, "name": id, "packages": [] })).collect();
            ok(&json!({ "roles": roles }))
        }
        ("GET", ["providers"]) => ok(&json!({ "providers": [{ "name": "docker", "available": true }], "count": 1 })),
        ("GET", ["stats"]) => {
            let all = world.containers();
            let running = all.iter().filter(|container| container.status() == "running").count();
            ok(
                &json!({ "total": all.len(), "running": running, "stopped": all.len() - running, "by_user": {}, "by_image": {} }),
            )
        }
        ("GET", ["profile"]) => {
            let (memory, cpu, disk) = user.plan();
            ok(&json!({
                "user": { "id": user.id, "username": user.username, "email": "", "tier": user.tier, "is_admin": false,
                    "mfa_enabled": true, "is_guest": user.guest },
                // The count repeats the limit: a bug of the server.
                "stats": { "container_count": user.limit(), "container_limit": user.limit(), "ssh_keys": 0 },
                "limits": { "containers": user.limit(), "max_agents": 25, "memory_mb": memory, "cpu_shares": cpu, "disk_mb": disk },
            }))
        }
        ("GET", ["audit-logs"]) => ok(&json!([{ "id": uuid(), "user_id": user.id, "action": "login",
            "ip_address": "127.0.0.1", "user_agent": "", "created_at": Timestamp::now() }])),
        ("GET", ["tokens"]) => ok(&json!({ "tokens": null })),
        ("POST", ["tokens"]) => {
            let token = world.issue_api(user);
            said(
                201,
                &json!({ "token": token, "id": uuid(), "name": text("name"), "token_prefix": &token[..12],
                "scopes": ["read", "write"], "created_at": Timestamp::now(), "message": "shown once" }),
            )
        }
        ("GET", ["tokens", "validate"]) => ok(&json!({ "valid": true, "user_id": user.id, "username": user.username,
            "tier": user.tier, "scopes": ["read", "write"] })),
        ("GET", ["sessions"]) => ok(&json!({ "sessions": [] })),
        ("GET", ["security", "terminal", id, "mfa-status"]) => {
            let locked = world.by_any_id(user, id)?.mfa_locked.load(Ordering::Relaxed);
            ok(&json!({ "mfa_locked": locked, "mfa_enabled": true, "can_use_feature": true }))
        }
        ("POST", ["security", "terminal", id, verb @ ("mfa-lock" | "mfa-unlock" | "mfa-verify")]) => {
            let container = world.by_any_id(user, id)?;
            if *verb == "mfa-lock" {
                container.mfa_locked.store(true, Ordering::Relaxed);
                return ok(&json!({ "mfa_locked": true, "message": "terminal locked" }));
            }
            if text("code") != CODE {
                return Err(Refusal::new(401, "invalid MFA code"));
            }
            if *verb == "mfa-unlock" {
                container.mfa_locked.store(false, Ordering::Relaxed);
            }
            ok(&json!({ "verified": true, "message": "verified" }))
        }
        ("GET", ["ssh", "keys"]) => ok(&json!({ "keys": [], "count": 0 })),
        ("GET", ["collab", "sessions"]) => ok(&json!({ "sessions": [] })),
        _ => Err(Refusal::no_route()),
    }
}
