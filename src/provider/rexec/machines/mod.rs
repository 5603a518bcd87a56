//! Containers and registered agents as machines (sections 3.2 and 3.10).

mod convert;
mod create;
mod events;
mod labels;
mod watch;

pub(super) use self::labels::Labels;

use self::convert::machine;
use self::events::Events;
use super::api::{Container, Create, Resources, Settings, Shell, Stats};
use super::client::Client;
use super::find::{AGENT, find, is_docker_id, key, path};
use super::mfa::Gate;
use super::spot::Spot;
use super::{DRIVER, images};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::{Machine, MachineHealth, MachineStats, MachineUrl, Name};
use crate::operation::{Operation, Step};
use crate::provider::machines::{
    Field, FieldKind, MachineChange, MachineEvent, MachineQuery, MachineSpec, Machines, Power, Selector, Size,
};
use crate::provider::over_exec::{output, sh};
use crate::provider::{Feature, feature};
use crate::stream::{self, Items};
use crate::transport::{Deadline, Method, Request};
use async_trait::async_trait;
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;

/// How long the server may take to stop or delete a container: ten seconds of grace, and its own time (section 3.2).
const ENDING: Duration = Duration::from_mins(1);

/// The fields of `--set` on create.
const ON_CREATE: &[Field] = &[
    Field { name: "role", kind: FieldKind::Text },
    Field { name: "shell.enhanced", kind: FieldKind::Bool },
    Field { name: "shell.use_tmux", kind: FieldKind::Bool },
];

/// The role that installs nothing: what a container without one waits minutes for.
const ROLE: &str = "barebone";

/// Writes the variables on stdin to where every program of ours looks for them, and nobody else can read.
const KEEP_ENV: &str = r#"umask 077 && mkdir -p "$HOME/.esker" && cat >"$HOME/.esker/env.new" && mv "$HOME/.esker/env.new" "$HOME/.esker/env""#;

/// The containers of a server.
#[derive(Clone)]
pub(super) struct RexecMachines {
    pub(super) client: Client,
    pub(super) labels: Labels,
    pub(super) gate: Gate,
    /// As many creations as the server carries out at once: those that wait there are forgotten at times.
    pub(super) creations: std::sync::Arc<tokio::sync::Semaphore>,
}

impl RexecMachines {
    /// The names that match, sorted.
    pub(super) async fn names(&self, glob: &str) -> Result<Vec<Name>> {
        let mut names: Vec<_> = super::find::all(&self.client).await?.into_iter().map(|one| one.name).collect();
        names.retain(|name| crate::glob::matches(glob, name));
        names.sort();
        names.dedup();
        Ok(names.into_iter().map(Name).collect())
    }

    fn machine(&self, container: Container) -> Machine {
        let labels = self.labels.all().remove(key(&container)).unwrap_or_default();
        machine(container, labels)
    }

    async fn all(&self) -> Result<Vec<Machine>> {
        let mut labels = self.labels.all();
        let all = super::find::all(&self.client).await?;
        Ok(all
            .into_iter()
            .map(|one| {
                let own = labels.remove(key(&one)).unwrap_or_default();
                machine(one, own)
            })
            .collect())
    }

    /// The container that is meant, which must not be an agent.
    async fn container(&self, which: &Selector, asked: &str) -> Result<Container> {
        let found = find(&self.client, which.text()).await?;
        if found.id.starts_with(AGENT) {
            let what = format!("`{asked}` is about containers, and `{}` is an agent", found.name);
            return Err(Error::unsupported(what).at(DRIVER.id, self.client.endpoint()));
        }
        Ok(found)
    }

