//! Notices: what happened, told once per key however often it happens (section 2.9).

use super::errors::{Refusal, Result};
use super::go;
use crate::model::Time;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a notice is kept after it last occurred.
const EXPIRE_AFTER: Duration = Duration::from_hours(7 * 24);

/// How many are kept.
const MAX_NOTICES: usize = 1000;

/// The longest key, in bytes.
const MAX_KEY: usize = 256;

/// The most data, as JSON, in bytes.
const MAX_DATA: usize = 4096;

/// One notice.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Notice {
    id: u64,
    /// Whose it is; everybody's if absent.
    user: Option<u32>,
    kind: String,
    key: String,
    first: Time,
    last: Time,
    /// When it was last told, in the order of which they are listed.
    pub(super) repeated: Time,
    occurrences: u64,
    data: BTreeMap<String, String>,
    repeat_after: Duration,
}

/// All notices.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Notices {
    all: Vec<Notice>,
    last_id: u64,
    /// The latest time that was given out: no two notices are told at the same moment.
    latest: Option<Time>,
}

/// Which notices are wanted.
#[derive(Debug, Default)]
pub(super) struct Filter {
    /// Those of these users and the public ones; of everybody if `None`.
    pub(super) user: Option<u32>,
    /// Of these types; of any if empty.
    pub(super) kinds: Vec<String>,
    /// With these keys; with any if empty.
    pub(super) keys: Vec<String>,
    /// Told after this moment.
    pub(super) after: Option<Time>,
}

/// What occurred.
#[derive(Debug, Default)]
pub(super) struct Occurrence {
    pub(super) user: Option<u32>,
    pub(super) kind: &'static str,
    pub(super) key: String,
    pub(super) data: BTreeMap<String, String>,
    pub(super) repeat_after: Duration,
}

impl Notice {
    /// As clients see it.
    pub(super) fn document(&self) -> Value {
        let mut document = json!({
            "id": self.id.to_string(),
            "user-id": self.user,
            "type": self.kind,
            "key": self.key,
            "first-occurred": self.first,
            "last-occurred": self.last,
            "last-repeated": self.repeated,
            "occurrences": self.occurrences,
        });
        if !self.data.is_empty() {
            document["last-data"] = json!(self.data);
        }
        if !self.repeat_after.is_zero() {
            document["repeat-after"] = json!(go::show(self.repeat_after));
        }
        document["expire-after"] = json!(go::show(EXPIRE_AFTER));
        document
    }

    /// Whether this user may see it; `None` is somebody who may see all.
    pub(super) fn is_for(&self, user: Option<u32>) -> bool {
        user.is_none() || self.user.is_none() || self.user == user
    }

    fn matches(&self, filter: &Filter) -> bool {
        self.is_for(filter.user)
            && (filter.kinds.is_empty() || filter.kinds.contains(&self.kind))
            && (filter.keys.is_empty() || filter.keys.contains(&self.key))
            && filter.after.is_none_or(|after| self.repeated > after)
    }
}

impl Notices {
    /// Records that something occurred; the number of its notice.
    pub(super) fn occur(&mut self, what: Occurrence) -> u64 {
        let now = self.moment();
        let is_same =
            |notice: &&mut Notice| notice.user == what.user && notice.kind == what.kind && notice.key == what.key;
        if let Some(notice) = self.all.iter_mut().find(is_same) {
            notice.occurrences += 1;
            notice.last = now;
            let told = notice.repeated;
            if what.repeat_after.is_zero() || now.duration_since(told).unsigned_abs() >= what.repeat_after {
                notice.repeated = now;
            }
            notice.data = what.data;
            notice.repeat_after = what.repeat_after;
            return notice.id;
        }
        self.last_id += 1;
        let id = self.last_id;
        self.all.push(Notice {
            id,
            user: what.user,
            kind: what.kind.to_owned(),
            key: what.key,
            first: now,
            last: now,
            repeated: now,
            occurrences: 1,
            data: what.data,
            repeat_after: what.repeat_after,
        });
        self.all.retain(|notice| now.duration_since(notice.last).unsigned_abs() < EXPIRE_AFTER);
        let over = self.all.len().saturating_sub(MAX_NOTICES);
        self.all.drain(..over);
        id
    }

    fn moment(&mut self) -> Time {
        let now = Time::now();
        let moment = match self.latest {
            Some(latest) if latest >= now => latest + Duration::from_nanos(1),
            _ => now,
        };
        self.latest = Some(moment);
        moment
    }

    /// The wanted ones, the least recently told first.
    pub(super) fn list(&self, filter: &Filter) -> Vec<&Notice> {
        let mut found: Vec<&Notice> = self.all.iter().filter(|notice| notice.matches(filter)).collect();
        found.sort_by_key(|notice| notice.repeated);
        found
    }

    /// A notice by its number.
    pub(super) fn get(&self, id: &str) -> Option<&Notice> {
        self.all.iter().find(|notice| notice.id.to_string() == id)
    }
}

