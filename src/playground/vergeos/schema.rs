//! Which tables there are, and of which columns: read once from the `.tables` files beside this one.
//!
//! A table begins with `table NAME [key=hex|uuid|name]`. Below it stand its columns, a line for each type, and what goes
//! for the table as a whole:
//!
//! ```text
//! text uint32 uint64 int num bool time json   values of this type
//! created modified                            times that are set by themselves
//! secret                                      written, never read
//! ref COLUMN>TABLE                            the key of a row of that table, 0 or null for none
//! any COLUMN                                  the same, of any table: `vms/39`
//! part COLUMN>TABLE.BACK                      a row that is made and removed with this one and refers back by BACK
//! rows COLUMN<TABLE.BACK                      the rows that refer to this one, removed with it
//! uses COLUMN<TABLE.BACK                      the same, not removed
//! unique COLUMN… [unless FLAG]                no two rows have the same in all of these, except rows with the flag
//! short COLUMN…                               what a row shows if no fields are asked for
//! omits COLUMN…                               what `all` leaves out
//! single                                      one row, shown as an object
//! ```
//!
//! Behind the name of a column: `!` it must be given, `-` only the server sets it, `^` it cannot be changed, `?` it takes 0
//! for nothing, `=VALUE` its default, `{A,B}` its values, `{1..9}` its range, `{..9}` its longest text. There is no error handling: a file of ours
//! that cannot be read is a bug that every test finds.

use super::key::Kind as KeyKind;
use serde_json::Value;
use std::collections::HashMap;

const FILES: [&str; 7] = [
    include_str!("schema/automation.tables"),
    include_str!("schema/compute.tables"),
    include_str!("schema/identity.tables"),
    include_str!("schema/network.tables"),
    include_str!("schema/storage.tables"),
    include_str!("schema/system.tables"),
    include_str!("schema/tenancy.tables"),
];

/// Every table.
pub(super) struct Schema {
    pub(super) tables: Vec<Table>,
    by_name: HashMap<String, usize>,
}

/// A table.
pub(super) struct Table {
    pub(super) name: String,
    pub(super) keys: KeyKind,
    pub(super) columns: Vec<Column>,
    pub(super) unique: Option<Unique>,
    pub(super) short: Vec<String>,
    pub(super) omits: Vec<String>,
    pub(super) is_single: bool,
    by_name: HashMap<String, usize>,
}

/// The columns that must differ between rows, and the flag that exempts a row.
pub(super) struct Unique {
    pub(super) columns: Vec<String>,
    pub(super) unless: Option<String>,
}

/// A column.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The number of the table that a reference is into, as long as it does not name one itself.
    pub(super) target: Option<usize>,
    pub(super) default: Value,
    pub(super) is_required: bool,
    pub(super) is_read_only: bool,
    pub(super) is_fixed: bool,
    pub(super) takes_zero: bool,
    pub(super) limit: Limit,
}

/// What a cell of a column is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number(&'static str),
    Bool,
    Time,
    Json,
    Created,
    Modified,
    Secret,
    Ref(String),
    Any,
    Part { table: String, back: String },
    Rows { table: String, back: String, are_owned: bool },
}

/// What a cell may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    None,
    Choices(Vec<String>),
    Range { least: i64, most: i64 },
}

impl Schema {
    pub(super) fn read() -> Self {
        let mut tables: Vec<Table> = Vec::new();
        let lines = FILES.iter().flat_map(|file| file.lines());
        for line in lines.filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            match line.strip_prefix("table ") {
                Some(head) => tables.push(Table::new(head)),
                None => tables.last_mut().expect("a file begins with a table").read(line.trim()),
            }
        }
        let by_name: HashMap<_, _> = tables.iter().enumerate().map(|(at, table)| (table.name.clone(), at)).collect();
        for column in tables.iter_mut().flat_map(|table| &mut table.columns) {
            if let Kind::Ref(table) | Kind::Part { table, .. } = &column.kind {
                column.target = by_name.get(table).copied();
            }
        }
        Self { tables, by_name }
    }

    /// The table called `name`, by its number.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }
}

impl Table {
    fn new(head: &str) -> Self {
        let (name, key) = head.split_once(" key=").unwrap_or((head, "number"));
        let keys = match key {
            "number" => KeyKind::Number,
            "hex" => KeyKind::Hex,
            "uuid" => KeyKind::Uuid,
            "name" => KeyKind::Name,
            other => panic!("no kind of keys: {other}"),
        };
        let mut table = Self {
            name: name.to_owned(),
            keys,
            columns: Vec::new(),
            unique: None,
            short: Vec::new(),
            omits: Vec::new(),
            is_single: false,
            by_name: HashMap::new(),
        };
        match keys {
            KeyKind::Hex => table.add("text", "id-"),
            KeyKind::Uuid => table.add("text", "uuid-"),
            KeyKind::Number | KeyKind::Name => {}
        }
        table
    }

    fn read(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let words = rest.split_whitespace();
        match word {
            "single" => self.is_single = true,
            "short" => self.short = words.map(str::to_owned).collect(),
            "omits" => self.omits = words.map(str::to_owned).collect(),
            "unique" => {
                let (columns, unless) = match rest.trim().split_once(" unless ") {
                    Some((columns, flag)) => (columns, Some(flag.to_owned())),
                    None => (rest, None),
                };
                let columns = columns.split_whitespace().map(str::to_owned).collect();
                self.unique = Some(Unique { columns, unless });
            }
            kind => words.for_each(|word| self.add(kind, word)),
        }
    }

    fn add(&mut self, kind: &str, word: &str) {
        let column = Column::read(kind, word);
        assert!(self.column(&column.name).is_none(), "{}.{} is there twice", self.name, column.name);
        self.by_name.insert(column.name.clone(), self.columns.len());
        self.columns.push(column);
    }