    fn docker_id<'a>(&self, container: &'a Container, what: &str) -> Result<&'a str> {
        if is_docker_id(&container.id) {
            return Ok(&container.id);
        }
        let why = format!("it is {}: there is no container yet", container.status);
        Err(Error::conflict(self.client.cannot(what, &why)).at(DRIVER.id, self.client.endpoint()))
    }

    /// Starts or stops one. `Conflict` if it is not made yet.
    async fn turn(&self, container: &Container, verb: &str) -> Result<Container> {
        let what = format!("{verb} container `{}`", container.name);
        let id = self.docker_id(container, &what)?.to_owned();
        let mut request = Request::post(path(&id, &format!("/{verb}")));
        request.first_byte = Deadline::After(ENDING);
        let answer = self.client.fetch(&what, request).await?;
        let said: Value = self.client.read(&what, &answer).unwrap_or_default();
        // A container that was removed is made anew, under another id.
        let id = said["id"].as_str().filter(|id| is_docker_id(id)).unwrap_or(&id).to_owned();
        let mut now: Container = self.client.get(&what, &path(key(container), "")).await?;
        if !is_docker_id(&now.id) {
            now.id = id;
        }
        Ok(now)
    }

    /// Puts the variables of a new container where its programs find them: the server drops them.
    async fn set_environment(&self, container: &Container, env: &[(String, String)]) -> Result<()> {
        let spot = Spot::new(self.client.clone(), Name(key(container).to_owned()), self.gate.clone());
        let exec = super::exec::RexecExec(spot);
        let text = super::exec::exports(env.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        let input = stream::iter([Ok(text.into())]);
        let said = output(&exec, sh(KEEP_ENV, &[]), Some(input)).await;
        let failed = |why: String| {
            Error::failure(format!("container `{}` was made, but its variables could not be set", container.name))
                .cause(why)
                .effect(Effect::Done)
        };
        match said {
            Ok(said) if said.exit == crate::provider::exec::Exit::Code(0) => Ok(()),
            Ok(said) => Err(failed(String::from_utf8_lossy(&said.stderr).trim().to_owned())),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Says what the server made less of than was asked for: it does that in silence.
    fn compare(&self, asked: Size, machine: &Machine) {
        let tell = |what: &str, asked: Option<f64>, has: Option<f64>| {
            if let (Some(asked), Some(has)) = (asked, has)
                && (asked - has).abs() > f64::EPSILON
            {
                self.client
                    .notes()
                    .warn(format!("container `{}` has {has} {what} where {asked} was asked for", machine.name));
            }
        };
        let mib = |bytes: Option<u64>| bytes.map(|bytes| (bytes >> 20) as f64);
        tell("processors", asked.cpus, machine.cpus);
        tell("MiB of memory", mib(asked.memory_bytes), mib(machine.memory_bytes));
        tell("MiB of disk", mib(asked.disk_bytes), mib(machine.disk_bytes));
    }

    fn unsupported(asked: &str, feature: Feature) -> Error {
        feature::unsupported(&DRIVER, feature, asked)
    }

    /// After a lost answer it may be there (section 7): the list tells, and by name nobody makes it twice.
    async fn uncertain(&self, error: Error, name: &str) -> Result<Container> {
        if error.parts().effect != Effect::Unknown {
            return Err(error);
        }
        let found = super::find::all(&self.client).await.unwrap_or_default().into_iter().find(|one| one.name == name);
        found.ok_or_else(|| {
            error.hint(format!("it may exist now: `esker vm show {}/{name}` tells", self.client.endpoint()))
        })
    }
}

fn mib(bytes: Option<u64>) -> Option<u64> {
    bytes.map(|bytes| bytes.div_ceil(1 << 20))
}

fn shares(cpus: Option<f64>) -> Option<u64> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number of processors")]
    cpus.map(|cpus| (cpus * 1000.0).round() as u64)
}

#[async_trait]
impl Machines for RexecMachines {
    fn list(&self, query: MachineQuery) -> Items<Machine> {
        let machines = self.clone();
        let all = async move { machines.all().await };
        futures_util::stream::once(all)
            .flat_map(move |all| match all {
                Ok(all) => stream::iter(all.into_iter().filter(|one| query.admits(one)).map(Ok).collect::<Vec<_>>()),
                Err(error) => stream::fail(error),
            })
            .boxed()
    }

    fn watch(&self, query: MachineQuery, every: Option<Duration>) -> Items<MachineEvent> {
        watch::watch(self.clone(), query, every)
    }

    async fn find(&self, which: &Selector) -> Result<Machine> {
        let found = find(&self.client, which.text()).await?;
        if found.id.starts_with(AGENT) {
            return Ok(self.machine(found));
        }
        // What the list does not say.
        let what = format!("find container `{}`", found.name);
        match self.client.get::<Container>(&what, &path(key(&found), "")).await {
            Ok(mut whole) => {
                for (name, value) in found.rest {
                    whole.rest.entry(name).or_insert(value);
                }
                Ok(self.machine(whole))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(self.machine(found)),
            Err(error) => Err(error),
        }
    }

    async fn create(&self, spec: MachineSpec) -> Result<Operation<Machine>> {
        if spec.region.is_some() {
            return Err(Self::unsupported("--region", Feature::MachinesRegion));
        }
        let fields = Field::read(ON_CREATE, &spec.fields)?;
        let (image, custom) = images::key(spec.image.as_deref().unwrap_or(images::DEFAULT));
        let flag = |name: &str| fields.get(name).and_then(Value::as_bool);
        let body = Create {
            image: image.to_owned(),
            custom_image: custom.map(str::to_owned),
            name: Some(spec.name.clone()),
            role: Some(fields.get("role").and_then(Value::as_str).unwrap_or(ROLE).to_owned()),
            memory_mb: mib(spec.size.memory_bytes),
            cpu_shares: shares(spec.size.cpus),
            disk_mb: mib(spec.size.disk_bytes),
            shell: Some(Shell {
                enhanced: Some(flag("shell.enhanced").unwrap_or(false)),
                use_tmux: Some(flag("shell.use_tmux").unwrap_or(false)),
            }),
        };
        let slot = std::sync::Arc::clone(&self.creations).acquire_owned().await;
        // First the ears, then the mouth: the reason of a failure is told once. Without them it is waited for all the
        // same.
        let events = Events::open(&self.client).await.ok();
        let what = format!("create container `{}`", spec.name);
        let accepted = self.client.send(&what, Method::POST, "/api/containers", Some(&body)).await;
        let made: Container = match accepted {
            Ok(made) => made,
            Err(error) => self.uncertain(error, &spec.name).await?,
        };
        let machine = self.machine(made.clone());
        self.compare(spec.size, &machine);
        let watch = create::Watch {
            machines: self.clone(),
            id: key(&made).to_owned(),
            name: spec.name,
            events,
            env: spec.env,
            labels: spec.labels,
            slot: slot.ok(),
        };
        Ok(Operation::new(None, create::steps(watch)))
    }

    async fn update(&self, which: &Selector, change: MachineChange) -> Result<Operation<Machine>> {
        Field::read(&[], &change.fields)?;
        if change.access.is_some() {
            return Err(Self::unsupported("--access", Feature::MachinesUrl));
        }
        let container = self.container(which, "vm update").await?;
        if let Some(labels) = &change.labels {
            self.labels.set(key(&container), labels)?;
        }
        if change.size == Size::default() {
            return Ok(Operation::done(None, self.machine(container)));
        }
        // What is left out would be lowered to the least (section 3.2).
        let has = container.resources.unwrap_or_default();
        let body = Settings {
            name: container.name.clone(),
            resources: Resources {
                memory_mb: mib(change.size.memory_bytes).unwrap_or(has.memory_mb),
                cpu_shares: shares(change.size.cpus).unwrap_or(has.cpu_shares),
                disk_mb: mib(change.size.disk_bytes).unwrap_or(has.disk_mb),
            },
        };
        let what = format!("resize container `{}`", container.name);
        let mut request = Request::new(Method::PATCH, path(key(&container), "/settings")).json(&body);
        request.first_byte = Deadline::After(ENDING);
        let answer = self.client.fetch(&what, request).await?;
        let said: Value = self.client.read(&what, &answer)?;
        if said["restarted"] == json!(true) {
            let name = &container.name;
            self.client.notes().warn(format!("container `{name}` was made anew for that: its programs have ended"));
        }
        // The answer says `running` also of one that is stopped.
        let now: Container = self.client.get(&what, &path(key(&container), "")).await?;
        let machine = self.machine(now);
        self.compare(change.size, &machine);
        Ok(Operation::done(None, machine))
    }

    async fn power(&self, which: &Selector, to: Power) -> Result<Operation<Machine>> {
        let container = self.container(which, "vm start").await?;
        let is_running = matches!(container.status.as_str(), "running" | "configuring" | "starting");
        let now = match to {
            Power::On if is_running => container,
            // It is on its way up by itself.
            Power::On if container.status == "creating" => {
                let watch = create::Watch {
                    machines: self.clone(),
                    id: key(&container).to_owned(),
                    name: container.name.clone(),
                    events: Events::open(&self.client).await.ok(),
                    env: Vec::new(),
                    labels: self.machine(container).labels,
                    slot: None,
                };
                return Ok(Operation::new(None, create::steps(watch)));
            }
            Power::On => self.turn(&container, "start").await?,
            // The server stops what does not stop by itself, whatever time we would give it.
            Power::Off { .. } | Power::Kill if container.status == "stopped" => container,
            Power::Off { .. } | Power::Kill => self.turn(&container, "stop").await?,
            Power::Restart { .. } | Power::Reset => {
                let stopped = if is_running { self.turn(&container, "stop").await? } else { container };
                self.turn(&stopped, "start").await?
            }
        };
        Ok(Operation::done(None, self.machine(now)))
    }

    async fn upgrade(&self, _which: &Selector, _version: Option<&str>) -> Result<Operation<Machine>> {
        Err(Self::unsupported("vm upgrade", Feature::MachinesUpgrade))
    }

    async fn health(&self, which: &Selector) -> Result<MachineHealth> {
        let machine = self.find(which).await?;
        let reason = (machine.status != "running").then(|| format!("it is {}", machine.status));
        Ok(MachineHealth {
            healthy: machine.status == "running",
            status: machine.status,
            reason,
            checked_at: None,
            extra: crate::model::Extra::new(),
        })
    }

    async fn stats(&self, which: &Selector) -> Result<MachineStats> {
        let container = find(&self.client, which.text()).await?;
        let name = Name(key(&container).to_owned());
        let stats: Stats = super::terminal::stats(&Spot::new(self.client.clone(), name, self.gate.clone())).await?;
        Ok(MachineStats {
            cpu_percent: Some(stats.cpu_percent),
            memory_bytes: stats.memory,
            memory_limit_bytes: stats.memory_limit,
            disk_bytes: stats.disk_usage,
            disk_limit_bytes: stats.disk_limit,
            extra: stats.rest,
        })
    }

    async fn url(&self, _which: &Selector) -> Result<MachineUrl> {
        Err(Self::unsupported("vm url", Feature::MachinesUrl))
    }

    async fn delete(&self, which: &Selector) -> Result<Operation<()>> {
        let found = find(&self.client, which.text()).await?;
        let machines = self.clone();
        let steps = futures_util::stream::once(async move {
            let what = format!("delete container `{}`", found.name);
            let mut asked = 0;
            let deleted = crate::provider::retry::retrying(|| {
                asked += 1;
                let mut request = Request::delete(path(key(&found), ""));
                request.first_byte = Deadline::After(ENDING);
                let deleted = machines.client.fetch(&what, request);
                async move { deleted.await.map_err(|error| error.effect(Effect::None)) }
            });
            match deleted.await {
                // The answer to an earlier request of ours got lost: that one did it.
                Err(error) if error.kind() == ErrorKind::NotFound && asked > 1 => {}
                Err(error) => return Err(error),
                Ok(_) => {}
            }
            machines.labels.set(key(&found), &[])?;
            Ok(Step::Done(()))
        });
        Ok(Operation::new(None, steps.boxed()))
    }
}
