//! How the system describes its own tables, for the names that we do not know (section 1.1).

use super::VergeResources;
use super::values::Kind;
use crate::error::Result;
use crate::provider::vergeos::tables::Def;
use serde_json::Value;

impl VergeResources {
    /// The description of a table, as it is.
    pub(super) async fn described(&self, def: &'static Def) -> Result<Value> {
        self.0.get(&format!("read the schema of `{}`", def.name()), &format!("{}/$table", def.name())).await
    }
}

/// The columns of a description, and what each holds. Releases differ in its form: an object or a list of fields.
pub(super) fn columns(schema: &Value) -> Vec<(String, Kind)> {
    let lists = ["fields", "columns", "properties"].into_iter().filter_map(|name| schema.get(name));
    let mut found = Vec::new();
    for list in lists {
        match list {
            Value::Object(fields) => {
                found.extend(fields.iter().map(|(name, field)| (name.clone(), kind(field))));
            }
            Value::Array(fields) => found
                .extend(fields.iter().filter_map(|field| Some((field.get("name")?.as_str()?.to_owned(), kind(field))))),
            _ => {}
        }
    }
    found
}

fn kind(field: &Value) -> Kind {
    match field.get("type").or(Some(field)).and_then(Value::as_str).unwrap_or_default() {
        "bool" | "boolean" | "enabled" => Kind::Bool,
        "num" | "number" | "integer" => Kind::Number,
        word if word.trim_start_matches('u').starts_with("int") => Kind::Number,
        "text" | "string" | "filename" => Kind::Text,
        "json" | "row" | "rows" => Kind::Json,
        _ => Kind::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn descriptions_are_read_in_both_forms() {
        let list =
            json!({"name": "vms", "fields": [{"name": "ram", "type": "uint32"}, {"name": "note", "type": "text"}]});
        assert_eq!(columns(&list), [("ram".to_owned(), Kind::Number), ("note".to_owned(), Kind::Text)]);
        let object = json!({"fields": {"enabled": {"type": "bool"}, "x": {}}});
        assert_eq!(columns(&object), [("enabled".to_owned(), Kind::Bool), ("x".to_owned(), Kind::Any)]);
        assert_eq!(columns(&json!([])), []);
    }
}
