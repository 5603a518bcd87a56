//! What goes over the wire (section 2), as plain data. Tolerant: a key that is missing, `null` or unknown is no error,
//! and what is only passed on is not looked into.

use crate::provider::agent::{Answer, Command, Queue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// One line of an agent. A flat union of every kind of line, since kinds share names and grow; parts are left as they
/// came until somebody wants them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record<'a> {
    /// What kind of line it is.
    #[serde(borrow, default, rename = "type")]
    pub kind: Cow<'a, str>,
    /// Of a response, or of a dialog.
    #[serde(borrow)]
    pub id: Option<&'a RawValue>,
    /// `response`: the type of the command.
    pub command: Option<String>,
    /// `response`.
    pub success: Option<bool>,
    /// `response`; also the content of an `rpc_chunk`.
    #[serde(borrow)]
    pub data: Option<&'a RawValue>,
    /// `response`, `extension_error`: a text; `prompt_result`: an object.
    #[serde(borrow)]
    pub error: Option<&'a RawValue>,
    /// Of message events an object, of dialogs and notices a text.
    #[serde(borrow)]
    pub message: Option<&'a RawValue>,
    /// `message_update`.
    #[serde(borrow)]
    pub assistant_message_event: Option<&'a RawValue>,
    /// `tool_execution_*`.
    pub tool_call_id: Option<String>,
    /// `tool_execution_*`.
    pub tool_name: Option<String>,
    /// `tool_execution_start`.
    #[serde(borrow)]
    pub args: Option<&'a RawValue>,
    /// `tool_execution_update`.
    #[serde(borrow)]
    pub partial_result: Option<&'a RawValue>,
    /// `tool_execution_end`.
    #[serde(borrow)]
    pub result: Option<&'a RawValue>,
    /// `tool_execution_end`.
    pub is_error: Option<bool>,
    /// `agent_end`, `compaction_end`.
    pub will_retry: Option<bool>,
    /// `agent_end` of omp.
    pub is_terminal: Option<bool>,
    /// `auto_retry_start`.
    pub delay_ms: Option<f64>,
    /// `prompt_result`.
    pub agent_invoked: Option<bool>,
    /// `prompt_result`.
    pub session_settled: Option<bool>,
    /// `extension_ui_request`.
    pub method: Option<String>,
    /// `extension_ui_request`.
    pub title: Option<String>,
    /// `extension_ui_request`: `select`.
    pub options: Option<Vec<String>>,
    /// `extension_ui_request`: `input`.
    pub placeholder: Option<String>,
    /// `extension_ui_request`: `editor`.
    pub prefill: Option<String>,
    /// `extension_ui_request`, in milliseconds.
    pub timeout: Option<f64>,
    /// `extension_ui_request`: `notify`.
    pub notify_type: Option<String>,
    /// `extension_ui_request`: `cancel`.
    pub target_id: Option<String>,
    /// `extension_ui_request`: `open_url`.
    pub url: Option<String>,
    /// `notice`.
    #[serde(borrow)]
    pub level: Option<&'a RawValue>,
    /// `command_output`.
    #[serde(borrow)]
    pub text: Option<&'a RawValue>,
    /// `rpc_chunk`.
    pub chunk_id: Option<String>,
    /// `rpc_chunk`.
    pub index: Option<u64>,
    /// `rpc_chunk`.
    pub count: Option<u64>,
    /// `rpc_chunk`.
    pub byte_length: Option<u64>,
}

/// The text that a part is, if it is one.
pub fn text(part: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(part?.get()).ok()
}

/// A part as a value; `Null` where it is missing or nested deeper than anything sane.
pub fn value(part: Option<&RawValue>) -> Value {
    part.and_then(|part| serde_json::from_str(part.get()).ok()).unwrap_or_default()
}

/// A part in a shape of its own.
pub fn part<'a, T: Deserialize<'a>>(part: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(part?.get()).ok()
}

/// An id as text, whatever JSON it is.
pub fn id(part: Option<&RawValue>) -> Option<String> {
    let raw = part?.get();
    text(part).or_else(|| (raw != "null").then(|| raw.to_owned()))
}

