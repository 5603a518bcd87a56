//! `target remove`

use crate::cli::{Outcome, complete, edits};
use crate::config::Edit;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{At, Changed};
use crate::suggest::nearest;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
What a name stood for is not touched. If it was the default target, there is
none afterwards.

Examples:
  esker target remove web
  esker target remove old-web old-db")]
pub struct TargetRemoveArgs {
    /// Short names to remove
    #[arg(value_name = "NAME", required = true, add = complete::short_names())]
    names: Vec<String>,
}

/// Removes short names from the user's config, as many as can be.
pub fn run(ctx: &Ctx, args: TargetRemoveArgs) -> anyhow::Result<Outcome> {
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for name in &args.names {
        match remove(ctx, name) {
            Ok(row) => rows.push(row),
            Err(error) => failed.push(error),
        }
    }
    edits::tell_all(ctx, &rows)?;
    if failed.is_empty() { Ok(Outcome::Done) } else { Err(Error::several("targets", failed, rows.len()).into()) }
}

fn remove(ctx: &Ctx, name: &str) -> Result<At<Changed>> {
    let Some(target) = ctx.config.targets.get(name) else {
        let known = ctx.config.targets.keys().map(String::as_str);
        let all = "`esker target list` shows all";
        return Err(Error::not_found(format!("no short name `{name}`")).hint(match nearest(name, known) {
            Some(near) => format!("did you mean `{near}`? {all}"),
            None => all.to_owned(),
        }));
    };
    edits::must_be_ours(ctx, &format!("target `{name}`"), &target.origin.to_string())?;
    let mut edit = vec![Edit::Remove { section: "targets", name: name.to_owned() }];
    let default = ctx.config.settings.get("default_target").and_then(|named| named.node.text());
    let was_default = default == Some(name);
    if was_default {
        edit.push(Edit::Set { key: "default_target", value: None });
    }
    edits::apply(ctx, &edit)?;
    let and = if was_default { ", which was the default target" } else { "" };
    ctx.out.done(&format!("removed `{name}`{and}"));
    // What it stood for may be gone already.
    let endpoint = target.address.split_once('/').map_or(target.address.as_str(), |(endpoint, _)| endpoint);
    let provider = ctx.resolver.endpoint(endpoint).map_or("", |(driver, _)| driver.id);
    Ok(edits::changed(provider, &target.address, name, "remove", true))
}
