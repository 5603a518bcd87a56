//! Connecting to a TCP port by name, whichever of its addresses answers first.

use super::Address;
use super::fault::{Fault, from_io, system_text};
use crate::error::Result;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Duration;
use tokio::net::TcpStream;

/// How long an address may stay silent before the next one is tried beside it (RFC 8305 section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Connects to `host`. The caller bounds the time.
pub(super) async fn connect(address: &Address, host: &str, port: u16) -> Result<TcpStream> {
    let addresses = resolve(host, port).await.map_err(|error| {
        let why = system_text(&error);
        Fault::Unresolved.because(format!("cannot resolve `{host}`: {why}"), error)
    })?;
    let stream = race(&addresses).await.map_err(|error| from_io(address, error))?;
    // Requests are written whole; waiting to fill a packet would only delay them.
    stream.set_nodelay(true).map_err(|error| from_io(address, error))?;
    Ok(stream)
}

/// The addresses of `host`, families alternating, the system's favourite first.
async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(literal) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(literal, port)]);
    }
    let name = host.to_owned();
    let found = tokio::task::spawn_blocking(move || (name.as_str(), port).to_socket_addrs().map(Vec::from_iter));
    let found = found.await.map_err(io::Error::other)??;
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "it has no address"));
    }
    Ok(alternate(found))
}

fn alternate(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let favourite = found.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = found.into_iter().partition(|a| a.is_ipv6() == favourite);
    let mut second = second.into_iter();
    let mut mixed: Vec<_> = first.into_iter().flat_map(|a| [Some(a), second.next()]).flatten().collect();
    mixed.extend(second);
    mixed
}

/// Tries the addresses in order, each beside the earlier ones once those were silent or failed.
async fn race(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut waiting = addresses.iter();
    let mut running = FuturesUnordered::new();
    let mut failure = None;
    loop {
        if let Some(next) = waiting.next() {
            running.push(TcpStream::connect(*next));
        }
        let result = if waiting.len() == 0 {
            running.next().await
        } else {
            match tokio::time::timeout(STAGGER, running.next()).await {
                Ok(result) => result,
                Err(_) => continue,
            }
        };
        match result {
            Some(Ok(stream)) => return Ok(stream),
            // The first address is the favourite, so its failure tells most.
            Some(Err(error)) => failure = failure.or(Some(error)),
            None => return Err(failure.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_alternate_and_none_is_lost() {
        let parse = |list: &[&str]| list.iter().map(|a| a.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let mixed = alternate(parse(&["[::1]:1", "[::2]:1", "[::3]:1", "1.0.0.1:1"]));
        assert_eq!(mixed, parse(&["[::1]:1", "1.0.0.1:1", "[::2]:1", "[::3]:1"]));
        let mixed = alternate(parse(&["1.0.0.1:1", "[::1]:1", "[::2]:1"]));
        assert_eq!(mixed, parse(&["1.0.0.1:1", "[::1]:1", "[::2]:1"]));
    }
}
