//! Virtual machines and what is in them.

use super::Route::{New, Note, Own, Row, Rows, Snapshot, Verb};
use super::{Acts, Def, HASH, Holder, NOW, NUMBER, STOPS, Settle, acts};
use crate::provider::resources::Weight::{Mild, Moderate, Severe};

const VMS: Acts = acts! {
    "start" = "poweron", Own("vm"), Settle::new("machine#status#status", "running", "error unlicensed"), "preferred_node", Mild, "Start it, or resume one that hibernates";
    "stop" = "poweroff", Own("vm"), STOPS, "", Mild, "Ask the guest to shut down";
    "kill" = "kill", Own("vm"), STOPS, "", Mild, "Pull the plug";
    "reset" = "reset", Own("vm"), Settle::new("machine#status#status", "running", "error stopped"), "graceful", Mild, "Restart it at once, or with graceful=true by the guest";
    "hibernate" = "hibernate", Own("vm"), Settle::new("machine#status#status", "hibernated stopped", "error"), "", Mild, "Save its memory and stop it";
    "migrate" = "migrate", Own("vm"), NOW, "preferred_node node method", Mild, "Move it to another node while it runs";
    "move" = "move", Own("vm"), NOW, "node cluster", Mild, "Move it to another cluster";
    "clone" = "clone", Own("vm"), NOW, "name description preserve_macs preserve_device_uuids quiesce cluster", Mild, "Make a copy of it";
    "snapshot" = "quiesce_snapshot", Own("vm"), NOW, "name quiesce retention", Mild, "Take a snapshot of it";
    "restore" = "restore", Own("vm"), NOW, "snapshot preserve_macs name", Severe, "Go back to a snapshot";
    "hotplug-drive" = "hotplugdrive", Own("vm"), NOW, "device unplug", Mild, "Plug a drive in or out while it runs";
    "hotplug-nic" = "hotplugnic", Own("vm"), NOW, "device unplug", Mild, "Plug a NIC in or out while it runs";
    "change-cd" = "changecd", Own("vm"), NOW, "*", Mild, "Change the medium in a CD-ROM drive";
    "change-net" = "changenet", Own("vm"), NOW, "*", Mild, "Connect a NIC to another network";
    "paste" = "paste", Own("vm"), NOW, "text", Mild, "Type a text on its console";
    "execute" = "execute", Own("vm"), NOW, "*", Mild, "Hand a command to the guest agent, whose result is not told";
    "erase-drive" = "erase_drive", Own("vm"), NOW, "drive", Severe, "Erase a drive";
    "refresh" = "refresh", Own("vm"), NOW, "", Mild, "Read its state anew";
    "favorite" = "favorite", New("vm_favorites", "vm"), NOW, "user", Mild, "Put it among the favorites of a user";
    "note" = "update", Note, NOW, "text", Mild, "Write its note";
};

const MACHINE_DRIVES: Acts = acts! {
    "apply-universal-vars" = "apply_universal_vars", Verb("apply_universal_vars"), NOW, "", Mild, "Apply universal variables to it";
};

const MACHINE_SNAPSHOTS: Acts = acts! {
    "restore" = "restore", Snapshot("restore"), NOW, "", Severe, "Put the machine back to it";
    "clone" = "clone", Snapshot("clone"), NOW, "name preserve_macs", Mild, "Make a machine of it";
};

const VM_IMPORTS: Acts = acts! {
    "start" = "import", Row, Settle::new("status", "complete warning", "error aborted"), "", Mild, "Import it";
    "cancel" = "abort", Row, NOW, "", Mild, "Stop importing it";
};

const VOLUME_VM_EXPORTS: Acts = acts! {
    "start" = "start_export", Own("volume_vm_export"), NOW, "name vms", Mild, "Export machines";
    "stop" = "stop_export", Own("volume_vm_export"), NOW, "", Mild, "Stop exporting";
    "cleanup" = "cleanup", Own("volume_vm_export"), NOW, "", Moderate, "Remove old exports";
};

const CLOUD_SNAPSHOTS: Acts = acts! {
    "refresh" = "refresh", Own("cloud_snapshot"), NOW, "", Mild, "Read it anew";
};

const CLOUD_SNAPSHOT_VMS: Acts = acts! {
    "recover" = "recover", Rows("cloud_snapshot_vm_actions"), NOW, "name", Mild, "Make a machine of it";
};

