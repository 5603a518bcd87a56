//! `target use`

use crate::cli::{Outcome, complete, edits};
use crate::config::{Edit, Layer, Origin};
use crate::context::Ctx;
use crate::error::Error;
use crate::resolve::Pattern;
use crate::settings::{Opt, Value};
use clap::Args;

const KEY: &str = "default_target";

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker target use web
  esker target use unix:/run/dev/.pebble.socket
  esker target use --none")]
pub struct TargetUseArgs {
    /// Short name or target to act on when nothing else is named
    #[arg(value_name = "NAME", required_unless_present = "none", add = complete::targets())]
    name: Option<String>,
    /// Have no default target
    #[arg(long, conflicts_with = "name")]
    none: bool,
}

/// Writes `default_target` into the user's config.
pub fn run(ctx: &Ctx, args: TargetUseArgs) -> anyhow::Result<Outcome> {
    let set = ctx.config.settings.get(KEY).and_then(|named| named.node.text()).map(str::to_owned);
    let is_same = set == args.name;
    let edit = Edit::Set { key: KEY, value: args.name.clone() };
    let Some(name) = &args.name else {
        if !is_same {
            edits::apply(ctx, &[edit])?;
        }
        ctx.out.done(if is_same { "nothing to do: there is no default target" } else { "no default target" });
        return Ok(Outcome::Done);
    };
    let Pattern::One(address, _) = ctx.resolver.parse(name)? else {
        return Err(Error::usage(format!("the default is one target, not `{name}`")).into());
    };
    let (driver, _) = ctx.resolver.endpoint(&address.endpoint)?;
    if is_same {
        ctx.out.done(&format!("nothing to do: `{name}` is the default target already"));
    } else {
        edits::apply(ctx, &[edit])?;
        ctx.out.done(&format!("`{name}` is the default target"));
    }
    if let (Origin::Variable(_) | Origin::File { layer: Layer::Directory | Layer::Place, .. }, Value::List(now)) =
        (ctx.settings.origin(Opt::Target), ctx.settings.value(Opt::Target))
    {
        ctx.out.note(&format!("`{}` from {} comes first here", now.join(", "), ctx.settings.origin(Opt::Target)));
    }
    edits::tell(ctx, &edits::changed(driver.id, &address.to_string(), name, "use", !is_same))?;
    Ok(Outcome::Done)
}