/// Whether a line may hold halves of surrogate pairs. Whole pairs are written as the character that they are, so this is
/// rare; parts of a line are not looked into when it is read, so this comes first.
pub fn has_halves(line: &[u8]) -> bool {
    memchr::memmem::find(line, br"\ud").is_some() || memchr::memmem::find(line, br"\uD").is_some()
}

/// A line that `serde_json` refuses and JavaScript does not mind, made acceptable: text that is not UTF-8, halves of
/// surrogate pairs (a stream is cut between them), keys that stand twice. `None` if it is no JSON object at all.
pub fn mend(line: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(line);
    let text = whole_surrogates(text.trim_start_matches('\u{feff}'));
    let value: Map<String, Value> = serde_json::from_str(&text).ok()?;
    serde_json::to_string(&value).ok()
}

/// `\ud800` without its other half becomes U+FFFD.
fn whole_surrogates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let unit = |at: usize| escape.get(at..at + 6).filter(|e| e.starts_with("\\u")).and_then(hex);
        let len = match (unit(0), unit(6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                out.push('\u{fffd}');
                rest = &escape[6..];
                continue;
            }
            (Some(_), _) => 6,
            // The backslash and what it escapes.
            (None, _) => 1 + escape[1..].chars().next().map_or(0, char::len_utf8),
        };
        out.push_str(&escape[..len]);
        rest = &escape[len..];
    }
    out.push_str(rest);
    out
}

fn hex(escape: &str) -> Option<u32> {
    u32::from_str_radix(&escape[2..], 16).ok()
}

/// `assistantMessageEvent`. What `partial` repeats of the message so far is skipped.
#[derive(Debug, Deserialize)]
pub struct Delta<'a> {
    /// `text_delta`, `thinking_delta` and so on.
    #[serde(borrow, default, rename = "type")]
    pub kind: Cow<'a, str>,
    /// The new text.
    pub delta: Option<String>,
}

/// A message.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// `user`, `assistant`, `toolResult` and others.
    #[serde(default)]
    pub role: String,
    /// What it holds.
    pub content: Option<Content>,
    /// Who served it.
    pub provider: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// What it took.
    pub usage: Option<Usage>,
    /// Why it stopped.
    pub stop_reason: Option<String>,
    /// What failed.
    pub error_message: Option<String>,
}

/// The content of a message.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Content {
    /// A text.
    Text(String),
    /// Blocks.
    Blocks(Vec<Block>),
    /// Something newer.
    Unknown(serde::de::IgnoredAny),
}

/// A block of a message.
#[derive(Debug, Deserialize)]
pub struct Block {
    #[serde(default, rename = "type")]
    kind: String,
    text: Option<String>,
    thinking: Option<String>,
    id: Option<String>,
    name: Option<String>,
    arguments: Option<Value>,
}

/// A call of a tool that a message wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The call.
    pub id: String,
    /// The tool.
    pub name: String,
    /// What it is called with.
    pub arguments: Value,
}

impl Content {
    /// The texts in it, joined.
    pub fn text(&self) -> String {
        self.joined("text", |block| block.text.as_deref())
    }

    /// The thinking in it, joined.
    pub fn thinking(&self) -> String {
        match self {
            Self::Text(_) => String::new(),
            _ => self.joined("thinking", |block| block.thinking.as_deref()),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Blocks(blocks) => blocks.is_empty(),
            Self::Unknown(_) => false,
        }
    }

    /// The calls of tools in it.
    pub fn calls(self) -> Vec<Wanted> {
        let Self::Blocks(blocks) = self else { return Vec::new() };
        let calls = blocks.into_iter().filter(|block| block.kind == "toolCall");
        let whole = |block: Block| {
            Some(Wanted { id: block.id?, name: block.name?, arguments: block.arguments.unwrap_or_default() })
        };
        calls.filter_map(whole).collect()
    }

    fn joined(&self, kind: &str, get: fn(&Block) -> Option<&str>) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Blocks(blocks) => blocks.iter().filter(|block| block.kind == kind).filter_map(get).collect(),
            Self::Unknown(_) => String::new(),
        }
    }
}

