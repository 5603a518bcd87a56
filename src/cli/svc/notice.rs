//! `svc notice`: what happened.

use crate::cli::Outcome;
use crate::cli::args::{Listing, key_value};
use crate::cli::tree::{Node, talk};
use crate::cli::verbatim::VerbatimArgs;
use crate::config::duration;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{Notice, Recorded, Relayed};
use crate::output::{Cell, Column};
use crate::provider::Feature;
use crate::provider::documents::Document;
use crate::provider::feature::capability;
use crate::provider::notices::{Notices, NoticesQuery, NotifySpec, Seen};
use crate::resolve::Target;
use clap::Args;
use futures_util::StreamExt;
use std::time::Duration;

/// The commands.
pub(super) static TREE: &[Node] = &[
    talk!("list", ListArgs, list, "List notices").alias("ls"),
    talk!("show", ShowArgs, show, "Show a notice"),
    talk!("notify", NotifyArgs, notify, "Record a notice"),
    talk!("wait", WaitArgs, wait, "Wait for the next notice"),
    talk!("ack", AckArgs, ack, "Acknowledge the notices that were listed"),
];

const COLUMNS: &[Column<Notice>] = &[
    Column::new("ID", "id", |n: &Notice| Cell::text(&n.id)),
    Column::new("USER", "user_id", |n: &Notice| match n.user_id {
        Some(id) => Cell::text(id.to_string()),
        None => Cell::text("public"),
    }),
    Column::new("TYPE", "type", |n: &Notice| Cell::text(&n.kind)),
    Column::new("KEY", "key", |n: &Notice| Cell::text(&n.key)).elastic(),
    Column::new("FIRST", "first_occurred_at", |n: &Notice| Cell::Time(n.first_occurred_at)),
    Column::new("REPEATED", "last_repeated_at", |n: &Notice| Cell::Time(n.last_repeated_at)),
    Column::new("OCCURRENCES", "occurrences", |n: &Notice| Cell::count(n.occurrences)),
    Column::new("DATA", "data", |n: &Notice| Cell::List(n.data.iter().map(|(k, v)| format!("{k}={v}")).collect()))
        .wide(),
];

const RECORDED: &[Column<Recorded>] = &[
    Column::new("ID", "id", |r: &Recorded| Cell::text(&r.id)),
    Column::new("KEY", "key", |r: &Recorded| Cell::text(&r.key)),
];

// Which notices.
#[derive(Args, Debug)]
pub struct FilterArgs {
    /// Only notices of this type, such as custom or change-update
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only notices with this key
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// Notices of every user; for admins
    #[arg(long, value_name = "all", value_parser = ["all"], conflicts_with = "uid")]
    users: Option<String>,
    /// Notices of this user; for admins
    #[arg(long, value_name = "UID")]
    uid: Option<u32>,
}

impl FilterArgs {
    fn query(&self) -> NoticesQuery {
        NoticesQuery {
            types: self.types.clone(),
            keys: self.keys.clone(),
            after: None,
            all_users: self.users.is_some(),
            user_id: self.uid,
        }
    }
}

#[derive(Args, Debug)]
#[command(after_help = "\
Lists what was not acknowledged yet, as `pebble notices` does, and shares its
acknowledgements. A structured format (-o json …) leaves them as they are.

Examples:
  esker svc notice list --type custom
  esker svc notice list --unread=false
  esker svc notice list -f -o jsonl")]
pub struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Go on with what comes
    #[arg(short, long, conflicts_with_all = ["raw", "compat"])]
    follow: bool,
    /// Only what was not acknowledged
    #[arg(long, value_name = "BOOL", default_value = "true", action = clap::ArgAction::Set)]
    unread: bool,
    #[command(flatten)]
    list: Listing,
    #[command(flatten)]
    verbatim: VerbatimArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker svc notice show 41
  esker svc notice show custom example.com/backup")]
