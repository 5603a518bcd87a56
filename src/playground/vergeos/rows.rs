//! What can be done with the rows of any table: list, get, create, update, delete (section 2.1).

use super::acts;
use super::fields::Fields;
use super::filter::{self, Filter};
use super::key::{Key, reference};
use super::path::At;
use super::refusal::{Answer, Refusal};
use super::schema::{Column, Kind, Limit};
use super::store::{Id, Row, same};
use super::times;
use super::world::World;
use crate::transport::server::Query;
use serde_json::{Map, Value, json};

/// The fields of a body.
pub(super) type Body = Map<String, Value>;

/// What a projection is, if the query has one.
fn fields(world: &World, table: usize, query: &Query) -> Fields {
    match query.text("fields") {
        Some(text) => Fields::parse(&text),
        None => Fields::short(world.store.schema_of(table)),
    }
}

fn number(query: &Query, name: &str) -> Answer<usize> {
    match query.text(name) {
        Some(text) if !text.is_empty() => text.parse().map_err(|_| Refusal::argument()),
        _ => Ok(0),
    }
}

/// The rows that a query asks for, as JSON.
pub(super) fn list(world: &World, table: usize, query: &Query) -> Answer<Vec<u8>> {
    let store = &world.store;
    let filter = match query.text("filter") {
        Some(text) if !text.trim().is_empty() => Some(Filter::parse(&text)?),
        _ => None,
    };
    let rows = store.rows(table).map(|(key, row)| At { store, table, key, row });
    let mut rows: Vec<At<'_>> = rows.filter(|at| filter.as_ref().is_none_or(|filter| filter.holds(*at))).collect();
    if let Some(text) = query.text("sort") {
        filter::sort(&mut rows, &text)?;
    }
    let (offset, limit) = (number(query, "offset")?, number(query, "limit")?);
    let mut rows = rows.into_iter().skip(offset).take(if limit == 0 { usize::MAX } else { limit });
    let fields = fields(world, table, query);
    if fields.is_empty() {
        return Ok(format!(r#"[{{"$count":{}}}]"#, rows.count()).into_bytes());
    }
    if store.schema_of(table).is_single {
        let row = rows.next().map_or_else(|| json!({}), |at| fields.show(at));
        return Ok(row.to_string().into_bytes());
    }
    Ok(fields.list(rows))
}

/// The row that a path names.
pub(super) fn find(world: &World, table: usize, key: &str) -> Answer<Id> {
    let schema = world.store.schema_of(table);
    let missing = || Refusal::missing(format!("{}/{key}", schema.name));
    if let Some(key) = Key::parse(key, schema.keys)
        && world.store.row(table, &key).is_some()
    {
        return Ok(Id { table, key });
    }
    // Queries are known by a text beside their number.
    let by_id = schema.column("id").and_then(|_| world.store.first(&schema.name, "id", &key.into()));
    by_id.ok_or_else(missing)
}

/// One row.
pub(super) fn get(world: &World, id: &Id, query: &Query) -> Value {
    let at = At::of(&world.store, id).expect("it was just found");
    fields(world, id.table, query).show(at)
}

/// Makes a row, as `user`.
pub(super) fn create(world: &mut World, table: usize, mut body: Body, user: &str) -> Answer<Value> {
    let name = world.store.schema_of(table).name.clone();
    acts::before_create(world, &name, &mut body)?;
    let mut row = world.store.blank(table);
    let written = write(world, table, &mut row, &body, true)?;
    require(world, table, &written)?;
    let schema = world.store.schema_of(table);
    if let Some(at) = schema.column("creator")
        && row[at].is_null()
    {
        let creator = world.store.first("users", "name", &user.into());
        row[at] = creator.map_or(Value::Null, |id| format!("users/{}", id.key).into());
    }
    check_unique(world, table, &row, None)?;
    let id = world.store.insert(table, row);
    let response = match acts::created(world, &id, &body, user) {
        Ok(response) => response,
        Err(refusal) => {
            world.store.remove(&id);
            return Err(refusal);
        }
    };
    let key = id.key.to_string();
    let mut reply = json!({
        "location": format!("/v4/{name}/{key}"),
        "dbpath": format!("{name}/{key}"),
        "$row": world.store.number_of(&id),
        "$key": key,
    });
    if let Some(response) = response {
        reply["response"] = response;
    }
    Ok(reply)
}

/// Changes a row.
pub(super) fn update(world: &mut World, id: &Id, mut body: Body, user: &str) -> Answer<()> {
    acts::before_update(world, id, &mut body)?;
    let mut row: Row = world.store.row(id.table, &id.key).expect("it was just found").clone();
    let written = write(world, id.table, &mut row, &body, false)?;
    check_unique(world, id.table, &row, Some(&id.key))?;
    let schema = world.store.schema_of(id.table);
    let mut names: Vec<String> = written.iter().map(|at| schema.columns[*at].name.clone()).collect();
    if let Some(modified) = schema.columns.iter().position(|column| column.kind == Kind::Modified) {
        row[modified] = times::seconds().into();
        names.push(schema.columns[modified].name.clone());
    }
    for name in names {
        let at = world.store.schema_of(id.table).column(&name).expect("it was just written");
        world.store.set(id, &name, row[at].clone());
    }
    acts::updated(world, id, &body, user);
    Ok(())
}

/// Removes a row.
pub(super) fn remove(world: &mut World, id: &Id, user: &str) -> Answer<()> {
    acts::before_delete(world, id, user)?;
    world.store.remove(id);
    Ok(())
}

/// Writes what the body says into a row. Unknown fields and those that only the server sets are dropped without a word
/// (section 2.2). The numbers of the columns that were written.
fn write(world: &World, table: usize, row: &mut Row, body: &Body, is_new: bool) -> Answer<Vec<usize>> {
    let schema = world.store.schema_of(table);
    let mut written = Vec::new();
    for (name, value) in body {
        let Some(at) = schema.column(name) else { continue };
        let column = &schema.columns[at];
        let is_kept = column.is_read_only
            || (column.is_fixed && !is_new)
            || matches!(column.kind, Kind::Part { .. } | Kind::Rows { .. } | Kind::Created | Kind::Modified);
        if !is_kept {
            row[at] = checked(world, column, value)?;
            written.push(at);
        }
    }
    Ok(written)
}

/// The value as the column takes it.
fn checked(world: &World, column: &Column, value: &Value) -> Answer<Value> {
    let wrong = || Refusal::field(&column.name, "fails validation test");
    let value = match (&column.kind, value) {
        (Kind::Ref(_) | Kind::Any, Value::Null) => return Ok(Value::Null),
        (Kind::Ref(_), value) => {
            let is_zero = reference(value).is_none() && *value != "";
            if column.takes_zero && is_zero {
                return Ok(value.clone());
            }
            if *value != "" && world.store.target(column, value).is_none() {
                return Err(Refusal::dangling(&column.name));
            }
            return Ok(value.clone());
        }
        (Kind::Any, Value::String(text)) if text.contains('/') => {
            world.store.target(column, value).ok_or_else(|| Refusal::dangling(&column.name))?;
            return Ok(value.clone());
        }
        (Kind::Any | Kind::Json, value) => return Ok(value.clone()),
        (_, Value::Null) => return Ok(column.default.clone()),
        (Kind::Bool, Value::Bool(_)) => value.clone(),
        (Kind::Bool, Value::String(text)) => match text.as_str() {
            "true" | "1" => true.into(),
            "false" | "0" | "" => false.into(),
            _ => return Err(wrong()),
        },
        (Kind::Bool, Value::Number(number)) => (number.as_f64() != Some(0.0)).into(),
        (Kind::Number(_) | Kind::Time, Value::Number(_)) => value.clone(),
        (Kind::Number(_) | Kind::Time, Value::String(text)) => match text.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => text.parse::<f64>().map_err(|_| wrong())?.into(),
        },
        (Kind::Text | Kind::Secret, Value::String(_)) => value.clone(),
        (Kind::Text | Kind::Secret, Value::Number(_) | Value::Bool(_)) => value.to_string().into(),
        _ => return Err(wrong()),
    };
    let fits = match (&column.limit, &value) {
        (Limit::None, _) => true,
        (Limit::Choices(choices), Value::String(text)) => choices.contains(text),
        (Limit::Range { least, most }, Value::String(text)) => {
            (*least..=*most).contains(&i64::try_from(text.chars().count()).unwrap_or(i64::MAX))
        }
        (Limit::Range { least, most }, value) => {
            value.as_i64().is_some_and(|number| (*least..=*most).contains(&number))
        }
        _ => false,
    };
    // A choice may be left open.
    let is_open = value == "" && column.default == "";
    if fits || is_open { Ok(value) } else { Err(wrong()) }
}

fn require(world: &World, table: usize, written: &[usize]) -> Answer<()> {
    let columns = world.store.schema_of(table).columns.iter().enumerate();
    let mut missing = columns.filter(|(at, column)| column.is_required && !written.contains(at));
    match missing.next() {
        Some((_, column)) => Err(Refusal::field(&column.name, "is required")),
        None => Ok(()),
    }
}

/// Refuses a row that would be the same as another where no two may be.
pub(super) fn check_unique(world: &World, table: usize, row: &Row, own: Option<&Key>) -> Answer<()> {
    let schema = world.store.schema_of(table);
    let Some(unique) = &schema.unique else { return Ok(()) };
    let column = |name: &String| schema.column(name).expect("the schema names columns of its own");
    let flag = unique.unless.as_ref().map(column);
    let is_exempt = |row: &Row| flag.is_some_and(|at| row[at] == true);
    if is_exempt(row) {
        return Ok(());
    }
    let columns: Vec<usize> = unique.columns.iter().map(column).collect();
    let mut others = world.store.rows(table).filter(|(key, other)| Some(*key) != own && !is_exempt(other));
    if others.any(|(_, other)| columns.iter().all(|at| same(&other[*at], &row[*at]))) {
        return Err(Refusal::new(409, "This name is already in use"));
    }
    Ok(())
}
