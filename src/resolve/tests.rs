use super::*;
use crate::config::{Layer, Search};
use crate::error::ErrorKind;
use crate::provider::fake::DRIVERS;
use crate::settings::Flags;
use std::path::Path;

const CONFIG: &str = "\
endpoints:
  prod: { provider: pebble, socket: /run/prod.sock }
  prod-db: { provider: pebble, socket: /run/db.sock }
  lab: { provider: sprites, places: [a, b, web] }
  gone: { provider: sprites, places: [z], dead: no route }
targets:
  web: prod
  dev: { address: lab/web, workdir: /app, env: { LOG: debug, N: 1.10 } }
  prod-web: prod
  one: lab/box
  two: sprites/box
  lost: nowhere/x
";

fn resolver_over(text: &str, vars: &'static [(&'static str, &'static str)]) -> Resolver {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.yaml");
    std::fs::write(&path, text).unwrap();
    let search = Search { user: Some(path), ..Search::default() };
    let config = Config::load(&search, &Registry(DRIVERS)).unwrap();
    let vars = move |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
    Resolver::new(Arc::new(config), Box::new(vars), DRIVERS, Env::default())
}

fn resolver() -> Resolver {
    resolver_over(CONFIG, &[])
}

fn full(text: &str) -> String {
    match resolver().parse(text).unwrap() {
        Pattern::One(address, _) => address.to_string(),
        other => format!("{other:?}"),
    }
}

fn refused(text: &str) -> (ErrorKind, String, String) {
    let error = resolver().parse(text).unwrap_err();
    (error.kind(), error.to_string(), error.parts().hint.clone().unwrap_or_default())
}

#[test]
fn a_text_means_one_place() {
    assert_eq!(full("web"), "prod");
    assert_eq!(full("prod"), "prod");
    assert_eq!(full("pebble"), "pebble");
    assert_eq!(full("lab/x y"), "lab/x%20y");
    assert_eq!(full("dev"), "lab/web");
    assert_eq!(full("unix:/run/a.sock"), "unix:/run/a.sock");
    assert_eq!(full("lab"), "lab");
}

#[test]
fn a_short_name_brings_its_defaults_and_a_full_form_does_not() {
    let resolver = resolver();
    let dev = resolver.one("dev").unwrap();
    assert_eq!((dev.full.as_str(), dev.defaults.workdir.as_deref()), ("lab/web", Some("/app")));
    assert_eq!(dev.defaults.env["N"], "1.10");
    assert_eq!(resolver.one("lab/web").unwrap().defaults, Defaults::default());
}

#[test]
fn what_is_printed_resolves_back() {
    let resolver = resolver();
    for text in ["web", "dev", "prod", "lab/a%2Fb", "unix:/a b.sock", "sprites/x*y".replace('*', "%2a").as_str()] {
        let target = resolver.one(text).unwrap();
        assert_eq!(resolver.one(&target.full).unwrap().address, target.address, "{text}");
    }
}

#[test]
fn a_text_that_means_nothing_is_told_with_the_nearest() {
    let all = "`esker target list` shows all";
    assert_eq!(
        refused("pbble"),
        (ErrorKind::NotFound, "no target `pbble`".into(), format!("did you mean `pebble`? {all}"))
    );
    assert_eq!(refused("zzzzzz"), (ErrorKind::NotFound, "no target `zzzzzz`".into(), all.into()));
    assert_eq!(
        refused("sprite/x"),
        (
            ErrorKind::NotFound,
            "no endpoint `sprite`".into(),
            "did you mean `sprites`? `esker endpoint list` shows all".into()
        )
    );
    assert_eq!(refused("sprite/*").1, "no endpoint `sprite`");
    assert_eq!(
        refused("box"),
        (
            ErrorKind::Conflict,
            "`box` names 2 targets: `lab/box`, `sprites/box`".into(),
            "write the endpoint too, for example `lab/box`".into()
        )
    );
}

