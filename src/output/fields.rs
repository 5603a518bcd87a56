//! `--fields`: which keys exist, and an object reduced to some of them.

use crate::error::{Error, Result};
use crate::suggest::nearest;
use schemars::JsonSchema;
use serde_json::{Map, Value};

/// The top-level keys of the documents of `T`, from its schema.
pub(super) fn keys<T: JsonSchema>() -> Vec<String> {
    let schema = schemars::schema_for!(T);
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

/// Refuses a name that is not among `valid`, and lists those.
pub(super) fn check<'a>(name: &str, flag: &str, valid: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let valid: Vec<_> = valid.into_iter().collect();
    if valid.contains(&name) {
        return Ok(());
    }
    let list = format!("the fields are {}", valid.join(", "));
    Err(Error::usage(format!("no field `{name}` for `{flag}`")).hint(match nearest(name, valid) {
        Some(close) => format!("did you mean `{close}`? {list}"),
        None => list,
    }))
}

/// `value` with these keys alone, in this order. A key it lacks is null: it exists, and has no value here.
pub(super) fn pick(value: &dyn erased_serde::Serialize, fields: &[String]) -> serde_json::Result<Value> {
    let Value::Object(mut object) = serde_json::to_value(value)? else { return Ok(Value::Null) };
    Ok(Value::Object(
        fields.iter().map(|key| (key.clone(), object.remove(key).unwrap_or_default())).collect::<Map<_, _>>(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{At, ServiceDetail};
    use serde_json::json;

    #[test]
    fn keys_come_from_every_flattened_level() {
        let keys = keys::<At<ServiceDetail>>();
        assert!(
            ["provider", "target", "name", "extra", "command", "pid"].iter().all(|key| keys.iter().any(|k| k == key)),
            "{keys:?}"
        );
    }

    #[test]
    fn a_picked_object_has_the_asked_order_and_null_for_what_it_lacks() {
        let asked = ["b", "c"].map(str::to_owned);
        assert_eq!(pick(&json!({"a": 1, "b": 2}), &asked).unwrap().to_string(), r#"{"b":2,"c":null}"#);
    }
}
