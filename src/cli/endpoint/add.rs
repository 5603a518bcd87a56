//! `endpoint add`

use crate::cli::{Outcome, edits};
use crate::config::{Edit, KeyKind, check_name};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::provider::Driver;
use crate::suggest::nearest;
use clap::Args;
use serde_json::{Map, Value};

/// The keys that endpoints of every provider may have.
const COMMON: &[(&str, KeyKind)] = &[("connect_timeout", KeyKind::Duration), ("request_timeout", KeyKind::Duration)];

#[derive(Args, Debug)]
#[command(after_help = "\
Keys depend on the provider; a wrong one is refused with the list of the right
ones. Paths are taken from the working directory. Passwords and tokens are not
given here: use `esker endpoint login NAME`, or a *_file or *_command key.

Examples:
  esker endpoint add prod --provider pebble --set socket=/run/app/.pebble.socket
  esker endpoint add far --provider pebble --set url=https://10.0.0.5:4000 --set ca_file=far.pem
  esker endpoint add far --provider pebble --set url=https://10.0.0.5:4000 \\
      --set username=ops --set 'password_command=pass show far' --replace")]
pub struct EndpointAddArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    /// The provider that speaks to it; `esker providers` shows all
    #[arg(long, value_name = "PROVIDER", add = crate::cli::complete::providers())]
    provider: String,
    /// A key and its value; repeat it for several
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Replace an endpoint of the same name
    #[arg(long)]
    replace: bool,
}

/// Writes an endpoint into the user's config.
pub fn run(ctx: &Ctx, args: EndpointAddArgs) -> anyhow::Result<Outcome> {
    let driver = driver(ctx, &args.provider)?;
    name_is_free(ctx, &args.name, driver)?;
    let mut content = Map::from_iter([("provider".to_owned(), Value::from(driver.id))]);
    for pair in &args.set {
        let (key, value) = setting(driver, pair)?;
        content.insert(key.to_owned(), value);
    }
    let existing = ctx.config.endpoints.get(&args.name);
    if existing.is_some() && !args.replace {
        return Err(Error::conflict(format!("endpoint `{}` exists already", args.name)).hint("pass --replace").into());
    }
    edits::apply(ctx, &[Edit::Put { section: "endpoints", name: args.name.clone(), content: Value::Object(content) }])?;
    let verb = if existing.is_some() { "replaced" } else { "added" };
    ctx.out.done(&format!("{verb} endpoint `{}` of `{}`", args.name, driver.id));
    edits::tell(ctx, &edits::changed(driver.id, &args.name, &args.name, "add", true))?;
    Ok(Outcome::Done)
}

/// The provider called `id`.
fn driver(ctx: &Ctx, id: &str) -> Result<&'static Driver> {
    let registry = ctx.resolver.registry();
    registry.iter().find(|driver| driver.id == id).copied().ok_or_else(|| {
        let ids: Vec<_> = registry.iter().map(|driver| driver.id).collect();
        Error::usage(format!("unknown provider `{id}`")).hint(match nearest(id, ids.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("providers are {}", ids.join(", ")),
        })
    })
}

/// Short names and endpoints share one namespace, and an implicit name stays with its provider (ux 1.3).
pub(super) fn name_is_free(ctx: &Ctx, name: &str, driver: &'static Driver) -> Result<()> {
    check_name(name).map_err(|why| Error::usage(format!("cannot add endpoint `{name}`: {why}")))?;
    if ctx.config.targets.contains_key(name) {
        return Err(Error::conflict(format!("`{name}` is a short name already")).hint("choose another name"));
    }
    let implicit = ctx.resolver.registry().iter().find(|driver| driver.id == name);
    if implicit.is_some_and(|implicit| implicit.id != driver.id) {
        return Err(Error::conflict(format!("`{name}` is the endpoint of that provider")).hint("choose another name"));
    }
    Ok(())
}

/// One `KEY=VALUE`, checked against what the provider knows.
fn setting<'a>(driver: &'static Driver, pair: &'a str) -> Result<(&'a str, Value)> {
    let Some((key, text)) = pair.split_once('=') else {
        return Err(Error::usage(format!("`--set {pair}` sets nothing")).hint("write it as --set KEY=VALUE"));
    };
    let own = driver.keys.iter().map(|key| (key.name, key.kind));
    let mut known = COMMON.iter().copied().chain(own);
    let Some((_, kind)) = known.clone().find(|(name, _)| *name == key) else {
        let names: Vec<_> = known.by_ref().map(|(name, _)| name).collect();
        let error = Error::usage(format!("unknown key `{key}` of provider `{}`", driver.id));
        return Err(error.hint(match nearest(key, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known keys are {}", names.join(", ")),
        }));
    };
    if kind == KeyKind::Secret {
        // The value is not repeated: it may be the secret.
        return Err(Error::usage(format!("`{key}` is a secret, which no flag takes: others could read it in `ps`"))
            .hint(format!("use `esker endpoint login NAME`, or set `{key}_file` or `{key}_command`")));
    }
    let value = kind.parse(text).map_err(|why| Error::usage(format!("invalid value of `{key}`: {why}")))?;
    if kind == KeyKind::Path && !text.starts_with('~') {
        // In the file a relative path would start at the file's folder, which is not what was typed.
        let path =
            std::path::absolute(text).map_err(|error| Error::usage(format!("invalid value of `{key}`: {error}")))?;
        return Ok((key, path.display().to_string().into()));
    }
    Ok((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::pebble::DRIVER;
    use serde_json::json;

    #[test]
    fn values_are_read_as_their_key_wants_them() {
        let set = |pair| setting(&DRIVER, pair).map(|(_, value)| value);
        assert_eq!(set("insecure=yes").unwrap(), json!(true));
        assert_eq!(set("password_command=pass show x").unwrap(), json!(["pass", "show", "x"]));
        assert_eq!(set(r#"password_command=["a b", "c"]"#).unwrap(), json!(["a b", "c"]));
        assert_eq!(set("ca_file=~/x.pem").unwrap(), json!("~/x.pem"));
        let here = std::env::current_dir().unwrap().join("x.pem");
        assert_eq!(set("ca_file=x.pem").unwrap(), json!(here.display().to_string()));
        assert_eq!(set("request_timeout=90s").unwrap(), json!("90s"));
    }

    #[test]
    fn what_no_key_takes_is_refused_and_a_secret_is_not_repeated() {
        let error = setting(&DRIVER, "scoket=/x").unwrap_err();
        assert_eq!(error.parts().hint.as_deref(), Some("did you mean `socket`?"));
        let error = setting(&DRIVER, "password=hunter2").unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        for pair in ["insecure=maybe", "url=nowhere", "request_timeout=soon", "socket"] {
            assert!(setting(&DRIVER, pair).is_err(), "{pair}");
        }
    }
}
