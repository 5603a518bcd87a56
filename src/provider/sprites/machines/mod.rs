//! Sandboxes as machines (section 2.2): every one is addressed by its name.

mod convert;
mod ready;
mod watch;

use self::convert::{health, machine};
use super::api;
use super::client::{Client, path};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::{Extra, Key, Machine, MachineHealth, MachineUrl, Name};
use crate::operation::Operation;
use crate::provider::machines::{
    Field, FieldKind, MachineChange, MachineEvent, MachineQuery, MachineSpec, Machines, Power, Row, Selector,
};
use crate::provider::{Feature, feature};
use crate::stream::{self, Items};
use crate::suggest::nearest;
use crate::transport::query::Query;
use crate::transport::{Deadline, Method, Request};
use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use std::collections::HashSet;
use std::time::Duration;

/// How many sandboxes are asked for at once; a server may give fewer.
const PAGE: &str = "100";
/// How long the server may take to make one, and to upgrade one (section 2.2).
const CREATING: Duration = Duration::from_mins(2);
const UPGRADING: Duration = Duration::from_mins(1);
/// A label of a host name, and so the name with the organization behind it, is no longer than this.
const LABEL: usize = 63;

/// The fields of `--set`, on create and on update.
const SIZE: &[&str] = &["ram_mb", "cpus", "storage_gb", "region"];
const ON_CREATE: &[Field] = &[
    Field { name: "wait_for_capacity", kind: FieldKind::Bool },
    Field { name: "runtime", kind: FieldKind::Text },
    Field { name: "private_access", kind: FieldKind::Text },
    Field { name: "ram_mb", kind: FieldKind::Number },
    Field { name: "cpus", kind: FieldKind::Number },
    Field { name: "storage_gb", kind: FieldKind::Number },
    Field { name: "region", kind: FieldKind::Text },
];
const ON_UPDATE: &[Field] = &[Field { name: "private_access", kind: FieldKind::Text }];

/// The sandboxes of an account.
#[derive(Clone)]
pub(super) struct SpritesMachines(pub(super) Client);

impl SpritesMachines {
    /// The pages that begin with `prefix`, in the order of the server.
    fn pages(&self, prefix: &str) -> Items<Vec<api::Sprite>> {
        struct State {
            client: Client,
            prefix: String,
            next: Option<String>,
            asked: HashSet<String>,
            ended: bool,
        }
        let state = State {
            client: self.0.clone(),
            prefix: prefix.to_owned(),
            next: None,
            asked: HashSet::new(),
            ended: false,
        };
        stream::unfold(state, |mut state| async move {
            if state.ended {
                return Ok(None);
            }
            let prefix = Some(&state.prefix).filter(|prefix| !prefix.is_empty());
            let query = Query::new("/v1/sprites").maybe("prefix", prefix).with("max_results", PAGE);
            let query = query.maybe("continuation_token", state.next.as_ref()).build();
            let page: api::Page = state.client.get("list sandboxes", &query).await?;
            // Some servers announce more after the last page; a token that leads nowhere new would go round for ever.
            let next = page.next_continuation_token.filter(|token| !token.is_empty() && page.has_more);
            state.next = next.filter(|token| state.asked.insert(token.clone()));
            state.ended = state.next.is_none();
            Ok(Some((page.sprites, state)))
        })
    }

    /// Every sandbox whose name begins with `prefix`.
    fn all(&self, prefix: &str) -> Items<Machine> {
        self.pages(prefix)
            .map_ok(|page| futures_util::stream::iter(page.into_iter().map(|sprite| Ok(machine(sprite)))))
            .try_flatten()
            .boxed()
    }

    /// The names that match, sorted.
    pub(super) async fn names(&self, glob: &str) -> Result<Vec<Name>> {
        let query = MachineQuery { glob: Some(glob.to_owned()), ..MachineQuery::default() };
        let mut names: Vec<_> = self.list(query).map_ok(|machine| Name(machine.name)).try_collect().await?;
        names.sort();
        names.dedup();
        Ok(names)
    }

