//! Something to look at: three sandboxes, as somebody might have left them.

use super::checkpoints::blocking;
use super::services;
use super::sprite::Sprite;
use super::world::{CreateRequest, World};
use crate::error::{Error, Result};
use serde_json::{Value, json};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

/// A file below the home of a sandbox.
struct File(&'static str, u32, &'static str);

const DEV_BEFORE: &[File] = &[
    File("README.md", 0o644, "# greeter\n\nSays hello to whoever asks.\n\n    ./greet.sh Ada\n"),
    File("greet.sh", 0o755, "#!/bin/sh\necho \"Hello, ${1:-world}!\"\n"),
];

const DEV_AFTER: &[File] = &[
    File("greet.sh", 0o755, "#!/bin/sh\n# Says hello, politely.\necho \"Good day, ${1:-world}!\"\n"),
    File("notes/todo.txt", 0o644, "* greet in other languages\n* ask for a name when none is given\n"),
    File("clock.sh", 0o755, "#!/bin/sh\nwhile :; do\n    echo \"tick $(date +%T)\"\n    sleep 5\ndone\n"),
];

const CI: &[File] = &[
    File("build/report.json", 0o644, "{\"tests\": 128, \"failures\": 1, \"seconds\": 41.7}\n"),
    File(
        "build/failed.log",
        0o644,
        "not ok 17 - keeps the order of its lines\n#   expected: a b c\n#   got:      a c b\n",
    ),
    File(
        "flaky.sh",
        0o755,
        "#!/bin/sh\necho \"connecting to the queue\"\necho \"no answer from the queue, giving up\" >&2\nexit 3\n",
    ),
];

/// Makes them.
pub(super) async fn fill(world: &Arc<World>) -> Result<()> {
    let dev = make(world, "dev", &["team=web", "demo"])?;
    write(&dev, DEV_BEFORE).await?;
    checkpoint(&dev, "hello works").await?;
    write(&dev, DEV_AFTER).await?;
    checkpoint(&dev, "politer, with a clock").await?;
    service(&dev, "clock", &json!({ "cmd": "/home/sprite/clock.sh" }))?;

    let ci = make(world, "ci", &["team=infra", "demo"])?;
    write(&ci, CI).await?;
    checkpoint(&ci, "after the last green build").await?;
    service(&ci, "runner", &json!({ "cmd": "sh", "args": ["-c", "echo waiting for jobs; exec sleep 86400"] }))?;
    service(&ci, "queue", &json!({ "cmd": "/home/sprite/flaky.sh", "needs": ["runner"] }))?;

    make(world, "scratch", &["demo"])?;
    Ok(())
}

fn make(world: &Arc<World>, name: &str, labels: &[&str]) -> Result<Arc<Sprite>> {
    let labels = Some(labels.iter().map(|label| (*label).to_owned()).collect());
    let request = CreateRequest { name: Some(name.to_owned()), labels, ..CreateRequest::default() };
    world.create(request).map_err(|_| Error::internal(format!("the sandbox `{name}` cannot be made")))
}

async fn write(sprite: &Arc<Sprite>, files: &'static [File]) -> Result<()> {
    on_disk(sprite, move |sprite| {
        let home = sprite.disk()?.root().join("home/sprite");
        for File(path, mode, content) in files {
            let path = home.join(path);
            if let Some(dir) = path.parent() {
                fs::create_dir_all(dir)?;
            }
            fs::write(&path, content)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode))?;
        }
        Ok(())
    })
    .await
}

async fn checkpoint(sprite: &Arc<Sprite>, comment: &'static str) -> Result<()> {
    on_disk(sprite, move |sprite| sprite.checkpoints.take(sprite.disk()?, Some(comment.to_owned()), false).map(|_| ()))
        .await
}

fn service(sprite: &Arc<Sprite>, name: &str, definition: &Value) -> Result<()> {
    let _hold = sprite.hold();
    services::define(sprite, name, definition)
        .map_err(|_| Error::internal(format!("the service `{name}` cannot be made")))
}

async fn on_disk(sprite: &Arc<Sprite>, work: impl FnOnce(&Sprite) -> io::Result<()> + Send + 'static) -> Result<()> {
    let sprite = Arc::clone(sprite);
    let done = blocking(move || work(&sprite)).await;
    done.map_err(|error| Error::failure("cannot fill a sandbox of the playground").source(error))
}
