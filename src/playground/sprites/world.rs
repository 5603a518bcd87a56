//! All sprites of one organisation, and what goes for all of them.

use super::errors::{Answer, Refusal};
use super::sprite::{Sprite, UrlSettings};
use super::times::Options;
use crate::host::process::Processes;
use crate::playground::fault::Plan;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;

/// The most sprites that may be there, so that a loop does not fill the disk.
const MAX_SPRITES: usize = 20_000;

/// How many may run or be warm at once, as the API reports it. Not enforced: the fault plan does that.
const RUNNING_LIMIT: usize = 100;
const WARM_LIMIT: usize = 1000;

/// The longest name: what the URL's label holds, with room for the organisation.
const MAX_NAME: usize = 63;

/// The organisation and its sprites.
pub(super) struct World {
    /// Where their disks are.
    pub(super) dir: PathBuf,
    /// What the API demands.
    pub(super) token: String,
    /// The token of Fly's that one of ours can be had for.
    pub(super) fly_token: String,
    /// The organisation's slug.
    pub(super) org: String,
    /// Everything that runs in them.
    pub(super) processes: Processes,
    /// What goes wrong.
    pub(super) faults: Plan,
    /// The times that production fixes and tests shorten.
    pub(super) options: Options,
    sprites: Mutex<BTreeMap<String, Arc<Sprite>>>,
    changes: broadcast::Sender<Arc<Sprite>>,
}

/// What a sprite is made from. Unknown fields are ignored, as the API does.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CreateRequest {
    pub(super) name: Option<String>,
    pub(super) config: Option<Value>,
    pub(super) environment: Option<HashMap<String, String>>,
    pub(super) url_settings: Option<UrlSettings>,
    pub(super) labels: Option<Vec<String>>,
}

/// How many sprites are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) running: usize,
    pub(super) warm: usize,
    pub(super) cold: usize,
}

impl World {
    /// An empty organisation, whose sprites keep their disks below `dir`.
    pub(super) fn new(
        dir: PathBuf,
        token: String,
        fly_token: String,
        processes: Processes,
        faults: Plan,
        options: Options,
    ) -> Arc<Self> {
        let org = token.split('/').next().unwrap_or_default().to_owned();
        let (changes, _) = broadcast::channel(256);
        Arc::new(Self { dir, token, fly_token, org, processes, faults, options, sprites: Mutex::default(), changes })
    }

    fn sprites(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Sprite>>> {
        self.sprites.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a sprite. Its disk is made when it is first used.
    pub(super) fn create(self: &Arc<Self>, request: CreateRequest) -> Answer<Arc<Sprite>> {
        let name = request.name.clone().unwrap_or_default();
        if !is_name(&name) {
            return Err(Refusal::list(400, "invalid sprite name format"));
        }
        if let Some(settings) = &request.url_settings {
            settings.check()?;
        }
        let mut sprites = self.sprites();
        if sprites.contains_key(&name) {
            let taken = format!("A sprite named '{name}' already exists. Please choose a different name.");
            return Err(Refusal::json(409, taken));
        }
        if sprites.len() >= MAX_SPRITES {
            return Err(Refusal::too_many_running(MAX_SPRITES as u64));
        }
        let sprite = Sprite::new(self, &name, request);
        sprites.insert(name, Arc::clone(&sprite));
        drop(sprites);
        self.tell(&sprite);
        Ok(sprite)
    }

    /// The sprite called `name`.
    pub(super) fn find(&self, name: &str) -> Option<Arc<Sprite>> {
        self.sprites().get(name).cloned()
    }

    /// Takes a sprite out of the organisation. What it runs and keeps is for the caller to end.
    pub(super) fn remove(&self, name: &str) -> Option<Arc<Sprite>> {
        self.sprites().remove(name)
    }

    /// Up to `limit` sprites whose names begin with `prefix` and lie behind `after`, and whether there are more.
    pub(super) fn page(&self, prefix: &str, after: Option<&str>, limit: usize) -> (Vec<Arc<Sprite>>, bool) {
        let sprites = self.sprites();
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let mut found = sprites.range::<str, _>((from, Bound::Unbounded)).map(|(_, sprite)| sprite);
        let mut found = found.by_ref().take_while(|sprite| sprite.name.starts_with(prefix));
        let page: Vec<_> = found.by_ref().take(limit).cloned().collect();
        let more = found.next().is_some();
        (page, more)
    }

    /// Every sprite.
    pub(super) fn all(&self) -> Vec<Arc<Sprite>> {
        self.sprites().values().cloned().collect()
    }

    /// How many there are of each status.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for sprite in self.sprites().values() {
            *match sprite.status() {
                super::sprite::Status::Running => &mut counts.running,
                super::sprite::Status::Warm => &mut counts.warm,
                super::sprite::Status::Cold => &mut counts.cold,
            } += 1;
        }
        counts
    }

