//! A live machine as a template.

use super::{NAMES, PARTS, VergeTemplates};
use crate::error::Result;
use crate::provider::machines::{Row, Selector};
use crate::provider::vergeos::api::text;
use crate::provider::vergeos::rows::Select;
use crate::provider::vergeos::tables;
use serde_json::{Value, json};

/// What of a machine is worth writing down; the rest is what the system does by default, or its own affair.
const KEPT: &str = "name,description,enabled,os_family,os_description,cpu_cores,cpu_type,ram,machine_type,boot_order,\
    allow_hotplug,uefi,secure_boot,console,video,guest_agent,rtc_base,machine#ha_group as ha_group,\
    machine#cluster#name as cluster,cluster_failover#name as cluster_failover,preferred_node#name as preferred_node,\
    snapshot_profile#name as snapshot_profile,advanced,cloudinit_datasource,on_power_loss,nested_virtualization";

const DRIVE: &str =
    "name,description,media,interface,disksize,preferred_tier,enabled,orderid,asset,media_source#name as media_source";
const NIC: &str = "name,description,interface,enabled,macaddress,asset,vnet#name as vnet";
const DEVICE: &str = "name,type,settings_args";

impl VergeTemplates {
    pub(super) async fn written(&self, which: &Selector) -> Result<Row> {
        let fields = format!("$key,machine,{KEPT}");
        let record = self.resources().look_up(tables::known("vms"), which, None, &fields).await?;
        let mut row = record.fields;
        let machine = row.shift_remove("machine").as_ref().and_then(text).unwrap_or_default();
        row.shift_remove("$key");
        let mut vm = Row::new();
        for (name, value) in row.into_iter().filter(|(_, value)| is_said(value)) {
            let ours = NAMES.iter().find(|(_, wire)| *wire == name).map_or(name, |(ours, _)| (*ours).to_owned());
            match ours.as_str() {
                "cloudinit_datasource" if value == "none" => {}
                "cloudinit_datasource" => {
                    vm.insert("cloudinit".to_owned(), json!({ "datasource": value }));
                }
                _ => {
                    vm.insert(ours, value);
                }
            }
        }
        for (part, fields) in PARTS.iter().zip([DRIVE, NIC, DEVICE]) {
            let select = Select::new(part.table, fields).filter(format!("machine eq {machine}"));
            let rows: Vec<Row> = self.0.rows("read what is in the machine", &select.sort("+$key")).await?;
            let rows: Vec<Value> = rows.into_iter().map(|row| written(row, part.names)).collect();
            if !rows.is_empty() {
                vm.insert(part.key.to_owned(), rows.into());
            }
        }
        Ok(Row::from_iter([
            ("apiVersion".to_owned(), "v4".into()),
            ("kind".to_owned(), "VirtualMachine".into()),
            ("vm".to_owned(), vm.into()),
        ]))
    }
}

/// A part with the names of a template, and without what it leaves to the system.
fn written(row: Row, names: &[(&str, &str)]) -> Value {
    let mut kept = Row::new();
    for (name, value) in row.into_iter().filter(|(name, value)| is_said(value) && !name.starts_with('$')) {
        let ours = names.iter().find(|(_, wire)| *wire == name).map_or(name, |(ours, _)| (*ours).to_owned());
        if let (true, Value::Object(settings)) = (ours == "settings_args", &value) {
            kept.extend(
                settings
                    .iter()
                    .filter(|(name, _)| ["model", "version"].contains(&name.as_str()))
                    .map(|(name, value)| (name.clone(), value.clone())),
            );
            continue;
        }
        kept.insert(ours, value);
    }
    kept.into()
}

fn is_said(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}
