//! What `doctor` asks of a system (section 5.4): each check by itself, so that one that fails hides no other.

use super::api::{Created, text};
use super::client::Client;
use super::rows::Select;
use crate::error::{ErrorKind, Result};
use crate::model::Time;
use crate::provider::Finding;
use crate::provider::examine::Verdict;
use crate::provider::machines::Row;
use crate::transport::Method;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// From how full on a tier is warned about, and from when on it fails, in percent.
const FULL: (f64, f64) = (80.0, 95.0);
/// How many days before their end certificates and licences are warned about.
const ENDING_DAYS: i64 = 30;
const DAY: i64 = 86_400;
/// How long a question about the storage may take, and how often it is looked whether it is answered.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(500);

type Check = for<'a> fn(&'a Client) -> BoxFuture<'a, Result<Finding>>;

/// The checks, in the order in which they are told.
const CHECKS: &[(&str, Check)] = &[
    ("clusters", |client| Box::pin(clusters(client))),
    ("nodes", |client| Box::pin(nodes(client))),
    ("versions", |client| Box::pin(versions(client))),
    ("storage", |client| Box::pin(storage(client))),
    ("drive_smart", |client| Box::pin(drives(client))),
    ("dimm_health", |client| Box::pin(memory(client))),
    ("alarms", |client| Box::pin(alarms(client))),
    ("networks", |client| Box::pin(networks(client))),
    ("network_pending", |client| Box::pin(pending(client))),
    ("mtu", |client| Box::pin(mtu(client))),
    ("fabric", |client| Box::pin(fabric(client))),
    ("fabric_speed", |client| Box::pin(speed(client))),
    ("lldp_diversity", |client| Box::pin(neighbors(client))),
    ("driver_reload", |client| Box::pin(drivers(client))),
    ("vsan_journal", |client| Box::pin(vsan(client))),
    ("certificates", |client| Box::pin(certificates(client))),
    ("licenses", |client| Box::pin(licenses(client))),
    ("updates", |client| Box::pin(updates(client))),
    ("updates_available", |client| Box::pin(available(client))),
    ("admin_users", |client| Box::pin(locked(client))),
    ("mfa", |client| Box::pin(factors(client))),
    ("snapshot_profiles", |client| Box::pin(profiles(client))),
];

/// What is found, check by check.
pub(super) fn examine(client: &Client) -> BoxStream<'_, Finding> {
    futures_util::stream::iter(CHECKS)
        .map(move |(name, check)| async move {
            match check(client).await {
                Ok(finding) => finding,
                // Not to be allowed to look, or to be too old for it, is no defect of the system.
                Err(error)
                    if matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::NotFound | ErrorKind::Rejected) =>
                {
                    Finding::skip(name, error.to_string())
                }
                Err(error) => Finding::error(name, &error),
            }
        })
        .buffered(4)
        .boxed()
}

async fn rows(client: &Client, table: &str, fields: &str, filter: &str) -> Result<Vec<Row>> {
    let mut select = Select::new(table, fields).limit(1000);
    select.filter = (!filter.is_empty()).then(|| filter.to_owned());
    client.rows(&format!("look at `{table}`"), &select).await
}

fn word<'a>(row: &'a Row, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(row: &Row, name: &str) -> Option<f64> {
    let value = row.get(name)?;
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

fn is_on(row: &Row, name: &str) -> bool {
    matches!(row.get(name), Some(Value::Bool(true))) || number(row, name).is_some_and(|number| number > 0.0)
}

fn names<'a>(rows: impl IntoIterator<Item = &'a Row>) -> String {
    let names: Vec<_> = rows.into_iter().map(|row| format!("`{}`", word(row, "name"))).collect();
    names.join(", ")
}

