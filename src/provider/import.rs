//! Taking over what another client of the same system has set up.

use crate::config::Secret;
use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::path::Path;

/// A client whose set-up can be taken over.
#[derive(Debug)]
pub struct Importer {
    /// What it is called: `esker endpoint import CLIENT`.
    pub client: &'static str,
    /// Looks for its set-up. Nothing there is `NotFound`.
    pub read: fn(&Places<'_>) -> Result<Vec<Result<Imported, Error>>>,
}

/// Where a set-up may be.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The root of the file system, or the folder that stands for it.
    pub root: &'a Path,
    /// The user's home.
    pub home: Option<&'a Path>,
}

/// One endpoint of another client.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// What it would be called.
    pub name: String,
    /// What it is, for messages: a path, an address.
    pub what: String,
    /// Its keys. Without any it is the provider's own endpoint, and only the secret is taken over.
    pub keys: Map<String, Value>,
    /// Its secret and what that is: `token`.
    pub secret: Option<(&'static str, Secret)>,
}
