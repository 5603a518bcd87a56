//! esker: one command for services, sandboxes, containers, virtual machines and coding agents.

fn main() {}
