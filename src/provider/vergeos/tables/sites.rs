//! Other sites and what is exchanged with them.

use super::Route::{Own, OwnAs};
use super::{Acts, DISABLE, Def, ENABLE, Holder, NOW, NUMBER, acts};
use crate::provider::resources::Weight::Mild;

const SITE_SYNCS_INCOMING: Acts = acts! {
    "enable" = "enable", Own("site_syncs_incoming"), NOW, "", Mild, "Let it receive";
    "disable" = "disable", Own("site_syncs_incoming"), NOW, "", Mild, "Stop it";
};

const SITE_SYNCS_INCOMING_VERIFIED: Acts = acts! {
    "list-snapshots" = "list_snaps", OwnAs("site_syncs_incoming_verified_actions", "site_syncs_incoming_verified"), NOW, "*", Mild, "List what can be had";
    "request" = "request", OwnAs("site_syncs_incoming_verified_actions", "site_syncs_incoming_verified"), NOW, "*", Mild, "Have a snapshot sent";
    "set-retention" = "set_retention", OwnAs("site_syncs_incoming_verified_actions", "site_syncs_incoming_verified"), NOW, "*", Mild, "Change how long one is kept";
};

const SITE_SYNCS_OUTGOING: Acts = acts! {
    "enable" = "enable", Own("site_syncs_outgoing"), NOW, "", Mild, "Let it send";
    "disable" = "disable", Own("site_syncs_outgoing"), NOW, "", Mild, "Stop it";
    "add-to-queue" = "add_to_queue", Own("site_syncs_outgoing"), NOW, "*", Mild, "Send a snapshot";
    "set-throttle" = "throttle_sync", Own("site_syncs_outgoing"), NOW, "*", Mild, "Bound its rate";
    "disable-throttle" = "throttle_disable", Own("site_syncs_outgoing"), NOW, "", Mild, "Lift the bound of its rate";
    "refresh-remote" = "refresh", Own("site_syncs_outgoing"), NOW, "", Mild, "Read what is there anew";
};

const SITE_SYNCS_OUTGOING_REMOTE_SNAPS: Acts = acts! {
    "request" = "request", Own("site_syncs_outgoing_remote_snap"), NOW, "*", Mild, "Have it sent back";
    "set-retention" = "set_retention", Own("site_syncs_outgoing_remote_snap"), NOW, "*", Mild, "Change how long it is kept there";
};

const SITES: Acts = acts! {
    "reauthenticate" = "reauthenticate", Own("site"), NOW, "auth_user auth_password", Mild, "Sign in there anew";
    "refresh" = "refresh", Own("site"), NOW, "", Mild, "Read its state anew";
    "refresh-settings" = "refresh_settings", Own("site"), NOW, "", Mild, "Read its settings anew";
    "enable" = "enable", ENABLE, NOW, "", Mild, "Enable it";
    "disable" = "disable", DISABLE, NOW, "", Mild, "Disable it";
};

