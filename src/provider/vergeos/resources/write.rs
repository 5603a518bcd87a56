//! Making, changing and deleting rows. The server takes any field and forgets those it does not know, so every name is
//! checked before it is sent, and what was asked for is read back.

use super::find::{condition, number};
use super::schema::columns;
use super::values::Kind;
use super::{Held, VergeResources};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::{Record, Time};
use crate::operation::{Operation, Step};
use crate::provider::machines::{Row, Selector};
use crate::provider::resources::{Fields, Shelf};
use crate::provider::vergeos::api::{Created, reference, text};
use crate::provider::vergeos::rows::Select;
use crate::provider::vergeos::settle::Watch;
use crate::provider::vergeos::tables::{self, Def};
use crate::provider::vergeos::{DRIVER, settle};
use crate::stream;
use crate::suggest::nearest;
use crate::transport::Method;
use crate::transport::query::segment;
use futures_util::TryStreamExt;
use serde_json::{Value, json};

/// Columns that are taken and never told again.
const WRITE_ONLY: &[&str] = &[
    "password",
    "console_pass",
    "auth_password",
    "private",
    "psk",
    "preshared_key",
    "contents",
    "expires_type",
    "answers",
    "license",
    "cert",
    "cloudinit_files",
    "url",
    "renew",
    "registration_code",
    "settings",
    "authorization_value",
    "machine_type",
    "params",
    "simulate",
    "importing",
];
/// Memory comes in steps of this many megabytes: what is given otherwise is cut off by the server.
const RAM_STEP: u64 = 256;

impl VergeResources {
    pub(super) async fn make(&self, shelf: &Shelf, fields: Fields) -> Result<Operation<Record>> {
        let def = Self::def(shelf.table);
        self.writable(def, "create")?;
        let held = self.held(def, shelf).await?;
        let mut body = self.read(def, fields.clone()).await?;
        let mut running = None;
        match held {
            Some(Held { column, value, name, running: vm, .. }) => {
                running = vm;
                if body.contains_key(column) {
                    return Err(Error::usage(format!(
                        "`{column}` is set twice, by --set and by what the {} belongs to",
                        def.table.one
                    )));
                }
                if def.table.parent == "vnets" && !fields.unchecked {
                    self.network(&name, &format!("a {}", def.table.one)).await?;
                }
                body.insert(column.to_owned(), value);
            }
            None if def.table.of_machine && !body.contains_key("vm") && !body.contains_key("owner") => {
                return Err(Error::usage(format!("a {} belongs to a machine, and none is named", def.table.one))
                    .hint("name it: --target ENDPOINT/NAME, or --of NAME"));
            }
            None => {}
        }
        let name = body.get(def.table.label).and_then(text).unwrap_or_default();
        let what = format!("create {} `{name}`", def.table.one);
        let (key, answer) = self.post(&what, def, &body).await?;
        if let Some(vm) = running {
            self.plug_in(&vm, def, &key, &body).await?;
        }
        let record = Record { answer, ..self.compared(def, &key, &body).await? };
        let watch =
            Watch { client: self.0.clone(), def, settle: def.made, filter: condition(def, &key), what, before: None };
        Ok(self.settled(watch, record))
    }

    /// Sends a new row, once, and returns its key and what was answered beside it. What may be there after a lost answer is said.
    pub(in crate::provider::vergeos) async fn post(&self, what: &str, def: &Def, body: &Row) -> Result<(String, Row)> {
        let created: Option<Created> =
            self.0.send(what, Method::POST, def.name(), Some(body)).await.map_err(|error| {
                let is_unknown = error.parts().effect == Effect::Unknown && error.parts().hint.is_none();
                let list =
                    format!("it may be there: `esker vm resource {} list` tells, before you try again", def.name());
                if is_unknown { error.hint(list) } else { error }
            })?;
        let created = created.unwrap_or_default();
        match created.key() {
            Some(key) => Ok((key, created.response)),
            None => Err(self.0.garbled(what, "it tells no key").effect(Effect::Done)),
        }
    }

    pub(super) async fn alter(&self, shelf: &Shelf, which: &Selector, fields: Fields) -> Result<Operation<Record>> {
        let def = Self::def(shelf.table);
        self.writable(def, "update")?;
        let body = self.read(def, fields).await?;
        let held = self.held(def, shelf).await?;
        let extra = if def.name() == "vnets" { ",type" } else { "" };
        let found = self.look_up(def, which, held.map(|held| held.filter), &identity(def, extra)).await?;
        if def.name() == "vnets" {
            self.spare(&found.fields, "change")?;
        }
        self.put(def, &found.key.0, which.text(), &body).await?;
        Ok(Operation::done(None, self.compared(def, &found.key.0, &body).await?))
    }