#[test]
fn a_wrong_form_is_told_with_the_right_one() {
    for text in ["prod/x", "prod/*"] {
        let (kind, message, hint) = refused(text);
        assert_eq!(kind, ErrorKind::Usage);
        assert_eq!(message, format!("`prod` holds one instance and takes no name: `{text}`"));
        assert_eq!(hint, "write `prod`");
    }
    assert_eq!(
        refused("dev/x"),
        (ErrorKind::Usage, "`dev` is a short name and takes no name: `dev/x`".into(), "it stands for `lab/web`".into())
    );
    assert_eq!(
        refused("*/x"),
        (
            ErrorKind::Usage,
            "cannot match endpoints and names at once: `*/x`".into(),
            "name the endpoint, for example `sprites/*`".into()
        )
    );
    let (kind, message, _) = refused("lost");
    assert_eq!(kind, ErrorKind::Config);
    assert!(message.ends_with("line 12: address of target `lost`: no endpoint `nowhere`"), "{message}");
}

#[test]
fn an_ad_hoc_endpoint_is_a_socket() {
    let (driver, config) = resolver().endpoint("unix:/run/a%3Ab.sock").unwrap();
    assert_eq!((driver.id, config.text("socket")), ("pebble", Some("/run/a:b.sock")));
    assert_eq!(config.name, "unix:/run/a%3Ab.sock");
}

#[test]
fn the_environment_makes_the_implicit_endpoint_only() {
    let resolver = resolver_over(CONFIG, &[("PEBBLE_SOCKET", "/env.sock")]);
    let socket = |name| resolver.endpoint(name).unwrap().1.text("socket").map(str::to_owned);
    assert_eq!(socket("pebble").as_deref(), Some("/env.sock"));
    assert_eq!(socket("prod").as_deref(), Some("/run/prod.sock"));
}

#[test]
fn an_endpoint_is_opened_once() {
    let resolver = resolver();
    let (a, b) = (resolver.one("lab/a").unwrap(), resolver.one("lab/b").unwrap());
    assert!(Arc::ptr_eq(&a.provider, &b.provider));
    assert!(!Arc::ptr_eq(&a.provider, &resolver.one("prod").unwrap().provider));
}

async fn expanded(resolver: &Resolver, texts: &[&str]) -> (Vec<String>, Vec<(String, String)>) {
    let patterns = texts.iter().map(|text| resolver.parse(text).unwrap()).collect();
    names(resolver.expand(patterns).await)
}

fn names(resolved: Resolved) -> (Vec<String>, Vec<(String, String)>) {
    let failed = resolved.failed.into_iter().map(|(what, error)| (what, error.to_string())).collect();
    (resolved.targets.into_iter().map(|target| target.full).collect(), failed)
}

#[tokio::test]
async fn one_dead_endpoint_hides_no_other() {
    let (targets, failed) = expanded(&resolver(), &["gone/*", "lab/[ab]", "web", "prod", "lab/x*"]).await;
    assert_eq!(targets, ["lab/a", "lab/b", "prod"]);
    let failed: Vec<_> = failed.iter().map(|(what, why)| (what.as_str(), why.as_str())).collect();
    assert_eq!(failed, [("gone/*", "no route"), ("lab/x*", "no target matches `lab/x*`")]);
}

#[tokio::test]
async fn a_glob_covers_short_names_and_endpoints() {
    let resolver = resolver();
    assert_eq!(expanded(&resolver, &["prod-*"]).await.0, ["prod", "prod-db"]);
    assert_eq!(expanded(&resolver, &["la*"]).await.0, ["lab/a", "lab/b", "lab/web"]);
    let (targets, failed) = expanded(&resolver, &["q*"]).await;
    assert_eq!((targets.len(), failed), (0, vec![("q*".into(), "no target matches `q*`".into())]));
}

