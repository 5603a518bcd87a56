//! What an agent gets of a machine, and what it does not.

use super::{Layout, environment};
use crate::error::ErrorKind;
use crate::provider::Variables;
use crate::provider::agent::{Approval, Isolation, SessionSpec};
use crate::provider::pi::Settings;
use crate::provider::pi::version::Build;
use bytes::Bytes;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn settings(state: &Path) -> Settings {
    Settings { endpoint: "pi".to_owned(), state: Some(state.to_owned()), ..Settings::default() }
}

fn pi() -> Build {
    Build::parse("0.73.1").unwrap()
}

fn vars(set: &'static [(&'static str, &'static str)]) -> Variables {
    Variables::new(move |name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
}

fn names(env: &[(String, Bytes)]) -> Vec<&str> {
    let mut names: Vec<_> = env.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names
}

fn value<'a>(env: &'a [(String, Bytes)], name: &str) -> Option<&'a [u8]> {
    env.iter().find(|(known, _)| known == name).map(|(_, value)| &value[..])
}

#[test]
fn nothing_of_the_user_goes_along_but_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let spec = SessionSpec { model_provider: Some("openai".into()), ..SessionSpec::default() };
    let layout = Layout::plan(&pi(), &spec, &settings, Path::new("/srv/a b")).unwrap();
    let hostile = vars(&[
        ("PATH", "/bin"),
        ("HOME", "/home/u"),
        ("LANG", "C.UTF-8"),
        ("OPENAI_API_KEY", "k1"),
        ("ANTHROPIC_API_KEY", "k2"),
        ("AWS_SECRET_ACCESS_KEY", "k3"),
        ("PI_CODING_AGENT_DIR", "/home/u/.pi/agent"),
        ("PI_SESSION_ID", "outer"),
        ("NODE_OPTIONS", "--require /evil.js"),
        ("LD_PRELOAD", "/evil.so"),
    ]);
    let env = environment(&layout, &spec, &settings, &hostile).unwrap();
    let expected = [
        "HOME",
        "LANG",
        "OPENAI_API_KEY",
        "PATH",
        "PI_CODING_AGENT_DIR",
        "PI_OFFLINE",
        "PI_SKIP_VERSION_CHECK",
        "PI_TELEMETRY",
        "TERM",
    ];
    assert_eq!(names(&env), expected);
    let home = layout.home.unwrap();
    assert!(home.starts_with(folder.path()) && value(&env, "HOME") == Some(home.as_os_str().as_bytes()));
}

