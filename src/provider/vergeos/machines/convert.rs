//! From rows to machines.

use super::word;
use crate::error::Result;
use crate::model::{Extra, Key, Machine, MachineHealth, Time};
use crate::provider::machines::Row;
use crate::provider::vergeos::api::{reference, text};
use crate::provider::vergeos::client::Client;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What is asked for of every machine of a list: there may be ten thousand.
pub(super) const LISTED: &str = "$key,name,description,cpu_cores,ram,os_family,created,need_restart,machine,\
    machine#status#status as status,machine#cluster#name as cluster_name,machine#status#node#name as node_name";

/// What is asked for before something is done to one.
pub(in crate::provider::vergeos) const BRIEF: &str = "$key,name,machine,need_restart,machine#status#status as status,\
    machine#status#running as running,machine#status#node as node,machine#status#started as started,\
    machine#status#status_info as status_info,machine#status#agent_version as agent_version,machine#status#state as state";

/// All of one, with what is in it, in one request.
pub(super) const DETAIL: &str = "all,$key,machine#status#status as status,machine#status#running as running,\
    machine#status#state as state,machine#status#status_info as status_info,machine#status#started as started,\
    machine#status#node#name as node_name,machine#cluster#name as cluster_name,machine#ha_group as ha_group,\
    machine#status#agent_version as agent_version,machine#status#agent_guest_info as guest_info,\
    machine[drives[$key,name,orderid,interface,media,disksize,used_bytes,preferred_tier,enabled,media_source#name as media_file,\
    status#status as status],nics[$key,name,orderid,interface,macaddress,ipaddress,enabled,vnet#name as network,\
    status#status as status],snapshots[$key,name,created,expires,quiesced]] as parts";

/// A row of a list. Numbers may come as texts, and anything may be null.
#[derive(Deserialize)]
pub(super) struct Listed {
    #[serde(rename = "$key", default, deserialize_with = "key")]
    key: String,
    name: Option<String>,
    description: Option<String>,
    #[serde(default, deserialize_with = "number")]
    cpu_cores: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    ram: Option<u64>,
    os_family: Option<String>,
    #[serde(default, deserialize_with = "number")]
    created: Option<u64>,
    need_restart: Option<bool>,
    #[serde(default, deserialize_with = "number")]
    machine: Option<u64>,
    status: Option<String>,
    cluster_name: Option<String>,
    node_name: Option<String>,
}

fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(from)?;
    Ok(value.as_u64().or_else(|| value.as_str()?.parse().ok()))
}

fn key<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(text(&Value::deserialize(from)?).unwrap_or_default())
}

impl From<Listed> for Machine {
    fn from(row: Listed) -> Self {
        // As large as it can become: of ten thousand rows a few hundred bytes each are much.
        let mut extra = Extra::with_capacity(5);
        let mut add = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                extra.insert(name.to_owned(), value);
            }
        };
        let said = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Value::from);
        add("machine", row.machine.map(Value::from));
        add("description", said(row.description));
        add("os_family", said(row.os_family));
        add("node", said(row.node_name));
        add("need_restart", row.need_restart.map(Value::from));
        Self {
            key: Key(row.key),
            name: row.name.unwrap_or_default(),
            status: status(row.status.as_deref().unwrap_or_default()),
            region: row.cluster_name.filter(|name| !name.is_empty()),
            cpus: cpus(row.cpu_cores),
            memory_bytes: memory(row.ram),
            created_at: row.created.and_then(time),
            extra,
            ..Self::default()
        }
    }
}

fn status(text: &str) -> String {
    if text.is_empty() { "unknown".to_owned() } else { text.to_owned() }
}

fn cpus(cores: Option<u64>) -> Option<f64> {
    cores.and_then(|cores| u32::try_from(cores).ok()).map(f64::from)
}

fn memory(megabytes: Option<u64>) -> Option<u64> {
    megabytes.and_then(|megabytes| megabytes.checked_mul(1 << 20))
}

fn time(seconds: u64) -> Option<Time> {
    let seconds = i64::try_from(seconds).ok().filter(|seconds| *seconds > 0)?;
    Time::from_second(seconds).ok()
}

