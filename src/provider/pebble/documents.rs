//! Answers as received, and in the JSON of Pebble's own client, byte for byte (ux 4.7).
//!
//! That client decodes and encodes again; its field order is the wire's. So values pass through as raw text, and only
//! where it drops or adds a field is an object put together anew.

use super::cli_state::CliState;
use super::client::Client;
use super::names::Names;
use super::notices::{acknowledged, path_of};
use crate::error::{Error, Result};
use crate::provider::documents::{Document, Documents, Verbatim};
use crate::provider::notices::NoticesQuery;
use crate::transport::Request;
use crate::transport::query::Query;
use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The documents of a daemon.
pub(super) struct PebbleDocuments {
    pub(super) client: Client,
    pub(super) state: CliState,
}

#[async_trait]
impl Documents for PebbleDocuments {
    async fn document(&self, which: &Document, how: Verbatim) -> Result<Bytes> {
        let path = self.path_of(which)?;
        let what = "read the document";
        let (_, body) = self.client.fetch(what, Request::get(&path)).await?;
        if how == Verbatim::Raw {
            return Ok(with_newline(body.to_vec()));
        }
        let result = self.client.raw_result(what, &body)?;
        let text = match which {
            Document::Plan | Document::Metrics => {
                return Err(Error::unsupported("Pebble's own client prints no JSON of this")
                    .hint("use --raw for the answer as received"));
            }
            Document::Check { name } => self.check(name, &result).await?,
            Document::Identity(name) => {
                let identities: BTreeMap<String, Box<RawValue>> = self.read(&result)?;
                let found = identities.get(name).ok_or_else(|| Error::not_found(format!("no identity `{name}`")))?;
                found.get().to_owned()
            }
            _ => compat(which, &result).map_err(|error| self.client.garbled(what, &error.to_string()))?,
        };
        Ok(with_newline(text.into_bytes()))
    }
}

impl PebbleDocuments {
    fn path_of(&self, which: &Document) -> Result<String> {
        Ok(match which {
            Document::Services(names) => Query::new("/v1/services").list("names", names)?.build(),
            Document::Checks { level, names } => {
                Query::new("/v1/checks").maybe("level", level.as_ref()).list("names", names)?.build()
            }
            Document::Check { name } => Query::new("/v1/checks").with("names", name).build(),
            Document::Health { level, names } => {
                Query::new("/v1/health").maybe("level", level.as_ref()).list("names", names)?.build()
            }
            Document::Changes { service } => {
                Query::new("/v1/changes").with("select", "all").maybe("for", service.as_ref()).build()
            }
            Document::Change(id) => format!("/v1/changes/{}", crate::transport::query::escape(id.as_bytes())),
            Document::Notices(query) => path_of(query)?.build(),
            Document::Notice(id) => format!("/v1/notices/{}", crate::transport::query::escape(id.as_bytes())),
            Document::Warnings { all } => {
                let after = if *all { None } else { acknowledged(&self.client, &self.state) };
                path_of(&NoticesQuery { types: vec!["warning".into()], after, ..NoticesQuery::default() })?.build()
            }
            Document::Identities | Document::Identity(_) => "/v1/identities".to_owned(),
            Document::Plan => "/v1/plan?format=yaml".to_owned(),
            Document::Metrics => "/v1/metrics".to_owned(),
            Document::Info => "/v1/system-info".to_owned(),
            Document::Files { path, itself } => super::files::list_query(path, *itself),
        })
    }

    /// `check NAME`: the check, and the log of the change that failed.
    async fn check(&self, name: &str, result: &str) -> Result<String> {
        let checks: Vec<&RawValue> = self.read(result)?;
        let Some(check) = checks.first() else {
            return Err(Error::not_found(format!("no check `{name}` on `{}`", self.client.endpoint)));
        };
        let mut check: CompatCheck<'_> = self.read(check.get())?;
        if check.failures != 0 {
            let mut logs = String::new();
            for id in [check.change_id, check.prev_change_id].into_iter().flatten() {
                let id: String = self.read(id.get())?;
                let change = super::changes::fetch(&self.client, &id.into()).await?;
                for entry in change.tasks.first().iter().flat_map(|task| &task.log) {
                    logs.push_str(entry);
                    logs.push('\n');
                }
                if !logs.is_empty() {
                    break;
                }
            }
            check.logs = (!logs.is_empty()).then(|| go_string(&logs));
        }
        serde_json::to_string(&check).map_err(Error::internal)
    }

    fn read<'a, T: Deserialize<'a>>(&self, text: &'a str) -> Result<T> {
        serde_json::from_str(text).map_err(|error| self.client.garbled("read the document", &error.to_string()))
    }
}

