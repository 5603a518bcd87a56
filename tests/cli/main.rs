//! The binary and its providers against the real systems: one test crate, so that one link serves all of it.

// Helpers of tests may panic as tests do, and none of them is hot.
#![allow(
    clippy::unwrap_used,
    clippy::format_push_string,
    clippy::naive_bytecount,
    clippy::case_sensitive_file_extension_comparisons,
    clippy::cast_possible_truncation
)]

mod agent;
mod checkpoint;
mod compat;
mod completion;
mod daemon;
mod errors;
mod exec;
mod files;
mod formats;
mod generated;
mod help;
mod layers;
mod many;
mod mcp;
mod meta;
mod old_daemon;
mod ops;
mod pages;
mod playground;
mod readme;
mod restart;
mod rexec;
mod security;
mod sprites_exec;
mod sprites_files;
mod sprites_sdk;
mod r#static;
mod support;
mod svc_act;
mod svc_hygiene;
mod svc_wait;
mod sync;
mod top;
mod verge;
mod verge_parity;
mod verge_sdk;
mod vm;
mod wait;
