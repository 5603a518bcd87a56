//! `endpoint logout`

use crate::cli::{Outcome, complete, edits};
use crate::config::Secret;
use crate::context::Ctx;
use crate::error::ErrorKind;
use crate::fanout::bounded;
use crate::resolve::{Address, Defaults};
use crate::settings::Opt;
use clap::Args;
use std::time::Duration;

/// How long the other side is given to end what is forgotten here.
const LIMIT: Duration = Duration::from_secs(10);

#[derive(Args, Debug)]
#[command(after_help = "\
Only what `esker endpoint login` stored is removed; keys of the config stay. A
session is ended over there, too, where that can be done.

Examples:
  esker endpoint logout prod
  esker endpoint logout prod -o json")]
pub struct EndpointLogoutArgs {
    /// The endpoint
    #[arg(value_name = "NAME", add = complete::endpoints())]
    name: String,
}

/// Forgets a stored login; that there is none is success too.
pub async fn run(ctx: &Ctx, args: EndpointLogoutArgs) -> anyhow::Result<Outcome> {
    end(ctx, &args.name).await;
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

/// Ends what was stored, as far as it can be ended. It is forgotten in any case, so a failure is only told.
async fn end(ctx: &Ctx, name: &str) {
    let stored = super::logins(ctx).and_then(|logins| logins.load(name));
    let Ok(Some(login)) = stored else { return };
    let address = Address { endpoint: name.to_owned(), name: None };
    let Ok(target) = ctx.resolver.target(&address, &Defaults::default()) else { return };
    let Some(door) = target.provider.sign_in() else { return };
    let limit = ctx.settings.duration(Opt::Timeout).unwrap_or(LIMIT);
    for (what, secret) in &login.secrets {
        let secret: &Secret = secret;
        // One that has ended already is refused: that is what was wanted.
        let ended = bounded(door.sign_out(what, secret), Some(limit)).await;
        if let Err(error) = ended.or_else(|error| if error.kind() == ErrorKind::Auth { Ok(()) } else { Err(error) }) {
            ctx.out.warn(&format!("the {what} of `{name}` is forgotten here, but may go on over there: {error}"));
        }
    }
}
