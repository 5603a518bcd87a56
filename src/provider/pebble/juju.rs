//! The Pebbles of a Kubernetes unit of Juju: those of its workloads as the charm sees them, and a workload's own.

use crate::error::{Error, Result};
use crate::provider::import::{Imported, Importer, Places};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

const WORKLOADS: &str = "charm/containers";
const OWN: &str = "charm/container";
const SOCKET: &str = "pebble.socket";

pub(super) const IMPORTER: Importer = Importer { client: "juju", read };

fn read(places: &Places<'_>) -> Result<Vec<Result<Imported>>> {
    let found = sockets(places.root);
    if found.is_empty() {
        return Err(Error::not_found(format!("no Pebble of a Juju unit below `{}`", places.root.display()))
            .hint("run it inside the charm container or a workload container"));
    }
    let imported = |(name, socket): (String, PathBuf)| {
        let what = socket.display().to_string();
        let keys = Map::from_iter([("socket".to_owned(), Value::from(what.as_str()))]);
        Ok(Imported { name, what, keys, secret: None })
    };
    Ok(found.into_iter().map(imported).collect())
}

/// The sockets of a Juju unit, each with the name of its container, sorted.
fn sockets(root: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root.join(WORKLOADS)).into_iter().flatten().flatten() {
        found.push((entry.file_name().to_string_lossy().into_owned(), entry.path().join(SOCKET)));
    }
    found.push(("container".to_owned(), root.join(OWN).join(SOCKET)));
    found.retain(|(_, socket)| socket.exists());
    found.sort();
    found
}
