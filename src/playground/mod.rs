//! Simulators of the systems that esker operates.

pub mod pebble;
