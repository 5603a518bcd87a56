//! Files of other clients that say which place a directory is about (`.sprite`). They may name a place and nothing
//! else: neither where it is nor with which credential it is reached (ux 10.2).

use super::load::MAX_BYTES;
use super::{EndpointConfig, Layer, Named, Node, Origin, PlaceFile, Pointed, Rules};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// The target that the nearest such file at or above `cwd` names.
pub(super) fn find(cwd: &Path, rules: &dyn Rules, endpoints: &BTreeMap<String, EndpointConfig>) -> Option<Named> {
    let files = rules.place_files();
    let mut places = cwd.ancestors().flat_map(|dir| files.iter().map(move |file| (dir, file)));
    places.find_map(|(dir, (provider, file))| {
        let path = dir.join(file.name);
        let pointed = read(&path, file)?;
        let endpoint = endpoint(provider, &pointed, endpoints);
        let origin = Origin::File { layer: Layer::Place, path: Arc::from(path), line: 1 };
        Some(Named { node: Node::scalar(&format!("{endpoint}/{}", pointed.place)), origin })
    })
}

/// What a file says. A directory of its name, and a file that is something else, say nothing.
fn read(path: &Path, file: &PlaceFile) -> Option<Pointed> {
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    File::open(path).ok()?.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    // What would have to be encoded in a target is the name of nothing that such a client made.
    let is_plain = |name: &str| !name.contains(|c: char| "/:*?[]%".contains(c) || c.is_whitespace() || c.is_control());
    (file.read)(&text).filter(|pointed| !pointed.place.is_empty() && is_plain(&pointed.place))
}

/// The endpoint that has the key which is wanted; otherwise the provider's own.
fn endpoint<'a>(provider: &'a str, pointed: &Pointed, endpoints: &'a BTreeMap<String, EndpointConfig>) -> &'a str {
    let fits = |endpoint: &&EndpointConfig| {
        let has = |(key, value): &(&str, String)| endpoint.text(key) == Some(value.as_str());
        endpoint.provider == provider && pointed.key.as_ref().is_some_and(has)
    };
    endpoints.values().find(fits).map_or(provider, |endpoint| endpoint.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    static FILE: PlaceFile = PlaceFile {
        name: ".box",
        read: |text| {
            let (place, team) = text.split_once(' ')?;
            Some(Pointed { place: place.to_owned(), key: Some(("team", team.trim().to_owned())) })
        },
    };

    struct One;

    impl Rules for One {
        fn settings(&self) -> Vec<&'static str> {
            Vec::new()
        }
        fn providers(&self) -> Vec<&'static str> {
            vec!["boxes"]
        }
        fn keys(&self, _: &str) -> Option<&'static [super::super::ConfigKey]> {
            None
        }
        fn place_files(&self) -> Vec<(&'static str, &'static PlaceFile)> {
            vec![("boxes", &FILE)]
        }
    }

    #[test]
    fn the_nearest_regular_file_that_is_one_counts() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b/c");
        fs::create_dir_all(deep.join(".box")).unwrap();
        let endpoint = EndpointConfig { name: "lab".to_owned(), ..EndpointConfig::implicit("boxes") };
        let endpoints = BTreeMap::from([("lab".to_owned(), endpoint.with("team", "red"))]);
        let found = || {
            find(&deep, &One, &endpoints).map(|named| (named.node.text().unwrap().to_owned(), named.origin.to_string()))
        };
        assert_eq!(found(), None);
        fs::write(dir.path().join(".box"), "far blue").unwrap();
        fs::write(dir.path().join("a/b/.box"), "something else").unwrap();
        let far = dir.path().join(".box");
        assert_eq!(found().unwrap().0, "boxes/something");
        fs::write(dir.path().join("a/b/.box"), "nothing").unwrap();
        assert_eq!(found(), Some(("boxes/far".to_owned(), format!("{}:1", far.display()))));
        fs::write(dir.path().join("a/.box"), "near red").unwrap();
        assert_eq!(found().unwrap().0, "lab/near");
        for odd in ["x/y red", "* red", " red", "a%20b red"] {
            fs::write(dir.path().join("a/.box"), odd).unwrap();
            assert_eq!(found().unwrap().0, "boxes/far", "{odd}");
        }
    }
}
