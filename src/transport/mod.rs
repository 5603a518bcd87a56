//! Connections and what is said over them: HTTP, WebSocket, NDJSON and multipart over unix sockets, TCP and TLS.
//!
//! Transport knows no system. It keeps the deadlines, reuses connections, and traces requests with their secrets
//! redacted; what a status or a body means is the provider's business.

mod address;
mod dial;
mod fault;
mod http;
mod link;
pub mod multipart;
pub mod ndjson;
mod outgoing;
mod pool;
pub mod query;
mod redact;
mod request;
mod response;
pub mod server;
mod tcp;
#[cfg(test)]
mod tests;
mod tls;
mod unix;
mod ws;

pub use address::{Address, TlsOptions, parse_url};
pub use fault::{Fault, fault};
pub use http::Client;
pub use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
pub use hyper::{Method, StatusCode};
pub use request::{Body, Deadline, Request};
pub use response::Response;
pub use ws::{Frame, Keepalive, Utf8Bytes, WebSocket, WsOptions, WsReply, WsSink, WsStream};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What connections have in common: deadlines and the trace. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Net(Arc<NetOptions>);

/// The options behind a [`Net`].
#[derive(Clone, Debug)]
pub struct NetOptions {
    /// How long connecting may take, TLS handshake included.
    pub connect_timeout: Duration,
    /// Whether `connect_timeout` was asked for now, so that no endpoint's own counts.
    pub is_connect_timeout_fixed: bool,
    /// How long an answer may take to begin, unless the request says otherwise.
    pub first_byte_timeout: Duration,
    /// How long an answer may pause, unless it is a declared stream.
    pub idle_timeout: Duration,
    /// How long a server that is not there yet is waited for (`--wait-for-daemon`).
    pub wait_for_server: Option<Duration>,
    /// Where the trace goes.
    pub trace: Trace,
}

impl Default for NetOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            is_connect_timeout_fixed: false,
            first_byte_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_mins(1),
            wait_for_server: None,
            trace: Trace::default(),
        }
    }
}

impl Net {
    /// Connections with these options.
    pub fn new(options: NetOptions) -> Self {
        Self(Arc::new(options))
    }

    /// The options.
    pub fn options(&self) -> &NetOptions {
        &self.0
    }

    /// The same with an endpoint's own deadlines for connecting and for the beginning of an answer.
    #[must_use]
    pub fn with_deadlines(&self, connect: Option<Duration>, first_byte: Option<Duration>) -> Self {
        let connect = connect.filter(|_| !self.0.is_connect_timeout_fixed);
        if connect.is_none() && first_byte.is_none() {
            return self.clone();
        }
        let mut options = self.0.as_ref().clone();
        options.connect_timeout = connect.unwrap_or(options.connect_timeout);
        options.first_byte_timeout = first_byte.unwrap_or(options.first_byte_timeout);
        Self::new(options)
    }
}

/// Where the trace goes: one line per event, secrets already redacted. The default one drops them.
#[derive(Clone, Default)]
pub struct Trace(Option<Arc<Show>>);

type Show = dyn Fn(&str) + Send + Sync;

impl Trace {
    /// A trace whose lines `show` gets.
    pub fn new(show: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(show)))
    }

    /// Traces a line, which is made only if somebody looks.
    pub fn line(&self, text: impl FnOnce() -> String) {
        if let Some(show) = &self.0 {
            show(&text());
        }
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trace")
    }
}

/// A word that nobody can guess, of hexadecimal digits.
pub fn nonce() -> String {
    random::<16>().iter().fold(String::new(), |word, byte| word + &format!("{byte:02x}"))
}

/// Bytes that nobody can guess.
fn random<const N: usize>() -> [u8; N] {
    use ring::rand::SecureRandom as _;
    let mut bytes = [0; N];
    ring::rand::SystemRandom::new().fill(&mut bytes).expect("a running system has random bytes");
    bytes
}
