//! What is known to go wrong with a server, looked for one by one (sections 2 and 11).

use super::{Rexec, api};
use crate::model::Name;
use crate::provider::Provider as _;
use crate::provider::examine::{Finding, Verdict, inside, within};
use crate::provider::machines::{Machines as _, Selector};
use crate::transport::Request;
use crate::transport::header::DATE;
use futures_util::stream::{self, BoxStream, StreamExt};
use serde_json::Value;

/// The checks of an account, then those of a container.
pub(super) fn examine<'a>(rexec: &'a Rexec, name: Option<&'a Name>) -> BoxStream<'a, Finding> {
    let account = stream::once(rexec.server()).chain(stream::once(rexec.limits()));
    let Some(name) = name else { return account.boxed() };
    let container = stream::once(rexec.container(name)).flat_map(move |found| {
        // What is not there cannot be asked for more.
        let exists = found.verdict == Verdict::Pass;
        let more = if exists { inside(rexec.place(Some(name))) } else { stream::empty().boxed() };
        stream::iter([found]).chain(more)
    });
    account.chain(container).boxed()
}

impl Rexec {
    /// Whether it is a server, and whether it is what it says.
    async fn server(&self) -> Finding {
        within("server", async {
            let response = self.client.raw("ask for the version", Request::get("/api/version")).await?;
            let kind = response.header("content-type").unwrap_or_default().to_owned();
            if response.header(DATE).is_none() {
                return Ok(Finding::warn("server", "it does not say what time it is"));
            }
            let body = response.bytes(1 << 20).await?;
            let said: Value = serde_json::from_slice(&body).unwrap_or_default();
            Ok(match (said["version"].as_str(), said["mode"].as_str()) {
                (Some(version), Some("sdk")) => {
                    Finding::warn("server", format!("{version}, a simulator in the shapes of the SDKs"))
                }
                (Some(version), _) => Finding::pass("server", version),
                (None, _) => Finding::fail("server", format!("it answers with {kind} where a version is asked for"))
                    .fix("is the endpoint's `url` right?"),
            })
        })
        .await
    }

    /// How many containers there are and may be. The server's own count repeats the limit.
    async fn limits(&self) -> Finding {
        within("limit", async {
            let all: api::Containers = self.client.get("list containers", "/api/containers").await?;
            let limit = if let api::Containers::Object { limit, .. } = &all { *limit } else { None };
            let own = all.into_items().into_iter().filter(|one| !one.db_id.is_empty()).count();
            Ok(match limit {
                Some(limit) if own as u64 >= limit => {
                    Finding::warn("limit", format!("{own} of {limit} containers are used: no other can be made"))
                }
                Some(limit) => Finding::pass("limit", format!("{own} of {limit} containers are used")),
                None => Finding::skip("limit", "the server does not say how many there may be"),
            })
        })
        .await
    }

    async fn container(&self, name: &Name) -> Finding {
        within("container", async {
            let machine = self.machines.find(&Selector::Auto(name.0.clone())).await?;
            let reason = format!("`{name}` is {}", machine.status);
            Ok(if matches!(machine.status.as_str(), "running" | "online") {
                Finding::pass("container", reason)
            } else {
                let fix = format!("run `esker vm start {}/{name}`", self.client.endpoint());
                Finding::fail("container", reason).fix(fix)
            })
        })
        .await
    }
}
