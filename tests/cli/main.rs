//! The binary and its providers against the real systems: one test crate, so that one link serves all of it.

mod compat;
mod daemon;
mod errors;
mod exec;
mod files;
mod formats;
mod generated;
mod help;
mod layers;
mod meta;
mod old_daemon;
mod ops;
mod readme;
mod restart;
mod r#static;
mod support;
mod svc_act;
mod svc_hygiene;
mod svc_wait;
