//! One container or agent as something to act on: who it is is asked once, and again when a Docker id has changed.

use super::api::Container;
use super::client::Client;
use super::find::{AGENT, find, is_docker_id, key};
use super::mfa::Gate;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Name;
use crate::transport::query::{Query, segment};
use crate::transport::{WebSocket, nonce};
use std::sync::Arc;
use tokio::sync::Mutex;

/// A container or agent. Cheap to clone.
#[derive(Clone)]
pub(super) struct Spot {
    pub(super) client: Client,
    pub(super) name: Name,
    known: Arc<Mutex<Option<Container>>>,
    gate: Gate,
}

impl Spot {
    pub(super) fn new(client: Client, name: Name, gate: Gate) -> Self {
        Self { client, name, known: Arc::default(), gate }
    }

    /// The full name of the target, for messages.
    pub(super) fn full(&self) -> String {
        format!("{}/{}", self.client.endpoint(), segment(self.name.as_str().as_bytes()))
    }

    /// Who it is.
    pub(super) async fn container(&self) -> Result<Container> {
        let mut known = self.known.lock().await;
        if let Some(container) = &*known {
            return Ok(container.clone());
        }
        let found = find(&self.client, self.name.as_str()).await?;
        *known = Some(found.clone());
        Ok(found)
    }

    /// Forgets who it is: another container may be behind the same record by now.
    pub(super) async fn forget(&self) {
        *self.known.lock().await = None;
    }

    /// The Docker id, which is all that files, `start` and `stop` take.
    pub(super) async fn docker_id(&self) -> Result<String> {
        let container = self.container().await?;
        if is_docker_id(&container.id) {
            return Ok(container.id);
        }
        let full = self.full();
        if container.id.starts_with(AGENT) {
            return Err(Error::unsupported(format!("`{full}` is an agent: only its terminal can be used")));
        }
        Err(Error::conflict(format!("`{full}` is {}: there is no container yet", container.status))
            .hint(format!("`esker vm wait {full} --for running` waits for it")))
    }

    /// Sends what `request` makes for the Docker id of now: asked again once with the new one if the old one is gone.
    pub(super) async fn with_id<T, F, Fut>(&self, request: F) -> Result<T>
    where
        F: Fn(String) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let id = self.docker_id().await?;
        match request(id.clone()).await {
            Err(error) if is_stale(&error) => {
                self.forget().await;
                let new = self.docker_id().await?;
                if new == id { Err(error) } else { request(new).await }
            }
            outcome => outcome,
        }
    }

    /// The terminal: a socket of its own, under a name that nobody else has (section 4.1).
    pub(super) async fn terminal(&self, what: &str) -> Result<(WebSocket, Kind)> {
        match self.open(what).await {
            Err(error) if is_stale(&error) => {
                self.forget().await;
                self.open(what).await
            }
            opened => opened,
        }
    }

    async fn open(&self, what: &str) -> Result<(WebSocket, Kind)> {
        let container = self.container().await?;
        if let Some(agent) = container.id.strip_prefix(AGENT) {
            let path = format!("/ws/agent/{}/terminal", segment(agent.as_bytes()));
            let path = Query::new(&path).with("id", nonce()).with("newSession", "true").build();
            return Ok((self.client.websocket(what, &path).await?, Kind::Agent));
        }
        if container.rest.get("mfa_locked") == Some(&serde_json::Value::Bool(true)) {
            self.gate.pass(&self.client, key(&container), &self.full()).await?;
        }
        let id = if is_docker_id(&container.id) { &container.id } else { &container.db_id };
        let path = format!("/ws/terminal/{}", segment(id.as_bytes()));
        let path = Query::new(&path).with("id", nonce()).with("newSession", "true").build();
        Ok((self.client.websocket(what, &path).await?, Kind::Container))
    }
}

/// Whose terminal a socket is: the two differ in what they say of themselves (section 4.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Container,
    Agent,
}

/// Whether the container may have been made anew under another id.
fn is_stale(error: &Error) -> bool {
    let status = error.parts().wire.as_ref().and_then(|wire| wire.status);
    let words = error.parts().wire.as_ref().and_then(|wire| wire.message.as_deref()).unwrap_or_default();
    error.kind() == ErrorKind::NotFound && (status == Some(410) || words.contains("container not found"))
}
