//! From a request to what answers it.

use super::acts::{self, Action};
use super::auth::{self, Wish};
use super::refusal::{Answer, Refusal};
use super::rows::{self, Body};
use super::store::Id;
use super::world::World;
use super::{VERSION, dashboards, files, schema};
use crate::playground::fault::Plan;
use crate::transport::header::CONTENT_TYPE;
use crate::transport::server::{Handler, Reply, Request, Response};
use crate::transport::{HeaderValue, StatusCode};
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The longest body, in bytes. Files come in parts that are smaller.
const MAX_BODY: usize = 16 << 20;

/// Endpoints for actions whose name does not say which table they are for, or whose field does not (section 2.1).
const DEVIATING: &[(&str, &str, &str)] = &[
    ("update_actions", "update_sources", "source"),
    ("catalog_repository_actions", "catalog_repositories", "repository"),
    ("volume_sync_actions", "volume_syncs", "sync"),
    ("volume_antivirus_actions", "volume_antivirus", "volume_antivirus"),
    ("site_syncs_outgoing_actions", "site_syncs_outgoing", "site_syncs_outgoing"),
    ("site_syncs_incoming_actions", "site_syncs_incoming", "site_syncs_incoming"),
    ("site_syncs_incoming_verified_actions", "site_syncs_incoming_verified", "site_syncs_incoming_verified"),
];

/// The API.
pub(super) struct Api {
    world: Mutex<World>,
    faults: Plan,
}

impl Api {
    pub(super) fn new(world: World, faults: Plan) -> Self {
        Self { world: Mutex::new(world), faults }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn meet_faults(&self, request: &Request) {
        if self.faults.take("deaf", request).is_some() {
            self.world().are_deaf = true;
        }
        if let Some(pace) = self.faults.take("slow", request) {
            self.world().pace = pace.duration();
        }
    }

    async fn answer(&self, mut request: Request) -> Answer<Reply> {
        let segments: Vec<String> = request.segments().into_iter().map(str::to_owned).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).filter(|segment| !segment.is_empty()).collect();
        self.world().settle();
        match (request.method.as_str(), &segments[..]) {
            ("GET", ["version.json"]) => return ok(&json!({ "version": VERSION })),
            ("POST", ["api", "sys", "tokens"]) => {
                let body = body(&mut request).await?;
                let session = auth::begin(&mut self.world(), &body.into())?;
                return Ok(Response::json(StatusCode::CREATED, &session).into());
            }
            _ => {}
        }
        let user = auth::user(&mut self.world(), &request)?;
        match (request.method.as_str(), &segments[..]) {
            ("DELETE", ["api", "sys", "tokens", token]) => {
                auth::end(&mut self.world(), token)?;
                done()
            }
            ("GET", ["api", "v4"]) => {
                ok(&self.world().store.schema.tables.iter().map(|table| &table.name).collect::<Vec<_>>())
            }
            ("GET", ["api", "v4", "version"]) => ok(&json!({ "version": VERSION })),
            (_, ["api", "v4", table, rest @ ..]) => self.table(&user, table, rest, request).await,
            _ => Err(Refusal::missing(&request.path)),
        }
    }

    async fn table(&self, user: &Id, table: &str, rest: &[&str], mut request: Request) -> Answer<Reply> {
        let method = request.method.as_str().to_owned();
        if method == "GET" && rest.is_empty() {
            let world = self.world();
            if let Some(dashboard) = dashboards::show(&world, table) {
                return ok(&dashboard);
            }
        }
        if table.ends_with("_actions") && method == "POST" {
            let mut body = body(&mut request).await?;
            if let [verb] = rest {
                body.insert("action".to_owned(), (*verb).into());
            }
            return self.action(user, table, &body);
        }
        let number = self.world().store.schema.find(table).ok_or_else(|| Refusal::missing(table))?;
        let wish = match (method.as_str(), rest) {
            ("GET", []) => Wish::List,
            ("GET", _) => Wish::Read,
            ("POST", []) => Wish::Create,
            ("DELETE", _) => Wish::Delete,
            _ => Wish::Modify,
        };
        auth::permit(&self.world(), user, table, wish)?;
        match (method.as_str(), rest) {
            ("GET", []) => {
                let rows = rows::list(&self.world(), number, &request.query)?;
                Ok(Response::bytes(StatusCode::OK, "application/json", rows).into())
            }
            ("GET", ["$table"]) => ok(&described(&self.world().store.schema.tables[number])),
            ("GET", [key]) => {
                let id = rows::find(&self.world(), number, key)?;
                if request.query.text("download").is_some_and(|download| download == "1") {
                    return files::download(&self.world(), &id, &request);
                }
                ok(&rows::get(&self.world(), &id, &request.query))
            }
            ("POST", []) => {
                let body = body(&mut request).await?;
                let mut world = self.world();
                let name = world.store.text(user, "name");
                let reply = rows::create(&mut world, number, body, &name)?;
                Ok(Response::json(StatusCode::CREATED, &reply).into())
            }
            ("PUT", [key]) => {
                let id = rows::find(&self.world(), number, key)?;
                if let Some(position) = request.query.text("filepos") {
                    let position = position.parse().map_err(|_| Refusal::argument())?;
                    let bytes = request.bytes(MAX_BODY).await.map_err(|error| Refusal::new(400, error))?;
                    files::write(&mut self.world(), &id, position, &bytes)?;
                    return done();
                }
                let action = request.query.text("action").map(std::borrow::Cow::into_owned);
                let body = body(&mut request).await?;
                let mut world = self.world();
                let name = world.store.text(user, "name");
                match action {
                    Some(action) => said(verb(&mut world, &id, &action, &body, &name)?),
                    None => {
                        rows::update(&mut world, &id, body, &name)?;
                        done()
                    }
                }
            }
            ("DELETE", [key]) => {
                let mut world = self.world();
                let id = rows::find(&world, number, key)?;
                let name = world.store.text(user, "name");
                rows::remove(&mut world, &id, &name)?;
                files::forget(&world, &id);
                done()
            }
            ("POST" | "PUT", [key, verb_name]) => {
                let body = body(&mut request).await?;
                let mut world = self.world();
                let id = rows::find(&world, number, key)?;
                let name = world.store.text(user, "name");
                said(verb(&mut world, &id, verb_name, &body, &name)?)
            }
            _ => Err(Refusal::not_permitted()),
        }
    }

