//! What the configuration may say, from the registry and the table of settings.

use crate::config::{ConfigKey, PlaceFile, Rules};
use crate::provider::Driver;
use crate::settings::TABLE;

/// The rules of these providers.
#[derive(Clone, Copy, Debug)]
pub struct Registry(pub &'static [&'static Driver]);

impl Rules for Registry {
    fn settings(&self) -> Vec<&'static str> {
        TABLE.iter().filter_map(|setting| setting.key).collect()
    }

    fn providers(&self) -> Vec<&'static str> {
        self.0.iter().map(|driver| driver.id).collect()
    }

    fn place_files(&self) -> Vec<(&'static str, &'static PlaceFile)> {
        self.0.iter().filter_map(|driver| Some((driver.id, driver.place_file?))).collect()
    }

    fn keys(&self, provider: &str) -> Option<&'static [ConfigKey]> {
        self.0.iter().find(|driver| driver.id == provider).map(|driver| driver.keys)
    }
}
