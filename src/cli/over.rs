//! One command over one or many targets: fan-out is a property of dispatch, not of any command.

use super::Outcome;
use crate::config::Origin;
use crate::context::Ctx;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::fanout::{self, Limits};
use crate::model::{At, Row};
use crate::output::{Column, ListOptions};
use crate::provider::{Needs, require};
use crate::resolve::{Pattern, Target};
use crate::settings::Opt;

/// What came of a command over its targets.
pub struct Gathered<T> {
    /// What succeeded, in the order of the targets.
    pub done: Vec<(Target, T)>,
    /// What failed.
    pub failed: Vec<Error>,
}

impl<T> Gathered<T> {
    /// Success, or the failures as one error.
    pub fn finish(self) -> anyhow::Result<Outcome> {
        finish(self.failed, self.done.len())
    }

    /// The rows of every target, each with its place.
    pub fn rows<R>(self, rows: impl Fn(T) -> Vec<R>) -> (Vec<At<R>>, Gathered<()>) {
        let mut all = Vec::new();
        let mut done = Vec::new();
        for (target, value) in self.done {
            all.extend(rows(value).into_iter().map(|value| at(&target, value)));
            done.push((target, ()));
        }
        (all, Gathered { done, failed: self.failed })
    }
}

impl Ctx {
    /// Prints the rows of every target that answered, and makes one error of the failures. Where nobody answered there
    /// is no list: an empty one would be a lie (ux 4.16).
    pub fn list<R: Row>(
        &self,
        rows: &[At<R>],
        columns: &[Column<R>],
        options: &ListOptions,
        gathered: Gathered<()>,
    ) -> anyhow::Result<Outcome> {
        if !gathered.done.is_empty() {
            self.out.unseen(gathered.failed.iter().filter_map(|error| error.parts().target.as_deref()));
            self.out.list(rows, columns, options)?;
        }
        gathered.finish()
    }

    /// Prints one object per target: alone a bare object, several as a list.
    pub fn objects<R: Row>(&self, gathered: Gathered<R>, columns: &[Column<R>]) -> anyhow::Result<Outcome> {
        let several = gathered.done.len() + gathered.failed.len() > 1;
        let (rows, gathered) = gathered.rows(|value| vec![value]);
        match rows.as_slice() {
            [row] if !several => self.out.one(row, columns)?,
            [] => {}
            rows => self.out.list(rows, columns, &ListOptions::default())?,
        }
        gathered.finish()
    }
}

/// A value and where it is from.
pub fn at<T>(target: &Target, value: T) -> At<T> {
    At { provider: target.provider.driver().id, target: target.full.clone(), value }
}

/// The outcome of several targets or items, `done` of which succeeded.
pub fn finish(failed: Vec<Error>, done: usize) -> anyhow::Result<Outcome> {
    if failed.is_empty() { Ok(Outcome::Done) } else { Err(Error::several("targets", failed, done).into()) }
}

impl Ctx {
    /// The targets of a command. Every one is checked against `needs` before any I/O; one that cannot be had is among
    /// the failures and hides no other.
    pub async fn targets(&self, needs: &dyn Needs) -> Result<(Vec<Target>, Vec<Error>)> {
        self.targets_of(self.resolver.wanted(&self.settings)?, needs).await
    }

    /// The same for a command whose targets are arguments.
    pub async fn targets_of(&self, patterns: Vec<Pattern>, needs: &dyn Needs) -> Result<(Vec<Target>, Vec<Error>)> {
        let resolved = self.resolver.expand(patterns).await;
        let mut failed: Vec<Error> = resolved.failed.into_iter().map(|(_, error)| error).collect();
        let mut targets = resolved.targets;
        if self.settings.on(Opt::All) {
            // "Every target that the verb fits": the others are not meant.
            targets.retain(|target| require(&*target.place, needs).is_ok());
        }
        for target in &targets {
            require(&*target.place, needs).map_err(|error| error.at(target.provider.driver().id, &*target.full))?;
        }
        if targets.is_empty() && failed.is_empty() {
            failed.push(Error::not_found("no target fits").hint("`esker target list` shows all"));
        }
        Ok((targets, failed))
    }

    /// The targets of a command that takes them as arguments or by `--target`, not both (ux 1.2).
    pub fn patterns(&self, named: &[String]) -> Result<Vec<Pattern>> {
        if named.is_empty() {
            return self.resolver.wanted(&self.settings);
        }
        self.named_once()?;
        named.iter().map(|text| self.resolver.parse(text)).collect()
    }

    /// The targets of a command that acts on targets themselves, checked against `needs`.
    pub async fn acted_on(&self, named: &[String], needs: &dyn Needs) -> Result<(Vec<Target>, Vec<Error>)> {
        self.targets_of(self.patterns(named)?, needs).await
    }