/// The result in the form of Pebble's own client.
fn compat(which: &Document, result: &str) -> serde_json::Result<String> {
    match which {
        Document::Services(_) => by_name("services", serde_json::from_str::<Vec<&RawValue>>(result)?),
        Document::Checks { .. } => {
            let checks: Vec<CompatCheck<'_>> = serde_json::from_str(result)?;
            by_name("checks", checks)
        }
        Document::Changes { .. } => {
            let mut changes: Vec<CompatChange<'_>> = serde_json::from_str(result)?;
            changes.sort_by(|a, b| a.spawn_time.get().cmp(b.spawn_time.get()));
            wrapped("changes", &changes)
        }
        Document::Change(_) => serde_json::to_string(&serde_json::from_str::<CompatChange<'_>>(result)?),
        Document::Notices(_) => wrapped("notices", &serde_json::from_str::<&RawValue>(result)?),
        Document::Warnings { .. } => wrapped("warnings", &serde_json::from_str::<&RawValue>(result)?),
        Document::Identities => wrapped("identities", &serde_json::from_str::<&RawValue>(result)?),
        Document::Files { .. } => {
            let files: Vec<CompatFile<'_>> = serde_json::from_str(result)?;
            wrapped("files", &files)
        }
        Document::Info => {
            let info: super::api::SystemInfo = serde_json::from_str(result)?;
            let client = concat!("esker-", env!("CARGO_PKG_VERSION"));
            serde_json::to_string(&serde_json::json!({"client": client, "server": info.version}))
        }
        _ => Ok(result.to_owned()),
    }
}

/// `{"key":value}`
fn wrapped(key: &str, value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string(&BTreeMap::from([(key, value)]))
}

/// `{"key":{NAME:value}}`, the names sorted as Go sorts the keys of a map.
fn by_name<T: Serialize>(key: &str, values: Vec<T>) -> serde_json::Result<String> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        name: &'a RawValue,
    }
    let mut members = BTreeMap::new();
    for value in values {
        let text = to_raw_value(&value)?;
        let name = serde_json::from_str::<Named<'_>>(text.get())?.name.get().to_owned();
        members.insert(serde_json::from_str::<String>(&name)?, (name, text));
    }
    let members: Vec<String> = members.into_values().map(|(name, text)| format!("{name}:{text}")).collect();
    Ok(format!("{{\"{key}\":{{{}}}}}", members.join(",")))
}

/// A string as Go writes it: `<`, `>`, `&`, U+2028 and U+2029 escaped.
fn go_string(text: &str) -> Box<RawValue> {
    let mut json = serde_json::to_string(text).expect("a string is always JSON");
    for (plain, escaped) in
        [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026"), ('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029")]
    {
        if json.contains(plain) {
            json = json.replace(plain, escaped);
        }
    }
    RawValue::from_string(json).expect("escapes keep it JSON")
}

fn with_newline(mut bytes: Vec<u8>) -> Bytes {
    if bytes.last() != Some(&b'\n') {
        bytes.push(b'\n');
    }
    bytes.into()
}

/// Go prints `failures` also when it is 0, where the wire omits it.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
struct CompatCheck<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    level: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    startup: Option<&'a RawValue>,
    #[serde(borrow)]
    status: &'a RawValue,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    successes: Option<i64>,
    #[serde(default)]
    failures: i64,
    #[serde(default)]
    threshold: i64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    change_id: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    prev_change_id: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    logs: Option<Box<RawValue>>,
}

/// Go's client drops the `data` of a change (not that of its tasks).
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
struct CompatChange<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(borrow)]
    kind: &'a RawValue,
    #[serde(borrow)]
    summary: &'a RawValue,
    #[serde(borrow)]
    status: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    tasks: Option<&'a RawValue>,
    ready: bool,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    err: Option<&'a RawValue>,
    #[serde(borrow)]
    spawn_time: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    ready_time: Option<&'a RawValue>,
}

/// Go's `ls` omits owners that are unknown, where the wire says null or an empty name.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
struct CompatFile<'a> {
    #[serde(borrow)]
    path: &'a RawValue,
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow, rename = "type")]
    kind: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    size: Option<&'a RawValue>,
    #[serde(borrow)]
    permissions: &'a RawValue,
    #[serde(borrow)]
    last_modified: &'a RawValue,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_id: Option<i64>,
    #[serde(default, skip_serializing_if = "no_name")]
    user: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group_id: Option<i64>,
    #[serde(default, skip_serializing_if = "no_name")]
    group: Cow<'a, str>,
}

#[allow(clippy::ptr_arg)] // serde hands in the field as it is
fn no_name(name: &Cow<'_, str>) -> bool {
    name.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_the_wire_pass_through_and_names_are_sorted() {
        let result = r#"[{"name":"b\u003c","startup":"enabled"},{"name":"a","startup":"disabled"}]"#;
        let text = compat(&Document::Services(Vec::new()), result).unwrap();
        assert_eq!(
            text,
            r#"{"services":{"a":{"name":"a","startup":"disabled"},"b\u003c":{"name":"b\u003c","startup":"enabled"}}}"#
        );
    }

    #[test]
    fn what_go_adds_and_drops() {
        let checks = r#"[{"name":"a","startup":"enabled","status":"up","successes":1,"threshold":3}]"#;
        let text = compat(&Document::Checks { level: None, names: Vec::new() }, checks).unwrap();
        assert!(text.contains(r#""successes":1,"failures":0,"threshold":3"#), "{text}");
        let files = r#"[{"path":"/a","name":"a","type":"file","size":0,"permissions":"644","last-modified":"2026-01-01T00:00:00Z","user-id":null,"user":"","group-id":0,"group":"root"}]"#;
        let text = compat(&Document::Files { path: "/".into(), itself: false }, files).unwrap();
        assert!(text.ends_with(r#""last-modified":"2026-01-01T00:00:00Z","group-id":0,"group":"root"}]}"#), "{text}");
        assert_eq!(go_string("<a>&\n").get(), r#""\u003ca\u003e\u0026\n""#);
    }
}
