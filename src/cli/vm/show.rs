//! `vm show`

use super::MachineArgs;
use super::columns::MACHINES;
use crate::cli::Outcome;
use crate::cli::over::at;
use crate::context::Ctx;
use crate::error::Result;
use crate::model::{Heading, Key, Machine, Record, Unit};
use crate::output::Format;
use crate::provider::Feature;
use crate::resolve::Target;
use clap::Args;
use serde_json::Value;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker vm show sprites/dev
  esker vm show sprites/dev -o json | jq -r .url
  esker vm show 'sprites/web-*' -o wide")]
pub struct VmShowArgs {
    #[command(flatten)]
    which: MachineArgs,
}

/// Shows machines.
pub async fn run(ctx: &Ctx, args: VmShowArgs) -> anyhow::Result<Outcome> {
    let asked = "vm show";
    let (targets, failed) = args.which.machines(ctx, asked, &(Feature::Machines, asked)).await?;
    let gathered = ctx
        .read_at(targets, failed, |target| async move {
            super::machines(&target, asked)?.find(&super::which(&target, asked)?).await
        })
        .await;
    let alone = match gathered.done.as_slice() {
        [(target, machine)] if gathered.failed.is_empty() => Some((target.clone(), machine.clone())),
        _ => None,
    };
    let outcome = ctx.objects(gathered, MACHINES)?;
    if let (Some((target, machine)), Format::Table | Format::Wide) = (alone, ctx.out.format()) {
        parts(ctx, &target, &machine)?;
    }
    Ok(outcome)
}

/// What a provider knows of the parts of a machine, such as drives: a table each, below the machine.
fn parts(ctx: &Ctx, target: &Target, machine: &Machine) -> Result<()> {
    for (name, value) in &machine.extra {
        let rows: Vec<_> = value.as_array().into_iter().flatten().filter_map(Value::as_object).cloned().collect();
        let Some(first) = rows.first().filter(|_| ctx.out.options().fields.is_none()) else { continue };
        let heading = |key: &String| {
            let unit = match key.as_str() {
                "created" | "expires" => Unit::Moment,
                key if key.ends_with("size") || key.ends_with("bytes") => Unit::Bytes,
                _ => Unit::Plain,
            };
            Heading { key: key.clone(), header: key.replace('_', " ").to_uppercase(), is_wide: false, unit }
        };
        let headings: Vec<Heading> = first.keys().filter(|key| !key.starts_with('$')).map(heading).collect();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let record = |fields: serde_json::Map<String, Value>| {
            let key = Key(fields.get("$key").map(text).unwrap_or_default());
            at(target, Record { key, fields, ..Record::default() })
        };
        ctx.out.line(&format!("\n{}:", name.to_uppercase()))?;
        ctx.out.records(&rows.into_iter().map(record).collect::<Vec<_>>(), &headings, name)?;
    }
    Ok(())
}
