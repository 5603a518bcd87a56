//! Asking before something dangerous (ux 7).

use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::output::Danger;
use crate::signal;

impl Ctx {
    /// Asks, or takes a flag for the answer. A signal ends the wait: nothing was done then.
    pub async fn confirm(&self, danger: Danger) -> Result<()> {
        let out = self.out.clone();
        let mut signals = self.signals.listen().await?;
        let answer = tokio::task::spawn_blocking(move || out.confirm(&danger));
        tokio::select! {
            answer = answer => answer.map_err(Error::internal)?,
            signal = signals.next() => Err(signal::interrupted(&signal, "interrupted: nothing was done")),
        }
    }
}
