//! Ports that the processes of a sprite listen on, found in `/proc` (section 2.10).

use super::processes;
use super::sprite::Sprite;
use crate::transport::server::{Message, Socket};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// The state of a socket that listens, as `/proc/net/tcp` writes it.
const LISTEN: &str = "0A";

/// A port that somebody listens on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Port {
    pub(super) port: u16,
    pub(super) address: IpAddr,
    pub(super) pid: i32,
}

impl Port {
    fn to_json(&self) -> Value {
        json!({ "port": self.port, "address": self.address, "pid": self.pid })
    }

    /// The event that says so, or says that it is over.
    pub(super) fn event(&self, open: bool) -> Value {
        let mut event = self.to_json();
        event["type"] = json!(if open { "port_opened" } else { "port_closed" });
        event
    }
}

/// The ports of these processes.
pub(super) fn of(pids: impl IntoIterator<Item = i32>) -> BTreeSet<Port> {
    let mut listening = None;
    let mut ports = BTreeSet::new();
    for pid in pids {
        for fd in fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten() {
            let Ok(link) = fs::read_link(fd.path()) else { continue };
            let socket = link.to_str().and_then(|link| link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
            let Some(socket) = socket else { continue };
            // Read only when some process has a socket at all.
            let listening: &HashMap<u64, (IpAddr, u16)> = listening.get_or_insert_with(sockets);
            if let Some((address, port)) = listening.get(&socket) {
                ports.insert(Port { port: *port, address: *address, pid });
            }
        }
    }
    // A child shares the sockets of its parent: one of them is enough.
    let mut seen = BTreeSet::new();
    ports.retain(|port| seen.insert((port.port, port.address)));
    ports
}

/// The sockets of this machine that listen, by their number.
fn sockets() -> HashMap<u64, (IpAddr, u16)> {
    let read = |file| fs::read_to_string(file).unwrap_or_default();
    let texts = [read("/proc/net/tcp"), read("/proc/net/tcp6")];
    texts.iter().flat_map(|text| text.lines().skip(1)).filter_map(parse).collect()
}

/// Reads `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …`.
fn parse(line: &str) -> Option<(u64, (IpAddr, u16))> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (address, port) = fields.next()?.split_once(':')?;
    let state = fields.nth(1)?;
    let socket = fields.nth(5)?.parse().ok()?;
    (state == LISTEN).then_some(())?;
    // Words of four bytes, each in the order of this machine.
    let words: Vec<[u8; 4]> = (0..address.len() / 8)
        .map(|at| u32::from_str_radix(address.get(at * 8..at * 8 + 8)?, 16).ok().map(u32::to_ne_bytes))
        .collect::<Option<_>>()?;
    let address = match words.as_slice() {
        [word] => IpAddr::V4(Ipv4Addr::from(*word)),
        [_, _, _, _] => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(words.concat()).ok()?)),
        _ => return None,
    };
    Some((socket, (address, u16::from_str_radix(port, 16).ok()?)))
}

/// What changed since it was last looked.
#[derive(Default)]
pub(super) struct Watch(BTreeSet<Port>);

impl Watch {
    /// The events since the last look.
    pub(super) fn look(&mut self, now: BTreeSet<Port>) -> Vec<Value> {
        let key = |port: &Port| (port.port, port.address);
        let (old, new): (BTreeMap<_, _>, BTreeMap<_, _>) =
            (self.0.iter().map(|port| (key(port), port)).collect(), now.iter().map(|port| (key(port), port)).collect());
        let closed = old.iter().filter(|(at, _)| !new.contains_key(at)).map(|(_, port)| port.event(false));
        let opened = new.iter().filter(|(at, _)| !old.contains_key(at)).map(|(_, port)| port.event(true));
        let events = closed.chain(opened).collect();
        self.0 = now;
        events
    }
}

/// Serves `B/ports/watch`.
pub(super) async fn serve(sprite: Arc<Sprite>, socket: Socket) {
    let _hold = sprite.hold();
    let Some(options) = sprite.world.upgrade().map(|world| world.options.clone()) else { return };
    let (mut sink, mut stream) = socket.split();
    let first = of(processes::of(&sprite));
    let list: Vec<Value> = first.iter().map(Port::to_json).collect();
    if !sink.text(json!({ "type": "port_list", "ports": list }).to_string()).await {
        return;
    }
    let mut watch = Watch(first);
    let mut tick = tokio::time::interval(options.poll);
    loop {
        tokio::select! {
            _ = tick.tick() => for event in watch.look(of(processes::of(&sprite))) {
                if !sink.text(event.to_string()).await {
                    return;
                }
            },
            message = stream.next() => if matches!(message, None | Some(Message::Close { .. } | Message::Eof)) {
                return;
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernel_is_read() {
        let line =
            "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 x";
        assert_eq!(parse(line), Some((4242, (IpAddr::from([127, 0, 0, 1]), 8080))));
        assert_eq!(parse(&line.replace(" 0A ", " 01 ")), None);
        let six = "0: 00000000000000000000000001000000:0050 0:0 0A 0:0 0:0 0 0 0 7 1";
        assert_eq!(parse(six), Some((7, (IpAddr::from(Ipv6Addr::LOCALHOST), 80))));
        assert_eq!(parse("nonsense"), None);
    }

    #[test]
    fn a_port_of_this_process_is_found_and_its_end_is_seen() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let pid = std::process::id().cast_signed();
        let mut watch = Watch::default();
        let find =
            |ports: BTreeSet<Port>| ports.into_iter().filter(|found| found.port == port).collect::<BTreeSet<_>>();
        let opened = watch.look(find(of([pid])));
        assert_eq!(opened, [json!({"port": port, "address": "127.0.0.1", "pid": pid, "type": "port_opened"})]);
        drop(listener);
        assert_eq!(watch.look(find(of([pid])))[0]["type"], "port_closed");
    }
}
