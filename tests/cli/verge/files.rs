//! The media catalog: parts, their order, and what becomes of a file that did not arrive.

use super::{json_of, stderr, stdout, world};
use crate::support::fake::Reply;
use crate::support::home;
use crate::support::verge::{Verge, document, parameter};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// The content of the files, by key and offset.
type Store = Arc<Mutex<BTreeMap<(u64, u64), Vec<u8>>>>;

/// A catalog that keeps what is uploaded; `lost` parts are hung up on once.
fn catalog(lost: u64) -> (Verge, Store) {
    let store = Store::default();
    let (inside, mut hung) = (store.clone(), Vec::new());
    let hung_up = Arc::new(Mutex::new(std::mem::take(&mut hung)));
    let lab = Verge::bent(world(), move |asked, tables| {
        let key: u64 = asked.path.strip_prefix("/api/v4/files/").and_then(|key| key.parse().ok())?;
        let mut store = inside.lock().unwrap();
        if let Some(at) = parameter(asked, "filepos") {
            let at: u64 = at.parse().unwrap();
            let mut hung_up = hung_up.lock().unwrap();
            if at == lost && !hung_up.contains(&at) {
                hung_up.push(at);
                return Some(Reply::Hangup);
            }
            store.insert((key, at), asked.body.clone().into_bytes());
            let size: u64 = store.iter().filter(|((of, _), _)| *of == key).map(|(_, part)| part.len() as u64).sum();
            let row = tables.get_mut("files").unwrap().iter_mut().find(|row| row["$key"] == key).unwrap();
            row["filesize"] = json!(size);
            return Some(Reply::Text(200, String::new()));
        }
        if asked.method == "GET" {
            let whole: Vec<u8> =
                store.iter().filter(|((of, _), _)| *of == key).flat_map(|(_, part)| part.clone()).collect();
            return Some(Reply::Text(200, String::from_utf8(whole).unwrap()));
        }
        None
    });
    (lab, store)
}

#[test]
fn files_travel_in_parts_and_back() {
    let (lab, store) = catalog(262_144);
    let content = (0..60_000).map(|n| format!("{n:010}")).collect::<Vec<_>>().concat();
    let here = home().join("in.iso");
    std::fs::write(&here, &content).unwrap();
    let output = lab.run(&["files", "cp", here.to_str().unwrap(), "vergeos:/big one.iso"]);
    assert!(output.status.success(), "{output:?}");
    let parts: Vec<_> = store.lock().unwrap().iter().map(|((_, at), part)| (*at, part.len())).collect();
    assert_eq!(parts, [(0, 262_144), (262_144, 262_144), (524_288, 75_712)]);
    let made: Vec<_> = lab.rows("files").iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(made, ["debian.iso", "big one.iso"]);
    let back = home().join("out.iso");
    let output = lab.run(&["files", "cp", "vergeos:/big one.iso", back.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(std::fs::read_to_string(back).unwrap(), content);
}

#[test]
fn what_did_not_arrive_is_not_left_behind() {
    let lab = Verge::bent(world(), |asked, _| {
        parameter(asked, "filepos").map(|_| document(507, &json!({"err": "No space left on device"})))
    });
    let here = home().join("in.iso");
    std::fs::write(&here, "0123456789").unwrap();
    let output = lab.run(&["files", "cp", here.to_str().unwrap(), "vergeos:/x.iso"]);
    assert_eq!(output.status.code(), Some(8), "{output:?}");
    assert!(stderr(&output).contains("No space left"), "{output:?}");
    assert_eq!(lab.rows("files").len(), 1);
}

#[test]
fn the_catalog_is_flat() {
    let (lab, _) = catalog(u64::MAX);
    let rows = json_of(&lab.run(&["files", "list", "vergeos:/", "-o", "json"]));
    assert_eq!(
        (&rows[0]["path"], &rows[0]["size_bytes"], &rows[0]["type"]),
        (&json!("/debian.iso"), &json!(10), &json!("file"))
    );
    assert!(lab.run(&["files", "mv", "vergeos:/debian.iso", "vergeos:/old.iso"]).status.success());
    assert_eq!(stdout(&lab.run(&["files", "list", "vergeos:/", "-o", "name"])), "/old.iso\n");
    assert!(lab.run(&["files", "rm", "vergeos:/old.iso", "--yes"]).status.success());
    assert_eq!(lab.rows("files").len(), 0);
    let output = lab.run(&["files", "list", "vergeos/web:/"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}
