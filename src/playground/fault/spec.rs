//! One `--fault`.

use super::{GENERIC, Kind, Takes, Value};
use crate::config::duration;
use crate::error::{Error, Result};
use crate::playground::Simulator;
use std::time::Duration;

/// A fault, and the requests that meet it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The simulator it is meant for; all of them if `None`.
    pub simulator: Option<&'static str>,
    /// What happens.
    pub kind: Kind,
    /// How much of it.
    pub value: Value,
    /// How many requests still meet it; all of them if `None`.
    pub first: Option<u64>,
    /// The paths that meet it; all of them if `None`.
    pub path: Option<String>,
    /// The method that meets it, such as `DELETE`; all of them if `None`.
    pub method: Option<String>,
}

impl Spec {
    /// Whether a request with `method` for `path` meets it.
    pub(super) fn meets(&self, method: &str, path: &str) -> bool {
        self.first != Some(0)
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path.as_deref().is_none_or(|pattern| matches(pattern.as_bytes(), path.as_bytes()))
    }
}

/// Whether `text` is `pattern`, where `*` stands for anything.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skipped| matches(rest, &text[skipped..])),
        Some((first, rest)) => text.split_first().is_some_and(|(byte, text)| byte == first && matches(rest, text)),
    }
}

/// Reads a fault, for one or all of `simulators`.
///
/// # Errors
///
/// `Usage` for what cannot be read, with every kind that there is.
pub fn parse(text: &str, simulators: &[&'static Simulator]) -> Result<Spec> {
    let wrong = |why: String| Error::usage(format!("invalid fault `{text}`: {why}"));
    let named = text.split_once(':').and_then(|(id, rest)| Some((simulators.iter().find(|s| s.id == id)?, rest)));
    let (simulator, rest) = match named {
        Some((simulator, rest)) => (Some(*simulator), rest),
        None => (None, text),
    };
    let mut parts = rest.split(':');
    let word = parts.next().unwrap_or_default();
    let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
    let own = simulators.iter().filter(|s| simulator.is_none_or(|simulator| simulator.id == s.id));
    let kind = GENERIC.iter().chain(own.flat_map(|simulator| simulator.faults)).find(|kind| kind.name == name);
    let Some(kind) = kind.copied() else {
        return Err(wrong(format!("there is no `{name}`")).hint(format!("there are {}", names(simulators))));
    };
    let mut spec = Spec {
        simulator: simulator.map(|simulator| simulator.id),
        kind,
        value: read(kind, value).map_err(|why| wrong(format!("{}: {why}", kind.name)))?,
        first: None,
        path: None,
        method: None,
    };
    for part in parts {
        match part.split_once('=') {
            Some(("first", count)) => spec.first = Some(number(count).map_err(|why| wrong(format!("first: {why}")))?),
            Some(("path", glob)) => spec.path = Some(glob.to_owned()),
            Some(("method", method)) => spec.method = Some(method.to_owned()),
            _ => return Err(wrong(format!("`{part}` is neither `first=N`, `path=GLOB` nor `method=METHOD`"))),
        }
    }
    Ok(spec)
}

/// The value of a kind.
fn read(kind: Kind, value: Option<&str>) -> Result<Value, String> {
    Ok(match (kind.takes, value) {
        (Takes::Nothing, None) => Value::Nothing,
        (Takes::Nothing, Some(_)) => return Err("it takes no value".to_owned()),
        (Takes::Number(default), value) => Value::Number(value.map_or(Ok(default), number)?),
        (Takes::Seconds(default), value) => {
            Value::Duration(value.map_or(Ok(Duration::from_secs(default)), duration::parse)?)
        }
    })
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}` is not a number"))
}

/// Every kind by name, those of one simulator with it.
fn names(simulators: &[&'static Simulator]) -> String {
    let generic = GENERIC.iter().map(|kind| kind.name.to_owned());
    let own = simulators.iter().flat_map(|s| s.faults.iter().map(|kind| format!("{}:{}", s.id, kind.name)));
    generic.chain(own).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    static SPRITES: Simulator = Simulator {
        id: "sprites",
        summary: "",
        faults: &[Kind { name: "linger", takes: Takes::Seconds(5), about: "stay after the exit" }],
        hides: &[],
        examples: &[],
        start: |_| unreachable!("nobody starts it"),
    };

    fn read(text: &str) -> Result<Spec, String> {
        parse(text, &[&SPRITES]).map_err(|error| error.to_string())
    }

    #[test]
    fn a_fault_names_its_simulator_its_kind_and_its_requests() {
        let spec = read("sprites:503:first=3").unwrap();
        assert_eq!((spec.simulator, spec.kind.name, spec.value), (Some("sprites"), "503", Value::Nothing));
        assert_eq!((spec.first, spec.path), (Some(3), None));
        let spec = read("delay=2s:path=/v1/*/exec").unwrap();
        assert_eq!((spec.simulator, spec.value), (None, Value::Duration(Duration::from_secs(2))));
        assert!(spec.meets("GET", "/v1/sprites/a/exec") && !spec.meets("GET", "/v1/exec/x"));
        let spec = read("500:method=DELETE").unwrap();
        assert!(spec.meets("DELETE", "/x") && !spec.meets("GET", "/x"));
        assert_eq!(read("sprites:linger").unwrap().value, Value::Duration(Duration::from_secs(5)));
        assert_eq!(read("linger=1s").unwrap().kind.name, "linger");
        assert_eq!(read("cut=1000").unwrap().value, Value::Number(1000));
    }

    #[test]
    fn what_cannot_be_read_is_said_precisely() {
        assert_eq!(read("sprites:bogus").unwrap_err(), "invalid fault `sprites:bogus`: there is no `bogus`");
        assert_eq!(read("cut=x").unwrap_err(), "invalid fault `cut=x`: cut: `x` is not a number");
        assert_eq!(read("401=1").unwrap_err(), "invalid fault `401=1`: 401: it takes no value");
        assert_eq!(
            read("500:last=1").unwrap_err(),
            "invalid fault `500:last=1`: `last=1` is neither `first=N`, `path=GLOB` nor `method=METHOD`"
        );
        assert!(read("delay=soon").unwrap_err().starts_with("invalid fault `delay=soon`: delay: "));
        let hint = parse("nope", &[&SPRITES]).unwrap_err().parts().hint.clone().unwrap();
        assert!(hint.starts_with("there are delay, cut,") && hint.ends_with("503, sprites:linger"), "{hint}");
    }
}
