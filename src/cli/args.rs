//! Argument types that several commands share.

use crate::output::ListOptions;
use clap::Args;

// The flags of every list.
#[derive(Args, Clone, Debug)]
pub struct Listing {
    /// Sort by a column, descending with `:desc`
    #[arg(long, value_name = "FIELD[:desc]")]
    sort: Option<String>,
    /// Show at most so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

impl From<Listing> for ListOptions {
    fn from(args: Listing) -> Self {
        Self { sort: args.sort, limit: args.limit }
    }
}

/// Reads `NAME=VALUE`; the value may hold anything.
pub fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