/// What a tool shows: `result` and `partialResult`.
#[derive(Debug, Default, Deserialize)]
pub struct ToolResult {
    /// The blocks.
    pub content: Option<Content>,
    /// What the tool says beyond them.
    pub details: Option<Value>,
}

/// What a call of the model took. `input` does not count what came from a cache.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Tokens sent.
    pub input: Option<f64>,
    /// Tokens written.
    pub output: Option<f64>,
    /// Tokens from a cache.
    pub cache_read: Option<f64>,
    /// Tokens into a cache.
    pub cache_write: Option<f64>,
    /// In US dollars.
    pub cost: Option<Cost>,
}

/// Its price.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Cost {
    /// All of it.
    pub total: Option<f64>,
}

/// `get_state` (section 2.4), as far as it matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The model; a placeholder called `unknown` where there is none.
    pub model: Option<Model>,
    /// How much it thinks.
    pub thinking_level: Option<String>,
    /// Whether it works.
    pub is_streaming: Option<bool>,
    /// Whether it shortens its context.
    pub is_compacting: Option<bool>,
    /// Where the session is kept.
    pub session_file: Option<String>,
    /// The session.
    pub session_id: Option<String>,
    /// Messages in it.
    pub message_count: Option<u64>,
}

impl State {
    /// Whether something happens by itself.
    pub fn is_busy(&self) -> bool {
        self.is_streaming.unwrap_or_default() || self.is_compacting.unwrap_or_default()
    }
}

/// A model.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// Its id.
    #[serde(default)]
    pub id: String,
    /// Who serves it.
    #[serde(default)]
    pub provider: String,
    /// Its name.
    pub name: Option<String>,
    /// Whether it thinks.
    pub reasoning: Option<bool>,
    /// What it takes.
    pub input: Option<Vec<String>>,
    /// Tokens that it sees.
    pub context_window: Option<u64>,
    /// Tokens that it writes.
    pub max_tokens: Option<u64>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// The type of a command, and its other fields.
pub fn command(command: &Command) -> (String, Map<String, Value>) {
    let (kind, fields) = match command {
        Command::Prompt { text, images, queue } => {
            let mut fields = json!({ "message": text });
            if !images.is_empty() {
                let image = |image: &crate::provider::agent::Image| json!({ "type": "image", "data": STANDARD.encode(&image.data), "mimeType": image.mime_type });
                fields["images"] = images.iter().map(image).collect();
            }
            match queue {
                Queue::Refuse => {}
                Queue::Steer => fields["streamingBehavior"] = "steer".into(),
                Queue::FollowUp => fields["streamingBehavior"] = "followUp".into(),
            }
            ("prompt", fields)
        }
        Command::Abort => ("abort", Value::Null),
        Command::Bash { command, private } => {
            let mut fields = json!({ "command": command });
            if *private {
                fields["excludeFromContext"] = true.into();
            }
            ("bash", fields)
        }
        Command::Models => ("get_available_models", Value::Null),
        Command::ExportHtml { path } => match path {
            Some(path) => ("export_html", json!({ "outputPath": path })),
            None => ("export_html", Value::Null),
        },
        Command::Other { kind, data } => return (kind.clone(), data.clone()),
    };
    let fields = match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    (kind.to_owned(), fields)
}

/// A command as a line. Always an object: a bare `null` would end pi (section 2.2).
pub fn command_line(id: &str, kind: &str, fields: &Map<String, Value>) -> Vec<u8> {
    let mut object = Map::new();
    object.insert("id".to_owned(), id.into());
    object.insert("type".to_owned(), kind.into());
    for (key, value) in fields {
        if key != "id" && key != "type" {
            object.insert(key.clone(), value.clone());
        }
    }
    line(object)
}

/// The answer to a dialog as a line (section 2.6).
pub fn answer_line(id: &str, answer: &Answer) -> Vec<u8> {
    let mut object = Map::new();
    object.insert("type".to_owned(), "extension_ui_response".into());
    object.insert("id".to_owned(), id.into());
    match answer {
        Answer::Value(value) => object.insert("value".to_owned(), value.as_str().into()),
        Answer::Confirmed(yes) => object.insert("confirmed".to_owned(), (*yes).into()),
        Answer::Cancelled => object.insert("cancelled".to_owned(), true.into()),
    };
    line(object)
}

