//! A model server on loopback that speaks the OpenAI-compatible protocol (pi reference 5.2). What it answers is chosen
//! by a word in the last message of the user.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request that it got.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) authorization: String,
    pub(crate) body: Value,
}

/// The server. Its threads end with the test process.
pub(crate) struct Model {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Model {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let failures = Arc::new(AtomicUsize::new(0));
        let (seen, listening) = (Arc::clone(&asked), listener);
        thread::spawn(move || {
            for stream in listening.incoming().flatten() {
                let (seen, failures) = (Arc::clone(&seen), Arc::clone(&failures));
                // A client that left is no failure of a test.
                thread::spawn(move || serve(stream, &seen, &failures));
            }
        });
        Self { port, asked }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// The configuration of an agent that talks to it (pi reference 1.4), whose key is written like this.
    pub(crate) fn models_json(&self, key: &str) -> String {
        json!({"providers": {"fake": {
            "baseUrl": format!("http://127.0.0.1:{}/v1", self.port),
            "api": "openai-completions",
            "apiKey": key,
            "compat": {"supportsDeveloperRole": false, "supportsReasoningEffort": false},
            "models": [{"id": "fake-1", "name": "Fake One", "reasoning": false, "input": ["text", "image"],
                "contextWindow": 128_000, "maxTokens": 4096,
                "cost": {"input": 1, "output": 2, "cacheRead": 0.1, "cacheWrite": 0}}],
        }}})
        .to_string()
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no thread panicked with it").clone()
    }
}

fn serve(stream: TcpStream, seen: &Mutex<Vec<Asked>>, failures: &AtomicUsize) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut length = 0;
    let mut authorization = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().ok()?,
                "authorization" => value.trim().clone_into(&mut authorization),
                _ => {}
            }
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body: Value = serde_json::from_slice(&body).ok()?;
    seen.lock().ok()?.push(Asked { authorization, body: body.clone() });
    Reply { stream }.answer(&body, failures)
}

/// The text of a message, whatever form it has.
pub(crate) fn text(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

struct Reply {
    stream: TcpStream,
}

impl Reply {
    fn answer(mut self, body: &Value, failures: &AtomicUsize) -> Option<()> {
        let messages = body["messages"].as_array()?;
        let users: Vec<String> = messages.iter().filter(|m| m["role"] == "user").map(text).collect();
        let prompt = users.last()?.clone();
        let after_tool = messages.last()?["role"] == "tool";
        let has = |word: &str| prompt.contains(word);
        if has("HTTP401") {
            return self.fail(401, "Incorrect API key provided");
        }
        if has("HTTP500") {
            return self.fail(500, "fake internal error");
        }
        if has("FLAKY") && failures.fetch_add(1, Ordering::SeqCst) < 2 {
            return self.fail(500, "fake internal error");
        }
        if has("STALL") {
            thread::sleep(Duration::from_mins(10));
            return None;
        }
        if has("SLOW") {
            self.begin()?;
            loop {
                self.chunk(&json!({"content": "tick "}), None)?;
                thread::sleep(Duration::from_millis(20));
            }
        }
        if has("FOREVER") {
            return self.tool("bash", &json!({"command": "echo again | tee -a again"}));
        }
        if after_tool {
            return self.say("Tool finished.");
        }
        if has("THINK") {
            self.begin()?;
            for word in ["Let ", "me ", "see."] {
                self.chunk(&json!({"reasoning_content": word}), None)?;
            }
            return self.words("Hello from the fake model.");
        }
        if has("U2028") {
            return self.say("a\u{2028}b\u{2029}c\u{85}d\r\ne");
        }
        if has("WRITE") {
            return self.tool("write", &json!({"path": "new.txt", "content": "written\n"}));
        }
        if has("TWO") {
            let calls = [json!({"command": "echo first"}), json!({"command": "echo second; exit 3"})];
            return self.tools("bash", &calls);
        }
        if has("BADTOOL") {
            return self.tool("no_such_tool", &json!({}));
        }
        if has("PAUSE") {
            return self.tool("bash", &json!({"command": "while [ ! -e go ]; do sleep 0.02; done"}));
        }
        if has("EDIT") {
            let edits = json!([{"oldText": "old line", "newText": "new line"}]);
            return self.tool("edit", &json!({"path": "file.txt", "edits": edits}));
        }
        if has("REMOVE") {
            return self.tool("bash", &json!({"command": "rm -rf build"}));
        }
        if let Some(command) = prompt.strip_prefix("BASH ") {
            return self.tool("bash", &json!({"command": command}));
        }
        if has("SLEEP") {
            let seconds = prompt.split_whitespace().last().unwrap_or("987");
            return self.tool("bash", &json!({"command": format!("echo up; exec sleep {seconds}")}));
        }
        if has("does not keep to the schema") {
            return self.say("{\"answer\": 42}");
        }
        if has("JSON Schema") {
            return self.say("Sure! The answer is 42.");
        }
        if has("RECALL") {
            return self.say(&format!("I remember {} prompts, first {:?}.", users.len(), users[0]));
        }
        self.say("Hello from the fake model.")
    }

    fn fail(&mut self, status: u16, message: &str) -> Option<()> {
        let body = json!({"error": {"message": message, "type": "fake", "code": status}}).to_string();
        let head = format!("HTTP/1.1 {status} Fake\r\ncontent-type: application/json\r\nconnection: close\r\n");
        write!(self.stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).ok()
    }

    fn begin(&mut self) -> Option<()> {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        self.stream.write_all(head.as_bytes()).ok()?;
        self.chunk(&json!({"role": "assistant", "content": ""}), None)
    }

    fn chunk(&mut self, delta: &Value, finish: Option<&str>) -> Option<()> {
        let chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000,
            "model": "fake-1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
        write!(self.stream, "data: {chunk}\n\n").ok()?;
        self.stream.flush().ok()
    }

    fn end(&mut self, finish: &str) -> Option<()> {
        self.chunk(&json!({}), Some(finish))?;
        let usage = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000,
            "model": "fake-1", "choices": [], "usage": {"prompt_tokens": 120, "completion_tokens": 8,
            "total_tokens": 128, "prompt_tokens_details": {"cached_tokens": 20}}});
        write!(self.stream, "data: {usage}\n\ndata: [DONE]\n\n").ok()
    }

    fn say(&mut self, text: &str) -> Option<()> {
        self.begin()?;
        self.words(text)
    }

    fn words(&mut self, text: &str) -> Option<()> {
        for word in text.split_inclusive(' ') {
            self.chunk(&json!({"content": word}), None)?;
        }
        self.end("stop")
    }

    fn tool(&mut self, name: &str, arguments: &Value) -> Option<()> {
        self.tools(name, std::slice::from_ref(arguments))
    }

    /// Several calls in one message.
    fn tools(&mut self, name: &str, calls: &[Value]) -> Option<()> {
        self.begin()?;
        for (index, arguments) in calls.iter().enumerate() {
            let (id, function) = (format!("call_{}", index + 1), json!({"name": name, "arguments": ""}));
            let call = json!({"index": index, "id": id, "type": "function", "function": function});
            self.chunk(&json!({"tool_calls": [call]}), None)?;
            let call = json!({"index": index, "function": {"arguments": arguments.to_string()}});
            self.chunk(&json!({"tool_calls": [call]}), None)?;
        }
        self.end("tool_calls")
    }
}
