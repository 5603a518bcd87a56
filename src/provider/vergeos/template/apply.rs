//! Making a machine so as it is described.

use super::plan::{Live, by_key};
use super::{PARTS, VergeTemplates};
use crate::error::{Effect, Error, Result};
use crate::model::Planned;
use crate::provider::machines::{Machines, Power, Row, Selector};
use crate::provider::resources::{Fields, Resources, Shelf};
use crate::provider::templates::Described;
use crate::provider::vergeos::api::text;
use crate::provider::vergeos::tables;
use crate::transport::Method;
use serde_json::{Value, json};

/// The keys of a description that are no columns of the machine.
const BESIDE: [&str; 5] = ["drives", "nics", "devices", "files", "power_on_after_create"];

fn shelf(table: &'static str, of: Option<&str>) -> Shelf {
    Shelf { table: &tables::known(table).table, of: of.map(str::to_owned), machine: None }
}

fn fields(row: Row) -> Fields {
    Fields { row, ..Fields::default() }
}

impl VergeTemplates {
    pub(super) async fn bring_about(&self, described: &Described) -> Result<Planned> {
        let (plan, live) = self.compare(described).await?;
        match live {
            None => self.make(described).await?,
            Some(live) => {
                let mut done = Vec::new();
                let outcome = self.change(described, &plan, &live, &mut done).await;
                outcome.map_err(|error| partly(error, &described.name, &done))?;
            }
        }
        Ok(plan)
    }

    async fn make(&self, described: &Described) -> Result<()> {
        let own = described.document.iter().filter(|(name, _)| !BESIDE.contains(&name.as_str()));
        let own: Row = own.map(|(name, value)| (name.clone(), value.clone())).collect();
        let made = self.resources().create(&shelf("vms", None), fields(own)).await?.wait().await?;
        let key = made.key.0;
        if let Err(error) = self.furnish(described, &key).await {
            return Err(self.undo(&key, &described.name, error).await);
        }
        if described.document.get("power_on_after_create") == Some(&Value::Bool(true)) {
            self.machines().power(&by_key(&key), Power::On).await?.wait().await?;
        }
        Ok(())
    }

    /// Everything that belongs to a new machine, in the order of the official client.
    async fn furnish(&self, described: &Described, key: &str) -> Result<()> {
        for file in described.document.get("files").and_then(Value::as_array).into_iter().flatten() {
            self.put_file(key, file).await?;
        }
        for part in &PARTS {
            for item in described.document.get(part.key).and_then(Value::as_array).into_iter().flatten() {
                let row = item.as_object().cloned().unwrap_or_default();
                self.resources().create(&shelf(part.table, Some(key)), fields(row)).await?.wait().await?;
            }
        }
        Ok(())
    }

    /// A machine that could not be finished goes again: what is in it goes with it.
    async fn undo(&self, key: &str, name: &str, error: Error) -> Error {
        let what = format!("delete virtual machine `{name}` again");
        let gone: Result<Value> = self.0.send(&what, Method::DELETE, &format!("vms/{key}"), None::<&Row>).await;
        match gone {
            Ok(_) => error.cause(format!("virtual machine `{name}` was made and deleted again")),
            Err(_) => error
                .cause(format!("virtual machine `{name}` (key {key}) is there and unfinished"))
                .hint(format!("`esker vm delete {}/{name}` removes it", self.0.endpoint()))
                .effect(Effect::Partial),
        }
    }

    async fn change(&self, described: &Described, plan: &Planned, live: &Live, done: &mut Vec<String>) -> Result<()> {
        let differs = |field: &str| plan.differences.iter().any(|difference| difference.field == field);
        let own = described.document.iter().filter(|(name, _)| !BESIDE.contains(&name.as_str()) && differs(name));
        let own: Row = own.map(|(name, value)| (name.clone(), value.clone())).collect();
        if !own.is_empty() {
            let names: Vec<_> = own.keys().cloned().collect();
            self.resources().update(&shelf("vms", None), &by_key(&live.key), fields(own)).await?.wait().await?;
            done.extend(names);
        }
        for file in described.document.get("files").and_then(Value::as_array).into_iter().flatten() {
            let name = file.get("name").and_then(Value::as_str).unwrap_or_default();
            if differs(&format!("cloudinit[{name}]")) {
                self.put_file(&live.key, file).await?;
                done.push(format!("cloudinit[{name}]"));
            }
        }
        for part in &PARTS {
            for item in described.document.get(part.key).and_then(Value::as_array).into_iter().flatten() {
                let row = item.as_object().cloned().unwrap_or_default();
                let name = row.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
                let shelf = shelf(part.table, Some(&live.key));
                let place = format!("{}[{name}]", part.key);
                match live.part(part.key, &name).and_then(|there| there.get("$key")).and_then(text) {
                    None => {
                        self.resources().create(&shelf, fields(row)).await?.wait().await?;
                    }
                    Some(key) => {
                        let changed: Row =
                            row.into_iter().filter(|(column, _)| differs(&format!("{place}.{column}"))).collect();
                        if changed.is_empty() {
                            continue;
                        }
                        let which = Selector::Key(key.into());
                        self.resources().update(&shelf, &which, fields(changed)).await?.wait().await?;
                    }
                }
                done.push(place);
            }
        }
        Ok(())
    }

    /// Makes a cloud-init file or writes it anew: the system may have made one by itself.
    async fn put_file(&self, vm: &str, file: &Value) -> Result<()> {
        let name = file.get("name").and_then(Value::as_str).unwrap_or_default();
        let what = format!("write `{name}`");
        match self.cloudinit_file(vm, name).await? {
            Some(key) => {
                let body = json!({"contents": file["contents"], "render": file["render"]});
                self.0.send::<Value>(&what, Method::PUT, &format!("cloudinit_files/{key}"), Some(&body)).await.map(drop)
            }
            None => {
                let mut body = file.as_object().cloned().unwrap_or_default();
                body.insert("owner".to_owned(), format!("vms/{vm}").into());
                self.resources().post(&what, tables::known("cloudinit_files"), &body).await.map(drop)
            }
        }
    }
}

/// What was changed before something failed.
fn partly(error: Error, name: &str, done: &[String]) -> Error {
    if done.is_empty() {
        return error;
    }
    let list = format!("virtual machine `{name}` was changed already: {}", done.join(", "));
    error.cause(list).hint("once the cause is gone, apply it again: what is done stays").effect(Effect::Partial)
}
