//! `svc`: services, and what a service manager keeps around them.

pub mod list;

use super::tree::{Node, talk};

/// The commands.
pub(super) static TREE: &[Node] = &[talk!("list", list::ListArgs, list::run, "List services").alias("ls")];

use super::over::Gathered;
use crate::error::Error;
use crate::model::At;
use crate::suggest::nearest;

/// The names that were asked for and that no target knows: an empty answer to a misspelt name would be a lie.
fn missing<'a, T>(
    names: &[String],
    rows: &'a [At<T>],
    gathered: &Gathered<()>,
    noun: &str,
    name_of: impl Fn(&'a At<T>) -> &'a String,
) -> Vec<Error> {
    let known: Vec<&String> = rows.iter().map(name_of).collect();
    let [(target, ()), others @ ..] = gathered.done.as_slice() else { return Vec::new() };
    let place = if others.is_empty() { format!(" on `{}`", target.full) } else { String::new() };
    let unknown = names.iter().filter(|name| !known.contains(name));
    unknown
        .map(|name| {
            let error = Error::not_found(format!("no {noun} `{name}`{place}"));
            match nearest(name, known.iter().map(|known| known.as_str())) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => {
                    error.hint(format!("`esker svc {}list` shows all", if noun == "check" { "check " } else { "" }))
                }
            }
        })
        .collect()
}
