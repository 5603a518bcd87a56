//! Every recording of the real programs, replayed through the driver: whole, and split at random.

use super::protocol::Protocol;
use super::version::Build;
use crate::model::{AgentEvent, Channel, DialogOutcome, EndReason};
use crate::provider::agent::{Answer, Command, Queue};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn transcripts() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/agent/transcripts");
    let mut all: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| !path.to_string_lossy().contains("session-file"));
    all.sort();
    assert!(all.len() > 70);
    all
}

fn named(scenario: &str) -> PathBuf {
    transcripts().into_iter().find(|path| path.file_stem().unwrap() == scenario).expect(scenario)
}

fn build_of(path: &Path) -> Build {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let mut parts = name.split('-');
    let (program, version) = (parts.next().unwrap(), parts.next().unwrap());
    Build::parse(&if program == "omp" { format!("omp/{version}") } else { version.to_owned() }).unwrap()
}

/// How long an agent takes to answer: what it has to say by then comes first.
const ANSWER: Duration = Duration::from_millis(20);

/// A recording being replayed: what the recorded driver sent is sent by ours, and ids are exchanged. Time is that of the
/// recording.
struct Replay {
    protocol: Protocol,
    begun: Instant,
    clock: Instant,
    ids: BTreeMap<String, String>,
    events: Vec<AgentEvent>,
    /// How the bytes of the agent are split: the length of each piece in turn.
    cuts: Vec<usize>,
    /// What we asked by ourselves, and when.
    probes: VecDeque<(String, Instant)>,
}

impl Replay {
    fn new(path: &Path, cuts: Vec<usize>) -> Self {
        let clock = Instant::now();
        let protocol = Protocol::new(build_of(path), Some("/workspace/project".to_owned()), clock);
        let (ids, events, probes) = (BTreeMap::new(), Vec::new(), VecDeque::new());
        Self { protocol, begun: clock, clock, ids, events, cuts, probes }
    }

    fn run(mut self, path: &Path) -> Vec<AgentEvent> {
        let text = std::fs::read_to_string(path).unwrap();
        // Some records hold raw U+2028: only `\n` ends a line here too.
        for line in text.split('\n').filter(|line| !line.is_empty()) {
            let record: Value = serde_json::from_str(line).unwrap();
            if let Some(ms) = record["ms"].as_u64() {
                self.until(self.begun + Duration::from_millis(ms));
            }
            match record["dir"].as_str().unwrap() {
                "in" => self.sent(&record["msg"]),
                "out" => self.said(&record["msg"]),
                "out-raw" | "out-partial" => self.feed(record["text"].as_str().unwrap().as_bytes()),
                "err" => self.protocol.feed_log((record["text"].as_str().unwrap().to_owned() + "\n").as_bytes()),
                "exit" => {
                    // An agent that is asked whether it still works is idle by now.
                    self.until(self.clock + Duration::from_mins(1));
                    self.protocol.end(self.clock);
                }
                _ => {}
            }
            self.take();
        }
        self.events
    }

    /// Lets time pass, and answers meanwhile what we asked by ourselves.
    fn until(&mut self, end: Instant) {
        loop {
            self.take();
            let answer = self.probes.front().map(|(_, at)| *at + ANSWER);
            let wake = self.protocol.wake_at();
            match [answer, wake].into_iter().flatten().min() {
                Some(at) if at <= end => self.clock = self.clock.max(at),
                _ => break,
            }
            if answer.is_some_and(|at| at <= self.clock) {
                let (id, _) = self.probes.pop_front().unwrap();
                let answer = format!(
                    "{{\"id\":\"{id}\",\"type\":\"response\",\"command\":\"get_state\",\"success\":true,\
                     \"data\":{{\"isStreaming\":false,\"isCompacting\":false,\"sessionId\":\"s\"}}}}\n"
                );
                self.protocol.feed(answer.as_bytes(), self.clock);
            } else {
                self.protocol.tick(self.clock);
            }
        }
        self.clock = self.clock.max(end);
    }

