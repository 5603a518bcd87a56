//! `svc identity`: who may do what.

use crate::cli::args::Listing;
use crate::cli::tree::{Node, talk};
use crate::cli::verbatim::VerbatimArgs;
use crate::cli::{Outcome, complete, source};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::Identity;
use crate::output::{Cell, Column, ListOptions};
use crate::provider::Feature;
use crate::provider::documents::Document;
use crate::provider::feature::capability;
use crate::provider::identities::{Identities, IdentityAction};
use crate::resolve::Target;
use clap::Args;
use std::path::PathBuf;

/// The commands.
pub(super) static TREE: &[Node] = &[
    talk!("list", ListArgs, list, "List identities").alias("ls"),
    talk!("show", ShowArgs, show, "Show an identity"),
    talk!("add", AddArgs, add, "Add identities from a file"),
    talk!("update", UpdateArgs, update, "Update identities from a file"),
    talk!("remove", RemoveArgs, remove, "Remove identities").alias("rm"),
];

const COLUMNS: &[Column<Identity>] = &[
    Column::new("NAME", "name", |i: &Identity| Cell::text(&i.name)),
    Column::new("ACCESS", "access", |i: &Identity| Cell::text(&i.access)),
    Column::new("TYPES", "types", |i: &Identity| Cell::List(i.types.clone())),
    Column::new("USER", "user_id", |i: &Identity| Cell::maybe(i.user_id.map(|id| id.to_string()))),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker svc identity list
  esker svc identity list -o json | jq -r '.[] | select(.access == \"admin\") | .name'")]
pub struct ListArgs {
    #[command(flatten)]
    list: Listing,
    #[command(flatten)]
    verbatim: VerbatimArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker svc identity show bob
  esker svc identity show bob -o json")]
pub struct ShowArgs {
    /// Name of the identity
    #[arg(value_name = "NAME", add = complete::identities())]
    name: String,
    #[command(flatten)]
    verbatim: VerbatimArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
The file maps names to identities. A basic password is its sha512-crypt hash,
as `openssl passwd -6` prints it.

Examples:
  esker svc identity add --from team.yaml
  echo 'identities: {bob: {access: read, local: {user-id: 1001}}}' | esker svc identity add --from -")]
pub struct AddArgs {
    /// File that holds them, YAML or JSON; `-` is standard input
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker svc identity update --from team.yaml
  esker svc identity update --replace --from team.yaml")]
pub struct UpdateArgs {
    /// File that holds them, YAML or JSON; `-` is standard input
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Add those that do not exist, and remove those that are null
    #[arg(long)]
    replace: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker svc identity remove bob
  esker svc identity remove --from team.yaml --yes")]
pub struct RemoveArgs {
    /// Names of the identities
    #[arg(value_name = "NAME", required_unless_present = "from", add = complete::identities())]
    names: Vec<String>,
    /// File whose names are removed; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "names")]
    from: Option<PathBuf>,
}

fn of<'a>(target: &'a Target, asked: &str) -> Result<&'a dyn Identities> {
    capability(&*target.place, |p| p.identities(), Feature::Identities, asked)
}

/// Lists identities.
pub async fn list(ctx: &Ctx, args: ListArgs) -> anyhow::Result<Outcome> {
    let needs = (Feature::Identities, "svc identity list");
    if let Some(outcome) = args.verbatim.print(ctx, &needs, Document::Identities).await? {
        return Ok(outcome);
    }
    let gathered = ctx.read(&needs, |target| async move { of(&target, "svc identity list")?.list().await }).await?;
    let (rows, gathered) = gathered.rows(|identities| identities);
    ctx.list(&rows, COLUMNS, &args.list.into(), gathered)
}

/// Shows an identity.
pub async fn show(ctx: &Ctx, args: ShowArgs) -> anyhow::Result<Outcome> {
    let needs = (Feature::Identities, "svc identity show");
    if let Some(outcome) = args.verbatim.print(ctx, &needs, Document::Identity(args.name.clone())).await? {
        return Ok(outcome);
    }
    let name = &args.name;
    let gathered = ctx
        .read(&needs, |target| async move {
            let all = of(&target, "svc identity show")?.list().await?;
            let near =
                crate::suggest::nearest(name, all.iter().map(|identity| identity.name.as_str())).map(str::to_owned);
            all.into_iter().find(|identity| &identity.name == name).ok_or_else(|| {
                Error::not_found(format!("no identity `{name}` on `{}`", target.full)).hint(match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "`esker svc identity list` shows all".to_owned(),
                })
            })
        })
        .await?;
    ctx.objects(gathered, COLUMNS)
}

/// Adds identities.
pub async fn add(ctx: &Ctx, args: AddArgs) -> anyhow::Result<Outcome> {
    apply(ctx, IdentityAction::Add, "added", &source::read_text(&args.from)?).await
}

/// Updates identities.
pub async fn update(ctx: &Ctx, args: UpdateArgs) -> anyhow::Result<Outcome> {
    let (action, done) =
        if args.replace { (IdentityAction::Replace, "replaced") } else { (IdentityAction::Update, "updated") };
    apply(ctx, action, done, &source::read_text(&args.from)?).await
}

/// Removes identities.
pub async fn remove(ctx: &Ctx, args: RemoveArgs) -> anyhow::Result<Outcome> {
    let document = if let Some(file) = &args.from {
        source::read_text(file)?
    } else {
        let names: serde_json::Map<_, _> =
            args.names.iter().map(|name| (name.clone(), serde_json::Value::Null)).collect();
        serde_json::Value::Object(names).to_string()
    };
    apply(ctx, IdentityAction::Remove, "removed", &document).await
}

async fn apply(ctx: &Ctx, action: IdentityAction, done: &str, document: &str) -> anyhow::Result<Outcome> {
    let gathered = ctx
        .change(&(Feature::Identities, "svc identity"), |target| async move {
            let names = of(&target, "svc identity")?.apply(action, document).await?;
            for name in &names {
                ctx.out.done(&format!("{done} identity `{name}` on `{}`", target.full));
            }
            Ok((target, names))
        })
        .await?;
    if ctx.out.is_structured() {
        let mut rows = Vec::new();
        for (_, (target, names)) in &gathered.done {
            rows.extend(names.iter().map(|name| super::act::changed(target, name, done, true)));
        }
        if !gathered.done.is_empty() {
            ctx.out.list(&rows, super::act::COLUMNS, &ListOptions::default())?;
        }
    }
    gathered.finish()
}