fn count(row: &Row, name: &str) -> Option<u64> {
    let value = row.get(name)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// A machine with all that is known of it.
pub(super) fn detailed(mut row: Row) -> Machine {
    let parts = row.shift_remove("parts");
    let part = |name: &str| parts.as_ref().and_then(|parts| parts.get(name)).filter(|list| list.is_array()).cloned();
    let (drives, nics, snapshots) = (part("drives"), part("nics"), part("snapshots"));
    let sizes = drives.as_ref().and_then(Value::as_array).into_iter().flatten();
    let disk: u64 = sizes.filter_map(|drive| count(drive.as_object()?, "disksize")).sum();
    let addresses = addresses(nics.as_ref(), row.get("guest_info"));
    let mut machine = Machine {
        key: Key(row.shift_remove("$key").as_ref().and_then(text).unwrap_or_default()),
        name: word(&row, "name").to_owned(),
        status: status(word(&row, "status")),
        region: Some(word(&row, "cluster_name").to_owned()).filter(|name| !name.is_empty()),
        cpus: cpus(count(&row, "cpu_cores")),
        memory_bytes: memory(count(&row, "ram")),
        disk_bytes: drives.is_some().then_some(disk),
        created_at: count(&row, "created").and_then(time),
        last_active_at: None,
        ..Machine::default()
    };
    for known in ["name", "status", "cluster_name", "cpu_cores", "ram", "created"] {
        row.shift_remove(known);
    }
    row.retain(|_, value| !value.is_null());
    for (name, list) in [("drives", drives), ("nics", nics), ("snapshots", snapshots)] {
        row.extend(list.map(|list| (name.to_owned(), list)));
    }
    if !addresses.is_empty() {
        row.insert("addresses".to_owned(), addresses.into());
    }
    machine.extra = row;
    machine
}

/// The addresses that are configured, and those that the guest tells.
fn addresses(nics: Option<&Value>, guest: Option<&Value>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |value: &Value| {
        if let Some(address) = value.as_str().filter(|text| text.parse::<std::net::IpAddr>().is_ok())
            && !found.iter().any(|known| known == address)
        {
            found.push(address.to_owned());
        }
    };
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    list(nics).iter().filter_map(|nic| nic.get("ipaddress")).for_each(&mut add);
    for info in list(guest) {
        walk(&info, &mut add);
    }
    found
}

/// Whatever an agent reports: forms differ, addresses are addresses.
fn walk(value: &Value, add: &mut impl FnMut(&Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, add)),
        Value::Object(members) => members.values().for_each(|member| walk(member, add)),
        other => add(other),
    }
}

/// What must be known of a machine to act on it.
#[derive(Clone, Debug)]
pub(in crate::provider::vergeos) struct Brief {
    /// Its own key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// The key of its machine.
    pub machine: String,
    /// What it does.
    pub status: String,
    /// The node it runs on.
    pub node: Option<String>,
    /// When it was started.
    pub started: Option<Value>,
    /// Whether a change waits for it to be off and on again.
    pub need_restart: bool,
    row: Row,
}

impl Brief {
    pub(super) fn read(row: Row, client: &Client) -> Result<Self> {
        let need = |name: &str| row.get(name).and_then(reference);
        let (Some(key), Some(machine)) = (need("$key"), need("machine")) else {
            return Err(client.garbled("find a virtual machine", "its keys are not in it"));
        };
        Ok(Self {
            key,
            machine,
            name: word(&row, "name").to_owned(),
            status: word(&row, "status").to_owned(),
            node: need("node"),
            started: row.get("started").cloned(),
            need_restart: row.get("need_restart").and_then(Value::as_bool).unwrap_or(false),
            row,
        })
    }
}

/// Whether it can be used.
pub(super) fn health(brief: Brief) -> MachineHealth {
    let state = word(&brief.row, "state");
    let reason = [word(&brief.row, "status_info"), if state == "online" { "" } else { state }];
    let reason = reason.into_iter().find(|text| !text.is_empty() && *text != brief.status).map(str::to_owned);
    MachineHealth {
        healthy: brief.status == "running",
        status: status(&brief.status),
        reason,
        checked_at: None,
        extra: brief.row,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_of_a_list_is_read_whatever_its_types() {
        let row: Listed = serde_json::from_value(json!({
            "$key": 9_007_199_254_740_993_u64, "name": "web", "cpu_cores": "4", "ram": 2048, "created": 1_769_904_000,
            "machine": 101, "status": "running", "node_name": null, "cluster_name": "c1", "need_restart": false,
        }))
        .unwrap();
        let machine = Machine::from(row);
        assert_eq!((machine.key.as_str(), machine.status.as_str()), ("9007199254740993", "running"));
        assert_eq!((machine.cpus, machine.memory_bytes), (Some(4.0), Some(2 << 30)));
        assert_eq!((machine.region.as_deref(), &machine.extra["machine"]), (Some("c1"), &json!(101)));
        let bare: Listed = serde_json::from_value(json!({"$key": "7", "name": null})).unwrap();
        assert_eq!((Machine::from(bare).status.as_str()), "unknown");
    }

    #[test]
    fn a_machine_is_shown_with_what_is_in_it() {
        let Value::Object(row) = json!({
            "$key": 1, "name": "web", "machine": 101, "status": "stopped", "ram": 1024, "note": null,
            "guest_info": [{"interfaces": [{"ip": ["10.0.0.9"]}]}],
            "parts": {"drives": [{"disksize": 10}, {"disksize": "5"}], "nics": [{"ipaddress": "10.0.0.8"}, {"ipaddress": ""}]},
        }) else {
            panic!("an object")
        };
        let machine = detailed(row);
        assert_eq!(machine.disk_bytes, Some(15));
        assert_eq!(machine.extra["addresses"], json!(["10.0.0.8", "10.0.0.9"]));
        assert_eq!(machine.extra["drives"].as_array().unwrap().len(), 2);
        assert!(!machine.extra.contains_key("parts") && !machine.extra.contains_key("note"));
    }
}