/// One row for each field of `PiConfig` (section 4.1) that is part of the environment: the key of the
/// configuration, and what the agent gets.
#[test]
fn every_field_has_its_variable() {
    type Row = (&'static str, fn(&mut Settings), &'static str, Option<&'static str>);
    let folder = tempfile::tempdir().unwrap();
    let set = vars(&[("HOME", "/home/u"), ("KEY", "k"), ("PASSED", "p"), ("OPENAI_API_KEY", "o")]);
    let table: &[Row] = &[
        ("home_dir", |s| s.home_dir = Some("/h".into()), "HOME", Some("/h")),
        ("agent_dir", |s| s.agent_dir = Some("/a".into()), "PI_CODING_AGENT_DIR", Some("/a")),
        ("api_key_env: key_env", |s| s.key_env = Some("KEY".into()), "OPENAI_API_KEY", Some("k")),
        ("env_passthrough: pass_env", |s| s.pass_env = vec!["PASSED".into()], "PASSED", Some("p")),
        ("extra_env: env", |s| s.env = vec![("X".into(), "y".into())], "X", Some("y")),
        ("package_dir: env", |s| s.env = vec![("PI_PACKAGE_DIR".into(), "/p".into())], "PI_PACKAGE_DIR", Some("/p")),
        ("offline", |_| (), "PI_OFFLINE", Some("1")),
        ("skip_version_check", |_| (), "PI_SKIP_VERSION_CHECK", Some("1")),
        ("telemetry", |_| (), "PI_TELEMETRY", Some("0")),
        ("inherit_env", |_| (), "PASSED", None),
        ("api_key", |_| (), "OPENAI_API_KEY", Some("o")),
    ];
    for (field, change, name, expected) in table {
        for text in ["0.73.1", "omp/18.2.3"] {
            let mut settings = settings(folder.path());
            change(&mut settings);
            let spec = SessionSpec { model_provider: Some("openai".into()), ..SessionSpec::default() };
            let layout = Layout::plan(&Build::parse(text).unwrap(), &spec, &settings, Path::new("/w")).unwrap();
            let env = environment(&layout, &spec, &settings, &set).unwrap();
            assert_eq!(value(&env, name), expected.map(str::as_bytes), "{field} of {text}");
        }
    }
}

#[test]
fn the_private_directory_is_one_of_its_own_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let spec = SessionSpec { approval: Approval::Always, ..SessionSpec::default() };
    let plan =
        |workspace: &str, spec: &SessionSpec| Layout::plan(&pi(), spec, &settings, Path::new(workspace)).unwrap();
    let layout = plan("/w/project", &spec);
    assert_eq!(layout, plan("/w/project", &spec));
    assert_ne!(layout.root, plan("/other/project", &spec).root);
    layout.prepare(&pi(), &spec, &settings).unwrap();
    layout.prepare(&pi(), &spec, &settings).unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(layout.root.as_ref().unwrap()), 0o700);
    assert_eq!(mode(layout.agent.as_ref().unwrap()), 0o700);
    assert_eq!(mode(layout.guard.as_ref().unwrap()), 0o600);
    let ephemeral = plan("/w/project", &SessionSpec { isolation: Isolation::Ephemeral, ..spec });
    assert!(ephemeral.is_temporary && ephemeral.root != layout.root);
}

#[test]
fn a_login_is_shared_in_place_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("user");
    let theirs = home.join(".pi/agent");
    std::fs::create_dir_all(&theirs).unwrap();
    std::fs::write(theirs.join("settings.json"), "{\"defaultModel\":\"evil\"}").unwrap();
    let settings = Settings { user_home: Some(home), ..settings(folder.path()) };
    let shared = SessionSpec { isolation: Isolation::ShareLogin, ..SessionSpec::default() };
    let layout = Layout::plan(&pi(), &shared, &settings, Path::new("/w")).unwrap();
    assert_eq!(layout.prepare(&pi(), &shared, &settings).unwrap_err().kind(), ErrorKind::Auth);
    std::fs::write(theirs.join("auth.json"), "{\"anthropic\":{}}").unwrap();
    layout.prepare(&pi(), &shared, &settings).unwrap();
    let agent = layout.agent.as_ref().unwrap();
    assert_eq!(std::fs::read_link(agent.join("auth.json")).unwrap(), theirs.join("auth.json"));
    assert!(!agent.join("settings.json").exists());
    assert!(environment(&layout, &shared, &settings, &vars(&[])).is_ok(), "no key is needed then");
    // The next run without it has it no more.
    let own = SessionSpec::default();
    layout.prepare(&pi(), &own, &settings).unwrap();
    assert!(!agent.join("auth.json").exists() && theirs.join("auth.json").exists());
    assert_eq!(environment(&layout, &own, &settings, &vars(&[])).unwrap_err().kind(), ErrorKind::Auth);
}

#[test]
fn the_user_s_own_configuration_is_a_choice() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let spec = SessionSpec { isolation: Isolation::ShareConfig, ..SessionSpec::default() };
    let layout = Layout::plan(&pi(), &spec, &settings, Path::new("/w")).unwrap();
    assert_eq!((&layout.root, &layout.agent), (&None, &None));
    let set = vars(&[("HOME", "/home/u"), ("ANTHROPIC_API_KEY", "a"), ("OPENAI_API_KEY", "o"), ("OTHER", "x")]);
    let env = environment(&layout, &spec, &settings, &set).unwrap();
    assert_eq!(value(&env, "HOME"), Some(&b"/home/u"[..]));
    assert!(value(&env, "OPENAI_API_KEY").is_some() && value(&env, "OTHER").is_none());
}