/// Fails with the rows that `is_bad`, or passes with their number. `what` is what they are and what is bad about them.
fn all_but(check: &'static str, what: (&str, &str), rows: &[Row], is_bad: impl Fn(&Row) -> bool) -> Finding {
    let (many, trouble) = what;
    let bad: Vec<&Row> = rows.iter().filter(|row| is_bad(row)).collect();
    if bad.is_empty() {
        return Finding::pass(check, format!("{} {many}, none of which {trouble}", rows.len()));
    }
    Finding::fail(check, format!("{} of {} {many} {trouble}: {}", bad.len(), rows.len(), names(bad)))
}

async fn clusters(client: &Client) -> Result<Finding> {
    let fields = "$key,name,status#status as status,status#total_nodes as total,status#online_nodes as online";
    let rows = rows(client, "clusters", fields, "enabled eq true").await?;
    let is_bad = |row: &Row| {
        let missing = number(row, "online").zip(number(row, "total")).is_some_and(|(online, total)| online < total);
        missing || matches!(word(row, "status"), "offline" | "error")
    };
    Ok(all_but("clusters", ("clusters", "lack nodes"), &rows, is_bad).fix_if("`esker vm node list` shows the nodes"))
}

async fn nodes(client: &Client) -> Result<Finding> {
    let fields = "$key,name,maintenance,need_restart,machine#status#status as status";
    let rows = rows(client, "nodes", fields, "physical eq true").await?;
    let down = |row: &&Row| word(row, "status") != "running" && !is_on(row, "maintenance");
    let down: Vec<&Row> = rows.iter().filter(down).collect();
    if !down.is_empty() {
        return Ok(
            Finding::fail("nodes", format!("not running: {}", names(down))).fix("`esker vm node list` tells more")
        );
    }
    let resting: Vec<&Row> =
        rows.iter().filter(|row| is_on(row, "maintenance") || is_on(row, "need_restart")).collect();
    if !resting.is_empty() {
        return Ok(Finding::warn("nodes", format!("in maintenance or to be restarted: {}", names(resting))));
    }
    Ok(Finding::pass("nodes", format!("{} nodes run", rows.len())))
}

async fn versions(client: &Client) -> Result<Finding> {
    let rows = rows(client, "nodes", "$key,name,yb_version", "physical eq true").await?;
    let versions: BTreeSet<&str> = rows.iter().map(|row| word(row, "yb_version")).filter(|v| !v.is_empty()).collect();
    let list = versions.iter().copied().collect::<Vec<_>>().join(", ");
    if versions.len() > 1 {
        return Ok(
            Finding::warn("versions", format!("the nodes run different versions: {list}")).fix("finish the update")
        );
    }
    Ok(Finding::pass("versions", format!("all nodes run {list}")))
}

async fn storage(client: &Client) -> Result<Finding> {
    let rows = rows(client, "storage_tiers", "$key,tier,capacity,used", "").await?;
    let mut worst: Option<(f64, String)> = None;
    for row in &rows {
        let (Some(capacity), Some(used)) = (number(row, "capacity"), number(row, "used")) else { continue };
        let percent = if capacity > 0.0 { used * 100.0 / capacity } else { 0.0 };
        if worst.as_ref().is_none_or(|(most, _)| percent > *most) {
            let tier = number(row, "tier").unwrap_or_default();
            worst = Some((percent, format!("tier {tier} is {percent:.0} % full")));
        }
    }
    Ok(match worst {
        None => Finding::skip("storage", "no tier tells how full it is"),
        Some((percent, text)) if percent >= FULL.1 => {
            Finding::fail("storage", text).fix("delete snapshots, or add drives")
        }
        Some((percent, text)) if percent >= FULL.0 => {
            Finding::warn("storage", text).fix("delete snapshots, or add drives")
        }
        Some((_, text)) => Finding::pass("storage", text),
    })
}

