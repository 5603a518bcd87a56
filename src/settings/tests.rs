use super::*;
use crate::config::{Layer, Search};
use crate::error::ErrorKind;
use crate::provider::fake::DRIVERS;
use crate::resolve::Registry;
use std::fs;

/// A machine with a system file, a user's file and a directory file.
fn config(system: &str, user: &str, directory: &str) -> Result<(Config, tempfile::TempDir)> {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        if !text.is_empty() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        }
        path
    };
    let search = Search {
        named: None,
        system: vec![file("system/config.yaml", system)],
        user: Some(file("user/config.yaml", user)),
        cwd: file("work/.esker.yaml", directory).parent().map(|dir| dir.join("below/this")),
    };
    Ok((Config::load(&search, &Registry(DRIVERS))?, dir))
}

fn files(system: &str, user: &str, directory: &str) -> Config {
    config(system, user, directory).unwrap().0
}

fn resolve(flags: &Flags, vars: &[(&str, &str)], config: &Config) -> Result<Settings> {
    let vars = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
    Settings::resolve(flags, &vars, config)
}

#[test]
fn the_table_is_in_the_order_of_its_options_and_its_names_are_unique() {
    let mut names: Vec<_> = TABLE.iter().map(|setting| setting.name).collect();
    assert!(TABLE.iter().enumerate().all(|(index, setting)| setting.option as usize == index));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TABLE.len());
    assert!(resolve(&Flags::default(), &[], &Config::default()).is_ok(), "every default is valid");
}

#[test]
fn the_strongest_place_wins_and_is_remembered() {
    let places = [
        (5, Flags { output: Some("json".into()), target: vec!["f".into()], ..Flags::default() }),
        (4, Flags::default()),
    ];
    // Each row takes away the strongest place that is left.
    let outputs = ["json", "yaml", "csv", "name", "table"];
    for (strongest, flags) in places.iter().cloned().chain((0..4).rev().map(|n| (n, Flags::default()))) {
        let vars: &[_] = if strongest >= 4 { &[("ESKER_OUTPUT", "yaml"), ("ESKER_TARGET", "v")] } else { &[] };
        let directory = if strongest >= 3 { "target: d\n" } else { "" };
        let user = if strongest >= 2 { "\noutput: csv\ndefault_target: u\n" } else { "" };
        let system = if strongest >= 1 { "output: name\ndefault_target: s\n" } else { "" };
        let (config, dir) = config(system, user, directory).unwrap();
        let settings = resolve(&flags, vars, &config).unwrap();
        let target = settings.list(Opt::Target).first().map_or("", String::as_str);
        let (value, origin) = (settings.word(Opt::Output), settings.origin(Opt::Output).to_string());
        let at = |file: &str, line| format!("{}:{line}", dir.path().join(file).display());
        let (wanted, from, wanted_target, target_from) = match strongest {
            5 => (outputs[0], "--output".into(), "f", "--target".into()),
            4 => (outputs[1], "ESKER_OUTPUT".into(), "v", "ESKER_TARGET".into()),
            3 => (outputs[2], at("user/config.yaml", 2), "d", at("work/.esker.yaml", 1)),
            2 => (outputs[2], at("user/config.yaml", 2), "u", at("user/config.yaml", 3)),
            1 => (outputs[3], at("system/config.yaml", 1), "s", at("system/config.yaml", 2)),
            _ => (outputs[4], "default".into(), "", "default".into()),
        };
        assert_eq!((value, origin), (wanted, from), "{strongest}");
        assert_eq!((target, settings.origin(Opt::Target).to_string()), (wanted_target, target_from), "{strongest}");
    }
}

#[test]
fn a_directory_file_sets_nothing_but_the_target() {
    let error = config("", "", "output: json\n").err().unwrap();
    assert!(error.to_string().ends_with("line 1: key `output` is not allowed in a directory file"), "{error}");
    let settings = resolve(&Flags::default(), &[], &files("", "output: csv\n", "target: x\n")).unwrap();
    assert_eq!(settings.word(Opt::Output), "csv");
    assert!(matches!(settings.origin(Opt::Target), Origin::File { layer: Layer::Directory, .. }));
}

#[test]
fn an_empty_variable_is_unset() {
    let vars = TABLE.iter().filter_map(|setting| setting.variable).map(|name| (name, "")).collect::<Vec<_>>();
    let settings = resolve(&Flags::default(), &vars, &Config::default()).unwrap();
    assert!(settings.each().all(|(_, _, origin)| *origin == Origin::Default));
    assert_eq!(config_file(&Flags::default(), &|_| Some(String::new())), None);
}

