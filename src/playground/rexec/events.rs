//! The socket of events (section 5.1): first the list, then what becomes of everything.

use super::access::User;
use super::errors::Answer;
use super::terminal::protocol;
use super::world::World;
use crate::transport::server::{Message, Reply, Request};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;

/// `GET /api/containers/events`
pub(super) fn open(world: &Arc<World>, user: &User, request: &Request) -> Answer {
    let (world, user) = (Arc::clone(world), user.clone());
    Ok(Reply::websocket(protocol(request), move |socket| async move {
        let (mut sink, mut stream) = socket.split();
        // Before the list, so that nothing falls between the two.
        let mut events = world.events();
        let all: Vec<Value> = world.of(&user).iter().map(|container| container.to_json(false)).collect();
        let list = json!({ "count": all.len(), "limit": user.limit(), "containers": all });
        if !sink.text(message("list", &list)).await {
            return;
        }
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(event) if event.user_id == user.id => {
                        if !sink.text(message(event.kind, &event.container)).await {
                            return;
                        }
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
                sent = stream.next() => match sent {
                    Some(Message::Text(text)) if text.contains("\"ping\"") => {
                        sink.text(r#"{"type":"pong"}"#).await;
                    }
                    Some(Message::Close { .. } | Message::Eof) | None => return,
                    Some(_) => {}
                },
            }
        }
    }))
}

fn message(kind: &str, container: &Value) -> String {
    json!({ "type": kind, "container": container, "timestamp": Timestamp::now() }).to_string()
}
