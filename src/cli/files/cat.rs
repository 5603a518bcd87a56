//! `files cat`

use super::spot::Spot;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::provider::Feature;
use clap::Args;
use futures_util::StreamExt;
use std::ffi::OsString;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker files cat /etc/hosts
  esker files cat web:/var/log/app.log | tail
  esker files cat a:/etc/issue b:/etc/issue")]
pub struct CatArgs {
    /// Files: /PATH or TARGET:/PATH
    #[arg(value_name = "PATH", required = true, add = complete::remote_paths())]
    paths: Vec<OsString>,
}

/// Prints files one after the other. One that cannot be read, or not to its end, is reported; the others follow.
pub async fn run(ctx: &Ctx, args: CatArgs) -> anyhow::Result<Outcome> {
    let (spots, mut failed) = ctx.spots(&(Feature::Files, "files cat"), &args.paths).await?;
    let mut done = 0;
    for spot in &spots {
        match print(ctx, spot).await {
            Ok(()) => done += 1,
            // Nobody reads any more: there is no use in the others.
            Err(error) if error.parts().source.as_ref().is_some_and(crate::report::stdout_closed) => {
                return Err(error.into());
            }
            Err(error) => failed.push(spot.located(error)),
        }
    }
    if failed.is_empty() { Ok(Outcome::Done) } else { Err(Error::several("files", failed, done).into()) }
}

/// Prints one file as it comes.
pub(super) async fn print(ctx: &Ctx, spot: &Spot) -> Result<()> {
    let mut body = spot.files("files cat")?.read(&spot.path, None).await?.body;
    while let Some(chunk) = body.next().await {
        ctx.out.bytes(&chunk?)?;
    }
    Ok(())
}
