//! `endpoint import`

use crate::cli::{Outcome, edits};
use crate::config::Edit;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{At, Changed};
use crate::provider::registry;
use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::json;
use std::path::{Path, PathBuf};

/// The clients whose set-up can be taken over, and the provider that speaks to the same system.
const SOURCES: &[(&str, &str)] = &[("juju", "pebble"), ("sprite", "sprites"), ("rexec", "rexec"), ("vrg", "vergeos")];

/// The Pebble sockets of a Juju unit: those of its workloads as the charm sees them, and a workload's own.
const WORKLOADS: &str = "charm/containers";
const OWN: &str = "charm/container";
const SOCKET: &str = "pebble.socket";

#[derive(Args, Debug)]
#[command(after_help = "\
`juju` adds an endpoint for each Pebble of a Kubernetes unit: run it inside the
charm container or a workload container. What is there already is left alone.

Examples:
  esker endpoint import juju
  esker endpoint import juju -o json")]
pub struct EndpointImportArgs {
    /// The client whose set-up is taken over
    #[arg(value_name = "CLIENT", value_parser = PossibleValuesParser::new(SOURCES.iter().map(|(client, _)| *client)))]
    client: String,
    /// Look below this folder instead of /
    #[arg(long, value_name = "DIR", hide = true, default_value = "/")]
    root: PathBuf,
}

/// Adds what another client knows to the user's config.
pub fn run(ctx: &Ctx, args: EndpointImportArgs) -> anyhow::Result<Outcome> {
    let (client, provider) = SOURCES.iter().find(|(client, _)| *client == args.client).copied().unwrap_or_default();
    let built_in = ctx.resolver.registry().iter().find(|driver| driver.id == provider);
    if client != "juju" || built_in.is_none() {
        return Err(Error::unsupported(format!(
            "cannot import from `{client}`: the provider `{provider}` is not built in yet"
        ))
        .hint("`esker providers` shows those that are")
        .into());
    }
    let found = sockets(&args.root);
    if found.is_empty() {
        return Err(Error::not_found(format!("no Pebble of a Juju unit below `{}`", args.root.display()))
            .hint("run it inside the charm container or a workload container")
            .into());
    }
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for (name, socket) in &found {
        match import(ctx, name, socket) {
            Ok(row) => rows.push(row),
            Err(error) => failed.push(error),
        }
    }
    edits::tell_all(ctx, &rows)?;
    if failed.is_empty() { Ok(Outcome::Done) } else { Err(Error::several("endpoints", failed, rows.len()).into()) }
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

fn import(ctx: &Ctx, name: &str, socket: &Path) -> Result<At<Changed>> {
    let path = socket.display().to_string();
    let driver = registry::driver("pebble").ok_or_else(|| Error::internal("Pebble is not built in"))?;
    let known = ctx.config.endpoints.values().find(|endpoint| endpoint.text("socket") == Some(&path));
    if let Some(known) = known {
        ctx.out.done(&format!("nothing to do: endpoint `{}` is `{path}` already", known.name));
        return Ok(edits::changed(driver.id, &known.name, &known.name, "import", false));
    }
    super::add::name_is_free(ctx, name, driver)?;
    if ctx.config.endpoints.contains_key(name) {
        return Err(Error::conflict(format!("cannot import `{path}`: endpoint `{name}` exists already"))
            .hint(format!("run `esker endpoint add OTHER --provider pebble --set socket={path}`")));
    }
    let content = json!({"provider": driver.id, "socket": path});
    edits::apply(ctx, &[Edit::Put { section: "endpoints", name: name.to_owned(), content }])?;
    ctx.out.done(&format!("added endpoint `{name}`: `{path}`"));
    Ok(edits::changed(driver.id, name, name, "import", true))
}
