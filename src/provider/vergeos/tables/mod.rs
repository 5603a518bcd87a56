//! The tables of the system as data: what each is called, what is asked of it, which fields it takes, and what can be
//! done to its rows (sections 2.1, 2.2, 3 and 4).
//!
//! Lists of words stand in one text each. A hundred tables are a hundred structs of a few pointers then, and a start
//! that does not ask for them pays nothing.

mod catalog;
mod hardware;
mod identity;
mod machines;
mod nas;
mod networks;
mod sites;
mod system;
mod tasks;
mod tenants;
#[cfg(test)]
mod tests;

use crate::model::Unit;
use crate::provider::resources::{Table, TableAction, Weight};

/// The kinds of keys, as they are called.
const NUMBER: &str = "number";
const HASH: &str = "hash";
const UUID: &str = "uuid";
const WORD: &str = "word";
/// A table of one row, which has no key.
const SINGLE: &str = "none";

/// A table.
#[derive(Debug)]
pub(in crate::provider::vergeos) struct Def {
    /// What the commands know of it.
    pub table: Table,
    /// How each of its actions is sent and when it has come to its end.
    pub how: &'static [How],
    /// What is asked for by default: own columns, traversals with their aliases, aggregates.
    pub fields: &'static str,
    /// The columns that may be set, each `NAME` or `NAME:KIND`. A kind that is a table means a key of that table.
    pub set: &'static str,
    /// Which rows are meant unless all are.
    pub only: &'static str,
    /// The order of the rows.
    pub sort: &'static str,
    /// How many rows are shown unless more are asked for; 0 means all.
    pub limit: usize,
    /// How its rows belong to those of the parent table.
    pub holder: Option<(&'static str, Holder)>,
    /// When a row that was made is ready.
    pub made: Settle,
}

/// What stands in the column by which a row belongs to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider::vergeos) enum Holder {
    /// The key of the row.
    Key,
    /// The key of the machine of a virtual machine, which is another than its own (section 3.1).
    Machine,
    /// The key with this before it.
    Reference(&'static str),
}

/// How an action is sent (section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider::vergeos) enum Route {
    /// `POST /ID_actions {ID: key, action, params}`.
    Own(&'static str),
    /// The same at another endpoint: where, and the member that holds the key.
    OwnAs(&'static str, &'static str),
    /// `POST /WHERE {action, params: {rows: [key]}}`.
    Rows(&'static str),
    /// `POST /WHERE {action}`: about no row.
    All(&'static str),
    /// `PUT /table/key?action=NAME` with the parameters.
    Row,
    /// The same with the parameters in `params`.
    RowParams,
    /// `POST /table/key/VERB` with the parameters.
    Verb(&'static str),
    /// `PUT /table/key/VERB` without a body.
    Put(&'static str),
    /// `PUT /table/key` of this one field, a JSON literal.
    Set(&'static str, &'static str),
    /// The same of a time in the future.
    SetTime(&'static str),
    /// A new row in another table: which, and the member that holds the key.
    New(&'static str, &'static str),
    /// `POST /update_actions` about the configured source.
    Update,
    /// `PUT` of a setting's default.
    Default,
    /// `POST /note_actions` with a reference to the row.
    Note,
    /// `vm_actions` on the machine behind a service.
    OfVm,
    /// `vm_actions` on the machine that holds a snapshot.
    Snapshot(&'static str),
    /// `tenant_actions` on the tenant of a snapshot.
    TenantSnapshot,
    /// A new instance of a recipe: a row in this table.
    Deploy(&'static str),
}

/// When something that takes time has come to its end: a column, and what it reads then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider::vergeos) struct Settle {
    /// The column, as `fields=` takes it; empty if it is done at once.
    pub column: &'static str,
    /// What it reads when it is done, with blanks between the words.
    pub until: &'static str,
    /// What it reads when it failed.
    pub fails: &'static str,
    /// Where it reads so before it begins, too: the column that changes once it has begun.
    pub begins: &'static str,
}

impl Settle {
    const fn new(column: &'static str, until: &'static str, fails: &'static str) -> Self {
        Self { column, until, fails, begins: "" }
    }

    const fn again(column: &'static str, until: &'static str, fails: &'static str, begins: &'static str) -> Self {
        Self { begins, ..Self::new(column, until, fails) }
    }

    /// Whether it is done at once.
    pub(in crate::provider::vergeos) const fn is_now(&self) -> bool {
        self.column.is_empty()
    }
}

/// It is done at once.
const NOW: Settle = Settle::new("", "", "");
const RUNS: Settle = Settle::new("machine#status#status", "running", "error");
const STOPS: Settle = Settle::new("machine#status#status", "stopped", "error");
const RUNS_AGAIN: Settle = Settle::again("machine#status#status", "running", "error", "machine#status#started");
const ENABLE: Route = Route::Set("enabled", "true");
const DISABLE: Route = Route::Set("enabled", "false");

/// How an action is sent, and when it has come to its end.
#[derive(Clone, Copy, Debug)]
pub(in crate::provider::vergeos) struct How {
    pub route: Route,
    pub settle: Settle,
}

/// Actions, and how each is done: two lists of one length.
type Acts = (&'static [TableAction], &'static [How]);

/// One action a line: name, name on the wire, route, end, parameters, weight, help.
macro_rules! acts {
    ($($($kind:ident)? $name:literal = $wire:literal, $route:expr, $settle:expr, $params:literal, $weight:expr, $summary:literal;)*) => {
        (
            &[$(crate::provider::resources::TableAction {
                name: $name,
                wire: $wire,
                summary: $summary,
                params: $params,
                weight: $weight,
                of_table: acts!(@ $($kind)?),
            }),*],
            &[$(super::How { route: $route, settle: $settle }),*],
        )
    };
    (@) => { false };
    (@ table) => { true };
}
use acts;

/// What many tables have.
const SWITCHES: Acts = (
    &[switch("enable", "Enable it"), switch("disable", "Disable it")],
    &[How { route: ENABLE, settle: NOW }, How { route: DISABLE, settle: NOW }],
);

const fn switch(name: &'static str, summary: &'static str) -> TableAction {
    TableAction { name, wire: name, summary, params: "", weight: Weight::Mild, of_table: false }
}

impl Def {
    const fn new(name: &'static str, one: &'static str, key: &'static str) -> Self {
        Self {
            table: Table {
                name,
                one,
                noun: "",
                label: "name",
                key,
                columns: "",
                parent: "",
                of_machine: false,
                read_only: false,
                severe: false,
                unit,
                actions: &[],
            },
            how: &[],
            fields: "",
            set: "",
            only: "",
            sort: "",
            limit: 0,
            holder: None,
            made: NOW,
        }
    }

    const fn noun(mut self, noun: &'static str) -> Self {
        self.table.noun = noun;
        self
    }

    const fn within(mut self, parent: &'static str, column: &'static str, holder: Holder) -> Self {
        self.table.parent = parent;
        self.table.of_machine = is_machines(parent);
        self.holder = Some((column, holder));
        self
    }

    const fn label(mut self, label: &'static str) -> Self {
        self.table.label = label;
        self
    }

    const fn nameless(self) -> Self {
        self.label("")
    }

    const fn shown(mut self, columns: &'static str) -> Self {
        self.table.columns = columns;
        self
    }

    const fn fields(mut self, fields: &'static str) -> Self {
        self.fields = fields;
        self
    }

    const fn set(mut self, set: &'static str) -> Self {
        self.set = set;
        self
    }

    const fn only(mut self, only: &'static str) -> Self {
        self.only = only;
        self
    }

    const fn sort(mut self, sort: &'static str) -> Self {
        self.sort = sort;
        self
    }

    const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    const fn read_only(mut self) -> Self {
        self.table.read_only = true;
        self
    }

    const fn severe(mut self) -> Self {
        self.table.severe = true;
        self
    }

    const fn made(mut self, made: Settle) -> Self {
        self.made = made;
        self
    }

    const fn acts(mut self, acts: Acts) -> Self {
        self.table.actions = acts.0;
        self.how = acts.1;
        self
    }

    /// Its name on the wire.
    pub(in crate::provider::vergeos) const fn name(&self) -> &'static str {
        self.table.name
    }

    /// Whether its keys are texts, which are looked up by their own column instead of in the path (section 2.2).
    pub(in crate::provider::vergeos) fn has_text_keys(&self) -> bool {
        matches!(self.table.key.as_bytes(), b"hash" | b"uuid" | b"word")
    }

    /// Whether it is one row.
    pub(in crate::provider::vergeos) fn is_single(&self) -> bool {
        self.table.key == SINGLE
    }

    /// Whether `text` can be a key of it.
    pub(in crate::provider::vergeos) fn is_key(&self, text: &str) -> bool {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
        match self.table.key {
            NUMBER => text.len() < 20 && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()),
            HASH => text.len() == 40 && digits(text),
            UUID => text.len() == 36 && text.split('-').all(digits),
            _ => true,
        }
    }

    /// How one of its actions is done.
    pub(in crate::provider::vergeos) fn how(&self, action: &TableAction) -> How {
        let at = self.table.actions.iter().position(|one| one.name == action.name);
        at.and_then(|at| self.how.get(at)).copied().unwrap_or(How { route: Route::Row, settle: NOW })
    }

    /// The entries of its projection, split where no bracket is open.
    pub(in crate::provider::vergeos) fn projected(&self) -> impl Iterator<Item = &'static str> {
        let mut depth = 0_i32;
        self.fields.split(move |c| {
            depth += i32::from(matches!(c, '[' | '(')) - i32::from(matches!(c, ']' | ')'));
            c == ',' && depth == 0
        })
    }

    /// Its own columns as far as they are known: those that are asked for and those that can be set.
    pub(in crate::provider::vergeos) fn columns(&self) -> impl Iterator<Item = &'static str> {
        let is_own = |name: &&str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let set = self.set.split_whitespace().map(|word| word.split(':').next().unwrap_or(word));
        self.projected().filter(is_own).chain(set)
    }
}

/// How fields are shown: names mean the same in all tables.
fn unit(field: &str) -> Unit {
    match field {
        "created" | "modified" | "expires" | "timestamp" | "started" | "last_run" | "last_login" | "last_update"
        | "lastlogin_stamp" | "last_sync" | "last_refreshed" | "last_updated" | "snooze" | "from" | "to" | "sent"
        | "alarm_raised" | "alarm_lowered" | "last_attempt" | "valid_from" | "valid_until" | "issued" | "added"
        | "registered_on" | "startdate" | "enddate" | "account_locked" | "up_since" => Unit::Moment,
        "disksize" | "filesize" | "allocated_bytes" | "used_bytes" | "maxsize" | "provisioned" | "used"
        | "capacity" | "allocated" | "size_bytes" | "size" | "max_bytes" | "read_bytes" | "write_bytes"
        | "tx_bytes" | "rx_bytes" => Unit::Bytes,
        "ram" | "vm_ram" | "ram_used" | "used_ram" | "total_ram" | "online_ram" | "running_ram" | "vram_used" => {
            Unit::Mebibytes
        }
        "status" | "state" | "level" | "status_display" | "vm_status" | "mount_status" | "device_status"
        | "status_value" | "status_state" => Unit::State,
        _ => Unit::Plain,
    }
}

const fn is_machines(table: &str) -> bool {
    matches!(table.as_bytes(), b"vms")
}

/// Every table, area by area.
pub(in crate::provider::vergeos) fn all() -> impl Iterator<Item = &'static Def> {
    let areas = [
        machines::TABLES,
        networks::TABLES,
        tenants::TABLES,
        identity::TABLES,
        hardware::TABLES,
        catalog::TABLES,
        nas::TABLES,
        sites::TABLES,
        tasks::TABLES,
        system::TABLES,
    ];
    areas.into_iter().flatten()
}

/// The table called `name`.
pub(in crate::provider::vergeos) fn table(name: &str) -> Option<&'static Def> {
    all().find(|def| def.name() == name)
}

/// A table that the code names; a test looks for each of them.
pub(in crate::provider::vergeos) fn known(name: &'static str) -> &'static Def {
    table(name).expect("the code names only tables that there are")
}
