//! The daemon as a part of the playground.

use super::{Setup, demo};
use crate::error::Result;
use crate::playground::{Room, Simulator, Started};

/// Its row in the table of simulators.
pub const SIMULATOR: Simulator = Simulator {
    id: "pebble",
    summary: "a Pebble daemon with services, checks and files",
    faults: &[],
    hides: &["PEBBLE_SOCKET", "PEBBLE_BASEURL"],
    examples: &[
        ("esker svc list", "services, and why one of them keeps failing"),
        ("esker svc logs web -f", "what a service writes"),
        ("esker svc check list", "checks, one of them down"),
        ("esker exec -- sh -c 'echo $0; exit 3'", "a program, with its own exit status"),
        ("esker files list :$PEBBLE/srv", "files, over the daemon"),
    ],
    start: |room| Box::pin(start(room)),
};

async fn start(room: Room) -> Result<Started> {
    let Room { dir, processes, faults, seed_demo, .. } = room;
    if seed_demo {
        demo::seed(&dir)?;
    }
    let mut setup = Setup::new(&dir, std::env::vars_os());
    setup.hold = false;
    setup.faults = Some(faults);
    let pebble = setup.start(processes).await?;
    let serve = async {
        pebble.run().await;
    };
    Ok(Started {
        variables: vec![("PEBBLE", dir.display().to_string())],
        target: "pebble".to_owned(),
        serve: Box::pin(serve),
    })
}
