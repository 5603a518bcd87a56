//! Waiting until a sandbox can be used: what `POST` answers is a promise, `check` is the proof (section 2.2).

use super::SpritesMachines;
use super::convert::health;
use super::path;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::{Machine, MachineHealth, Name, Progress};
use crate::operation::Step;
use crate::stream::{self, Items};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long it may take.
const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// How often an unknown sandbox is looked for again: what was made a moment ago may not be known everywhere.
const UNKNOWN: u32 = 3;

/// What is said, then the sandbox as it is once it can be used.
pub(super) fn steps(machines: SpritesMachines, name: Name) -> Items<Step<Machine>> {
    enum Stage {
        Begun,
        Waiting,
        Over,
    }
    stream::unfold((machines, name, Stage::Begun), |(machines, name, stage)| async move {
        match stage {
            Stage::Begun => {
                let label = format!("waiting until sandbox `{name}` can be used");
                let step = Step::Progress(Progress { label, ..Progress::default() });
                Ok(Some((step, (machines, name, Stage::Waiting))))
            }
            Stage::Waiting => {
                let machine = wait(&machines, &name).await?;
                Ok(Some((Step::Done(machine), (machines, name, Stage::Over))))
            }
            Stage::Over => Ok(None),
        }
    })
}

async fn wait(machines: &SpritesMachines, name: &Name) -> Result<Machine> {
    let what = format!("use sandbox `{name}`");
    let begun = Instant::now();
    let mut pause = PAUSE.0;
    let mut unknown = 0;
    let last = loop {
        let checked: Result<MachineHealth> = machines.0.get(&what, &path(name, "/check")).await.map(health);
        let why = match checked {
            Ok(health) if health.healthy => return machines.get(name).await.map_err(done),
            Ok(health) => health.reason.unwrap_or(health.status),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                unknown += 1;
                if unknown >= UNKNOWN {
                    // An older server has no check: that it knows the sandbox must do.
                    return machines.get(name).await.map_err(done);
                }
                error.to_string()
            }
            Err(error) if matches!(error.kind(), ErrorKind::TryLater | ErrorKind::Unreachable) => error.to_string(),
            Err(error) => return Err(done(error)),
        };
        if begun.elapsed() + pause > PATIENCE {
            break why;
        }
        sleep(pause).await;
        pause = (pause * 3 / 2).min(PAUSE.1);
    };
    let late = Error::timeout(machines.0.cannot(&what, &format!("it is not ready after {PATIENCE:?}"))).cause(last);
    Err(done(late.hint("`esker vm health` shows how it is")))
}

/// What was asked for was done; only the proof is missing.
fn done(error: Error) -> Error {
    error.effect(Effect::Done)
}
