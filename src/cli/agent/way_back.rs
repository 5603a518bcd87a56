//! The way back to the state that a target had before an agent worked in it: a checkpoint, and what leads back to it.

use super::run::Transcript;
use crate::context::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{CheckpointId, RemotePath};
use crate::operation::{Operation, Step};
use crate::provider::Feature;
use crate::provider::checkpoints::{CheckpointSpec, Checkpoints, Expiry, RestoreTo};
use crate::provider::exec::Exit;
use crate::provider::feature::capability;
use crate::provider::over_exec::{output, sh};
use crate::resolve::Target;
use crate::signal::interrupted;
use clap::ValueEnum;
use futures_util::StreamExt as _;
use schemars::JsonSchema;
use serde::Serialize;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often what shows that something goes on moves.
const TICK: Duration = Duration::from_millis(100);

/// Leaves a mark, and says where. What is restored has it no more.
const MARK: &str = "mark=${HOME:-/tmp}/.esker-mark-$$ && : >\"$mark\" && echo \"$mark\"";

/// Whether that mark is gone.
const GONE: &str = "test ! -e \"$1\"";

/// What a run may come to so that its target goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    /// Any exit status but 0
    Failure,
    /// A limit is used up
    Limit,
    /// Something was denied, or stayed unanswered
    Denied,
    /// A signal ended it
    Interrupted,
}

impl When {
    fn fits(self, error: &Error) -> bool {
        match self {
            Self::Failure => true,
            Self::Limit => error.kind() == ErrorKind::Limit,
            Self::Denied => error.kind() == ErrorKind::Forbidden,
            Self::Interrupted => error.kind() == ErrorKind::Interrupted,
        }
    }
}

/// The checkpoint of a run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Kept {
    /// Its id.
    pub id: String,
    /// The target that it is of.
    pub of: String,
    /// Whether the target has gone back to it.
    pub restored: bool,
    /// Where transcript and session of a run were copied whose target has gone back.
    pub saved: Option<String>,
}

/// Makes a checkpoint of a target.
pub(super) async fn checkpoint(ctx: &Ctx, place: &Target) -> Result<CheckpointId> {
    let making = async {
        let spec = CheckpointSpec { comment: Some("before an agent".to_owned()), expiry: Expiry::Provider };
        let operation = checkpoints(place)?.create(spec).await?;
        see(ctx, &format!("create a checkpoint of `{}`", place.full), operation).await
    };
    let made = making.await.map_err(|error| error.at(place.provider.driver().id, &*place.full))?;
    ctx.out.done(&format!("created checkpoint `{}` of `{}`", made.id, place.full));
    Ok(made.id)
}

fn checkpoints(place: &Target) -> Result<&dyn Checkpoints> {
    capability(&*place.place, |place| place.checkpoints(), Feature::Checkpoints, "--checkpoint")
}

/// Sees an operation through. Only a signal ends it early, and then it goes on over there.
async fn see<T: Send + 'static>(ctx: &Ctx, what: &str, mut operation: Operation<T>) -> Result<T> {
    let mut signals = ctx.signals.listen().await?;
    let progress = ctx.out.progress(what);
    let done = loop {
        tokio::select! {
            step = operation.next() => match step {
                Ok(Step::Done(value)) => break Ok(value),
                Ok(Step::Progress(step)) => progress.step(&step),
                Ok(Step::Message(message)) => progress.label(&message.text),
                Ok(Step::Note(note)) => ctx.out.show(&note),
                Err(error) => break Err(error),
            },
            signal = signals.next() => break Err(interrupted(&signal, format!("stopped waiting to {what}"))),
            () = tokio::time::sleep(TICK) => progress.tick(),
        }
    };
    progress.finish();
    done
}

/// The way back of one run.
pub(super) struct WayBack<'a> {
    ctx: &'a Ctx,
    place: &'a Target,
    checkpoint: CheckpointId,
    on: Vec<When>,
    /// Where what the agent did is kept, if it may have to be.
    saved: Option<PathBuf>,
}

impl<'a> WayBack<'a> {
    /// Makes the checkpoint.
    pub(super) async fn prepare(ctx: &'a Ctx, place: &'a Target, on: Vec<When>) -> Result<Self> {
        let saved = if on.is_empty() { None } else { Some(folder(ctx)?) };
        let checkpoint = checkpoint(ctx, place).await?;
        Ok(Self { ctx, place, checkpoint, on, saved })
    }

    /// Where what happens is to be written down.
    pub(super) fn transcript(&self) -> Result<Option<Transcript>> {
        self.saved.as_ref().map(|dir| Transcript::create(&dir.join("transcript.jsonl"))).transpose()
    }

