//! Every style of lane under pieces that are cut anywhere.

use super::*;
use crate::output::{Captured, Options, Terminals, fields, sink};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::io;

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

fn options(format: Format) -> Options {
    Options { format, format_from_flag: true, ..Options::default() }
}

fn output(format: Format) -> (Output, Captured) {
    Output::capture(options(format), Terminals::default(), "")
}

fn sources(targets: &[&str]) -> Vec<Source> {
    targets.iter().map(|target| Source { provider: "pebble", target: (*target).to_owned() }).collect()
}

fn ended(code: u8) -> ExecResult {
    ExecResult { exit_code: Some(code), duration_seconds: 0.5, ..ExecResult::default() }
}

fn out(bytes: &[u8]) -> (Fd, Bytes) {
    (Fd::Stdout, Bytes::copy_from_slice(bytes))
}

fn err(bytes: &[u8]) -> (Fd, Bytes) {
    (Fd::Stderr, Bytes::copy_from_slice(bytes))
}

/// Writes the pieces in turn, each to the lane of its index, ends all lanes and returns stdout and stderr.
fn lanes(style: LaneStyle, format: Format, targets: &[&str], pieces: &[(usize, (Fd, Bytes))]) -> (Vec<u8>, String) {
    let (output, captured) = output(format);
    run(async {
        let lanes = output.lanes(style, sources(targets));
        let mut all: Vec<_> = (0..targets.len()).map(|index| lanes.lane(index)).collect();
        for (index, (fd, bytes)) in pieces {
            all[*index].write(*fd, bytes.clone()).await.unwrap();
        }
        // The last target ends first: the order of a group does not depend on it.
        for (index, lane) in all.iter_mut().enumerate().rev() {
            lane.finish(ended(u8::try_from(index).unwrap())).await.unwrap();
        }
        lanes.close().await.unwrap();
    });
    (captured.stdout_bytes(), captured.stderr())
}

#[test]
fn raw_passes_bytes_untouched() {
    let bytes: Vec<u8> = (0..=255).cycle().take(200_000).collect();
    let pieces = [(0, out(&bytes)), (0, err(b"e")), (0, out(&bytes))];
    let (stdout, stderr) = lanes(LaneStyle::Raw, Format::Table, &["a"], &pieces);
    assert!(stdout == [bytes.clone(), bytes].concat());
    assert_eq!(stderr, "e");
}

#[test]
fn prefixed_lines_never_mix() {
    let pieces = [(0, out(b"one\ntw")), (1, out(b"ONE\nTW")), (0, out(b"o\n")), (1, err(b"oops")), (1, out(b"O"))];
    let (stdout, stderr) = lanes(LaneStyle::Prefix, Format::Table, &["a", "lab/b"], &pieces);
    assert_eq!(String::from_utf8(stdout).unwrap(), "a     | one\nlab/b | ONE\na     | two\nlab/b | TWO\n");
    assert_eq!(stderr, "lab/b | oops\n");
}

#[test]
fn groups_are_whole_and_in_order() {
    let pieces = [(1, out(b"B1\n")), (0, out(b"A1\n")), (1, err(b"B!\n")), (0, out(b"A2")), (2, out(b"C\n"))];
    let (stdout, stderr) = lanes(LaneStyle::Group, Format::Table, &["a", "b", "c"], &pieces);
    assert_eq!(String::from_utf8(stdout).unwrap(), "a | A1\na | A2\nb | B1\nc | C\n");
    assert_eq!(stderr, "b | B!\n");
}

#[test]
fn a_group_too_large_for_memory_comes_back_whole() {
    let line = [b"x".repeat(99), b"\n".to_vec()].concat();
    let big = line.repeat(30_000);
    let pieces: Vec<_> = big.chunks(70_001).map(|chunk| (1, out(chunk))).chain([(0, out(b"first\n"))]).collect();
    let (stdout, _) = lanes(LaneStyle::Group, Format::Table, &["a", "b"], &pieces);
    let text = String::from_utf8(stdout).unwrap();
    assert_eq!(text.lines().count(), 30_001);
    assert!(text.starts_with("a | first\nb | xxx"));
    assert!(text.lines().skip(1).all(|line| line.len() == 103));
}

