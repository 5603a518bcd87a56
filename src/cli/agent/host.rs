//! Where an agent runs: here, or in a target.

use crate::context::Ctx;
use crate::error::Result;
use crate::model::RemotePath;
use crate::provider::agent::{Agent, Session, SessionSpec};
use crate::provider::feature::capability;
use crate::provider::local::LocalExec;
use crate::provider::{Feature, require};
use crate::resolve::Target;
use clap::Args;
use serde::{Deserialize, Serialize};

const ELSEWHERE: &str = "Elsewhere";

// Where an agent runs. Passed on to whoever holds a session.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
pub struct HostArgs {
    /// Target that it runs in, instead of this machine
    #[arg(long = "in", value_name = "TARGET", help_heading = ELSEWHERE,
        conflicts_with_all = ["share_login", "ephemeral"])]
    inside: Option<String>,
    /// Install it there with npm if it is missing
    #[arg(long, value_name = "VERSION", help_heading = ELSEWHERE, num_args = 0..=1, require_equals = true,
        default_missing_value = "", requires = "inside")]
    install: Option<String>,
    /// Make a checkpoint of that target first
    #[arg(long, help_heading = ELSEWHERE, requires = "inside")]
    pub(super) checkpoint: bool,
}

impl HostArgs {
    /// The target that is another machine. Nothing is connected.
    pub(super) fn place(&self, ctx: &Ctx) -> Result<Option<Target>> {
        let Some(inside) = &self.inside else { return Ok(None) };
        let place = ctx.resolver.one(inside)?;
        require(&*place.place, &(Feature::AgentHost, "--in"))?;
        if self.checkpoint {
            require(&*place.place, &(Feature::Checkpoints, "--checkpoint"))?;
        }
        Ok(Some(place))
    }
}

/// Where an agent runs.
pub(super) enum Host {
    /// Here.
    Here(LocalExec),
    /// In that target.
    There { place: Box<Target>, install: Option<String> },
}

impl Host {
    /// This machine, for one session, which ends with all that it started.
    pub(super) fn here() -> Self {
        Self::Here(LocalExec::confined())
    }

    /// The one that the flags name. Nothing is connected.
    pub(super) fn find(ctx: &Ctx, args: &HostArgs) -> Result<Self> {
        Ok(match args.place(ctx)? {
            Some(place) => Self::There { place: Box::new(place), install: args.install.clone() },
            None => Self::here(),
        })
    }

    /// The target, if it is another machine.
    pub(super) fn place(&self) -> Option<&Target> {
        match self {
            Self::Here(_) => None,
            Self::There { place, .. } => Some(place),
        }
    }

    /// Opens a session in it.
    pub(super) async fn open(&self, agent: &dyn Agent, mut spec: SessionSpec) -> Result<Session> {
        let (place, install) = match self {
            Self::Here(exec) => return agent.open(spec, exec).await,
            Self::There { place, install } => (place, install.as_deref()),
        };
        let exec = capability(&*place.place, |place| place.exec(), Feature::AgentHost, "--in")?;
        spec.dir = spec.dir.or_else(|| place.defaults.workdir.as_deref().map(RemotePath::new));
        let defaults = place.defaults.env.iter().map(|(name, value)| (name.clone(), value.clone()));
        spec.env.splice(..0, defaults);
        let opened = agent.open_there(spec, exec, install).await;
        opened.map_err(|error| error.at(place.provider.driver().id, &*place.full))
    }
}
