//! Snapshots of a virtual machine, and of the whole system (sections 3.9 and 4.8).

use super::api::{reference, text};
use super::client::Client;
use super::filter::all;
use super::machines::VergeMachines;
use super::resources::VergeResources;
use super::rows::Select;
use super::settle::Watch;
use super::tables::{self, Def};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::{Checkpoint, CheckpointId, Name, Restored, Time};
use crate::operation::{Operation, Step};
use crate::provider::checkpoints::{CheckpointSpec, Checkpoints, CheckpointsQuery, Expiry, RestoreTo};
use crate::provider::feature::unsupported;
use crate::provider::machines::{Row, Selector};
use crate::provider::{Feature, Scope, feature};
use crate::stream;
use crate::transport::Method;
use async_trait::async_trait;
use futures_util::TryStreamExt;
use serde_json::{Value, json};

/// The longest name that a snapshot may have, in characters.
const NAME: usize = 128;

/// The snapshots of one machine, or, without a name, of the system.
pub(super) struct VergeCheckpoints {
    pub(super) client: Client,
    pub(super) name: Option<Name>,
}

/// Whose snapshots.
struct Owner {
    def: &'static Def,
    filter: String,
    /// The keys of the machine: its own, and that of its machine. `None` is the system.
    machine: Option<(String, String)>,
    name: String,
    status: String,
}

impl VergeCheckpoints {
    fn machines(&self) -> VergeMachines {
        VergeMachines::new(self.client.clone())
    }

    fn resources(&self) -> VergeResources {
        VergeResources(self.client.clone())
    }

    async fn owner(&self) -> Result<Owner> {
        let Some(name) = &self.name else {
            let def = tables::known("cloud_snapshots");
            let (filter, name, status) = (String::new(), self.client.endpoint().to_owned(), String::new());
            return Ok(Owner { def, filter, machine: None, name, status });
        };
        let brief = self.machines().brief(&Selector::Auto(name.0.clone())).await?;
        Ok(Owner {
            def: tables::known("machine_snapshots"),
            // The key of the machine: with that of the virtual machine it would be another's snapshots.
            filter: format!("machine eq {}", brief.machine),
            machine: Some((brief.key, brief.machine)),
            name: brief.name,
            status: brief.status,
        })
    }

    async fn row(&self, owner: &Owner, id: &CheckpointId) -> Result<Row> {
        let held = Some(owner.filter.clone()).filter(|filter| !filter.is_empty());
        let which = Selector::Auto(id.0.clone());
        self.resources().look_up(owner.def, &which, held, owner.def.fields).await.map(|record| record.fields)
    }
}

#[async_trait]
impl Checkpoints for VergeCheckpoints {
    async fn list(&self, query: &CheckpointsQuery) -> Result<Vec<Checkpoint>> {
        if query.history.is_some() {
            return Err(unsupported(&super::DRIVER, Feature::CheckpointHistory, "--history"));
        }
        let owner = self.owner().await?;
        let mut select = Select::new(owner.def.name(), owner.def.fields).sort("-created,$key");
        select.filter = all([owner.filter.clone()]);
        let what = format!("list the snapshots of `{}`", owner.name);
        let rows: Vec<Row> = self.client.pages(&what, select).try_collect().await?;
        let all = rows.into_iter().map(checkpoint);
        Ok(all.filter(|one| query.include_auto || !one.auto).collect())
    }

    async fn get(&self, id: &CheckpointId) -> Result<Checkpoint> {
        let owner = self.owner().await?;
        self.row(&owner, id).await.map(checkpoint)
    }

    async fn create(&self, spec: CheckpointSpec) -> Result<Operation<Checkpoint>> {
        let owner = self.owner().await?;
        let now = Time::now();
        let name = spec.comment.as_deref().map(str::trim).filter(|text| !text.is_empty()).map_or_else(
            || format!("esker-{}", now.strftime("%Y%m%d-%H%M%S")),
            |comment| comment.chars().take(NAME).collect(),
        );
        let mut body = json!({ "name": name });
        match spec.expiry {
            Expiry::Never => {
                body["expires"] = 0.into();
                body["expires_type"] = "never".into();
            }
            Expiry::After(span) => {
                let seconds = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
                body["expires"] = now.as_second().saturating_add(seconds).into();
                body["expires_type"] = "date".into();
            }
            Expiry::Provider => {}
        }
        if let Some((_, machine)) = &owner.machine {
            body["machine"] = VergeResources::number(machine);
            body["created_manually"] = true.into();
        }
        let body = body.as_object().cloned().unwrap_or_default();
        let what = format!("create snapshot `{name}` of `{}`", owner.name);
        let (key, _) = self.resources().post(&what, owner.def, &body).await?;
        let (client, def) = (self.client.clone(), owner.def);
        let filter = format!("$key eq {key}");
        let watch = Watch {
            client: client.clone(),
            def,
            settle: def.made,
            filter: filter.clone(),
            what: what.clone(),
            before: None,
        };
        let is_default = spec.expiry == Expiry::Provider;
        let made = async move {
            let select = Select::new(def.name(), def.fields).filter(filter).limit(1);
            let row: Option<Row> = client.row(&what, &select).await.map_err(|error| error.effect(Effect::Done))?;
            let made = row.map(checkpoint);
            let made = made.ok_or_else(|| client.error(ErrorKind::Failure, &what, "it is not there any more"))?;
            if let (true, Some(expires)) = (is_default, made.expires_at) {
                client.notes().warn(format!(
                    "snapshot `{}` will be deleted at {expires}, by the system's own default: --expires says otherwise",
                    made.comment.as_deref().unwrap_or(made.id.as_str())
                ));
            }
            Ok::<Checkpoint, Error>(made)
        };
        if def.made.is_now() {
            return Ok(Operation::done(None, made.await?));
        }
        // The last step is replaced by the snapshot itself.
        let mut made = Some(made);
        let steps = watch.steps().and_then(move |step| {
            let made = matches!(step, Step::Done(())).then(|| made.take()).flatten();
            async move {
                Ok(match (step, made) {
                    (Step::Progress(progress), _) => Step::Progress(progress),
                    (Step::Note(note), _) => Step::Note(note),
                    (Step::Message(message), _) => Step::Message(message),
                    (Step::Done(()), Some(made)) => Step::Done(made.await?),
                    (Step::Done(()), None) => return Err(Error::internal("an operation ended twice")),
                })
            }
        });
        Ok(Operation::new(None, stream::boxed(steps)))
    }