async fn drives(client: &Client) -> Result<Finding> {
    let fields = "$key,serial as name,realloc_sectors_warn,wear_level_warn,current_pending_sector_warn,\
        offline_uncorrectable_warn,temp_warn,vsan_read_errors,vsan_write_errors";
    let rows = rows(client, "machine_drive_phys", fields, "").await?;
    let warned = [
        "realloc_sectors_warn",
        "wear_level_warn",
        "current_pending_sector_warn",
        "offline_uncorrectable_warn",
        "temp_warn",
        "vsan_read_errors",
        "vsan_write_errors",
    ];
    Ok(all_but("drive_smart", ("drives", "report errors"), &rows, |row| warned.iter().any(|name| is_on(row, name)))
        .fix_if("`esker vm resource machine_drive_phys list` tells more"))
}

async fn memory(client: &Client) -> Result<Finding> {
    let rows = rows(client, "node_memory", "$key,label as name,status", "").await?;
    Ok(all_but("dimm_health", ("memory modules", "report errors"), &rows, |row| {
        matches!(word(row, "status"), "error" | "warning" | "failed")
    }))
}

async fn alarms(client: &Client) -> Result<Finding> {
    let filter = "snooze eq 0 or snooze le {$now}";
    let rows = rows(client, "alarms", "$key,level,alarm_type#name as name", filter).await?;
    let of = |levels: &[&str]| rows.iter().filter(|row| levels.contains(&word(row, "level"))).collect::<Vec<_>>();
    let (bad, warned) = (of(&["critical", "error"]), of(&["warning"]));
    Ok(if !bad.is_empty() {
        Finding::fail("alarms", format!("{} alarms: {}", bad.len(), names(bad))).fix("`esker vm alarm list` tells more")
    } else if !warned.is_empty() {
        Finding::warn("alarms", format!("{} warnings: {}", warned.len(), names(warned)))
            .fix("`esker vm alarm list` tells more")
    } else {
        Finding::pass("alarms", "there are none")
    })
}

async fn networks(client: &Client) -> Result<Finding> {
    let fields = "$key,name,autostart,machine#status#status as status";
    let rows = rows(client, "vnets", fields, "enabled eq true").await?;
    Ok(all_but("networks", ("networks", "are down"), &rows, |row| {
        matches!(word(row, "status"), "error") || (is_on(row, "autostart") && word(row, "status") == "stopped")
    })
    .fix_if("`esker vm network start NAME`"))
}

async fn pending(client: &Client) -> Result<Finding> {
    let filter = "need_fw_apply eq true or need_dns_apply eq true or need_restart eq true";
    let rows = rows(client, "vnets", "$key,name,need_fw_apply,need_dns_apply,need_restart", filter).await?;
    let waiting: Vec<&Row> = rows
        .iter()
        .filter(|row| ["need_fw_apply", "need_dns_apply", "need_restart"].iter().any(|name| is_on(row, name)))
        .collect();
    if waiting.is_empty() {
        return Ok(Finding::pass("network_pending", "no change waits to be applied"));
    }
    let text = format!("changes are not in force yet: {}", names(waiting));
    Ok(Finding::warn("network_pending", text).fix("`esker vm network apply-rules NAME`, apply-dns or restart"))
}

async fn mtu(client: &Client) -> Result<Finding> {
    let rows = rows(client, "vnets", "$key,name,mtu,interface_vnet,interface_vnet#mtu as below", "").await?;
    let is_bad =
        |row: &Row| number(row, "mtu").zip(number(row, "below")).is_some_and(|(mtu, below)| below > 0.0 && mtu > below);
    Ok(all_but("mtu", ("networks", "have a larger MTU than the one below them"), &rows, is_bad))
}

async fn fabric(client: &Client) -> Result<Finding> {
    let rows = rows(client, "machine_nic_fabric_status", "$key,parent_nic#name as name,status,state", "").await?;
    Ok(all_but("fabric", ("links of the fabric", "are in trouble"), &rows, |row| {
        matches!(word(row, "state"), "error" | "warning" | "offline") || matches!(word(row, "status"), "error" | "down")
    }))
}