    fn sent(&mut self, message: &Value) {
        let id = message["id"].as_str().unwrap_or_default().to_owned();
        match message["type"].as_str() {
            Some("extension_ui_response") => {
                let answer = match message {
                    _ if message["cancelled"] == true => Answer::Cancelled,
                    _ if message["confirmed"].is_boolean() => Answer::Confirmed(message["confirmed"] == true),
                    _ => Answer::Value(message["value"].as_str().unwrap_or_default().to_owned()),
                };
                // Recordings hold answers that are late or wrong on purpose.
                let _ = self.protocol.answer(&id.as_str().into(), &answer);
            }
            Some("prompt") => {
                let queue = match message["streamingBehavior"].as_str() {
                    Some("steer") => Queue::Steer,
                    Some(_) => Queue::FollowUp,
                    None => Queue::Refuse,
                };
                let text = message["message"].as_str().unwrap_or_default().to_owned();
                self.command(id, &Command::Prompt { text, images: Vec::new(), queue });
            }
            Some("abort") => self.command(id, &Command::Abort),
            Some(kind) => {
                let data = message.as_object().unwrap().clone();
                self.command(id, &Command::Other { kind: kind.to_owned(), data });
            }
            None => {}
        }
    }

    fn command(&mut self, id: String, command: &Command) {
        let ours = self.protocol.send(command, self.clock);
        self.ids.insert(id, ours.0);
    }

    fn said(&mut self, message: &Value) {
        let mut message = message.clone();
        if (message["type"] == "response" || message["type"] == "prompt_result")
            && let Some(ours) = message["id"].as_str().and_then(|id| self.ids.get(id))
        {
            message["id"] = ours.clone().into();
        }
        let line = message.to_string() + "\n";
        self.feed(line.as_bytes());
    }

    fn feed(&mut self, mut bytes: &[u8]) {
        let cuts = self.cuts.clone();
        let mut cuts = cuts.into_iter().cycle();
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(cuts.next().unwrap_or(bytes.len()).clamp(1, bytes.len()));
            self.protocol.feed(piece, self.clock);
            bytes = rest;
        }
    }

    fn take(&mut self) {
        self.events.extend(std::iter::from_fn(|| self.protocol.event()));
        while let Some(line) = self.protocol.output() {
            let line: Value = serde_json::from_slice(&line).expect("what we write is JSON");
            assert!(line.is_object(), "anything else would end pi");
            let id = line["id"].as_str().unwrap_or_default();
            if line["type"] == "get_state" && !self.ids.values().any(|ours| ours == id) {
                self.probes.push_back((id.to_owned(), self.clock));
            }
        }
    }
}

fn replay(path: &Path) -> Vec<AgentEvent> {
    Replay::new(path, Vec::new()).run(path)
}

fn ends(events: &[AgentEvent]) -> Vec<(EndReason, &str)> {
    let end = |event: &'_ AgentEvent| match event {
        AgentEvent::End { reason, .. } => Some(*reason),
        _ => None,
    };
    let texts = events.iter().filter_map(|event| match event {
        AgentEvent::End { final_text, .. } => Some(final_text.as_str()),
        _ => None,
    });
    events.iter().filter_map(end).zip(texts).collect()
}

fn text(events: &[AgentEvent], wanted: Channel) -> String {
    let piece = |event: &AgentEvent| match event {
        AgentEvent::MessageDelta { channel, text } if *channel == wanted => Some(text.clone()),
        _ => None,
    };
    events.iter().filter_map(piece).collect()
}

/// How each scenario ends, in every program that it was recorded with.
#[test]
fn every_recording_ends_as_it_did() {
    use EndReason::{Cancelled, Completed, Error};
    let expected: &[(&str, &[EndReason])] = &[
        ("plain", &[Completed]),
        ("think", &[Completed]),
        ("u2028", &[Completed]),
        ("tool", &[Completed]),
        ("toolwrite", &[Completed]),
        ("tooltwo", &[Completed]),
        ("toolbad", &[Completed]),
        ("abort", &[Cancelled]),
        ("aborttool", &[Cancelled]),
        ("abortqueue", &[Cancelled]),
        ("abortdialog", &[Cancelled]),
        ("approval", &[Completed]),
        ("approvaldeny", &[Completed]),
        ("err401", &[Error]),
        ("flaky", &[Completed]),
        ("queue", &[Completed]),
        ("eof", &[]),
        ("eofearly", &[]),
        ("sigterm", &[]),
    ];
    for path in transcripts() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let scenario = name.splitn(3, '-').nth(2).unwrap();
        let events = replay(&path);
        if let Some((_, expected)) = expected.iter().find(|(known, _)| *known == scenario) {
            let reasons: Vec<_> = ends(&events).into_iter().map(|(reason, _)| reason).collect();
            if scenario.starts_with("eof") || scenario == "sigterm" {
                // The run was dropped; at the end of the recording the agent is found idle.
                assert!(reasons.len() <= 1, "{name}: {reasons:?}");
            } else {
                assert_eq!(&reasons, expected, "{name}");
            }
        }
        let faults = events.iter().filter(|e| matches!(e, AgentEvent::Error { code, .. } if code == "protocol"));
        assert!(faults.count() == 0 || scenario.starts_with("bad") || scenario.starts_with("null"), "{name}");
    }
}