    async fn restore(&self, id: &CheckpointId, to: RestoreTo) -> Result<Operation<Restored>> {
        let owner = self.owner().await?;
        let Some((_, machine)) = &owner.machine else {
            let error = feature::misplaced(&super::DRIVER, Scope::Instance, "checkpoint restore");
            return Err(error.hint(
                "of a snapshot of the whole system single machines are taken: `esker vm resource cloud_snapshot_vms recover`",
            ));
        };
        let row = self.row(&owner, id).await?;
        let what = format!("restore snapshot `{id}` of `{}`", owner.name);
        if row.get("machine").and_then(reference).as_ref() != Some(machine) {
            return Err(self.client.error(ErrorKind::NotFound, &what, "it is a snapshot of another machine"));
        }
        let hidden = self.resources().snapshot_vm(&row, &what).await?;
        let checkpoint = checkpoint(row);
        match to {
            RestoreTo::New(name) => {
                let copy = self.machines().copy(&hidden, &owner.name, &name, Vec::new()).await?.wait().await?;
                Ok(Operation::done(None, Restored { checkpoint: checkpoint.id, machine: copy.name }))
            }
            RestoreTo::InPlace => {
                if !matches!(owner.status.as_str(), "stopped" | "") {
                    let error =
                        self.client.error(ErrorKind::Conflict, &what, &format!("the machine is `{}`", owner.status));
                    return Err(error.hint(format!(
                        "stop it first: `esker vm stop {0}/{1}`, or restore to a new machine with --to NAME",
                        self.client.endpoint(),
                        owner.name
                    )));
                }
                let body = json!({"vm": VergeResources::number(&hidden), "action": "restore"});
                self.client.send::<Value>(&what, Method::POST, "vm_actions", Some(&body)).await?;
                Ok(Operation::done(None, Restored { checkpoint: checkpoint.id, machine: owner.name }))
            }
        }
    }

    async fn delete(&self, id: &CheckpointId) -> Result<()> {
        let owner = self.owner().await?;
        let row = self.row(&owner, id).await?;
        let what = format!("delete snapshot `{id}` of `{}`", owner.name);
        let key = row.get("$key").and_then(text).unwrap_or_default();
        let path = format!("{}/{key}", owner.def.name());
        self.client.send::<Value>(&what, Method::DELETE, &path, None::<&Row>).await.map(drop)
    }
}

/// A row as a checkpoint. Its name is what its maker wrote on it.
fn checkpoint(mut row: Row) -> Checkpoint {
    let time = |row: &Row, name: &str| {
        let seconds = row.get(name)?.as_i64().filter(|seconds| *seconds > 0)?;
        Time::from_second(seconds).ok()
    };
    let (created_at, expires_at) = (time(&row, "created"), time(&row, "expires"));
    let word = |row: &Row, name: &str| {
        row.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let id = row.shift_remove("$key").as_ref().and_then(text).unwrap_or_default();
    let comment = word(&row, "name");
    // Those of a machine say it, those of the system belong to a profile then.
    let auto = match row.get("created_manually") {
        Some(manually) => manually == &Value::Bool(false),
        None => row.get("snapshot_profile").and_then(reference).is_some(),
    };
    let health = word(&row, "status").filter(|status| status != "normal");
    for known in ["name", "created", "expires"] {
        row.shift_remove(known);
    }
    row.retain(|_, value| !value.is_null());
    Checkpoint {
        id: id.into(),
        comment,
        created_at,
        expires_at,
        auto,
        source_id: None,
        history: None,
        health,
        extra: row,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: Value) -> Checkpoint {
        checkpoint(value.as_object().cloned().unwrap())
    }

    #[test]
    fn rows_become_checkpoints() {
        let one = read(
            json!({"$key": 12, "name": "before", "created": 1_769_904_000, "expires": 0, "created_manually": true}),
        );
        assert_eq!((one.id.as_str(), one.comment.as_deref(), one.auto), ("12", Some("before"), false));
        assert_eq!((one.created_at.unwrap().to_string(), one.expires_at), ("2026-02-01T00:00:00Z".to_owned(), None));
        assert!(read(json!({"$key": "1", "created_manually": false})).auto);
        let cloud = read(json!({"$key": 2, "name": "n", "status": "building", "snapshot_profile": 3}));
        assert_eq!((cloud.auto, cloud.health.as_deref()), (true, Some("building")));
    }
}
