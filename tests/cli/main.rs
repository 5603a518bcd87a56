//! The binary and its providers against the real systems: one test crate, so that one link serves all of it.

mod daemon;
mod generated;
mod help;
mod layers;
mod meta;
mod readme;
mod r#static;
mod support;
