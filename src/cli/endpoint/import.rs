//! `endpoint import`

use crate::cli::{Outcome, edits};
use crate::config::Edit;
use crate::context::{Ctx, var};
use crate::error::{Error, Result};
use crate::model::{At, Changed};
use crate::provider::Driver;
use crate::provider::import::{Imported, Importer, Places};
use crate::provider::registry::DRIVERS;
use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(after_help = "\
`juju` adds an endpoint for each Pebble of a Kubernetes unit: run it inside the
charm container or a workload container. `sprite` takes over the logins of the
official client that stand in its file; a keyring cannot be read. `vrg` adds an
endpoint for each of its profiles. What is there already is left alone.

Examples:
  esker endpoint import juju
  esker endpoint import sprite -o json")]
pub struct EndpointImportArgs {
    /// The client whose set-up is taken over
    #[arg(value_name = "CLIENT", value_parser = PossibleValuesParser::new(clients()))]
    client: String,
    /// Look below this folder instead of /
    #[arg(long, value_name = "DIR", hide = true, default_value = "/")]
    root: PathBuf,
}

fn clients() -> Vec<&'static str> {
    DRIVERS.iter().flat_map(|driver| driver.imports).map(|import| import.client).collect()
}

/// Adds what another client knows to the user's config and logins.
pub fn run(ctx: &Ctx, args: EndpointImportArgs) -> anyhow::Result<Outcome> {
    let (driver, importer) = importer(ctx, &args.client)?;
    let home = var("HOME").map(PathBuf::from);
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for found in (importer.read)(&Places { root: &args.root, home: home.as_deref() })? {
        match found.and_then(|found| take_over(ctx, driver, found)) {
            Ok(row) => rows.push(row),
            Err(error) => failed.push(error),
        }
    }
    edits::tell_all(ctx, &rows)?;
    if failed.is_empty() { Ok(Outcome::Done) } else { Err(Error::several("endpoints", failed, rows.len()).into()) }
}

fn importer(ctx: &Ctx, client: &str) -> Result<(&'static Driver, &'static Importer)> {
    let known = ctx.resolver.registry().iter().flat_map(|driver| driver.imports.iter().map(|import| (*driver, import)));
    known.into_iter().find(|(_, import)| import.client == client).ok_or_else(|| {
        Error::usage(format!("there is no client `{client}` to import from")).hint("see `esker endpoint import --help`")
    })
}

fn take_over(ctx: &Ctx, driver: &'static Driver, found: Imported) -> Result<At<Changed>> {
    let Imported { name, what, keys, secret } = found;
    let is_same = |endpoint: &&crate::config::EndpointConfig| {
        endpoint.provider == driver.id && keys.iter().all(|(key, value)| endpoint.values.get(key) == Some(value))
    };
    let known = ctx.config.endpoints.values().filter(|_| !keys.is_empty()).find(is_same);
    let name = known.map_or(name, |known| known.name.clone());
    let is_new = known.is_none() && !keys.is_empty();
    if is_new {
        super::add::name_is_free(ctx, &name, driver)?;
        if ctx.config.endpoints.contains_key(&name) {
            let set: Vec<_> = keys.iter().map(|(key, value)| format!(" --set {key}={}", shown(value))).collect();
            return Err(Error::conflict(format!("cannot import `{what}`: endpoint `{name}` exists already"))
                .hint(format!("run `esker endpoint add OTHER --provider {}{}`", driver.id, set.concat())));
        }
        let mut content = keys;
        content.shift_insert(0, "provider".to_owned(), driver.id.into());
        edits::apply(ctx, &[Edit::Put { section: "endpoints", name: name.clone(), content: content.into() }])?;
    }
    let is_login = match &secret {
        None => false,
        Some((kind, secret)) => {
            let logins = super::logins(ctx)?;
            let stored = logins.load(&name)?;
            let is_same = stored.is_some_and(|login| login.secrets.get(*kind) == Some(secret));
            if !is_same {
                logins.store(&name, &BTreeMap::from([((*kind).to_owned(), secret.clone())]))?;
            }
            !is_same
        }
    };
    ctx.out.done(&match (is_new, is_login) {
        (true, false) => format!("added endpoint `{name}`: `{what}`"),
        (true, true) => format!("added endpoint `{name}` and its login: `{what}`"),
        (false, true) => format!("stored the login of endpoint `{name}`: `{what}`"),
        (false, false) => format!("nothing to do: endpoint `{name}` is `{what}` already"),
    });
    Ok(edits::changed(driver.id, &name, &name, "import", is_new || is_login))
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
