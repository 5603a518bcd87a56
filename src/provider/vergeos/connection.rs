//! Where the system is and how it is trusted: the keys of an endpoint and the variables of the official clients
//! (sections 1.4 and 1.6).

use crate::config::{BOOLEAN, ConfigKey, EndpointConfig, KeyKind, Secret, boolean};
use crate::error::{Error, Result};
use crate::provider::{Env, Vars, variables};
use crate::transport::{Address, TlsOptions, parse_url};

const HOST: &str = "VERGE_HOST";
const USERNAME: &str = "VERGE_USERNAME";
const PASSWORD: &str = "VERGE_PASSWORD";
const TOKEN: &str = "VERGE_TOKEN";
const API_KEY: &str = "VERGE_API_KEY";
const VERIFY: &str = "VERGE_VERIFY_SSL";
const TIMEOUT: &str = "VERGE_TIMEOUT";
/// Ours alone: the official clients go by what the libraries below them read.
const CA_FILE: &str = "VERGE_CA_FILE";

/// The variables that are read, for the implicit endpoint alone.
pub(super) const VARIABLES: &[&str] = &[HOST, USERNAME, PASSWORD, TOKEN, API_KEY, VERIFY, TIMEOUT, CA_FILE];

/// The keys of an endpoint.
pub(super) const KEYS: &[ConfigKey] = &[
    ConfigKey { name: "url", kind: KeyKind::Url, summary: "address, such as https://10.0.0.5" },
    ConfigKey { name: "username", kind: KeyKind::Text, summary: "user that a password belongs to" },
    ConfigKey { name: "password", kind: KeyKind::Secret, summary: "password (better: password_file)" },
    ConfigKey { name: "password_file", kind: KeyKind::Path, summary: "file that holds the password" },
    ConfigKey { name: "password_command", kind: KeyKind::Argv, summary: "command that prints the password" },
    ConfigKey { name: "token", kind: KeyKind::Secret, summary: "API key (better: token_file)" },
    ConfigKey { name: "token_file", kind: KeyKind::Path, summary: "file that holds the API key" },
    ConfigKey { name: "token_command", kind: KeyKind::Argv, summary: "command that prints the API key" },
    ConfigKey { name: "ca_file", kind: KeyKind::Path, summary: "certificate to trust" },
    ConfigKey { name: "fingerprint", kind: KeyKind::Text, summary: "SHA-256 of the one certificate to accept" },
    ConfigKey { name: "insecure", kind: KeyKind::Bool, summary: "true accepts any certificate" },
];