    async fn get(&self, name: &Name) -> Result<Machine> {
        self.0.get(&format!("find sandbox `{name}`"), &path(name, "")).await.map(machine)
    }

    /// What was probably meant by a name that does not exist; a page of those that begin alike is looked at.
    async fn unknown(&self, name: &Name, error: Error) -> Error {
        let first: String = name.0.chars().take(1).collect();
        let page = self.pages(&first).next().await;
        let names = page.and_then(Result::ok).unwrap_or_default();
        match nearest(&name.0, names.iter().map(|sprite| sprite.name.as_str())) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`esker vm list` shows all"),
        }
    }

    /// The operation that ends when the sandbox can be used.
    fn until_usable(&self, name: Name) -> Operation<Machine> {
        Operation::new(None, ready::steps(self.clone(), name))
    }

    /// Warns of what was asked for and is not in the answer.
    fn compare(&self, asked: &Row, machine: &Machine) {
        let config = machine.extra.get("config").and_then(|config| config.as_object());
        for (name, wanted) in asked {
            let has = machine.extra.get(name).or_else(|| config.and_then(|config| config.get(name)));
            if has != Some(wanted) {
                self.0.notes().warn(format!("the API did not take over `{name}` of sandbox `{}`", machine.name));
            }
        }
    }

    /// Warns of a name whose address cannot exist.
    fn measure(&self, name: &str, url: Option<&str>) {
        let host = url.and_then(|url| url.split("://").nth(1)).unwrap_or(name);
        let label = host.split(['.', '/', ':']).next().unwrap_or_default();
        if label.len() > LABEL {
            self.0.notes().warn(format!(
                "sandbox `{name}` has no working address: `{label}` has {} bytes, and a name in DNS at most {LABEL}",
                label.len()
            ));
        }
    }

    /// After a lost answer the sandbox may be there, and one that is there may be from a request whose answer got lost.
    fn uncertain(&self, error: Error, name: &str) -> Error {
        let look = format!("`esker vm show {}/{name}`", self.0.endpoint());
        match error.kind() {
            ErrorKind::Conflict => error.hint(format!("if an earlier attempt was cut off it may be its: see {look}")),
            _ if error.parts().effect == Effect::Unknown => error.hint(format!("it may exist now: {look} tells")),
            _ => error,
        }
    }

    fn unsupported(asked: &str, feature: Feature) -> Error {
        feature::unsupported(&super::DRIVER, feature, asked)
    }
}

fn named(which: &Selector) -> Name {
    Name::from(which.text())
}

#[async_trait]
impl Machines for SpritesMachines {
    fn list(&self, query: MachineQuery) -> Items<Machine> {
        let all = self.all(query.literal());
        all.try_filter(move |machine| std::future::ready(query.admits(machine))).boxed()
    }

    fn watch(&self, query: MachineQuery, every: Option<Duration>) -> Items<MachineEvent> {
        watch::watch(self.clone(), query, every)
    }

