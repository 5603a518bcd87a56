//! The commands (section 2.3).

use super::Dialect;
use super::agent::Agent;
use super::bash;
use super::session::{Session, text};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

impl Agent {
    /// Takes a command. What takes time is left to a task of its own: commands do not wait for each other.
    pub(super) fn command(self: &Arc<Self>, command: Value) {
        let id = command.get("id").filter(|id| !id.is_null());
        let kind = command["type"].as_str().unwrap_or_default().to_owned();
        let word = |key: &str| command[key].as_str().unwrap_or_default();
        let wire = &self.wire;
        let done = |data| wire.done(id, &kind, data);
        match kind.as_str() {
            "prompt" => self.prompt(&command),
            "steer" | "follow_up" => {
                self.queue(&kind, user(&command));
                done(None);
            }
            "abort" => self.spawn(command.clone(), |agent, command| async move {
                agent.set_stop(true);
                agent.idle().await;
                agent.wire.done(command.get("id"), "abort", None);
            }),
            "bash" => self.spawn(command.clone(), |agent, command| async move { agent.shell_command(&command).await }),
            "abort_bash" | "abort_retry" => {
                if kind == "abort_retry" && self.state().retrying {
                    self.set_stop(true);
                }
                done(None);
            }
            "clear_queue" if wire.dialect == Dialect::New => {
                let (steering, follow_up) = {
                    let mut state = self.state();
                    (std::mem::take(&mut state.steering), std::mem::take(&mut state.follow_up))
                };
                self.queued();
                let texts = |queue: std::collections::VecDeque<Value>| queue.iter().map(text).collect::<Vec<_>>();
                done(Some(json!({ "steering": texts(steering), "followUp": texts(follow_up) })));
            }
            "get_state" => done(Some(self.described())),
            "get_messages" => done(Some(json!({ "messages": self.state().session.messages() }))),
            "get_session_stats" => done(Some(self.stats())),
            "get_last_assistant_text" => {
                let messages = self.state().session.messages();
                let last = messages.iter().rev().find(|message| message["role"] == "assistant").map(text);
                done(Some(last.map_or_else(|| json!({}), |text| json!({ "text": text }))));
            }
            "get_available_models" => {
                done(Some(json!({ "models": self.catalogue.usable().map(|model| &model.row).collect::<Vec<_>>() })));
            }
            "set_model" => match self.catalogue.find(word("provider"), word("modelId")) {
                Some(model) => {
                    self.state().model = model.clone();
                    done(Some(model.row.clone()));
                }
                None => {
                    wire.failed(id, &kind, format!("Model not found: {}/{}", word("provider"), word("modelId")));
                }
            },
            "set_thinking_level" => {
                word("level").clone_into(&mut self.state().thinking);
                wire.say(&json!({ "type": "thinking_level_changed", "level": word("level") }));
                done(None);
            }
            "set_steering_mode" | "set_follow_up_mode" => {
                let mut state = self.state();
                let mode =
                    if kind == "set_steering_mode" { &mut state.steering_mode } else { &mut state.follow_up_mode };
                word("mode").clone_into(mode);
                drop(state);
                done(None);
            }
            "set_auto_compaction" | "set_auto_retry" => {
                let mut state = self.state();
                let setting = if kind == "set_auto_retry" { &mut state.auto_retry } else { &mut state.auto_compaction };
                *setting = command["enabled"] == true;
                drop(state);
                done(None);
            }
            "set_session_name" if command["name"].is_null() => {
                wire.failed(id, &kind, "Cannot read properties of undefined (reading 'trim')");
            }
            "set_session_name" if word("name").trim().is_empty() => {
                wire.failed(id, &kind, "Session name cannot be empty");
            }
            "set_session_name" => {
                self.rename(word("name"));
                wire.say(&json!({ "type": "session_info_changed", "name": word("name") }));
                done(None);
            }
            "compact" => self.compact(id),
            "export_html" => self.export(id, command["outputPath"].as_str()),
            "new_session" => {
                self.replace(|dir, cwd, old| {
                    let parent = old.path.as_ref().map(|path| path.display().to_string());
                    Session::new(dir, cwd, parent.as_deref())
                });
                done(Some(json!({ "cancelled": false })));
            }
            "switch_session" => {
                let path = word("sessionPath");
                self.replace(|dir, cwd, _| {
                    Session::open(Path::new(path)).unwrap_or_else(|| Session::new(dir, cwd, None))
                });
                done(Some(json!({ "cancelled": false })));
            }
            "clone" | "fork" | "branch" => self.branch(id, &kind, word("entryId")),
            "get_fork_messages" if wire.dialect.is_pi() => {
                done(Some(json!({ "messages": self.state().session.prompts() })));
            }
            "get_branch_messages" if !wire.dialect.is_pi() => {
                done(Some(json!({ "messages": self.state().session.prompts() })));
            }
            "get_commands" => {
                let named = self.directives.iter().filter_map(|directive| directive.command.as_deref());
                let commands: Vec<_> = named.map(|name| json!({ "name": name, "source": "extension" })).collect();
                done(Some(json!({ "commands": commands })));
            }
            "negotiate_protocol" if !wire.dialect.is_pi() => {
                done(Some(json!({ "protocolVersion": command["protocolVersion"] })));
            }
            _ => {
                let shown = command["type"].as_str().unwrap_or("undefined");
                // Only newer ones say which command it was about.
                let id = id.filter(|_| wire.dialect == Dialect::New);
                wire.failed(id, &kind, format!("Unknown command: {shown}"));
            }
        }
    }

