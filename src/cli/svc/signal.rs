//! `svc signal`

use super::act::changed;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::Error;
use crate::provider::exec::Signal;
use crate::provider::feature::capability;
use crate::provider::{Feature, Need};
use crate::suggest::nearest;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
The signal goes to the main process of each service, not to its children.

Examples:
  esker svc signal HUP web
  esker svc signal usr1 web worker")]
pub struct SignalArgs {
    /// Signal by name, with or without SIG, in any case
    #[arg(value_name = "SIGNAL", value_parser = parse)]
    signal: Signal,
    /// Services to signal
    #[arg(value_name = "NAME", required = true, add = complete::services())]
    names: Vec<String>,
}

fn parse(text: &str) -> Result<Signal, String> {
    Signal::parse(text).ok_or_else(|| match nearest(&text.to_uppercase(), Signal::names()) {
        Some(near) => format!("there is no signal of that name; did you mean {near}?"),
        None => "there is no signal of that name".to_owned(),
    })
}

/// Sends a signal to services.
pub async fn run(ctx: &Ctx, args: SignalArgs) -> anyhow::Result<Outcome> {
    let needs = vec![Need::new(Feature::Services, "svc signal"), Need::new(Feature::ServicesSignal, "svc signal")];
    let (signal, names) = (&args.signal, &args.names);
    let gathered = ctx
        .change(&needs, |target| async move {
            capability(&*target.place, |p| p.services(), Feature::Services, "svc signal")?.signal(signal, names).await
        })
        .await?;
    let alone = names.len() == 1 && gathered.done.len() + gathered.failed.len() == 1;
    let (mut rows, mut failed) = (Vec::new(), gathered.failed);
    for (target, items) in gathered.done {
        for item in items {
            match item.outcome {
                Ok(()) => {
                    ctx.out.done(&format!("sent {} to `{}` on `{}`", signal.name(), item.name, target.full));
                    rows.push(changed(&target, &item.name, &format!("signal {}", signal.name()), true));
                }
                Err(error) => failed.push(error.at(target.provider.driver().id, &*target.full)),
            }
        }
    }
    super::act::print(ctx, &rows, alone)?;
    if failed.is_empty() { Ok(Outcome::Done) } else { Err(Error::several("services", failed, rows.len()).into()) }
}
