//! Who may do what: tokens, guests, and the gates in front of everything (section 1).

use super::errors::{Answer, Refusal, ok};
use super::limits::exceeded;
use super::world::{World, uuid};
use crate::transport::header::SEC_WEBSOCKET_PROTOCOL;
use crate::transport::nonce;
use crate::transport::server::Request;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;
use std::sync::{Arc, PoisonError};

/// Somebody.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) username: String,
    pub(super) tier: &'static str,
    pub(super) guest: bool,
}

impl User {
    /// Whoever uses the playground.
    pub(super) fn owner() -> Self {
        Self { id: uuid(), username: "playground".to_owned(), tier: "enterprise", guest: false }
    }

    /// How many containers one may have.
    pub(super) fn limit(&self) -> usize {
        match self.tier {
            "guest" => 1,
            "pro" => 10,
            "enterprise" => 20,
            _ => 5,
        }
    }

    /// The most that a container of theirs has: memory, thousandths of a processor, disk.
    pub(super) fn plan(&self) -> (u64, u64, u64) {
        match self.tier {
            "guest" => (512, 500, 2048),
            "pro" => (4096, 4000, 20480),
            "enterprise" => (8192, 8000, 51200),
            _ => (2048, 2000, 10240),
        }
    }
}

impl World {
    /// Who asks.
    pub(super) fn user(&self, request: &Request) -> Answer<User> {
        let token = token(request).ok_or_else(|| Refusal::new(401, "Authorization token required"))?;
        let users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let user = users.get(&token).cloned();
        drop(users);
        let known = user.ok_or_else(|| {
            let what = if token.starts_with("rexec_") { "API token" } else { "token" };
            Refusal::new(401, format!("Invalid or expired {what}"))
        })?;
        if self.faults.take("locked", request).is_some() && request.path != "/api/security/unlock" {
            return Err(Refusal::new(423, "session_locked"));
        }
        if let Some(window) = self.faults.take("limited", request) {
            return Err(exceeded(window.duration()));
        }
        Ok(known)
    }

    /// `POST /api/auth/guest`: the only login that needs nothing else.
    pub(super) async fn guest(self: &Arc<Self>, mut request: Request) -> Answer {
        #[derive(Deserialize)]
        struct Wish {
            #[serde(default)]
            username: String,
        }
        let body = request.bytes(1 << 16).await.unwrap_or_default();
        let wish: Wish = serde_json::from_slice(&body).map_err(|error| Refusal::coded(400, error))?;
        let is_name = |name: &str| {
            (2..=30).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        };
        if !is_name(&wish.username) {
            return Err(Refusal::coded(400, "username must be 2-30 characters of letters, digits, _ and -"));
        }
        let user = User { id: uuid(), username: wish.username, tier: "guest", guest: true };
        let token = self.issue(&user);
        ok(&json!({
            "token": token, "user": { "id": user.id, "username": user.username, "tier": "guest" }, "guest": true,
            "expires_in": 180_000, "returning_guest": false, "containers": 1, "message": "guest session started",
        }))
    }

    /// A token in three parts for `user`, which means nothing but itself.
    fn issue(&self, user: &User) -> String {
        let part = |text: String| URL_SAFE_NO_PAD.encode(text);
        let head = part(json!({ "alg": "HS256", "typ": "JWT" }).to_string());
        let claims = json!({ "user_id": user.id, "username": user.username, "tier": user.tier, "guest": user.guest });
        let token = format!("{head}.{}.{}", part(claims.to_string()), part(nonce()));
        self.users.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), user.clone());
        token
    }

    /// A new API token for `user`.
    pub(super) fn issue_api(&self, user: &User) -> String {
        let token = format!("rexec_{}{}", nonce(), nonce());
        self.users.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), user.clone());
        token
    }
}

/// The token of a request: of a handshake also from its protocols or, as of old, from its query (section 1.2).
fn token(request: &Request) -> Option<String> {
    if let Some(token) = request.bearer().filter(|token| !token.is_empty()) {
        return Some(token.to_owned());
    }
    if !request.is_websocket() {
        return None;
    }
    let mut protocols = request.header(&SEC_WEBSOCKET_PROTOCOL).unwrap_or_default().split(',').map(str::trim);
    let named = protocols.find_map(|protocol| protocol.strip_prefix("rexec.token.")).map(str::to_owned);
    named.or_else(|| request.query.text("token").map(std::borrow::Cow::into_owned))
}
