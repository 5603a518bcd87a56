//! The documents of the wire, as section 2 of the reference has them: plain data.

mod checkpoints;
mod exec;
mod fs;
mod policies;
mod ports;
mod services;
mod sprites;

pub use checkpoints::*;
pub use exec::*;
pub use fs::*;
pub use policies::*;
pub use ports::*;
pub use services::*;
pub use sprites::*;
