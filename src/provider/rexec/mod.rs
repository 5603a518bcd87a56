//! Rexec.

pub mod api;
