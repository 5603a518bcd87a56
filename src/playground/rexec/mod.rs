//! A simulator of a Rexec server: HTTP and websockets on one loopback port.
//!
//! It runs real shells in real terminals over real directories, and imitates the server as the reference has it, with all
//! that is odd about it: creation that goes on by itself, a Docker id that changes, terminals that lose bytes and start
//! another shell when one ends, files that a directory of memory hides, a `Retry-After` that is none. Processes run as
//! the user of this process and the network is the machine's. Answers are never compressed.
//!
//! With the fault `sdk` it answers in the shapes that the authors of the official SDKs had in mind, which no server has
//! (section 6.2); `/api/version` says which of the two it is.

mod access;
mod account;
mod agents;
mod containers;
mod create;
mod disk;
mod errors;
mod events;
mod faults;
mod files;
mod forwards;
mod frames;
mod images;
mod limits;
mod recordings;
mod route;
mod seed;
mod shell;
mod simulator;
mod snippets;
mod sse;
mod state;
mod terminal;
mod times;
mod world;

pub use simulator::REXEC;
