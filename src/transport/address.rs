//! Where a server is: a unix socket, or a host and port with or without TLS.

use crate::error::{Error, Result};
use std::fmt;
use std::path::PathBuf;

/// Where a server is. It holds no secret, so it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A unix socket.
    Unix(PathBuf),
    /// A TCP port in the clear.
    Tcp {
        /// A name or a literal address, without the brackets of IPv6.
        host: String,
        /// The port.
        port: u16,
    },
    /// A TCP port behind TLS.
    Tls {
        /// A name or a literal address, without the brackets of IPv6; the certificate must carry it.
        host: String,
        /// The port.
        port: u16,
        /// Whom to trust.
        tls: TlsOptions,
    },
}

/// Whom a TLS client trusts: the public roots, unless one of these says otherwise.
///
/// Nothing is read before the first connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// A PEM file whose certificates replace the public roots.
    pub ca_file: Option<PathBuf>,
    /// The SHA-256 of the one certificate to accept; chain and name do not matter then.
    pub fingerprint: Option<[u8; 32]>,
    /// Skips the checks of chain and name; the handshake's signature is still verified.
    pub insecure: bool,
}

impl Address {
    /// What the `Host` header says; `localhost` for a socket.
    pub(super) fn authority(&self) -> String {
        match self {
            Self::Unix(_) => "localhost".to_owned(),
            Self::Tcp { host, port: 80 } | Self::Tls { host, port: 443, .. } => bracketed(host),
            Self::Tcp { host, port } | Self::Tls { host, port, .. } => format!("{}:{port}", bracketed(host)),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => path.display().fmt(f),
            Self::Tcp { host, port } | Self::Tls { host, port, .. } => write!(f, "{}:{port}", bracketed(host)),
        }
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// Reads `http`, `https`, `ws`, `wss` and `unix:/path` addresses: where to connect, and the base path without its
/// trailing slash (empty for a socket).
///
/// # Errors
///
/// `Config` for anything else, also for a user name or password, which belong into a credential, and for a query.
/// The message never repeats those.
pub fn parse_url(url: &str, tls: TlsOptions) -> Result<(Address, String)> {
    if let Some(path) = url.strip_prefix("unix:") {
        let path = path.strip_prefix("//").filter(|rest| rest.starts_with('/')).unwrap_or(path);
        if path.is_empty() {
            return Err(Error::config("invalid address `unix:`: no path").hint("write `unix:/path/to/socket`"));
        }
        return Ok((Address::Unix(PathBuf::from(path)), String::new()));
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(invalid("no scheme"));
    };
    let (secure, default_port) = match scheme.to_ascii_lowercase().as_str() {
        "http" | "ws" => (false, 80),
        "https" | "wss" => (true, 443),
        other => return Err(invalid(&format!("unknown scheme `{other}`"))),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.contains('@') {
        return Err(invalid("a user name or password has no place in it"));
    }
    if path.contains(['?', '#']) {
        return Err(invalid("a query or fragment has no place in it"));
    }
    if path.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(invalid("its path holds a blank or control character"));
    }
    let (host, port) = split_port(authority)?;
    let port = match port {
        None => default_port,
        Some(text) => {
            text.parse().ok().filter(|p| *p != 0).ok_or_else(|| invalid(&format!("`{text}` is not a port")))?
        }
    };
    let host = host.to_owned();
    let address = if secure { Address::Tls { host, port, tls } } else { Address::Tcp { host, port } };
    Ok((address, path.trim_end_matches('/').to_owned()))
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>)> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or_else(|| invalid("a `]` is missing"))?;
        if host.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(invalid(&format!("`{host}` is not an IPv6 address")));
        }
        match after.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if after.is_empty() => (host, None),
            None => return Err(invalid("the port is not set off with `:`")),
        }
    } else {
        authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)))
    };
    if host.is_empty() {
        return Err(invalid("no host"));
    }
    if !host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b)) {
        return Err(invalid("the host name has characters that host names cannot have"));
    }
    Ok((host, port.filter(|p| !p.is_empty())))
}

fn invalid(why: &str) -> Error {
    Error::config(format!("invalid server address: {why}"))
        .hint("write `https://host:port/path`, `http://host:port/path` or `unix:/path/to/socket`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn parse(url: &str) -> (String, String) {
        let (address, base) = parse_url(url, TlsOptions::default()).unwrap();
        let kind = match address {
            Address::Unix(_) => "unix",
            Address::Tcp { .. } => "tcp",
            Address::Tls { .. } => "tls",
        };
        (format!("{kind} {address} {}", address.authority()), base)
    }

    #[test]
    fn each_scheme_becomes_an_address_and_a_base_path() {
        for (url, address, base) in [
            ("unix:/run/x.sock", "unix /run/x.sock localhost", ""),
            ("unix:///run/x.sock", "unix /run/x.sock localhost", ""),
            ("http://h", "tcp h:80 h", ""),
            ("http://h:/", "tcp h:80 h", ""),
            ("ws://h:81/api/v4//", "tcp h:81 h:81", "/api/v4"),
            ("HTTPS://h.example/a", "tls h.example:443 h.example", "/a"),
            ("wss://10.0.0.1:8443", "tls 10.0.0.1:8443 10.0.0.1:8443", ""),
            ("https://[::1]:9/", "tls [::1]:9 [::1]:9", ""),
            ("http://[fe80::1]", "tcp [fe80::1]:80 [fe80::1]", ""),
        ] {
            assert_eq!(parse(url), (address.to_owned(), base.to_owned()), "{url}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_a_secret() {
        for url in [
            "",
            "unix:",
            "h:80",
            "ftp://h",
            "http://",
            "http://:80",
            "http://h:0",
            "http://h:x",
            "http://h:70000",
            "http://[::1",
            "http://[x]",
            "http://[::1]80",
            "http://u:hunter2@h",
            "http://h/?token=hunter2",
            "http://h/#x",
            "http://h h",
            "http://h/a b",
        ] {
            let error = parse_url(url, TlsOptions::default()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{url}");
            assert!(!format!("{error:?}").contains("hunter2"), "{url}");
        }
    }
}
