//! The list of sprites: pages, and the stream of their states.

use super::errors::{Answer, Refusal};
use super::world::World;
use crate::stream;
use crate::transport::StatusCode;
use crate::transport::header::ACCEPT;
use crate::transport::server::{Reply, Request, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

/// The most that a page holds, whatever is asked for.
const MAX_PAGE: usize = 50;

/// `GET /v1/sprites`.
pub(super) fn list(world: &Arc<World>, request: &Request) -> Answer {
    if request.header(&ACCEPT).is_some_and(|accept| accept.contains("application/x-ndjson")) {
        return Ok(states(world));
    }
    let prefix = request.query.text("prefix").unwrap_or_default();
    let limit = match request.query.text("max_results") {
        None => MAX_PAGE,
        Some(text) => text.parse().map_err(|_| Refusal::list(400, "max_results must be an integer"))?,
    };
    let after = match request.query.text("continuation_token").filter(|token| !token.is_empty()) {
        None => None,
        Some(token) => Some(name_of(&token).ok_or_else(|| Refusal::json(400, "invalid continuation token"))?),
    };
    let (page, more) = world.page(&prefix, after.as_deref(), limit.clamp(1, MAX_PAGE));
    let next = page.last().filter(|_| more).map(|sprite| token_of(&sprite.name));
    let mut answer = world.summary();
    answer["org"] = world.summary();
    answer["sprites"] = page.iter().map(|sprite| sprite.to_json()).collect();
    answer["has_more"] = json!(more);
    answer["next_continuation_token"] = json!(next);
    if world.faults.take("no-token", request).is_some() {
        answer["has_more"] = json!(true);
        answer["next_continuation_token"] = Value::Null;
    }
    Ok(Response::json(StatusCode::OK, &answer).into())
}

/// A token for what comes behind `name`.
fn token_of(name: &str) -> String {
    BASE64.encode(name)
}

fn name_of(token: &str) -> Option<String> {
    String::from_utf8(BASE64.decode(token).ok()?).ok()
}

/// The state of every sprite, then each change, with a sign of life in between.
fn states(world: &Arc<World>) -> Reply {
    // Subscribed before the first look: a change in between is told twice rather than never.
    let changes = world.changes();
    let first: VecDeque<_> = world.all().into();
    let lines = stream::unfold((Arc::clone(world), first, changes), |(world, mut first, mut changes)| async move {
        if let Some(sprite) = first.pop_front() {
            return Ok(Some((line(&sprite.to_state_line(&world)), (world, first, changes))));
        }
        let value = loop {
            match timeout(world.options.heartbeat, changes.recv()).await {
                Ok(Ok(sprite)) => break sprite.to_state_line(&world),
                Ok(Err(RecvError::Lagged(_))) => first = world.all().into(),
                Ok(Err(RecvError::Closed)) => return Ok(None),
                Err(_) => break json!({ "type": "heartbeat", "timestamp": super::times::edge(Timestamp::now()) }),
            }
            if let Some(sprite) = first.pop_front() {
                break sprite.to_state_line(&world);
            }
        };
        Ok(Some((line(&value), (world, first, changes))))
    });
    Response::stream(StatusCode::OK, "application/x-ndjson", lines).into()
}

/// A line of NDJSON.
pub(super) fn line(value: &Value) -> Bytes {
    Bytes::from(format!("{value}\n"))
}

#[cfg(test)]
mod tests {
    use super::super::world::tests::{make, world};
    use super::*;
    use crate::transport::Method;
    use crate::transport::server::Body;

    fn ask(world: &Arc<World>, query: &str) -> Value {
        let request = Request::of(Method::GET, &format!("/v1/sprites?{query}"), &[]);
        let Ok(Reply::Response(Response { body: Body::Full(body), .. })) = list(world, &request) else {
            panic!("a list is a plain answer")
        };
        serde_json::from_slice(&body).unwrap()
    }

    #[tokio::test]
    async fn has_more_is_true_exactly_while_there_is_more() {
        let (_dir, world) = world();
        for number in 0..120 {
            make(&world, &format!("s-{number:03}"));
        }
        let mut names = Vec::new();
        let mut query = "max_results=100".to_owned();
        loop {
            let page = ask(&world, &query);
            let sprites = page["sprites"].as_array().unwrap();
            names.extend(sprites.iter().map(|sprite| sprite["name"].as_str().unwrap().to_owned()));
            assert_eq!(page["has_more"].as_bool().unwrap(), page["next_continuation_token"].is_string());
            let Some(token) = page["next_continuation_token"].as_str() else { break };
            assert_eq!(sprites.len(), MAX_PAGE);
            query = format!("max_results=100&continuation_token={token}");
        }
        assert_eq!(names.len(), 120);
        assert!(names.is_sorted());
        assert_eq!(ask(&world, "prefix=s-11")["sprites"].as_array().unwrap().len(), 10);
        assert_eq!(ask(&world, "prefix=none")["sprites"], json!([]));
    }
}
