//! The file of the official client that says which sandbox a directory is about (section 1.3, 1.5).

use crate::provider::{PlaceFile, Pointed};
use serde::Deserialize;

/// `.sprite`: also the name of a directory in every sandbox, which is something else.
pub(super) static PLACE_FILE: PlaceFile = PlaceFile { name: ".sprite", read };

#[derive(Deserialize)]
struct Content {
    sprite: String,
    organization: Option<String>,
}

fn read(text: &str) -> Option<Pointed> {
    let content: Content = serde_json::from_str(text).ok()?;
    let organization = content.organization.filter(|organization| !organization.is_empty());
    Some(Pointed { place: content.sprite, key: organization.map(|organization| ("organization", organization)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_the_official_client_is_read_and_no_other() {
        let pointed = read(r#"{"organization":"acme","sprite":"dev"}"#).unwrap();
        assert_eq!((pointed.place.as_str(), pointed.key), ("dev", Some(("organization", "acme".to_owned()))));
        assert_eq!(read(r#"{"sprite":"dev","new":1}"#).unwrap().key, None);
        for other in ["", "GIF89a", "[]", r#"{"organization":"acme"}"#, r#"{"sprite":7}"#] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
