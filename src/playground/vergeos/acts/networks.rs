//! Networks: routers that run, rules and names that have to be applied, and two that are not for workloads (sections 4.1
//! and 4.2).

use super::{Action, Said, power};
use crate::playground::vergeos::random;
use crate::playground::vergeos::refusal::{Answer, Refusal};
use crate::playground::vergeos::rows::Body;
use crate::playground::vergeos::store::Id;
use crate::playground::vergeos::world::World;
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// What belongs to the platform.
const RESERVED: &[&str] = &["core", "dmz", "physical"];

/// An IPv4 network.
struct Cidr {
    base: u32,
    mask: u32,
}

impl Cidr {
    fn parse(text: &str) -> Option<Self> {
        let (base, bits) = text.split_once('/')?;
        let bits: u32 = bits.parse().ok().filter(|bits| *bits <= 32)?;
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        Some(Self { base: u32::from(base.parse::<Ipv4Addr>().ok()?) & mask, mask })
    }

    fn holds(&self, address: &str) -> bool {
        address.parse::<Ipv4Addr>().is_ok_and(|address| u32::from(address) & self.mask == self.base)
    }
}

/// The value that a network would have after the body.
fn value(world: &World, id: Option<&Id>, body: &Body, name: &str) -> String {
    let given = body.get(name).and_then(Value::as_str).map(str::to_owned);
    given.unwrap_or_else(|| id.map(|id| world.store.text(id, name)).unwrap_or_default())
}

/// Refuses addresses that are not of the network that they are for.
fn check(world: &World, id: Option<&Id>, body: &Body) -> Answer<()> {
    let network = value(world, id, body, "network");
    if network.is_empty() {
        return Ok(());
    }
    let Some(cidr) = Cidr::parse(&network) else { return Err(Refusal::field("network", "fails validation test")) };
    for name in ["ipaddress", "dhcp_start", "dhcp_stop"] {
        let address = value(world, id, body, name);
        if !address.is_empty() && !cidr.holds(&address) {
            return Err(Refusal::field(name, "fails validation test"));
        }
    }
    let gateway = value(world, id, body, "gateway");
    if !gateway.is_empty() && !cidr.holds(&gateway) {
        return Err(Refusal::new(422, "Validation error: Gateway is outside of network"));
    }
    Ok(())
}

pub(super) fn before_create(world: &World, table: &str, body: &mut Body) -> Answer<()> {
    if table == "vnets" {
        return check(world, None, body);
    }
    let vnet = body.get("vnet").cloned().unwrap_or_default();
    let rules = world.store.with("vnet_rules", "vnet", &vnet);
    let last = rules.iter().map(|rule| world.store.number(rule, "orderid")).max().unwrap_or(0);
    body.entry("orderid").or_insert((last + 1).into());
    Ok(())
}

pub(super) fn created(world: &mut World, vnet: &Id) -> Option<Value> {
    let store = &mut world.store;
    let name = store.text(vnet, "name");
    let machine = store.add("machines", [("name", name.clone().into()), ("type", json!("vnet"))]);
    if store.cell(vnet, "cluster").is_null() {
        let cluster = store.find("clusters", 1).map_or(Value::Null, |id| id.key.to_value());
        store.set(vnet, "cluster", cluster);
    }
    let cluster = store.cell(vnet, "cluster");
    store.set_all(&machine, [("cluster", cluster), ("cores", json!(1)), ("ram", json!(512))]);
    let nic = |store: &mut crate::playground::vergeos::store::Store, name: &str| {
        let cells = [
            ("machine", machine.key.to_value()),
            ("name", json!(name)),
            ("macaddress", random::mac().into()),
            ("vnet", vnet.key.to_value()),
        ];
        store.add("machine_nics", cells).key.to_value()
    };
    let (router, dmz) = (nic(store, "router"), nic(store, "dmz"));
    let cidr = store.cell(vnet, "network");
    store.set_all(
        vnet,
        [
            ("machine", machine.key.to_value()),
            ("nic", router),
            ("nic_dmz", dmz),
            ("cidr", cidr),
            ("macaddress", random::mac().into()),
        ],
    );
    Some(json!({ "machine": machine.key.to_string() }))
}

pub(super) fn before_update(world: &World, table: &str, id: &Id, body: &mut Body) -> Answer<()> {
    if table == "vnets" {
        body.remove("machine");
        return check(world, Some(id), body);
    }
    if world.store.flag(id, "system_rule") { Err(Refusal::not_permitted()) } else { Ok(()) }
}