#[test]
fn a_run_is_not_over_before_its_retries_are() {
    for program in ["pi-0.73.1", "pi-0.87.1"] {
        let events = replay(&named(&format!("{program}-err500")));
        assert_eq!(ends(&events), [(EndReason::Error, "")], "{program}");
        let at = |wanted: &dyn Fn(&AgentEvent) -> bool| events.iter().rposition(wanted).unwrap();
        let end = at(&|event| matches!(event, AgentEvent::End { .. }));
        let retry = at(&|event| matches!(event, AgentEvent::Other { event, .. } if event == "auto_retry_end"));
        assert!(retry < end, "{program}");
        let failures = events.iter().filter(|e| matches!(e, AgentEvent::Error { code, .. } if code == "model"));
        assert_eq!(failures.count(), 3, "{program}");
    }
    let flaky = replay(&named("pi-0.87.1-flaky"));
    assert_eq!(ends(&flaky).len(), 1);
    assert!(!ends(&flaky)[0].1.is_empty());
    for program in ["pi-0.73.1", "pi-0.87.1"] {
        assert_eq!(ends(&replay(&named(&format!("{program}-abortretry")))).len(), 1, "{program}");
        assert_eq!(ends(&replay(&named(&format!("{program}-retrystate")))).len(), 1, "{program}");
    }
}

#[test]
fn both_dialects_say_the_same_text_once() {
    for program in ["pi-0.73.1", "pi-0.87.1", "omp-18.2.3"] {
        let events = replay(&named(&format!("{program}-plain")));
        assert_eq!(text(&events, Channel::Assistant), "Hello from the fake model.", "{program}");
        assert_eq!(ends(&events), [(EndReason::Completed, "Hello from the fake model.")], "{program}");
        let messages = events.iter().filter(|event| matches!(event, AgentEvent::Message { .. })).count();
        assert_eq!(messages, 1, "{program}: neither the prompt nor a tool's result is a message of the agent");
        let starts = events.iter().filter(|event| matches!(event, AgentEvent::Start { .. })).count();
        assert_eq!(starts, 1, "{program}");
        let AgentEvent::Usage { total, turns, .. } =
            events.iter().find(|event| matches!(event, AgentEvent::Usage { .. })).unwrap()
        else {
            unreachable!()
        };
        assert_eq!((total.input_tokens, total.cache_read_tokens, *turns), (100, 20, 1), "{program}");
        let thought = replay(&named(&format!("{program}-think")));
        assert!(!text(&thought, Channel::Thinking).is_empty(), "{program}");
        assert!(!text(&thought, Channel::Assistant).contains(&text(&thought, Channel::Thinking)), "{program}");
    }
    for program in ["pi-0.73.1", "pi-0.87.1"] {
        let text = text(&replay(&named(&format!("{program}-u2028"))), Channel::Assistant);
        assert!(text.contains('\u{2028}'), "{program}: {text:?}");
    }
}

