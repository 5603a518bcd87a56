//! The agents as a part of the playground: programs on its `PATH`, and the model that they talk to.

use super::Dialect;
use super::server::Server;
use crate::error::{Error, Result};
use crate::playground::fault::Faulty;
use crate::playground::{Room, Simulator, Started};
use crate::transport::nonce;
use crate::transport::server::{Handler, Listener, serve};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

/// The row of pi and omp.
pub const PI: Simulator = Simulator {
    id: "pi",
    summary: "the coding agents pi and omp, with a model that is a script",
    faults: &[],
    // The key of the playground would not be the one that they take.
    hides: &["ANTHROPIC_OAUTH_TOKEN", "ANTHROPIC_AUTH_TOKEN"],
    examples: &[
        ("esker agent run 'run uname -a'", "an agent that uses a tool"),
        ("esker agent run --approve ask 'write hello.txt hi'", "one that asks first"),
        ("esker agent session list", "what is kept of it"),
    ],
    start: |room| Box::pin(start(room)),
};

async fn start(room: Room) -> Result<Started> {
    let listener = Listener::tcp(0).await?;
    let port = listener.port().expect("it listens on TCP");
    let key = format!("sk-playground-{}", nonce());
    for (name, dialect) in [("pi", Dialect::New), ("omp", Dialect::Omp)] {
        program(&room.bin, name, dialect, port)?;
    }
    let model: Arc<dyn Handler> = Arc::new(Faulty::new(Arc::new(Server { key: key.clone() }), room.faults));
    Ok(Started {
        variables: vec![("ANTHROPIC_API_KEY", key)],
        target: "pi".to_owned(),
        serve: Box::pin(serve(listener, model)),
    })
}

/// A program that plays `dialect`: this one, told where its model is.
fn program(bin: &Path, name: &str, dialect: Dialect, port: u16) -> Result<()> {
    let cannot = |error| Error::failure(format!("cannot make the program `{name}`")).source(error);
    let script = format!(
        "#!/bin/sh\nexec \"$(dirname \"$0\")/esker\" simulate-pi --build {} --model-url http://127.0.0.1:{port}/v1 -- \"$@\"\n",
        dialect.version()
    );
    let path = bin.join(name);
    fs::write(&path, script).map_err(cannot)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(cannot)
}
