//! `target add`

use crate::cli::{Outcome, complete, edits};
use crate::config::{Edit, check_name};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::resolve::{Address, Defaults, Pattern};
use clap::Args;
use serde_json::{Value, json};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker target add web prod
  esker target add dev unix:/run/dev/.pebble.socket --workdir /app --env RUST_LOG=debug
  esker target add web staging --replace")]
pub struct TargetAddArgs {
    /// The short name
    #[arg(value_name = "NAME")]
    name: String,
    /// What it stands for: ENDPOINT/NAME, ENDPOINT or unix:/PATH
    #[arg(value_name = "TARGET", add = complete::endpoints())]
    address: String,
    /// Directory that commands there start in
    #[arg(long, value_name = "DIR")]
    workdir: Option<String>,
    /// Environment variable that commands there get; repeat it for several
    #[arg(long, value_name = "K=V")]
    env: Vec<String>,
    /// Replace what the name stood for
    #[arg(long)]
    replace: bool,
}

/// Writes a short name into the user's config.
pub fn run(ctx: &Ctx, args: TargetAddArgs) -> anyhow::Result<Outcome> {
    let address = address(ctx, &args.address)?;
    name_is_free(ctx, &args.name)?;
    let defaults = defaults(&args)?;
    let full = address.to_string();
    let (driver, _) = ctx.resolver.endpoint(&address.endpoint)?;
    let existing = ctx.config.targets.get(&args.name);
    let is_same = existing.is_some_and(|target| target.address == full && target.defaults == defaults);
    if existing.is_some() && !is_same && !args.replace {
        return Err(Error::conflict(format!("target `{}` exists already", args.name)).hint("pass --replace").into());
    }
    if is_same {
        ctx.out.done(&format!("nothing to do: `{}` stands for `{full}` already", args.name));
    } else {
        let content = content(&full, &defaults);
        edits::apply(ctx, &[Edit::Put { section: "targets", name: args.name.clone(), content }])?;
        ctx.out.done(&format!("`{}` stands for `{full}`", args.name));
    }
    edits::tell(ctx, &edits::changed(driver.id, &full, &args.name, "add", !is_same))?;
    Ok(Outcome::Done)
}

/// The full form that `text` means; a short name stands for one, never for another short name.
fn address(ctx: &Ctx, text: &str) -> Result<Address> {
    if let Some(target) = ctx.config.targets.get(text) {
        return Err(Error::usage(format!("`{text}` is a short name itself"))
            .hint(format!("write what it stands for: `{}`", target.address)));
    }
    match ctx.resolver.parse(text)? {
        Pattern::One(address, _) => Ok(address),
        _ => Err(Error::usage(format!("a short name stands for one target, not for `{text}`"))),
    }
}

/// Short names and endpoints, the implicit ones too, share one namespace (ux 1.3).
fn name_is_free(ctx: &Ctx, name: &str) -> Result<()> {
    check_name(name).map_err(|why| Error::usage(format!("cannot add target `{name}`: {why}")))?;
    let implicit = ctx.resolver.registry().iter().any(|driver| driver.id == name);
    if implicit || ctx.config.endpoints.contains_key(name) {
        return Err(Error::conflict(format!("`{name}` is the name of an endpoint")).hint("choose another name"));
    }
    Ok(())
}

fn defaults(args: &TargetAddArgs) -> Result<Defaults> {
    let mut defaults = Defaults { workdir: args.workdir.clone(), ..Defaults::default() };
    for pair in &args.env {
        match pair.split_once('=') {
            Some((name, value)) if !name.is_empty() => defaults.env.insert(name.to_owned(), value.to_owned()),
            _ => return Err(Error::usage(format!("`--env {pair}` sets nothing")).hint("write it as --env NAME=VALUE")),
        };
    }
    Ok(defaults)
}

/// The entry in the file: a text where that is enough.
fn content(full: &str, defaults: &Defaults) -> Value {
    if *defaults == Defaults::default() {
        return full.into();
    }
    let mut map = serde_json::Map::from_iter([("address".to_owned(), full.into())]);
    map.extend(defaults.workdir.iter().map(|dir| ("workdir".to_owned(), json!(dir))));
    if !defaults.env.is_empty() {
        map.insert("env".to_owned(), json!(defaults.env));
    }
    Value::Object(map)
}