    /// Sends the changed fields of a row.
    pub(in crate::provider::vergeos) async fn put(&self, def: &Def, key: &str, name: &str, body: &Row) -> Result<()> {
        let what = format!("update {} `{name}`", def.table.one);
        let path = row_path(def, key);
        self.0.send::<Value>(&what, Method::PUT, &path, Some(body)).await.map(drop)
    }

    pub(super) async fn remove(&self, shelf: &Shelf, which: &Selector) -> Result<Operation<()>> {
        let def = Self::def(shelf.table);
        self.writable(def, "delete")?;
        let held = self.held(def, shelf).await?;
        let extra = match def.name() {
            "vnets" => ",type",
            "vm_services" => ",vm,count(volumes) as volume_count",
            "machine_drives" | "machine_nics" => ",status#status as status",
            _ => "",
        };
        let (filter, running) = held.map(|held| (held.filter, held.running)).unzip();
        let found = self.look_up(def, which, filter, &identity(def, extra)).await?;
        if def.name() == "vnets" {
            self.spare(&found.fields, "delete")?;
        }
        let what = format!("delete {} `{}`", def.table.one, which.text());
        let (method, path, body) = match def.name() {
            // These go by an action (section 4.8).
            "snapshot_profiles" => {
                let body = json!({"snapshot_profile": number(&found.key.0), "action": "delete"});
                (Method::POST, "snapshot_profile_actions".to_owned(), Some(body))
            }
            "vm_services" => (Method::DELETE, self.behind(&found, &what)?, None),
            _ => (Method::DELETE, row_path(def, &found.key.0), None),
        };
        if let Some(vm) = running.flatten() {
            self.plug_out(&vm, def, &found).await?;
        }
        self.0.send::<Value>(&what, method, &path, body.as_ref()).await?;
        Ok(Operation::done(None, ()))
    }

    /// The path of the machine that a NAS service is. With it go its volumes, so there must be none.
    fn behind(&self, service: &Record, what: &str) -> Result<String> {
        let count = service.fields.get("volume_count").and_then(Value::as_u64).unwrap_or(0);
        if count > 0 {
            let error = self.wrong_state(what, &format!("it has {count} volumes"));
            return Err(error.hint("delete them first: `esker vm resource volumes delete`"));
        }
        let machine = service.fields.get("vm").and_then(reference);
        let machine = machine.ok_or_else(|| self.wrong_state(what, "no machine is told of it"))?;
        Ok(format!("vms/{machine}"))
    }

    fn writable(&self, def: &Def, verb: &str) -> Result<()> {
        if !def.table.read_only {
            return Ok(());
        }
        let error = Error::unsupported(format!("cannot {verb} a {}: `{}` can only be read", def.table.one, def.name()));
        Err(error.at(DRIVER.id, self.0.endpoint()))
    }

    /// The fields as they are sent: every name known, every value read, every name of another row looked up.
    pub(super) async fn read(&self, def: &'static Def, fields: Fields) -> Result<Row> {
        let Fields { typed, row, unchecked } = fields;
        let names: Vec<&str> =
            row.keys().map(String::as_str).chain(typed.iter().map(|(name, _)| name.as_str())).collect();
        let kinds = self.kinds(def, &names, unchecked).await?;
        let now = Time::now();
        let mut body = Row::new();
        for (name, value) in row {
            let kind = kinds(&name);
            let value = kind.take(&name, value, now)?;
            body.insert(name.clone(), self.resolved(def, &name, kind, value).await?);
        }
        for (name, text) in typed {
            let kind = kinds(&name);
            let value = kind.read(&name, &text, now)?;
            let value = self.resolved(def, &name, kind, value).await?;
            if body.insert(name.clone(), value).is_some() {
                return Err(Error::usage(format!("`{name}` is set twice")));
            }
        }
        if def.table.of_machine && body.contains_key("machine") {
            return Err(Error::usage("`machine` cannot be set by hand: its keys are not those of virtual machines")
                .hint("name the machine: --target ENDPOINT/NAME, or --of NAME"));
        }
        if def.name() == "vms" {
            stepped(&mut body, self);
        }
        if let Some(expires) = body.get("expires")
            && def.columns().any(|column| column == "expires_type")
            && !body.contains_key("expires_type")
        {
            // The kind of expiry is a field of its own, and the time alone does not change it.
            let kind = if expires == &json!(0) { "never" } else { "date" };
            body.insert("expires_type".to_owned(), kind.into());
        }
        Ok(body)
    }

