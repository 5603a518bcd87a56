use super::*;
use crate::config::{ConfigKey, KeyKind};
use crate::error::ErrorKind;
use std::fs;
use std::time::Duration;

/// Two providers, without the registry: `config` does not know it.
struct Two;

const fn key(name: &'static str, kind: KeyKind) -> ConfigKey {
    ConfigKey { name, kind, summary: "" }
}

static KEYS: &[ConfigKey] = &[
    key("socket", KeyKind::Path),
    key("url", KeyKind::Url),
    key("user", KeyKind::Text),
    key("verify", KeyKind::Bool),
    key("ttl", KeyKind::Duration),
    key("token", KeyKind::Secret),
    key("token_command", KeyKind::Argv),
];

impl Rules for Two {
    fn settings(&self) -> Vec<&'static str> {
        vec!["output", "jobs", "default_target"]
    }

    fn providers(&self) -> Vec<&'static str> {
        vec!["pebble", "sprites"]
    }

    fn keys(&self, provider: &str) -> Option<&'static [ConfigKey]> {
        self.providers().contains(&provider).then_some(KEYS)
    }
}

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn search(&self) -> Search {
        let path = |name| self.0.path().join(name);
        Search {
            named: None,
            user: Some(path("user/config.yaml")),
            system: vec![path("first/config.yaml"), path("second/config.yaml")],
            cwd: Some(path("work/a/b")),
        }
    }

    fn load(&self) -> Result<Config> {
        Config::load(&self.search(), &Two)
    }
}

/// What loading this user's file is refused with: the message behind the path, and the hint.
fn refused(text: &str) -> (String, String) {
    let bench = Bench::new();
    let path = bench.write("user/config.yaml", text);
    let error = bench.load().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let prefix = format!("invalid config `{}`, ", path.display());
    let message = error.to_string().strip_prefix(&prefix).expect("the file is named").to_owned();
    (message, error.parts().hint.clone().unwrap_or_default())
}

fn message(text: &str) -> String {
    refused(text).0
}

#[test]
fn no_files_are_fine_and_none_are_made() {
    let bench = Bench::new();
    let config = bench.load().unwrap();
    assert!(config.files.is_empty() && config.settings.is_empty());
    assert_eq!(config.writable, bench.search().user);
    assert_eq!(fs::read_dir(bench.0.path()).unwrap().count(), 0);
}

#[test]
fn a_file_that_is_named_replaces_the_others_and_must_exist() {
    let bench = Bench::new();
    bench.write("user/config.yaml", "output: json\n");
    let named = bench.write("other.yaml", "jobs: 3\n");
    let mut search = bench.search();
    search.named = Some((named.clone(), Origin::Flag("--config")));
    let config = Config::load(&search, &Two).unwrap();
    assert_eq!(config.settings.keys().collect::<Vec<_>>(), ["jobs"]);
    assert_eq!((config.writable, config.files), (Some(named.clone()), vec![named.clone()]));
    fs::remove_file(&named).unwrap();
    let error = Config::load(&search, &Two).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.to_string(), format!("cannot read config `{}`: no such file", named.display()));
    assert_eq!(error.parts().hint.as_deref(), Some("it is named by --config"));
}

#[test]
fn the_users_file_is_stronger_than_the_systems() {
    let bench = Bench::new();
    bench.write(
        "first/config.yaml",
        "jobs: 2\noutput: csv\nendpoints: {p: {provider: pebble, user: x, url: 'h://a'}}\n",
    );
    bench.write("second/config.yaml", "jobs: 3\ndefault_target: q\ntargets: {q: p}\n");
    bench.write("user/config.yaml", "output: json\nendpoints:\n  p: {provider: pebble, url: 'h://b'}\n");
    let config = bench.load().unwrap();
    let text = |key: &str| config.settings[key].node.text().unwrap();
    assert_eq!((text("output"), text("jobs"), text("default_target")), ("json", "2", "q"));
    // As a whole: the system's `user` must not go to the user's `url`.
    let p = &config.endpoints["p"];
    assert_eq!((p.text("url"), p.text("user")), (Some("h://b"), None));
    assert!(p.origin.ends_with("user/config.yaml:3"), "{}", p.origin);
    assert_eq!(config.files.len(), 3);
}

