//! The row of this simulator, and its start.

use super::faults::KINDS;
use super::route::Api;
use super::seed;
use super::times::Options;
use super::world::World;
use crate::error::Result;
use crate::playground::fault::Faulty;
use crate::playground::{Room, Simulator, Started};
use crate::transport::server::{Handler, Listener, serve};
use std::sync::Arc;

/// A simulator of Rexec.
pub const REXEC: Simulator = Simulator {
    id: "rexec",
    summary: "containers behind a terminal, with files, port forwards and snippets",
    faults: KINDS,
    hides: &["REXEC_HOST"],
    examples: &[
        ("esker vm list --target rexec", "the containers"),
        ("esker exec --target rexec/box -- sh -c 'echo out; echo err >&2; exit 3'", "a true status over a terminal"),
        ("esker files list --target rexec/box", "the files of one"),
    ],
    start: |room| Box::pin(start(room)),
};

async fn start(room: Room) -> Result<Started> {
    let listener = Listener::tcp(0).await?;
    let port = listener.port().expect("it listens on TCP");
    let world = World::new(room.dir, room.processes, room.faults.clone(), Options::default());
    if room.seed_demo {
        seed::fill(&world).await?;
    }
    let target = if room.seed_demo { "rexec/box" } else { "rexec" };
    let token = world.token.clone();
    let api: Arc<dyn Handler> = Arc::new(Faulty::new(Arc::new(Api(world)), room.faults));
    Ok(Started {
        variables: vec![("REXEC_TOKEN", token), ("REXEC_URL", format!("http://127.0.0.1:{port}"))],
        target: target.to_owned(),
        serve: Box::pin(serve(listener, api)),
    })
}
