//! NAS services, volumes and shares.

use super::Route::{OfVm, Own, OwnAs, Row};
use super::{Acts, DISABLE, Def, ENABLE, HASH, Holder, NOW, NUMBER, SWITCHES, Settle, acts};
use crate::provider::resources::Weight::{Mild, Moderate, Severe};

const VM_SERVICES: Acts = acts! {
    "start" = "poweron", OfVm, Settle::new("vm#machine#status#status", "running", "error"), "", Mild, "Start it";
    "stop" = "poweroff", OfVm, Settle::new("vm#machine#status#status", "stopped", "error"), "", Mild, "Stop it";
    "kill" = "kill", OfVm, Settle::new("vm#machine#status#status", "stopped", "error"), "", Mild, "Stop it at once";
    "restart" = "reset", OfVm, Settle::again("vm#machine#status#status", "running", "error", "vm#machine#status#started"), "", Mild, "Restart it";
};

const VOLUME_SYNCS: Acts = acts! {
    "start" = "start_sync", OwnAs("volume_sync_actions", "sync"), NOW, "", Mild, "Copy now";
    "stop" = "stop_sync", OwnAs("volume_sync_actions", "sync"), NOW, "", Mild, "Stop copying";
    "enable" = "enable", ENABLE, NOW, "", Mild, "Enable it";
    "disable" = "disable", DISABLE, NOW, "", Mild, "Disable it";
};

const VOLUMES: Acts = acts! {
    "reset" = "reset", Row, NOW, "", Moderate, "Mount it anew";
    "enable" = "enable", ENABLE, NOW, "", Mild, "Enable it";
    "disable" = "disable", DISABLE, NOW, "", Mild, "Disable it";
    "clone" = "clone", Own("volume"), NOW, "*", Mild, "Make a copy of it";
    "restore" = "restore", Own("volume"), NOW, "*", Severe, "Go back to a snapshot";
};

