//! The system itself.

use super::Route::{All, Default, Own, OwnAs, Set, SetTime, Update, Verb};
use super::{Acts, Def, HASH, Holder, NOW, NUMBER, SINGLE, SWITCHES, Settle, WORD, acts};
use crate::provider::resources::Weight::{Mild, Moderate, Severe};

const ALARMS: Acts = acts! {
    "snooze" = "snooze", SetTime("snooze"), NOW, "until", Mild, "Hide it for a while";
    "unsnooze" = "unsnooze", Set("snooze", "0"), NOW, "", Mild, "Show it again";
    "resolve" = "resolve", Verb("resolve"), NOW, "", Mild, "Say that it is dealt with";
};

const BILLING: Acts = acts! {
    table "generate" = "generate", All("billing_actions"), NOW, "", Moderate, "Make a report now";
};

const CERTIFICATES: Acts = acts! {
    "renew" = "renew", Set("renew", "true"), NOW, "force", Mild, "Have it made anew";
};

const LICENSES: Acts = acts! {
    table "generate-payload" = "generate", All("license_actions"), NOW, "", Mild, "Make a request for a licence, as a file of the catalog";
};

const SETTINGS: Acts = acts! {
    "reset" = "reset", Default, NOW, "", Moderate, "Put its default back";
};

const SYSTEM_DIAGNOSTICS: Acts = acts! {
    "send" = "send2support", Own("system_diagnostic"), NOW, "", Moderate, "Send it to the vendor";
};

const UPDATE_SETTINGS: Acts = acts! {
    table "check" = "check", Update, NOW, "", Mild, "Look for updates";
    table "download" = "download", Update, NOW, "", Mild, "Fetch updates";
    table "install" = "install", Update, NOW, "", Moderate, "Install updates";
    table "apply" = "all", Update, NOW, "force", Severe, "Install updates and restart the nodes one after another";
};

const UPDATE_SOURCES: Acts = acts! {
    "refresh" = "refresh", OwnAs("update_actions", "source"), NOW, "", Mild, "Look for updates";
};

