//! Doing something to a row: the routes of the table as requests.

use super::VergeResources;
use super::find::{condition, number};
use super::write::{identity, row_path};
use crate::config::duration;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::{Record, Time};
use crate::operation::Operation;
use crate::provider::machines::{Row, Selector};
use crate::provider::resources::{Fields, Shelf, TableAction};
use crate::provider::vergeos::api::{reference, text};
use crate::provider::vergeos::rows::Select;
use crate::provider::vergeos::settle::Watch;
use crate::provider::vergeos::tables::{Def, Route};
use crate::suggest::nearest;
use crate::transport::Method;
use serde_json::{Value, json};

/// A request: method, path, body.
struct Wire {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl Wire {
    fn post(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, path: path.into(), body: Some(body) }
    }

    fn put(path: impl Into<String>, body: Option<Value>) -> Self {
        Self { method: Method::PUT, path: path.into(), body }
    }
}

impl VergeResources {
    pub(super) async fn perform(
        &self,
        shelf: &Shelf,
        which: Option<&Selector>,
        action: &'static TableAction,
        params: Fields,
    ) -> Result<Operation<Record>> {
        let def = Self::def(shelf.table);
        let how = def.how(action);
        let mut params = self.parameters(def, action, params).await?;
        if def.name() == "vnets" && matches!(action.wire, "poweron" | "reset") {
            // What was changed of the rules meanwhile takes effect with the start, unless that is refused.
            params.entry("apply").or_insert(true.into());
        }
        let found = match which {
            Some(which) => {
                let held = self.held(def, shelf).await?;
                self.look_up(def, which, held.map(|held| held.filter), &identity(def, needed(def, how.route))).await?
            }
            None => Record { table: def.name().to_owned(), ..Record::default() },
        };
        if def.name() == "vnets" && !matches!(how.route, Route::Put(_)) && action.wire != "refresh" {
            self.spare(&found.fields, action.name)?;
        }
        let name = which.map_or_else(String::new, |which| format!(" `{}`", which.text()));
        let what = format!("{} {}{name}", action.name.replace('-', " "), def.table.one);
        let wire = self.wire(def, how.route, action, &found, &params, &what).await?;
        let filter = condition(def, &found.key.0);
        let watch = Watch { client: self.0.clone(), def, settle: how.settle, filter, what: what.clone(), before: None };
        let watch = watch.prepared().await?;
        let answer: Value = match self.0.send(&what, wire.method, &wire.path, wire.body.as_ref()).await {
            // Simulating a deployment succeeds with a status that refuses everywhere else (section 3.10).
            Err(error) if is_simulated(&error, how.route) => json!({"response": said(&error)}),
            answer => answer?,
        };
        let answer = match answer {
            Value::Object(mut whole) => match whole.remove("response") {
                Some(Value::Object(response)) => response,
                Some(other) if !is_empty(&other) => Row::from_iter([("response".to_owned(), other)]),
                _ => whole,
            },
            _ => Row::new(),
        };
        let record = if which.is_some() { self.as_it_is(def, found).await } else { found };
        let record = Record { answer, ..record };
        Ok(self.settled(watch, record))
    }

    /// The row as it is now, or as far as it is known.
    async fn as_it_is(&self, def: &'static Def, found: Record) -> Record {
        let select = Select::new(def.name(), def.fields).filter(condition(def, &found.key.0)).limit(1);
        let row: Result<Option<Row>> = self.0.row("read it back", &select).await;
        row.ok().flatten().map_or(found, |row| Self::record(def, row))
    }

