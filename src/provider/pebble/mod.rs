//! Canonical's Pebble.

pub mod layer;
