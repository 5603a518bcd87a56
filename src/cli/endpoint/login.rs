//! `endpoint login`

use crate::cli::{Outcome, complete, edits};
use crate::config::Secret;
use crate::context::{Ctx, var};
use crate::error::{Error, Result};
use crate::fanout::bounded;
use crate::provider::feature::unsupported;
use crate::provider::{Driver, Feature, SignInBy, require};
use crate::resolve::{Address, Defaults};
use crate::settings::Opt;
use crate::signal;
use clap::Args;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// More than any secret is long.
const MAX_BYTES: u64 = 1 << 20;

#[derive(Args, Debug)]
#[command(after_help = "\
Asks on the terminal, without showing what is typed, unless a flag says where
to read. The secret is kept below the state directory in a file that only you
can read. Nothing is connected: `esker doctor` shows whether it works.

--from-fly gets a token of Sprites for one of Fly.io, which FLY_ACCESS_TOKEN,
FLY_API_TOKEN or the file of `fly auth login` holds. --session changes a password
for a session of VergeOS: the session is kept, and the password is not.

Examples:
  esker endpoint login prod
  esker endpoint login sprites --from-fly --org personal
  esker endpoint login rexec --guest
  esker endpoint login lab --session
  pass show prod | esker endpoint login prod --password-stdin
  esker endpoint login prod --token-file ~/token")]
pub struct EndpointLoginArgs {
    /// The endpoint
    #[arg(value_name = "NAME", add = complete::endpoints())]
    name: String,
    /// Read the password from stdin
    #[arg(long, conflicts_with = "token_file")]
    password_stdin: bool,
    /// Read a token from this file; `-` is stdin
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Change a password for a session, and keep the session alone
    #[arg(long, conflicts_with_all = ["token_file", "from_fly"])]
    session: bool,
    /// With --session: whose password it is, instead of the endpoint's `username`
    #[arg(long, value_name = "USER", requires = "session")]
    username: Option<String>,
    /// Have a token made for the one of Fly.io
    #[arg(long, conflicts_with_all = ["password_stdin", "token_file"])]
    from_fly: bool,
    /// Have a token made for a guest, who needs no account
    #[arg(long, conflicts_with_all = ["password_stdin", "token_file", "from_fly"])]
    guest: bool,
    /// With --guest: what the guest is called
    #[arg(long, value_name = "NAME", requires = "guest")]
    guest_name: Option<String>,
    /// With --from-fly: the organization that the token is for
    #[arg(long, value_name = "SLUG", requires = "from_fly")]
    org: Option<String>,
    /// With --from-fly: read an invite code from this file; `-` is stdin
    #[arg(long, value_name = "FILE", requires = "from_fly")]
    invite_code_file: Option<PathBuf>,
}

/// Stores a secret for an endpoint.
pub async fn run(ctx: &Ctx, args: EndpointLoginArgs) -> anyhow::Result<Outcome> {
    let (driver, endpoint) = ctx.resolver.endpoint(&args.name)?;
    let logins = super::logins(ctx)?;
    // Before anything is asked: an ad hoc endpoint has no name to keep a login under.
    logins.path(&args.name)?;
    let (what, secret) = match (&args.token_file, args.password_stdin) {
        (Some(path), _) => (takes(driver, "token")?, read(path)?),
        _ if args.session => session(ctx, driver, &args).await?,
        (None, true) => (takes(driver, "password")?, read(Path::new("-"))?),
        (None, false) if args.from_fly => from_fly(ctx, &args).await?,
        (None, false) if args.guest => as_guest(ctx, &args).await?,
        (None, false) => ask(ctx, driver, &args.name).await?,
    };
    logins.store(&args.name, &BTreeMap::from([(what.to_owned(), secret)]))?;
    ctx.out.done(&format!("stored the {what} of `{}` in `{}`", args.name, logins.path(&args.name)?.display()));
    if what == "password" && driver.keys.iter().any(|key| key.name == "username") && endpoint.text("username").is_none()
    {
        ctx.out.warn(&format!("endpoint `{0}` has no `username`, so its {what} is not used: set it with `esker endpoint add {0} --replace`", args.name));
    }
    for key in [format!("{what}_command"), format!("{what}_file")] {
        if endpoint.values.contains_key(&key) {
            ctx.out.warn(&format!("`{key}` of endpoint `{}` comes first, so this {what} is not used", args.name));
        }
    }
    edits::tell(ctx, &edits::changed(driver.id, &args.name, &args.name, "login", true))?;
    Ok(Outcome::Done)
}

