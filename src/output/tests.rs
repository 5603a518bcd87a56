//! The formats side by side, on a terminal and piped, and what is said beside them.

mod report;

use super::*;
use crate::error::ErrorKind;
use crate::model::{At, Service, Time};
use serde_json::{Value, json};

const COLUMNS: &[Column<Service>] = &[
    Column::new("NAME", "name", |s| Cell::text(&s.name)),
    Column::new("STATE", "state", |s| Cell::state(&s.state)),
    Column::new("SINCE", "since", |s| Cell::Time(s.since)),
    Column::new("STARTUP", "startup", |s: &Service| Cell::maybe(s.startup.as_deref())).wide(),
    Column::new("ERROR", "last_error", |s: &Service| Cell::maybe(s.last_error.as_deref())).elastic(),
];

const PIPED: Terminals = Terminals { stdin: false, stdout: None, stderr: None };

fn terminal(width: u16) -> Terminals {
    Terminals { stdin: true, stdout: Some(width), stderr: Some(width) }
}

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

fn service(target: &str, name: &str, state: &str, since: Option<Time>, error: Option<&str>) -> At<Service> {
    let value = Service {
        name: name.to_owned(),
        startup: Some("enabled".to_owned()),
        state: state.to_owned(),
        since,
        last_error: error.map(str::to_owned),
        extra: serde_json::Map::new(),
    };
    At { provider: "pebble", target: target.to_owned(), value }
}

fn services() -> Vec<At<Service>> {
    vec![
        service("pebble", "web", "active", Some(at("2026-11-21T09:00:00.123456789Z")), None),
        service(
            "pebble",
            "db",
            "error",
            Some(at("2026-08-01T00:00:00Z")),
            Some("exit status 1, \"no\" such\nfile or directory"),
        ),
        service("pebble", "no", "inactive", None, None),
    ]
}

fn options(format: Format) -> Options {
    Options { format, utf8: true, no_color_env: true, now: Some(at("2026-11-21T12:00:30Z")), ..Options::default() }
}

fn list(options: Options, terminals: Terminals, rows: &[At<Service>], order: &ListOptions) -> (String, String) {
    let (output, captured) = Output::capture(options, terminals, "");
    if let Err(error) = output.list(rows, COLUMNS, order) {
        output.report(&error.into(), false);
    }
    (captured.stdout(), captured.stderr())
}

fn stdout(options: Options, terminals: Terminals) -> String {
    list(options, terminals, &services(), &ListOptions::default()).0
}

