//! The stream of a creation (section 3.2): padded events, and failures that arrive as a success.

use super::access::User;
use super::create::{accept, carry_out};
use super::errors::{Answer, Refusal};
use super::world::World;
use crate::provider::rexec::api::Create;
use crate::stream;
use crate::transport::StatusCode;
use crate::transport::server::{Request, Response};
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;

/// `POST /api/containers/stream`
pub(super) async fn create(world: &Arc<World>, user: &User, mut request: Request) -> Answer {
    let body = request.bytes(1 << 20).await.unwrap_or_default();
    let wish: Create = serde_json::from_slice(&body).map_err(|error| Refusal::new(400, error))?;
    let events = world.events();
    let accepted = accept(world, user, wish, &request)?;
    let id = accepted.container.db_id.clone();
    tokio::spawn(carry_out(Arc::clone(world), accepted));
    let state = (events, id, true, false);
    let body = stream::unfold(state, |(mut events, id, first, over)| async move {
        if first {
            return Ok(Some((Bytes::from_static(b": stream connected\n\n"), (events, id, false, false))));
        }
        if over {
            return Ok(None);
        }
        loop {
            match events.recv().await {
                Ok(event) if event.kind == "progress" && event.container["id"] == json!(id) => {
                    let over = event.container["complete"] == json!(true);
                    return Ok(Some((padded(event.container), (events, id, false, over))));
                }
                Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(_) => return Ok(None),
            }
        }
    });
    Ok(Response::stream(StatusCode::OK, "text/event-stream", body).into())
}

fn padded(mut event: Value) -> Bytes {
    if let Some(object) = event.as_object_mut() {
        object.shift_remove("id");
        object.entry("detail").or_insert_with(|| "".into());
        object.entry("complete").or_insert_with(|| false.into());
    }
    format!(": padding {}\n\ndata: {event}\n\n", ".".repeat(256)).into()
}
