//! Turns an error into text or JSON on stderr, and into the exit status: the only place that decides either (U3, U4.10).

use crate::error::{Effect, Error, ErrorKind, Parts};
use crate::output::{Output, StdoutClosed, Tone, human, labelled};
use schemars::JsonSchema;
use serde::Serialize;

/// The object that ends stderr with `-o json|jsonl|yaml` (U4.10).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ErrorDocument")]
pub(crate) struct Document<'a> {
    error: Object<'a>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub(crate) struct Object<'a> {
    kind: &'static str,
    message: String,
    hint: Option<String>,
    causes: Vec<String>,
    provider: Option<&'a str>,
    target: Option<&'a str>,
    exit_code: u8,
    status: Option<u16>,
    provider_kind: Option<&'a str>,
    provider_message: Option<&'a str>,
    request_id: Option<&'a str>,
    operation_id: Option<&'a str>,
    log: &'a [String],
    /// The failures that make up this one, in the same form.
    items: Vec<Object<'a>>,
}

impl Output {
    /// Reports `error` on stderr and returns the exit status; `exec` is for commands that run a remote program, where
    /// every failure of ours is 125 (U3.2).
    ///
    /// A stdout that its reader closed is no failure: nothing is said, and the status is 0 (U8.4).
    pub fn report(&self, error: &anyhow::Error, exec: bool) -> u8 {
        if stdout_closed(error) {
            return 0;
        }
        let options = self.options();
        let told = Told::new(error, exec, options.verbose >= 2);
        // exec heeds a format only from its own flag (U4.12).
        let structured = options.format.is_structured() && (options.format_from_flag || !exec);
        if structured {
            let document = Document { error: told.object() };
            let line = serde_json::to_string(&document).unwrap_or_else(|_| r#"{"error":null}"#.to_owned());
            self.stderr(&(line + "\n"));
        } else {
            let mut text = String::new();
            told.write(&mut text, self.stderr_has_colors(), false);
            self.stderr(&text);
        }
        told.status()
    }
}

/// Whether the error comes from a stdout that its reader closed, itself or in one of its items.
pub fn stdout_closed(error: &anyhow::Error) -> bool {
    fn inside(error: &Error) -> bool {
        let parts = error.parts();
        parts.source.as_ref().is_some_and(stdout_closed) || parts.items.iter().any(inside)
    }
    error.chain().any(|cause| cause.is::<StdoutClosed>() || cause.downcast_ref::<Error>().is_some_and(inside))
}

/// An error, ready to be told.
struct Told<'a> {
    /// `None` for an error that is not ours.
    parts: Option<&'a Parts>,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
    exec: bool,
    items: Vec<Self>,
}

impl<'a> Told<'a> {
    /// Contexts that were wrapped around our error come first, and the error's own message becomes a cause of them.
    fn new(error: &'a anyhow::Error, exec: bool, technical: bool) -> Self {
        let mut outer = Vec::new();
        for cause in error.chain() {
            if let Some(ours) = cause.downcast_ref::<Error>() {
                return Self::ours(ours.parts(), outer, exec, technical);
            }
            outer.push(cause.to_string());
        }
        let mut causes = outer.into_iter();
        let message = causes.next().unwrap_or_default();
        Self { parts: None, message, causes: causes.collect(), hint: None, exec, items: Vec::new() }
    }

    fn ours(parts: &'a Parts, outer: Vec<String>, exec: bool, technical: bool) -> Self {
        let mut lines = outer.into_iter().chain([parts.message.clone()]);
        let message = lines.next().unwrap_or_default();
        let mut causes: Vec<_> = lines.chain(parts.causes.iter().cloned()).collect();
        if let Some(words) = parts.wire.as_ref().and_then(|wire| wire.message.as_deref()) {
            let is_told = message.contains(words) || causes.iter().any(|cause| cause.contains(words));
            if !is_told && !words.is_empty() {
                causes.push(match parts.provider {
                    Some(provider) => format!("{provider}: {words}"),
                    None => words.to_owned(),
                });
            }
        }
        if parts.effect == Effect::Unknown {
            causes.push("nobody knows whether it was done".to_owned());
        }
        if technical && let Some(source) = &parts.source {
            causes.extend(source.chain().map(ToString::to_string));
        }
        let wait = || parts.retry_after.map(|delay| format!("try again in {}", human::duration(delay)));
        let items = parts.items.iter().map(|item| Self::ours(item.parts(), Vec::new(), exec, technical)).collect();
        Self { parts: Some(parts), message, causes, hint: parts.hint.clone().or_else(wait), exec, items }
    }

    fn kind(&self) -> ErrorKind {
        self.parts.map_or(ErrorKind::Failure, |parts| parts.kind)
    }

    fn status(&self) -> u8 {
        let own = self.parts.and_then(|parts| parts.status);
        own.unwrap_or(if self.exec { 125 } else { self.kind().exit_code() })
    }

    fn target(&self) -> Option<&'a str> {
        self.parts.and_then(|parts| parts.target.as_deref())
    }

    fn object(&self) -> Object<'a> {
        let wire = self.parts.and_then(|parts| parts.wire.as_ref());
        let item = |item: &Self| match item.target() {
            Some(target) => format!("{target}: {}", item.message),
            None => item.message.clone(),
        };
        Object {
            kind: self.kind().name(),
            message: self.message.clone(),
            hint: self.hint.clone(),
            causes: self.causes.iter().cloned().chain(self.items.iter().map(item)).collect(),
            provider: self.parts.and_then(|parts| parts.provider),
            target: self.target(),
            exit_code: self.status(),
            status: wire.and_then(|wire| wire.status),
            provider_kind: wire.and_then(|wire| wire.kind.as_deref()),
            provider_message: wire.and_then(|wire| wire.message.as_deref()),
            request_id: wire.and_then(|wire| wire.request_id.as_deref()),
            operation_id: wire.and_then(|wire| wire.operation_id.as_deref()),
            log: wire.map_or(&[], |wire| &wire.log),
            items: self.items.iter().map(Self::object).collect(),
        }
    }

    /// A block per item, then the sum of them: the last line read is the one that explains the status.
    fn write(&self, text: &mut String, colors: bool, is_item: bool) {
        for item in &self.items {
            item.write(text, colors, true);
        }
        let message = match self.target() {
            Some(target) if is_item && !self.message.contains(&format!("`{target}`")) => {
                format!("{target}: {}", self.message)
            }
            _ => self.message.clone(),
        };
        text.push_str(&labelled("error", Tone::Bad, &message, colors));
        for cause in &self.causes {
            text.push_str(&labelled("cause", Tone::Dim, cause, colors));
        }
        let log = self.parts.and_then(|parts| parts.wire.as_ref()).map_or(&[][..], |wire| &wire.log);
        // What already explains it in words is not said a second time in the daemon's log.
        for line in log.iter().filter(|_| self.causes.is_empty()) {
            text.push_str(&labelled("log", Tone::Dim, line, colors));
        }
        if let Some(hint) = &self.hint {
            text.push_str(&labelled("hint", Tone::Literal, hint, colors));
        }
    }
}
