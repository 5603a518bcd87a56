//! Connections to ports in a machine, and the ports that its programs open.

use crate::error::Result;
use crate::model::Port;
use crate::stream::{ByteStream, Items};
use async_trait::async_trait;
use bytes::Bytes;

/// Connections to ports in a machine.
#[async_trait]
pub trait Tunnels: Send + Sync {
    /// Connects to `port` of `host` as the machine sees it; an empty host is the machine itself. Returns once the
    /// other end is connected.
    async fn connect(&self, host: &str, port: u16) -> Result<Tunnel>;

    /// First the ports that are open now, then those that open and close. It ends only when dropped or lost.
    fn ports(&self) -> Items<PortEvent>;
}

/// A connection: bytes both ways.
pub struct Tunnel {
    /// Takes what is sent.
    pub sink: Box<dyn TunnelSink>,
    /// Yields what comes; a clean end is the other end's.
    pub stream: ByteStream,
    /// Whether the wire can end one direction alone. Where it cannot, closing loses what is still to come.
    pub half_closes: bool,
}

/// The sending half of a tunnel.
#[async_trait]
pub trait TunnelSink: Send {
    /// Sends bytes; false if nobody reads any more.
    async fn write(&mut self, chunk: Bytes) -> Result<bool>;
    /// Ends the direction, or the whole connection where the wire cannot end one alone.
    async fn close(&mut self) -> Result<()>;
}

/// What becomes of the ports of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortEvent {
    /// These are open now.
    Now(Vec<Port>),
    /// It is open.
    Opened(Port),
    /// It is closed again.
    Closed(Port),
}
