//! Simulators of the systems that esker operates, to try it and to test it without any of them.
//!
//! They are servers of their own: they run real processes and keep real files, demand their token, listen on this
//! machine only, and share nothing with the providers but the plain data of a wire. [`world`] starts them together;
//! [`fault`] has them misbehave.

pub mod fault;
pub mod greeting;
pub mod pebble;
pub mod pi;
mod processes;
pub mod rexec;
pub mod sprites;
pub mod vergeos;
mod view;
pub mod world;

use crate::error::Result;
use crate::host::process::Processes;
use fault::Plan;
use futures_util::future::BoxFuture;
use std::path::PathBuf;

/// Every simulator, in the order in which they are started and shown.
pub static SIMULATORS: &[Simulator] = &[pebble::SIMULATOR, sprites::SPRITES, rexec::REXEC, vergeos::VERGEOS, pi::PI];

/// A simulator of one system: a row of the table above.
pub struct Simulator {
    /// What it simulates, by the id of the provider.
    pub id: &'static str,
    /// What it has to offer, in a line.
    pub summary: &'static str,
    /// The faults that only it knows, beside those of every server.
    pub faults: &'static [fault::Kind],
    /// Variables that would lead the provider elsewhere, and are hidden from whoever uses the playground.
    pub hides: &'static [&'static str],
    /// Commands to try, each with what it shows.
    pub examples: &'static [(&'static str, &'static str)],
    /// Starts it, and returns when it can be reached.
    pub start: fn(Room) -> BoxFuture<'static, Result<Started>>,
}

/// What a simulator gets to live in.
pub struct Room {
    /// A directory of its own, which exists, is empty and can be read by us alone.
    pub dir: PathBuf,
    /// A directory on the `PATH` of whoever uses the playground.
    pub bin: PathBuf,
    /// Where it starts processes: all of them end with the playground.
    pub processes: Processes,
    /// What it does wrong.
    pub faults: Plan,
    /// Whether there is something to look at from the beginning.
    pub seed_demo: bool,
}

/// A simulator that can be reached.
pub struct Started {
    /// The variables by which the provider finds it.
    pub variables: Vec<(&'static str, String)>,
    /// A target in it for commands that name none.
    pub target: String,
    /// Everything that it does from now on. Dropping it ends the simulator, except for its processes.
    pub serve: BoxFuture<'static, ()>,
}
