//! Something to look at: two containers and a snippet, as somebody might have left them.

use super::access::User;
use super::create::bring_up;
use super::state::Container;
use super::world::World;
use crate::error::{Error, Result};
use crate::provider::rexec::api::Resources;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, PoisonError};

const README: &str = "# box\n\nSomewhere to try things: `./hello.sh you`\n";
const HELLO: &str = "#!/bin/sh\necho \"Hello, ${1:-world}!\"\n";

/// Makes them.
pub(super) async fn fill(world: &Arc<World>) -> Result<()> {
    let owner = owner(world).ok_or_else(|| Error::internal("nobody uses the playground"))?;
    let container = make(world, &owner, "box", "ubuntu").await?;
    make(world, &owner, "scratch", "alpine").await?;
    let home = container.disk().map(|disk| volume(world, &container).unwrap_or_else(|| disk.root().join("home/user")));
    let cannot = |error| Error::failure("cannot fill a container of the playground").source(error);
    if let Some(home) = home {
        fs::write(home.join("README.md"), README).map_err(cannot)?;
        fs::write(home.join("hello.sh"), HELLO).map_err(cannot)?;
        fs::set_permissions(home.join("hello.sh"), fs::Permissions::from_mode(0o755)).map_err(cannot)?;
    }
    world.snippets.add(&owner, "disk", "df -h \"${1:-/}\"", "bash", "how full a disk is");
    Ok(())
}

/// Whoever uses the playground.
fn owner(world: &World) -> Option<User> {
    world.users.lock().unwrap_or_else(PoisonError::into_inner).get(&world.token).cloned()
}

/// Where its home is on this machine, if that is shown to it from elsewhere.
fn volume(world: &World, container: &Container) -> Option<std::path::PathBuf> {
    let volume = world.dir.join("volumes").join(format!("{}-{}", container.user_id, container.name()));
    volume.is_dir().then_some(volume)
}

async fn make(world: &Arc<World>, owner: &User, name: &str, image: &str) -> Result<Arc<Container>> {
    let resources = Resources { memory_mb: 2048, cpu_shares: 2000, disk_mb: 10240 };
    let (name, image) = (name.to_owned(), image.to_owned());
    let container = Container::new(name, owner.id.clone(), image, "barebone".to_owned(), resources, Vec::new());
    let container = Arc::new(container);
    let made = bring_up(world, &container).await;
    made.map_err(|error| Error::failure("cannot make a container of the playground").source(error))?;
    container.state().status = "running";
    world.containers().push(Arc::clone(&container));
    Ok(container)
}