    /// Goes back if the run came to something that wants it. The agent has ended by now. Returns what the run comes to
    /// with that.
    pub(super) async fn after(self, error: Option<Error>, session: Option<&str>) -> (Option<Error>, Kept) {
        let (id, of) = (self.checkpoint.to_string(), self.place.full.clone());
        let mut kept = Kept { id: id.clone(), of: of.clone(), restored: false, saved: None };
        let is_wanted = |error: &Error| self.on.iter().any(|when| when.fits(error));
        let Some(cause) = error.as_ref().filter(|error| is_wanted(error)) else {
            if let Some(dir) = &self.saved {
                // Nobody will look for it.
                let _ = std::fs::remove_dir_all(dir);
            }
            return (error, kept);
        };
        kept.saved = self.saved.as_ref().map(|dir| dir.display().to_string());
        if let Some(path) = session {
            self.save(path).await;
        }
        match self.go_back().await {
            Ok(()) => {
                kept.restored = true;
                let saved = kept.saved.as_deref().unwrap_or_default();
                self.ctx.out.done(&format!("restored `{id}` on `{of}`; what the agent did is in `{saved}`"));
                (error, kept)
            }
            Err(failed) => {
                let failure = Error::failure(format!(
                    "cannot go back: checkpoint `{id}` of `{of}` holds the state before the run"
                ))
                .cause(failed.to_string());
                let failure = failed.parts().causes.iter().fold(failure, |failure, cause| failure.cause(cause.clone()));
                let failure = failure
                    .cause(format!("the run itself: {cause}"))
                    .hint(format!("`esker checkpoint restore {id} --target {of}` tries again"));
                (Some(failure.at(self.place.provider.driver().id, of)), kept)
            }
        }
    }

    /// Copies the agent's own file of the session out of the target. What cannot be had does not hold up the rest.
    async fn save(&self, path: &str) {
        let Some(dir) = &self.saved else { return };
        let copied = async {
            let files = capability(&*self.place.place, |place| place.files(), Feature::Files, "--rollback-on")?;
            let mut body = files.read(&RemotePath::new(path), None).await?.body;
            let cannot = |error| Error::failure("cannot write the copy").source(error);
            let mut file = std::fs::File::create(dir.join("session.jsonl")).map_err(cannot)?;
            while let Some(bytes) = body.next().await.transpose()? {
                file.write_all(&bytes).map_err(cannot)?;
            }
            Ok::<_, Error>(())
        };
        match copied.await {
            Ok(()) => {}
            // One that never got an answer has no file (section 3 of the agent's reference).
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => self.ctx.out.warn(&format!("cannot copy the session `{path}` out: {error}")),
        }
    }

    /// Restores the checkpoint, and sees that it was restored: a mark that is left before is gone after.
    async fn go_back(&self) -> Result<()> {
        let exec = capability(&*self.place.place, |place| place.exec(), Feature::Exec, "--rollback-on")?;
        let marked = output(exec, sh(MARK, &[]), None).await?;
        let mark = marked.stdout.trim_ascii_end().to_vec();
        if marked.exit != Exit::Code(0) {
            return Err(Error::failure("no mark could be left in the target, by which a restore shows")
                .cause(String::from_utf8_lossy(&marked.stderr).trim().to_owned()));
        }
        let operation = checkpoints(self.place)?.restore(&self.checkpoint, RestoreTo::InPlace).await?;
        see(self.ctx, &format!("restore `{}` of `{}`", self.checkpoint, self.place.full), operation).await?;
        let gone = output(exec, sh(GONE, &[&mark]), None).await?;
        match gone.exit {
            Exit::Code(0) => Ok(()),
            _ => Err(Error::failure("the target says that it was restored, and what was made since is still there")),
        }
    }
}

/// A new folder that only we read.
fn folder(ctx: &Ctx) -> Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt as _;
    let state =
        ctx.dirs.state.as_deref().ok_or_else(|| {
            Error::config("there is no place for what the agent does").hint("set HOME or XDG_STATE_HOME")
        })?;
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let dir = state.join("agents/gone-back").join(format!("{}-{:x}", since.as_secs(), std::process::id()));
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir);
    made.map_err(|error| cannot(&dir, &error))?;
    Ok(dir)
}

fn cannot(path: &Path, error: &std::io::Error) -> Error {
    Error::failure(format!("cannot write `{}`: {}", path.display(), crate::config::reason(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_what_it_is_called() {
        let errors = [
            Error::failure("x"),
            Error::limit("x"),
            Error::forbidden("x"),
            Error::interrupted("x"),
            Error::timeout("x"),
        ];
        let fits = |when: When| errors.iter().map(|error| when.fits(error)).collect::<Vec<_>>();
        assert_eq!(fits(When::Failure), [true; 5]);
        assert_eq!(fits(When::Limit), [false, true, false, false, false]);
        assert_eq!(fits(When::Denied), [false, false, true, false, false]);
        assert_eq!(fits(When::Interrupted), [false, false, false, true, false]);
    }
}
