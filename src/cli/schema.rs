//! `schema`: JSON Schema of what commands print, by the name of the command (ux 4.8).

use super::Outcome;
use super::agent::bash::BashResult;
use super::agent::run::{AgentResult, AnyLine, Envelope};
use super::agent::usage::SessionUsage;
use super::config::show::ConfigValue;
use super::doctor::Diagnosis;
use super::endpoint::list::EndpointRow;
use super::endpoint::show::EndpointDetail;
use super::providers::FeatureRow;
use super::target::list::TargetRow;
use super::target::show::TargetDetail;
use super::tree::Kind;
use super::version::Version;
use super::vm::resource::nouns::ALL as NOUNS;
use crate::context::Ctx;
use crate::error::Error;
use crate::model::{
    AgentInfo, AgentModel, AgentSession, At, Change, Changed, Check, CheckRefreshed, Checkpoint, Copied, ExecResult,
    FileEntry, Finding, Forward, HealthState, Identity, Info, LiveSession, LogEntry, Machine, MachineDone,
    MachineHealth, MachinePlan, MachineSeen, MachineStats, MachineUrl, Metric, NetworkRule, Notice, PlanDocument, Port,
    PrivilegesPolicy, Record, RecordDone, Recorded, Recording, Relayed, Removed, ResourcesPolicy, Restored, Run,
    Service, ServiceDetail, Snippet, SyncChange, Synced, TableInfo, TopRow, Warning,
};
use crate::report;
use crate::suggest::nearest;
use clap::Args;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

