//! From text to a description: variables, defaults, `--set`, and the check of every name and value.

use super::{NAMES, PARTS};
use crate::config::{boolean, size};
use crate::error::{Error, Result};
use crate::provider::Vars;
use crate::provider::machines::Row;
use crate::provider::templates::Described;
use crate::provider::vergeos::tables;
use crate::suggest::nearest;
use serde_json::{Map, Value};

/// Keys of a machine that are no columns of it.
const OWN: [&str; 5] = ["power_on_after_create", "cloudinit", "drives", "nics", "devices"];
/// Keys of a TPM that are no columns.
const TPM: [&str; 2] = ["model", "version"];

/// Reads a template of one machine or of several.
pub(super) fn read(text: &str, set: &[(String, String)], vars: Vars<'_>) -> Result<Vec<Described>> {
    let own: Value = parse(text)?;
    let filled = fill(text, own.get("vars"), vars)?;
    let mut document = parse(&filled)?;
    for (path, value) in set {
        lay(&mut document, path, value)?;
    }
    check_head(&document)?;
    let machines: Vec<Value> = match (document.get("vm"), document.get("vms")) {
        (Some(vm), None) => vec![vm.clone()],
        (None, Some(Value::Array(vms))) => {
            let defaults = document.get("defaults").cloned().unwrap_or(Value::Null);
            vms.iter().map(|vm| merged(defaults.clone(), vm.clone())).collect()
        }
        _ => return Err(wrong("", "expected `vm`, or `vms` with a list")),
    };
    machines.into_iter().map(described).collect()
}

fn parse(text: &str) -> Result<Value> {
    let value: Value =
        serde_yaml::from_str(text).map_err(|error| Error::rejected(format!("cannot read the template: {error}")))?;
    if value.is_object() { Ok(value) } else { Err(wrong("", "expected NAME: VALUE lines")) }
}

fn wrong(path: &str, why: &str) -> Error {
    let at = if path.is_empty() { String::new() } else { format!(" at `{path}`") };
    Error::rejected(format!("the template is wrong{at}: {why}"))
}

fn check_head(document: &Value) -> Result<()> {
    let word = |name: &str| document.get(name).and_then(Value::as_str);
    match word("apiVersion") {
        Some("v4") | None => {}
        Some(other) => return Err(wrong("apiVersion", &format!("`{other}` is not `v4`"))),
    }
    match word("kind") {
        Some("VirtualMachine" | "VirtualMachineSet") | None => {}
        Some(other) => {
            return Err(wrong("kind", &format!("`{other}` is neither `VirtualMachine` nor `VirtualMachineSet`")));
        }
    }
    let known = ["apiVersion", "kind", "vm", "vms", "defaults", "vars"];
    match document.as_object().into_iter().flat_map(Map::keys).find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(unknown("", name, &known)),
        None => Ok(()),
    }
}