fn line(object: Map<String, Value>) -> Vec<u8> {
    let mut line = Value::Object(object).to_string().into_bytes();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn commands_are_what_the_reference_says() {
        let line = |what: Command| {
            let (kind, fields) = command(&what);
            String::from_utf8(command_line("c1", &kind, &fields)).unwrap()
        };
        let prompt = |queue| Command::Prompt { text: "a\u{2028}b\n".into(), images: Vec::new(), queue };
        assert_eq!(line(prompt(Queue::Refuse)), "{\"id\":\"c1\",\"type\":\"prompt\",\"message\":\"a\u{2028}b\\n\"}\n");
        assert!(line(prompt(Queue::Steer)).contains(r#""streamingBehavior":"steer""#));
        assert!(line(prompt(Queue::FollowUp)).contains(r#""streamingBehavior":"followUp""#));
        let image = crate::provider::agent::Image { data: Bytes::from_static(b"\xff"), mime_type: "image/png".into() };
        let pictured = Command::Prompt { text: "x".into(), images: vec![image], queue: Queue::Refuse };
        assert!(line(pictured).contains(r#""images":[{"type":"image","data":"/w==","mimeType":"image/png"}]"#));
        assert_eq!(line(Command::Abort), "{\"id\":\"c1\",\"type\":\"abort\"}\n");
        let bash = Command::Bash { command: "ls".into(), private: true };
        assert_eq!(line(bash), "{\"id\":\"c1\",\"type\":\"bash\",\"command\":\"ls\",\"excludeFromContext\":true}\n");
        // Neither the id nor the type of a command can be smuggled in beside it.
        let data = json!({"id": "x", "type": "y", "level": "high"}).as_object().unwrap().clone();
        assert_eq!(
            line(Command::Other { kind: "set_thinking_level".into(), data }),
            "{\"id\":\"c1\",\"type\":\"set_thinking_level\",\"level\":\"high\"}\n"
        );
    }

    #[test]
    fn answers_are_what_the_reference_says() {
        let line = |answer| String::from_utf8(answer_line("d", &answer)).unwrap();
        let begin = r#"{"type":"extension_ui_response","id":"d","#;
        assert_eq!(line(Answer::Value("Approve".into())), format!("{begin}\"value\":\"Approve\"}}\n"));
        assert_eq!(line(Answer::Confirmed(false)), format!("{begin}\"confirmed\":false}}\n"));
        assert_eq!(line(Answer::Cancelled), format!("{begin}\"cancelled\":true}}\n"));
    }

    #[test]
    fn what_javascript_writes_can_be_read() {
        let parse = |line: &str| {
            serde_json::from_str::<Record>(line).ok().map(|record| (record.kind.into_owned(), id(record.id)))
        };
        assert_eq!(parse(r#"{"type":"x","id":7}"#), Some(("x".into(), Some("7".into()))));
        assert_eq!(parse(r#"{"id":null,"type":"x","unknown":{"a":[1e999]}}"#), Some(("x".into(), None)));
        let deep = format!(r#"{{"type":"x","args":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        assert!(parse(&deep).is_some());
        assert_eq!(value(serde_json::from_str::<Record>(&deep).unwrap().args), Value::Null);
        // What needs mending first.
        let halves = r#"{"type":"a\ud83d","text":"\ud83d\ude00 \\ud83d \ude00"}"#;
        let mended: Value = serde_json::from_str(&mend(halves.as_bytes()).unwrap()).unwrap();
        assert_eq!(mended, json!({"type": "a\u{fffd}", "text": "\u{1f600} \\ud83d \u{fffd}"}));
        assert_eq!(mend(b"{\"type\":\"a\",\"type\":\"b\xff\"}").unwrap(), "{\"type\":\"b\u{fffd}\"}");
        assert_eq!(mend("\u{feff}{\"type\":\"a\"}".as_bytes()).unwrap(), r#"{"type":"a"}"#);
        for not in ["", "null", "[]", "12", "{\"a\"", "{\"a\":\"\\", "\"\\ud8"] {
            assert_eq!(mend(not.as_bytes()), None, "{not}");
        }
    }
}
