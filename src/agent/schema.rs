//! What a final answer must look like: JSON Schema, as much of it as answers of models need. A keyword that would be
//! passed over is refused instead, before the model is asked.

use crate::error::{Error, Result};
use serde_json::{Map, Value};

/// How deep a schema may refer to itself within one value.
const DEPTH: usize = 64;

/// Keywords that are checked.
const CHECKED: &[&str] = &[
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "not",
    "oneOf",
    "properties",
    "required",
    "type",
    "uniqueItems",
];

/// Keywords that check nothing.
const REMARKS: &[&str] = &[
    "$comment",
    "$defs",
    "$id",
    "$schema",
    "default",
    "definitions",
    "deprecated",
    "description",
    "examples",
    "format",
    "readOnly",
    "title",
    "writeOnly",
];

/// A schema.
#[derive(Clone, Debug)]
pub struct Schema(Value);

impl Schema {
    /// Reads a schema. `name` is that of its file, for messages.
    pub fn parse(text: &str, name: &str) -> Result<Self> {
        let root: Value =
            serde_json::from_str(text).map_err(|error| Error::config(format!("`{name}` is no JSON: {error}")))?;
        let schema = Self(root);
        schema.understood(&schema.0, DEPTH).map_err(|what| Error::config(format!("cannot use `{name}`: {what}")))?;
        Ok(schema)
    }

    /// The schema as text, to be shown to the model.
    pub fn text(&self) -> String {
        self.0.to_string()
    }

    /// The value that an answer holds, if it is what the schema wants; otherwise what is wrong with it. An answer may
    /// stand in a code block.
    pub fn check(&self, answer: &str) -> Result<Value, String> {
        let value: Value = serde_json::from_str(unfenced(answer)).map_err(|error| format!("it is no JSON: {error}"))?;
        let mut wrong = Vec::new();
        self.validate(&self.0, &value, "", DEPTH, &mut wrong);
        if wrong.is_empty() { Ok(value) } else { Err(wrong.join("; ")) }
    }