/// `${NAME}` and `${NAME:-default}`: the environment goes before `vars`, and what nobody knows is an error.
fn fill(text: &str, own: Option<&Value>, vars: Vars<'_>) -> Result<String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        filled.push_str(&rest[..at]);
        let Some(end) = rest[at..].find('}') else { return Err(wrong("", "a `${` is not closed")) };
        let inner = &rest[at + 2..at + end];
        let (name, default) = inner.split_once(":-").map_or((inner, None), |(name, default)| (name, Some(default)));
        let value = vars(name).or_else(|| {
            let value = own?.get(name)?;
            Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        });
        match value.or_else(|| default.map(str::to_owned)) {
            Some(value) => filled.push_str(&value),
            None => {
                return Err(wrong("", &format!("the variable `{name}` has no value"))
                    .hint(format!("set {name}, or write ${{{name}:-VALUE}}")));
            }
        }
        rest = &rest[at + end + 1..];
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Sets the field at a path of names with points between them.
fn lay(document: &mut Value, path: &str, text: &str) -> Result<()> {
    let mut at = document;
    for name in path.split('.') {
        if at.is_null() {
            *at = Value::Object(Map::new());
        }
        let Some(members) = at.as_object_mut() else { return Err(wrong(path, "there is a value on the way")) };
        at = members.entry(name).or_insert(Value::Null);
    }
    *at = serde_yaml::from_str(text).unwrap_or_else(|_| text.into());
    Ok(())
}

/// What is in both is that of `over`; members are merged, lists are not.
fn merged(under: Value, over: Value) -> Value {
    match (under, over) {
        (Value::Object(mut under), Value::Object(over)) => {
            for (name, value) in over {
                let before = under.remove(&name).unwrap_or(Value::Null);
                under.insert(name, merged(before, value));
            }
            Value::Object(under)
        }
        (under, Value::Null) => under,
        (_, over) => over,
    }
}

fn described(vm: Value) -> Result<Described> {
    let Value::Object(vm) = vm else { return Err(wrong("vm", "expected NAME: VALUE lines")) };
    let name = vm.get("name").and_then(Value::as_str).filter(|name| !name.is_empty() && name.chars().count() <= 128);
    let name = name.ok_or_else(|| wrong("vm.name", "a machine has a name of 1 to 128 characters"))?.to_owned();
    let mut document = Row::new();
    for (field, value) in vm {
        let path = format!("vm.{field}");
        if let Some(part) = PARTS.iter().find(|part| part.key == field) {
            let Value::Array(list) = value else { return Err(wrong(&path, "expected a list")) };
            let mut rows = Vec::new();
            for (at, item) in list.into_iter().enumerate() {
                let path = format!("{path}[{at}]");
                rows.push(Value::Object(columns(part.table, part.names, item, &path, part.key, at)?));
            }
            document.insert(field, rows.into());
            continue;
        }
        match field.as_str() {
            "power_on_after_create" => {
                document.insert(field, flag(&value).ok_or_else(|| wrong(&path, "expected true or false"))?.into());
            }
            "cloudinit" => {
                cloudinit(&mut document, &value)?;
            }
            _ => {
                let known = NAMES.iter().find(|(ours, _)| *ours == field).map_or(field.as_str(), |(_, wire)| wire);
                let def = tables::known("vms");
                if !def.columns().any(|column| column == known) {
                    let names: Vec<&str> = def.columns().chain(OWN).chain(NAMES.map(|(name, _)| name)).collect();
                    return Err(unknown("vm", &field, &names));
                }
                let value = if known == "ram" {
                    ram(&value).ok_or_else(|| wrong(&path, "expected a size such as 4GB"))?
                } else {
                    value
                };
                // `auto` is what the system chooses by itself.
                if !(known == "cpu_type" && value == "auto") {
                    document.insert(known.to_owned(), value);
                }
            }
        }
    }
    Ok(Described { name, document })
}

/// A part with the names of the wire.
fn columns(table: &'static str, names: &[(&str, &str)], item: Value, path: &str, kind: &str, at: usize) -> Result<Row> {
    let Value::Object(item) = item else { return Err(wrong(path, "expected NAME: VALUE lines")) };
    let def = tables::known(table);
    let mut row = Row::new();
    let mut settings = Map::new();
    for (field, value) in item {
        let known = names.iter().find(|(ours, _)| *ours == field).map_or(field.as_str(), |(_, wire)| wire);
        if table == "machine_devices" && TPM.contains(&known) {
            // 1.2 and 2.0 are 1 and 2 there.
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let text = if known == "version" { text.split('.').next().unwrap_or_default().to_owned() } else { text };
            settings.insert(known.to_owned(), text.into());
            continue;
        }
        if known == "machine" || !def.columns().any(|column| column == known) {
            let mut all: Vec<&str> = def.columns().collect();
            all.extend(names.iter().map(|(name, _)| *name));
            return Err(unknown(path, &field, &all));
        }
        let value = match known {
            "disksize" => {
                bytes(&value).ok_or_else(|| wrong(&format!("{path}.{field}"), "expected a size such as 20GB"))?
            }
            "macaddress" => value.as_str().map(|mac| mac.to_lowercase().replace('-', ":").into()).unwrap_or(value),
            "preferred_tier" => value.as_str().map_or_else(|| value.to_string(), str::to_owned).into(),
            _ => value,
        };
        row.insert(known.to_owned(), value);
    }
    if !settings.is_empty() {
        row.insert("settings_args".to_owned(), settings.into());
    }
    // What has no name could not be found again.
    row.entry("name").or_insert_with(|| format!("{}_{at}", kind.trim_end_matches('s')).into());
    Ok(row)
}

fn cloudinit(document: &mut Row, value: &Value) -> Result<()> {
    let datasource = value.get("datasource").and_then(Value::as_str).unwrap_or("nocloud");
    document.insert("cloudinit_datasource".to_owned(), datasource.into());
    let files = value.get("files").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut kept = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let path = format!("vm.cloudinit.files[{at}]");
        let word = |name: &str| file.get(name).and_then(Value::as_str);
        let name = word("name").ok_or_else(|| wrong(&path, "a file has a name"))?;
        let content =
            word("content").or_else(|| word("contents")).ok_or_else(|| wrong(&path, "a file has a content"))?;
        if content.len() > 65_536 {
            return Err(wrong(&path, "a file holds at most 64 KiB"));
        }
        // Names start with a slash there.
        let name = format!("/{}", name.trim_start_matches('/'));
        kept.push(serde_json::json!({"name": name, "contents": content, "render": word("render").unwrap_or("no")}));
    }
    document.insert("files".to_owned(), kept.into());
    Ok(())
}