/// A document: the command that prints it, and its schema.
type Entry = (&'static str, fn() -> Schema);

/// What every document is: `events` are the lines of `-o jsonl` or of a stream without an end.
static TABLE: &[Entry] = &[
    ("svc list", many::<Service>),
    ("svc show", one::<ServiceDetail>),
    ("svc create", either::<Changed>),
    ("svc delete", either::<Changed>),
    ("svc start", either::<Changed>),
    ("svc stop", either::<Changed>),
    ("svc restart", either::<Changed>),
    ("svc replan", many::<Changed>),
    ("svc autostart", many::<Changed>),
    ("svc signal", either::<Changed>),
    ("svc logs", many::<LogEntry>),
    ("svc logs events", events::<LogEntry>),
    ("svc plan", one::<PlanDocument>),
    ("svc layer add", either::<Changed>),
    ("svc layer lint", many::<Finding>),
    ("svc check list", many::<Check>),
    ("svc check show", one::<Check>),
    ("svc check start", either::<Changed>),
    ("svc check stop", either::<Changed>),
    ("svc check refresh", either::<CheckRefreshed>),
    ("svc health", one::<HealthState>),
    ("svc change list", many::<Change>),
    ("svc change show", one::<Change>),
    ("svc change wait", one::<Change>),
    ("svc change abort", one::<Change>),
    ("svc notice list", many::<Notice>),
    ("svc notice show", one::<Notice>),
    ("svc notice list events", relayed::<Notice>),
    ("svc notice notify", one::<Recorded>),
    ("svc identity list", many::<Identity>),
    ("svc identity show", one::<Identity>),
    ("svc identity add", many::<Changed>),
    ("svc identity update", many::<Changed>),
    ("svc identity remove", many::<Changed>),
    ("svc warning list", many::<Warning>),
    ("svc metrics", many::<Metric>),
    ("svc info", one::<Info>),
    ("exec", one::<ExecResult>),
    ("exec events", schema::<ExecEvent>),
    ("exec --sessions", many::<Run>),
    ("files list", many::<FileEntry>),
    ("files show", one::<FileEntry>),
    ("files cp", one::<Copied>),
    ("files sync", one::<Synced>),
    ("files sync --dry-run", many::<SyncChange>),
    ("files sync events", events::<SyncChange>),
    ("files mkdir", many::<FileEntry>),
    ("files rm", many::<Removed>),
    ("files mv", many::<FileEntry>),
    ("files chmod", many::<FileEntry>),
    ("files chown", many::<FileEntry>),
    ("files edit", one::<FileEntry>),
    ("vm proxy", many::<Forward>),
    ("vm proxy events", events::<Forward>),
    ("vm ports", many::<Port>),
    ("vm policy network list", many::<NetworkRule>),
    ("vm policy network set", many::<NetworkRule>),
    ("vm policy network clear", many::<NetworkRule>),
    ("vm policy privileges show", either::<PrivilegesPolicy>),
    ("vm policy privileges set", either::<PrivilegesPolicy>),
    ("vm policy privileges clear", either::<PrivilegesPolicy>),
    ("vm policy resources show", either::<ResourcesPolicy>),
    ("vm policy resources set", either::<ResourcesPolicy>),
    ("vm policy resources clear", either::<ResourcesPolicy>),
    ("checkpoint create", either::<Checkpoint>),
    ("checkpoint create events", schema::<CheckpointEvent<Checkpoint>>),
    ("checkpoint list", many::<Checkpoint>),
    ("checkpoint show", one::<Checkpoint>),
    ("checkpoint restore", either::<Restored>),
    ("checkpoint restore events", schema::<CheckpointEvent<Restored>>),
    ("checkpoint delete", either::<Changed>),
    ("vm list", many::<Machine>),
    ("vm list events", events::<MachineSeen>),
    ("vm show", either::<Machine>),
    ("vm create", either::<MachineDone>),
    ("vm update", either::<MachineDone>),
    ("vm delete", either::<Changed>),
    ("vm start", either::<MachineDone>),
    ("vm stop", either::<MachineDone>),
    ("vm restart", either::<MachineDone>),
    ("vm reset", either::<MachineDone>),
    ("vm hibernate", either::<MachineDone>),
    ("vm migrate", either::<MachineDone>),
    ("vm clone", either::<MachineDone>),
    ("vm tag", either::<MachineDone>),
    ("vm untag", either::<MachineDone>),
    ("vm console", either::<MachineUrl>),
    ("vm upgrade", either::<MachineDone>),
    ("vm url", either::<MachineUrl>),
    ("vm health", either::<MachineHealth>),
    ("vm stats", either::<MachineStats>),
    ("vm snippet list", many::<Snippet>),
    ("vm record list", many::<Recording>),
    ("vm record show", one::<Recording>),
    ("vm apply", many::<MachinePlan>),
    ("vm resource list", many::<TableInfo>),
    ("agent run", one::<AgentResult>),
    ("agent run events", schema::<Envelope<'static, AnyLine>>),
    ("agent start", one::<LiveSession>),
    ("agent list", many::<LiveSession>),
    ("agent show", one::<LiveSession>),
    ("agent attach events", schema::<Envelope<'static, AnyLine>>),
    ("agent send", one::<AgentResult>),
    ("agent send events", schema::<Envelope<'static, AnyLine>>),
    ("agent answer", one::<LiveSession>),
    ("agent abort", one::<LiveSession>),
    ("agent stop", either::<LiveSession>),
    ("agent logs events", schema::<Envelope<'static, AnyLine>>),
    ("agent usage", one::<SessionUsage>),
    ("agent set", one::<LiveSession>),
    ("agent compact", one::<LiveSession>),
    ("agent models", many::<AgentModel>),
    ("agent bash", one::<BashResult>),
    ("agent doctor", schema::<Vec<Diagnosis>>),
    ("agent session list", many::<AgentSession>),
    ("agent session show", one::<AgentSession>),
    ("agent session fork", one::<AgentInfo>),
    ("top", many::<TopRow>),
    ("target list", many::<TargetRow>),
    ("target show", one::<TargetDetail>),
    ("target add", one::<Changed>),
    ("target use", one::<Changed>),
    ("target remove", many::<Changed>),
    ("endpoint list", many::<EndpointRow>),
    ("endpoint show", one::<EndpointDetail>),
    ("endpoint add", one::<Changed>),
    ("endpoint remove", many::<Changed>),
    ("endpoint login", one::<Changed>),
    ("endpoint logout", one::<Changed>),
    ("endpoint import", many::<Changed>),
    ("config show", schema::<Vec<ConfigValue>>),
    ("doctor", schema::<Vec<Diagnosis>>),
    ("playground", schema::<std::collections::BTreeMap<String, Option<String>>>),
    ("providers", schema::<Vec<FeatureRow>>),
    ("version", schema::<Version>),
    ("error", schema::<report::Document<'static>>),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Without a command it prints an object with the schema of every one. `error` is
the object that ends stderr when a command fails under -o json.

Examples:
  esker schema svc list
  esker schema error
  esker schema | jq keys")]
pub struct SchemaArgs {
    /// The command, as in `svc list`; or `error`
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

/// Prints one schema or all of them.
pub fn run(ctx: &Ctx, args: SchemaArgs) -> anyhow::Result<Outcome> {
    if args.command.is_empty() {
        ctx.out.value(&all())?;
        return Ok(Outcome::Done);
    }
    let name = args.command.join(" ");
    let Some((_, schema)) = entries().find(|(command, _)| *command == name) else {
        let names: Vec<String> = names().collect();
        let near = nearest(&name, names.iter().map(String::as_str));
        let error = Error::not_found(format!("no schema of `{name}`"));
        return Err(match near {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`esker schema | jq keys` shows all"),
        }
        .into());
    };
    ctx.out.value(&schema())?;
    Ok(Outcome::Done)
}

/// Every schema by the name of its command.
pub fn all() -> Map<String, Value> {
    entries().map(|(command, schema)| (command, schema().to_value())).collect()
}

/// The names of the documents that have one.
pub fn names() -> impl Iterator<Item = String> {
    entries().map(|(command, _)| command)
}

/// The documents with their schemas: those above, and those of every table, which are alike.
fn entries() -> impl Iterator<Item = (String, fn() -> Schema)> {
    let of_nouns = NOUNS.iter().flat_map(|noun| {
        let Kind::Group { children, .. } = &noun.kind else { unreachable!("a noun has verbs") };
        children.iter().map(|verb| (format!("vm {} {}", noun.name, verb.name), of_row(verb.name)))
    });
    let of_tables = ["list", "show", "create", "update", "delete", "ACTION"].into_iter();
    let of_tables = of_tables.map(|verb| (format!("vm resource TABLE {verb}"), of_row(verb)));
    TABLE.iter().map(|(command, schema)| ((*command).to_owned(), *schema)).chain(of_tables).chain(of_nouns)
}

/// What a verb prints of the rows of a table.
fn of_row(verb: &str) -> fn() -> Schema {
    match verb {
        "list" => many::<Record>,
        "show" => either::<Record>,
        "delete" => either::<Changed>,
        _ => either::<RecordDone>,
    }
}

/// An object that names its place.
fn one<T: JsonSchema>() -> Schema {
    schema::<At<T>>()
}

/// A list of such.
fn many<T: JsonSchema>() -> Schema {
    schema::<Vec<At<T>>>()
}

/// What was asked for alone as an object, several as a list (ux 4.9).
fn either<T: JsonSchema>() -> Schema {
    #[derive(JsonSchema)]
    #[serde(untagged)]
    #[allow(dead_code, reason = "only its schema is used")]
    enum Either<T> {
        One(T),
        Many(Vec<T>),
    }
    schema::<Either<At<T>>>()
}

/// A line of a stream: such an object with its `type` (ux 5.2).
fn events<T: JsonSchema>() -> Schema {
    schema::<Event<At<T>>>()
}

/// A line of a stream that relays an event of the provider (ux 5.3).
fn relayed<T: JsonSchema>() -> Schema {
    schema::<Event<Relayed<T>>>()
}

#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Event<T> {
    /// What kind of line it is; ignore those that you do not know.
    r#type: String,
    #[serde(flatten)]
    value: T,
}

/// A line of `exec -o jsonl` (ux 4.12); bytes that are no text are in base64.
#[derive(JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(dead_code, reason = "only its schema is used")]
enum ExecEvent {
    /// What the program wrote to its standard output.
    Stdout { target: String, data: Option<String>, data_base64: Option<String> },
    /// What it wrote to its standard error.
    Stderr { target: String, data: Option<String>, data_base64: Option<String> },
    /// How it ended; the last line of its target.
    Result {
        provider: String,
        target: String,
        exit_code: Option<u8>,
        signal: Option<u8>,
        operation_id: Option<String>,
        duration_seconds: f64,
    },
}

/// A line of `checkpoint create` and `restore` with `-o jsonl`.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its schema is used")]
enum CheckpointEvent<T> {
    /// What the server said, its own words under `data`; `type` is `checkpoint.info` and the like.
    Message(Event<Relayed<Map<String, Value>>>),
    /// What came of it; the last line of its target. `type` is `result`.
    Result(Event<At<T>>),
}

/// The schema of what is written, which may differ from what could be read.
pub fn schema<T: JsonSchema + ?Sized>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}
