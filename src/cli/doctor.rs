//! `doctor`: whether esker can do its work here, and what to do where it cannot. Read-only.

mod here;
mod there;

use super::Outcome;
use super::args::Order;
use crate::context::Ctx;
use crate::error::Error;
use crate::model::Row;
use crate::output::{Cell, Column};
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

/// The exit status when a check failed.
pub(super) const FAILED: u8 = 1;

/// What one check found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Diagnosis {
    /// What was checked: `config`, `modes`, `variables`, `reach`, `access`, `features`, or what a provider looks for by
    /// itself; may grow.
    pub check: String,
    /// `pass`, `warn`, `fail` or `skip`.
    pub status: String,
    /// What was found.
    pub reason: String,
    /// One thing to do about it.
    pub fix: Option<String>,
    /// The provider it is about; null if it is about this machine.
    pub provider: Option<String>,
    /// The target it is about; null if it is about this machine.
    pub target: Option<String>,
}

impl Row for Diagnosis {
    const NOUN: &'static str = "checks";
    fn id(&self) -> String {
        match &self.target {
            Some(target) => format!("{}:{target}", self.check),
            None => self.check.clone(),
        }
    }
}

impl Diagnosis {
    pub(super) fn new(check: &str, status: &str, reason: impl Into<String>) -> Self {
        Self {
            check: check.to_owned(),
            status: status.to_owned(),
            reason: reason.into(),
            fix: None,
            provider: None,
            target: None,
        }
    }

    /// What an error says: its message with its causes, and its hint as the fix.
    pub(super) fn error(check: &str, status: &str, error: &Error) -> Self {
        let causes = error.parts().causes.iter().map(String::as_str);
        let reason: Vec<_> = std::iter::once(error.parts().message.as_str()).chain(causes).collect();
        Self { fix: error.parts().hint.clone(), ..Self::new(check, status, reason.join(": ")) }
    }

    pub(super) fn fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }

    pub(super) fn at(self, provider: Option<&str>, target: &str) -> Self {
        Self { provider: provider.map(str::to_owned), target: Some(target.to_owned()), ..self }
    }
}

pub(super) const COLUMNS: &[Column<Diagnosis>] = &[
    Column::new("CHECK", "check", |d: &Diagnosis| Cell::text(&d.check)),
    Column::new("TARGET", "target", |d: &Diagnosis| Cell::maybe(d.target.as_deref())),
    Column::new("STATUS", "status", |d: &Diagnosis| Cell::state(&d.status)),
    Column::new("REASON", "reason", |d: &Diagnosis| Cell::text(&d.reason)).elastic(),
    Column::new("FIX", "fix", |d: &Diagnosis| Cell::maybe(d.fix.as_deref())).elastic(),
    Column::new("PROVIDER", "provider", |d: &Diagnosis| Cell::maybe(d.provider.as_deref())).wide(),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Looks at the configuration, and at every endpoint that is configured or set by
variables, or at those of --target. Of a place inside an endpoint it runs a few
programs that leave nothing behind, which may wake it up. Nothing is changed.
Exits 1 if a check failed; a warning is no failure.

Examples:
  esker doctor
  esker doctor --target prod --timeout 3s
  esker doctor --target sprites/dev
  esker doctor -o json | jq '.[] | select(.status == \"fail\")'")]
pub struct DoctorArgs {
    #[command(flatten)]
    list: Order,
}

/// Runs every check.
pub async fn run(ctx: &Ctx, args: DoctorArgs) -> anyhow::Result<Outcome> {
    let mut found = here::examine(ctx);
    found.extend(there::examine(ctx).await);
    let failed = found.iter().any(|diagnosis| diagnosis.status == "fail");
    ctx.out.local_list(found, COLUMNS, &args.list.into())?;
    Ok(if failed { Outcome::Status(FAILED) } else { Outcome::Done })
}