    fn spawn<F>(self: &Arc<Self>, command: Value, work: impl FnOnce(Arc<Self>, Value) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        tokio::spawn(work(Arc::clone(self), command));
    }

    /// A prompt: a slash command, something for the queue, or work.
    fn prompt(self: &Arc<Self>, command: &Value) {
        let id = command.get("id");
        let Some(message) = command["message"].as_str() else {
            let why = "Cannot read properties of undefined (reading 'startsWith')";
            return self.wire.failed(id, "prompt", why);
        };
        let name = message.strip_prefix('/').and_then(|text| text.split_whitespace().next());
        let known = |name: &str| self.directives.iter().any(|directive| directive.command.as_deref() == Some(name));
        if let Some(name) = name.filter(|name| known(name)) {
            let (name, command) = (name.to_owned(), command.clone());
            return self.spawn(command, |agent, command| async move { agent.slash(&name, command.get("id")).await });
        }
        let queue = match command["streamingBehavior"].as_str() {
            Some("steer") => Some("steer"),
            Some("followUp") => Some("follow_up"),
            _ => None,
        };
        let is_working = self.state().working;
        match (is_working, queue) {
            (true, Some(queue)) => {
                self.queue(queue, user(command));
                self.wire.done(id, "prompt", None);
            }
            (true, None) => {
                if !self.wire.dialect.is_pi() {
                    // Twice, under one id.
                    self.wire.done(id, "prompt", None);
                }
                let why = "Agent is already processing. Specify streamingBehavior ('steer' or 'followUp') to queue the \
                           message.";
                self.wire.failed(id, "prompt", why);
            }
            (false, _) if self.state().model.key.is_none() => {
                self.wire.failed(id, "prompt", "No API key found for the selected model.");
            }
            (false, _) => {
                self.state().working = true;
                self.set_stop(false);
                self.wire.done(id, "prompt", None);
                self.spawn(user(command), |agent, message| async move { agent.work(message).await });
            }
        }
    }

    fn queue(&self, kind: &str, message: Value) {
        let mut state = self.state();
        let queue = if kind == "steer" { &mut state.steering } else { &mut state.follow_up };
        queue.push_back(message);
        drop(state);
        self.queued();
    }

    /// Says what is queued; omp does not.
    pub(super) fn queued(&self) {
        if self.wire.dialect.is_pi() {
            let state = self.state();
            let texts = |queue: &std::collections::VecDeque<Value>| queue.iter().map(text).collect::<Vec<_>>();
            let (steering, follow_up) = (texts(&state.steering), texts(&state.follow_up));
            drop(state);
            self.wire.say(&json!({ "type": "queue_update", "steering": steering, "followUp": follow_up }));
        }
    }

    /// A command of an extension. The answer comes when it is done, after whatever it asked.
    async fn slash(&self, name: &str, id: Option<&Value>) {
        let is_pi = self.wire.dialect.is_pi();
        if !is_pi {
            self.wire.done(id, "prompt", None);
        }
        let meant = self.directives.iter().filter(|directive| directive.command.as_deref() == Some(name));
        let mut shutdown = false;
        for directive in meant {
            for dialog in &directive.dialogs {
                self.dialogs.ask(&self.wire, dialog.clone().into()).await;
            }
            if let Some(text) = &directive.notify {
                self.wire.say(&json!({ "type": "extension_ui_request", "id": crate::transport::nonce(),
                    "method": "notify", "message": text, "notifyType": "info" }));
            }
            shutdown |= directive.shutdown;
        }
        if is_pi {
            self.wire.done(id, "prompt", None);
        } else {
            self.wire.say(&json!({ "type": "prompt_result", "id": id, "agentInvoked": false }));
        }
        if shutdown {
            self.shutdown.notify_one();
        }
    }

