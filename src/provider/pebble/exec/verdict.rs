//! What a change says about how its program ended (section 3.3).

use super::super::client::Client;
use crate::error::{Effect, Error, Result, Wire};
use crate::model::{Change, Task};
use crate::provider::exec::{Exit, Remote};

/// The task that runs the program, in a change that is one.
pub(in super::super) fn exec_task(change: &Change) -> Option<&Task> {
    change.tasks.iter().find(|task| task.kind == "exec")
}

/// How the program of a change that is ready ended. Without an exit code nobody knows: that is an error, never 0.
///
/// A code above 128 may be the program's own or stand for a signal; the daemon does not say which, so it stays a code.
pub(in super::super) fn verdict(client: &Client, change: &Change, program: &str) -> Result<Exit> {
    let code = exec_task(change).and_then(|task| task.exit_code);
    let why = change.error.as_deref().map(reason);
    match (why, code.map(u8::try_from)) {
        (None, Some(Ok(code))) => Ok(Exit::Code(code)),
        (Some(why), _) if why.contains("timed out after") => Ok(Exit::TimedOut(Remote::Gone)),
        (Some(why), _) if why.contains("fork/exec") && why.contains("no such file") => {
            Ok(Exit::NotFound(format!("cannot run `{program}`: its interpreter does not exist")))
        }
        (Some(why), _) if why.contains("exec format error") => {
            Ok(Exit::NotRunnable(format!("cannot run `{program}`: not a program of that system (exec format error)")))
        }
        (Some(why), _) if why.contains("fork/exec") && why.contains("permission denied") => {
            Ok(Exit::NotRunnable(format!("cannot run `{program}`: permission denied")))
        }
        (Some(why), _) => Err(sign(Error::failure(client.cannot(&format!("run `{program}`"), &why)), client, change)),
        (None, _) => {
            let why = "the daemon has no exit status for it (was the daemon restarted meanwhile?)";
            let error = Error::failure(client.cannot(&format!("tell how `{program}` ended"), why));
            Err(sign(error.effect(Effect::Unknown), client, change))
        }
    }
}

fn sign(error: Error, client: &Client, change: &Change) -> Error {
    let log = change.tasks.iter().flat_map(|task| task.log.iter().cloned()).collect();
    error.at("pebble", client.endpoint.clone()).wire(Wire {
        operation_id: Some(change.id.clone()),
        message: change.error.clone(),
        log,
        ..Wire::default()
    })
}

/// The reason inside `cannot perform the following tasks:\n- Execute command "x" (REASON)`.
fn reason(error: &str) -> String {
    let line = error.lines().map(str::trim).rfind(|line| line.starts_with("- "));
    line.and_then(|line| line.split_once("\" (")?.1.strip_suffix(')')).unwrap_or(error).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_taken_out_of_the_list_of_tasks() {
        let error = "cannot perform the following tasks:\n- Execute command \"sleep\" (timed out after 500ms: context \
                     deadline exceeded)";
        assert_eq!(reason(error), "timed out after 500ms: context deadline exceeded");
        assert_eq!(reason("something else"), "something else");
    }
}
