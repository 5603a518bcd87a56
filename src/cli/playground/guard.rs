//! The half that the user started: it passes signals on, and ends as the other one does.

use crate::cli::Outcome;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::host::guard::Guard;
use crate::host::process::Exit;
use crate::provider::exec::Signal;

/// Watches the playground until it ends.
pub(super) async fn watch(ctx: &Ctx, guard: &Guard) -> Result<Outcome> {
    let mut signals = ctx.signals.relayed().await?;
    let mut ended = std::pin::pin!(guard.wait());
    loop {
        tokio::select! {
            exit = &mut ended => return match exit.map_err(Error::internal)? {
                Exit::Code(0) => Ok(Outcome::Done),
                Exit::Code(code) => Ok(Outcome::Status(code)),
                Exit::Signal(number) => {
                    let name = Signal::from_number(number).map_or_else(|| number.to_string(), |s| s.name().to_owned());
                    Err(Error::failure(format!("the playground was ended by {name}")))
                }
            },
            signal = signals.next() => guard.signal(&signal),
        }
    }
}