/// The tables.
pub(super) static TABLES: &[Def] = &[
    Def::new("dashboard", "dashboard", SINGLE).nameless().read_only(),
    Def::new("alarms", "alarm", NUMBER)
        .noun("alarm")
        .label("alarm_id")
        .shown(
            "level alarm_type_name:TYPE status owner_type owner_name:OWNER created | alarm_id \
            alarm_type_description snooze resolvable",
        )
        .fields(
            "$key,owner,owner_type,sub_owner,alarm_type,level,status,alarm_id,resolvable,\
            resolve_text,created,modified,snooze,snoozed_by,alarm_type#name as alarm_type_name,\
            alarm_type#description as alarm_type_description,owner#name as owner_name",
        )
        .set("snooze:time")
        .only("snooze eq 0 or snooze le {$now}")
        .sort("-created")
        .acts(ALARMS),
    Def::new("billing", "billing report", NUMBER)
        .nameless()
        .shown(
            "created from to used_cores total_cores running_machines used_ram total_ram | \
            online_nodes description",
        )
        .fields(
            "$key,created,from,to,sent,description,used_cores,total_cores,online_cores,total_nodes,\
            online_nodes,running_machines,used_ram,total_ram,online_ram,phys_ram_used,\
            phys_vram_used,phys_total_cpu,tier_0_used,tier_0_total,tier_1_used,tier_1_total,\
            tier_2_used,tier_2_total,tier_3_used,tier_3_total,tier_4_used,tier_4_total,tier_5_used,\
            tier_5_total,gpus_total,gpus,gpus_idle,vgpus_total,vgpus,vgpus_idle,workload_datapoints,\
            storage_datapoints",
        )
        .sort("-created")
        .acts(BILLING),
    Def::new("certificates", "certificate", NUMBER)
        .label("domainname")
        .shown("domainname type key_type valid expires | domainlist description autocreated")
        .fields(
            "$key,domain,domainname,domainlist,description,type,acme_server,key_type,rsa_key_size,\
            contact,agree_tos,valid,autocreated,expires,created,modified",
        )
        .set(
            "acme_server agree_tos:bool chain contact:number description domainlist domainname \
            eab_hmac_key eab_kid key_type private public rsa_key_size:number type",
        )
        .acts(CERTIFICATES),
    Def::new("licenses", "license", NUMBER)
        .shown("name added added_by issued valid_from valid_until")
        .fields(
            "$key,name,description,added,added_by,issued,valid_from,valid_until,features,\
            allow_branding,auto_renewal,note",
        )
        .set("license note")
        .acts(LICENSES),
    Def::new("logs", "log entry", NUMBER)
        .noun("log")
        .nameless()
        .shown("timestamp level object_type:TYPE object_name:OBJECT text | user")
        .fields("$key,level,text,timestamp,user,object_type,object_name")
        .sort("-timestamp")
        .limit(100),
    Def::new("root_certificates", "root certificate", NUMBER)
        .label("subject")
        .shown("subject issuer fingerprint startdate enddate modified")
        .fields("$key,subject,issuer,fingerprint,startdate,enddate,modified")
        .set("cert"),
    Def::new("settings", "setting", NUMBER)
        .label("key")
        .shown("key value default_value:DEFAULT modified | description")
        .fields("$key,key,value,default_value,description,modified")
        .set("value")
        .acts(SETTINGS),
    Def::new("system_diagnostics", "system diagnostic", NUMBER)
        .shown("name status status_info file send2support timestamp")
        .fields("$key,name,description,status,status_info,file,send2support,timestamp")
        .set("description name send2support:bool")
        .made(Settle::new("status", "complete", "error"))
        .acts(SYSTEM_DIAGNOSTICS),
    Def::new("update_branches", "update branch", NUMBER)
        .shown("name created")
        .fields("$key,name,description,created")
        .read_only(),
    Def::new("update_dashboard", "update dashboard", SINGLE).nameless().read_only(),
    Def::new("update_logs", "update log", NUMBER)
        .nameless()
        .shown("level text timestamp user object_name")
        .fields("$key,level,text,timestamp,user,object_name")
        .read_only(),
    Def::new("update_packages", "update package", WORD)
        .within("update_branches", "branch", Holder::Key)
        .shown("name version branch branch_display type optional")
        .fields(
            "$key,name,description,version,branch,branch#name as branch_display,type,optional,\
            created,modified",
        )
        .read_only(),
    Def::new("update_settings", "update setting", NUMBER)
        .shown(
            "source_display:SOURCE branch_display:BRANCH auto_refresh auto_update installed \
            reboot_required | update_time applying_updates",
        )
        .fields(
            "$key,name,source,source#name as source_display,branch,branch#name as branch_display,\
            branch#description as branch_description,auto_refresh,auto_update,auto_reboot,\
            update_time,max_vsan_usage,warm_reboot,multi_cluster_update,snapshot_cloud_on_update,\
            snapshot_cloud_expire_seconds,installed,reboot_required,applying_updates,\
            applying_updates_force,release_notes_url,anonymize_statistics",
        )
        .set(
            "anonymize_statistics:bool auto_reboot:bool auto_refresh:bool auto_update:bool \
            branch:update_branches max_vsan_usage:number multi_cluster_update:bool password \
            snapshot_cloud_expire_seconds:number snapshot_cloud_on_update:bool \
            source:update_sources update_time user warm_reboot:bool",
        )
        .acts(UPDATE_SETTINGS),
    Def::new("update_source_packages", "update source package", NUMBER)
        .within("update_sources", "source", Holder::Key)
        .shown("name version branch branch_display source source_display")
        .fields(
            "$key,name,description,version,branch,branch#name as branch_display,source,\
            source#name as source_display,downloaded,optional,require_license_feature,created",
        )
        .read_only(),
    Def::new("update_source_status", "update source status", NUMBER)
        .within("update_sources", "source", Holder::Key)
        .nameless()
        .shown("source source_display status info nodes_updated last_update")
        .fields("$key,source,source#name as source_display,status,info,nodes_updated,last_update")
        .set("source:update_sources"),
    Def::new("update_sources", "update source", NUMBER)
        .shown("name url user last_updated last_refreshed enabled")
        .fields("$key,name,description,url,user,last_updated,last_refreshed,enabled")
        .set("description enabled:bool name password url user")
        .acts(UPDATE_SOURCES),
    Def::new("themes", "theme", HASH)
        .shown("name enabled based_on type system_created created")
        .fields("$key,id,name,description,enabled,based_on,type,system_created,created,modified")
        .set("name description enabled:bool based_on settings:json")
        .acts(SWITCHES),
    Def::new("system", "system", SINGLE)
        .label("cloud_name")
        .shown("cloud_name yb_version:VERSION os_version")
        .fields("$key,yb_version,os_version,cloud_name")
        .read_only(),
    Def::new("alarm_history", "alarm", NUMBER)
        .nameless()
        .shown("level alarm_type status owner alarm_raised alarm_lowered")
        .fields("$key,level,alarm_type,status,owner,alarm_raised,alarm_lowered,archived_by,alarm_id")
        .sort("-alarm_raised")
        .read_only(),
    Def::new("alarm_types", "alarm type", NUMBER).shown("name level").fields("$key,name,description,level").read_only(),
    Def::new("smtp_settings", "smtp setting", NUMBER).nameless().shown("all").fields("all,$key"),
];
