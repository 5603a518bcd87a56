//! What is known of the machines of an endpoint, so that a watch can tell what changed.

use crate::model::Machine;
use std::collections::BTreeMap;

/// What a watch tells.
#[derive(Clone, Debug, PartialEq)]
pub enum MachineEvent {
    /// It was there when the watch began.
    Present(Machine),
    /// All that was there has been told.
    Settled,
    /// It is new.
    Added(Machine),
    /// Something about it is different; this is how it is now.
    Changed(Machine),
    /// It is gone; this is how it was last.
    Deleted(Machine),
}

/// The machines that a watch has seen, by name.
#[derive(Debug, Default)]
pub struct Inventory {
    known: BTreeMap<String, Machine>,
    settled: bool,
}

impl Inventory {
    /// How a machine was last.
    pub fn get(&self, name: &str) -> Option<&Machine> {
        self.known.get(name)
    }

    /// Takes the whole list: what is new, what is different and what is gone. The first one is what is present.
    pub fn replace(&mut self, all: Vec<Machine>) -> Vec<MachineEvent> {
        let mut before = std::mem::take(&mut self.known);
        let mut events = Vec::new();
        for machine in all {
            if let Some(old) = before.remove(&machine.name) {
                self.known.insert(old.name.clone(), old);
            }
            events.extend(self.put(machine));
        }
        events.extend(before.into_values().map(MachineEvent::Deleted));
        if !self.settled {
            self.settled = true;
            events.push(MachineEvent::Settled);
        }
        events
    }

    /// Takes one machine as it is now.
    pub fn put(&mut self, machine: Machine) -> Option<MachineEvent> {
        match self.known.insert(machine.name.clone(), machine.clone()) {
            Some(old) if old == machine => None,
            Some(_) => Some(MachineEvent::Changed(machine)),
            None if self.settled => Some(MachineEvent::Added(machine)),
            None => Some(MachineEvent::Present(machine)),
        }
    }

    /// Forgets a machine that is gone.
    pub fn remove(&mut self, name: &str) -> Option<MachineEvent> {
        self.known.remove(name).map(MachineEvent::Deleted)
    }
}

#[cfg(test)]
mod tests {
    use super::MachineEvent::{Added, Changed, Deleted, Present, Settled};
    use super::*;

    fn machine(name: &str, status: &str) -> Machine {
        Machine { name: name.to_owned(), status: status.to_owned(), ..Machine::default() }
    }

    #[test]
    fn lists_and_single_machines_become_changes() {
        let mut seen = Inventory::default();
        let (a, b) = (machine("a", "cold"), machine("b", "cold"));
        assert_eq!(seen.replace(vec![a.clone(), b.clone()]), [Present(a.clone()), Present(b.clone()), Settled]);
        assert_eq!(seen.replace(vec![a.clone(), b.clone()]), []);
        let warm = machine("a", "warm");
        assert_eq!(seen.put(warm.clone()), Some(Changed(warm.clone())));
        assert_eq!(seen.put(warm.clone()), None);
        let new = machine("c", "running");
        assert_eq!(seen.replace(vec![new.clone(), warm.clone()]), [Added(new), Deleted(b)]);
        assert_eq!(seen.remove("a"), Some(Deleted(warm)));
        assert_eq!((seen.remove("a"), seen.get("a")), (None, None));
    }
}
