//! What becomes of an error: lines or an object, and the exit status.

use super::*;
use crate::error::{Effect, Wire};

fn failing() -> Error {
    let wire = Wire {
        status: Some(403),
        kind: Some("access-denied".to_owned()),
        message: Some("user lacks \x1bpermission".to_owned()),
        operation_id: Some("7".to_owned()),
        log: vec!["tried".to_owned()],
        ..Wire::default()
    };
    Error::forbidden("cannot start `web` on `prod`").at("pebble", "prod").wire(wire).hint("ask").effect(Effect::Unknown)
}

fn report(options: Options, error: impl Into<anyhow::Error>, exec: bool) -> (u8, String) {
    let (output, captured) = Output::capture(options, PIPED, "");
    let status = output.report(&error.into(), exec);
    assert_eq!(captured.stdout(), "", "errors never go to stdout");
    (status, captured.stderr())
}

#[test]
fn an_error_is_lines_for_people() {
    let (status, text) = report(options(Format::Table), failing(), false);
    assert_eq!(status, 5);
    insta::assert_snapshot!(text, @r"
    error: cannot start `web` on `prod`
    cause: pebble: user lacks \x1bpermission
    cause: nobody knows whether it was done
    hint: ask
    ");
    let wrapped = anyhow::Error::from(failing()).context("cannot restart everything");
    let (status, text) = report(options(Format::Table), wrapped, false);
    assert_eq!(
        (status, text.lines().take(2).collect::<Vec<_>>()),
        (5, vec!["error: cannot restart everything", "cause: cannot start `web` on `prod`",])
    );
}

#[test]
fn an_error_is_an_object_for_programs() {
    for format in [Format::Json, Format::Jsonl, Format::Yaml] {
        let (_, text) = report(options(format), failing(), false);
        assert_eq!(text.lines().count(), 1);
        let object: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            object,
            json!({"error": {
                "kind": "forbidden", "message": "cannot start `web` on `prod`", "hint": "ask",
                "causes": ["pebble: user lacks \u{1b}permission", "nobody knows whether it was done"],
                "provider": "pebble", "target": "prod", "exit_code": 5, "status": 403,
                "provider_kind": "access-denied", "provider_message": "user lacks \u{1b}permission",
                "request_id": null, "operation_id": "7", "log": ["tried"], "items": [],
            }})
        );
    }
}

#[test]
fn the_items_of_a_partial_failure_are_reported_each() {
    let item = |target: &str| Error::not_found("no service `web`").at("pebble", target);
    let partial = || Error::several("targets", vec![item("a"), item("b")], 1);
    let (status, text) = report(options(Format::Table), partial(), false);
    assert_eq!(status, 12);
    assert_eq!(text, "error: a: no service `web`\nerror: b: no service `web`\nerror: 2 of 3 targets failed\n");
    let (_, text) = report(options(Format::Json), partial(), false);
    let object: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(object["error"]["causes"], json!(["a: no service `web`", "b: no service `web`"]));
    assert_eq!(object["error"]["items"][1]["target"], "b");
    assert_eq!(object["error"]["items"][1]["kind"], "not_found");
}

#[test]
fn the_status_follows_the_kind_but_in_exec() {
    assert_eq!(report(options(Format::Table), Error::usage("x"), false).0, 2);
    assert_eq!(report(options(Format::Table), Error::usage("x"), true).0, 125);
    assert_eq!(report(options(Format::Table), Error::interrupted("x").status(143), true).0, 143);
    let (status, text) = report(options(Format::Table), anyhow::anyhow!("inner").context("outer"), false);
    assert_eq!((status, text.as_str()), (1, "error: outer\ncause: inner\n"));
    let (_, text) = report(options(Format::Json), Error::usage("x"), true);
    assert_eq!(text, "error: x\n", "exec heeds a format only from its flag");
    let flagged = Options { format_from_flag: true, ..options(Format::Json) };
    assert!(report(flagged, Error::usage("x"), true).1.contains("\"exit_code\":125"));
}

#[test]
fn technical_causes_wait_for_two_vs() {
    let error = || Error::unreachable("cannot connect").source(io::Error::from(io::ErrorKind::BrokenPipe));
    let (status, text) = report(options(Format::Table), error(), false);
    assert_eq!((status, text.as_str()), (10, "error: cannot connect\n"), "a broken connection is no closed stdout");
    let (_, text) = report(Options { verbose: 2, ..options(Format::Table) }, error(), false);
    assert_eq!(text, "error: cannot connect\ncause: broken pipe\n");
}

struct Failing(io::ErrorKind);

impl Write for Failing {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_stdout_is_silent_and_a_full_disk_is_not() {
    let outcome = |kind| {
        let captured = Captured::default();
        let (_, stderr) = captured.sinks();
        let output = Output::over(
            options(Format::Json),
            PIPED,
            Box::new(io::empty()),
            Box::new(Failing(kind)),
            Box::new(stderr),
        );
        let error = output.list(&services(), COLUMNS, &ListOptions::default()).unwrap_err();
        let several = Error::several("targets", vec![error], 1).wrap("cannot list");
        (output.report(&anyhow::Error::from(several).context("outer"), false), captured.stderr())
    };
    assert_eq!(outcome(io::ErrorKind::BrokenPipe), (0, String::new()));
    let (status, text) = outcome(io::ErrorKind::StorageFull);
    assert_eq!(status, 12);
    assert!(text.contains("cannot write to standard output: no storage space"), "{text}");
}
