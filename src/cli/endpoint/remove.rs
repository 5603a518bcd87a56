//! `endpoint remove`

use crate::cli::{Outcome, complete, edits};
use crate::config::Edit;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{At, Changed};
use crate::suggest::nearest;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
An endpoint that short names stand for is kept: remove those first. A stored
login goes with its endpoint.

Examples:
  esker endpoint remove lab
  esker endpoint remove old-a old-b")]
pub struct EndpointRemoveArgs {
    /// Endpoints to remove
    #[arg(value_name = "NAME", required = true, add = complete::endpoints())]
    names: Vec<String>,
}

/// Removes endpoints from the user's config, as many as can be.
pub fn run(ctx: &Ctx, args: EndpointRemoveArgs) -> anyhow::Result<Outcome> {
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for name in &args.names {
        match remove(ctx, name) {
            Ok(row) => rows.push(row),
            Err(error) => failed.push(error),
        }
    }
    edits::tell_all(ctx, &rows)?;
    if failed.is_empty() { Ok(Outcome::Done) } else { Err(Error::several("endpoints", failed, rows.len()).into()) }
}

fn remove(ctx: &Ctx, name: &str) -> Result<At<Changed>> {
    let Some(endpoint) = ctx.config.endpoints.get(name) else { return Err(unknown(ctx, name)) };
    edits::must_be_ours(ctx, &format!("endpoint `{name}`"), &endpoint.origin)?;
    let is_of = |address: &str| address == name || address.starts_with(&format!("{name}/"));
    let targets = ctx.config.targets.iter().filter(|(_, target)| is_of(&target.address));
    let users: Vec<&str> = targets.map(|(name, _)| name.as_str()).collect();
    if !users.is_empty() {
        return Err(Error::conflict(format!("cannot remove endpoint `{name}`: {} stand for it", users.join(", ")))
            .hint(format!("run `esker target remove {}` first", users.join(" "))));
    }
    let mut edit = vec![Edit::Remove { section: "endpoints", name: name.to_owned() }];
    let default = ctx.config.settings.get("default_target").and_then(|named| named.node.text());
    let was_default = default.is_some_and(is_of);
    if was_default {
        edit.push(Edit::Set { key: "default_target", value: None });
    }
    edits::apply(ctx, &edit)?;
    let had_login = super::logins(ctx)?.remove(name)?;
    let and = match (was_default, had_login) {
        (true, true) => ", which was the default target, and its login",
        (true, false) => ", which was the default target",
        (false, true) => " and its login",
        (false, false) => "",
    };
    ctx.out.done(&format!("removed endpoint `{name}`{and}"));
    let provider = ctx.resolver.endpoint(name).map_or("", |(driver, _)| driver.id);
    Ok(edits::changed(provider, name, name, "remove", true))
}

fn unknown(ctx: &Ctx, name: &str) -> Error {
    if ctx.resolver.registry().iter().any(|driver| driver.id == name) {
        return Error::conflict(format!("cannot remove endpoint `{name}`: its provider makes it by itself"))
            .hint("unset the provider's variables to make it go");
    }
    let all = "`esker endpoint list` shows all";
    let known = ctx.config.endpoints.keys().map(String::as_str);
    Error::not_found(format!("no endpoint `{name}`")).hint(match nearest(name, known) {
        Some(near) => format!("did you mean `{near}`? {all}"),
        None => all.to_owned(),
    })
}
