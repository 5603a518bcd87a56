//! How programs ended, as an exit status (ux 3.2).

use crate::cli::Outcome;
use crate::config::duration;
use crate::error::{Error, Result};
use crate::model::ExecResult;
use crate::provider::exec::{Exit, Remote};
use std::time::Duration;

/// How attending a program ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The program ended, or was left on purpose.
    Exit(Exit),
    /// It was killed because another one failed.
    Stopped,
}

impl Ended {
    /// What the document of `-o json` says of it, but for the output.
    pub(super) fn result(&self, run: Option<String>, took: Duration) -> ExecResult {
        let exit = match self {
            Self::Exit(exit) => Some(exit),
            Self::Stopped => None,
        };
        ExecResult {
            exit_code: exit.filter(|exit| !matches!(exit, Exit::Detached(_))).map(Exit::code),
            signal: match exit {
                Some(Exit::Signal(signal)) => Some(*signal),
                _ => None,
            },
            operation_id: run,
            duration_seconds: took.as_secs_f64(),
            ..ExecResult::default()
        }
    }
}

/// The status of a program that ran; one that did not, or not to its end, is an error that carries its status.
pub(super) fn status(exit: &Exit, program: &str, timeout: Option<Duration>) -> Result<u8> {
    match exit {
        Exit::NotFound(why) => Err(Error::not_found(why.clone()).status(exit.code())),
        Exit::NotRunnable(why) => Err(Error::failure(why.clone()).status(exit.code())),
        Exit::TimedOut(left) => {
            let limit = timeout.map_or_else(String::new, |limit| format!(" after {}", duration::show(limit)));
            let error = Error::timeout(format!("`{program}` timed out{limit} (--timeout)")).status(exit.code());
            Err(match left {
                Remote::Gone => error,
                Remote::Running => error.cause("something that it started still runs over there"),
                Remote::Unknown => error.cause("it may still run over there: nobody said that it ended"),
            })
        }
        exit => Ok(exit.code()),
    }
}

/// What became of one of several targets.
#[derive(Debug)]
pub(super) enum Fate {
    /// The program ended with this status.
    Status(u8),
    /// It failed, with the status that its error carries or else one of ours.
    Failed(Error),
    /// It was killed or not started because another one failed.
    Stopped,
}

impl Fate {
    fn status(&self) -> Option<u8> {
        match self {
            Self::Status(status) => Some(*status),
            Self::Failed(error) => Some(error.parts().status.unwrap_or(125)),
            Self::Stopped => None,
        }
    }
}

/// One status for all: 0 if all are 0, the common one, 125 if any failure is ours, else 123.
pub(super) fn several(fates: Vec<Fate>) -> anyhow::Result<Outcome> {
    let mut statuses: Vec<u8> = fates.iter().filter_map(Fate::status).collect();
    statuses.sort_unstable();
    statuses.dedup();
    let status = match statuses.as_slice() {
        [] => 0,
        [one] => *one,
        many if many.contains(&125) => 125,
        _ => 123,
    };
    let total = fates.len();
    let mut errors: Vec<Error> = fates
        .into_iter()
        .filter_map(|fate| match fate {
            Fate::Failed(error) => Some(error),
            Fate::Status(_) | Fate::Stopped => None,
        })
        .collect();
    // Whoever was interrupted wants to be told that, and by the signal.
    if let Some(at) = errors.iter().position(|error| error.kind() == crate::error::ErrorKind::Interrupted) {
        return Err(errors.swap_remove(at).into());
    }
    if errors.is_empty() {
        return Ok(Outcome::Status(status));
    }
    let done = total - errors.len();
    Err(Error::several("targets", errors, done).status(status).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(fates: Vec<Fate>) -> u8 {
        match several(fates) {
            Ok(outcome) => outcome.status(),
            Err(error) => error.downcast_ref::<Error>().unwrap().parts().status.unwrap(),
        }
    }

    #[test]
    fn several_statuses_become_one() {
        use Fate::{Failed, Status, Stopped};
        let missing = || Failed(Error::not_found("no executable `x`").status(127));
        assert_eq!(code(vec![Status(0), Status(0)]), 0);
        assert_eq!(code(vec![Status(3), Status(3)]), 3);
        assert_eq!(code(vec![Status(0), Status(3)]), 123);
        assert_eq!(code(vec![Status(1), missing()]), 123);
        assert_eq!(code(vec![missing(), missing()]), 127);
        assert_eq!(code(vec![Status(0), Failed(Error::unreachable("no"))]), 125);
        assert_eq!(code(vec![Status(3), Stopped]), 3);
    }

    #[test]
    fn what_did_not_run_to_its_end_is_an_error_with_its_own_status() {
        let of = |exit: Exit| status(&exit, "x", None).map_err(|error| error.parts().status);
        assert_eq!(of(Exit::Code(7)), Ok(7));
        assert_eq!(of(Exit::Signal(9)), Ok(137));
        assert_eq!(of(Exit::NotFound("no `x`".into())), Err(Some(127)));
        assert_eq!(of(Exit::NotRunnable("no".into())), Err(Some(126)));
        assert_eq!(of(Exit::TimedOut(Remote::Unknown)), Err(Some(124)));
    }
}
