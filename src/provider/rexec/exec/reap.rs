//! Ending a program whose terminal was lost: its number is in the directory of its script, which its word names.

use super::Quiet;
use crate::error::{Error, Result};
use crate::provider::exec::Exit;
use crate::provider::over_exec::{output, sh};
use crate::provider::rexec::spot::Spot;

/// Ends the program whose word is `$1`. Says `found` if there was one.
const REAP: &str = r#"for b in "${TMPDIR:-/tmp}" /tmp "$HOME" /dev/shm /var/tmp .; do
    d=$b/.esker-$1
    [ -r "$d/pid" ] && read -r p <"$d/pid" || continue
    kill -s TERM -- "-$p" 2>/dev/null || kill -s TERM "$p" 2>/dev/null && echo found
    n=0
    while kill -0 -- "-$p" 2>/dev/null && [ $n -lt 20 ]; do sleep 0.1 2>/dev/null || sleep 1; n=$((n + 1)); done
    kill -s KILL -- "-$p" 2>/dev/null
    rm -rf -- "$d"
    break
done
exit 0"#;

/// Ends it; whether there was something to end.
pub(super) async fn reap(spot: &Spot, nonce: &str) -> Result<bool> {
    spot.forget().await;
    let said = output(&Quiet(spot.clone()), sh(REAP, &[nonce.as_bytes()]), None).await?;
    match said.exit {
        Exit::Code(0) => Ok(said.stdout.starts_with(b"found")),
        _ => Err(Error::failure("the program that was to end another failed")),
    }
}