#[test]
fn booleans_have_many_spellings_and_no_others() {
    for (text, on) in
        [("1", true), ("TRUE", true), ("yes", true), ("on", true), ("0", false), ("off", false), ("No", false)]
    {
        let settings = resolve(&Flags::default(), &[("ESKER_QUIET", text)], &Config::default()).unwrap();
        assert_eq!(settings.on(Opt::Quiet), on, "{text}");
    }
    let error = resolve(&Flags::default(), &[("ESKER_QUIET", "maybe")], &Config::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(
        error.to_string(),
        "invalid value `maybe` of ESKER_QUIET: expected true or false (1/0, yes/no and on/off do too)"
    );
}

#[test]
fn what_is_invalid_is_told_with_its_place() {
    let variable = |name, value| {
        let error = resolve(&Flags::default(), &[(name, value)], &Config::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        error.to_string()
    };
    assert_eq!(
        variable("ESKER_OUTPUT", "jsno"),
        "invalid value `jsno` of ESKER_OUTPUT: expected one of table, wide, json, jsonl, yaml, csv, name, such as `json`"
    );
    assert_eq!(variable("ESKER_JOBS", "0"), "invalid value `0` of ESKER_JOBS: expected at least 1");
    assert_eq!(variable("ESKER_JOBS", "x"), "invalid value `x` of ESKER_JOBS: expected a number");
    assert_eq!(
        variable("ESKER_TIMEOUT", "soon"),
        "invalid value `soon` of ESKER_TIMEOUT: expected a duration such as `90s`, `5m` or `1h30m`"
    );
    assert_eq!(
        variable("ESKER_LOG", "loud"),
        "invalid value `loud` of ESKER_LOG: expected info, debug, trace or a number"
    );
    let flags = Flags { color: Some("blue".into()), ..Flags::default() };
    let error = resolve(&flags, &[], &Config::default()).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string()),
        (ErrorKind::Usage, "invalid value of --color: expected one of auto, always, never".into())
    );
    let flags = Flags { jobs: Some(0), ..Flags::default() };
    let error = resolve(&flags, &[], &Config::default()).unwrap_err();
    assert_eq!(error.to_string(), "invalid value of --jobs: expected at least 1");
    let file = |text| resolve(&Flags::default(), &[], &files("", text, "")).unwrap_err().to_string();
    assert!(file("# c\njobs: many\n").ends_with(", line 2: invalid value `many` of `jobs`: expected a number"));
    assert!(file("jobs: [1]\n").ends_with(", line 1: `jobs` must be a single value"));
}

#[test]
fn durations_and_levels_are_read() {
    let vars = [("ESKER_TIMEOUT", "90"), ("ESKER_LOG", "debug")];
    let settings = resolve(&Flags::default(), &vars, &files("", "connect_timeout: 1m\n", "")).unwrap();
    assert_eq!(settings.duration(Opt::Timeout), Some(Duration::from_secs(90)));
    assert_eq!(settings.duration(Opt::ConnectTimeout), Some(Duration::from_mins(1)));
    assert_eq!(settings.verbosity(), 2);
    assert_eq!(settings.value(Opt::Timeout).json(), 90);
    assert_eq!(Value::Duration(Duration::from_millis(1500)).json(), 1.5);
    let flags = Flags { timeout: Some(Duration::ZERO), verbose: 7, ..Flags::default() };
    let settings = resolve(&flags, &vars, &Config::default()).unwrap();
    assert_eq!(settings.duration(Opt::Timeout), None, "0 means no limit");
    assert_eq!(settings.verbosity(), 3);
    assert_eq!(settings.duration(Opt::ConnectTimeout), Some(Duration::from_secs(10)));
}

#[test]
fn every_flag_arrives() {
    let second = Some(Duration::from_secs(1));
    let flags = Flags {
        output: Some("json".into()),
        fields: vec!["a".into()],
        no_header: true,
        target: vec!["t".into()],
        all: true,
        jobs: Some(1),
        fail_fast: true,
        connect_timeout: second,
        quiet: true,
        verbose: 1,
        yes: true,
        confirm: vec!["c".into()],
        confirm_count: Some(2),
        no_input: true,
        color: Some("never".into()),
        no_progress: true,
        timeout: second,
        abs_time: true,
        wait_for_daemon: second,
        config: Some("file".into()),
    };
    let settings = resolve(&flags, &[], &Config::default()).unwrap();
    for (setting, value, origin) in settings.each() {
        assert_eq!(*origin, Origin::Flag(setting.flag), "{}", setting.name);
        assert_ne!(*value, Value::Unset, "{}", setting.name);
    }
    assert_eq!(config_file(&flags, &|_| None), Some(("file".into(), Origin::Flag("--config"))));
    let named = config_file(&Flags::default(), &|name| (name == "ESKER_CONFIG").then(|| "env".to_owned()));
    assert_eq!(named, Some(("env".into(), Origin::Variable("ESKER_CONFIG"))));
}
