//! What an agent may say at the edges of its protocol (section 8; the numbers are those of its list).

use super::protocol::Protocol;
use super::version::Build;
use crate::model::{AgentEvent, Channel, CommandId, DialogOutcome, EndReason};
use crate::provider::agent::{Answer, Command, Queue};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

const PI: &str = "0.87.1";
const OLD: &str = "0.73.1";
const OMP: &str = "omp/18.2.3";

/// A session, and the time that it is in.
struct Talk(Protocol, Instant);

impl Talk {
    fn with(build: &str) -> Self {
        let now = Instant::now();
        Self(Protocol::new(Build::parse(build).unwrap(), None, now), now)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Vec<AgentEvent> {
        self.0.feed(bytes, self.1);
        self.events()
    }

    fn hear(&mut self, line: &str) -> Vec<AgentEvent> {
        self.bytes(format!("{line}\n").as_bytes())
    }

    fn all(&mut self, lines: &[&str]) -> Vec<AgentEvent> {
        lines.iter().flat_map(|line| self.hear(line)).collect()
    }

    fn events(&mut self) -> Vec<AgentEvent> {
        std::iter::from_fn(|| self.0.event()).collect()
    }

    fn send(&mut self, command: &Command) -> String {
        self.0.send(command, self.1).0
    }

    fn prompt(&mut self) -> String {
        self.send(&Command::Prompt { text: "x".into(), images: Vec::new(), queue: Queue::Refuse })
    }

    /// What was written to the agent since.
    fn written(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.0.output()).map(|line| serde_json::from_slice(&line).unwrap()).collect()
    }