/// The tables.
pub(super) static TABLES: &[Def] = &[
    Def::new("site_sync_stats", "site sync stat", NUMBER)
        .within("site_syncs_outgoing", "parent", Holder::Key)
        .nameless()
        .shown("parent checked_bytes scanned_bytes sent_bytes sent_net_bytes checked")
        .fields(
            "$key,parent,checked_bytes,scanned_bytes,sent_bytes,sent_net_bytes,checked,scanned,sent,\
            sent_net,dirs_checked,files_checked,files_updated,last_run_time,start_time,stop_time,\
            error_time,last_error,sendthrottle,retry_count,snapshot_name,last_retry_attempt,\
            timestamp",
        )
        .set("parent"),
    Def::new("site_syncs_incoming", "site syncs incoming", NUMBER)
        .within("sites", "site", Holder::Key)
        .shown("name site enabled status status_info state")
        .fields(
            "$key,site,name,description,enabled,status,status_info,state,sync_id,registration_code,\
            public_ip,force_tier,min_snapshots,last_sync,vsan_host,vsan_port,request_url,\
            system_created",
        )
        .set(
            "description enabled:bool force_tier min_snapshots:number name public_ip request_url \
            site:sites vsan_host vsan_port:number",
        )
        .acts(SITE_SYNCS_INCOMING),
    Def::new("site_syncs_incoming_logs", "site syncs incoming log", NUMBER)
        .within("site_syncs_incoming", "site_syncs_incoming", Holder::Key)
        .nameless()
        .shown("level text timestamp user")
        .fields("$key,level,text,timestamp,user")
        .read_only(),
    Def::new("site_syncs_incoming_verified", "site syncs incoming verified", NUMBER)
        .within("site_syncs_incoming", "site_syncs_incoming", Holder::Key)
        .shown("name site_syncs_incoming registered registered_on")
        .fields("$key,site_syncs_incoming,name,registered,registered_on")
        .set("site_syncs_incoming")
        .acts(SITE_SYNCS_INCOMING_VERIFIED),
    Def::new("site_syncs_outgoing", "site syncs outgoing", NUMBER)
        .within("sites", "site", Holder::Key)
        .shown("name site enabled status status_info state")
        .fields(
            "$key,site,name,description,enabled,status,status_info,state,url,encryption,compression,\
            netinteg,threads,file_threads,sendthrottle,destination_tier,queue_retry_count,\
            queue_retry_interval_seconds,queue_retry_interval_multiplier,last_run,\
            remote_min_snapshots,note",
        )
        .set(
            "compression:bool description destination_tier enabled:bool encryption:bool \
            file_threads:number name netinteg:bool note queue_retry_count:number \
            queue_retry_interval_multiplier:number queue_retry_interval_seconds:number \
            registration_code site:sites threads:number url params:json",
        )
        .acts(SITE_SYNCS_OUTGOING),
    Def::new("site_syncs_outgoing_logs", "site syncs outgoing log", NUMBER)
        .within("site_syncs_outgoing", "site_syncs_outgoing", Holder::Key)
        .nameless()
        .shown("level text timestamp user")
        .fields("$key,level,text,timestamp,user")
        .read_only(),
    Def::new("site_syncs_outgoing_profile_periods", "site syncs outgoing profile period", NUMBER)
        .within("site_syncs_outgoing", "site_syncs_outgoing", Holder::Key)
        .nameless()
        .shown("site_syncs_outgoing profile_period retention priority do_not_expire destination_prefix")
        .fields(
            "$key,site_syncs_outgoing,profile_period,retention,priority,do_not_expire,\
            destination_prefix",
        )
        .set(
            "site_syncs_outgoing destination_prefix do_not_expire:bool priority:number \
            profile_period retention:number",
        ),
    Def::new("site_syncs_outgoing_queue", "site syncs outgoing queue", NUMBER)
        .within("site_syncs_outgoing", "site_syncs_outgoing", Holder::Key)
        .nameless()
        .shown("site_syncs_outgoing cloud_snapshot priority status retention remote_expiration")
        .fields(
            "$key,site_syncs_outgoing,id,cloud_snapshot,priority,status,retention,remote_expiration,\
            stats,destination_prefix,timestamp,do_not_expire",
        )
        .set("site_syncs_outgoing"),
    Def::new("site_syncs_outgoing_remote_snaps", "site syncs outgoing remote snap", NUMBER)
        .within("site_syncs_outgoing", "site_syncs_outgoing", Holder::Key)
        .shown("name site_syncs_outgoing status status_info remote_key created")
        .fields("$key,site_syncs_outgoing,name,status,status_info,remote_key,created,description,expires")
        .set("site_syncs_outgoing")
        .acts(SITE_SYNCS_OUTGOING_REMOTE_SNAPS),
    Def::new("sites", "site", NUMBER)
        .shown(
            "name url status enabled authentication_status:AUTH | config_cloud_snapshots description \
            city country",
        )
        .fields(
            "$key,name,description,enabled,url,domain,city,country,timezone,latitude,longitude,\
            status,status_info,authentication_status,config_cloud_snapshots,config_statistics,\
            config_management,config_repair_server,vsan_host,vsan_port,is_tenant,\
            incoming_syncs_enabled,outgoing_syncs_enabled,statistics_interval,statistics_retention,\
            created,modified,creator",
        )
        .set(
            "allow_insecure:bool auth_password auth_user automatically_create_syncs:bool city \
            config_cloud_snapshots config_management config_repair_server config_statistics country \
            description domain enabled:bool name request_url timezone url \
            statistics_interval:number statistics_retention:number",
        )
        .sort("+name")
        .severe()
        .acts(SITES),
    Def::new("site_logs", "site log", NUMBER)
        .within("sites", "site", Holder::Key)
        .nameless()
        .shown("site level text user timestamp")
        .fields("$key,site,level,text,user,timestamp")
        .read_only(),
];
