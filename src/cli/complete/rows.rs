//! Names of tables, of what can be done to them, and of their rows.

use super::ask::ask;
use super::{Candidate, LINE, Surroundings, last};
use crate::error::{Error, Result};
use crate::provider::Provider;
use crate::provider::resources::{Resources, RowQuery, Shelf, Table};
use crate::resolve::{Address, Pattern};
use crate::stream;
use std::sync::Arc;

/// How many rows are offered at most.
const LIMIT: usize = 200;
/// What every table knows.
const VERBS: [(&str, &str); 6] = [
    ("list", "List rows"),
    ("show", "Show a row"),
    ("create", "Make a row"),
    ("update", "Change rows"),
    ("delete", "Delete rows"),
    ("schema", "Print the fields"),
];

/// Which rows a word of the line stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    /// Those of the table that the command is about.
    Own,
    /// Those that they belong to.
    Parent,
}

/// The tables of the line's target. Nothing is asked of anybody.
pub(super) fn tables(around: &Surroundings) -> Vec<Candidate> {
    let Some((_, provider)) = target(around) else { return Vec::new() };
    let tables = provider.resources().map(Resources::tables).unwrap_or_default();
    tables.iter().map(|table| (table.name.to_owned(), table.one.to_owned())).collect()
}

/// What can be done to the table of the line.
pub(super) fn verbs(around: &Surroundings) -> Vec<Candidate> {
    let Some((_, provider)) = target(around) else { return Vec::new() };
    let actions = provider.resources().and_then(named).map(|table| table.actions).unwrap_or_default();
    let own = VERBS.iter().map(|(verb, about)| ((*verb).to_owned(), (*about).to_owned()));
    own.chain(actions.iter().map(|action| (action.name.to_owned(), action.summary.to_owned()))).collect()
}

/// The rows that a command may name; a name that is to be given to a new one is nobody's.
pub(super) fn rows(around: &Surroundings, whose: Whose) -> Vec<Candidate> {
    let line = LINE.get().map(Vec::as_slice).unwrap_or_default();
    if whose == Whose::Own && line.iter().any(|word| word == "create") {
        return Vec::new();
    }
    let Some((address, provider)) = target(around) else { return Vec::new() };
    let Some(resources) = provider.resources() else { return Vec::new() };
    let Some(table) = named(resources) else { return Vec::new() };
    let shelf = match whose {
        Whose::Own => Some(Shelf { table, of: last(line, "--of"), machine: address.name.clone() }),
        Whose::Parent => {
            let parent = resources.tables().into_iter().find(|parent| parent.name == table.parent);
            parent.map(|table| Shelf { table, of: None, machine: None })
        }
    };
    let Some(shelf) = shelf else { return Vec::new() };
    let question = ("rows", shelf.table.name, shelf.of.clone(), address.to_string());
    ask(around, &address.endpoint, question, list(resources, shelf)).unwrap_or_default()
}

async fn list(resources: &dyn Resources, shelf: Shelf) -> Result<Vec<Candidate>> {
    let label = shelf.table.label;
    let fields = if label.is_empty() { Vec::new() } else { vec![label.to_owned()] };
    let query = RowQuery { fields, limit: Some(LIMIT), ..RowQuery::default() };
    let rows = stream::collect(resources.list(&shelf, query).await?).await?;
    Ok(rows.into_iter().map(|row| (row.name.unwrap_or(row.key.0), shelf.table.one.to_owned())).collect())
}

/// The target of the line, which is one endpoint or a place in it.
fn target(around: &Surroundings) -> Option<(Address, Arc<dyn Provider>)> {
    let wanted = around.resolver.wanted(&around.settings).ok()?;
    let Some(Pattern::One(address, _)) = wanted.first() else { return None };
    let provider: std::result::Result<_, Error> = around.resolver.provider(&address.endpoint);
    Some((address.clone(), provider.ok()?))
}

/// The table that the line is about: `vm NOUN …` or `vm resource TABLE …`.
fn named(resources: &dyn Resources) -> Option<&'static Table> {
    let line = LINE.get().map(Vec::as_slice).unwrap_or_default();
    let mut words = line.iter().skip_while(|word| *word != "vm").skip(1).filter(|word| !word.starts_with('-'));
    let noun = words.next()?;
    let tables = resources.tables();
    if noun == "resource" {
        let name = words.next()?;
        return tables.into_iter().find(|table| table.name == name);
    }
    tables.into_iter().find(|table| table.noun == noun)
}