fn fields(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_table_on_a_terminal_has_relative_times() {
    insta::assert_snapshot!(stdout(options(Format::Table), terminal(100)), @r#"
    NAME  STATE     SINCE       ERROR
    web   active    3h ago      -
    db    error     2026-08-01  exit status 1, "no" such\nfile or directory
    no    inactive  -           -
    "#);
}

#[test]
fn a_table_on_a_narrow_terminal_is_shortened_where_it_may_be() {
    insta::assert_snapshot!(stdout(options(Format::Table), terminal(40)), @r#"
    NAME  STATE     SINCE       ERROR
    web   active    3h ago      -
    db    error     2026-08-01  exit status…
    no    inactive  -           -
    "#);
    let ascii = Options { utf8: false, ..options(Format::Table) };
    assert!(stdout(ascii, terminal(40)).contains("exit status~\n"));
}

#[test]
fn a_piped_table_is_whole_and_absolute() {
    insta::assert_snapshot!(stdout(options(Format::Table), PIPED), @r#"
    NAME  STATE     SINCE                 ERROR
    web   active    2026-11-21T09:00:00Z  -
    db    error     2026-08-01T00:00:00Z  exit status 1, "no" such\nfile or directory
    no    inactive  -                     -
    "#);
    let plain = Options { no_header: true, ..options(Format::Table) };
    assert!(stdout(plain, PIPED).starts_with("web  active"));
    let absolute = Options { abs_time: true, ..options(Format::Table) };
    assert!(stdout(absolute, terminal(100)).contains("2026-11-21T09:00:00Z"));
}

#[test]
fn wide_adds_columns_and_the_target() {
    insta::assert_snapshot!(stdout(options(Format::Wide), terminal(100)), @r#"
    TARGET  NAME  STATE     SINCE       STARTUP  ERROR
    pebble  web   active    3h ago      enabled  -
    pebble  db    error     2026-08-01  enabled  exit status 1, "no" such\nfile or directory
    pebble  no    inactive  -           enabled  -
    "#);
}

#[test]
fn rows_of_several_targets_name_them() {
    let rows = [service("prod", "web", "active", None, None), service("lab/a", "web", "active", None, None)];
    let (text, _) = list(options(Format::Table), PIPED, &rows, &ListOptions::default());
    assert_eq!(text.lines().next(), Some("TARGET  NAME  STATE   SINCE  ERROR"));
}

#[test]
fn colour_marks_states_on_a_terminal_only() {
    let colored = Options { no_color_env: false, ..options(Format::Table) };
    assert!(stdout(colored.clone(), terminal(100)).contains("web   \x1b[32mactive\x1b[0m    3h ago"));
    assert!(!stdout(colored.clone(), PIPED).contains('\x1b'));
    assert!(stdout(Options { color: When::Always, ..colored }, PIPED).contains("\x1b[31merror\x1b[0m"));
}

#[test]
fn json_is_one_document_with_every_key() {
    let text = stdout(options(Format::Json), terminal(100));
    insta::assert_snapshot!(text.lines().take(11).collect::<Vec<_>>().join("\n"), @r#"
    [
      {
        "provider": "pebble",
        "target": "pebble",
        "name": "web",
        "startup": "enabled",
        "state": "active",
        "since": "2026-11-21T09:00:00.123456789Z",
        "last_error": null
      },
      {
    "#);
    assert!(text.ends_with("\n]\n"));
    assert_eq!(serde_json::from_str::<Vec<Value>>(&text).unwrap().len(), 3);
}

#[test]
fn jsonl_is_one_object_a_line() {
    let text = stdout(options(Format::Jsonl), PIPED);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1]["last_error"], "exit status 1, \"no\" such\nfile or directory");
}

#[test]
fn yaml_quotes_what_others_would_misread() {
    insta::assert_snapshot!(stdout(Options { fields: Some(fields(&["name", "since", "extra"])), ..options(Format::Yaml) }, PIPED), @r#"
    - name: web
      since: "2026-11-21T09:00:00.123456789Z"
      extra: null
    - name: db
      since: "2026-08-01T00:00:00Z"
      extra: null
    - name: "no"
      since: null
      extra: null
    "#);
}

#[test]
fn csv_has_every_column_and_absolute_times() {
    insta::assert_snapshot!(stdout(options(Format::Csv), terminal(40)), @r#"
    target,name,state,since,startup,last_error
    pebble,web,active,2026-11-21T09:00:00Z,enabled,
    pebble,db,error,2026-08-01T00:00:00Z,enabled,"exit status 1, ""no"" such
    file or directory"
    pebble,no,inactive,,enabled,
    "#);
}

#[test]
fn name_is_one_id_a_line() {
    assert_eq!(stdout(options(Format::Name), PIPED), "web\ndb\nno\n");
}

#[test]
fn an_empty_list_is_said_beside_the_answer() {
    for format in Format::ALL {
        let (stdout, stderr) = list(options(format), terminal(100), &[], &ListOptions::default());
        let expected = match format {
            Format::Json | Format::Yaml => "[]\n",
            Format::Csv => "target,name,state,since,startup,last_error\n",
            _ => "",
        };
        assert_eq!((stdout.as_str(), stderr.as_str()), (expected, "no services\n"), "{}", format.name());
        let quiet = Options { quiet: true, ..options(format) };
        assert_eq!(list(quiet, PIPED, &[], &ListOptions::default()).1, "");
    }
}

#[test]
fn fields_choose_and_order() {
    let chosen = |format, names: &[&str]| {
        let options = Options { fields: Some(fields(names)), ..options(format) };
        list(options, PIPED, &services(), &ListOptions { limit: Some(1), ..ListOptions::default() }).0
    };
    assert_eq!(chosen(Format::Table, &["state", "name"]), "STATE   NAME\nactive  web\n");
    assert_eq!(chosen(Format::Csv, &["provider", "name"]), "provider,name\npebble,web\n");
    assert_eq!(chosen(Format::Jsonl, &["state", "target"]), "{\"state\":\"active\",\"target\":\"pebble\"}\n");
    assert_eq!(chosen(Format::Json, &["name"]), "[\n  {\n    \"name\": \"web\"\n  }\n]\n");
}

#[test]
fn an_unknown_field_lists_the_valid_ones_even_without_rows() {
    for (format, valid) in [
        (Format::Table, "target, provider, name, state, since, startup, last_error"),
        (Format::Json, "provider, target, name, startup, state, since, last_error, extra"),
    ] {
        let (output, captured) =
            Output::capture(Options { fields: Some(fields(&["nmae"])), ..options(format) }, PIPED, "");
        let error = output.list::<Service>(&[], COLUMNS, &ListOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert_eq!(error.to_string(), "no field `nmae` for `--fields`");
        assert_eq!(error.parts().hint.as_deref(), Some(&*format!("did you mean `name`? the fields are {valid}")));
        assert_eq!(captured.stdout(), "");
    }
}

#[test]
fn sort_and_limit_apply_to_every_format() {
    let order = |sort: &str, limit| ListOptions { sort: Some(sort.to_owned()), limit };
    let names = |sort, limit| list(options(Format::Name), PIPED, &services(), &order(sort, limit));
    assert_eq!(names("name", None).0, "db\nno\nweb\n");
    assert_eq!(names("name:desc", None).0, "web\nno\ndb\n");
    // What never ran comes last, whichever way.
    assert_eq!(names("since", None).0, "db\nweb\nno\n");
    assert_eq!(names("since:desc", None).0, "web\ndb\nno\n");
    assert_eq!(names("name", Some(2)), ("db\nno\n".into(), "note: showing 2 of 3 services (`--limit`)\n".into()));
    assert_eq!(names("name", Some(3)).1, "");
    assert!(names("nam", None).1.contains("did you mean `name`?"));
    assert!(names("name:down", None).1.contains("invalid sort order `down`"));
}

#[test]
fn one_object_is_a_block_or_a_bare_object() {
    let one = |format, terminals| {
        let (output, captured) = Output::capture(options(format), terminals, "");
        output.one(&services()[0], COLUMNS).unwrap();
        captured.stdout()
    };
    insta::assert_snapshot!(one(Format::Table, terminal(100)), @r"
    NAME:     web
    STATE:    active
    SINCE:    3h ago
    STARTUP:  enabled
    ERROR:    -
    ");
    assert!(one(Format::Wide, PIPED).starts_with("TARGET:   pebble\nNAME:     web\n"));
    assert!(one(Format::Json, PIPED).starts_with("{\n  \"provider\": \"pebble\",\n"));
    assert_eq!(one(Format::Jsonl, PIPED).lines().count(), 1);
    assert!(one(Format::Yaml, PIPED).starts_with("provider: pebble\ntarget: pebble\nname: web\n"));
    assert_eq!(one(Format::Name, PIPED), "web\n");
    assert_eq!(one(Format::Csv, PIPED).lines().count(), 2);
}

#[test]
fn an_event_is_a_line_that_starts_with_its_type() {
    let (output, captured) = Output::capture(options(Format::Jsonl), PIPED, "");
    output.event("log", &json!({"message": "a\u{2028}b\nc"})).unwrap();
    assert_eq!(captured.stdout(), "{\"type\":\"log\",\"message\":\"a\u{2028}b\\nc\"}\n");
}

#[test]
fn remote_lines_are_made_safe_on_a_terminal_alone() {
    let print = |terminals| {
        let (output, captured) =
            Output::capture(Options { color: When::Always, ..options(Format::Table) }, terminals, "");
        output.remote_line("\x1b[31mred\x1b[2J").unwrap();
        captured.stdout()
    };
    assert_eq!(print(terminal(80)), "\x1b[31mred\\x1b[2J\x1b[0m\n");
    assert_eq!(print(PIPED), "\x1b[31mred\x1b[2J\n");
}

#[test]
fn notes_are_said_once_and_by_level() {
    let say = |change: fn(&mut Options)| {
        let mut options = options(Format::Json);
        change(&mut options);
        let (output, captured) = Output::capture(options, PIPED, "");
        output.warn("disk is full");
        output.warn("disk is full");
        output.done("started `web`");
        output.hint("look");
        output.info("one");
        output.debug("two\nlines\x1b");
        output.trace("three");
        captured.stderr()
    };
    assert_eq!(say(|_| ()), "warning: disk is full\nstarted `web`\nhint: look\n");
    assert_eq!(say(|o| (o.quiet, o.verbose) = (true, 2)), "info: one\ndebug: two\n  lines\\x1b\n");
    assert!(say(|o| o.verbose = 3).ends_with("trace: three\n"));
}

#[test]
fn notices_beside_a_remote_program_are_marked() {
    let (output, captured) = Output::capture(options(Format::Table), PIPED, "");
    output.mark_notices();
    let notes = output.notes();
    notes.say(crate::model::Note::Gap("output of a grandchild was cut".to_owned()));
    notes.info("silent without -v");
    assert_eq!(captured.stderr(), "esker: warning: output of a grandchild was cut\n");
}
