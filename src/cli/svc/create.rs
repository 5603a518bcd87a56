//! `svc create` and `svc delete`: where the system keeps services one by one.

use super::act;
use crate::cli::args::key_value;
use crate::cli::drive::Driven;
use crate::cli::over::at;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::fanout::bounded;
use crate::model::Changed;
use crate::output::Danger;
use crate::provider::feature::unsupported;
use crate::provider::services::{Acted, Editor, ServiceSpec};
use crate::provider::{Feature, Need};
use crate::resolve::Target;
use crate::settings::Opt;
use clap::Args;

#[derive(Args, Debug)]
#[command(
    override_usage = "esker svc create NAME [FLAGS] -- CMD [ARG...]",
    after_help = "\
The service is started, and watched for a moment: one that ends at once is an
error with its own output. Pebble keeps services in layers instead: `esker svc
layer add`.

Examples:
  esker svc create web --http-port 8080 --target sprites/dev -- python3 -m http.server 8080
  esker svc create worker --needs db --env QUEUE=high -w /srv --target sprites/dev -- ./worker"
)]
pub struct CreateArgs {
    /// Name of the service
    #[arg(value_name = "NAME")]
    name: String,
    /// The program and its arguments; no shell reads them
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<String>,
    /// Set a variable of its environment
    #[arg(long = "env", value_name = "K=V", value_parser = key_value)]
    variables: Vec<(String, String)>,
    /// The directory to run it in
    #[arg(short = 'w', long = "workdir", value_name = "DIR")]
    dir: Option<String>,
    /// A service that is started before it; repeat it for several
    #[arg(long, value_name = "NAME", add = complete::services())]
    needs: Vec<String>,
    /// The port on which it answers to the machine's URL
    #[arg(long, value_name = "PORT")]
    http_port: Option<u16>,
    /// Put it in the place of one that has this name
    #[arg(long)]
    replace: bool,
    /// Do not wait until it runs
    #[arg(long)]
    no_wait: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Stops the services and forgets them; asks first.

Examples:
  esker svc delete web --target sprites/dev
  esker svc delete web worker --yes")]
pub struct DeleteArgs {
    /// Services to delete
    #[arg(value_name = "NAME", required = true, add = complete::services())]
    names: Vec<String>,
}

fn needs(asked: &str) -> Vec<Need> {
    vec![Need::new(Feature::Services, asked), Need::new(Feature::ServicesEdit, asked)]
}

fn editor<'a>(target: &'a Target, asked: &str) -> Result<&'a dyn Editor> {
    let editor = target.place.services().and_then(|services| services.editor());
    editor.ok_or_else(|| unsupported(target.provider.driver(), Feature::ServicesEdit, asked))
}

/// Makes a service and starts it.
pub async fn create(ctx: &Ctx, args: CreateArgs) -> anyhow::Result<Outcome> {
    let wait = !args.no_wait;
    let spec = &ServiceSpec {
        name: args.name,
        command: args.command,
        env: args.variables,
        dir: args.dir,
        needs: args.needs,
        http_port: args.http_port,
        replace: args.replace,
    };
    let what = &format!("create `{}`", spec.name);
    let gathered = ctx
        .operate(&needs("svc create"), |target| async move {
            let limit = ctx.settings.duration(Opt::Timeout);
            let operation = bounded(editor(&target, "svc create")?.create(spec.clone()), limit).await?;
            ctx.drive(&target, what, "esker svc wait", wait, operation).await
        })
        .await?;
    let alone = gathered.done.len() + gathered.failed.len() == 1;
    let mut rows = Vec::new();
    let done = gathered.done.len();
    for (target, driven) in gathered.done {
        match driven {
            Driven::Left(id) => act::left(ctx, &target, id)?,
            Driven::Done(_, Acted { service, changed }) => {
                ctx.out.done(&format!("created `{}` on `{}`", spec.name, target.full));
                let state = service.map(|service| service.state);
                let (name, action) = (spec.name.clone(), "create".to_owned());
                rows.push(at(&target, Changed { name, action, changed, state, operation_id: None }));
            }
        }
    }
    if wait {
        act::print(ctx, &rows, alone)?;
    }
    crate::cli::over::finish(gathered.failed, done)
}

/// Stops services and forgets them; each is tried.
pub async fn delete(ctx: &Ctx, args: DeleteArgs) -> anyhow::Result<Outcome> {
    let names = &args.names;
    let (targets, failed) = ctx.targets(&needs("svc delete")).await?;
    let shown: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    let places: Vec<_> = targets.iter().map(|target| format!("`{}`", target.full)).collect();
    let action = format!("delete {} on {}", shown.join(", "), places.join(", "));
    ctx.confirm(Danger::Moderate { action }).await?;
    let gathered = ctx
        .change_at(targets, failed, |target| async move {
            let editor = editor(&target, "svc delete")?;
            let mut outcomes = Vec::new();
            for name in names {
                outcomes.push((name, editor.delete(name).await));
            }
            Ok(outcomes)
        })
        .await;
    let alone = names.len() == 1 && gathered.done.len() + gathered.failed.len() == 1;
    let (mut rows, mut failed) = (Vec::new(), gathered.failed);
    for (target, outcomes) in gathered.done {
        for (name, outcome) in outcomes {
            match outcome {
                Ok(()) => {
                    ctx.out.done(&format!("deleted `{name}` on `{}`", target.full));
                    rows.push(act::changed(&target, name, "delete", true));
                }
                Err(error) => failed.push(error.at(target.provider.driver().id, &*target.full)),
            }
        }
    }
    act::print(ctx, &rows, alone)?;
    if failed.is_empty() { Ok(Outcome::Done) } else { Err(Error::several("services", failed, rows.len()).into()) }
}