/// A notice that a client adds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Adding {
    #[serde(default)]
    action: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    key: String,
    #[serde(default)]
    repeat_after: Option<String>,
    #[serde(default)]
    data: Option<Box<serde_json::value::RawValue>>,
}

impl Adding {
    /// What occurred to `user`, if it may be added.
    pub(super) fn occurrence(self, user: u32) -> Result<Occurrence> {
        if self.action != "add" {
            return Err(Refusal::bad(format!("invalid action {}", go::quote(&self.action))));
        }
        if self.kind != "custom" {
            let kind = go::quote(&self.kind);
            return Err(Refusal::bad(format!("invalid type {kind} (can only add \"custom\" notices)")));
        }
        if self.key.len() > MAX_KEY {
            return Err(Refusal::bad(format!("key must be {MAX_KEY} bytes or less")));
        }
        if !is_key(&self.key) {
            let key = go::quote(&self.key);
            return Err(Refusal::bad(format!("invalid key {key} (must be in \"example.com/path\" format)")));
        }
        let repeat_after = match self.repeat_after.as_deref() {
            None | Some("") => Duration::ZERO,
            Some(text) => go::duration(text).map_err(|why| Refusal::bad(format!("invalid repeat-after: {why}")))?,
        };
        let data = match self.data.as_deref().map(serde_json::value::RawValue::get) {
            None | Some("null") => BTreeMap::new(),
            Some(text) if text.len() > MAX_DATA => {
                return Err(Refusal::bad(format!("total size of data must be {MAX_DATA} bytes or less")));
            }
            Some(text) => serde_json::from_str(text).map_err(|error| {
                Refusal::bad(format!("cannot decode notice data: {}", go::json_error(&error, false)))
            })?,
        };
        Ok(Occurrence { user: Some(user), kind: "custom", key: self.key, data, repeat_after })
    }
}

/// `example.com/path`: a domain with a dot, then one segment at least, of small letters, digits and inner dashes.
fn is_key(key: &str) -> bool {
    let is_part = |part: &str| {
        let is_end = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        part.bytes().all(|byte| is_end(&byte) || byte == b'-')
            && part.as_bytes().first().is_some_and(is_end)
            && part.as_bytes().last().is_some_and(is_end)
    };
    let Some((domain, path)) = key.split_once('/') else { return false };
    domain.contains('.') && domain.split('.').all(is_part) && path.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adding(text: &str) -> Result<Occurrence> {
        serde_json::from_str::<Adding>(text).unwrap().occurrence(7)
    }

    fn occurrence(key: &str, user: Option<u32>) -> Occurrence {
        Occurrence { user, kind: "custom", key: key.to_owned(), ..Occurrence::default() }
    }

    #[test]
    fn keys_look_like_an_address() {
        for (key, is) in [
            ("a.b/c", true),
            ("example.com/a/b-1", true),
            ("", false),
            ("x", false),
            ("A.b/c", false),
            ("a.b", false),
            ("a.b/", false),
            ("a/b", false),
            ("a.b/c_d", false),
            ("a.b/-c", false),
        ] {
            assert_eq!(is_key(key), is, "{key}");
        }
    }

    #[test]
    fn what_may_not_be_added_is_refused() {
        for (text, why) in [
            (r#"{"action":"x"}"#, "invalid action \"x\""),
            (r#"{"action":"add","type":"warning"}"#, "invalid type \"warning\" (can only add \"custom\" notices)"),
            (
                r#"{"action":"add","type":"custom","key":"a.b/c","data":{"k":5}}"#,
                "cannot decode notice data: json: cannot unmarshal number into Go value of type string",
            ),
        ] {
            assert_eq!(adding(text).unwrap_err().message, why, "{text}");
        }
        assert!(adding(r#"{"action":"add","type":"custom","key":"a.b/c","data":null}"#).is_ok());
    }

    #[test]
    fn one_key_of_one_user_is_one_notice() {
        let mut notices = Notices::default();
        assert_eq!(notices.occur(occurrence("a.b/c", Some(1))), 1);
        assert_eq!(notices.occur(occurrence("a.b/c", Some(2))), 2);
        assert_eq!(notices.occur(occurrence("a.b/c", Some(1))), 1);
        let keys: Vec<u64> = notices.list(&Filter::default()).iter().map(|notice| notice.id).collect();
        assert_eq!(keys, [2, 1], "the one that was told last is the last");
        assert_eq!(notices.list(&Filter { user: Some(2), ..Filter::default() }).len(), 1);
        let after = notices.get("2").map(|notice| notice.repeated);
        assert_eq!(notices.list(&Filter { after, ..Filter::default() }).len(), 1);
    }

    #[test]
    fn what_is_told_seldom_is_counted_and_not_told_again() {
        let mut notices = Notices::default();
        let seldom = || Occurrence { repeat_after: Duration::from_hours(1), ..occurrence("a.b/c", None) };
        notices.occur(seldom());
        let told = notices.all[0].repeated;
        notices.occur(seldom());
        assert_eq!((notices.all[0].repeated, notices.all[0].occurrences), (told, 2));
    }
}
