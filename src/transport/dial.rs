//! Connecting to an address within a deadline, and waiting for a server that is not there yet.

use super::fault::{Fault, fault};
use super::link::Link;
use super::{Address, Net, tcp, tls, unix};
use crate::error::{Error, Result};
use std::time::Duration;
use tokio::time::Instant;

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Connects to one address. Creating it does no I/O.
pub(super) struct Dialer {
    net: Net,
    address: Address,
    trust: tls::Trust,
}

impl Dialer {
    pub(super) fn new(net: Net, address: Address) -> Self {
        Self { net, address, trust: tls::Trust::default() }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn net(&self) -> &Net {
        &self.net
    }

    /// Connects, waiting for the server as long as the options allow.
    pub(super) async fn dial(&self) -> Result<Link> {
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match self.attempt().await {
                Ok(link) => return Ok(link),
                Err(error) => error,
            };
            let Some(limit) = self.net.options().wait_for_server else { return Err(error) };
            if !matches!(fault(&error), Some(Fault::NoSocket | Fault::Refused)) {
                return Err(error);
            }
            let left = limit.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(error.cause(format!("waited {limit:?} for the server to appear")));
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn attempt(&self) -> Result<Link> {
        let limit = self.net.options().connect_timeout;
        let started = Instant::now();
        let result = tokio::time::timeout(limit, self.connect()).await.unwrap_or_else(|_| Err(self.too_late(limit)));
        self.net.options().trace.line(|| {
            let outcome = result.as_ref().map_or_else(Error::to_string, |_| "connected".to_owned());
            format!("* {}: {outcome} in {:.1?}", self.address, started.elapsed())
        });
        result
    }

    async fn connect(&self) -> Result<Link> {
        match &self.address {
            Address::Unix(path) => unix::connect(path).await,
            Address::Tcp { host, port } => Ok(Box::new(tcp::connect(&self.address, host, *port).await?)),
            Address::Tls { host, port, tls } => {
                let config = self.trust.config(tls)?;
                let stream = tcp::connect(&self.address, host, *port).await?;
                tls::handshake(&self.address, host, config, stream).await
            }
        }
    }

    fn too_late(&self, limit: Duration) -> Error {
        Fault::TimedOut.error(format!("no connection to `{}` within {limit:?} (connect deadline)", self.address))
    }
}