#[test]
fn tools_begin_and_end_and_nothing_comes_after() {
    for path in transcripts().iter().filter(|path| path.to_string_lossy().contains("tool")) {
        let events = replay(path);
        let mut running = BTreeMap::new();
        for event in &events {
            match event {
                AgentEvent::ToolStart { tool_call_id, name, arguments } => {
                    assert!(arguments.is_object(), "{}", path.display());
                    running.insert(tool_call_id.clone(), name.clone());
                }
                AgentEvent::ToolUpdate { tool_call_id, name, .. } => {
                    assert_eq!(running.get(tool_call_id), Some(name), "{}", path.display());
                }
                AgentEvent::ToolEnd { tool_call_id, name, duration_seconds, .. } => {
                    assert_eq!(running.remove(tool_call_id).as_ref(), Some(name), "{}", path.display());
                    assert!(duration_seconds.is_some());
                }
                _ => {}
            }
        }
    }
    let two = replay(&named("pi-0.73.1-tooltwo"));
    let results: Vec<_> = two
        .iter()
        .filter_map(|event| match event {
            AgentEvent::ToolEnd { is_error, result, .. } => Some((*is_error, result.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(results.len(), 2);
    assert!(results.iter().any(|(is_error, text)| *is_error && text.contains("exited with code 3")), "{results:?}");
}

#[test]
fn questions_are_asked_answered_and_run_out_of_time() {
    for program in ["pi-0.73.1", "pi-0.87.1", "omp-18.2.3"] {
        let events = replay(&named(&format!("{program}-ui")));
        let asked = events.iter().filter(|event| matches!(event, AgentEvent::Interaction(_))).count();
        let outcomes: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                AgentEvent::InteractionEnd { outcome, .. } => Some(*outcome),
                _ => None,
            })
            .collect();
        assert_eq!(asked, outcomes.len(), "{program}: {outcomes:?}");
        assert!(outcomes.contains(&DialogOutcome::Answered), "{program}");
        assert!(outcomes.contains(&DialogOutcome::Expired), "{program}");
    }
    let withdrawn = replay(&named("omp-18.2.3-abortdialog"));
    assert!(withdrawn.iter().any(|event| matches!(
        event,
        AgentEvent::InteractionEnd { outcome: DialogOutcome::Cancelled | DialogOutcome::Withdrawn, .. }
    )));
    let approval = replay(&named("omp-18.2.3-approval"));
    let tool = approval.iter().find_map(|event| match event {
        AgentEvent::Interaction(dialog) => Some((dialog.tool.clone()?, dialog.arguments.clone()?)),
        _ => None,
    });
    let command = "echo hello-from-bash; echo err-line 1>&2";
    assert_eq!(tool, Some(("bash".to_owned(), serde_json::json!({ "command": command }))));
    for program in ["pi-0.73.1", "pi-0.87.1"] {
        let events = replay(&named(&format!("{program}-abortdialog")));
        let dialog = events.iter().find_map(|event| match event {
            AgentEvent::Interaction(dialog) => Some(dialog.clone()),
            _ => None,
        });
        let dialog = dialog.unwrap();
        assert_eq!(dialog.tool.as_deref(), Some("bash"), "{program}");
        assert_eq!(dialog.message.as_deref(), Some("rm -rf build"), "{program}");
    }
}

#[test]
fn failures_say_what_the_model_said() {
    for program in ["pi-0.73.1", "pi-0.87.1", "omp-18.2.3"] {
        let events = replay(&named(&format!("{program}-err401")));
        let error = events.iter().find_map(|event| match event {
            AgentEvent::End { error, .. } => error.clone(),
            _ => None,
        });
        assert!(error.as_ref().is_some_and(|error| error.contains("401")), "{program}: {error:?}");
    }
}

#[test]
fn garbage_between_the_lines_is_told_and_passed_over() {
    let mut protocol = Protocol::new(Build::parse("0.73.1").unwrap(), None, Instant::now());
    let mut hear = |bytes: &[u8]| {
        protocol.feed(bytes, Instant::now());
        std::iter::from_fn(|| protocol.event()).collect::<Vec<_>>()
    };
    assert!(matches!(&hear(b"Welcome!\n")[..], [AgentEvent::Log { text }] if text == "Welcome!"));
    assert!(matches!(&hear(b"{\"type\":\n")[..], [AgentEvent::Error { fatal: false, code, .. }] if code == "protocol"));
    assert!(
        matches!(&hear(b"{\"type\":\"new_thing\",\"x\":[1]}\n")[..], [AgentEvent::Other { event, .. }] if event == "new_thing")
    );
    for odd in ["null", "[]", "12", "\"text\""] {
        assert!(matches!(&hear(format!("{odd}\n").as_bytes())[..], [AgentEvent::Log { .. }]), "{odd}");
    }
    let halves =
        b"{\"type\":\"message_update\",\"assistantMessageEvent\":{\"type\":\"text_delta\",\"delta\":\"a\\ud83d\"}}\n";
    assert!(
        matches!(&hear(halves)[..], [AgentEvent::MessageDelta { text, .. }] if text == "a\u{fffd}"),
        "half a pair is shown as what it is"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn however_its_bytes_come_a_recording_says_the_same(
        which in 0usize..70,
        cuts in proptest::collection::vec(1usize..400, 1..20),
    ) {
        let all = transcripts();
        let path = &all[which % all.len()];
        let timeless = |mut events: Vec<AgentEvent>| {
            for event in &mut events {
                if let AgentEvent::ToolEnd { duration_seconds, .. } = event {
                    *duration_seconds = None;
                }
            }
            events
        };
        prop_assert_eq!(timeless(Replay::new(path, cuts).run(path)), timeless(replay(path)));
    }

    #[test]
    fn no_bytes_make_it_panic(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..100), 0..20)) {
        let mut protocol = Protocol::new(Build::parse("omp/18.2.3").unwrap(), None, Instant::now());
        for piece in pieces {
            protocol.feed(&piece, Instant::now());
            protocol.feed(b"\n{\"type\":\"", Instant::now());
        }
        protocol.end(Instant::now());
    }
}
