//! `exec --new`: a program in a machine that is made for it, and with `--rm` deleted after it, however it ends.

use super::args::{ExecArgs, FreshArgs};
use super::fleet;
use super::plan::Plan;
use crate::cli::{Outcome, files, vm};
use crate::config::duration;
use crate::context::Ctx;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::{Name, RemotePath};
use crate::operation::Step;
use crate::provider::exec::Exit;
use crate::provider::feature::capability;
use crate::provider::machines::{MachineSpec, Selector};
use crate::provider::over_exec::{output, sh};
use crate::provider::{Feature, Need, Needs, require};
use crate::resolve::{Pattern, Target};
use crate::signal;
use bytes::Bytes;
use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

/// The exit code of `timeout`.
const TIMED_OUT: u8 = 124;

/// What is needed of the endpoint, and of the machine before there is one.
struct Wanted<'a> {
    spec: &'a MachineSpec,
    plan: &'a Plan,
    copies: bool,
}

impl Needs for Wanted<'_> {
    fn needs(&self) -> Vec<Need> {
        let mut needs = self.spec.needs();
        needs.extend(self.plan.base.needs());
        if self.copies {
            needs.push(Need::new(Feature::FilesDirectories, "--copy"));
        }
        needs
    }
}

/// Makes the machine, runs the program in it, and deletes the machine.
pub(super) async fn run(ctx: &Ctx, args: &ExecArgs, fresh: &FreshArgs, plan: Plan) -> anyhow::Result<Outcome> {
    ctx.named_once()?;
    if !args.targets.is_empty() {
        return Err(Error::usage("--new makes the target: name no other").into());
    }
    let name = name();
    let spec =
        MachineSpec { name: name.clone(), image: fresh.image.clone(), from: fresh.from.clone(), ..Default::default() };
    let target = target(ctx, fresh.endpoint(), name)?;
    let wanted = Wanted { spec: &spec, plan: &plan, copies: fresh.copy.is_some() };
    require(&*target.place, &wanted).map_err(|error| error.at(target.provider.driver().id, &*target.full))?;
    let copies = fresh.copy.as_deref().map(|dir| files::cp::Tree::of(ctx, dir)).transpose()?;
    if let Some(dir) = plan.base.dir.as_ref().filter(|dir| copies.is_some() && !dir.is_absolute()) {
        let error = Error::usage(format!("`{dir}` is relative: --copy needs to know where it is"));
        return Err(error.hint("write --workdir /PATH").into());
    }
    // Nobody else's machine has this name: whatever becomes of the request to make it, it may be deleted.
    let armed = fresh.rm.then(|| {
        let doomed = target.clone();
        ctx.cleanups.add(vm::called(&target), Box::pin(async move { delete(&doomed).await }))
    });
    let is_made = Cell::new(true);
    let lives = async {
        let machines = vm::machines(&target, "exec --new")?;
        if let Err(error) = vm::drive(ctx, &target, "create", true, machines.create(spec)).await {
            is_made.set(!was_refused(&error));
            return Err(error.into());
        }
        ctx.out.done(&format!("created {}", vm::called(&target)));
        if let Some(copies) = copies {
            let mut signals = ctx.signals.listen().await?;
            tokio::select! {
                copied = async { copies.copy(ctx, &target, directory(&target, &plan).await?).await } => copied?,
                signal = signals.next() => return Err(signal::interrupted(&signal, "interrupted while copying").into()),
            }
        }
        fleet::single(ctx, plan, target.clone()).await
    };
    let outcome = match fresh.ttl {
        None => lives.await,
        Some(ttl) => tokio::time::timeout(ttl, lives).await.unwrap_or_else(|_| {
            let error = Error::timeout(format!("{} lived its {} (--ttl)", vm::called(&target), duration::show(ttl)));
            Err(error.status(TIMED_OUT).into())
        }),
    };
    let Some(armed) = armed else {
        if is_made.get() {
            ctx.out.done(&format!("{} stays; `esker vm delete {}` deletes it", vm::called(&target), target.full));
        }
        return outcome;
    };
    if !is_made.get() {
        armed.disarm();
        return outcome;
    }
    // What stays armed is undone by whoever called us.
    let outcome = outcome?;
    let mut signals = ctx.signals.listen().await?;
    let deleted = tokio::select! {
        deleted = delete(&target) => deleted,
        signal = signals.next() => return Err(signal::interrupted(&signal, "interrupted while deleting it").into()),
    };
    armed.disarm();
    match deleted {
        Ok(()) => {
            ctx.out.done(&format!("deleted {}", vm::called(&target)));
            Ok(outcome)
        }
        Err(error) => Err(Error::failure(format!("cannot delete {}: {error}", vm::called(&target)))
            .cause(format!("the program ended with exit code {}", outcome.status()))
            .hint(format!("delete it: esker vm delete {}", target.full))
            .into()),
    }
}

/// A name that nothing else has.
fn name() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("esker-{:x}-{:x}", since.as_micros() & 0xff_ffff_ffff, std::process::id())
}

/// The machine of this name at an endpoint, which is named as a target is.
fn target(ctx: &Ctx, endpoint: &str, name: String) -> Result<Target> {
    match ctx.resolver.parse(endpoint)? {
        Pattern::One(mut address, defaults) if address.name.is_none() => {
            vm::machines(&ctx.resolver.target(&address, &defaults)?, "exec --new")?;
            address.name = Some(Name(name));
            ctx.resolver.target(&address, &defaults)
        }
        _ => Err(Error::usage(format!("cannot make a machine at `{endpoint}`: it is no endpoint"))
            .hint("name an endpoint: exec --new sprites --rm -- CMD; `esker endpoint list` shows all")),
    }
}

/// Whether it is certain that no machine was made.
fn was_refused(error: &Error) -> bool {
    let is_refusal = matches!(
        error.kind(),
        ErrorKind::Usage
            | ErrorKind::Auth
            | ErrorKind::Forbidden
            | ErrorKind::Conflict
            | ErrorKind::Rejected
            | ErrorKind::Unreachable
            | ErrorKind::Unsupported
            | ErrorKind::TryLater
    );
    is_refusal && error.parts().effect == Effect::None
}

/// Where the program will run.
async fn directory(target: &Target, plan: &Plan) -> Result<RemotePath> {
    if let Some(dir) = plan.spec(target).dir {
        return Ok(dir);
    }
    let exec = capability(&*target.place, |place| place.exec(), Feature::Exec, "exec --new --copy")?;
    let mut said = output(exec, sh("pwd", &[]), None).await?;
    if said.exit != Exit::Code(0) || !said.stdout.starts_with(b"/") {
        return Err(Error::failure(format!("cannot tell where programs run in {}", vm::called(target)))
            .hint("say where: --workdir /PATH"));
    }
    said.stdout.truncate(said.stdout.trim_ascii_end().len());
    Ok(RemotePath(Bytes::from(said.stdout).into()))
}

/// Deletes it, to the end; one that is not there is deleted.
async fn delete(target: &Target) -> Result<()> {
    let which = Selector::Name(target.address.name.as_ref().map_or_else(String::new, |name| name.0.clone()));
    let deleting: Result<()> = async {
        let mut operation = vm::machines(target, "exec --rm")?.delete(&which).await?;
        loop {
            if let Step::Done(()) = operation.next().await? {
                return Ok(());
            }
        }
    }
    .await;
    match deleting {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        deleted => deleted,
    }
}