    /// The kind of each of these columns. One that nobody knows is refused: first we ask our own data, then the system.
    async fn kinds(&self, def: &'static Def, names: &[&str], unchecked: bool) -> Result<impl Fn(&str) -> Kind + use<>> {
        let unknown: Vec<&str> = names.iter().copied().filter(|name| Kind::in_table(def, name).is_none()).collect();
        let mut live: Vec<(String, Kind)> = Vec::new();
        if !unknown.is_empty() && !unchecked {
            let schema = self.described(def).await;
            live = schema.as_ref().map(columns).unwrap_or_default();
            if let Some(name) = unknown.iter().find(|name| !live.iter().any(|(known, _)| known == **name)) {
                return Err(self.no_column(def, name, &live));
            }
        }
        Ok(move |name: &str| {
            let known = Kind::in_table(def, name);
            known.or_else(|| live.iter().find(|(known, _)| known == name).map(|(_, kind)| *kind)).unwrap_or(Kind::Any)
        })
    }

    fn no_column(&self, def: &'static Def, name: &str, live: &[(String, Kind)]) -> Error {
        let mut known: Vec<&str> = def.columns().collect();
        known.extend(live.iter().map(|(name, _)| name.as_str()));
        let error = Error::usage(format!("no field `{name}` in `{}`", def.name())).at(DRIVER.id, self.0.endpoint());
        error.hint(match nearest(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "`esker vm resource schema {}` shows the fields; --unchecked sends it all the same, and the server drops what it does not know",
                def.name()
            ),
        })
    }

    /// A value with the name of another row replaced by its key.
    async fn resolved(&self, def: &'static Def, column: &str, kind: Kind, value: Value) -> Result<Value> {
        let Kind::Row(table) = kind else { return Ok(value) };
        let Value::String(wanted) = &value else {
            if table == "vnets" && is_workload(def, column) {
                // A number names a network as well as a word does.
                let key = value.to_string();
                return Ok(number(&self.network(&key, &format!("a {}", def.table.one)).await?.key));
            }
            return Ok(value);
        };
        if wanted.is_empty() || wanted == "none" || wanted == "null" {
            return Ok(Value::Null);
        }
        if table == "vnets" && is_workload(def, column) {
            return Ok(number(&self.network(wanted, &format!("a {}", def.table.one)).await?.key));
        }
        let target = tables::known(table);
        // A reference of the platform's own form is a key already.
        if wanted.contains('/') && wanted.rsplit('/').next().is_some_and(|key| target.is_key(key)) {
            return Ok(value);
        }
        let found = self.key_of(table, wanted, "").await?;
        Ok(if target.has_text_keys() { found.key.into() } else { number(&found.key) })
    }

    /// The row as it is now. Where it is not as was asked, the server dropped or changed a field: that is said.
    pub(super) async fn compared(&self, def: &'static Def, key: &str, body: &Row) -> Result<Record> {
        let own = def.fields.to_owned();
        let missing: Vec<&str> = body
            .keys()
            .map(String::as_str)
            .filter(|name| !WRITE_ONLY.contains(name) && !def.projected().any(|entry| entry == *name))
            .collect();
        let fields = std::iter::once(own.as_str())
            .chain(missing)
            .filter(|entry| !entry.is_empty())
            .collect::<Vec<_>>()
            .join(",");
        let what = format!("read back {} `{key}`", def.table.one);
        let select = Select::new(def.name(), &fields).filter(condition(def, key)).limit(1);
        let read: Result<Option<Row>> = self.0.row(&what, &select).await;
        // The change was made: not to be able to look at it is no failure.
        let Ok(Some(row)) = read else {
            let fields = body.clone();
            return Ok(Record {
                table: def.name().to_owned(),
                key: key.into(),
                name: body.get(def.table.label).and_then(text),
                fields,
                ..Record::default()
            });
        };
        for (name, wanted) in body.iter().filter(|(name, _)| !WRITE_ONLY.contains(&name.as_str())) {
            if let Some(has) = row.get(name).filter(|has| !alike(wanted, has)) {
                self.0.notes().warn(format!(
                    "`{name}` of {} `{key}` is {has} and not {wanted}: the server did not take it as it was sent",
                    def.table.one
                ));
            } else if !row.contains_key(name) {
                self.0.notes().warn(format!("the server did not keep `{name}` of {} `{key}`", def.table.one));
            }
        }
        Ok(Self::record(def, row))
    }

    /// The operation that ends with the row as it is once `watch` is through.
    pub(super) fn settled(&self, watch: Watch, now: Record) -> Operation<Record> {
        if watch.settle.is_now() {
            return Operation::done(None, now);
        }
        let (resources, def, filter) = (self.clone(), watch.def, watch.filter.clone());
        let steps = settle::Watch::steps(watch).and_then(move |step| {
            let (resources, filter, now) = (resources.clone(), filter.clone(), now.clone());
            async move {
                Ok(match step {
                    Step::Progress(progress) => Step::Progress(progress),
                    Step::Note(note) => Step::Note(note),
                    Step::Message(message) => Step::Message(message),
                    Step::Done(()) => {
                        let select = Select::new(def.name(), def.fields).filter(filter).limit(1);
                        let row: Result<Option<Row>> = resources.0.row("read it back", &select).await;
                        let answer = now.answer.clone();
                        Step::Done(row.ok().flatten().map_or(now, |row| Record { answer, ..Self::record(def, row) }))
                    }
                })
            }
        });
        Operation::new(None, stream::boxed(steps))
    }
}

