//! `--watch`: a list again and again, whatever it lists (ux 6.3). What is told is up to the output, which compares.

use super::{Outcome, svc};
use crate::context::Ctx;
use crate::error::{Error, ErrorKind};
use crate::output::Format;
use clap::ArgMatches;
use std::time::Duration;

/// The id of the flag, which is that of no other command.
pub const FLAG: &str = "list_again";

/// Between two looks, unless the flag says otherwise.
const EVERY: Duration = Duration::from_secs(2);

/// How often the list that was asked for is to be made, if it is to be made again.
pub fn asked(matches: &ArgMatches) -> Option<Duration> {
    let every = matches.try_get_one::<Duration>(FLAG).ok().flatten()?;
    Some(if every.is_zero() { EVERY } else { *every })
}

/// Makes a list until it fails for good or somebody stops it. A place that does not answer may come back; one that
/// did not answer the first time is named wrongly.
pub async fn again<F, Fut>(ctx: &Ctx, every: Duration, list: F) -> anyhow::Result<Outcome>
where
    F: Fn() -> Fut,
    Fut: Future<Output = anyhow::Result<Outcome>>,
{
    if matches!(ctx.out.format(), Format::Csv | Format::Name) {
        return Err(Error::usage("--watch has neither csv nor names").hint("use `-o jsonl`").into());
    }
    ctx.out.watch();
    let mut has_answered = false;
    let watching = async {
        loop {
            match list().await {
                Ok(_) => has_answered = true,
                Err(error) => {
                    let kind = error.downcast_ref::<Error>().map_or(ErrorKind::Failure, Error::kind);
                    let may_pass = match kind {
                        ErrorKind::Partial => true,
                        ErrorKind::Unreachable | ErrorKind::Timeout | ErrorKind::TryLater => has_answered,
                        _ => false,
                    };
                    if !may_pass {
                        return Err(error);
                    }
                    has_answered = true;
                    ctx.out.warn(&error.to_string());
                }
            }
            tokio::time::sleep(every).await;
        }
    };
    svc::within(ctx, "--watch", watching).await
}