#[test]
fn the_nearest_directory_file_counts() {
    let bench = Bench::new();
    bench.write("work/.esker.yaml", "# c\ntarget: far\n");
    fs::create_dir_all(bench.0.path().join("work/a/b")).unwrap();
    let named = |bench: &Bench| {
        let named = bench.load().unwrap().directory.unwrap();
        (named.node.text().unwrap().to_owned(), named.origin.to_string())
    };
    let (text, origin) = named(&bench);
    assert_eq!(text, "far");
    assert!(origin.ends_with("work/.esker.yaml:2"), "{origin}");
    bench.write("work/a/.esker.yaml", "target: near\n");
    assert_eq!(named(&bench).0, "near");
    bench.write("work/a/.esker.yaml", "endpoints: {}\n");
    let error = bench.load().unwrap_err();
    assert!(error.to_string().ends_with(".esker.yaml`, line 1: key `endpoints` is not allowed in a directory file"));
}

#[test]
fn endpoints_and_targets_are_read() {
    let bench = Bench::new();
    bench.write(
        "user/config.yaml",
        "endpoints:\n  lab:\n    provider: sprites\n    socket: rel.sock\n    user: 007\n    verify: off\n    ttl: 5m\n    \
         token_command: [pass, show, lab]\n    connect_timeout: 2s\n    request_timeout: 90\ntargets:\n  web: lab/w\n  \
         dev: {address: lab/d, workdir: /app, env: {A: 1.10, B: }}\n",
    );
    let config = bench.load().unwrap();
    let lab = &config.endpoints["lab"];
    assert_eq!((lab.provider.as_str(), lab.text("user"), lab.flag("verify")), ("sprites", Some("007"), Some(false)));
    assert_eq!(lab.path("socket", None).unwrap(), Some(bench.0.path().join("user/rel.sock")));
    assert_eq!(
        (lab.duration("ttl"), lab.connect_timeout),
        (Some(Duration::from_mins(5)), Some(Duration::from_secs(2)))
    );
    assert_eq!(lab.request_timeout, Some(Duration::from_secs(90)));
    assert_eq!(lab.words("token_command").unwrap(), ["pass", "show", "lab"]);
    assert_eq!(config.targets["web"].address, "lab/w");
    let dev = &config.targets["dev"];
    assert_eq!((dev.address.as_str(), dev.defaults.workdir.as_deref()), ("lab/d", Some("/app")));
    assert_eq!((dev.defaults.env["A"].as_str(), dev.defaults.env["B"].as_str()), ("1.10", ""));
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest() {
    let (what, hint) = refused("endpoints:\n  prod:\n    provider: pebble\n    scoket: /x\n");
    assert_eq!(
        (what.as_str(), hint.as_str()),
        ("line 4: unknown key `scoket` in endpoint `prod`", "did you mean `socket`?")
    );
    let (what, hint) = refused("ouptut: json\n");
    assert_eq!((what.as_str(), hint.as_str()), ("line 1: unknown key `ouptut`", "did you mean `output`?"));
    let (what, hint) = refused("targets:\n  x: {address: pebble, wordkir: /}\n");
    assert_eq!(
        (what.as_str(), hint.as_str()),
        ("line 2: unknown key `wordkir` in target `x`", "did you mean `workdir`?")
    );
    let (what, hint) = refused("zzz: 1\n");
    assert_eq!(what, "line 1: unknown key `zzz`");
    assert_eq!(hint, "known keys are endpoints, targets, output, jobs, default_target");
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (text, wanted) in [
        ("- a\n", "line 1: the file must be a map"),
        ("endpoints: [a]\n", "line 1: `endpoints` must be a map"),
        ("targets: x\n", "line 1: `targets` must be a map"),
        ("endpoints:\n  p: x\n", "line 2: endpoint `p` must be a map"),
        ("endpoints:\n  p: {url: 'a://b'}\n", "line 2: endpoint `p` names no provider"),
        ("endpoints:\n  p: {provider: [x]}\n", "line 2: `provider` of endpoint `p` must be a text"),
        ("endpoints:\n  p: {provider: peble}\n", "line 2: unknown provider `peble` of endpoint `p`"),
        ("endpoints:\n  p/q: {provider: pebble}\n", "line 2: endpoint `p/q`: a name must not hold `/`"),
        (
            "endpoints:\n  sprites: {provider: pebble}\n",
            "line 2: endpoint `sprites` has the name of a provider and is one of `pebble`",
        ),
        ("targets:\n  'a b': x\n", "line 2: target `a b`: a name must not hold ` `"),
        ("targets:\n  a: {workdir: /}\n", "line 2: target `a` has no address"),
        ("targets:\n  a: {address: x, env: 1}\n", "line 2: `env` of target `a` must be a map"),
        ("a: 1\na: 2\n", "line 2: key `a` stands here twice"),
    ] {
        assert_eq!(message(text), wanted);
    }
    let key = |text: &str| message(&format!("endpoints:\n  p:\n    provider: pebble\n    {text}\n"));
    for (text, wanted) in [
        ("verify: maybe", "`verify` of endpoint `p`: expected true or false (1/0, yes/no and on/off do too)"),
        ("url: host", "`url` of endpoint `p`: expected a URL such as `https://host:port`"),
        ("url: https://u:hunter2@host/", "`url` of endpoint `p`: a URL must not hold credentials"),
        ("ttl: soon", "`ttl` of endpoint `p`: expected a duration such as `90s`, `5m` or `1h30m`"),
        ("connect_timeout: x", "`connect_timeout` of endpoint `p`: expected a duration such as `90s`, `5m` or `1h30m`"),
        ("user: [a]", "`user` of endpoint `p`: expected a text"),
        (
            "token_command: pass show",
            "`token_command` of endpoint `p`: expected a command as a list of words, such as `[pass, show, lab]`",
        ),
    ] {
        assert_eq!(key(text), format!("line 4: {wanted}"));
    }
}

#[test]
fn names_share_one_namespace() {
    let what = message("endpoints:\n  a: {provider: pebble}\ntargets:\n  a: pebble\n");
    assert!(what.starts_with("line 4: target `a` has the same name as the endpoint at "), "{what}");
    assert!(what.ends_with("config.yaml:2"), "{what}");
    assert_eq!(
        message("targets:\n  pebble: x\n"),
        "line 2: target `pebble` has the same name as the endpoint that its provider has by itself"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let bench = Bench::new();
    let why = |bench: &Bench| bench.load().unwrap_err().to_string().rsplit_once(": ").unwrap().1.to_owned();
    let path = bench.write("user/config.yaml", "");
    fs::write(&path, b"\xff").unwrap();
    assert_eq!(why(&bench), "not UTF-8");
    fs::write(&path, vec![b'#'; (1 << 20) + 1]).unwrap();
    assert_eq!(why(&bench), "larger than 1 MiB");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(why(&bench), "is a directory");
}

#[cfg(unix)]
#[test]
fn what_others_may_do_to_a_file_is_warned_about() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let plain = bench.write("user/config.yaml", "output: json\n");
    let warnings = |bench: &Bench, mode| {
        fs::set_permissions(&plain, fs::Permissions::from_mode(mode)).unwrap();
        bench.load().unwrap().warnings
    };
    assert!(warnings(&bench, 0o644).is_empty());
    assert_eq!(
        warnings(&bench, 0o664),
        [format!("`{0}` can be changed by others: run `chmod go-rwx {0}`", plain.display())]
    );
    bench.write("user/config.yaml", "endpoints:\n  a: {provider: sprites, token: hunter2}\n");
    let warned = warnings(&bench, 0o600);
    assert_eq!(warned.len(), 1);
    assert!(warned[0].starts_with("endpoint `a` keeps its token in `"), "{warned:?}");
    let warned = warnings(&bench, 0o644);
    assert!(warned[1].contains("can be read by others and holds a secret"), "{warned:?}");
    let config = bench.load().unwrap();
    assert_eq!(config.endpoints["a"].secret("token").unwrap().expose(), "hunter2");
    assert!(!format!("{config:?}").contains("hunter2"));
}
