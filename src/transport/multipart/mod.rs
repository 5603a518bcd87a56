//! `multipart/form-data`, streamed both ways: [`Form`] is sent, [`read`] takes one apart as it arrives.

mod form;
mod head;
mod read;

pub use form::{Form, Part};
pub use head::{PartHead, boundary};
pub use read::{Piece, read};
