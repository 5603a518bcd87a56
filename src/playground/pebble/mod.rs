//! A Pebble daemon, simulated.

mod accounts;
mod errors;
mod go;
mod layer;
mod layers;
mod merge;
mod order;
mod plan;
mod scalars;
mod validate;
mod words;
mod yaml;
