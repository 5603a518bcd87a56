//! What is known to go wrong with the service, looked for one by one (section 10).

use super::{Sprites, api};
use crate::error::Result;
use crate::model::Name;
use crate::provider::Provider as _;
use crate::provider::examine::{Finding, Verdict, inside, within};
use crate::provider::machines::{Machines as _, Selector};
use crate::provider::sprites::client::path;
use crate::transport::{Method, Request};
use futures_util::stream::{self, BoxStream, StreamExt};

/// A name that nobody gives to anything.
const NOBODY: &str = "esker-doctor-asks-for-nothing";

/// The checks of an account, then those of a sandbox.
pub(super) fn examine<'a>(sprites: &'a Sprites, name: Option<&'a Name>) -> BoxStream<'a, Finding> {
    let account = stream::iter([Check::Organization, Check::Paging, Check::Unknown]);
    let account = account.then(move |check| async move { sprites.look(check).await });
    let Some(name) = name else { return account.boxed() };
    let sandbox = stream::once(sprites.sandbox(name)).flat_map(move |findings| {
        // What is not there cannot be asked for more.
        let exists = findings.first().is_some_and(|finding| finding.verdict == Verdict::Pass);
        let more = if exists { inside(sprites.place(Some(name))) } else { stream::empty().boxed() };
        stream::iter(findings).chain(more)
    });
    account.chain(sandbox).boxed()
}

#[derive(Clone, Copy)]
enum Check {
    Organization,
    Paging,
    Unknown,
}

impl Sprites {
    async fn look(&self, check: Check) -> Finding {
        match check {
            Check::Organization => within("organization", self.organization()).await,
            Check::Paging => within("paging", self.paging()).await,
            Check::Unknown => within("unknown", self.unknown()).await,
        }
    }

    /// The organization and its limits.
    async fn organization(&self) -> Result<Finding> {
        let check = "organization";
        let reply: api::OrganizationReply = self.client.get("ask for the organization", "/v1/organization").await?;
        let of = reply.organization;
        if let Some(wanted) = self.sign_in.organization.as_deref().filter(|wanted| *wanted != of.slug) {
            let reason = format!("the token is of `{}`, and `{wanted}` is configured", of.slug);
            return Ok(Finding::fail(check, reason).fix("use the token of that organization"));
        }
        if of.sprites_enabled == Some(false) {
            return Ok(Finding::fail(check, format!("Sprites is not enabled for `{}`", of.slug)));
        }
        let running = of.active_sprites.as_array().map(Vec::len).map(|count| count as u64);
        let running = running.or_else(|| of.active_sprites.as_u64());
        Ok(match (running, of.active_sprite_limit) {
            (Some(running), Some(limit)) if running >= limit => {
                Finding::warn(check, format!("`{}`: {running} of {limit} sandboxes run: no other can start", of.slug))
                    .fix("delete one, or wait until one falls asleep")
            }
            (Some(running), Some(limit)) => {
                Finding::pass(check, format!("`{}`: {running} of {limit} sandboxes run", of.slug))
            }
            _ => Finding::pass(check, format!("`{}`", of.slug)),
        })
    }

    /// Whether a last page says that it is the last.
    async fn paging(&self) -> Result<Finding> {
        let check = "paging";
        let query = format!("/v1/sprites?prefix={NOBODY}");
        let page: api::Page = self.client.get("list sandboxes", &query).await?;
        let begins = |sprite: &api::Sprite| sprite.name.starts_with(NOBODY);
        if !page.sprites.iter().all(begins) {
            return Ok(Finding::warn(check, "the server does not filter by prefix; esker does"));
        }
        let is_last = page.next_continuation_token.is_none_or(|token| token.is_empty());
        Ok(if page.has_more && is_last {
            Finding::warn(check, "the server announces more after the last page; esker stops there all the same")
        } else {
            Finding::pass(check, "lists end where they say")
        })
    }

    /// What the server says of what does not exist.
    async fn unknown(&self) -> Result<Finding> {
        let check = "unknown";
        let response = self.client.raw("ask for nothing", Request::get(path(&Name::from(NOBODY), ""))).await?;
        Ok(match response.status {
            404 => Finding::pass(check, "what does not exist is `not found`"),
            500 => {
                Finding::warn(check, "the server fails (500) on a sandbox that does not exist; esker says `not found`")
            }
            status => Finding::warn(check, format!("the server says {status} of a sandbox that does not exist")),
        })
    }

    /// Whether the sandbox is there, how it is, and what runs in it.
    async fn sandbox(&self, name: &Name) -> Vec<Finding> {
        let found = within("sandbox", async {
            let machine = self.machines.find(&Selector::Name(name.0.clone())).await?;
            Ok(Finding::pass("sandbox", format!("`{name}` is {}", machine.status)))
        });
        let found = found.await;
        if found.verdict != Verdict::Pass {
            let found = if found.fix.is_none() { found.fix("`esker vm list` shows all") } else { found };
            return vec![found];
        }
        let health = within("health", async {
            let health = self.machines.health(&Selector::Name(name.0.clone())).await?;
            let why = health.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            let reason = format!("{}{why}", health.status);
            Ok(if health.healthy {
                Finding::pass("health", reason)
            } else {
                Finding::fail("health", reason).fix(format!("run `esker vm restart {}/{name}`", self.client.endpoint()))
            })
        });
        vec![
            found,
            health.await,
            within("version", self.version(name)).await,
            within("control", self.control(name)).await,
        ]
    }

    /// The server inside the sandbox, and what versions of it are known for (section 3.12).
    async fn version(&self, name: &Name) -> Result<Finding> {
        let check = "version";
        let head = Request::new(Method::HEAD, path(name, "/exec"));
        let response = self.client.raw("ask for the version", head).await?;
        let Some(version) = response.header("sprite-version") else {
            return Ok(Finding::skip(check, "the server in the sandbox does not say its version"));
        };
        let upgrade = format!("run `esker vm upgrade {}/{name}`", self.client.endpoint());
        Ok(match candidate(version) {
            Some(rc) if rc < 30 => Finding::warn(
                check,
                format!("{version} knows neither sessions by path nor pipes that are joined again"),
            )
            .fix(upgrade),
            Some(rc) if rc < 33 => {
                Finding::warn(check, format!("{version} may lose the output and status of quick programs")).fix(upgrade)
            }
            _ => Finding::pass(check, version),
        })
    }

    /// The reusable socket, which esker leaves alone: it has lost input (section 2.11).
    async fn control(&self, name: &Name) -> Result<Finding> {
        let check = "control";
        let response = self.client.raw("ask for the control socket", Request::get(path(name, "/control"))).await?;
        Ok(match response.status {
            404 => Finding::pass(check, "no control socket: one connection per program"),
            _ => Finding::pass(check, "there is a control socket; esker uses one connection per program instead"),
        })
    }
}

/// The number of a release candidate: `v0.0.1-rc48`. Compared as a number, since 9 comes before 30.
fn candidate(version: &str) -> Option<u32> {
    let (base, candidate) = version.trim_start_matches('v').split_once("-rc")?;
    candidate.parse().ok().filter(|_| base == "0.0.1")
}

#[cfg(test)]
mod tests {
    use super::candidate;

    #[test]
    fn candidates_are_numbers() {
        assert_eq!([candidate("v0.0.1-rc9"), candidate("0.0.1-rc30")], [Some(9), Some(30)]);
        assert_eq!([candidate("v0.0.1"), candidate("v0.1.0-rc1"), candidate("dev")], [None; 3]);
    }
}