/// Has the system make a token. Within `--timeout`; what it made after that is lost.
async fn from_fly(ctx: &Ctx, args: &EndpointLoginArgs) -> Result<(&'static str, Secret)> {
    let invite_code = args.invite_code_file.as_deref().map(read).transpose()?;
    let by = SignInBy::Fly { organization: args.org.clone(), invite_code };
    sign_in(ctx, &args.name, Feature::LoginFromFly, "endpoint login --from-fly", by).await
}

/// Has the system let a guest in.
async fn as_guest(ctx: &Ctx, args: &EndpointLoginArgs) -> Result<(&'static str, Secret)> {
    let by = SignInBy::Guest { username: args.guest_name.clone() };
    sign_in(ctx, &args.name, Feature::LoginAsGuest, "endpoint login --guest", by).await
}

async fn sign_in(ctx: &Ctx, name: &str, feature: Feature, asked: &str, by: SignInBy) -> Result<(&'static str, Secret)> {
    let address = Address { endpoint: name.to_owned(), name: None };
    let target = ctx.resolver.target(&address, &Defaults::default())?;
    require(&*target.place, &(feature, asked))?;
    let Some(door) = target.provider.sign_in() else {
        return Err(unsupported(target.provider.driver(), feature, asked));
    };
    bounded(door.sign_in(by, &var), ctx.settings.duration(Opt::Timeout)).await
}

/// Changes a password for a session.
async fn session(ctx: &Ctx, driver: &'static Driver, args: &EndpointLoginArgs) -> Result<(&'static str, Secret)> {
    let asked = "endpoint login --session";
    let address = Address { endpoint: args.name.clone(), name: None };
    let target = ctx.resolver.target(&address, &Defaults::default())?;
    require(&*target.place, &(Feature::LoginSession, asked))?;
    let Some(door) = target.provider.sign_in() else {
        return Err(unsupported(driver, Feature::LoginSession, asked));
    };
    let password = if args.password_stdin { read(Path::new("-"))? } else { ask(ctx, driver, &args.name).await?.1 };
    let by = SignInBy::Password { username: args.username.clone(), password };
    bounded(door.sign_in(by, &var), ctx.settings.duration(Opt::Timeout)).await
}

/// `what`, if endpoints of the provider have one.
fn takes(driver: &'static Driver, what: &'static str) -> Result<&'static str> {
    super::secrets(driver).find(|secret| *secret == what).ok_or_else(|| {
        let others: Vec<_> = super::secrets(driver).collect();
        let error = Error::unsupported(format!("`{}` has no {what}", driver.id));
        if others.is_empty() { error } else { error.hint(format!("it has a {}", others.join(", "))) }
    })
}

/// Asks on the terminal. A signal ends the wait, so that `main` can make the terminal show again what is typed.
async fn ask(ctx: &Ctx, driver: &'static Driver, name: &str) -> Result<(&'static str, Secret)> {
    let Some(what) = super::secrets(driver).next() else {
        return Err(Error::unsupported(format!("`{}` has no login", driver.id)));
    };
    let flag = if what == "password" { "--password-stdin" } else { "--token-file FILE" };
    let out = ctx.out.clone();
    let question = format!("{what} of `{name}`");
    let mut signals = ctx.signals.listen().await?;
    let answer = tokio::task::spawn_blocking(move || out.ask_secret(&question, flag));
    let secret = tokio::select! {
        answer = answer => answer.map_err(Error::internal)??,
        signal = signals.next() => return Err(signal::interrupted(&signal, "interrupted: nothing was stored")),
    };
    if secret.expose().is_empty() {
        return Err(Error::usage(format!("the {what} is empty")));
    }
    Ok((what, secret))
}

/// The one line that a file or stdin consists of.
fn read(path: &Path) -> Result<Secret> {
    let cannot = |why: &str| Error::config(format!("cannot read the secret from `{}`: {why}", path.display()));
    let mut text = String::new();
    let outcome = if path == Path::new("-") {
        std::io::stdin().take(MAX_BYTES).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text))
    };
    let text = Secret::new(text);
    outcome.map_err(|error| cannot(&crate::config::reason(&error)))?;
    match text.expose().trim_end_matches(['\r', '\n']) {
        "" => Err(cannot("it is empty")),
        line if line.contains('\n') => Err(cannot("it is more than one line")),
        line => Ok(Secret::new(line)),
    }
}
