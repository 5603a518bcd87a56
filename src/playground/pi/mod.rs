//! pi and omp, played: an agent with the wire, the tools and the session files of the real ones (pi reference), whose
//! model is a server of the playground, or any other that speaks the OpenAI protocol.
//!
//! It has no engine for extensions: what one does, it says in comments of its own (see [`extension`]). Everything else
//! that a driver can meet is there, in the words of three builds.

mod agent;
mod args;
mod bash;
mod command;
mod dialect;
mod dialogs;
mod extension;
mod model;
mod run;
mod server;
mod session;
mod simulator;
mod stream;
#[cfg(test)]
mod tests;
mod tools;
mod wire;

pub use agent::{Agent, Surroundings};
pub use args::{Arguments, Refusal};
pub use dialect::Dialect;
pub use simulator::PI;
pub use wire::Wire;