#[test]
fn a_lost_target_neither_hides_its_output_nor_blocks_the_next() {
    let (output, captured) = output(Format::Table);
    run(async {
        let lanes = output.lanes(LaneStyle::Group, sources(&["a", "b"]));
        let (mut a, mut b) = (lanes.lane(0), lanes.lane(1));
        a.write(Fd::Stdout, Bytes::from_static(b"half")).await.unwrap();
        b.write(Fd::Stdout, Bytes::from_static(b"whole\n")).await.unwrap();
        drop(a);
        b.finish(ended(0)).await.unwrap();
        assert_eq!(captured.stdout(), "a | half\nb | whole\n");
        lanes.close().await.unwrap();
    });
    assert_eq!(captured.stdout(), "a | half\nb | whole\n");
}

#[test]
fn one_program_is_one_object() {
    let (stdout, stderr) =
        lanes(LaneStyle::Object, Format::Json, &["prod"], &[(0, out("ż".as_bytes())), (0, err(b"\xff\x00"))]);
    assert_eq!(stderr, "");
    let object: Value = serde_json::from_slice(&stdout).unwrap();
    assert_eq!(
        object,
        json!({
            "provider": "pebble", "target": "prod", "stdout": "ż", "stderr": null, "stderr_base64": "/wA=",
            "exit_code": 0, "signal": null, "operation_id": null, "duration_seconds": 0.5,
        })
    );
    assert!(stdout.starts_with(b"{\n  \"provider\"") && stdout.ends_with(b"}\n"));
}

#[test]
fn several_programs_are_an_array_in_order() {
    let pieces = [(1, out(b"B")), (0, out(b"A"))];
    let (stdout, _) = lanes(LaneStyle::Object, Format::Json, &["a", "b"], &pieces);
    let array: Value = serde_json::from_slice(&stdout).unwrap();
    assert_eq!(
        (&array[0]["stdout"], &array[1]["stdout"], &array[1]["exit_code"]),
        (&json!("A"), &json!("B"), &json!(1))
    );
    let (yaml, _) = lanes(LaneStyle::Object, Format::Yaml, &["a"], &[(0, out(b"one\ntwo\n"))]);
    assert!(String::from_utf8(yaml).unwrap().contains("target: a\nstdout: |\n  one\n  two\n"));
}

#[test]
fn the_object_has_the_keys_of_its_schema() {
    let mut keys = fields::keys::<crate::model::At<ExecResult>>();
    let (text, _) = lanes(LaneStyle::Object, Format::Json, &["a"], &[]);
    let (bytes, _) = lanes(LaneStyle::Object, Format::Json, &["a"], &[(0, out(b"\xff")), (0, err(b"\xff"))]);
    let mut printed: Vec<String> = Vec::new();
    for document in [text, bytes] {
        let Value::Object(object) = serde_json::from_slice(&document).unwrap() else { panic!("no object") };
        printed.extend(object.into_iter().map(|(key, _)| key));
    }
    printed.sort_unstable();
    printed.dedup();
    keys.sort_unstable();
    assert_eq!(printed, keys);
}

#[test]
fn a_large_output_is_never_cut() {
    // A two-byte character across every boundary that is even.
    let text = format!("a{}", "ż".repeat(10_000_000));
    let pieces: Vec<_> = text.as_bytes().chunks(1 << 20).map(|chunk| (0, out(chunk))).collect();
    let (stdout, _) = lanes(LaneStyle::Object, Format::Json, &["a"], &pieces);
    let object: Value = serde_json::from_slice(&stdout).unwrap();
    assert!(object["stdout"].as_str() == Some(&*text));
}

#[test]
fn fields_choose_keys_of_the_object() {
    let with = |names: &[&str]| {
        let fields = Some(names.iter().map(|name| (*name).to_owned()).collect());
        let (output, captured) = Output::capture(Options { fields, ..options(Format::Json) }, Terminals::default(), "");
        let closed = run(async {
            let lanes = output.lanes(LaneStyle::Object, sources(&["a"]));
            lanes.lane(0).finish(ended(3)).await.unwrap();
            lanes.close().await
        });
        (captured.stdout(), closed.err().map(|error| error.to_string()))
    };
    assert_eq!(with(&["exit_code"]), ("{\n  \"exit_code\": 3\n}\n".to_owned(), None));
    assert_eq!(with(&["code"]), (String::new(), Some("no field `code` for `--fields`".to_owned())));
}

