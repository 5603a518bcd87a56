//! `svc wait` and `svc check wait`: until a condition is met, or can no longer be, or the time is up (ux 6.2).

use crate::cli::until::{Look, until};
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::provider::Feature;
use crate::provider::feature::capability;
use crate::resolve::Target;
use crate::suggest::nearest;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Exit codes: 0 met, 9 the time is up, 7 it can no longer be met, 6 no such service.

Examples:
  esker svc wait web --for active --timeout 1m
  esker svc wait web worker --for inactive
  esker svc wait --for healthy --level ready")]
pub struct WaitArgs {
    /// Services to wait for; none for `healthy` and `unhealthy`
    #[arg(value_name = "NAME", add = complete::services())]
    names: Vec<String>,
    /// State to wait for: active, inactive, backoff, error, …; or healthy, unhealthy
    #[arg(long = "for", value_name = "CONDITION")]
    condition: String,
    /// With `healthy`: checks of this level
    #[arg(long, value_name = "LEVEL", value_parser = super::check::LEVELS)]
    level: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Exit codes: 0 met, 9 the time is up, 7 it can no longer be met, 6 no such check.

Examples:
  esker svc check wait db --for up
  esker svc check wait db cache --for down --timeout 5m")]
pub struct CheckWaitArgs {
    /// Checks to wait for
    #[arg(value_name = "NAME", required = true, add = complete::checks())]
    names: Vec<String>,
    /// Status to wait for: up, down or inactive
    #[arg(long = "for", value_name = "STATUS", default_value = "up", value_parser = ["up", "down", "inactive"])]
    condition: String,
}

/// The states that are known of services. Providers may have others: only a near miss is refused.
const STATES: [&str; 4] = ["active", "inactive", "backoff", "error"];

/// Waits until services are in a state, or the place is healthy.
pub async fn run(ctx: &Ctx, args: WaitArgs) -> anyhow::Result<Outcome> {
    let args = &args;
    let is_health = matches!(args.condition.as_str(), "healthy" | "unhealthy");
    if is_health != args.names.is_empty() {
        return Err(if is_health {
            Error::usage(format!("`--for {}` is about all checks and takes no names", args.condition))
        } else {
            Error::usage("no service is named").hint("`--for healthy` alone needs none")
        }
        .into());
    }
    if let Some(meant) = nearest(&args.condition, STATES).filter(|meant| *meant != args.condition) {
        return Err(Error::usage(format!("no state `{}` of services", args.condition))
            .hint(format!("did you mean `{meant}`?"))
            .into());
    }
    let names = args.names.join(" ");
    let what = &format!("svc wait {}--for {}", if names.is_empty() { names } else { names + " " }, args.condition);
    let feature = if is_health { Feature::Checks } else { Feature::Services };
    let gathered = ctx
        .operate(&(feature, "svc wait"), |target| async move {
            until(ctx, &target.full, what, || async {
                if is_health {
                    health(&target, args.level.as_deref(), &args.condition).await
                } else {
                    services(&target, &args.names, &args.condition).await
                }
            })
            .await
        })
        .await?;
    gathered.finish()
}

/// Whether services are in a state.
pub(in crate::cli) async fn services(target: &Target, names: &[String], state: &str) -> Result<Look> {
    let services = capability(&*target.place, |p| p.services(), Feature::Services, "svc wait")?;
    let found = services.list(names).await?;
    for name in names {
        let Some(service) = found.iter().find(|service| &service.name == name) else {
            // Asking for one that does not exist says what was probably meant.
            services.show(name).await?;
            continue;
        };
        if service.state == state {
            continue;
        }
        if service.state == "error" && state == "active" {
            return Ok(Look::Never(format!("service `{name}` is `error` and is not started again by itself")));
        }
        return Ok(Look::NotYet(format!("service `{name}` is `{}`", service.state)));
    }
    Ok(Look::Met)
}

/// Whether the checks of a level, or all, are `healthy` or `unhealthy`.
pub(in crate::cli) async fn health(target: &Target, level: Option<&str>, wanted: &str) -> Result<Look> {
    let checks = capability(&*target.place, |p| p.checks(), Feature::Checks, "svc wait")?;
    let healthy = checks.health(level, &[]).await?.healthy;
    let state = if healthy { "healthy" } else { "unhealthy" };
    Ok(if state == wanted { Look::Met } else { Look::NotYet(format!("it is {state}")) })
}

/// Waits until checks are in a status.
pub async fn checks(ctx: &Ctx, args: CheckWaitArgs) -> anyhow::Result<Outcome> {
    let args = &args;
    let gathered = ctx
        .operate(&(Feature::Checks, "svc check wait"), |target| async move {
            let what = format!("svc check wait {} --for {}", args.names.join(" "), args.condition);
            until(ctx, &target.full, &what, || check_statuses(&target, &args.names, &args.condition)).await
        })
        .await?;
    gathered.finish()
}

/// Whether checks have a status.
pub(in crate::cli) async fn check_statuses(target: &Target, names: &[String], status: &str) -> Result<Look> {
    let checks = capability(&*target.place, |p| p.checks(), Feature::Checks, "svc check wait")?;
    let found = checks.list(None, names).await?;
    for name in names {
        let Some(check) = found.iter().find(|check| &check.name == name) else {
            return Err(super::check::unknown(target, checks, name).await);
        };
        if check.status == status {
            continue;
        }
        if check.status == "inactive" {
            return Ok(Look::Never(format!("check `{name}` is stopped; `esker svc check start {name}` starts it")));
        }
        return Ok(Look::NotYet(format!("check `{name}` is `{}`", check.status)));
    }
    Ok(Look::Met)
}
