//! A simulator of the Sprites API: HTTP and websockets on one loopback port.
//!
//! It runs real programs in real directories and knows no command. What it imitates is the wire and the behaviour of
//! production as the reference has them, awkward ones included: exited sessions are gone at once, sockets linger after
//! an exit, an environment replaces the default one, a silent sprite is frozen. What a sandbox would take rights for is
//! left out: processes run as the user of this process, the network is the machine's, and policies are only kept.

mod checkpoints;
mod disk;
mod errors;
mod exec;
mod faults;
mod freeze;
mod fs;
mod inside;
mod list;
mod policy;
mod ports;
mod processes;
mod proxy;
mod route;
mod seed;
mod services;
mod simulator;
mod sprite;
mod tasks;
#[cfg(test)]
mod tests;
mod times;
mod tree;
mod world;

pub use simulator::SPRITES;

use crate::transport::{HeaderMap, HeaderName, HeaderValue};

/// The version that it says it is.
const VERSION: &str = "v0.0.1-rc48";

/// What a sprite's own server says about itself, on every answer and every upgrade of an exec.
fn version_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static("sprite-version"), HeaderValue::from_static(VERSION));
    headers.insert(HeaderName::from_static("x-sprite-capabilities"), HeaderValue::from_static("signal"));
    headers
}
