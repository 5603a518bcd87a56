//! The fields that only one provider has, as `--set NAME=VALUE` gives them: checked before anything is sent, since a
//! server may drop silently what it does not know.

use super::Row;
use crate::error::{Error, Result};
use crate::suggest::nearest;
use serde_json::Value;

/// A field of a provider.
#[derive(Debug)]
pub struct Field {
    /// Its name, as the wire has it.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Bool,
}

impl Field {
    /// Reads what was typed: unknown names and values of the wrong kind are `Usage`.
    pub fn read(known: &[Self], typed: &[(String, String)]) -> Result<Row> {
        let read = |(name, text): &(String, String)| {
            let field = known.iter().find(|field| field.name == name).ok_or_else(|| unknown(known, name))?;
            let value = field
                .kind
                .read(text)
                .map_err(|why| Error::usage(format!("invalid value `{text}` of `--set {name}`: {why}")))?;
            Ok((name.clone(), value))
        };
        typed.iter().map(read).collect()
    }
}

impl FieldKind {
    fn read(self, text: &str) -> Result<Value, &'static str> {
        match self {
            Self::Text => Ok(text.into()),
            Self::Number => text.parse::<u64>().map(Value::from).map_err(|_| "expected a whole number"),
            Self::Bool => crate::config::boolean(text).map(Value::from).ok_or(crate::config::BOOLEAN),
        }
    }
}

fn unknown(known: &[Field], name: &str) -> Error {
    let names = || known.iter().map(|field| field.name);
    Error::usage(format!("no field `{name}` for `--set`")).hint(match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "there are none here".to_owned(),
        None => format!("the fields are {}", names().collect::<Vec<_>>().join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use serde_json::json;

    const KNOWN: &[Field] = &[
        Field { name: "runtime", kind: FieldKind::Text },
        Field { name: "cpus", kind: FieldKind::Number },
        Field { name: "wait", kind: FieldKind::Bool },
    ];

    fn read(pairs: &[(&str, &str)]) -> Result<Row> {
        let typed: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Field::read(KNOWN, &typed)
    }

    #[test]
    fn fields_are_read_by_kind_and_slips_are_told() {
        let row = read(&[("runtime", "1"), ("cpus", "2"), ("wait", "yes")]).unwrap();
        assert_eq!(Value::Object(row), json!({"runtime": "1", "cpus": 2, "wait": true}));
        let error = read(&[("cpu", "2")]).unwrap_err();
        assert_eq!((error.kind(), error.parts().hint.as_deref()), (ErrorKind::Usage, Some("did you mean `cpus`?")));
        for (name, value) in [("cpus", "-1"), ("cpus", "2.5"), ("wait", "maybe"), ("xyzzy", "")] {
            assert_eq!(read(&[(name, value)]).unwrap_err().kind(), ErrorKind::Usage, "{name}={value}");
        }
    }
}
