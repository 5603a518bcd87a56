//! What goes over the wire (section 2), as plain data. Tolerant: a key that is missing, `null` or unknown is no error,
//! and what is only passed on is not looked into.

mod command;
mod mend;
mod message;
mod record;
mod state;

pub use command::{answer_line, command, command_line};
pub use mend::{has_halves, mend};
pub use message::{Content, Cost, Delta, Message, ToolResult, Usage, Wanted};
pub use record::{Record, id, part, text, value};
pub use state::{Model, State};