    /// `POST /vm_actions`.
    fn action(&self, user: &Id, endpoint: &str, body: &Body) -> Answer<Reply> {
        let mut world = self.world();
        let name = body.get("action").and_then(Value::as_str).unwrap_or_default();
        let empty = Map::new();
        let params = body.get("params").and_then(Value::as_object).unwrap_or(&empty);
        let user_name = world.store.text(user, "name");
        let action = Action { name, params, user: &user_name };
        if let Some(answer) = acts::general(&mut world, endpoint, &action) {
            return said(answer?);
        }
        let (table, field) = match DEVIATING.iter().find(|(known, ..)| *known == endpoint) {
            Some((_, table, field)) => ((*table).to_owned(), (*field).to_owned()),
            None => {
                let singular = endpoint.trim_end_matches("_actions");
                (format!("{singular}s"), singular.to_owned())
            }
        };
        world.store.schema.find(&table).ok_or_else(|| Refusal::missing(endpoint))?;
        auth::permit(&world, user, &table, Wish::Modify)?;
        let id = acts::named(&world, &table, body.get(&field).unwrap_or(&Value::Null))?;
        said(acts::act(&mut world, &id, &action)?)
    }
}

/// A verb behind a row, with what stands in the body as its parameters, below `params` or not.
fn verb(world: &mut World, id: &Id, name: &str, body: &Body, user: &str) -> acts::Said {
    let params = body.get("params").and_then(Value::as_object).unwrap_or(body);
    acts::verb(world, id, &Action { name, params, user })
}

fn ok(value: &impl serde::Serialize) -> Answer<Reply> {
    Ok(Response::json(StatusCode::OK, value).into())
}

/// Done, and nothing to say about it.
fn done() -> Answer<Reply> {
    Ok(Response::empty(StatusCode::OK).into())
}

fn said(reply: Option<Value>) -> Answer<Reply> {
    match reply {
        Some(reply) => ok(&reply),
        None => done(),
    }
}

/// The body as an object; an empty one has no fields.
async fn body(request: &mut Request) -> Answer<Body> {
    let bytes = request.bytes(MAX_BODY).await.map_err(|error| Refusal::new(400, error))?;
    if bytes.trim_ascii().is_empty() {
        return Ok(Body::new());
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(body)) => Ok(body),
        _ => Err(Refusal::new(400, "Invalid JSON")),
    }
}

/// `GET /vms/$table`: what a table is made of.
fn described(table: &schema::Table) -> Value {
    let fields = table.columns.iter().map(|column| {
        let mut field = json!({
            "name": column.name,
            "type": column.kind.shown(),
            "required": column.is_required,
            "readonly": column.is_read_only,
        });
        if !column.default.is_null() {
            field["default"] = column.default.clone();
        }
        match &column.limit {
            schema::Limit::Choices(choices) => field["list"] = choices.iter().map(|choice| json!(choice)).collect(),
            schema::Limit::Range { least, most } => {
                field["min"] = (*least).into();
                if *most != i64::MAX {
                    field["max"] = (*most).into();
                }
            }
            schema::Limit::None => {}
        }
        match &column.kind {
            schema::Kind::Ref(table) | schema::Kind::Part { table, .. } | schema::Kind::Rows { table, .. } => {
                field["table"] = table.as_str().into();
            }
            _ => {}
        }
        field
    });
    json!({ "name": table.name, "fields": fields.collect::<Vec<_>>() })
}

#[async_trait]
impl Handler for Api {
    async fn handle(&self, request: Request) -> Reply {
        self.meet_faults(&request);
        if self.faults.take("html", &request).is_some() {
            let page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
            let page = Response::text(StatusCode::BAD_GATEWAY, page);
            return page.header(CONTENT_TYPE, HeaderValue::from_static("text/html")).into();
        }
        let is_lost = self.faults.take("lost", &request).is_some();
        let connection = request.connection.clone();
        let reply = self.answer(request).await.unwrap_or_else(Reply::from);
        if is_lost {
            connection.reset();
        }
        reply
    }
}
