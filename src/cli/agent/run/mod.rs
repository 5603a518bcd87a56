//! `agent run`: one prompt, seen through to its end.

mod args;
mod ask;
mod attend;
mod prompt;
mod result;
mod show;
mod transcript;

pub use args::RunArgs;
pub(super) use attend::{Attendant, Ended, Limits};
pub use result::AgentResult;
pub(super) use show::Show;
pub use show::{AnyLine, Envelope};
pub(super) use transcript::Transcript;

use self::attend::Tally;
use super::host::Host;
use super::way_back::{Kept, WayBack};
use super::{close, open, target};
use crate::agent::budget::Budget;
use crate::agent::schema::Schema;
use crate::cli::Outcome;
use crate::cli::source::read_text;
use crate::context::{Ctx, var};
use crate::error::{Error, Result};
use crate::model::EndReason;
use crate::provider::agent::{Command, Session};
use crate::settings::Opt;
use serde_json::Value;
use tokio::time::Instant;

/// How often an answer that is not what the schema wants is asked for again.
const AGAIN: usize = 2;

const ASKED: &str = "agent run";

/// Runs an agent on a prompt.
pub async fn run(ctx: &Ctx, args: RunArgs) -> anyhow::Result<Outcome> {
    let begun = Instant::now();
    let read = |path: &std::path::PathBuf| Ok::<_, Error>((read_text(path)?, path.display().to_string()));
    let schema = args.schema.as_ref().map(|path| read(path).and_then(|(text, name)| Schema::parse(&text, &name)));
    let schema = schema.transpose()?;
    let responder = args.open.judge()?.responder(ctx.out.can_ask())?;
    let budget = Budget { turns: args.max_turns, cost_usd: args.max_cost, tokens: args.max_tokens };
    let limit = ctx.settings.duration(Opt::Timeout);
    let deadline = limit.map(|limit| (begun + limit, limit));
    let limits = Limits { budget, deadline, idle: args.idle_timeout.filter(|idle| !idle.is_zero()) };
    let target = target(ctx, ASKED)?;
    let show = Show::new(ctx, target.provider.driver().id, &target.full)?;
    let spec = args.open.spec(&var)?;
    let host = Host::find(ctx, &args.open.host)?;
    let prompt = prompt::prompt(ctx, &args, schema.as_ref()).await?;
    let way_back = match host.place().filter(|_| args.open.host.checkpoint) {
        Some(place) => Some(WayBack::prepare(ctx, place, args.rollback_on).await?),
        None => None,
    };
    let transcript = way_back.as_ref().map(WayBack::transcript).transpose()?.flatten();
    let opened = open(ctx, &target, spec, &host, ASKED).await;
    let mut session = match (opened, way_back.as_ref()) {
        (Ok(session), _) => session,
        (Err(error), None) => return Err(error.into()),
        (Err(error), Some(_)) => {
            let error = gone_back(way_back, Some(error), None).await.0;
            return Err(error.unwrap_or_else(|| Error::internal("a failure was lost")).into());
        }
    };
    let signals = ctx.signals.listen().await?;
    let mut attendant = Attendant::new(ctx, show.recorded(transcript), responder, limits, signals);
    let came = see_through(&mut attendant, &mut session, prompt, schema.as_ref()).await;
    let info = session.info.clone();
    let closed = close(session, args.grace).await;
    let Attendant { mut show, tally, .. } = attendant;
    // What it came to counts more than how it was closed.
    let (value, error) = match came {
        Ok(value) => (value, denied(&tally).or(closed.err())),
        Err(error) => (None, Some(error)),
    };
    let error = error.map(|error| error.at(target.provider.driver().id, &*target.full));
    let (error, checkpoint) = gone_back(way_back, error, info.session_file.as_deref()).await;
    let result = AgentResult::new(info, tally, error.as_ref(), begun.elapsed());
    show.result(AgentResult { value, checkpoint, ..result })?;
    match error {
        None => Ok(Outcome::Done),
        Some(error) => Err(error.into()),
    }
}

/// What the run comes to, once its target has gone back where that was wanted.
async fn gone_back(
    way_back: Option<WayBack<'_>>,
    error: Option<Error>,
    session: Option<&str>,
) -> (Option<Error>, Option<Kept>) {
    match way_back {
        Some(way_back) => {
            let (error, kept) = way_back.after(error, session).await;
            (error, Some(kept))
        }
        None => (error, None),
    }
}

/// Sends the prompt, and asks again for an answer that is not what the schema wants.
async fn see_through(
    attendant: &mut Attendant<'_>,
    session: &mut Session,
    prompt: Command,
    schema: Option<&Schema>,
) -> Result<Option<Value>> {
    let mut prompt = prompt;
    let mut tries = 0;
    loop {
        match attendant.prompt(session, prompt).await? {
            Ended::Agent { reason: EndReason::Completed, .. } => {}
            Ended::Agent { reason, error } => return Err(failed(reason, error)),
            Ended::Stopped(error) => return Err(error),
        }
        let Some(schema) = schema else { return Ok(None) };
        match schema.check(&attendant.tally.text) {
            Ok(value) => return Ok(Some(value)),
            Err(wrong) if tries == AGAIN => {
                return Err(Error::rejected("the answer does not keep to the schema").cause(wrong));
            }
            Err(wrong) => prompt = prompt::again(&wrong),
        }
        tries += 1;
    }
}

/// Why a prompt failed that the agent says has ended.
pub(super) fn failed(reason: EndReason, error: Option<String>) -> Error {
    let message = error.unwrap_or_default();
    match reason {
        EndReason::Completed | EndReason::Cancelled => Error::failure("the agent was told to stop by somebody else"),
        EndReason::Limit => Error::failure("the answer is cut off at the model's own limit of length"),
        EndReason::Error if is_login(&message) => Error::auth("the model's provider refused the key").cause(message),
        EndReason::Error => Error::failure("the agent failed").cause(message),
    }
}

/// Whether a failure is one of the login: by the status that every generation puts first, and by pi's own words.
fn is_login(message: &str) -> bool {
    let status: String = message.chars().take_while(char::is_ascii_digit).collect();
    matches!(status.as_str(), "401" | "403") || message.contains("No API key found")
}

/// What was refused without anybody being asked makes the run a failure, whatever the agent made of it.
fn denied(tally: &Tally) -> Option<Error> {
    let first = tally.denied.first()?;
    let others = match tally.denied.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    Some(
        Error::forbidden(format!("refused what the agent asked: {}{others}", first.prompt))
            .cause(first.why.clone())
            .hint("--approve auto allows it, --approve-rules FILE decides one by one"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_failed_login_is_one_in_every_generation() {
        for message in ["401 Incorrect API key provided", "401: {\"code\":401}", "403 no", "No API key found for x"] {
            assert_eq!(failed(EndReason::Error, Some(message.to_owned())).kind(), ErrorKind::Auth, "{message}");
        }
        for message in ["500 fake internal error", "4010 things", ""] {
            assert_eq!(failed(EndReason::Error, Some(message.to_owned())).kind(), ErrorKind::Failure, "{message}");
        }
    }
}
