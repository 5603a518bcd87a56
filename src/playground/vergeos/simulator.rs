//! The row of this simulator, and its start.

use super::control::Control;
use super::route::Api;
use super::world::World;
use super::{certificate, random, seed};
use crate::error::{Error, Result};
use crate::playground::fault::{Faulty, Kind, Takes};
use crate::playground::{Room, Simulator, Started};
use crate::transport::server::{Handler, Listener, serve};
use std::fs;
use std::sync::Arc;
use std::time::Duration;

/// How long a machine takes to start or to stop.
const PACE: Duration = Duration::from_millis(300);

/// What this simulator can do wrong, beside the faults of every server.
const KINDS: &[Kind] = &[
    Kind { name: "deaf", takes: Takes::Nothing, about: "from here on, let guests ignore being asked to shut down" },
    Kind {
        name: "slow",
        takes: Takes::Seconds(5),
        about: "from here on, let machines take so long to start and to stop",
    },
    Kind {
        name: "lost",
        takes: Takes::Nothing,
        about: "do what was asked for, and reset the connection instead of answering",
    },
    Kind { name: "html", takes: Takes::Nothing, about: "answer 502 with a page, as a proxy does" },
];

/// A simulator of VergeOS.
pub const VERGEOS: Simulator = Simulator {
    id: "vergeos",
    summary: "virtual machines, networks, tenants and everything around them",
    faults: KINDS,
    hides: &["VERGE_TOKEN", "VERGE_API_KEY", "VERGE_VERIFY_SSL", "VERGE_TIMEOUT", "VERGE_PROFILE", "VERGE_OUTPUT"],
    examples: &[
        ("esker vm list --target vergeos", "the virtual machines"),
        ("esker vm show vergeos/web01", "one of them, with its drives and NICs"),
        ("esker vm start vergeos/build01", "start one, and wait until it runs"),
    ],
    start: |room| Box::pin(start(room)),
};

async fn start(room: Room) -> Result<Started> {
    let identity = certificate::make()?;
    let listener = Listener::tls(0, &identity).await?;
    let port = listener.port().expect("it listens on TCP");
    let ca_file = room.dir.join("ca.pem");
    let contents = room.dir.join("files");
    let cannot = |error| Error::failure("cannot fill the simulator's directory").source(error);
    fs::write(&ca_file, certificate::pem(&identity)).map_err(cannot)?;
    fs::create_dir(&contents).map_err(cannot)?;
    let password = random::hex(12);
    let mut world = World::new(contents, PACE);
    seed::found(&mut world, &password);
    if room.seed_demo {
        seed::fill(&mut world).map_err(cannot)?;
    }
    let api = Control::new(Api::new(world, room.faults.clone()));
    let api: Arc<dyn Handler> = Arc::new(Faulty::new(Arc::new(api), room.faults));
    Ok(Started {
        variables: vec![
            ("VERGE_HOST", format!("127.0.0.1:{port}")),
            ("VERGE_USERNAME", seed::ADMIN.to_owned()),
            ("VERGE_PASSWORD", password),
            ("VERGE_CA_FILE", ca_file.display().to_string()),
        ],
        target: "vergeos".to_owned(),
        serve: Box::pin(serve(listener, api)),
    })
}
