//! Hibernating, migrating, copying, tagging, and where the console is.

use super::course::{Goal, Leg, filled};
use super::{VergeMachines, word};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::{Extra, Machine, MachineUrl};
use crate::operation::Operation;
use crate::provider::machines::{Deed, Row, Selector};
use crate::provider::vergeos::api::text;
use crate::provider::vergeos::filter::{all, equals};
use crate::provider::vergeos::resources::VergeResources;
use crate::provider::vergeos::rows::Select;
use crate::provider::vergeos::tables;
use crate::suggest::nearest;
use crate::transport::Method;
use serde_json::{Value, json};

/// The parameters of a copy.
const COPY: [&str; 5] = ["description", "preserve_macs", "preserve_device_uuids", "quiesce", "cluster"];

impl VergeMachines {
    pub(super) async fn deed(&self, which: &Selector, deed: Deed) -> Result<Operation<Machine>> {
        let brief = self.brief(which).await?;
        match deed {
            Deed::Hibernate => {
                let legs = vec![Leg::Act("hibernate", Value::Null), Leg::Wait(Goal::Hibernated)];
                self.follow(brief, "hibernate", legs).await
            }
            Deed::Migrate(to) => {
                let what = format!("migrate virtual machine `{}`", brief.name);
                if brief.status != "running" {
                    let why = format!("it is `{}`, and only what runs can be migrated", brief.status);
                    return Err(self.client.error(ErrorKind::Conflict, &what, &why));
                }
                let node = match &to {
                    Some(node) => VergeResources::number(&self.resources.key_of("nodes", node, "").await?.key),
                    None => Value::Null,
                };
                if node.as_u64().map(|node| node.to_string()).is_some_and(|node| brief.node.as_ref() == Some(&node)) {
                    self.client
                        .notes()
                        .info(format!("nothing to do: virtual machine `{}` runs there already", brief.name));
                    return Ok(Operation::done(None, self.detail(&brief.key).await?));
                }
                let params = Value::Object(filled([("preferred_node", node)]));
                let from = brief.node.clone();
                self.follow(brief, "migrate", vec![Leg::Act("migrate", params), Leg::Wait(Goal::Elsewhere(from))]).await
            }
            Deed::Clone { name, fields } => self.copy(&brief.key, &brief.name, &name, fields).await,
            Deed::Tag(tag) => self.tag(&brief.key, &brief.name, &tag, true).await,
            Deed::Untag(tag) => self.tag(&brief.key, &brief.name, &tag, false).await,
        }
    }

    /// A copy of the machine with this key, which may be the hidden one of a snapshot.
    pub(in crate::provider::vergeos) async fn copy(
        &self,
        key: &str,
        from: &str,
        name: &str,
        fields: Vec<(String, String)>,
    ) -> Result<Operation<Machine>> {
        let mut params = Row::from_iter([("name".to_owned(), name.into())]);
        for (field, value) in fields {
            if !COPY.contains(&field.as_str()) {
                let error = Error::usage(format!("a copy has no parameter `{field}`"));
                return Err(match nearest(&field, COPY) {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error.hint(format!("it has {}", COPY.join(", "))),
                });
            }
            let value = match field.as_str() {
                "description" => value.into(),
                "cluster" => VergeResources::number(&self.resources.key_of("clusters", &value, "").await?.key),
                _ => crate::config::boolean(&value).map(Value::from).ok_or_else(|| {
                    Error::usage(format!("invalid value `{value}` of `{field}`: {}", crate::config::BOOLEAN))
                })?,
            };
            params.insert(field, value);
        }
        let what = format!("clone virtual machine `{from}` as `{name}`");
        let body = json!({"vm": VergeResources::number(key), "action": "clone", "params": params});
        let sent: Result<Value> = self.client.send(&what, Method::POST, "vm_actions", Some(&body)).await;
        let answer = sent.map_err(|error| match error.parts().effect {
            Effect::Unknown => {
                error.hint(format!("it may exist now: `esker vm show {}/{name}` tells", self.client.endpoint()))
            }
            _ => error,
        })?;
        let made = answer.get("response").and_then(|response| response.get("vmkey")).and_then(text);
        let Some(made) = made else {
            return Err(self.client.garbled(&what, "it tells no key").effect(Effect::Done));
        };
        Ok(Operation::done(None, self.detail(&made).await?))
    }

    /// Puts a tag on a machine, or takes it away.
    async fn tag(&self, key: &str, name: &str, tag: &str, wanted: bool) -> Result<Operation<Machine>> {
        let tag_key = self.tag_key(tag).await?;
        let member = format!("vms/{key}");
        let verb = if wanted { "tag" } else { "untag" };
        let what = format!("{verb} virtual machine `{name}`");
        let filter = all([format!("tag eq {tag_key}"), equals("member", &member)]).unwrap_or_default();
        let there: Option<Row> =
            self.client.row(&what, &Select::new("tag_members", "$key").filter(filter).limit(1)).await?;
        match (there, wanted) {
            (None, true) => {
                let body = json!({"tag": VergeResources::number(&tag_key), "member": member});
                let body = body.as_object().cloned().unwrap_or_default();
                self.resources.post(&what, tables::known("tag_members"), &body).await?;
            }
            (Some(row), false) => {
                let member = row.get("$key").and_then(text).unwrap_or_default();
                self.client
                    .send::<Value>(&what, Method::DELETE, &format!("tag_members/{member}"), None::<&Row>)
                    .await?;
            }
            _ => self.client.notes().info(format!("nothing to do: that is how virtual machine `{name}` is")),
        }
        Ok(Operation::done(None, self.detail(key).await?))
    }

    /// The key of `TAG` or `CATEGORY/TAG`: names are unique in their category only.
    async fn tag_key(&self, tag: &str) -> Result<String> {
        let Some((category, name)) = tag.split_once('/') else {
            return Ok(self.resources.key_of("tags", tag, "").await?.key);
        };
        let what = format!("find tag `{tag}`");
        let filter = all([equals("name", name), equals("category#name", category)]).unwrap_or_default();
        let row: Option<Row> =
            self.client.row(&what, &Select::new("tags", "$key,name").filter(filter).limit(1)).await?;
        row.as_ref()
            .and_then(|row| row.get("$key"))
            .and_then(text)
            .ok_or_else(|| self.client.error(ErrorKind::NotFound, &what, "there is none"))
    }

    pub(super) async fn console_of(&self, which: &Selector) -> Result<MachineUrl> {
        let fields = "$key,name,machine,console,console_status#host as host,console_status#port as port";
        let row = self.resources.look_up(tables::known("vms"), which, None, fields).await?.fields;
        let (kind, host) = (word(&row, "console"), word(&row, "host"));
        let scheme = match kind {
            "vnc" => "vnc",
            "spice" => "spice",
            "serial" => "telnet",
            _ => {
                let what = format!("find the console of `{}`", word(&row, "name"));
                return Err(self.client.error(ErrorKind::NotFound, &what, "it has none"));
            }
        };
        let key = row.get("$key").and_then(text).unwrap_or_default();
        let page = format!("https://{}/#/vm-console/{key}", self.client.address());
        let port = row.get("port").and_then(text);
        let url = match port {
            Some(port) if !host.is_empty() && port != "0" => format!("{scheme}://{host}:{port}"),
            // Until it was opened once only the page has a console.
            _ => page.clone(),
        };
        let extra = Extra::from_iter([("page".to_owned(), page.into()), ("kind".to_owned(), kind.into())]);
        Ok(MachineUrl { url, access: None, extra })
    }
}
