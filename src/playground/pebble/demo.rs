//! A small world to try things on: services that run, one that comes and goes, a failing check, a few files.

use crate::error::{Error, Result};
use std::fs;
use std::path::Path;

/// The services and checks.
const LAYER: &str = r#"summary: a web shop in small
services:
  db:
    override: replace
    summary: the database
    startup: enabled
    command: sh -c 'echo "listening on 5432"; n=0; while :; do n=$((n + 1)); echo "checkpoint $n complete"; sleep 20; done'
  web:
    override: replace
    summary: the shop
    startup: enabled
    after: [db]
    requires: [db]
    command: sh -c 'echo "serving on :8080"; n=0; while :; do n=$((n + 1)); echo "GET /products/$n 200"; sleep 3; done'
    environment:
      SHOP_CONFIG: DIR/srv/shop.yaml
    on-check-failure:
      web-alive: restart
  worker:
    override: replace
    summary: sends mail, if it can
    startup: enabled
    command: sh -c 'echo "connecting to mail:25"; sleep 2; echo "connection refused" >&2; exit 1'
    backoff-delay: 5s
    backoff-limit: 1m
  report:
    override: replace
    summary: the nightly report
    startup: disabled
    command: sh -c 'echo "report written"; sleep 1000'
checks:
  web-alive:
    override: replace
    level: alive
    period: 10s
    exec:
      command: test -s DIR/srv/shop.yaml
  mail:
    override: replace
    level: ready
    period: 2s
    threshold: 2
    exec:
      command: sh -c 'echo "mail:25 does not answer"; exit 1'
"#;

/// Files to look at, by their path below the directory.
const FILES: &[(&str, &str)] = &[
    ("srv/shop.yaml", "name: corner shop\ncurrency: EUR\npages: 12\n"),
    ("srv/products.csv", "id,name,price\n1,apple,0.40\n2,pear,0.55\n3,plum,0.20\n"),
    ("srv/www/index.html", "<!doctype html>\n<title>Corner shop</title>\n<h1>Open all day</h1>\n"),
    ("srv/www/robots.txt", "User-agent: *\nDisallow:\n"),
];

/// Puts the world into the directory of a daemon that is not started yet.
///
/// # Errors
///
/// The directory cannot be written to.
pub(super) fn seed(dir: &Path) -> Result<()> {
    let here = dir.display().to_string();
    let layer = LAYER.replace("DIR", &here);
    let files = FILES.iter().map(|(path, text)| (*path, (*text).to_owned()));
    for (path, text) in files.chain([("layers/001-shop.yaml", layer)]) {
        let path = dir.join(path);
        let parent = path.parent().unwrap_or(dir);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| Error::failure(format!("cannot write `{}`", path.display())).source(error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::layers::Layers;
    use super::*;

    #[test]
    fn the_world_makes_sense() {
        let dir = tempfile::tempdir().unwrap();
        seed(dir.path()).unwrap();
        let layers = Layers::read(&dir.path().join("layers")).unwrap();
        let names: Vec<&String> = layers.plan().services.keys().collect();
        assert_eq!(names, ["db", "report", "web", "worker"]);
        assert!(layers.plan().checks.contains_key("mail") && dir.path().join("srv/shop.yaml").is_file());
    }
}
