//! Agents whose sessions outlive the command that started them.
//!
//! Each session is held by a process of its own (this binary): it opens the agent, answers what its policy decides, and
//! writes everything that happens to a log of bounded size. Commands talk to it over a unix socket that only its user
//! can reach. What they are told comes from the log, so that one who comes late is told everything that is left of it,
//! and one who reads slowly holds up nobody.

mod client;
mod hold;
mod log;
mod places;
mod status;
mod wire;

pub use client::Client;
pub use hold::{Setup, hold};
pub use log::read as read_log;
pub use places::{Claim, Places};
pub use wire::{Entry, From, Line, Request, answer, read_answer};