    /// The one target of a command that takes it as an argument or by `--target`.
    pub fn target_named(&self, named: Option<&String>, needs: &dyn Needs) -> Result<Target> {
        let target = match self.patterns(named.map(std::slice::from_ref).unwrap_or_default())?.as_slice() {
            [Pattern::One(address, defaults)] => self.resolver.target(address, defaults)?,
            _ => {
                return Err(Error::usage("this command needs exactly one target").hint("name one without wildcards"));
            }
        };
        require(&*target.place, needs).map_err(|error| error.at(target.provider.driver().id, &*target.full))?;
        Ok(target)
    }

    /// Refuses flags that name targets beside arguments that do.
    pub fn named_once(&self) -> Result<()> {
        if self.settings.on(Opt::All) {
            return Err(Error::usage("--all and a named target exclude each other"));
        }
        if matches!(self.settings.origin(Opt::Target), Origin::Flag(_)) {
            return Err(
                Error::usage("a target is named twice, as an argument and by --target").hint("keep one of them")
            );
        }
        Ok(())
    }

    /// The one target of a command that needs exactly one.
    pub fn target(&self, needs: &dyn Needs) -> Result<Target> {
        let target = self.resolver.single(&self.settings)?;
        require(&*target.place, needs).map_err(|error| error.at(target.provider.driver().id, &*target.full))?;
        Ok(target)
    }

    /// Reads something at every target.
    pub async fn read<T, F, Fut>(&self, needs: &dyn Needs, work: F) -> Result<Gathered<T>>
    where
        F: Fn(Target) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let (targets, failed) = self.targets(needs).await?;
        Ok(self.read_at(targets, failed, work).await)
    }

    /// The same at targets that are known already, beside those that could not be had.
    pub async fn read_at<T, F, Fut>(&self, targets: Vec<Target>, failed: Vec<Error>, work: F) -> Gathered<T>
    where
        F: Fn(Target) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let jobs = self.settings.number(Opt::Jobs);
        let limits = self.fast(Limits::reads(jobs, self.settings.duration(Opt::Timeout), targets.len()));
        let mut gathered = gather(targets, failed, limits, work).await;
        // A read that took too long has changed nothing over there.
        for error in gathered.failed.iter_mut().filter(|error| error.kind() == ErrorKind::Timeout) {
            error.parts_mut().effect = Effect::None;
        }
        gathered
    }

    /// Changes something at every target, each within `--timeout`.
    pub async fn change<T, F, Fut>(&self, needs: &dyn Needs, work: F) -> Result<Gathered<T>>
    where
        F: Fn(Target) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let (targets, failed) = self.targets(needs).await?;
        Ok(self.change_at(targets, failed, work).await)
    }

    /// The same at targets that are known already, beside those that could not be had.
    pub async fn change_at<T, F, Fut>(&self, targets: Vec<Target>, failed: Vec<Error>, work: F) -> Gathered<T>
    where
        F: Fn(Target) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let limits = self.fast(Limits::changes(self.settings.number(Opt::Jobs), self.settings.duration(Opt::Timeout)));
        gather(targets, failed, limits, work).await
    }

    /// The limits, with what `--fail-fast` says.
    fn fast(&self, limits: Limits) -> Limits {
        Limits { fail_fast: self.settings.on(Opt::FailFast), ..limits }
    }

    /// Does what takes time at every target. `--timeout` is left to the work, which knows what goes on without it.
    pub async fn operate<T, F, Fut>(&self, needs: &dyn Needs, work: F) -> Result<Gathered<T>>
    where
        F: Fn(Target) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let (targets, failed) = self.targets(needs).await?;
        Ok(self.operate_at(targets, failed, work).await)
    }

    /// The same at targets that are known already, beside those that could not be had.
    pub async fn operate_at<T, F, Fut>(&self, targets: Vec<Target>, failed: Vec<Error>, work: F) -> Gathered<T>
    where
        F: Fn(Target) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let limits = self.fast(Limits::changes(self.settings.number(Opt::Jobs), None));
        gather(targets, failed, limits, work).await
    }
}

async fn gather<T, F, Fut>(targets: Vec<Target>, mut failed: Vec<Error>, limits: Limits, work: F) -> Gathered<T>
where
    F: Fn(Target) -> Fut,
    Fut: Future<Output = Result<T>>,
{
    let mut done = Vec::new();
    for (target, outcome) in fanout::each(targets, limits, work).await {
        match outcome {
            Ok(value) => done.push((target, value)),
            Err(error) => failed.push(error.at(target.provider.driver().id, &*target.full)),
        }
    }
    Gathered { done, failed }
}
