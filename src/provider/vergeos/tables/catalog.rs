//! Recipes, catalogs and files.

use super::Route::{Deploy, Own, OwnAs, Row};
use super::{Acts, Def, HASH, Holder, NOW, NUMBER, SWITCHES, Settle, acts};
use crate::provider::resources::Weight::Mild;

const FILES: Acts = acts! {
    "make-iso" = "make_iso", Own("file"), NOW, "*", Mild, "Make an ISO image";
    "add-link" = "add_link", Own("file"), NOW, "*", Mild, "Make a public link to it";
    "delete-link" = "delete_link", Own("file"), NOW, "*", Mild, "Remove a public link";
    "delete-reference" = "delete_reference", Own("file"), NOW, "*", Mild, "Remove a reference";
};

const VM_RECIPES: Acts = acts! {
    "download" = "download", Row, NOW, "", Mild, "Fetch it from its catalog";
    "deploy" = "deploy", Deploy("vm_recipe_instances"), NOW, "*", Mild, "Make a machine of it";
};

const TENANT_RECIPES: Acts = acts! {
    "download" = "download", Row, NOW, "", Mild, "Fetch it from its catalog";
    "deploy" = "deploy", Deploy("tenant_recipe_instances"), NOW, "*", Mild, "Make a tenant of it";
};

const CATALOG_REPOSITORIES: Acts = acts! {
    "refresh" = "refresh", OwnAs("catalog_repository_actions", "repository"), NOW, "", Mild, "Read it anew";
};

