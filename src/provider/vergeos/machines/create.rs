//! Making a machine, with a disk if one was asked for.

use super::{VergeMachines, shelf};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Machine;
use crate::operation::Operation;
use crate::provider::machines::{MachineSpec, Row, Selector};
use crate::provider::resources::{Fields, Resources, Shelf};
use crate::provider::vergeos::tables;
use crate::transport::Method;
use serde_json::Value;

impl VergeMachines {
    pub(super) async fn make(&self, spec: MachineSpec) -> Result<Operation<Machine>> {
        let mut typed = Vec::new();
        if let Some(cpus) = spec.size.cpus {
            if cpus.fract() != 0.0 {
                return Err(Error::usage("a virtual machine has whole processors"));
            }
            typed.push(("cpu_cores".to_owned(), cpus.to_string()));
        }
        if let Some(bytes) = spec.size.memory_bytes {
            typed.push(("ram".to_owned(), bytes.div_ceil(1 << 20).to_string()));
        }
        if let Some(region) = spec.region {
            typed.push(("cluster".to_owned(), region));
        }
        typed.extend(spec.fields);
        if let Some(from) = &spec.from {
            if spec.image.is_some() || spec.size.disk_bytes.is_some() {
                return Err(Error::usage("a copy has the disks of what it is a copy of")
                    .hint("leave out --image and --disk, or --from"));
            }
            return self.make_copy(from, &spec.name, typed).await;
        }
        typed.insert(0, ("name".to_owned(), spec.name.clone()));
        let drive = drive(spec.image.as_deref(), spec.size.disk_bytes);
        let fields = Fields { typed, ..Fields::default() };
        let made = self.resources.create(&shelf(), fields).await?.wait().await?;
        if let Some(typed) = drive {
            let shelf =
                Shelf { table: &tables::known("machine_drives").table, of: Some(made.key.0.clone()), machine: None };
            let fields = Fields { typed, ..Fields::default() };
            let outcome = match self.resources.create(&shelf, fields).await {
                Ok(operation) => operation.wait().await.map(drop),
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                return Err(self.undo(&made.key.0, &spec.name, error).await);
            }
        }
        Ok(Operation::done(None, self.detail(&made.key.0).await?))
    }

    /// A copy of a machine, or of `MACHINE/SNAPSHOT`, with these fields changed before anybody sees it.
    async fn make_copy(&self, from: &str, name: &str, typed: Vec<(String, String)>) -> Result<Operation<Machine>> {
        let whole = self.brief(&Selector::Auto(from.to_owned())).await;
        let (key, origin) = match (whole, from.rsplit_once('/')) {
            (Ok(machine), _) => (machine.key, machine.name),
            (Err(error), Some((machine, snapshot))) if error.kind() == ErrorKind::NotFound => {
                let what = format!("find snapshot `{snapshot}` of `{machine}`");
                let shelf = Shelf {
                    table: &tables::known("machine_snapshots").table,
                    of: Some(machine.to_owned()),
                    machine: None,
                };
                let row = self.resources.find(&shelf, &Selector::Auto(snapshot.to_owned()), &[]).await?;
                (self.resources.snapshot_vm(&row.fields, &what).await?, from.to_owned())
            }
            (Err(error), _) => return Err(error),
        };
        let made = self.copy(&key, &origin, name, Vec::new()).await?.wait().await?;
        if typed.is_empty() {
            return Ok(Operation::done(None, made));
        }
        let key = made.key.0.clone();
        let fields = Fields { typed, ..Fields::default() };
        match self.resources.update(&shelf(), &Selector::Key(made.key.clone()), fields).await {
            Ok(_) => Ok(Operation::done(None, self.detail(&key).await?)),
            Err(error) => Err(self.undo(&key, name, error).await),
        }
    }

    /// Takes back a machine that could not be made as it was described, and says so.
    async fn undo(&self, key: &str, name: &str, error: Error) -> Error {
        let what = format!("delete virtual machine `{name}` again");
        let gone: Result<Value> = self.client.send(&what, Method::DELETE, &format!("vms/{key}"), None::<&Row>).await;
        match gone {
            Ok(_) => error.cause(format!("virtual machine `{name}` was made and deleted again")),
            Err(_) => error
                .cause(format!("virtual machine `{name}` (key {key}) was made and is still there"))
                .hint(format!("`esker vm delete {}/{name}` removes it", self.client.endpoint())),
        }
    }
}

/// The fields of its first drive: empty, or made of a file of the catalog.
fn drive(image: Option<&str>, size: Option<u64>) -> Option<Vec<(String, String)>> {
    let pair = |name: &str, value: String| (name.to_owned(), value);
    match (image, size) {
        (None, None) => None,
        (None, Some(size)) => Some(vec![pair("media", "disk".to_owned()), pair("disksize", size.to_string())]),
        (Some(image), size) => {
            let mut fields = vec![pair("media", "import".to_owned()), pair("media_source", image.to_owned())];
            fields.extend(size.map(|size| pair("disksize", size.to_string())));
            Some(fields)
        }
    }
}
