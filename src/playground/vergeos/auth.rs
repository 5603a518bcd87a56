//! Who asks, and what they may (section 1.2): Basic, API keys and sessions, and the lock after too many wrong passwords.

use super::random;
use super::refusal::{Answer, Refusal};
use super::store::Id;
use super::times;
use super::world::World;
use crate::transport::header::AUTHORIZATION;
use crate::transport::server::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// How many wrong passwords lock an account, for everything that is its.
const MAX_FAILURES: i64 = 5;

/// The header of a session.
const SESSION: &str = "x-yottabyte-token";

/// The user whose request this is.
pub(super) fn user(world: &mut World, request: &Request) -> Answer<Id> {
    if let Some(token) = request.headers.get(SESSION).and_then(|value| value.to_str().ok()) {
        let user = world.sessions.get(token).cloned().ok_or_else(Refusal::login)?;
        return usable(world, user);
    }
    if let Some(secret) = request.bearer() {
        let key = world.store.first("user_api_keys", "key", &secret.into()).ok_or_else(Refusal::login)?;
        let expires = world.store.number(&key, "expires");
        if expires != 0 && expires <= times::seconds() {
            return Err(Refusal::login());
        }
        let user = world.store.follow(&key, "user").ok_or_else(Refusal::login)?;
        world.store.set(&key, "lastlogin_stamp", times::seconds());
        world.store.set(&key, "lastlogin_ip", "127.0.0.1");
        return usable(world, user);
    }
    let (name, password) = basic(request).ok_or_else(Refusal::login)?;
    log_in(world, &name, &password)
}

fn basic(request: &Request) -> Option<(String, String)> {
    let (scheme, encoded) = request.header(&AUTHORIZATION)?.split_once(' ')?;
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| (name.to_owned(), password.to_owned()))
}

/// The user of this name and password. A wrong one counts.
fn log_in(world: &mut World, name: &str, password: &str) -> Answer<Id> {
    let user = world.store.first("users", "name", &name.to_lowercase().into()).ok_or_else(Refusal::login)?;
    if world.store.text(&user, "password") == password && !password.is_empty() {
        let user = usable(world, user)?;
        world.store.set_all(&user, [("failed_attempts", json!(0)), ("last_login", times::seconds().into())]);
        return Ok(user);
    }
    let failures = world.store.number(&user, "failed_attempts") + 1;
    world.store.set(&user, "failed_attempts", failures);
    if failures >= MAX_FAILURES && world.store.number(&user, "account_locked") == 0 {
        world.store.set(&user, "account_locked", times::seconds());
    }
    Err(Refusal::login())
}

fn usable(world: &World, user: Id) -> Answer<Id> {
    let is_usable = world.store.flag(&user, "enabled") && world.store.number(&user, "account_locked") == 0;
    if is_usable { Ok(user) } else { Err(Refusal::login()) }
}

/// Begins a session: `POST /api/sys/tokens`.
pub(super) fn begin(world: &mut World, body: &Value) -> Answer<Value> {
    let field = |name: &str| body[name].as_str().unwrap_or_default();
    let user = log_in(world, field("login"), field("password"))?;
    let token = random::hex(20);
    world.sessions.insert(token.clone(), user);
    Ok(json!({
        "location": format!("/sys/tokens/{token}"),
        "dbpath": format!("tokens/{token}"),
        "$row": 1,
        "$key": token,
    }))
}

/// Ends a session.
pub(super) fn end(world: &mut World, token: &str) -> Answer<()> {
    world.sessions.remove(token).map(|_| ()).ok_or_else(|| Refusal::missing(format!("tokens/{token}")))
}

/// What somebody wants to do with a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    List,
    Read,
    Create,
    Modify,
    Delete,
}

impl Wish {
    fn column(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Read => "read",
            Self::Create => "create",
            Self::Modify => "modify",
            Self::Delete => "delete",
        }
    }
}

/// Refuses what neither the user nor a group of theirs has a permission for (section 4.4).
pub(super) fn permit(world: &World, user: &Id, table: &str, wish: Wish) -> Answer<()> {
    let store = &world.store;
    let mut owners = vec![user.clone()];
    let groups = store.with("members", "member", &format!("users/{}", user.key).into());
    owners.extend(groups.iter().filter_map(|member| store.follow(member, "parent_group")));
    let identities: Vec<Value> = owners.iter().map(|owner| store.cell(owner, "identity")).collect();
    let permissions = identities.iter().flat_map(|identity| store.with("permissions", "identity", identity));
    let is_allowed = permissions.into_iter().any(|permission| {
        let covered = store.text(&permission, "table");
        (covered == "/" || covered == table) && store.flag(&permission, wish.column())
    });
    if is_allowed { Ok(()) } else { Err(Refusal::new(403, "Permission denied")) }
}
