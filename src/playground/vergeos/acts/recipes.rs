//! Recipes: machines and tenants that are made from answers, and what is only tried (section 3.10).

use super::{Action, Said, vms};
use crate::playground::vergeos::refusal::{Answer, Refusal};
use crate::playground::vergeos::rows::Body;
use crate::playground::vergeos::store::Id;
use crate::playground::vergeos::world::World;
use serde_json::{Value, json};

/// The recipe that NAS services are made from.
const SERVICES: &str = "Services";

/// Refuses what is only to be tried: that it would have worked is an error too.
pub(super) fn before_create(world: &World, body: &Body) -> Answer<()> {
    let recipe = body.get("recipe").cloned().unwrap_or_default();
    let Some(recipe) = world.store.find_cell("vm_recipes", &recipe) else { return Err(Refusal::dangling("recipe")) };
    let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
    if world.store.first("vms", "name", &name.into()).is_some_and(|vm| !world.store.flag(&vm, "is_snapshot")) {
        return Err(Refusal::new(409, "This name is already in use"));
    }
    let answers = body.get("answers").cloned().unwrap_or_else(|| json!({}));
    let owner = format!("vm_recipes/{}", recipe.key).into();
    for question in world.store.with("recipe_questions", "recipe", &owner) {
        let name = world.store.text(&question, "name");
        let is_open = world.store.flag(&question, "required") && world.store.text(&question, "default").is_empty();
        if is_open && answers.get(&name).is_none() && world.store.text(&recipe, "name") == "Debian 13" {
            return Err(Refusal::new(422, format!("Validation error on field: '{name}' - 'is required'")));
        }
    }
    if body.get("simulate").is_some_and(|simulate| *simulate == true) {
        let response = json!({ "cloudinit_files": [], "logs": [], "answers": answers });
        return Err(Refusal::with(405, "Simulation complete", response));
    }
    Ok(())
}

/// A VM of a recipe, which is there before its drives are.
pub(super) fn created(world: &mut World, instance: &Id, user: &str) -> Said {
    let recipe = world.store.follow(instance, "recipe").ok_or_else(|| Refusal::dangling("recipe"))?;
    let answers = world.store.cell(instance, "answers");
    let number = |name: &str, default: i64| {
        let answer = &answers[name];
        answer.as_i64().or_else(|| answer.as_str()?.parse().ok()).unwrap_or(default)
    };
    let name = world.store.cell(instance, "name");
    let vm = world.store.add(
        "vms",
        [
            ("name", name.clone()),
            ("created_from", json!("recipe")),
            ("cpu_cores", number("YB_CPU_CORES", 2).into()),
            ("ram", number("YB_RAM", 2048).into()),
            ("recipe_instance", instance.key.to_string().into()),
        ],
    );
    let machine = super::adopt_vm(world, &vm);
    let drive = [("machine", machine.key.to_value()), ("name", json!("system")), ("disksize", json!(10_u64 << 30))];
    world.store.add("machine_drives", drive);
    let network = number("YB_NIC_1", 0);
    if let Some(vnet) = world.store.find("vnets", network) {
        let cells = [("machine", machine.key.to_value()), ("vnet", vnet.key.to_value()), ("name", json!("nic_0"))];
        world.store.add("machine_nics", cells);
    }
    let version = world.store.cell(&recipe, "version");
    world.store.set_all(instance, [("vm", vm.key.to_value()), ("version", version)]);
    if world.store.text(&recipe, "name") == SERVICES {
        let service = world.store.add("vm_services", [("name", name), ("vm", vm.key.to_value())]);
        super::nas::service_created(world, &service);
        super::run(world, &machine);
    }
    world.log(user, &vm, "The recipe was deployed");
    world.log_in("vm_recipe_logs", "vm_recipe", &recipe, "Recipe deployed");
    vms::machine(world, &vm)?;
    Ok(Some(json!({ "vm": vm.key.to_string() })))
}

pub(super) fn tenant_created(world: &mut World, instance: &Id) -> Said {
    let name = world.store.cell(instance, "name");
    let tenant = world.store.add("tenants", [("name", name)]);
    super::tenants::created(world, &tenant)?;
    world.store.set(instance, "tenant", tenant.key.to_value());
    if let Some(recipe) = world.store.follow(instance, "recipe") {
        world.log_in("tenant_recipe_logs", "tenant_recipe", &recipe, "Recipe deployed");
    }
    Ok(Some(json!({ "tenant": tenant.key.to_string() })))
}

/// `PUT /vm_recipes/…?action=download`.
pub(super) fn act(world: &mut World, recipe: &Id, action: &Action<'_>) -> Said {
    match action.name {
        "download" => world.store.set_all(recipe, [("downloaded", json!(true)), ("update_available", json!(false))]),
        "republish" => world.store.set(recipe, "needs_republish", false),
        name => return Err(Refusal::action(name)),
    }
    Ok(None)
}