/// Links are scored by what was measured between the nodes: they should be alike.
async fn speed(client: &Client) -> Result<Finding> {
    let fields = "$key,parent_nic#name as name,max_score,min_score";
    let rows = rows(client, "machine_nic_fabric_status", fields, "").await?;
    let scores = |row: &Row| number(row, "min_score").zip(number(row, "max_score"));
    let slow: Vec<&Row> =
        rows.iter().filter(|row| scores(row).is_some_and(|(least, most)| most > 0.0 && least < most)).collect();
    if !slow.is_empty() {
        let text = format!("slower to some nodes than to others: {}", names(slow));
        return Ok(Finding::warn("fabric_speed", text).fix("look at cables and switch ports"));
    }
    Ok(Finding::pass("fabric_speed", format!("{} links, each as fast to all nodes", rows.len())))
}

async fn neighbors(client: &Client) -> Result<Finding> {
    let rows = rows(client, "node_lldp_neighbors", "$key,node,chassis", "").await?;
    if rows.is_empty() {
        return Ok(Finding::skip("lldp_diversity", "no switch announces itself"));
    }
    let switches: BTreeSet<String> =
        rows.iter().filter_map(|row| row.get("chassis").map(ToString::to_string)).collect();
    if switches.len() == 1 {
        return Ok(Finding::warn("lldp_diversity", "all nodes hang on one switch"));
    }
    Ok(Finding::pass("lldp_diversity", format!("{} switches", switches.len())))
}

async fn drivers(client: &Client) -> Result<Finding> {
    let rows = rows(client, "node_drivers", "$key,driver_name as name,status", "").await?;
    Ok(all_but("driver_reload", ("drivers", "wait for a restart"), &rows, |row| word(row, "status").contains("reload")))
}

async fn vsan(client: &Client) -> Result<Finding> {
    let fields =
        "$key,description as name,status#status as status,status#redundant as redundant,status#working as working";
    let rows = rows(client, "cluster_tiers", fields, "").await?;
    let is_bad = |row: &Row| {
        let lost = row.get("redundant") == Some(&Value::Bool(false)) || row.get("working") == Some(&Value::Bool(false));
        lost || matches!(word(row, "status"), "offline" | "error")
    };
    let tiers = all_but("vsan_journal", ("tiers", "are without redundancy"), &rows, is_bad);
    if tiers.verdict != Verdict::Pass {
        return Ok(tiers);
    }
    for query in ["getjournalstatus", "gettierstatus"] {
        let job = asked(client, query).await?;
        if word(&job, "status") == "error" {
            let why = job.get("result").and_then(text).unwrap_or_default();
            return Ok(Finding::warn("vsan_journal", format!("`{query}` fails: {why}")));
        }
    }
    Ok(tiers)
}

/// The job that answers a question about the storage, once it has come to its end (section 2.7).
async fn asked(client: &Client, query: &str) -> Result<Row> {
    let what = format!("ask the storage for `{query}`");
    let made: Option<Created> =
        client.send(&what, Method::POST, "vsan_queries", Some(&json!({ "query": query }))).await?;
    let key = made.unwrap_or_default().key().ok_or_else(|| client.garbled(&what, "it tells no key"))?;
    let select = Select::new("vsan_queries", "$key,status,result").filter(format!("$key eq {key}")).limit(1);
    let begun = Instant::now();
    loop {
        match client.row::<Row>(&what, &select).await? {
            Some(row) if word(&row, "status") != "running" => return Ok(row),
            _ if begun.elapsed() > PATIENCE => return Err(client.error(ErrorKind::Timeout, &what, "it does not end")),
            _ => tokio::time::sleep(LOOK).await,
        }
    }
}

