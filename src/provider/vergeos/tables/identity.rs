//! Users, groups, permissions and where they sign in.

use super::Route::Set;
use super::{Acts, DISABLE, Def, ENABLE, HASH, Holder, NOW, NUMBER, SWITCHES, acts};
use crate::provider::resources::Weight::Mild;

const USERS: Acts = acts! {
    "enable" = "enable", ENABLE, NOW, "", Mild, "Let it sign in";
    "disable" = "disable", DISABLE, NOW, "", Mild, "Keep it from signing in";
    "unlock" = "unlock", Set("account_locked", "0"), NOW, "", Mild, "Lift the lock after failed logins";
};

const AUTH_SOURCES: Acts = acts! {
    "debug-on" = "debug-on", Set("debug", "true"), NOW, "", Mild, "Log what it does";
    "debug-off" = "debug-off", Set("debug", "false"), NOW, "", Mild, "Log no more than usual";
};

/// The tables.
pub(super) static TABLES: &[Def] = &[
    Def::new("users", "user", NUMBER)
        .noun("user")
        .shown(
            "name displayname email type enabled | last_login two_factor_authentication \
            account_locked auth_source_name",
        )
        .fields(
            "$key,name,displayname,email,type,enabled,created,last_login,change_password,\
            physical_access,two_factor_authentication,two_factor_type,account_locked,\
            failed_attempts,auth_source,auth_source#name as auth_source_name,remote_name,identity,\
            creator",
        )
        .set(
            "name displayname email password type enabled:bool change_password:bool \
            physical_access:bool two_factor_authentication:bool two_factor_type \
            two_factor_setup_next_login:bool ssh_keys auth_source:auth_sources account_locked \
            failed_attempts:number",
        )
        .only("type ne 'site_sync' and type ne 'site_user'")
        .acts(USERS),
    Def::new("groups", "group", NUMBER)
        .noun("group")
        .shown("name description email enabled member_count:MEMBERS | created")
        .fields(
            "$key,name,description,enabled,created,email,id,identity,system_group,creator,\
            count(members) as member_count",
        )
        .set("description email enabled:bool id name")
        .acts(SWITCHES),
    Def::new("members", "member", NUMBER)
        .within("groups", "parent_group", Holder::Key)
        .nameless()
        .shown("member_display:MEMBER member")
        .fields("$key,parent_group,member,member#$display as member_display,creator")
        .set("parent_group:groups member"),
    Def::new("permissions", "permission", NUMBER)
        .nameless()
        .shown("identity_display:IDENTITY table rowdisplay:ROW list read create modify delete")
        .fields(
            "$key,identity,table,rowdisplay,row,list,read,create,modify,delete,\
            identity#owner#$display as identity_display",
        )
        .set("create:bool delete:bool identity list:bool modify:bool read:bool row:number table"),
    Def::new("user_api_keys", "API key", NUMBER)
        .within("users", "user", Holder::Key)
        .shown("name user_name:USER created expires | lastlogin_stamp lastlogin_ip description")
        .fields(
            "$key,user,name,description,created,expires,lastlogin_stamp,lastlogin_ip,ip_allow_list,\
            ip_deny_list,user#name as user_name",
        )
        .set("description expires:time expires_type ip_allow_list ip_deny_list name user:users"),
    Def::new("auth_sources", "authentication source", NUMBER)
        .shown("name driver menu debug")
        .fields(
            "$key,name,driver,menu,debug,debug_ts,button_background_color,button_color,\
            button_fa_icon,icon_color",
        )
        .set(
            "button_background_color button_color button_fa_icon driver icon_color menu:bool name \
            settings:json debug:bool",
        )
        .acts(AUTH_SOURCES),
    Def::new("auth_source_states", "auth source state", HASH)
        .within("auth_sources", "auth_source", Holder::Key)
        .nameless()
        .shown("state auth_source meta timestamp")
        .fields("$key,state,auth_source,meta,timestamp")
        .read_only(),
    Def::new("oidc_applications", "OIDC application", NUMBER)
        .shown("name client_id enabled restrict_access | redirect_uri description")
        .fields(
            "$key,name,enabled,created,description,redirect_uri,client_id,force_auth_source,\
            restrict_access,map_user,scope_profile,scope_email,scope_groups",
        )
        .set(
            "description enabled:bool force_auth_source:auth_sources map_user:users name \
            redirect_uri restrict_access:bool scope_email:bool scope_groups:bool scope_profile:bool",
        )
        .acts(SWITCHES),
    Def::new("oidc_application_users", "oidc application user", NUMBER)
        .within("oidc_applications", "oidc_application", Holder::Key)
        .nameless()
        .shown("oidc_application oidc_application_display user user_display")
        .fields(
            "$key,oidc_application,display(oidc_application) as oidc_application_display,user,\
            display(user) as user_display",
        )
        .set("oidc_application:oidc_applications user:users"),
    Def::new("oidc_application_groups", "oidc application group", NUMBER)
        .within("oidc_applications", "oidc_application", Holder::Key)
        .nameless()
        .shown("oidc_application oidc_application_display group group_display")
        .fields(
            "$key,oidc_application,display(oidc_application) as oidc_application_display,group,\
            display(group) as group_display",
        )
        .set("group:groups oidc_application:oidc_applications"),
    Def::new("oidc_application_logs", "oidc application log", NUMBER)
        .within("oidc_applications", "oidc_application", Holder::Key)
        .nameless()
        .shown("oidc_application oidc_application_display level text timestamp user")
        .fields(
            "$key,oidc_application,oidc_application#name as oidc_application_display,level,text,\
            timestamp,user",
        )
        .read_only(),
    Def::new("user_logs", "user log", NUMBER)
        .nameless()
        .shown("level text user timestamp")
        .fields("$key,level,text,user,timestamp")
        .read_only(),
];
