//! The rooms of esker, for its binary, its tests, benchmarks and fuzz targets. The map is in `main.rs`.

// Two arms side by side read better where both are worth reading.
#![allow(clippy::single_match_else, clippy::needless_for_each)]

pub mod agent;
pub mod cleanups;
pub mod cli;
pub mod config;
pub mod context;
pub mod error;
pub mod fanout;
pub mod forward;
pub mod glob;
pub mod host;
pub mod model;
pub mod notes;
pub mod operation;
pub mod output;
pub mod playground;
pub mod provider;
pub mod report;
pub mod resolve;
pub mod scratch;
pub mod settings;
pub mod signal;
pub mod startup;
pub mod stream;
pub mod suggest;
pub mod supervisor;
pub mod transfer;
pub mod transport;
pub mod tty;

#[cfg(test)]
mod rooms;