const CLOUD_SNAPSHOT_TENANTS: Acts = acts! {
    "recover" = "recover", Rows("cloud_snapshot_tenant_actions"), NOW, "name", Mild, "Make a tenant of it";
};

const SNAPSHOT_PROFILES: Acts = acts! {
    "delete-all" = "delete", Own("snapshot_profile"), NOW, "", Moderate, "Delete it with its periods";
};

/// The tables.
pub(super) static TABLES: &[Def] = &[
    Def::new("vms", "virtual machine", NUMBER)
        .shown(
            "name status cpu_cores:CPU ram cluster_name:CLUSTER node_name:NODE | description \
            os_family need_restart machine",
        )
        .fields(
            "$key,name,description,enabled,cpu_cores,ram,os_family,guest_agent,uefi,secure_boot,\
            machine_type,created,modified,is_snapshot,need_restart,machine,\
            machine#status#node as node_key,machine#cluster as cluster_key,\
            machine#ha_group as ha_group,cloudinit_datasource,machine#status#running as running,\
            machine#status#status as status,machine#status#node#name as node_name,\
            machine#cluster#name as cluster_name",
        )
        .set(
            "name description enabled:bool cpu_cores:number cpu_type ram:mb machine_type os_family \
            os_description cluster:clusters cluster_failover:clusters preferred_node:nodes ha_group \
            snapshot_profile:snapshot_profiles on_power_loss allow_hotplug:bool \
            disable_powercycle:bool migration_method power_cycle_timeout:number guest_agent:bool \
            uefi:bool secure_boot:bool boot_order boot_delay:number console \
            console_pass_enabled:bool console_pass console_pass_hash video sound rtc_base \
            usb_tablet:bool usb_legacy:bool serial_port:bool nested_virtualization:bool \
            disable_hypervisor:bool iommu:bool allow_export:bool cloudinit_datasource \
            cloudinit_files:json advanced note uuid owner_user paste_key_config created_from \
            imported show_advanced:bool",
        )
        .only("is_snapshot eq false")
        .severe()
        .acts(VMS),
    Def::new("machine_drives", "drive", NUMBER)
        .noun("drive")
        .within("vms", "machine", Holder::Machine)
        .shown(
            "name machine media interface disksize:SIZE preferred_tier:TIER status_display:STATUS \
            enabled | description media_file used_bytes",
        )
        .fields(
            "$key,name,orderid,interface,media,description,enabled,serial,preferred_tier,readonly,\
            ms_2023_kek_applied,disksize,used_bytes,media_source,machine,status#status as status,\
            status#display(status) as status_display,media_source#name as media_file,\
            media_source#allocated_bytes as allocated_bytes",
        )
        .set(
            "name description orderid:number enabled:bool serial asset readonly:bool discard:bool \
            fsync optimize advanced preserve_drive_format:bool interface media disksize:bytes \
            preferred_tier show_pt media_source:files machine",
        )
        .sort("+orderid")
        .acts(MACHINE_DRIVES),
    Def::new("machine_nics", "NIC", NUMBER)
        .noun("nic")
        .within("vms", "machine", Holder::Machine)
        .shown(
            "name machine interface vnet_name:NETWORK macaddress:MAC ipaddress:IP \
            status_display:STATUS enabled | description speed",
        )
        .fields(
            "$key,name,orderid,interface,description,enabled,macaddress,ipaddress,vnet,machine,\
            status#status as status,status#display(status) as status_display,\
            vnet#machine#status#status as vnet_status,stats#rxbps as rxbps,stats#txbps as txbps,\
            vnet#name as vnet_name,vnet#$key as vnet_key,status#speed as speed,\
            stats#rx_bytes as rx_bytes,stats#tx_bytes as tx_bytes",
        )
        .set(
            "name description orderid:number enabled:bool vnet:vnets interface macaddress ipaddress \
            assign_ipaddress:bool disable_mq:bool asset driver model vendor port:number machine",
        )
        .sort("+orderid"),
    Def::new("machine_devices", "device", NUMBER)
        .noun("device")
        .within("vms", "machine", Holder::Machine)
        .shown("name machine_name:MACHINE type device_status:STATUS enabled optional | description uuid")
        .fields(
            "$key,machine,machine_type,name,description,type,orderid,uuid,enabled,optional,\
            resource_group,created,modified,machine#name as machine_name,\
            resource_group#name as resource_group_name,status#status as device_status,\
            status#status_info as status_info",
        )
        .set(
            "name description type enabled:bool optional:bool resource_group:resource_groups \
            count:number settings_args:json orderid:number machine",
        )
        .sort("+orderid"),
    Def::new("machine_snapshots", "snapshot", NUMBER)
        .within("vms", "machine", Holder::Machine)
        .shown("name created expires | quiesced description")
        .fields(
            "$key,name,description,created,expires,expires_type,quiesced,created_manually,machine,\
            snap_machine,snapshot_period",
        )
        .set("name description expires:time expires_type quiesce:bool created_manually:bool machine")
        .sort("-created")
        .acts(MACHINE_SNAPSHOTS),
    Def::new("machine_status", "status", NUMBER)
        .within("vms", "machine", Holder::Machine)
        .nameless()
        .shown("machine status running node_name:NODE started agent_version")
        .fields(
            "$key,machine,running,migratable,status,status_info,state,powerstate,node,migrated_node,\
            migration_destination,started,local_time,last_update,running_cores,running_ram,\
            agent_version,agent_features,agent_guest_info,node#name as node_name",
        )
        .read_only(),
    Def::new("machine_stats", "statistic", NUMBER)
        .within("vms", "machine", Holder::Machine)
        .nameless()
        .shown("total_cpu user_cpu system_cpu iowait_cpu vmusage_cpu irq_cpu")
        .fields(
            "$key,machine,total_cpu,user_cpu,system_cpu,iowait_cpu,vmusage_cpu,irq_cpu,ram_used,\
            ram_pct,vram_used,core_usagelist,core_temp,core_temp_top,core_peak,core_count_gt_25,\
            core_count_gt_50,core_count_gt_75,modified",
        )
        .set("machine"),
    Def::new("machine_stats_history_short", "stats history short", NUMBER)
        .within("vms", "machine", Holder::Machine)
        .nameless()
        .shown("timestamp total_cpu ram_used vram_used ram_pct")
        .fields("$key,machine,timestamp,total_cpu,ram_used,vram_used,ram_pct")
        .read_only(),
    Def::new("machine_logs", "log entry", NUMBER)
        .within("vms", "machine", Holder::Machine)
        .nameless()
        .shown("level text user timestamp machine_name")
        .fields("$key,machine,level,text,user,timestamp,machine#name as machine_name")
        .read_only(),
    Def::new("machine_drive_stats", "drive stat", NUMBER)
        .within("machine_drives", "parent_drive", Holder::Key)
        .nameless()
        .shown("parent_drive reads writes read_bytes write_bytes rops")
        .fields(
            "$key,parent_drive,reads,writes,read_bytes,write_bytes,rops,wops,rbps,wbps,totalbps,\
            used_bytes,max_bytes,util,service_time,physical,up_since,last_update",
        )
        .read_only(),
    Def::new("machine_nic_stats", "nic stat", NUMBER)
        .within("machine_nics", "parent_nic", Holder::Key)
        .nameless()
        .shown("parent_nic txpps rxpps txbps rxbps totalxbps")
        .fields(
            "$key,parent_nic,txpps,rxpps,txbps,rxbps,totalxbps,tx_pckts,rx_pckts,tx_bytes,rx_bytes,\
            tx_pckts_cur,rx_pckts_cur,tx_bytes_cur,rx_bytes_cur,last_update",
        )
        .read_only(),
    Def::new("machine_nic_status", "nic status", NUMBER)
        .within("machine_nics", "parent_nic", Holder::Key)
        .nameless()
        .shown("parent_nic status state speed last_update")
        .fields("$key,parent_nic,status,state,speed,last_update")
        .read_only(),
    Def::new("machine_nic_fabric_status", "nic fabric status", NUMBER)
        .within("machine_nics", "parent_nic", Holder::Key)
        .nameless()
        .shown("parent_nic status state max_score min_score paths")
        .fields("$key,parent_nic,status,state,max_score,min_score,paths,created,modified")
        .read_only(),
    Def::new("cloudinit_files", "cloud-init file", NUMBER)
        .within("vms", "owner", Holder::Reference("vms/"))
        .shown("name owner filesize allocated_bytes used_bytes modified")
        .fields(
            "$key,name,owner,filesize,allocated_bytes,used_bytes,modified,render,contains_variables,\
            creator",
        )
        .set("contents name owner render"),
    Def::new("vm_favorites", "vm favorite", NUMBER)
        .within("vms", "vm", Holder::Key)
        .nameless()
        .shown("vm user")
        .fields("$key,vm,user")
        .set("vm:vms user:users"),
    Def::new("vm_imports", "import", HASH)
        .shown("name vm_display:VM status importing | file_display volume_display status_info")
        .fields(
            "$key,id,name,vm,vm#$display as vm_display,uuid,file,file#$display as file_display,\
            volume,volume#$display as volume_display,volume_path,status,status_info,importing,\
            aborted,preserve_macs,preserve_drive_format,preferred_tier,timestamp,modified",
        )
        .set(
            "cleanup_on_delete:bool file:files importing:bool name no_optical_drives:bool \
            override_drive_interface override_nic_interface preferred_tier \
            preserve_drive_format:bool preserve_macs:bool shared_object volume:volumes volume_path \
            vm:vms",
        )
        .made(Settle::new("status", "complete warning", "error aborted"))
        .acts(VM_IMPORTS),
    Def::new("vm_import_logs", "vm import log", NUMBER)
        .within("vm_imports", "vm_import", Holder::Key)
        .nameless()
        .shown("vm_import level text timestamp user")
        .fields("$key,vm_import,level,text,timestamp,user")
        .read_only(),
    Def::new("volume_vm_exports", "export", NUMBER)
        .within("volumes", "volume", Holder::Key)
        .nameless()
        .shown("volume volume_display volume_name quiesced status status_info")
        .fields(
            "$key,volume,volume#$display as volume_display,volume#name as volume_name,quiesced,\
            status,status_info,create_current,max_exports",
        )
        .set("create_current:bool max_exports:number quiesced:bool volume:volumes")
        .acts(VOLUME_VM_EXPORTS),
    Def::new("volume_vm_export_stats", "export", NUMBER)
        .within("volume_vm_exports", "volume_vm_exports", Holder::Key)
        .label("file_name")
        .shown("file_name volume_vm_exports duration virtual_machines export_success errors")
        .fields(
            "$key,volume_vm_exports,duration,virtual_machines,export_success,errors,quiesced,\
            size_bytes,file_name,timestamp",
        )
        .set("volume_vm_exports"),
    Def::new("cloud_snapshots", "cloud snapshot", NUMBER)
        .shown("name status created expires | immutable private description")
        .fields(
            "$key,name,description,created,expires,snapshot_profile,private,remote_sync,immutable,\
            immutable_status,immutable_lock_expires,status,status_info",
        )
        .set(
            "expires:time expires_type immutable:bool min_snapshots:number name partial_tags \
            private:bool quiesce_tags type",
        )
        .sort("-created")
        .made(Settle::new("status", "normal", "error"))
        .acts(CLOUD_SNAPSHOTS),
    Def::new("cloud_snapshot_vms", "cloud snapshot vm", NUMBER)
        .within("cloud_snapshots", "cloud_snapshot", Holder::Key)
        .shown("name uuid machine_uuid cpu_cores ram os_family")
        .fields(
            "$key,name,description,uuid,machine_uuid,cpu_cores,ram,os_family,is_snapshot,status,\
            status_info,original_key,cloud_snapshot",
        )
        .read_only()
        .acts(CLOUD_SNAPSHOT_VMS),
    Def::new("cloud_snapshot_tenants", "cloud snapshot tenant", NUMBER)
        .within("cloud_snapshots", "cloud_snapshot", Holder::Key)
        .shown("name uuid nodes cpu_cores ram is_snapshot")
        .fields(
            "$key,name,description,uuid,nodes,cpu_cores,ram,is_snapshot,status,status_info,\
            original_key,cloud_snapshot",
        )
        .read_only()
        .acts(CLOUD_SNAPSHOT_TENANTS),
    Def::new("snapshot_profiles", "snapshot profile", NUMBER)
        .shown("name ignore_warnings")
        .fields("$key,name,description,ignore_warnings")
        .set("description ignore_warnings:bool name")
        .acts(SNAPSHOT_PROFILES),
    Def::new("snapshot_profile_periods", "snapshot profile period", NUMBER)
        .within("snapshot_profiles", "profile", Holder::Key)
        .shown("name profile frequency minute hour day_of_week")
        .fields(
            "$key,profile,name,frequency,minute,hour,day_of_week,day_of_month,month,retention,\
            max_tier,quiesce,min_snapshots,immutable,estimated_snapshot_count",
        )
        .set(
            "day_of_month:number day_of_week frequency hour:number immutable:bool max_tier \
            min_snapshots:number minute:number month:number name profile:snapshot_profiles \
            quiesce:bool retention:number",
        ),
];