    async fn find(&self, which: &Selector) -> Result<Machine> {
        let name = named(which);
        match self.get(&name).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Err(self.unknown(&name, error).await),
            found => found,
        }
    }

    async fn create(&self, spec: MachineSpec) -> Result<Operation<Machine>> {
        if spec.image.is_some() {
            return Err(Self::unsupported("--image", Feature::MachinesImage));
        }
        let mut asked = Field::read(ON_CREATE, &spec.fields)?;
        let private_access = text_of(asked.remove("private_access"));
        let (config, rest): (Row, Row) = asked.clone().into_iter().partition(|(name, _)| SIZE.contains(&name.as_str()));
        let body = api::Create {
            name: spec.name.clone(),
            config,
            environment: spec.env.into_iter().collect(),
            url_settings: api::UrlSettings { auth: spec.access, private_access },
            labels: spec.labels,
            rest,
        };
        self.measure(&spec.name, None);
        let what = format!("create sandbox `{}`", spec.name);
        let mut request = Request::post("/v1/sprites").json(&body);
        request.first_byte = Deadline::After(CREATING);
        let answer = self.0.fetch(&what, request).await.map_err(|error| self.uncertain(error, &spec.name))?;
        let made = machine(self.0.read(&what, &answer).map_err(|error| error.effect(Effect::Done))?);
        asked.retain(|name, _| SIZE.contains(&name.as_str()));
        self.compare(&asked, &made);
        self.measure(&made.name, made.url.as_deref());
        Ok(self.until_usable(Name(made.name)))
    }

    async fn update(&self, which: &Selector, change: MachineChange) -> Result<Operation<Machine>> {
        let name = named(which);
        let mut asked = Field::read(ON_UPDATE, &change.fields)?;
        let labels = change.labels;
        let body = api::Update {
            url_settings: api::UrlSettings {
                auth: change.access,
                private_access: text_of(asked.remove("private_access")),
            },
            clear_labels: labels.as_ref().is_some_and(Vec::is_empty),
            labels: labels.unwrap_or_default(),
        };
        let what = format!("update sandbox `{name}`");
        // It says how things are to be and not what is to change: sent again it does the same.
        let answer = self.0.repeat(&what, &|| Request::put(path(&name, "")).json(&body)).await?;
        Ok(Operation::done(None, machine(self.0.read(&what, &answer)?)))
    }

    async fn power(&self, which: &Selector, to: Power) -> Result<Operation<Machine>> {
        if !matches!(to, Power::Restart { .. }) {
            return Err(Self::unsupported("a power state", Feature::MachinesPower));
        }
        let name = named(which);
        let what = format!("restart sandbox `{name}`");
        self.0.fetch(&what, Request::post(path(&name, "/restart"))).await?;
        Ok(self.until_usable(name))
    }

    async fn upgrade(&self, which: &Selector, version: Option<&str>) -> Result<Operation<Machine>> {
        let name = named(which);
        let what = format!("upgrade sandbox `{name}`");
        let mut request = Request::new(Method::POST, path(&name, "/upgrade"));
        if let Some(version) = version {
            request = request.json(&serde_json::json!({ "version": version }));
        }
        request.first_byte = Deadline::After(UPGRADING);
        self.0.fetch(&what, request).await?;
        Ok(self.until_usable(name))
    }

    async fn health(&self, which: &Selector) -> Result<MachineHealth> {
        let name = named(which);
        self.0.get(&format!("check sandbox `{name}`"), &path(&name, "/check")).await.map(health)
    }

    async fn url(&self, which: &Selector) -> Result<MachineUrl> {
        let mut machine = self.find(which).await?;
        let settings: api::UrlSettings = machine
            .extra
            .remove("url_settings")
            .and_then(|settings| serde_json::from_value(settings).ok())
            .unwrap_or_default();
        let Some(url) = machine.url else {
            return Err(Error::not_found(format!("sandbox `{}` has no address", machine.name)));
        };
        let private = settings.private_access.map(|access| ("private_access".to_owned(), access.into()));
        Ok(MachineUrl { url, access: settings.auth, extra: Extra::from_iter(private) })
    }

    async fn delete(&self, which: &Selector) -> Result<Operation<()>> {
        let name = named(which);
        let tries = std::sync::atomic::AtomicU32::new(0);
        let request = || {
            tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Request::delete(path(&name, ""))
        };
        match self.0.repeat(&format!("delete sandbox `{name}`"), &request).await {
            // The answer to an earlier request of ours got lost: that one did it.
            Err(error) if error.kind() == ErrorKind::NotFound && tries.into_inner() > 1 => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(self.unknown(&name, error).await),
            outcome => drop(outcome?),
        }
        Ok(Operation::done(None, ()))
    }
}

fn text_of(value: Option<serde_json::Value>) -> Option<String> {
    value.and_then(|value| value.as_str().map(str::to_owned))
}

/// The key of a sandbox is its name.
fn key(name: &str) -> Key {
    Key::from(name)
}
