//! Providers in memory, for tests: `pebble` holds one instance, `sprites` holds several. What their endpoints do is
//! set by keys of the configuration, so that nothing is shared between tests.

use super::{ConfigKey, Driver, Env, Feature, KeyKind, Offer, Place, Provider};
use crate::config::EndpointConfig;
use crate::error::{Error, Result};
use crate::model::{Info, Name};
use async_trait::async_trait;
use std::sync::Arc;

const fn key(name: &'static str, kind: KeyKind) -> ConfigKey {
    ConfigKey { name, kind, summary: "" }
}

/// What the fake providers offer.
pub static OFFERS: &[Offer] = &[Offer::native(Feature::Services), Offer::native(Feature::Exec)];

/// One instance per endpoint.
pub static PEBBLE: Driver = Driver {
    id: "pebble",
    summary: "one instance",
    place: None,
    keys: &[key("socket", KeyKind::Path), key("url", KeyKind::Url), key("dead", KeyKind::Text)],
    variables: &["PEBBLE", "PEBBLE_SOCKET"],
    offers: OFFERS,
    place_file: None,
    imports: &[],
    translations: &[],
    implicit: |vars| {
        let socket = vars("PEBBLE_SOCKET").unwrap_or_else(|| "/default.sock".to_owned());
        Ok(EndpointConfig::implicit("pebble").with("socket", socket))
    },
    open: |config, _: Env| open(&PEBBLE, config),
};

/// Several places per endpoint: those of the key `places`, none if it is `dead`.
pub static SPRITES: Driver = Driver {
    id: "sprites",
    summary: "several places",
    place: Some("sandbox"),
    keys: &[
        key("url", KeyKind::Url),
        key("places", KeyKind::Argv),
        key("dead", KeyKind::Text),
        key("verify", KeyKind::Bool),
        key("ttl", KeyKind::Duration),
        key("token", KeyKind::Secret),
        key("token_command", KeyKind::Argv),
    ],
    variables: &["SPRITE_TOKEN"],
    offers: OFFERS,
    place_file: None,
    imports: &[],
    translations: &[],
    implicit: |_| Ok(EndpointConfig::implicit("sprites")),
    open: |config, _: Env| open(&SPRITES, config),
};

/// Both.
pub static DRIVERS: &[&Driver] = &[&PEBBLE, &SPRITES];

fn open(driver: &'static Driver, config: &EndpointConfig) -> Result<Arc<dyn Provider>> {
    if config.text("url") == Some("bad://url") {
        return Err(Error::config("bad url"));
    }
    let places = config.words("places").unwrap_or_default();
    Ok(Arc::new(Fake { driver, config: config.clone(), places }))
}

/// An endpoint in memory.
pub struct Fake {
    driver: &'static Driver,
    config: EndpointConfig,
    places: Vec<String>,
}

#[async_trait]
impl Provider for Fake {
    fn driver(&self) -> &'static Driver {
        self.driver
    }

    async fn check(&self) -> Result<Info> {
        let address = self.config.text("socket").unwrap_or_default().to_owned();
        Ok(Info { version: None, address, boot_id: None, extra: crate::model::Extra::new() })
    }

    fn place(&self, name: Option<&Name>) -> Result<Arc<dyn Place>> {
        match (self.driver.place, name) {
            (Some(what), None) => Err(Error::usage(format!("`{}` needs a {what}", self.config.name))),
            _ => Ok(Arc::new(FakePlace(self.driver))),
        }
    }

    async fn names(&self, glob: &str) -> Result<Vec<Name>> {
        // Others get their turn in between, as with a real endpoint.
        tokio::task::yield_now().await;
        match self.config.text("dead") {
            Some(why) => Err(Error::unreachable(why)),
            None => Ok(self.places.iter().filter(|p| crate::glob::matches(glob, p)).cloned().map(Name).collect()),
        }
    }
}

/// A place in memory.
pub struct FakePlace(&'static Driver);

impl Place for FakePlace {
    fn offers(&self) -> &'static [Offer] {
        self.0.offers
    }

    fn driver(&self) -> &'static Driver {
        self.0
    }
}
