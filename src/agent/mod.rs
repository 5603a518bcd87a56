//! What stands on an open session, whoever holds it: who answers its questions, what it may cost, and what its answer
//! must look like. No wire, no output.

pub mod budget;
pub mod policy;
pub mod schema;