/// The tables.
pub(super) static TABLES: &[Def] = &[
    Def::new("files", "file", NUMBER)
        .shown(
            "name type filesize:SIZE preferred_tier:TIER modified | description allocated_bytes \
            used_bytes creator",
        )
        .fields(
            "$key,name,type,description,filesize,allocated_bytes,used_bytes,preferred_tier,modified,\
            creator",
        )
        .set("name type description preferred_tier url allocated_bytes:bytes")
        .acts(FILES),
    Def::new("files_public_links", "files public link", NUMBER)
        .within("files", "file", Holder::Key)
        .shown("name file created expires")
        .fields("$key,file,name,created,expires")
        .set("file:files"),
    Def::new("vm_recipes", "recipe", HASH)
        .noun("recipe")
        .within("catalogs", "catalog", Holder::Key)
        .shown("name version downloaded catalog_display:CATALOG instances | description update_available")
        .fields(
            "$key,id,name,description,icon,version,build,catalog,catalog#$display as catalog_display,\
            catalog#repository as catalog_repository,\
            catalog#repository#$display as repository_display,downloaded,update_available,\
            needs_republish,vm,vm#$display as vm_display,vm_snapshot,\
            vm_snapshot#$display as snapshot_display,creator,status#status as status,\
            status#status as rstatus,count(instances) as instances",
        )
        .set("name description icon version notes enabled:bool catalog:catalogs vm:vms")
        .acts(VM_RECIPES),
    Def::new("vm_recipe_instances", "recipe instance", NUMBER)
        .within("vm_recipes", "recipe", Holder::Key)
        .shown("name recipe recipe_display recipe_name vm vm_display")
        .fields(
            "$key,recipe,recipe#$display as recipe_display,recipe#name as recipe_name,vm,\
            vm#$display as vm_display,vm#name as vm_name,name,version,build,auto_update,created,\
            modified",
        )
        .set("answers:json auto_update:bool name recipe:vm_recipes simulate:bool verify:bool"),
    Def::new("vm_recipe_logs", "vm recipe log", NUMBER)
        .within("vm_recipes", "vm_recipe", Holder::Key)
        .nameless()
        .shown("vm_recipe vm_recipe_display level text timestamp user")
        .fields("$key,vm_recipe,vm_recipe#name as vm_recipe_display,level,text,timestamp,user")
        .read_only(),
    Def::new("recipe_questions", "recipe question", NUMBER)
        .within("vm_recipes", "recipe", Holder::Reference("vm_recipes/"))
        .shown("name recipe section section_name display hint")
        .fields(
            "$key,recipe,section,section#name as section_name,name,display,hint,help,note,type,\
            default,required,enabled,readonly,orderid,min,max,regex,list,table,fields,filter,\
            database_context,hide_none,conditions,on_change,postprocess_string,dont_store,system",
        )
        .set(
            "conditions database_context default display dont_store:bool enabled:bool fields filter \
            help hide_none:bool hint list max min name note on_change postprocess_string \
            readonly:bool recipe regex required:bool section:recipe_sections table type \
            orderid:number",
        )
        .sort("+orderid"),
    Def::new("recipe_sections", "recipe section", NUMBER)
        .within("vm_recipes", "recipe", Holder::Reference("vm_recipes/"))
        .shown("name recipe orderid")
        .fields("$key,recipe,name,description,orderid")
        .set("description name recipe orderid:number")
        .sort("+orderid"),
    Def::new("tenant_recipes", "tenant recipe", HASH)
        .within("catalogs", "catalog", Holder::Key)
        .shown("name icon version build catalog catalog_display")
        .fields(
            "$key,id,name,description,icon,version,build,catalog,catalog#$display as catalog_display,\
            catalog#repository as catalog_repository,\
            catalog#repository#$display as repository_display,downloaded,update_available,\
            needs_republish,preserve_certs,tenant,tenant#$display as tenant_display,tenant_snapshot,\
            tenant_snapshot#$display as snapshot_display,creator,status#status as status,\
            status#status as rstatus,count(instances) as instances",
        )
        .set("description icon name preserve_certs:bool version catalog:catalogs")
        .acts(TENANT_RECIPES),
    Def::new("tenant_recipe_instances", "tenant recipe instance", NUMBER)
        .within("tenant_recipes", "recipe", Holder::Key)
        .shown("name recipe recipe_display recipe_name tenant tenant_display")
        .fields(
            "$key,recipe,recipe#$display as recipe_display,recipe#name as recipe_name,tenant,\
            tenant#$display as tenant_display,tenant#name as tenant_name,name,version,build,created,\
            modified",
        )
        .set("answers:json name recipe:tenant_recipes"),
    Def::new("tenant_recipe_logs", "tenant recipe log", NUMBER)
        .within("tenant_recipes", "tenant_recipe", Holder::Key)
        .nameless()
        .shown("tenant_recipe tenant_recipe_display level text timestamp user")
        .fields("$key,tenant_recipe,tenant_recipe#name as tenant_recipe_display,level,text,timestamp,user")
        .read_only(),
    Def::new("catalogs", "catalog", HASH)
        .within("catalog_repositories", "repository", Holder::Key)
        .shown("name repository_display:REPOSITORY publishing_scope enabled | description created")
        .fields(
            "$key,id,repository,repository#name as repository_display,name,description,\
            publishing_scope,enabled,created",
        )
        .set("description enabled:bool name publishing_scope repository:catalog_repositories")
        .acts(SWITCHES),
    Def::new("catalog_logs", "catalog log", NUMBER)
        .within("catalogs", "catalog", Holder::Key)
        .nameless()
        .shown("catalog catalog_display level text timestamp user")
        .fields("$key,catalog,catalog#name as catalog_display,level,text,timestamp,user")
        .read_only(),
    Def::new("catalog_repositories", "catalog repository", NUMBER)
        .shown("name type url user allow_insecure auto_refresh")
        .fields(
            "$key,name,description,type,url,user,allow_insecure,auto_refresh,max_tier,\
            override_default_scope,enabled,last_refreshed,status#status as status_value,\
            status#state as status_state",
        )
        .set(
            "allow_insecure:bool auto_refresh:bool description enabled:bool max_tier name \
            override_default_scope password type url user",
        )
        .acts(CATALOG_REPOSITORIES),
    Def::new("catalog_repository_logs", "catalog repository log", NUMBER)
        .within("catalog_repositories", "catalog_repository", Holder::Key)
        .nameless()
        .shown("catalog_repository repository_display level text timestamp user")
        .fields(
            "$key,catalog_repository,catalog_repository#name as repository_display,level,text,\
            timestamp,user",
        )
        .read_only(),
    Def::new("catalog_repository_status", "catalog repository status", NUMBER)
        .within("catalog_repositories", "repository", Holder::Key)
        .nameless()
        .shown("repository repository_display status state info last_update")
        .fields("$key,repository,repository#name as repository_display,status,state,info,last_update")
        .set("repository:catalog_repositories"),
    Def::new("service_containers", "service container", NUMBER)
        .shown("name enabled service")
        .fields("$key,name,description,enabled,service"),
    Def::new("service_container_queries", "service container query", NUMBER)
        .within("service_containers", "service_container", Holder::Key)
        .nameless()
        .shown("id query status result")
        .fields("$key,id,query,params,status,result,command,created,modified,expires")
        .set("service_container query params:json")
        .made(Settle::new("status", "complete", "error")),
];
