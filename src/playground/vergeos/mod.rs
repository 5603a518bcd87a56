//! A simulator of VergeOS: its REST API, version 4, over TLS and without it on one loopback port.
//!
//! It has no hypervisor: what it has is the platform's tables, with their references, and the rules that tie them
//! together. Projections, filters and sorts are read as the platform reads them, awkward ones included: keys are strings in
//! the reply to a create, unknown fields of a body vanish without a word, a VM has two keys, an unescaped brace in a filter
//! finds another row. Machines start and stop after a moment, and nothing else of them is real.
//!
//! Beside the API stands `/playground`, for tests: see [`control`].

mod acts;
mod auth;
mod certificate;
mod control;
mod dashboards;
mod fields;
mod files;
mod filter;
mod key;
mod path;
mod pattern;
mod random;
mod refusal;
mod route;
mod rows;
mod schema;
mod seed;
mod simulator;
mod store;
#[cfg(test)]
mod tests;
mod times;
mod world;

pub use simulator::VERGEOS;

/// The version that it says it is.
const VERSION: &str = "26.1.8";
