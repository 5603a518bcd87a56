//! The documents of the wire, as plain data (sections 1 to 5 of the rexec reference).

mod agents;
mod containers;
mod files;
mod forwards;
mod library;
mod terminal;

pub use agents::Agent;
pub use containers::{Container, Containers, Create, Resources, Settings, Shell};
pub use files::{File, FileList};
pub use forwards::{Forward, ForwardRequest};
pub use library::{Recording, Recordings, Snippet, Snippets};
pub use terminal::{Frame, Progress, ServerEvent, Stats};

use serde::{Deserialize, Deserializer};

/// Reads `null` as the default: servers say it where a list is empty.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_in_every_shape_that_servers_and_stand_ins_have() {
        let object: Containers =
            serde_json::from_str(r#"{"containers":[{"id":"x","name":"a"}],"count":1,"limit":5}"#).unwrap();
        let array: Containers = serde_json::from_str(r#"[{"id":"x","name":"a"}]"#).unwrap();
        assert_eq!((object.into_items().len(), array.into_items().len()), (1, 1));
        assert!(serde_json::from_str::<Containers>(r#"{"containers":null}"#).unwrap().into_items().is_empty());
        for (text, count) in [
            (r#"{"path":"/","files":null,"count":0}"#, 0),
            (r#"{"path":"/","files":[{"name":"a","is_dir":true}],"count":1}"#, 1),
            (r#"[{"name":"a","isDir":true,"modTime":"2026-01-01T00:00:00Z"}]"#, 1),
            ("null", 0),
        ] {
            let files = serde_json::from_str::<Option<FileList>>(text).unwrap().unwrap_or_default().into_items();
            assert_eq!(files.len(), count, "{text}");
            assert!(files.iter().all(|file| file.is_dir), "{text}");
        }
    }

    #[test]
    fn a_stats_frame_is_a_text_or_an_object() {
        let inner = r#"{"cpu_percent":0.5,"memory":7}"#;
        let text: Frame =
            serde_json::from_str(&format!(r#"{{"type":"stats","data":{}}}"#, serde_json::json!(inner))).unwrap();
        let object: Frame = serde_json::from_str(&format!(r#"{{"type":"stats","data":{inner}}}"#)).unwrap();
        assert_eq!(text.stats().unwrap().memory, Some(7));
        assert_eq!(object.stats().unwrap().memory, Some(7));
    }
}
