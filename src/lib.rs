//! The rooms of esker, for its binary, its tests, benchmarks and fuzz targets. The map is in `main.rs`.

pub mod cleanups;
pub mod config;
pub mod error;
pub mod model;
pub mod notes;
pub mod operation;
pub mod output;
pub mod provider;
pub mod report;
pub mod stream;
pub mod transport;