pub(super) fn updated(world: &mut World, vnet: &Id, body: &Body) {
    let cidr = world.store.cell(vnet, "network");
    world.store.set(vnet, "cidr", cidr);
    let Some(machine) = world.store.follow(vnet, "machine") else { return };
    let name = world.store.cell(vnet, "name");
    world.store.set(&machine, "name", name);
    let restarts =
        ["network", "ipaddress", "gateway", "mtu", "dhcp_enabled", "dhcp_start", "dhcp_stop", "layer2_id", "dns"];
    if power::is_running(world, &machine) && restarts.iter().any(|name| body.contains_key(*name)) {
        world.store.set(vnet, "need_restart", true);
    }
}

pub(super) fn before_delete(world: &mut World, table: &str, id: &Id) -> Answer<()> {
    if table == "vnet_rules" {
        return if world.store.flag(id, "system_rule") { Err(Refusal::not_permitted()) } else { Ok(()) };
    }
    if RESERVED.contains(&world.store.text(id, "type").as_str()) {
        return Err(Refusal::not_permitted());
    }
    let Some(machine) = world.store.follow(id, "machine") else { return Ok(()) };
    if power::is_running(world, &machine) {
        return Err(Refusal::state("Network must be powered off to delete"));
    }
    world.store.remove(&machine);
    Ok(())
}

/// A tunnel has keys that it made itself, and a peer what it has to be set up with.
pub(super) fn tunnel_created(world: &mut World, table: &str, id: &Id) {
    if table == "vnet_wireguards" {
        let (private, public) = (random::key(), random::key());
        world.store.set_all(id, [("private_key", private.into()), ("public_key", public.into())]);
        return;
    }
    let tunnel = world.store.follow(id, "wireguard");
    let public = tunnel.map(|tunnel| world.store.text(&tunnel, "public_key")).unwrap_or_default();
    let address = world.store.text(id, "peer_ip");
    let config = format!("[Interface]\nAddress = {address}\n\n[Peer]\nPublicKey = {public}\n");
    world.store.set(id, "wg_config", config);
    world.store.add("vnet_wireguard_peer_status", [("peer", id.key.to_value())]);
}

/// Something of a network changed that its router does not know yet.
pub(super) fn touched(world: &mut World, table: &str, id: &Id) {
    let (owner, flag) = match table {
        "vnet_rules" => (world.store.follow(id, "vnet"), "need_fw_apply"),
        "vnet_hosts" | "vnet_dns_views" => (world.store.follow(id, "vnet"), "need_dns_apply"),
        "vnet_dns_zones" => (view_vnet(world, Some(id.clone())), "need_dns_apply"),
        "vnet_dns_zone_records" => (view_vnet(world, world.store.follow(id, "zone")), "need_dns_apply"),
        "vnet_proxy" => (world.store.follow(id, "vnet"), "need_proxy_apply"),
        "vnet_proxy_tenants" => {
            let proxy = world.store.follow(id, "proxy");
            (proxy.and_then(|proxy| world.store.follow(&proxy, "vnet")), "need_proxy_apply")
        }
        _ => return,
    };
    if let Some(vnet) = owner {
        world.store.set(&vnet, flag, true);
    }
}

fn view_vnet(world: &World, zone: Option<Id>) -> Option<Id> {
    let view = world.store.follow(&zone?, "view")?;
    world.store.follow(&view, "vnet")
}

pub(super) fn act(world: &mut World, vnet: &Id, action: &Action<'_>) -> Said {
    let machine = world.store.follow(vnet, "machine").ok_or_else(|| Refusal::missing(format!("vnets/{}", vnet.key)))?;
    match action.name {
        "poweron" => power::on(world, &machine, "network", &Value::Null)?,
        "poweroff" => power::off(world, &machine, "network")?,
        "kill" | "killpower" => power::kill(world, &machine, "network")?,
        "reset" => {
            power::reset(world, &machine, "network")?;
            restart(world, vnet, &machine);
        }
        "refresh" | "apply" => world.store.set(vnet, "need_fw_apply", false),
        "applydns" | "apply_dns" => world.store.set(vnet, "need_dns_apply", false),
        "apply_proxy" => world.store.set(vnet, "need_proxy_apply", false),
        "migrate" => power::migrate(world, &machine, "network", &action.param("preferred_node"))?,
        "execute" | "clear_statistics" => {}
        name => return Err(Refusal::action(name)),
    }
    if action.flag("apply") {
        world.store.set(vnet, "need_fw_apply", false);
    }
    Ok(None)
}

/// What needed a restart is forgotten as soon as that is accepted, and only then does the router go down and up.
fn restart(world: &mut World, vnet: &Id, machine: &Id) {
    world.store.set(vnet, "need_restart", false);
    let machine = machine.clone();
    world.later(move |world| {
        if !power::is_running(world, &machine) {
            return;
        }
        let Ok(status) = power::status(world, &machine) else { return };
        world.store.set_all(&status, [("status", json!("starting")), ("running", json!(false))]);
        world.later(move |world| {
            if power::state(world, &machine) == "starting" {
                power::run(world, &machine);
            }
        });
    });
}