    async fn shell_command(&self, command: &Value) {
        let id = command.get("id");
        let updates = self.wire.dialect == Dialect::New;
        let ran = bash::run(
            &self.processes,
            &self.around.cwd,
            command["command"].as_str().unwrap_or_default(),
            self.stoppable(),
            |_, new| {
                if updates {
                    self.wire.say(&json!({ "type": "bash_execution_update", "id": id, "delta": new }));
                }
            },
        )
        .await;
        let data = json!({ "output": ran.output, "exitCode": ran.status, "cancelled": ran.status.is_none(),
            "truncated": false });
        self.wire.done(id, "bash", Some(data));
    }

    fn compact(&self, id: Option<&Value>) {
        let (start, end) = if self.wire.dialect.is_pi() {
            ("compaction_start", "compaction_end")
        } else {
            ("auto_compaction_start", "auto_compaction_end")
        };
        self.wire.say(&json!({ "type": start, "reason": "manual" }));
        // What is talked about in a playground is short.
        let why = "Nothing to compact (session too small)";
        self.wire.say(&json!({ "type": end, "reason": "manual", "aborted": false, "willRetry": false,
            "errorMessage": format!("Compaction failed: {why}") }));
        self.wire.failed(id, "compact", why);
    }

    fn export(&self, id: Option<&Value>, path: Option<&str>) {
        let (messages, session) = {
            let state = self.state();
            (state.session.messages(), state.session.id.clone())
        };
        let mut page = format!("<!doctype html>\n<html><title>{session}</title><body>\n");
        for message in &messages {
            let safe = text(message).replace('&', "&amp;").replace('<', "&lt;");
            let _ = writeln!(page, "<h2>{}</h2><pre>{safe}</pre>", message["role"].as_str().unwrap_or_default());
        }
        page.push_str("</body></html>\n");
        let name = path.map_or_else(|| format!("pi-session-{session}.html"), str::to_owned);
        match std::fs::write(self.around.cwd.join(&name), page) {
            Ok(()) => self.wire.done(id, "export_html", Some(json!({ "path": name }))),
            Err(error) => self.wire.failed(id, "export_html", error.to_string()),
        }
    }

    /// Goes on in another session.
    fn replace(&self, other: impl FnOnce(Option<&Path>, &str, &Session) -> Session) {
        let cwd = self.around.cwd.display().to_string();
        let mut state = self.state();
        let dir = state.session.path.as_ref().and_then(|path| path.parent()).map(Path::to_owned);
        state.session = other(dir.as_deref(), &cwd, &state.session);
    }

    fn branch(&self, id: Option<&Value>, kind: &str, entry: &str) {
        if kind == if self.wire.dialect.is_pi() { "branch" } else { "fork" }
            || !self.wire.dialect.is_pi() && kind == "clone"
        {
            return self.wire.failed(None, kind, format!("Unknown command: {kind}"));
        }
        if !self.state().session.is_saved() {
            let why = "This session has not been saved yet. Wait for the first assistant response before cloning or \
                       forking it.";
            return self.wire.failed(id, kind, why);
        }
        let mut said = None;
        self.replace(|dir, cwd, old| {
            let mut copy = old.fork(dir, cwd);
            said = if kind == "clone" { Some(None) } else { copy.cut(entry).map(Some) };
            copy
        });
        match said {
            Some(Some(text)) => self.wire.done(id, kind, Some(json!({ "text": text, "cancelled": false }))),
            Some(None) => self.wire.done(id, kind, Some(json!({ "cancelled": false }))),
            None => self.wire.failed(id, kind, "Invalid entry ID for forking"),
        }
    }

    /// `get_session_stats` (section 2.4).
    fn stats(&self) -> Value {
        let state = self.state();
        let messages = state.session.messages();
        let count = |role: &str| messages.iter().filter(|message| message["role"] == role).count();
        let sum = |key: &str| messages.iter().filter_map(|message| message["usage"][key].as_u64()).sum::<u64>();
        let cost: f64 = messages.iter().filter_map(|message| message["usage"]["cost"]["total"].as_f64()).sum();
        let calls = messages.iter().flat_map(|message| message["content"].as_array().cloned().unwrap_or_default());
        let calls = calls.filter(|block| block["type"] == "toolCall").count();
        json!({
            "sessionId": state.session.id, "sessionFile": state.session.path, "userMessages": count("user"),
            "assistantMessages": count("assistant"), "toolCalls": calls, "toolResults": count("toolResult"),
            "totalMessages": messages.len(), "cost": cost,
            "tokens": { "input": sum("input"), "output": sum("output"), "cacheRead": sum("cacheRead"),
                "cacheWrite": sum("cacheWrite"), "total": sum("totalTokens") },
        })
    }
}

/// What the user says, as a message.
fn user(command: &Value) -> Value {
    let mut content = vec![json!({ "type": "text", "text": command["message"].as_str().unwrap_or_default() })];
    content.extend(command["images"].as_array().cloned().unwrap_or_default());
    json!({ "role": "user", "content": content, "timestamp": crate::model::Time::now().as_millisecond() })
}
