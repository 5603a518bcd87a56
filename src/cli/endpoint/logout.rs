//! `endpoint logout`

use crate::cli::{Outcome, complete, edits};
use crate::context::Ctx;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Only what `esker endpoint login` stored is removed; keys of the config stay.

Examples:
  esker endpoint logout prod
  esker endpoint logout prod -o json")]
pub struct EndpointLogoutArgs {
    /// The endpoint
    #[arg(value_name = "NAME", add = complete::endpoints())]
    name: String,
}

/// Forgets a stored login; that there is none is success too.
pub fn run(ctx: &Ctx, args: EndpointLogoutArgs) -> anyhow::Result<Outcome> {
    let had = super::logins(ctx)?.remove(&args.name)?;
    // An endpoint that is gone may have left a login behind.
    let endpoint = ctx.resolver.endpoint(&args.name);
    let provider = match (endpoint, had) {
        (Ok((driver, _)), _) => driver.id,
        (Err(_), true) => "",
        (Err(error), false) => return Err(error.into()),
    };
    ctx.out.done(&if had {
        format!("forgot the login of `{}`", args.name)
    } else {
        format!("nothing to do: there is no stored login of `{}`", args.name)
    });
    edits::tell(ctx, &edits::changed(provider, &args.name, &args.name, "logout", had))?;
    Ok(Outcome::Done)
}
