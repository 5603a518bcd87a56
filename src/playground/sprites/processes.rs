//! The processes of a sprite.

pub(super) use crate::playground::processes::{below, signal, stat};

use super::sprite::Sprite;
use crate::playground::processes;

/// The numbers of its processes.
pub(super) fn of(sprite: &Sprite) -> Vec<i32> {
    let view = sprite.known_disk().and_then(|disk| disk.view().ok());
    view.map_or_else(Vec::new, |view| processes::of(&view, &sprite.leaders()))
}

/// Kills all of them, those that `leaders` lead among them, and returns when they are gone.
pub(super) async fn kill_all(sprite: &Sprite, leaders: &[i32]) {
    if let Some(view) = sprite.known_disk().and_then(|disk| disk.view().ok()) {
        processes::kill_all(&view, leaders).await;
    }
}
