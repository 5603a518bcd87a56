//! What the commands about tables take.

use crate::cli::args::{Again, key_value};
use crate::cli::{complete, source};
use crate::error::{Error, Result};
use crate::model::Key;
use crate::provider::machines::Selector;
use crate::provider::resources::{Fields, RowQuery};
use clap::Args;
use serde_json::Value;
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(after_help = "\
`vm resource list` shows the tables, `vm resource schema TABLE` the fields of
one. VERB is list, show, create, update, delete, schema, or an action of the
table. Rows are named by name or key, and looked up by the system; what fits two
rows is refused. A field that nobody knows is refused before anything is sent,
since the system would drop it in silence.

Examples:
  esker vm resource list --target lab
  esker vm resource vnets list --filter \"type eq 'internal' and need_fw_apply eq true\"
  esker vm resource vnet_rules create --of Internal --set name=web --set action=accept
  esker vm resource users update ci --set enabled=false
  esker vm resource vnets apply-rules Internal")]
pub struct ResourceArgs {
    /// The table, such as vnets; `list` shows all
    #[arg(value_name = "TABLE", add = complete::tables())]
    pub(super) table: String,
    /// What to do: list, show, create, update, delete, schema, or an action
    #[arg(value_name = "VERB", add = complete::verbs())]
    pub(super) verb: Option<String>,
    #[command(flatten)]
    pub(super) which: AnyRowsArgs,
    #[command(flatten)]
    pub(super) of: OfArgs,
    #[command(flatten)]
    pub(super) rows: RowsArgs,
    #[command(flatten)]
    pub(super) fields: FieldsArgs,
    #[command(flatten)]
    pub(super) wait: WaitArgs,
}

// Whom rows belong to.
#[derive(Args, Clone, Debug)]
pub struct OfArgs {
    /// What the rows belong to, by name or key: the network of a rule, say
    #[arg(long, value_name = "NAME", add = complete::parents())]
    pub(super) of: Option<String>,
}

// Which rows of a list.
#[derive(Args, Clone, Debug)]
pub struct RowsArgs {
    /// The provider's own filter, such as "status eq 'running' and ram gt 2048"
    #[arg(long, value_name = "FILTER")]
    pub(super) filter: Option<String>,
    /// A field to ask for, in the provider's own words; repeat it for several
    #[arg(long, value_name = "FIELD")]
    pub(super) field: Vec<String>,
    /// Sort by a field, descending with `:desc`
    #[arg(long, value_name = "FIELD[:desc]")]
    pub(super) sort: Option<String>,
    /// Show at most so many
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
    /// Also rows that are left out by default, such as snapshots and snoozed alarms
    #[arg(long)]
    pub(super) everything: bool,
    #[command(flatten)]
    _again: Again,
}

// The fields that are asked for of one row.
#[derive(Args, Clone, Debug)]
pub struct FieldArgs {
    /// A field to ask for, in the provider's own words; repeat it for several
    #[arg(long, value_name = "FIELD")]
    pub(super) field: Vec<String>,
}

// The rows that a command acts on.
#[derive(Args, Clone, Debug)]
pub struct NamedRowsArgs {
    /// The rows, by name or key
    #[arg(value_name = "NAME", required = true, add = complete::rows())]
    names: Vec<String>,
    #[command(flatten)]
    by: ByArgs,
}

// The same where there may be none.
#[derive(Args, Clone, Debug)]
pub struct AnyRowsArgs {
    /// The rows, by name or key
    #[arg(value_name = "NAME", add = complete::rows())]
    pub(super) names: Vec<String>,
    #[command(flatten)]
    by: ByArgs,
}

// How rows are named.
#[derive(Args, Clone, Debug)]
pub struct ByArgs {
    /// Every NAME is a key
    #[arg(long)]
    by_key: bool,
    /// Every NAME is a name, also where it could be a key
    #[arg(long, conflicts_with = "by_key")]
    by_name: bool,
}

// The fields that are set.
#[derive(Args, Clone, Debug)]
pub struct FieldsArgs {
    /// A field; sizes take units, and rows of other tables are named; repeat it for several
    #[arg(long, value_name = "NAME=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    /// Read a field from a file, such as a password; `-` is stdin; repeat it for several
    #[arg(long, value_name = "NAME=FILE", value_parser = key_value)]
    set_file: Vec<(String, String)>,
    /// Read fields from a YAML or JSON file; `-` is stdin
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Send fields that nobody knows, too
    #[arg(long)]
    unchecked: bool,
}

// Whether it is waited for.
#[derive(Args, Clone, Copy, Debug)]
pub struct WaitArgs {
    /// Do not wait until it has come to its end
    #[arg(long)]
    pub(super) no_wait: bool,
}

impl From<NamedRowsArgs> for AnyRowsArgs {
    fn from(args: NamedRowsArgs) -> Self {
        Self { names: args.names, by: args.by }
    }
}

impl AnyRowsArgs {
    /// Whether no row is named.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The rows that are named.
    pub(super) fn selectors(&self) -> Vec<Selector> {
        let by = |name: &String| match (self.by.by_key, self.by.by_name) {
            (true, _) => Selector::Key(Key(name.clone())),
            (_, true) => Selector::Name(name.clone()),
            _ => Selector::Auto(name.clone()),
        };
        self.names.iter().map(by).collect()
    }
}

impl RowsArgs {
    /// What is asked of a table.
    pub(super) fn query(&self) -> Result<RowQuery> {
        let sort = self.sort.as_deref().map(|sort| match sort.split_once(':') {
            None => Ok((sort.to_owned(), false)),
            Some((field, "desc")) => Ok((field.to_owned(), true)),
            Some((field, "asc")) => Ok((field.to_owned(), false)),
            Some((field, other)) => Err(Error::usage(format!("invalid sort order `{other}`"))
                .hint(format!("write `--sort {field}` or `--sort {field}:desc`"))),
        });
        Ok(RowQuery {
            filter: self.filter.clone(),
            fields: self.field.clone(),
            sort: sort.transpose()?,
            limit: self.limit,
            everything: self.everything,
        })
    }
}

impl FieldsArgs {
    /// The fields, files read.
    pub(super) fn fields(&self) -> Result<Fields> {
        let mut typed = self.set.clone();
        for (name, path) in &self.set_file {
            let text = source::read_text(&PathBuf::from(path))?;
            typed.push((name.clone(), text.trim_end_matches(['\r', '\n']).to_owned()));
        }
        let row = match &self.from {
            None => crate::provider::machines::Row::new(),
            Some(path) => match serde_yaml::from_str(&source::read_text(path)?) {
                Ok(Value::Object(row)) => row,
                Ok(_) => {
                    return Err(Error::config(format!(
                        "`{}` holds no fields: expected NAME: VALUE lines",
                        path.display()
                    )));
                }
                Err(why) => return Err(Error::config(format!("cannot read `{}`: {why}", path.display()))),
            },
        };
        Ok(Fields { typed, row, unchecked: self.unchecked })
    }
}
