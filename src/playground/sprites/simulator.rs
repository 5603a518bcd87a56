//! The row of this simulator, and its start.

use super::faults::KINDS;
use super::route::Api;
use super::seed;
use super::sprite::uuid;
use super::times::Options;
use super::world::World;
use crate::error::Result;
use crate::playground::fault::Faulty;
use crate::playground::{Room, Simulator, Started};
use crate::transport::server::{Handler, Listener, serve};
use std::sync::Arc;

/// The organisation that it makes up.
const ORG: &str = "playground";

/// A simulator of Sprites.
pub const SPRITES: Simulator = Simulator {
    id: "sprites",
    summary: "sandboxes with sessions, checkpoints, files and services",
    faults: KINDS,
    hides: &["SPRITE_TOKEN", "SPRITE_API_TOKEN", "SPRITES_API_URL", "SPRITE_URL", "SPRITE_ORG", "FLY_ACCESS_TOKEN"],
    examples: &[
        ("esker vm list --target sprites", "the sandboxes"),
        ("esker exec --target sprites/dev -- uname -a", "run a program in one"),
        ("esker checkpoint list --target sprites/dev", "the states it can go back to"),
    ],
    start: |room| Box::pin(start(room)),
};

async fn start(room: Room) -> Result<Started> {
    let listener = Listener::tcp(0).await?;
    let port = listener.port().expect("it listens on TCP");
    let token = format!("{ORG}/{}/{}/{}", uuid(), uuid(), uuid().replace('-', ""));
    let fly_token = format!("fm2_{}", uuid().replace('-', ""));
    let faults = room.faults.clone();
    let world = World::new(room.dir, token.clone(), fly_token.clone(), room.processes, room.faults, Options::default());
    if room.seed_demo {
        seed::fill(&world).await?;
    }
    let target = if room.seed_demo { "sprites/dev" } else { "sprites" };
    let api: Arc<dyn Handler> = Arc::new(Faulty::new(Arc::new(Api(world)), faults));
    Ok(Started {
        variables: vec![
            ("SPRITES_TOKEN", token),
            ("SPRITES_ENDPOINT", format!("http://127.0.0.1:{port}")),
            ("FLY_API_TOKEN", fly_token),
        ],
        target: target.to_owned(),
        serve: Box::pin(serve(listener, api)),
    })
}