#[tokio::test]
async fn all_is_everything_that_is_configured_or_set() {
    let resolver = resolver_over(CONFIG, &[("PEBBLE", "/p")]);
    let (targets, failed) = names(resolver.expand(vec![Pattern::All]).await);
    assert_eq!(targets, ["lab/web", "lab/box", "prod", "sprites/box", "lab/a", "lab/b", "prod-db", "pebble"]);
    assert_eq!(failed.iter().map(|(what, _)| what.as_str()).collect::<Vec<_>>(), ["lost", "gone/*"]);
    let nothing = resolver_over("", &[]);
    assert_eq!(names(nothing.expand(vec![Pattern::All]).await).0, ["pebble"]);
}

#[tokio::test]
async fn a_failure_names_its_endpoint() {
    let resolver = resolver_over("endpoints: {bad: {provider: pebble, url: 'bad://url'}}\n", &[]);
    let patterns = vec![resolver.parse("bad").unwrap(), resolver.parse("lab").unwrap_or(Pattern::All)];
    let resolved = resolver.expand(patterns).await;
    assert_eq!(resolved.failed.len(), 2);
    let parts = resolved.failed[0].1.parts();
    assert_eq!((parts.provider, parts.target.as_deref()), (Some("pebble"), Some("bad")));
}

fn settings(resolver: &Resolver, flags: &Flags) -> Settings {
    Settings::resolve(flags, &|_| None, resolver.config()).unwrap()
}

fn default_of(text: &str, vars: &'static [(&'static str, &'static str)]) -> Result<String> {
    let resolver = resolver_over(text, vars);
    let settings = settings(&resolver, &Flags::default());
    resolver.single(&settings).map(|target| target.full)
}

#[test]
fn the_default_is_never_a_guess() {
    assert_eq!(default_of("", &[]).unwrap(), "pebble");
    assert_eq!(default_of("default_target: web\ntargets: {web: pebble}\n", &[]).unwrap(), "pebble");
    assert_eq!(default_of(CONFIG, &[("PEBBLE", "/p")]).unwrap(), "pebble");
    let error = default_of(CONFIG, &[]).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string()),
        (ErrorKind::Usage, "no target is named, and none is the default".into())
    );
    let error = default_of("output: json\ndefault_target: wbe\n", &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().ends_with("line 2: no target `wbe`"), "{error}");
}

#[test]
fn a_command_for_one_target_takes_one() {
    let resolver = resolver();
    let with = |targets: &[&str], all| {
        let target = targets.iter().map(|t| (*t).to_owned()).collect();
        resolver.single(&settings(&resolver, &Flags { target, all, ..Flags::default() }))
    };
    assert_eq!(with(&["dev"], false).unwrap().full, "lab/web");
    for (targets, all) in [(&["dev", "web"][..], false), (&["lab/*"], false), (&[], true)] {
        let error = with(targets, all).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string()),
            (ErrorKind::Usage, "this command needs exactly one target".into())
        );
    }
    assert_eq!(with(&["dev"], true).unwrap_err().to_string(), "--all and --target exclude each other");
    assert_eq!(with(&["lab"], false).unwrap_err().to_string(), "`lab` needs a sandbox");
    assert!(resolver.one("lab/*").unwrap_err().to_string().contains("exactly one target, not `lab/*`"));
}

#[test]
fn a_directory_file_names_what_the_config_defines_and_nothing_else() {
    let resolver = resolver();
    let origin = Origin::File { layer: Layer::Directory, path: Arc::from(Path::new("/r/.esker.yaml")), line: 1 };
    for text in ["web", "prod", "dev"] {
        assert!(resolver.named(text, &origin).is_ok(), "{text}");
    }
    for text in ["unix:/tmp/evil.sock", "lab/web", "lab/*", "*", "pebble", "sprites/x"] {
        let error = resolver.named(text, &origin).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{text}");
        assert!(
            error.to_string().starts_with("invalid config `/r/.esker.yaml`, line 1: `target` must name"),
            "{error}"
        );
    }
}