    /// Says that the state of a sprite changed.
    pub(super) fn tell(&self, sprite: &Arc<Sprite>) {
        // Nobody may be listening.
        let _ = self.changes.send(Arc::clone(sprite));
    }

    /// The sprites whose state changes from now on.
    pub(super) fn changes(&self) -> broadcast::Receiver<Arc<Sprite>> {
        self.changes.subscribe()
    }

    /// The organisation as the state stream and lists carry it.
    pub(super) fn summary(&self) -> Value {
        let Counts { running, warm, cold } = self.counts();
        json!({
            "name": self.org, "running": running, "warm": warm, "cold": cold,
            "running_limit": RUNNING_LIMIT, "warm_limit": WARM_LIMIT,
        })
    }

    /// `GET /v1/organization`.
    pub(super) fn organization(&self) -> Value {
        let active = self.all().into_iter().filter(|sprite| sprite.status() == super::sprite::Status::Running);
        json!({ "organization": {
            "slug": self.org,
            "sprites_enabled": true,
            "active_sprites": active.map(|sprite| sprite.name.clone()).collect::<Vec<_>>(),
            "max_sprites": MAX_SPRITES,
            "active_sprite_limit": RUNNING_LIMIT,
        }})
    }
}

/// Whether a sprite may be called `name`: lower-case letters, digits and `-` inside, as a DNS label.
fn is_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(|byte| inner(byte) || byte == b'-')
        && name.bytes().next().is_some_and(inner)
        && name.bytes().last().is_some_and(inner)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn world() -> (tempfile::TempDir, Arc<World>) {
        let dir = tempfile::tempdir().unwrap();
        let world = World::new(
            dir.path().to_owned(),
            "acme/1/2/secret".into(),
            "fm2_secret".into(),
            Processes::default(),
            Plan::default(),
            Options::default(),
        );
        (dir, world)
    }

    pub(in super::super) fn make(world: &Arc<World>, name: &str) -> Arc<Sprite> {
        world.create(CreateRequest { name: Some(name.into()), ..CreateRequest::default() }).ok().unwrap()
    }

    #[test]
    fn names_are_dns_labels() {
        for good in ["a", "my-box-1", "1", &"x".repeat(63)] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a_b", "a/b", "a b", "ä", &"x".repeat(64)] {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[tokio::test]
    async fn pages_follow_each_other_without_gap_or_overlap() {
        let (_dir, world) = world();
        for name in ["a-1", "b-1", "b-2", "b-3", "c-1"] {
            make(&world, name);
        }
        let names = |page: &[Arc<Sprite>]| page.iter().map(|sprite| sprite.name.clone()).collect::<Vec<_>>();
        let (page, more) = world.page("b", None, 2);
        assert_eq!((names(&page), more), (vec!["b-1".into(), "b-2".into()], true));
        let (page, more) = world.page("b", Some("b-2"), 2);
        assert_eq!((names(&page), more), (vec!["b-3".into()], false));
        let (page, more) = world.page("", None, 5);
        assert_eq!((page.len(), more), (5, false));
        let (page, _) = world.page("", Some("c-1"), 5);
        assert!(page.is_empty());
    }

    #[tokio::test]
    async fn a_name_is_taken_once() {
        let (_dir, world) = world();
        make(&world, "box");
        let again = world.create(CreateRequest { name: Some("box".into()), ..CreateRequest::default() });
        assert_eq!(again.err().unwrap().0.status, 409);
        assert!(world.remove("box").is_some());
        make(&world, "box");
    }
}
