//! `vm`: sandboxes, containers and virtual machines.

pub mod policy;
pub mod ports;
pub mod proxy;

use super::tree::{Node, group, talk};

/// The commands.
pub(super) static TREE: &[Node] = &[
    talk!("proxy", proxy::ProxyArgs, proxy::run, "Reach ports in a machine by ports of this one"),
    talk!("ports", ports::PortsArgs, ports::run, "List ports that are open in a machine"),
    group!("policy", "What a machine's programs may reach and use", policy::TREE),
];
