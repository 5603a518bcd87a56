//! `endpoint`: where systems are reached and with which credential. Only logging in and out may talk to somebody.

pub mod add;
pub mod import;
pub mod list;
pub mod login;
pub mod logout;
pub mod remove;
pub mod show;

use super::tree::{Node, plain, talk};
use crate::config::{EndpointConfig, KeyKind, Logins};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::provider::Driver;

/// The commands.
pub(super) static TREE: &[Node] = &[
    plain!("list", list::EndpointListArgs, list::run, "List endpoints and where they are defined").alias("ls"),
    plain!("show", show::EndpointShowArgs, show::run, "Show one endpoint, without its secrets"),
    plain!("add", add::EndpointAddArgs, add::run, "Add an endpoint to your config"),
    plain!("remove", remove::EndpointRemoveArgs, remove::run, "Remove endpoints and their stored logins").alias("rm"),
    talk!("login", login::EndpointLoginArgs, login::run, "Store the password or token of an endpoint"),
    talk!("logout", logout::EndpointLogoutArgs, logout::run, "Forget the stored login of an endpoint"),
    plain!("import", import::EndpointImportArgs, import::run, "Take over what another client has set up"),
];

/// The stored logins.
fn logins(ctx: &Ctx) -> Result<Logins> {
    let state = ctx.dirs.state.as_deref();
    state
        .map(Logins::new)
        .ok_or_else(|| Error::config("there is no place for stored logins").hint("set HOME or XDG_STATE_HOME"))
}

/// The secrets that a provider's endpoints may have.
fn secrets(driver: &'static Driver) -> impl Iterator<Item = &'static str> {
    driver.keys.iter().filter(|key| key.kind == KeyKind::Secret).map(|key| key.name)
}

/// Where an endpoint's credential comes from, in the order in which places are asked (ux 10.5).
fn credential(ctx: &Ctx, driver: &'static Driver, endpoint: &EndpointConfig) -> Option<String> {
    let login = logins(ctx).ok().and_then(|logins| logins.load(&endpoint.name).ok().flatten());
    secrets(driver).find_map(|what| {
        let keys = [format!("{what}_command"), format!("{what}_file")];
        let key = keys.into_iter().find(|key| endpoint.values.contains_key(key));
        let login = || login.as_ref().filter(|login| login.secrets.contains_key(what)).map(|_| "login".to_owned());
        key.or_else(login).or_else(|| endpoint.secret(what).map(|_| "inline".to_owned()))
    })
}