    /// A prompt that was accepted and began.
    fn begun(build: &str) -> Self {
        let mut talk = Self::with(build);
        let id = talk.prompt();
        talk.hear(&format!(r#"{{"id":"{id}","type":"response","command":"prompt","success":true}}"#));
        talk.hear(r#"{"type":"agent_start"}"#);
        talk
    }
}

fn ends(events: &[AgentEvent]) -> Vec<(EndReason, String)> {
    let end = |event: &AgentEvent| match event {
        AgentEvent::End { reason, final_text, .. } => Some((*reason, final_text.clone())),
        _ => None,
    };
    events.iter().filter_map(end).collect()
}

fn said(stop: &str, text: &str) -> String {
    let content = json!([{"type": "text", "text": text}]);
    let message = json!({"role": "assistant", "content": content, "stopReason": stop, "errorMessage": "why"});
    json!({"type": "message_end", "message": message}).to_string()
}

/// 5: the last line may have no end.
#[test]
fn a_last_line_without_an_end_counts_if_it_is_whole() {
    let mut talk = Talk::with(PI);
    talk.bytes(b"{\"type\":\"new_thing\"}");
    talk.0.end(talk.1);
    assert!(matches!(&talk.events()[..], [AgentEvent::Other { event, .. }] if event == "new_thing"));
    let mut talk = Talk::with(PI);
    talk.bytes(b"{\"type\":\"new_th");
    talk.0.end(talk.1);
    let events = talk.events();
    assert!(matches!(&events[..], [AgentEvent::Error { message, .. }] if message.contains("cut off after 15 bytes")));
}

/// 6: a character that is split, and bytes that are none.
#[test]
fn characters_may_come_in_pieces_or_be_broken() {
    let delta = |text: &[u8]| {
        let begin = br#"{"type":"message_update","assistantMessageEvent":{"type":"text_delta","delta":""#;
        [begin, text, b"\"}}\n"].concat()
    };
    let mut talk = Talk::with(PI);
    let line = delta("a😀\u{2028}b".as_bytes());
    let mut events = Vec::new();
    for byte in &line {
        events.extend(talk.bytes(&[*byte]));
    }
    let text = |events: &[AgentEvent]| match events {
        [AgentEvent::MessageDelta { channel: Channel::Assistant, text }] => text.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(text(&events), "a😀\u{2028}b");
    assert_eq!(text(&talk.bytes(&delta(b"a\xffb"))), "a\u{fffd}b");
}

/// 9: what a reader of JSON stumbles over.
#[test]
fn odd_json_is_read_or_passed_over() {
    let mut talk = Talk::with(PI);
    let is_other = |events: &[AgentEvent]| matches!(events, [AgentEvent::Other { .. }]);
    assert!(is_other(&talk.bytes("\u{feff}{\"type\":\"x\"}\n".as_bytes())), "a byte order mark");
    assert!(is_other(&talk.hear(r#"{"type":"a","type":"x"}"#)), "a key that stands twice");
    assert!(
        is_other(&talk.hear(r#"{"type":"x","n":123456789012345678901234567890,"m":1e999}"#))
            || talk.events().is_empty()
    );
    assert!(matches!(&talk.bytes(b"\0\0{\"type\":\"x\"}\n")[..], [AgentEvent::Log { .. }]), "NUL bytes");
    let deep = format!(
        r#"{{"type":"tool_execution_start","toolCallId":"d","toolName":"t","args":{}{}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    assert!(matches!(&talk.hear(&deep)[..], [AgentEvent::ToolStart { arguments: Value::Null, .. }]));
    assert!(is_other(&talk.hear(r#"{"type":"x"}"#)), "and it goes on");
}

/// 23: answers in any order, to nobody, twice, and without an id.
#[test]
fn answers_are_matched_by_their_ids() {
    let mut talk = Talk::with(OLD);
    let (first, second) = (talk.send(&Command::Models), talk.send(&Command::Models));
    let answer = |id: &str, n: u8| {
        format!(r#"{{"id":"{id}","type":"response","command":"get_available_models","success":true,"data":{n}}}"#)
    };
    let of = |events: &[AgentEvent]| match events {
        [AgentEvent::Reply(reply)] => (reply.id.clone(), reply.outcome.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(of(&talk.hear(&answer(&second, 2))), (CommandId(second.clone()), Ok(json!(2))));
    assert_eq!(of(&talk.hear(&answer(&first, 1))), (CommandId(first.clone()), Ok(json!(1))));
    for nobody in [&*first, "esker-99", "other", "7"] {
        assert_eq!(talk.hear(&answer(nobody, 3)), [], "{nobody}");
    }
    assert_eq!(talk.hear(r#"{"id":7,"type":"response","command":"x","success":true}"#), []);
    // One that failed without an id is that of the oldest command of the name.
    let odd = talk.send(&Command::Other { kind: "nope".into(), data: Map::new() });
    let failed = talk.hear(r#"{"type":"response","command":"nope","success":false,"error":"Unknown command: nope"}"#);
    assert_eq!(of(&failed), (CommandId(odd), Err("Unknown command: nope".to_owned())));
    let nobody = talk.hear(r#"{"type":"response","command":"parse","success":false,"error":"bad"}"#);
    assert!(matches!(&nobody[..], [AgentEvent::Error { fatal: false, .. }]));
}

/// 24: a prompt while another is under way; omp accepts it first and refuses it then.
#[test]
fn a_second_prompt_is_refused_and_the_first_goes_on() {
    for build in [OLD, PI, OMP] {
        let mut talk = Talk::begun(build);
        let second = talk.prompt();
        if build == OMP {
            talk.hear(&format!(r#"{{"id":"{second}","type":"response","command":"prompt","success":true}}"#));
        }
        let refused = talk.hear(&format!(
            r#"{{"id":"{second}","type":"response","command":"prompt","success":false,"error":"Agent is already processing."}}"#
        ));
        assert!(matches!(&refused[..], [AgentEvent::Reply(reply)] if reply.outcome.is_err()), "{build}: {refused:?}");
        assert!(talk.0.is_busy(), "{build}");
    }
}

/// 25: keys that are missing, `null` or of another kind.
#[test]
fn what_is_missing_is_no_error() {
    let mut talk = Talk::with(PI);
    for line in [
        r#"{"type":"message_update"}"#,
        r#"{"type":"message_update","assistantMessageEvent":null}"#,
        r#"{"type":"message_update","assistantMessageEvent":{"type":"text_delta","delta":null}}"#,
        r#"{"type":"message_end"}"#,
        r#"{"type":"tool_execution_start","toolName":"bash"}"#,
        r#"{"type":"tool_execution_update","toolCallId":null}"#,
        r#"{"type":"tool_execution_end"}"#,
        r#"{"type":"extension_ui_request","method":"confirm"}"#,
        r#"{"type":"extension_ui_request","id":"1","method":"cancel","targetId":"none"}"#,
        r#"{"type":"agent_end","messages":null,"willRetry":null}"#,
    ] {
        assert_eq!(talk.hear(line), [], "{line}");
    }
    assert!(matches!(&talk.hear("{}")[..], [AgentEvent::Other { event, .. }] if event == "unknown"));
}

/// 27, 43: a question may stand before the answer to the prompt that led to it, and is closed before an abort.
#[test]
fn a_question_comes_before_the_answer_and_goes_before_an_abort() {
    let mut talk = Talk::with(PI);
    let id = talk.prompt();
    let asked =
        talk.hear(r#"{"type":"extension_ui_request","id":"u1","method":"confirm","title":"Go?","message":"m"}"#);
    assert!(matches!(&asked[..], [AgentEvent::Interaction(_)]));
    talk.written();
    talk.send(&Command::Abort);
    let kinds: Vec<_> = talk.written().iter().map(|line| line["type"].clone()).collect();
    assert_eq!(kinds, ["extension_ui_response", "abort"]);
    assert!(matches!(&talk.events()[..], [AgentEvent::InteractionEnd { outcome: DialogOutcome::Cancelled, .. }]));
    let over = talk.hear(&format!(
        r#"{{"id":"{id}","type":"response","command":"prompt","success":true,"data":{{"disposition":"handled"}}}}"#
    ));
    assert_eq!(ends(&over), [(EndReason::Cancelled, String::new())]);
}

/// 29: an abort is answered before or after the end, once or twice, and when nothing is under way.
#[test]
fn an_abort_is_one_end_in_any_order() {
    for answer_first in [true, false] {
        let mut talk = Talk::begun(OMP);
        let (abort, again) = (talk.send(&Command::Abort), talk.send(&Command::Abort));
        let answer = |id: &str| format!(r#"{{"id":"{id}","type":"response","command":"abort","success":true}}"#);
        let (answers, end) = ([answer(&abort), answer(&again)], said("aborted", "partial"));
        let end = [&*end, r#"{"type":"agent_end","messages":[]}"#];
        let mut events = Vec::new();
        if answer_first {
            events.extend(talk.all(&answers.each_ref().map(String::as_str)));
        }
        events.extend(talk.all(&end));
        events.extend(talk.all(&answers.each_ref().map(String::as_str)));
        assert_eq!(ends(&events), [(EndReason::Cancelled, "partial".to_owned())], "{answer_first}");
    }
    let mut idle = Talk::with(PI);
    let id = idle.send(&Command::Abort);
    let events = idle.hear(&format!(r#"{{"id":"{id}","type":"response","command":"abort","success":true}}"#));
    assert!(matches!(&events[..], [AgentEvent::Reply(_)]));
}

/// 31, 34: what a message says in the end counts, whatever its pieces were, and so does why it stopped.
#[test]
fn the_last_message_decides() {
    let delta =
        r#"{"type":"message_update","assistantMessageEvent":{"type":"text_delta","contentIndex":1,"delta":"draft"}}"#;
    let repeated =
        r#"{"type":"message_update","assistantMessageEvent":{"type":"text_end","contentIndex":1,"content":"draft"}}"#;
    let end = [r#"{"type":"agent_end","willRetry":false}"#, r#"{"type":"agent_settled"}"#];
    for (stop, text, reason) in [
        ("stop", "final", EndReason::Completed),
        ("length", "cut", EndReason::Limit),
        ("error", "", EndReason::Error),
        ("aborted", "so far", EndReason::Cancelled),
        ("toolUse", "", EndReason::Error),
    ] {
        let mut talk = Talk::begun(PI);
        let events = talk.all(&[delta, repeated, &said(stop, text), end[0], end[1]]);
        let pieces = events.iter().filter(|event| matches!(event, AgentEvent::MessageDelta { .. })).count();
        assert_eq!((pieces, ends(&events)), (1, vec![(reason, text.to_owned())]), "{stop}");
    }
    // One without any piece, and one whose content is a plain text.
    let mut talk = Talk::begun(PI);
    let plain = r#"{"type":"message_end","message":{"role":"assistant","content":"plain","stopReason":"stop"}}"#;
    assert_eq!(ends(&talk.all(&[plain, end[0], end[1]])), [(EndReason::Completed, "plain".to_owned())]);
}

/// 31: the dialect that repeats the message with every piece says the same as the one that does not.
#[test]
fn both_dialects_are_one() {
    let short =
        r#"{"type":"message_update","assistantMessageEvent":{"type":"text_delta","contentIndex":0,"delta":" from"}}"#;
    let partial = r#"{"role":"assistant","content":[{"type":"text","text":"Hello from"}],"stopReason":"stop"}"#;
    let long = format!(
        r#"{{"type":"message_update","assistantMessageEvent":{{"type":"text_delta","contentIndex":0,"delta":" from","partial":{partial}}},"message":{partial}}}"#
    );
    assert_eq!(Talk::with(PI).hear(short), Talk::with(OLD).hear(&long));
    // 42: an empty piece is none.
    let empty =
        r#"{"type":"message_update","assistantMessageEvent":{"type":"toolcall_delta","contentIndex":2,"delta":""}}"#;
    assert_eq!(Talk::with(PI).hear(empty), []);
}

/// 32: tools that end in reverse, without having begun, with pictures alone, and that speak after their end.
#[test]
fn tools_end_in_any_order_and_are_silent_then() {
    let mut talk = Talk::with(PI);
    let start =
        |id: &str| format!(r#"{{"type":"tool_execution_start","toolCallId":"{id}","toolName":"bash","args":{{}}}}"#);
    let shown = |kind: &str, id: &str, text: &str| {
        let key = if kind == "end" { "result" } else { "partialResult" };
        json!({"type": format!("tool_execution_{kind}"), "toolCallId": id, "toolName": "bash",
            key: {"content": [{"type": "text", "text": text}]}, "isError": false})
        .to_string()
    };
    let lines = [
        start("a"),
        start("b"),
        shown("update", "a", "one\n"),
        shown("update", "a", "one\ntwo\n"),
        shown("end", "b", "B"),
        shown("end", "a", "A"),
        shown("update", "a", "late"),
    ];
    let events = talk.all(&lines.each_ref().map(String::as_str));
    let brief: Vec<String> = events
        .iter()
        .map(|event| match event {
            AgentEvent::ToolStart { tool_call_id, .. } => format!("start {tool_call_id}"),
            AgentEvent::ToolUpdate { tool_call_id, delta, .. } => format!("{tool_call_id} {delta:?}"),
            AgentEvent::ToolEnd { tool_call_id, result, .. } => format!("end {tool_call_id} {result}"),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(brief, ["start a", "start b", r#"a Some("one\n")"#, r#"a Some("two\n")"#, "end b B", "end a A"]);
    let picture = r#"{"type":"tool_execution_end","toolCallId":"c","toolName":"read","result":{"content":[{"type":"image","data":"AA==","mimeType":"image/png"}]},"isError":true}"#;
    let ended = talk.hear(picture);
    assert!(
        matches!(&ended[..], [AgentEvent::ToolEnd { name, result, is_error: true, details: None, duration_seconds: None, .. }]
            if name == "read" && result.is_empty()),
        "{ended:?}"
    );
}

/// 33, 35: what others say is no message, and usage counts once for each turn.
#[test]
fn only_the_agent_speaks_and_a_turn_is_counted_once() {
    let mut talk = Talk::begun(PI);
    for role in ["system", "user", "toolResult", "custom"] {
        let line = json!({"type": "message_end", "message": {"role": role, "content": "x"}}).to_string();
        assert_eq!(talk.hear(&line), [], "{role}");
    }
    let turn = |usage: Value| {
        json!({"type": "turn_end", "message": {"role": "assistant", "content": "x", "usage": usage}}).to_string()
    };
    let usage = json!({"input": 100, "output": 8, "cacheRead": 20, "totalTokens": 128});
    let end = json!({"type": "message_end", "message": {"role": "assistant", "content": "x", "usage": usage, "stopReason": "stop"}});
    let lines = [end.to_string(), turn(usage), turn(Value::Null), turn(json!({"input": 0, "output": 0}))];
    let events = talk.all(&lines.each_ref().map(String::as_str));
    let totals: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            AgentEvent::Usage { total, turns, .. } => Some((total.total_tokens, *turns)),
            _ => None,
        })
        .collect();
    assert_eq!(totals, [(128, 1), (128, 2), (128, 3)]);
}

/// 36, 37, 38, 41: several questions, in reverse, late, twice, without a limit, and withdrawn.
#[test]
fn every_question_has_its_own_fate() {
    let mut talk = Talk::with(OMP);
    let ask = |id: &str, timeout: &str| {
        format!(
            r#"{{"type":"extension_ui_request","id":"{id}","method":"select","title":"Pick","options":[" A ","Ä","no A"]{timeout}}}"#
        )
    };
    let lines =
        [ask("a", ""), ask("b", r#","timeout":0"#), ask("c", r#","timeout":86400000"#), ask("d", r#","timeout":50"#)];
    assert_eq!(talk.all(&lines.each_ref().map(String::as_str)).len(), 4);
    talk.written();
    let value = |text: &str| Answer::Value(text.to_owned());
    assert!(talk.0.answer(&"b".into(), &value("A")).is_err(), "an option is what it is, byte for byte");
    talk.0.answer(&"b".into(), &value(" A ")).unwrap();
    talk.0.answer(&"a".into(), &value("Ä")).unwrap();
    let values: Vec<_> = talk.written().iter().map(|line| (line["id"].clone(), line["value"].clone())).collect();
    assert_eq!(values, [(json!("b"), json!(" A ")), (json!("a"), json!("Ä"))]);
    assert!(talk.0.answer(&"a".into(), &value("Ä")).is_err(), "twice");
    talk.events();
    talk.0.tick(talk.1 + Duration::from_millis(60));
    assert!(
        matches!(&talk.events()[..], [AgentEvent::InteractionEnd { request_id, outcome: DialogOutcome::Expired, .. }] if request_id.as_str() == "d")
    );
    assert!(talk.0.answer(&"d".into(), &value("Ä")).is_err(), "late");
    let gone = talk.hear(r#"{"type":"extension_ui_request","id":"x","method":"cancel","targetId":"c"}"#);
    assert!(matches!(&gone[..], [AgentEvent::InteractionEnd { outcome: DialogOutcome::Withdrawn, .. }]));
}

/// 42: what is drawn again and again is told when it changes.
#[test]
fn a_flood_of_the_same_widget_is_one_event() {
    let mut talk = Talk::with(PI);
    let draw = |id: u32, text: &str| {
        format!(
            r#"{{"type":"extension_ui_request","id":"{id}","method":"setWidget","widgetKey":"w","widgetLines":["{text}"]}}"#
        )
    };
    let told: usize = (0..1000).map(|id| talk.hear(&draw(id, "same")).len()).sum();
    assert_eq!((told, talk.hear(&draw(1000, "other")).len()), (1, 1));
}

proptest! {
    /// 26: whatever is passed on, it goes out as one line with an object on it: `null` would end pi.
    #[test]
    fn what_we_write_is_one_object_on_a_line(kind in ".*", keys in proptest::collection::vec(".*", 0..4), text in ".*") {
        let data = keys.into_iter().map(|key| (key, Value::from(text.clone()))).collect();
        let mut talk = Talk::with(PI);
        talk.send(&Command::Other { kind, data });
        talk.send(&Command::Prompt { text, images: Vec::new(), queue: Queue::Steer });
        let lines: Vec<Vec<u8>> = std::iter::from_fn(|| talk.0.output()).collect();
        prop_assert_eq!(lines.len(), 2);
        for line in lines {
            prop_assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1));
            prop_assert!(serde_json::from_slice::<Value>(&line).unwrap().is_object());
        }
    }
}
