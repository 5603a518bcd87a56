//! Configuration as it is written in files: read and merged with the origin of every value, and edited with care.
//!
//! It knows neither providers nor settings: what keys there are is handed in as [`Rules`].

mod credentials;
mod document;
pub mod duration;
mod edit;
mod endpoint;
mod file;
mod key;
mod lines;
mod load;
mod login;
mod origin;
mod paths;
mod place;
mod secret;
pub mod size;
mod write;

pub use credentials::{Found, Lookup};
pub use document::{Entry, Node};
pub use edit::Edit;
pub use endpoint::EndpointConfig;
pub use file::{Defaults, Named, TargetConfig, check_name};
pub use key::{BOOLEAN, ConfigKey, KeyKind, PlaceFile, Pointed, Rules, boolean};
pub use load::{Config, DIRECTORY_FILE, FILE, Search};
pub use login::{Login, Logins};
pub use origin::{Layer, Origin};
pub use paths::Dirs;
pub use secret::Secret;
pub use write::{edit, save};

/// What the system says went wrong, in our style: lower case, no number.
pub(crate) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
