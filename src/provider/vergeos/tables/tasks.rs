//! Automation and tags.

use super::Route::{Row, RowParams, Verb};
use super::{Acts, DISABLE, Def, ENABLE, Holder, NOW, NUMBER, Settle, acts};
use crate::provider::resources::Weight::Mild;

const TASKS: Acts = acts! {
    "run" = "execute", RowParams, Settle::again("status", "idle", "error", "last_run"), "*", Mild, "Run it now";
    "cancel" = "cancel", Row, NOW, "", Mild, "Stop it";
    "enable" = "enable", ENABLE, NOW, "", Mild, "Enable it";
    "disable" = "disable", DISABLE, NOW, "", Mild, "Disable it";
};

const TASK_EVENTS: Acts = acts! {
    "trigger" = "trigger", Row, NOW, "context", Mild, "Act as if it had happened";
};

const TASK_SCHEDULE_TRIGGERS: Acts = acts! {
    "run" = "trigger", Row, NOW, "", Mild, "Act as if it were time";
};

const TASK_SCHEDULES: Acts = acts! {
    "upcoming" = "get_schedule", Row, NOW, "max start_time end_time", Mild, "Show when it will run";
    "enable" = "enable", ENABLE, NOW, "", Mild, "Enable it";
    "disable" = "disable", DISABLE, NOW, "", Mild, "Disable it";
};

const TASK_SCRIPTS: Acts = acts! {
    "run" = "run", Row, NOW, "*", Mild, "Run it now";
};

const WEBHOOK_URLS: Acts = acts! {
    "send" = "send", Verb("send"), NOW, "message", Mild, "Send a message to it";
};

/// The tables.
pub(super) static TABLES: &[Def] = &[
    Def::new("tasks", "task", NUMBER)
        .noun("task")
        .shown(
            "name action_display:ACTION owner_display:OWNER status enabled | last_run triggers_count \
            events_count description",
        )
        .fields(
            "$key,name,description,enabled,status,action,action_display,table,owner,creator,last_run,\
            delete_after_run,system_created,id,owner#$display as owner_display,\
            creator#$display as creator_display,count(triggers) as triggers_count,\
            count(events) as events_count",
        )
        .set("delete_after_run:bool description enabled:bool name owner settings_args:json")
        .acts(TASKS),
    Def::new("task_events", "task event", NUMBER)
        .within("tasks", "task", Holder::Key)
        .label("event_name")
        .shown("event_name owner owner_display table event task")
        .fields(
            "$key,owner,owner#$display as owner_display,table,event,event_name,task,\
            task#name as task_name,table_event_filters,trigger,context,task#$display as task_display",
        )
        .set("context:json event event_name table table_event_filters:json task:tasks")
        .acts(TASK_EVENTS),
    Def::new("task_schedule_triggers", "task schedule trigger", NUMBER)
        .within("tasks", "task", Holder::Key)
        .nameless()
        .shown("task schedule trigger task_display schedule_display")
        .fields(
            "$key,task,schedule,trigger,flatten(schedule[$key as sch_$key,enabled as sch_enabled,\
            start_time_of_day as sch_start_time_of_day,repeat_iteration as sch_repeat_iteration,\
            end_date as sch_end_date,display(day_of_month) as sch_day_of_month,\
            display(repeat_every) as sch_repeat_every]),display(task) as task_display,\
            display(schedule) as schedule_display",
        )
        .set("schedule:task_schedules task:tasks")
        .acts(TASK_SCHEDULE_TRIGGERS),
    Def::new("task_schedules", "task schedule", NUMBER)
        .shown("name repeat_every repeat_iteration enabled | start_date end_date day_of_month description")
        .fields(
            "$key,name,description,enabled,task,task#$display as task_display,repeat_every,\
            repeat_iteration,start_date,start_date_epoch,end_date,start_time_of_day,end_time_of_day,\
            all_day,day_of_month,monday,tuesday,wednesday,thursday,friday,saturday,sunday,\
            system_created,creator,creator#$display as creator_display",
        )
        .set(
            "day_of_month description enabled:bool end_date end_time_of_day:number \
            friday:bool monday:bool name repeat_every repeat_iteration:number saturday:bool \
            start_date start_time_of_day:number sunday:bool task:tasks thursday:bool tuesday:bool \
            wednesday:bool",
        )
        .acts(TASK_SCHEDULES),
    Def::new("task_scripts", "task script", NUMBER)
        .shown("name script task_settings task_count")
        .fields("$key,name,description,script,task_settings,count(tasks) as task_count")
        .set("description name script task_settings:json")
        .acts(TASK_SCRIPTS),
    Def::new("task_logs", "task log", NUMBER)
        .within("tasks", "task", Holder::Key)
        .nameless()
        .shown("task level text user timestamp")
        .fields("$key,task,level,text,user,timestamp")
        .read_only(),
    Def::new("schedule_tasks", "schedule task", NUMBER)
        .shown("name task schedule enabled")
        .fields("$key,name,task,schedule,enabled")
        .read_only(),
    Def::new("tags", "tag", NUMBER)
        .within("tag_categories", "category", Holder::Key)
        .shown("name category_name:CATEGORY | description created")
        .fields("$key,name,description,category,created,modified,category#name as category_name")
        .set("category:tag_categories description name"),
    Def::new("tag_members", "tag member", NUMBER)
        .within("tags", "tag", Holder::Key)
        .nameless()
        .shown("member")
        .fields("$key,tag,member")
        .set("member tag:tags"),
    Def::new("tag_categories", "tag category", NUMBER)
        .shown("name single_tag_selection:SINGLE | description created")
        .fields(
            "$key,name,description,single_tag_selection,taggable_vms,taggable_vnets,taggable_volumes,\
            taggable_vnet_rules,taggable_vmware_containers,taggable_users,taggable_tenant_nodes,\
            taggable_sites,taggable_nodes,taggable_groups,taggable_clusters,taggable_tenants,\
            created,modified",
        )
        .set(
            "description name single_tag_selection:bool taggable_clusters:bool \
            taggable_groups:bool taggable_nodes:bool taggable_sites:bool taggable_tenant_nodes:bool \
            taggable_tenants:bool taggable_users:bool taggable_vms:bool \
            taggable_vmware_containers:bool taggable_vnet_rules:bool taggable_vnets:bool \
            taggable_volumes:bool",
        ),
    Def::new("webhook_urls", "webhook", NUMBER)
        .shown("name url authorization_type:AUTH allow_insecure | timeout retries")
        .fields("$key,name,type,url,headers,authorization_type,allow_insecure,timeout,retries")
        .set(
            "name type url headers authorization_type authorization_value allow_insecure:bool \
            timeout:number retries:number",
        )
        .acts(WEBHOOK_URLS),
    Def::new("webhooks", "webhook message", NUMBER)
        .within("webhook_urls", "webhook_url", Holder::Key)
        .nameless()
        .shown("webhook_url webhook_name message status status_info last_attempt")
        .fields(
            "$key,webhook_url,webhook_url#name as webhook_name,message,status,status_info,\
            last_attempt,created",
        )
        .sort("-created")
        .read_only(),
];
