//! What of this machine an agent gets (section 1.5): a configuration and a home of its own, and an environment that
//! starts empty. Nothing of the user's is read or passed on that was not asked for.

mod environment;
mod layout;
#[cfg(test)]
mod tests;

pub(super) use environment::environment;
pub(super) use layout::Layout;

/// The extension that asks before a tool of pi's changes something.
pub(super) const GUARD: &str = include_str!("../guard.ts");