    /// The parameters of an action: known by name, and with the keys of what they name.
    async fn parameters(&self, def: &'static Def, action: &TableAction, typed: Fields) -> Result<Row> {
        let known: Vec<&str> = action.params.split_whitespace().collect();
        if known != ["*"] && !typed.unchecked {
            let mut names =
                typed.typed.iter().map(|(name, _)| name.as_str()).chain(typed.row.keys().map(String::as_str));
            if let Some(name) = names.find(|name| !known.contains(name)) {
                let error = Error::usage(format!("`{}` of a {} has no parameter `{name}`", action.name, def.table.one));
                return Err(error.hint(match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if known.is_empty() => "it has none".to_owned(),
                    None => format!("it has {}", known.join(", ")),
                }));
            }
        }
        let mut params = typed.row;
        for (name, text) in typed.typed {
            let value = self.parameter(&name, &text).await?;
            params.insert(name, value);
        }
        Ok(params)
    }

    async fn parameter(&self, name: &str, text: &str) -> Result<Value> {
        let table = match name {
            "preferred_node" | "node" => "nodes",
            "cluster" => "clusters",
            "file" => "files",
            "user" => "users",
            "drive" => return Ok(number(text)),
            "name" | "description" | "text" | "method" | "message" | "username" | "password" => return Ok(text.into()),
            "until" => return until(text),
            // Anything else is JSON where it looks like that.
            _ => return Ok(serde_json::from_str(text).unwrap_or_else(|_| text.into())),
        };
        Ok(number(&self.key_of(table, text, "").await?.key))
    }

    async fn wire(
        &self,
        def: &'static Def,
        route: Route,
        action: &TableAction,
        found: &Record,
        params: &Row,
        what: &str,
    ) -> Result<Wire> {
        let key = &found.key.0;
        let act = |id: &str, key: &str, path: String| {
            let mut body = json!({"action": action.wire});
            body[id] = number(key);
            if !params.is_empty() {
                body["params"] = params.clone().into();
            }
            Wire::post(path, body)
        };
        let field = |name: &str| found.fields.get(name).and_then(reference);
        let missing =
            |name: &str| self.0.error(ErrorKind::Failure, what, &format!("the answer does not tell its `{name}`"));
        let path = row_path(def, key);
        Ok(match route {
            Route::Own(id) => act(id, key, format!("{id}_actions")),
            Route::OwnAs(to, id) => act(id, key, to.to_owned()),
            Route::Rows(to) => {
                let mut inner = params.clone();
                inner.insert("rows".to_owned(), json!([number(key)]));
                Wire::post(to, json!({"action": action.wire, "params": inner}))
            }
            Route::All(to) => Wire::post(to, json!({"action": action.wire})),
            Route::Row => Wire::put(format!("{path}?action={}", action.wire), Some(params.clone().into())),
            Route::RowParams => Wire::put(format!("{path}?action={}", action.wire), Some(json!({ "params": params }))),
            Route::Verb(verb) => Wire::post(format!("{path}/{verb}"), params.clone().into()),
            Route::Put(verb) => Wire::put(format!("{path}/{verb}"), None),
            Route::Set(column, literal) => {
                let value: Value = serde_json::from_str(literal).map_err(Error::internal)?;
                Wire::put(path, Some(json!({ column: value })))
            }
            Route::SetTime(column) => {
                let value = params.get("until").cloned().map_or_else(|| until("24h"), Ok)?;
                Wire::put(path, Some(json!({ column: value })))
            }
            Route::New(to, member) => {
                let mut body = params.clone();
                body.insert(member.to_owned(), number(key));
                if !body.contains_key("user") && to == "vm_favorites" {
                    return Err(Error::usage("whose favorite is it?").hint("add --set user=NAME"));
                }
                Wire::post(to, body.into())
            }
            Route::Note => {
                let owner = format!("{}/{key}", def.name());
                Wire::post("note_actions", json!({"owner": owner, "action": "update", "params": params}))
            }
            Route::OfVm => act("vm", &field("vm").ok_or_else(|| missing("vm"))?, "vm_actions".to_owned()),
            Route::Snapshot(verb) => {
                let vm = self.snapshot_vm(&found.fields, what).await?;
                let mut body = json!({"vm": number(&vm), "action": verb});
                if !params.is_empty() {
                    body["params"] = params.clone().into();
                }
                Wire::post("vm_actions", body)
            }
            Route::TenantSnapshot => {
                let tenant = field("tenant").ok_or_else(|| missing("tenant"))?;
                let body = json!({"tenant": number(&tenant), "action": "restore", "params": {"snapshot": number(key)}});
                Wire::post("tenant_actions", body)
            }
            Route::Update => {
                let settings = Select::new("update_settings", "$key,source").limit(1);
                let row: Option<Row> = self.0.row(what, &settings).await?;
                let source = row.as_ref().and_then(|row| row.get("source")).and_then(reference);
                let source = source.ok_or_else(|| self.wrong_state(what, "no source of updates is configured"))?;
                // Looking for updates is called otherwise on the wire.
                let verb = if action.wire == "check" { "refresh" } else { action.wire };
                let mut body = params.clone();
                body.insert("source".to_owned(), number(&source));
                body.insert("action".to_owned(), verb.into());
                Wire::post("update_actions", body.into())
            }
            Route::Default => {
                let default = found.fields.get("default_value").cloned().ok_or_else(|| missing("default_value"))?;
                Wire::put(path, Some(json!({ "value": default })))
            }
            Route::Deploy(to) => self.deployment(to, key, params).await?,
        })
    }

    /// A new instance of a recipe. `name` and `auto_update` are its own, `simulate` does not make it; all else answers
    /// the questions of the recipe.
    async fn deployment(&self, to: &str, key: &str, params: &Row) -> Result<Wire> {
        let mut body = json!({"recipe": key, "answers": {}});
        for (name, value) in params {
            match name.as_str() {
                "name" | "auto_update" | "simulate" => body[name] = value.clone(),
                _ => body["answers"][name] = self.answer(name, value).await?,
            }
        }
        if body.get("name").is_none() {
            return Err(Error::usage("what is made of the recipe has no name").hint("add --set name=NAME"));
        }
        Ok(Wire::post(to, body))
    }

    /// An answer to a question; what looks like a network is one, and none of the platform's own. Tenants are named.
    async fn answer(&self, name: &str, value: &Value) -> Result<Value> {
        let is_network = name.starts_with("YB_NIC_") && name["YB_NIC_".len()..].bytes().all(|b| b.is_ascii_digit());
        let wanted = text(value).filter(|wanted| is_network && !wanted.starts_with("__"));
        match (wanted, name, value) {
            (Some(wanted), ..) => Ok(number(&self.network(&wanted, "a recipe").await?.key)),
            // The recipe of crash carts asks whose it is, and takes a key.
            (None, "tenant", Value::String(tenant)) => Ok(number(&self.key_of("tenants", tenant, "").await?.key)),
            _ => Ok(value.clone()),
        }
    }

    /// The hidden machine that a snapshot is. It is checked to be the snapshot's own: the keys of the two tables
    /// overlap, and another machine would be restored (section 3.9).
    pub(in crate::provider::vergeos) async fn snapshot_vm(&self, snapshot: &Row, what: &str) -> Result<String> {
        let machine = snapshot.get("snap_machine").and_then(reference);
        let machine = machine.ok_or_else(|| self.0.error(ErrorKind::Failure, what, "the snapshot names no machine"))?;
        let filter = format!("machine eq {machine}");
        let select = Select::new("vms", "$key,name,machine,is_snapshot").filter(filter).limit(5);
        let rows: Vec<Row> = self.0.rows(what, &select).await?;
        let is_its_own = |row: &&Row| {
            row.get("machine").and_then(reference).as_ref() == Some(&machine)
                && row.get("is_snapshot").is_some_and(|is| is == &Value::Bool(true) || is == &json!(1))
        };
        let row = rows.iter().find(is_its_own);
        row.and_then(|row| row.get("$key"))
            .and_then(text)
            .ok_or_else(|| self.0.error(ErrorKind::NotFound, what, "the snapshot has no machine of its own any more"))
    }
}

