//! Argument types that several commands share.

use crate::config::duration;
use crate::output::ListOptions;
use clap::Args;
use std::time::Duration;

// The flags of every list that may be other a moment later.
#[derive(Args, Clone, Debug)]
pub struct Listing {
    #[command(flatten)]
    order: Order,
    #[command(flatten)]
    _again: Again,
}

// The flag of what is listed again and again. It is read by whoever runs the command, and not by the command.
#[derive(Args, Clone, Debug)]
pub struct Again {
    /// Go on and show what changes; SECS between two looks (default 2s)
    #[arg(id = super::watch::FLAG, long = "watch", value_name = "SECS", num_args = 0..=1, require_equals = true,
          default_missing_value = "0", value_parser = duration::parse)]
    _watch: Option<Duration>,
}

// The flags of every list.
#[derive(Args, Clone, Debug)]
pub struct Order {
    /// Sort by a column, descending with `:desc`
    #[arg(long, value_name = "FIELD[:desc]")]
    sort: Option<String>,
    /// Show at most so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

impl From<Listing> for ListOptions {
    fn from(args: Listing) -> Self {
        args.order.into()
    }
}

impl From<Order> for ListOptions {
    fn from(args: Order) -> Self {
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