/// What must be known of a row to act on it.
pub(super) fn identity(def: &Def, extra: &str) -> String {
    let id = if matches!(def.table.key, "hash") { ",id" } else { "" };
    let uuid = if def.table.key == "uuid" { ",uuid" } else { "" };
    let label = if def.table.label.is_empty() { String::new() } else { format!(",{}", def.table.label) };
    format!("$key{id}{uuid}{label}{extra}")
}

/// The path of a row; settings of one row have it, too.
pub(super) fn row_path(def: &Def, key: &str) -> String {
    format!("{}/{}", def.name(), segment(key.as_bytes()))
}

/// Whether a column puts a workload on a network.
fn is_workload(def: &Def, column: &str) -> bool {
    column == "vnet" && !matches!(def.name(), "vnet_queries" | "vnet_bgp")
}

/// Memory in whole steps, rounded up: the server cuts off what is over.
fn stepped(body: &mut Row, resources: &VergeResources) {
    let Some(ram) = body.get("ram").and_then(Value::as_u64) else { return };
    let whole = ram.next_multiple_of(RAM_STEP);
    if whole != ram {
        resources.0.notes().info(format!("memory comes in steps of {RAM_STEP} MB: {ram} became {whole}"));
        body.insert("ram".to_owned(), whole.into());
    }
}

/// Whether two values say the same: a number may come back as a text, a row as its key, nothing as null.
fn alike(wanted: &Value, has: &Value) -> bool {
    let plain = |value: &Value| match value {
        Value::Null => String::new(),
        Value::Bool(yes) => u8::from(*yes).to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text == "true" => "1".to_owned(),
        Value::String(text) if text == "false" => "0".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let (wanted, has) = (plain(wanted), plain(has));
    let none = |text: &str| text.is_empty() || text == "0" || text == "none";
    // Names of users and addresses come back in lower case, network addresses in their usual form.
    wanted.eq_ignore_ascii_case(&has)
        || (none(&wanted) && none(&has))
        || wanted.trim_end_matches('\n') == has.trim_end_matches('\n')
        || has.rsplit('/').next() == Some(wanted.as_str())
}

impl VergeResources {
    /// A refusal of a wrong state, in the words of what is to be done.
    pub(super) fn wrong_state(&self, what: &str, why: &str) -> Error {
        self.0.error(ErrorKind::Conflict, what, why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_the_same_is_alike() {
        for (wanted, has) in [
            (json!(4), json!("4")),
            (json!(true), json!("true")),
            (json!(true), json!(1)),
            (json!(null), json!(0)),
            (json!("none"), json!("")),
            (json!("Admin"), json!("admin")),
            (json!("5"), json!("/v4/users/5")),
        ] {
            assert!(alike(&wanted, &has), "{wanted} {has}");
        }
        assert!(!alike(&json!(2000), &json!(1792)));
        assert!(!alike(&json!("a"), &json!("b")));
    }
}