/// What an action needs to know of its row.
fn needed(def: &Def, route: Route) -> &'static str {
    match route {
        Route::OfVm => ",vm",
        Route::Snapshot(_) => ",snap_machine",
        Route::TenantSnapshot => ",tenant",
        Route::Default => ",default_value",
        _ if def.name() == "vnets" => ",type",
        _ => "",
    }
}

/// A moment in the future, in seconds since the epoch.
fn until(text: &str) -> Result<Value> {
    let now = Time::now().as_second();
    let span = duration::parse(text).ok().and_then(|span| i64::try_from(span.as_secs()).ok());
    let moment = span.map(|span| now + span).or_else(|| text.parse::<Time>().ok().map(Time::as_second));
    moment.map(Value::from).ok_or_else(|| Error::usage(format!("invalid time `{text}`")).hint("write it like 24h"))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(members) => members.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn is_simulated(error: &Error, route: Route) -> bool {
    matches!(route, Route::Deploy(_)) && said(error) == "Simulation complete" && error.parts().effect == Effect::None
}

/// The server's own words.
fn said(error: &Error) -> &str {
    error.parts().wire.as_ref().and_then(|wire| wire.message.as_deref()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::vergeos::tables;

    #[test]
    fn references_of_actions_lead_somewhere() {
        for def in tables::all() {
            for action in def.table.actions {
                match def.how(action).route {
                    Route::New(to, _) | Route::Deploy(to) => assert!(tables::table(to).is_some(), "{to}"),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn a_time_to_come_is_read() {
        let soon = until("1h").unwrap().as_i64().unwrap() - Time::now().as_second();
        assert!((3500..=3600).contains(&soon));
        assert!(until("whenever").is_err());
    }
}