pub struct ShowArgs {
    /// Id of the notice, or its type
    #[arg(value_name = "ID|TYPE")]
    id: String,
    /// Its key, if a type was given
    #[arg(value_name = "KEY")]
    key: Option<String>,
    /// The notice of this user; for admins
    #[arg(long, value_name = "UID", requires = "key")]
    uid: Option<u32>,
    #[command(flatten)]
    verbatim: VerbatimArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker svc notice notify example.com/backup
  esker svc notice notify example.com/backup size=12 state=done --repeat-after 1h")]
pub struct NotifyArgs {
    /// Key, in the form of DOMAIN/PATH
    #[arg(value_name = "KEY")]
    key: String,
    /// What comes with it
    #[arg(value_name = "NAME=VALUE", value_parser = key_value)]
    data: Vec<(String, String)>,
    /// How long the notice is quiet after being told
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    repeat_after: Option<Duration>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Prints the next notice that occurs from now on. Exit code 9 if --timeout passed.

Examples:
  esker svc notice wait --key example.com/backup --timeout 1h
  esker svc notice wait --type change-update -o json")]
pub struct WaitArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Take one that occurred already, if it was not acknowledged
    #[arg(long)]
    unread: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Acknowledgements are kept on this machine, together with those of `pebble okay`.

Examples:
  esker svc notice ack
  esker svc notice ack --target 'prod-*'")]
pub struct AckArgs {}

fn of<'a>(target: &'a Target, asked: &str) -> Result<&'a dyn Notices> {
    capability(&*target.place, |p| p.notices(), Feature::Notices, asked)
}

/// Up to where notices were seen; a state file that cannot be read is a warning, and nothing was seen.
fn seen(ctx: &Ctx, notices: &dyn Notices) -> Seen {
    notices.seen().unwrap_or_else(|error| {
        ctx.out.warn(&error.to_string());
        Seen::default()
    })
}

/// Lists notices.
pub async fn list(ctx: &Ctx, args: ListArgs) -> anyhow::Result<Outcome> {
    let needs = (Feature::Notices, "svc notice list");
    if args.verbatim.wanted().is_some() {
        let target = ctx.target(&needs)?;
        let mut query = args.filter.query();
        query.after = args
            .unread
            .then(|| of(&target, "svc notice list").map(|n| seen(ctx, n).acknowledged))
            .transpose()?
            .flatten();
        args.verbatim.print(ctx, &needs, Document::Notices(query)).await?;
        return Ok(Outcome::Done);
    }
    if args.follow {
        return super::within(ctx, "svc notice list -f", follow(ctx, &args)).await;
    }
    let (filter, unread, shown) = (&args.filter, args.unread, !ctx.out.is_structured());
    let gathered = ctx
        .read(&needs, |target| async move {
            let notices = of(&target, "svc notice list")?;
            let before = if unread { seen(ctx, notices) } else { Seen::default() };
            let found = notices.list(&NoticesQuery { after: before.acknowledged, ..filter.query() }).await?;
            // Listing them to a person is what `ack` acknowledges; a script that reads them acknowledges nothing.
            if let Some(newest) =
                found.iter().filter_map(|notice| notice.last_repeated_at).max().filter(|_| shown && unread)
                && let Err(error) = notices.record_seen(Seen { listed: Some(newest), ..before })
            {
                ctx.out.warn(&error.to_string());
            }
            Ok(found)
        })
        .await?;
    let (rows, gathered) = gathered.rows(|notices| notices);
    ctx.list(&rows, COLUMNS, &args.list.into(), gathered)
}

async fn follow(ctx: &Ctx, args: &ListArgs) -> anyhow::Result<Outcome> {
    let target = ctx.target(&(Feature::Notices, "svc notice list"))?;
    let notices = of(&target, "svc notice list")?;
    let after = if args.unread { seen(ctx, notices).acknowledged } else { None };
    let mut coming = notices.follow(NoticesQuery { after, ..args.filter.query() });
    while let Some(notice) = coming.next().await {
        let notice = notice?;
        if ctx.out.is_structured() {
            let provider = target.provider.driver().id;
            ctx.out.event("notice", &Relayed { provider, target: target.full.clone(), data: notice })?;
        } else {
            let data: Vec<String> = notice.data.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let time = notice.last_repeated_at.map_or_else(String::new, |time| time.to_string());
            ctx.out.remote_line(&format!("{time} [{}] {} {}", notice.kind, notice.key, data.join(" ")))?;
        }
    }
    Ok(Outcome::Done)
}