/// Rows that end within a month; those that have ended fail.
fn ending(check: &'static str, rows: &[Row], column: &str, fix: &str) -> Finding {
    let now = Time::now().as_second();
    let left = |row: &Row| row.get(column).and_then(Value::as_i64).filter(|end| *end > 0).map(|end| end - now);
    let over: Vec<&Row> = rows.iter().filter(|row| left(row).is_some_and(|left| left <= 0)).collect();
    let soon: Vec<&Row> =
        rows.iter().filter(|row| left(row).is_some_and(|left| left > 0 && left < ENDING_DAYS * DAY)).collect();
    if !over.is_empty() {
        return Finding::fail(check, format!("ended: {}", names(over))).fix(fix);
    }
    if !soon.is_empty() {
        return Finding::warn(check, format!("end within {ENDING_DAYS} days: {}", names(soon))).fix(fix);
    }
    Finding::pass(check, format!("{} last longer than {ENDING_DAYS} days", rows.len()))
}

async fn certificates(client: &Client) -> Result<Finding> {
    let rows = rows(client, "certificates", "$key,domainname as name,expires", "").await?;
    Ok(ending("certificates", &rows, "expires", "`esker vm resource certificates renew NAME`"))
}

async fn licenses(client: &Client) -> Result<Finding> {
    let rows = rows(client, "licenses", "$key,name,valid_until", "").await?;
    if rows.is_empty() {
        return Ok(Finding::warn("licenses", "there is none"));
    }
    Ok(ending("licenses", &rows, "valid_until", "ask the vendor for a new one"))
}

async fn updates(client: &Client) -> Result<Finding> {
    let fields = "$key,name,reboot_required,applying_updates,auto_update";
    let rows = rows(client, "update_settings", fields, "").await?;
    Ok(match rows.first() {
        None => Finding::skip("updates", "there are no settings of updates"),
        Some(row) if is_on(row, "applying_updates") => Finding::warn("updates", "updates are being installed"),
        Some(row) if is_on(row, "reboot_required") => {
            Finding::warn("updates", "updates wait for a restart").fix("`esker vm resource update_settings apply`")
        }
        Some(_) => Finding::pass("updates", "none is under way"),
    })
}

async fn available(client: &Client) -> Result<Finding> {
    let rows = rows(client, "update_source_packages", "$key,name,version,downloaded", "downloaded eq false").await?;
    let waiting: Vec<&Row> = rows.iter().filter(|row| !is_on(row, "downloaded")).collect();
    Ok(if waiting.is_empty() {
        Finding::pass("updates_available", "none")
    } else {
        Finding::warn("updates_available", format!("{} packages can be updated", waiting.len()))
    })
}

async fn locked(client: &Client) -> Result<Finding> {
    let rows = rows(client, "users", "$key,name,account_locked,failed_attempts,type", "enabled eq true").await?;
    let locked: Vec<&Row> = rows.iter().filter(|row| is_on(row, "account_locked")).collect();
    if !locked.is_empty() {
        return Ok(Finding::warn("admin_users", format!("locked after failed logins: {}", names(locked)))
            .fix("`esker vm user unlock NAME`"));
    }
    Ok(Finding::pass("admin_users", format!("{} users, none of them locked", rows.len())))
}

async fn factors(client: &Client) -> Result<Finding> {
    let filter = "enabled eq true and type eq 'normal'";
    let rows = rows(client, "users", "$key,name,two_factor_authentication", filter).await?;
    let without: Vec<&Row> = rows.iter().filter(|row| !is_on(row, "two_factor_authentication")).collect();
    Ok(if without.is_empty() {
        Finding::pass("mfa", "everybody has a second factor")
    } else {
        Finding::warn("mfa", format!("{} of {} users have no second factor", without.len(), rows.len()))
    })
}

async fn profiles(client: &Client) -> Result<Finding> {
    let rows = rows(client, "snapshot_profiles", "$key,name,count(periods) as periods", "").await?;
    Ok(if rows.is_empty() {
        Finding::warn("snapshot_profiles", "there is none: nothing takes snapshots by itself")
    } else {
        Finding::pass("snapshot_profiles", format!("{} profiles", rows.len()))
    })
}

impl Finding {
    /// Says what to do about it, unless nothing is wrong.
    fn fix_if(self, fix: &str) -> Self {
        if self.verdict == Verdict::Pass { self } else { self.fix(fix) }
    }
}