    /// Whether every keyword is one that is known.
    fn understood(&self, schema: &Value, depth: usize) -> Result<(), String> {
        let schema = match schema {
            Value::Bool(_) => return Ok(()),
            Value::Object(schema) => schema,
            _ => return Err("a schema is an object or a boolean".to_owned()),
        };
        if depth == 0 {
            return Err("it is nested too deep".to_owned());
        }
        for (keyword, value) in schema {
            if !CHECKED.contains(&keyword.as_str()) && !REMARKS.contains(&keyword.as_str()) {
                return Err(format!("`{keyword}` is not supported"));
            }
            match (keyword.as_str(), value) {
                ("$ref", Value::String(to)) if self.0.pointer(to.strip_prefix('#').unwrap_or(to)).is_none() => {
                    return Err(format!("`{to}` refers to nothing in it"));
                }
                ("properties" | "$defs" | "definitions", Value::Object(all)) => {
                    all.values().try_for_each(|schema| self.understood(schema, depth - 1))?;
                }
                ("allOf" | "anyOf" | "oneOf", Value::Array(all)) => {
                    all.iter().try_for_each(|schema| self.understood(schema, depth - 1))?;
                }
                ("items" | "not" | "additionalProperties", schema) => self.understood(schema, depth - 1)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn validate(&self, schema: &Value, value: &Value, at: &str, depth: usize, wrong: &mut Vec<String>) {
        let Value::Object(keywords) = schema else {
            if *schema == Value::Bool(false) {
                wrong.push(format!("{} must not be there", place(at)));
            }
            return;
        };
        if depth == 0 {
            wrong.push(format!("{} is nested too deep", place(at)));
            return;
        }
        for (keyword, wanted) in keywords {
            if let Some(what) = simple(keyword, wanted, value) {
                wrong.push(format!("{} {what}", place(at)));
            }
        }
        if let Some(target) = keywords.get("$ref").and_then(Value::as_str) {
            match self.0.pointer(target.strip_prefix('#').unwrap_or(target)) {
                Some(schema) => self.validate(schema, value, at, depth - 1, wrong),
                None => wrong.push(format!("`{target}` refers to nothing")),
            }
        }
        self.combined(keywords, value, at, depth, wrong);
        if let Value::Object(object) = value {
            self.members(keywords, object, at, depth, wrong);
        }
        if let (Some(items), Value::Array(list)) = (keywords.get("items"), value) {
            for (number, item) in list.iter().enumerate() {
                self.validate(items, item, &format!("{at}/{number}"), depth - 1, wrong);
            }
        }
    }

    fn combined(&self, keywords: &Map<String, Value>, value: &Value, at: &str, depth: usize, wrong: &mut Vec<String>) {
        let fits = |schema: &Value| {
            let mut wrong = Vec::new();
            self.validate(schema, value, at, depth - 1, &mut wrong);
            wrong.is_empty()
        };
        let list = |name: &str| keywords.get(name).and_then(Value::as_array);
        for schema in list("allOf").into_iter().flatten() {
            self.validate(schema, value, at, depth - 1, wrong);
        }
        if list("anyOf").is_some_and(|all| !all.iter().any(fits)) {
            wrong.push(format!("{} fits none of the alternatives", place(at)));
        }
        if list("oneOf").is_some_and(|all| all.iter().filter(|schema| fits(schema)).count() != 1) {
            wrong.push(format!("{} does not fit exactly one of the alternatives", place(at)));
        }
        if keywords.get("not").is_some_and(fits) {
            wrong.push(format!("{} is what it must not be", place(at)));
        }
    }

    fn members(
        &self,
        keywords: &Map<String, Value>,
        object: &Map<String, Value>,
        at: &str,
        depth: usize,
        wrong: &mut Vec<String>,
    ) {
        for name in keywords.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(name) {
                wrong.push(format!("{} lacks `{name}`", place(at)));
            }
        }
        let known = keywords.get("properties").and_then(Value::as_object);
        for (name, value) in object {
            let schema = known.and_then(|known| known.get(name)).or_else(|| keywords.get("additionalProperties"));
            if let Some(schema) = schema {
                self.validate(schema, value, &format!("{at}/{name}"), depth - 1, wrong);
            }
        }
    }
}

/// What is wrong by a keyword that looks at nothing else.
fn simple(keyword: &str, wanted: &Value, value: &Value) -> Option<String> {
    let number = |compare: fn(f64, f64) -> bool| Some(!compare(value.as_f64()?, wanted.as_f64()?));
    let length = |length: Option<usize>, compare: fn(usize, usize) -> bool| {
        Some(!compare(length?, usize::try_from(wanted.as_u64()?).ok()?))
    };
    let text = value.as_str().map(|text| text.chars().count());
    let list = value.as_array();
    let fails = match keyword {
        "type" => {
            let fits = match wanted {
                Value::Array(kinds) => kinds.iter().any(|kind| is_a(value, kind)),
                kind => is_a(value, kind),
            };
            return (!fits).then(|| format!("must be {}", wanted.to_string().replace('"', "")));
        }
        "enum" => Some(!wanted.as_array()?.contains(value)),
        "const" => Some(wanted != value),
        "minimum" => number(|a, b| a >= b),
        "maximum" => number(|a, b| a <= b),
        "exclusiveMinimum" => number(|a, b| a > b),
        "exclusiveMaximum" => number(|a, b| a < b),
        "minLength" => length(text, |a, b| a >= b),
        "maxLength" => length(text, |a, b| a <= b),
        "minItems" => length(list.map(Vec::len), |a, b| a >= b),
        "maxItems" => length(list.map(Vec::len), |a, b| a <= b),
        "uniqueItems" if *wanted == Value::Bool(true) => {
            list.map(|list| list.iter().enumerate().any(|(n, item)| list[..n].contains(item)))
        }
        _ => None,
    };
    fails.filter(|fails| *fails).map(|_| format!("does not keep to `{keyword}`: {wanted}"))
}

fn is_a(value: &Value, kind: &Value) -> bool {
    match kind.as_str().unwrap_or_default() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        // 1.0 is an integer too.
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => false,
    }
}

fn place(at: &str) -> String {
    if at.is_empty() { "the answer".to_owned() } else { format!("`{at}`") }
}

/// The content of the one code block that a text is, or the text.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    match inner.and_then(|inner| inner.split_once('\n')) {
        Some((_, inner)) => inner.trim(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(text: &str) -> Schema {
        Schema::parse(text, "s.json").unwrap()
    }

    #[test]
    fn an_answer_is_what_the_schema_wants_or_is_told_why_not() {
        let schema = schema(
            r##"{"type":"object","required":["name","age"],"additionalProperties":false,"properties":{
                "name":{"type":"string","minLength":1},"age":{"type":"integer","minimum":0},
                "tags":{"type":"array","items":{"$ref":"#/$defs/tag"},"uniqueItems":true,"maxItems":2}},
                "$defs":{"tag":{"enum":["a","b"]}}}"##,
        );
        assert!(schema.check(r#"{"name":"x","age":1.0,"tags":["a","b"]}"#).is_ok());
        assert!(schema.check("```json\n{\"name\":\"x\",\"age\":1}\n```").is_ok());
        let wrong = |answer: &str| schema.check(answer).unwrap_err();
        assert!(wrong("Sure!").starts_with("it is no JSON"));
        assert_eq!(wrong("[]"), "the answer must be object");
        assert_eq!(wrong(r#"{"name":"x"}"#), "the answer lacks `age`");
        assert_eq!(wrong(r#"{"name":"","age":1}"#), "`/name` does not keep to `minLength`: 1");
        assert_eq!(wrong(r#"{"name":"x","age":-1}"#), "`/age` does not keep to `minimum`: 0");
        assert_eq!(wrong(r#"{"name":"x","age":1,"z":1}"#), "`/z` must not be there");
        assert_eq!(wrong(r#"{"name":"x","age":1,"tags":["c"]}"#), r#"`/tags/0` does not keep to `enum`: ["a","b"]"#);
        assert!(wrong(r#"{"name":"x","age":1,"tags":["a","a"]}"#).contains("uniqueItems"));
    }

    #[test]
    fn alternatives() {
        let schema = schema(r#"{"oneOf":[{"type":"integer"},{"type":"number","maximum":5}],"not":{"const":7}}"#);
        assert!(schema.check("6").is_ok() && schema.check("1.5").is_ok());
        assert!(schema.check("5").is_err() && schema.check("7").is_err() && schema.check("5.5").is_err());
    }

    #[test]
    fn what_would_be_passed_over_is_refused() {
        for (text, what) in [
            (r#"{"pattern":"a"}"#, "`pattern` is not supported"),
            (r#"{"properties":{"a":{"if":{}}}}"#, "`if` is not supported"),
            (r##"{"$ref":"#/$defs/x"}"##, "refers to nothing"),
            ("12", "a schema is an object or a boolean"),
            ("{", "is no JSON"),
        ] {
            let error = Schema::parse(text, "s.json").unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
        // One that refers to itself ends.
        let endless = schema(r##"{"$ref":"#"}"##);
        assert!(endless.check("1").is_err());
    }
}