/// The tables.
pub(super) static TABLES: &[Def] = &[
    Def::new("vm_service_antivirus", "vm service antivirus", NUMBER)
        .within("vm_services", "service", Holder::Key)
        .nameless()
        .shown("service service_display enabled max_recursion database_private_mirror database_location")
        .fields(
            "$key,service,service#$display as service_display,enabled,max_recursion,\
            database_private_mirror,database_location,database_updates_enabled",
        )
        .set(
            "database_location database_private_mirror database_updates_enabled:bool enabled:bool \
            max_recursion:number service:vm_services",
        ),
    Def::new("vm_service_users", "NAS user", HASH)
        .within("vm_services", "service", Holder::Key)
        .shown("name enabled displayname home_share home_drive created")
        .fields(
            "$key,name,enabled,displayname,description,home_share,home_drive,created,service,\
            status#status as status_value,status#status_info as status_info,\
            service#name as service_name,service#$display as service_display,\
            display(home_share) as home_share_display,status#user_sid as user_sid,\
            status#group_sid as group_sid,status#user_id as user_id,status#group_id as group_id",
        )
        .set(
            "description displayname enabled:bool home_drive home_share:volume_cifs_shares name \
            password service:vm_services",
        )
        .acts(SWITCHES),
    Def::new("vm_services", "NAS service", NUMBER)
        .noun("nas")
        .shown(
            "name vm_running:RUNNING vm_status:STATUS volume_count:VOLUMES | vm_cores vm_ram \
            max_imports max_syncs",
        )
        .fields(
            "$key,name,vm,vm#name as vm_name,vm#$display as vm_display,\
            vm#description as vm_description,vm#machine#cores as vm_cores,vm#machine#ram as vm_ram,\
            vm#created as created,vm#modified as modified,max_imports,max_syncs,disable_swap,\
            read_ahead_kb_default,cifs,nfs,vm#machine#status#running as vm_running,\
            vm#machine#status#status as vm_status,count(volumes) as volume_count",
        )
        .set("name max_imports:number max_syncs:number disable_swap:bool read_ahead_kb_default:number")
        .severe()
        .acts(VM_SERVICES),
    Def::new("volume_antivirus", "antivirus", NUMBER)
        .within("volumes", "volume", Holder::Key)
        .nameless()
        .shown("volume volume_display volume_name enabled infected_action on_access")
        .fields(
            "$key,volume,volume#$display as volume_display,volume#name as volume_name,enabled,\
            infected_action,on_access,scan,include,exclude,quarantine_location,start_time_profile,\
            start_time_profile#$display as start_time_profile_display,status,stats",
        )
        .set(
            "enabled:bool exclude include infected_action on_access:bool quarantine_location \
            scan:bool start_time_profile:task_schedules volume:volumes",
        ),
    Def::new("volume_antivirus_infections", "antivirus infection", NUMBER)
        .within("volume_antivirus", "volume_antivirus", Holder::Key)
        .nameless()
        .shown("volume_antivirus filename virus action timestamp")
        .fields("$key,volume_antivirus,filename,virus,action,timestamp")
        .read_only(),
    Def::new("volume_antivirus_logs", "antivirus log", NUMBER)
        .within("volume_antivirus", "volume_antivirus", Holder::Key)
        .nameless()
        .shown("volume_antivirus level text user timestamp")
        .fields("$key,volume_antivirus,level,text,user,timestamp")
        .read_only(),
    Def::new("volume_antivirus_stats", "antivirus stat", NUMBER)
        .within("volume_antivirus", "volume_antivirus", Holder::Key)
        .nameless()
        .shown("volume_antivirus infected_files quarantine_count last_scan created")
        .fields("$key,volume_antivirus,infected_files,quarantine_count,last_scan,created")
        .read_only(),
    Def::new("volume_antivirus_status", "antivirus status", NUMBER)
        .within("volume_antivirus", "volume_antivirus", Holder::Key)
        .nameless()
        .shown("volume_antivirus status status_info state last_update")
        .fields("$key,volume_antivirus,status,status_info,state,last_update")
        .read_only(),
    Def::new("volume_browser", "browser", HASH)
        .within("volumes", "volume", Holder::Key)
        .nameless()
        .shown("id query status result")
        .fields("$key,id,query,params,status,result")
        .set("volume:volumes query params:json")
        .read_only()
        .made(Settle::new("status", "complete", "error")),
    Def::new("volume_cifs_shares", "CIFS share", HASH)
        .within("volumes", "volume", Holder::Key)
        .shown("name volume_name:VOLUME enabled status | browseable read_only guest_ok description")
        .fields(
            "$key,id,name,description,enabled,created,modified,share_path,comment,browseable,\
            read_only,guest_ok,guest_only,force_user,force_group,valid_users,valid_groups,\
            admin_users,admin_groups,host_allow,host_deny,vfs_shadow_copy2,volume,\
            status#status as status,status#state as state,volume#name as volume_name,\
            volume#$display as volume_display",
        )
        .set(
            "admin_groups admin_users browseable:bool comment description enabled:bool force_group \
            force_user guest_ok:bool guest_only:bool host_allow host_deny name read_only:bool \
            share_path valid_groups valid_users vfs_shadow_copy2:bool volume:volumes",
        )
        .acts(SWITCHES),
    Def::new("volume_nfs_shares", "NFS share", HASH)
        .within("volumes", "volume", Holder::Key)
        .shown("name volume_name:VOLUME enabled data_access squash | allowed_hosts allow_all description")
        .fields(
            "$key,id,name,description,enabled,created,modified,share_path,allowed_hosts,fsid,anonuid,\
            anongid,no_acl,insecure,async,squash,data_access,allow_all,volume,\
            status#status as status,status#state as state,volume#name as volume_name,\
            volume#$display as volume_display",
        )
        .set(
            "allow_all:bool allowed_hosts anongid:number anonuid:number async:bool data_access \
            description enabled:bool fsid insecure:bool name no_acl:bool share_path squash \
            volume:volumes",
        )
        .acts(SWITCHES),
    Def::new("volume_snapshots", "snapshot", NUMBER)
        .within("volumes", "volume", Holder::Key)
        .shown("name created expires expires_type enabled created_manually")
        .fields(
            "$key,name,description,created,expires,expires_type,enabled,created_manually,quiesce,\
            volume,volume#$display as volume_display,volume#name as volume_name,snap_volume",
        )
        .set(
            "created_manually:bool description expires:time expires_type name quiesce:bool \
            volume:volumes",
        )
        .sort("-created"),
    Def::new("volume_syncs", "NAS sync", HASH)
        .within("vm_services", "service", Holder::Key)
        .shown("name enabled created modified service service_name")
        .fields(
            "$key,id,name,description,enabled,created,modified,service,service#name as service_name,\
            service#vm#$display as service_vm,source_volume,\
            source_volume#name as source_volume_name,source_path,destination_volume,\
            destination_volume#name as destination_volume_name,destination_path,include,exclude,\
            sync_method,destination_delete,workers,preserve_ACLs,preserve_permissions,\
            preserve_owner,preserve_groups,preserve_mod_time,preserve_xattrs,copy_symlinks,fsfreeze,\
            progress#files_transferred as files_transferred,\
            progress#bytes_transferred as bytes_transferred,progress#transfer_rate as transfer_rate,\
            progress#sync_errors as sync_errors,progress#start_time as start_time,\
            progress#stop_time as stop_time,progress#syncing as syncing,progress#status as status",
        )
        .set(
            "copy_symlinks:bool description destination_delete destination_path \
            destination_volume:volumes enabled:bool exclude fsfreeze:bool include name \
            preserve_ACLs:bool preserve_groups:bool preserve_mod_time:bool preserve_owner:bool \
            preserve_permissions:bool preserve_xattrs:bool service:vm_services source_path \
            source_volume:volumes sync_method type workers:number",
        )
        .acts(VOLUME_SYNCS),
    Def::new("volumes", "volume", HASH)
        .within("vm_services", "service", Holder::Key)
        .shown(
            "name service_display:SERVICE enabled maxsize:SIZE mount_status:STATUS | used_bytes \
            fs_type preferred_tier description",
        )
        .fields(
            "$key,id,name,description,enabled,created,modified,maxsize,preferred_tier,fs_type,\
            read_only,discard,owner_user,owner_group,encrypt,automount_snapshots,is_snapshot,note,\
            creator,service,service#$display as service_display,\
            service#vm#$display as nas_vm_display,service#vm#machine#status#status as nas_status,\
            snapshot_profile,snapshot_profile#$display as snapshot_profile_display,drive,\
            drive#media_source#used_bytes as used_bytes,\
            drive#media_source#filesize as allocated_bytes,status#mounted as mounted,\
            status#status as mount_status",
        )
        .set(
            "description discard:bool enabled:bool maxsize:bytes name owner_group owner_user \
            preferred_tier read_only:bool service:vm_services snapshot_profile:snapshot_profiles \
            automount_snapshots:bool",
        )
        .severe()
        .acts(VOLUMES),
    Def::new("vm_service_cifs", "vm service cifs", NUMBER)
        .within("vm_services", "service", Holder::Key)
        .nameless()
        .shown("service workgroup server_type server_min_protocol map_to_guest extended_acl_support")
        .fields(
            "$key,service,workgroup,server_type,server_min_protocol,map_to_guest,\
            extended_acl_support,ad_status",
        )
        .set("workgroup server_min_protocol map_to_guest extended_acl_support:bool service:vm_services"),
    Def::new("vm_service_nfs", "vm service nfs", NUMBER)
        .within("vm_services", "service", Holder::Key)
        .nameless()
        .shown("service enable_nfsv4 allow_all allowed_hosts squash data_access")
        .fields(
            "$key,service,enable_nfsv4,allow_all,allowed_hosts,squash,data_access,anonuid,anongid,\
            no_acl,insecure,async",
        )
        .set(
            "enable_nfsv4:bool allow_all:bool allowed_hosts squash data_access anonuid:number \
            anongid:number no_acl:bool insecure:bool async:bool service:vm_services",
        ),
];