fn unknown(path: &str, name: &str, known: &[&str]) -> Error {
    let error = wrong(path, &format!("there is no field `{name}`"));
    match nearest(name, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error,
    }
}

fn flag(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| boolean(value.as_str()?))
}

/// Sizes of templates: units are powers of two, whether they are written GB or GiB, and nothing is cut off.
fn binary(text: &str) -> Option<u64> {
    let text = text.trim();
    let upper = text.to_ascii_uppercase();
    let plain = upper.strip_suffix('B').filter(|rest| rest.ends_with(['K', 'M', 'G', 'T'])).unwrap_or(text);
    size::parse(plain)
}

fn ram(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => match text.parse::<u64>() {
            Ok(megabytes) => Some(megabytes.into()),
            Err(_) => binary(text).map(|bytes| bytes.div_ceil(1 << 20).into()),
        },
        _ => None,
    }
}

fn bytes(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => binary(text).map(Value::from),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use serde_json::json;

    const ONE: &str = "apiVersion: v4
kind: VirtualMachine
vars: {NAME: web, RAM: 4GB}
vm:
  name: ${NAME}
  os_family: linux
  ram: ${RAM}
  failover_cluster: c2
  drives: [{name: os, size: 512MB, media: disk, preferred_tier: 3}]
  nics: [{network: Internal, mac: 'AA-BB-CC-00-11-22'}]
  devices: [{type: tpm, name: tpm, model: crb, version: '2.0'}]
  cloudinit: {files: [{name: user-data, content: '#cloud-config'}]}
  description: ${TEXT:-none at all}
";

    fn one(text: &str, set: &[(&str, &str)]) -> Result<Described> {
        let set: Vec<_> = set.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        read(text, &set, &|_| None).map(|mut all| all.remove(0))
    }

    #[test]
    fn a_template_is_read_with_the_names_of_the_wire() {
        let read = one(ONE, &[("vm.cpu_cores", "4")]).unwrap();
        assert_eq!(read.name, "web");
        let row = Value::Object(read.document);
        assert_eq!((&row["ram"], &row["cluster_failover"], &row["cpu_cores"]), (&json!(4096), &json!("c2"), &json!(4)));
        assert_eq!(
            row["drives"][0],
            json!({"name": "os", "disksize": 536_870_912, "media": "disk", "preferred_tier": "3"})
        );
        assert_eq!(row["nics"][0], json!({"vnet": "Internal", "macaddress": "aa:bb:cc:00:11:22", "name": "nic_0"}));
        assert_eq!(row["devices"][0]["settings_args"], json!({"model": "crb", "version": "2"}));
        assert_eq!(row["files"][0]["name"], "/user-data");
        assert_eq!(row["description"], "none at all");
    }

    #[test]
    fn several_share_defaults() {
        let text =
            "kind: VirtualMachineSet\ndefaults: {os_family: linux, ram: 1GB}\nvms: [{name: a}, {name: b, ram: 2GB}]\n";
        let all = read(text, &[], &|_| None).unwrap();
        assert_eq!((all.len(), &all[0].document["ram"], &all[1].document["ram"]), (2, &json!(1024), &json!(2048)));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (text, place) in [
            ("vm: {name: a, rma: 1}", "did you mean `ram`?"),
            ("vm: {name: a, drives: [{nmae: x}]}", "did you mean `name`?"),
            ("vm: {ram: 1}", "vm.name"),
            ("vm: {name: a, ram: much}", "vm.ram"),
            ("vm: {name: '${NOBODY}'}", "NOBODY"),
            ("kind: Pod\nvm: {name: a}", "kind"),
            ("[]", "expected"),
        ] {
            let error = one(text, &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Rejected, "{text}");
            let said = format!("{error} {:?}", error.parts().hint);
            assert!(said.contains(place), "{text}: {said}");
        }
    }

    #[test]
    fn units_are_never_cut_off() {
        assert_eq!(binary("512MB"), Some(512 << 20));
        assert_eq!(binary("1.5TB"), Some(3 << 39));
        assert_eq!(ram(&json!("1.5GB")), Some(json!(1536)));
    }
}