#[test]
fn events_are_live_lines_and_one_result() {
    let pieces = [(0, out(b"a\xc5")), (0, err(b"\xff")), (0, out(b"\xbc\n"))];
    let (stdout, _) = lanes(LaneStyle::Events, Format::Jsonl, &["prod"], &pieces);
    insta::assert_snapshot!(String::from_utf8(stdout).unwrap(), @r#"
    {"type":"stdout","target":"prod","data":"a"}
    {"type":"stderr","target":"prod","data_base64":"/w=="}
    {"type":"stdout","target":"prod","data":"ż\n"}
    {"type":"result","provider":"pebble","target":"prod","exit_code":0,"signal":null,"operation_id":null,"duration_seconds":0.5}
    "#);
}

#[test]
fn the_style_follows_the_flag_and_the_number_of_targets() {
    let style = |format, format_from_flag, several| {
        let options = Options { format, format_from_flag, ..Options::default() };
        Output::capture(options, Terminals::default(), "").0.lane_style(several).map_err(|error| error.kind())
    };
    assert_eq!(style(Format::Table, false, false), Ok(LaneStyle::Raw));
    assert_eq!(style(Format::Json, false, false), Ok(LaneStyle::Raw));
    assert_eq!(style(Format::Json, true, true), Ok(LaneStyle::Object));
    assert_eq!(style(Format::Jsonl, true, false), Ok(LaneStyle::Events));
    assert_eq!(style(Format::Table, true, true), Ok(LaneStyle::Group));
    assert_eq!(style(Format::Csv, true, true), Err(crate::error::ErrorKind::Usage));
}

/// A reader that takes so many bytes and then leaves.
struct Leaves(usize);

impl io::Write for Leaves {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_leaves_stops_the_lane_silently() {
    let captured = Captured::default();
    let (_, stderr): (_, sink::Memory) = captured.sinks();
    let streams: (Box<Leaves>, Box<sink::Memory>) = (Box::new(Leaves(10)), Box::new(stderr));
    let output =
        Output::over(options(Format::Table), Terminals::default(), Box::new(io::empty()), streams.0, streams.1);
    let error = run(async {
        let lanes = output.lanes(LaneStyle::Raw, sources(&["a"]));
        let mut lane = lanes.lane(0);
        loop {
            if let Err(error) = lane.write(Fd::Stdout, Bytes::from_static(b"yes\n")).await {
                break error;
            }
        }
    });
    assert_eq!(output.report(&error.into(), true), 0);
    assert_eq!(captured.stderr(), "");
}

proptest! {
    #[test]
    fn events_carry_every_byte_however_it_is_cut(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..6), 0..12)) {
        use base64::Engine;
        let all: Vec<_> = pieces.iter().map(|piece| (0, out(piece))).collect();
        let (stdout, _) = lanes(LaneStyle::Events, Format::Jsonl, &["a"], &all);
        let mut bytes = Vec::new();
        for line in String::from_utf8(stdout).unwrap().lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            match (&event["data"], &event["data_base64"]) {
                (Value::String(text), _) => bytes.extend_from_slice(text.as_bytes()),
                (_, Value::String(text)) => bytes.extend(base64::engine::general_purpose::STANDARD.decode(text).unwrap()),
                _ => prop_assert_eq!(&event["type"], "result"),
            }
        }
        prop_assert_eq!(bytes, pieces.concat());
    }

    #[test]
    fn a_spool_gives_back_what_it_took(limit in 0usize..40, pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..30), 0..8)) {
        let mut spool = spool::Spool::new(limit);
        for piece in &pieces {
            spool.push(piece).unwrap();
        }
        let (all, mut back) = (pieces.concat(), Vec::new());
        spool.each(|chunk| { back.extend_from_slice(chunk); Ok(()) }).unwrap();
        prop_assert_eq!(spool.is_filed(), all.len() > limit);
        prop_assert_eq!(spool.is_text().unwrap(), std::str::from_utf8(&all).is_ok());
        prop_assert_eq!(back, all);
    }
}
