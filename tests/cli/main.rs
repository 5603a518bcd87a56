//! The binary and its providers against the real systems: one test crate, so that one link serves all of it.

mod daemon;
mod files;
mod layers;
mod support;
