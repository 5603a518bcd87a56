//! The questions that it asks (section 2.6): each waits for its answer, for as long as it says.

use super::wire::Wire;
use crate::transport::nonce;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// The questions that are open.
#[derive(Default)]
pub(super) struct Dialogs(Mutex<HashMap<String, oneshot::Sender<Value>>>);

impl Dialogs {
    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<Value>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks, and waits for the answer. One that nobody gives in time is one that was cancelled, and nothing tells so.
    pub(super) async fn ask(&self, wire: &Wire, mut question: Value) -> Value {
        let id = nonce();
        question["type"] = "extension_ui_request".into();
        question["id"] = id.as_str().into();
        let (sender, answer) = oneshot::channel();
        self.open().insert(id.clone(), sender);
        wire.say(&question);
        let limit = question["timeout"].as_u64().filter(|ms| *ms > 0).map(Duration::from_millis);
        let answered = match limit {
            Some(limit) => tokio::time::timeout(limit, answer).await.ok(),
            None => Some(answer.await),
        };
        self.open().remove(&id);
        answered.and_then(Result::ok).unwrap_or_else(|| json!({ "cancelled": true }))
    }

    /// Takes an answer; one to a question that is not open goes nowhere.
    pub(super) fn answer(&self, answer: Value) {
        let sender = answer["id"].as_str().and_then(|id| self.open().remove(id));
        if let Some(sender) = sender {
            // Whoever asked may have gone.
            let _ = sender.send(answer);
        }
    }
}
