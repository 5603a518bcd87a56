//! Tenants.

use super::Route::{Own, TenantSnapshot};
use super::{Acts, DISABLE, Def, ENABLE, Holder, NOW, NUMBER, SINGLE, Settle, acts};
use crate::provider::resources::Weight::{Mild, Moderate, Severe};

const SHARED_OBJECTS: Acts = acts! {
    "import" = "import", Own("shared_object"), NOW, "", Mild, "Import it";
    "refresh" = "refresh", Own("shared_object"), NOW, "", Mild, "Read it anew";
};

const TENANT_NODES: Acts = acts! {
    "enable" = "enable", ENABLE, NOW, "", Mild, "Enable it";
    "disable" = "disable", DISABLE, NOW, "", Mild, "Disable it";
    "poweron-migrate" = "poweronmigrate", Own("tenant_node"), NOW, "", Mild, "Start it on another node";
    "maintenance" = "poweroffmaintenance", Own("tenant_node"), NOW, "", Mild, "Stop it for maintenance";
};

const TENANT_SNAPSHOTS: Acts = acts! {
    "restore" = "restore", TenantSnapshot, NOW, "", Severe, "Put the tenant back to it";
};

const TENANTS: Acts = acts! {
    "start" = "poweron", Own("tenant"), Settle::new("status#status", "online running", "error"), "preferred_node", Mild, "Start it";
    "stop" = "poweroff", Own("tenant"), Settle::new("status#status", "offline stopped", "error"), "", Mild, "Stop it";
    "reset" = "reset", Own("tenant"), NOW, "", Moderate, "Restart it at once";
    "clone" = "clone", Own("tenant"), NOW, "name no_vnet no_storage no_nodes", Mild, "Make a copy of it";
    "isolate" = "isolateon", Own("tenant"), NOW, "", Moderate, "Cut it off from the network";
    "unisolate" = "isolateoff", Own("tenant"), NOW, "", Mild, "Connect it to the network again";
    "send-file" = "give_file", Own("tenant"), NOW, "file", Mild, "Give it a file of the catalog";
    "restore" = "restore", Own("tenant"), NOW, "snapshot", Severe, "Go back to a snapshot";
    "refresh" = "refresh_status", Own("tenant"), NOW, "", Mild, "Read its state anew";
};

/// The tables.
pub(super) static TABLES: &[Def] = &[
    Def::new("shared_objects", "shared object", NUMBER)
        .within("tenants", "recipient", Holder::Key)
        .shown("name recipient recipient_name type created inbox")
        .fields(
            "$key,recipient,recipient#name as recipient_name,type,name,description,created,inbox,\
            snapshot,id",
        )
        .set("recipient:tenants type name description snapshot")
        .acts(SHARED_OBJECTS),
    Def::new("tenant_dashboard", "tenant dashboard", SINGLE).nameless().read_only(),
    Def::new("tenant_layer2_vnets", "layer 2 network", NUMBER)
        .within("tenants", "tenant", Holder::Key)
        .nameless()
        .shown("network_name:NETWORK network_type:TYPE enabled")
        .fields(
            "$key,tenant,vnet,enabled,tenant#name as tenant_name,vnet#name as network_name,\
            vnet#type as network_type",
        )
        .set("enabled:bool tenant:tenants vnet:vnets"),
    Def::new("tenant_logs", "tenant log", NUMBER)
        .within("tenants", "tenant", Holder::Key)
        .nameless()
        .shown("tenant level text user timestamp tenant_name")
        .fields("$key,tenant,level,text,user,timestamp,tenant#name as tenant_name")
        .read_only(),
    Def::new("tenant_node_queries", "tenant node query", NUMBER)
        .within("tenant_nodes", "tenant_node", Holder::Key)
        .nameless()
        .shown("id query status result")
        .fields("$key,id,query,params,status,result,command,created,modified,expires")
        .set("tenant_node query params:json")
        .made(Settle::new("status", "complete", "error")),
    Def::new("tenant_nodes", "tenant node", NUMBER)
        .within("tenants", "tenant", Holder::Key)
        .shown("name cpu_cores:CPU ram status enabled | cluster_name host_node")
        .fields(
            "$key,tenant,name,nodeid,cpu_cores,ram,enabled,description,machine,\
            machine#status#running as running,machine#status#status as status,\
            machine#status#node#$display as host_node,machine#cluster as cluster,\
            machine#cluster#$display as cluster_name,machine#preferred_node as preferred_node,\
            machine#preferred_node#$display as preferred_node_name,\
            machine#on_power_loss as on_power_loss",
        )
        .set(
            "tenant:tenants name description enabled:bool cpu_cores:number ram:mb cluster:clusters \
            preferred_node:nodes on_power_loss",
        )
        .acts(TENANT_NODES),
    Def::new("tenant_snapshots", "tenant snapshot", NUMBER)
        .within("tenants", "tenant", Holder::Key)
        .shown("name tenant profile period min_snapshots created")
        .fields("$key,tenant,name,description,profile,period,min_snapshots,created,expires")
        .set("description expires:time name tenant:tenants")
        .sort("-created")
        .acts(TENANT_SNAPSHOTS),
    Def::new("tenant_stats", "tenant stat", NUMBER)
        .within("tenants", "tenant", Holder::Key)
        .nameless()
        .shown("tenant ram_used last_update")
        .fields("$key,tenant,ram_used,last_update")
        .set("tenant:tenants"),
    Def::new("tenant_storage", "storage", NUMBER)
        .within("tenants", "tenant", Holder::Key)
        .nameless()
        .shown("tier_number:TIER provisioned used used_pct")
        .fields(
            "$key,tenant,tier,provisioned,used,allocated,used_pct,last_update,\
            tier#tier as tier_number,tier#description as tier_description",
        )
        .set("provisioned:bytes tenant:tenants tier:storage_tiers"),
    Def::new("tenants", "tenant", NUMBER)
        .noun("tenant")
        .shown("name status state isolate:ISOLATED | description network_name ui_address_ip uuid")
        .fields(
            "$key,name,description,url,uuid,created,creator,is_snapshot,isolate,note,\
            expose_cloud_snapshots,allow_branding,status#started as started_ts,\
            status#stopped as stopped_ts,vnet,ui_address,status#running as running,\
            status#starting as starting,status#stopping as stopping,status#migrating as migrating,\
            status#status as status,status#state as state,vnet#name as network_name,\
            ui_address#ip as ui_address_ip",
        )
        .set(
            "name description password url note expose_cloud_snapshots:bool allow_branding:bool \
            change_password:bool help_url theme_access oidc_application:oidc_applications \
            ui_address ui_fqdn",
        )
        .only("is_snapshot eq false")
        .severe()
        .acts(TENANTS),
    Def::new("tenant_stats_history_short", "tenant stats history short", NUMBER)
        .within("tenants", "tenant", Holder::Key)
        .nameless()
        .shown("tenant timestamp total_cpu ram_used core_count ram_allocated")
        .fields("$key,tenant,timestamp,total_cpu,ram_used,core_count,ram_allocated,ip_count")
        .read_only(),
];