/// Shows a notice.
pub async fn show(ctx: &Ctx, args: ShowArgs) -> anyhow::Result<Outcome> {
    let needs = (Feature::Notices, "svc notice show");
    if args.key.is_none()
        && let Some(outcome) = args.verbatim.print(ctx, &needs, Document::Notice(args.id.clone())).await?
    {
        return Ok(outcome);
    }
    let args = &args;
    let gathered = ctx
        .read(&needs, |target| async move {
            let notices = of(&target, "svc notice show")?;
            let Some(key) = &args.key else { return notices.get(&args.id).await };
            let query = NoticesQuery {
                types: vec![args.id.clone()],
                keys: vec![key.clone()],
                user_id: args.uid,
                ..NoticesQuery::default()
            };
            notices.list(&query).await?.into_iter().next().ok_or_else(|| {
                Error::not_found(format!("no notice `{key}` of type `{}` on `{}`", args.id, target.full))
                    .hint("`esker svc notice list --unread=false` shows all")
            })
        })
        .await?;
    if args.verbatim.wanted().is_some() {
        // By type and key the wire has no document of one notice: its id leads to it.
        let (rows, gathered) = gathered.rows(|notice| vec![notice]);
        for row in &rows {
            args.verbatim.print(ctx, &needs, Document::Notice(row.value.id.clone())).await?;
        }
        return gathered.finish();
    }
    ctx.objects(gathered, COLUMNS)
}

/// Records a notice.
pub async fn notify(ctx: &Ctx, args: NotifyArgs) -> anyhow::Result<Outcome> {
    let spec = NotifySpec { key: args.key, data: args.data.into_iter().collect(), repeat_after: args.repeat_after };
    let spec = &spec;
    let gathered = ctx
        .change(&(Feature::Notices, "svc notice notify"), |target| async move {
            let id = of(&target, "svc notice notify")?.notify(spec).await?;
            ctx.out.done(&format!("recorded notice {id} on `{}`", target.full));
            Ok(Recorded { id, key: spec.key.clone() })
        })
        .await?;
    if ctx.out.is_structured() { ctx.objects(gathered, RECORDED) } else { gathered.finish() }
}

/// Waits for a notice.
pub async fn wait(ctx: &Ctx, args: WaitArgs) -> anyhow::Result<Outcome> {
    let (filter, unread) = (&args.filter, args.unread);
    let gathered = ctx
        .read(&(Feature::Notices, "svc notice wait"), |target| async move {
            let notices = of(&target, "svc notice wait")?;
            let mut query = filter.query();
            query.after = if unread {
                seen(ctx, notices).acknowledged
            } else {
                // From now on, by the daemon's own clock: after the newest that it knows.
                notices.list(&query).await?.iter().filter_map(|notice| notice.last_repeated_at).max()
            };
            match notices.follow(query).next().await {
                Some(notice) => notice,
                None => {
                    Err(Error::unreachable(format!("cannot wait for a notice on `{}`: the stream ended", target.full)))
                }
            }
        })
        .await?;
    ctx.objects(gathered, COLUMNS)
}

/// Acknowledges the notices that were listed.
pub async fn ack(ctx: &Ctx, _: AckArgs) -> anyhow::Result<Outcome> {
    let gathered = ctx
        .change(&(Feature::Notices, "svc notice ack"), |target| async move {
            let notices = of(&target, "svc notice ack")?;
            let seen = notices.seen()?;
            let Some(listed) = seen.listed else {
                return Err(Error::conflict(format!("no notices of `{}` were listed", target.full))
                    .hint("list them first: `esker svc notice list`"));
            };
            notices.record_seen(Seen { acknowledged: Some(listed), ..seen })?;
            ctx.out.done(&format!("acknowledged the notices of `{}` up to {listed}", target.full));
            Ok(())
        })
        .await?;
    gathered.finish()
}