    /// The column called `name`, by its number.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// What one row of it is called in the names of other things: `vm` for `vms`.
    pub(super) fn singular(&self) -> &str {
        self.name.strip_suffix('s').unwrap_or(&self.name)
    }
}

impl Column {
    fn read(kind: &str, word: &str) -> Self {
        let end = word.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(word.len());
        let (name, mut rest) = word.split_at(end);
        let mut column = Self {
            name: name.to_owned(),
            kind: kind_of(kind, rest),
            target: None,
            default: Value::Null,
            is_required: false,
            is_read_only: false,
            is_fixed: false,
            takes_zero: false,
            limit: Limit::None,
        };
        column.default = column.kind.nothing();
        while let Some(first) = rest.chars().next() {
            rest = &rest[1..];
            match first {
                '!' => column.is_required = true,
                '-' => column.is_read_only = true,
                '^' => column.is_fixed = true,
                '?' => column.takes_zero = true,
                '=' => {
                    let end = rest.find('{').unwrap_or(rest.len());
                    column.default = column.kind.parse(&rest[..end]);
                    rest = &rest[end..];
                }
                '{' => {
                    column.limit = Limit::read(rest.strip_suffix('}').expect("a limit ends with a brace"));
                    rest = "";
                }
                // Read with the kind. The marks of a reference stand before it.
                '>' | '<' => rest = "",
                other => panic!("{name}: what is `{other}`?"),
            }
        }
        column
    }
}

fn kind_of(kind: &str, rest: &str) -> Kind {
    let other = |mark| rest.split_once(mark).expect("a reference names its table").1;
    let row = |mark| {
        let (table, back) = other(mark).split_once('.').expect("and the column that refers back");
        (table.to_owned(), back.to_owned())
    };
    match kind {
        "text" => Kind::Text,
        "uint32" => Kind::Number("uint32"),
        "uint64" => Kind::Number("uint64"),
        "int" => Kind::Number("int32"),
        "num" => Kind::Number("num"),
        "bool" => Kind::Bool,
        "time" => Kind::Time,
        "json" => Kind::Json,
        "created" => Kind::Created,
        "modified" => Kind::Modified,
        "secret" => Kind::Secret,
        "any" => Kind::Any,
        "ref" => Kind::Ref(other('>').to_owned()),
        "part" => {
            let (table, back) = row('>');
            Kind::Part { table, back }
        }
        "rows" | "uses" => {
            let (table, back) = row('<');
            Kind::Rows { table, back, are_owned: kind == "rows" }
        }
        unknown => panic!("no kind of columns: {unknown}"),
    }
}

impl Kind {
    /// What stands in a cell that was never written.
    fn nothing(&self) -> Value {
        match self {
            Self::Text => "".into(),
            Self::Number(_) | Self::Time | Self::Created | Self::Modified => 0.into(),
            Self::Bool => false.into(),
            Self::Json | Self::Secret | Self::Ref(_) | Self::Any | Self::Part { .. } | Self::Rows { .. } => Value::Null,
        }
    }

    fn parse(&self, text: &str) -> Value {
        match self {
            Self::Number(_) => text.parse::<i64>().expect("a default of ours is a number").into(),
            Self::Bool => (text == "true").into(),
            _ => text.into(),
        }
    }

    /// What `$table` calls it (section 1.1).
    pub(super) fn shown(&self) -> &'static str {
        match self {
            Self::Text | Self::Secret | Self::Any => "string",
            Self::Number(name) => name,
            Self::Bool => "bool",
            Self::Time => "uint64",
            Self::Json => "json",
            Self::Created => "created",
            Self::Modified => "modified",
            Self::Ref(_) | Self::Part { .. } => "row",
            Self::Rows { .. } => "rows",
        }
    }
}

impl Limit {
    fn read(text: &str) -> Self {
        match text.split_once("..") {
            Some((least, most)) => {
                Self::Range { least: least.parse().unwrap_or(0), most: most.parse().unwrap_or(i64::MAX) }
            }
            None => Self::Choices(text.split(',').map(str::to_owned).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_to_a_table_and_back() {
        let schema = Schema::read();
        assert!(schema.tables.len() > 180);
        for table in &schema.tables {
            for column in &table.columns {
                let (other, back) = match &column.kind {
                    Kind::Ref(other) => (other, None),
                    Kind::Part { table, back } | Kind::Rows { table, back, .. } => (table, Some(back)),
                    _ => continue,
                };
                let shown = format!("{}.{}", table.name, column.name);
                let other = &schema.tables[schema.find(other).unwrap_or_else(|| panic!("{shown}: no {other}"))];
                if let Some(back) = back {
                    assert!(other.column(back).is_some(), "{shown}: no {back} in {}", other.name);
                }
            }
            let unique = table.unique.iter().flat_map(|unique| unique.columns.iter().chain(&unique.unless));
            for name in unique.chain(&table.short) {
                assert!(table.column(name).is_some(), "{}: no {name}", table.name);
            }
        }
    }

    #[test]
    fn a_column_says_what_may_be_in_it() {
        let schema = Schema::read();
        let vms = &schema.tables[schema.find("vms").unwrap()];
        let column = |name: &str| &vms.columns[vms.column(name).unwrap()];
        assert_eq!(column("ram").default, 1024);
        assert_eq!(column("ram").limit, Limit::Range { least: 256, most: 1_048_576 });
        assert!(column("name").is_required && column("need_restart").is_read_only);
        assert_eq!(column("os_family").default, "linux");
        assert!(matches!(&column("os_family").limit, Limit::Choices(all) if all.len() == 4));
        assert_eq!(vms.singular(), "vm");
    }
}