/// The endpoint that the official clients would reach.
pub(super) fn implicit(vars: Vars<'_>) -> Result<EndpointConfig> {
    let set = |name: &str| vars(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let mut endpoint = EndpointConfig::implicit("vergeos");
    if let Some(host) = set(HOST) {
        HOST.clone_into(&mut endpoint.origin);
        endpoint = endpoint.with(
            "url",
            if host.contains("://") || host.starts_with("unix:") { host } else { format!("https://{host}") },
        );
    }
    if let Some(user) = set(USERNAME) {
        endpoint = endpoint.with("username", user);
    }
    // A password may begin or end with a blank.
    if let Some(password) = vars(PASSWORD).filter(|value| !value.is_empty()) {
        endpoint = endpoint.with_secret("password", Secret::new(password));
    }
    if let Some((_, token)) = variables::one_of(vars, &[TOKEN, API_KEY])? {
        endpoint = endpoint.with_secret("token", Secret::new(token.trim()));
    }
    if let Some(text) = set(VERIFY) {
        let verify =
            boolean(&text).ok_or_else(|| Error::config(format!("invalid value `{text}` of {VERIFY}: {BOOLEAN}")))?;
        if !verify {
            endpoint = endpoint.with("insecure", true);
        }
    }
    if let Some(file) = set(CA_FILE) {
        endpoint = endpoint.with("ca_file", file);
    }
    if let Some(text) = set(TIMEOUT) {
        let limit = crate::config::duration::parse(&text)
            .map_err(|why| Error::config(format!("invalid value `{text}` of {TIMEOUT}: {why}")))?;
        endpoint.request_timeout = Some(limit);
    }
    Ok(endpoint)
}

/// Where to connect, and the path before the root of the API.
pub(super) fn address(config: &EndpointConfig, env: &Env) -> Result<(Address, String)> {
    let insecure = config.flag("insecure").unwrap_or(false);
    let fingerprint = config.text("fingerprint").map(|text| fingerprint(text, &config.name)).transpose()?;
    let ca_file = config.path("ca_file", env.home.as_deref())?;
    let tls = TlsOptions { ca_file, fingerprint, insecure: insecure && fingerprint.is_none() };
    // Without an address nothing can be asked, but everything can be explained: the name does not resolve.
    let url = config.text("url").unwrap_or("https://vergeos.invalid");
    let (address, base) = parse_url(url, tls)?;
    match &address {
        Address::Tcp { host, .. } if !is_loopback(host) => {
            let what = format!("endpoint `{}` would send its credential in the clear to `{host}`", config.name);
            return Err(Error::config(what).hint("write https:// in its address"));
        }
        Address::Tls { tls, .. } if tls.insecure && tls.ca_file.is_none() => {
            env.notes.warn(format!(
                "endpoint `{}` accepts any certificate: whoever is in between can read the credential; set `fingerprint` or `ca_file` instead",
                config.name
            ));
        }
        _ => {}
    }
    let base = base.strip_suffix(super::api::ROOT).unwrap_or(&base).to_owned();
    Ok((address, base))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// 32 bytes in hexadecimal, with colons or without.
fn fingerprint(text: &str, endpoint: &str) -> Result<[u8; 32]> {
    let digits: String =
        text.trim().trim_start_matches("sha256:").chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    let byte = |at: usize| digits.get(at * 2..at * 2 + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = (0..32).map(byte).collect();
    bytes.filter(|_| digits.len() == 64).and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        Error::config(format!("invalid `fingerprint` of endpoint `{endpoint}`: expected 64 hexadecimal digits"))
            .hint("`openssl x509 -noout -fingerprint -sha256 -in FILE` prints it")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use std::time::Duration;

    fn made(set: &[(&str, &str)]) -> Result<EndpointConfig> {
        let set: Vec<_> = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        implicit(&move |name: &str| set.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()))
    }

    #[test]
    fn the_variables_of_the_official_clients_are_read() {
        let endpoint = made(&[
            ("VERGE_HOST", "lab:8443"),
            ("VERGE_USERNAME", "admin"),
            ("VERGE_PASSWORD", " p "),
            ("VERGE_TIMEOUT", "45"),
        ])
        .unwrap();
        assert_eq!((endpoint.text("url"), endpoint.text("username")), (Some("https://lab:8443"), Some("admin")));
        assert_eq!(endpoint.secret("password").unwrap().expose(), " p ");
        assert_eq!((endpoint.request_timeout, endpoint.flag("insecure")), (Some(Duration::from_secs(45)), None));
        assert_eq!(made(&[("VERGE_VERIFY_SSL", "false")]).unwrap().flag("insecure"), Some(true));
        assert_eq!(
            made(&[("VERGE_VERIFY_SSL", "on"), ("VERGE_API_KEY", "k")]).unwrap().secret("token").unwrap().expose(),
            "k"
        );
        for wrong in [
            &[("VERGE_TOKEN", "a"), ("VERGE_API_KEY", "b")][..],
            &[("VERGE_VERIFY_SSL", "maybe")],
            &[("VERGE_TIMEOUT", "soon")],
        ] {
            assert_eq!(made(wrong).unwrap_err().kind(), ErrorKind::Config, "{wrong:?}");
        }
    }

    #[test]
    fn a_credential_never_goes_in_the_clear_through_a_network() {
        let at = |url: &str| address(&EndpointConfig::implicit("vergeos").with("url", url), &Env::default());
        assert_eq!(at("http://10.0.0.5").unwrap_err().kind(), ErrorKind::Config);
        assert_eq!(at("http://127.0.0.1:8080/api/v4/").unwrap().1, "");
        assert_eq!(at("https://proxy.example/verge/api/v4").unwrap().1, "/verge");
        assert!(matches!(at("https://[::1]:8443").unwrap().0, Address::Tls { port: 8443, .. }));
    }

    #[test]
    fn fingerprints_are_read_as_they_are_printed() {
        let digits = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        assert_eq!(fingerprint(&digits, "x").unwrap(), [0xab; 32]);
        assert_eq!(fingerprint(&colons, "x").unwrap(), [0xab; 32]);
        for wrong in ["", "ab", &"ab".repeat(33), &"zz".repeat(32)] {
            assert!(fingerprint(wrong, "x").is_err(), "{wrong}");
        }
    }
}
