//! The endpoints of notices (section 2.9): listed, waited for, added.

use super::access::User;
use super::daemon::{Book, Daemon};
use super::errors::{Refusal, Result};
use super::handlers::{decode, duration, names, text};
use super::identities::Access;
use super::notices::{Adding, Filter, Notice};
use super::{go, reply};
use crate::transport::server::{Query, Response};
use serde_json::{Value, json};
use std::sync::Arc;

/// Whose notices a user sees; `None` is everybody's.
fn whose(query: &Query, user: Option<User>) -> Result<Option<u32>> {
    let unknown = || Refusal::forbidden("cannot determine UID of request, so cannot retrieve notices");
    let user = user.ok_or_else(unknown)?;
    let uid = user.uid.ok_or_else(unknown)?;
    let (users, id) = (text(query, "users"), text(query, "user-id"));
    for (name, value) in [("users", &users), ("user-id", &id)] {
        if !value.is_empty() && user.access != Access::Admin {
            return Err(Refusal::forbidden(format!("only admins may use the {} filter", go::quote(name))));
        }
    }
    match (users.as_str(), id.as_str()) {
        ("", "") => Ok(Some(uid)),
        ("", id) => id.parse().map(Some).map_err(|_| {
            let why = format!("strconv.ParseInt: parsing {}: invalid syntax", go::quote(id));
            Refusal::bad(format!("invalid \"user-id\" filter: {why}"))
        }),
        ("all", "") => Ok(None),
        (_, "") => Err(Refusal::bad("invalid \"users\" filter: must be \"all\"")),
        _ => Err(Refusal::bad("cannot use both \"users\" and \"user-id\" parameters")),
    }
}

pub(super) async fn list(daemon: &Daemon, query: &Query, user: Option<User>) -> Result<Response> {
    let whose = whose(query, user)?;
    let after = match text(query, "after").as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| {
            let layout = go::quote("2006-01-02T15:04:05Z07:00");
            let value = go::quote(text);
            let why = format!("parsing time {value} as {layout}: cannot parse {value} as \"2006\"");
            Refusal::bad(format!("invalid \"after\" timestamp: {why}"))
        })?),
    };
    let timeout = duration(query, "timeout")?;
    let asked = names(query, "types");
    let kinds: Vec<String> =
        asked.iter().filter(|kind| ["custom", "change-update", "warning"].contains(&kind.as_str())).cloned().collect();
    if kinds.is_empty() && !asked.is_empty() {
        return Ok(reply::sync(Some(json!([]))));
    }
    let filter = Filter { user: whose, kinds, keys: names(query, "keys"), after };
    let found = |book: &Book| -> Vec<Value> { book.notices.list(&filter).into_iter().map(Notice::document).collect() };
    let list = match timeout {
        None => found(&daemon.book()),
        Some(limit) => {
            let some = daemon.until(|book| Some(found(book)).filter(|list| !list.is_empty()));
            tokio::time::timeout(limit, some).await.unwrap_or_default()
        }
    };
    Ok(reply::sync(Some(Value::Array(list))))
}

pub(super) fn show(daemon: &Daemon, id: &str, user: Option<User>) -> Result<Response> {
    let book = daemon.book();
    let unknown = || Refusal::not_found(format!("cannot find notice with ID {}", go::quote(id)));
    let notice = book.notices.get(id).ok_or_else(unknown)?;
    let sees_all = user.is_some_and(|user| user.access == Access::Admin);
    let uid = user.and_then(|user| user.uid);
    if sees_all || uid.is_some() && notice.is_for(uid) {
        return Ok(reply::sync(Some(notice.document())));
    }
    Err(Refusal::forbidden(format!("not allowed to access notice with id {}", go::quote(id))))
}

pub(super) fn add(daemon: &Arc<Daemon>, body: &[u8], user: Option<User>) -> Result<Response> {
    let uid = user.and_then(|user| user.uid);
    let uid = uid.ok_or_else(|| Refusal::forbidden("cannot determine UID of request, so cannot create notice"))?;
    let adding: Adding = decode(body)?;
    let occurrence = adding.occurrence(uid)?;
    let id = daemon.change(|book| book.notices.occur(occurrence));
    Ok(reply::sync(Some(json!({"id": id.to_string()}))))
}
