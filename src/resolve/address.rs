//! The full form of a target: `ENDPOINT`, `ENDPOINT/NAME` or `unix:/path.sock`, as text that reads back.
//!
//! In a name the characters that mean something in a target or a shell pattern are percent-encoded (ux 1.3).

use crate::error::{Error, Result};
use crate::model::Name;
use std::fmt;

/// Where a target is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The endpoint; an ad hoc one is `unix:` and the encoded path of its socket.
    pub endpoint: String,
    /// The place inside it, decoded.
    pub name: Option<Name>,
}

impl Address {
    /// Reads a full form; whether the endpoint exists is not asked here.
    pub fn parse(text: &str) -> Result<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            if !path.starts_with('/') {
                return Err(Error::usage(format!("`{text}` needs the absolute path of a socket"))
                    .hint("write it as `unix:/path/to.socket`"));
            }
            let path = decode(path).map_err(|why| invalid(text, &why))?;
            return Ok(Self { endpoint: format!("unix:{}", encode(&path, true)), name: None });
        }
        let (endpoint, name) = match text.split_once('/') {
            Some((endpoint, name)) => (endpoint, Some(name)),
            None => (text, None),
        };
        crate::config::check_name(endpoint).map_err(|why| invalid(text, &why))?;
        let name = name.map(|name| decode_name(text, name)).transpose()?;
        Ok(Self { endpoint: endpoint.to_owned(), name })
    }
}

fn decode_name(text: &str, name: &str) -> Result<Name> {
    if let Some(c) = name.chars().find(|c| "/:*?[]".contains(*c)) {
        return Err(invalid(text, &format!("a name must not hold `{c}` as it is"))
            .hint(format!("write it as `{}`", encode(&c.to_string(), false))));
    }
    match decode(name) {
        Ok(name) if name.is_empty() => Err(invalid(text, "the name after `/` is empty")),
        Ok(name) => Ok(Name(name)),
        Err(why) => Err(invalid(text, &why)),
    }
}

fn invalid(text: &str, why: &str) -> Error {
    Error::usage(format!("invalid target `{text}`: {why}"))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{}/{}", self.endpoint, encode(name.as_str(), false)),
            None => f.write_str(&self.endpoint),
        }
    }
}

/// The path of an ad hoc endpoint's socket; `None` if it is not one.
pub(super) fn socket(endpoint: &str) -> Option<Result<String>> {
    let path = endpoint.strip_prefix("unix:")?;
    Some(decode(path).map_err(|why| invalid(endpoint, &why)))
}

/// Percent-encodes what would mean something in a target; a path keeps its slashes.
fn encode(text: &str, path: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for c in text.chars() {
        let special = ":*?[]%".contains(c) || (c == '/' && !path) || c.is_whitespace() || c.is_control();
        if special {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                encoded.push('%');
                encoded.extend([byte >> 4, byte & 15].map(|digit| char::from(b"0123456789ABCDEF"[usize::from(digit)])));
            }
        } else {
            encoded.push(c);
        }
    }
    encoded
}

fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = tail;
            continue;
        }
        let hex = |byte: &u8| char::from(*byte).to_digit(16);
        let [high, low, tail @ ..] = tail else { return Err("`%` must be followed by two digits".to_owned()) };
        let (Some(high), Some(low)) = (hex(high), hex(low)) else {
            return Err("`%` must be followed by two digits; write `%25` for itself".to_owned());
        };
        bytes.push(u8::try_from(high * 16 + low).expect("two hexadecimal digits are a byte"));
        rest = tail;
    }
    String::from_utf8(bytes).map_err(|_| "the encoded name is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_addresses() {
        let parsed = |text: &str| Address::parse(text).map(|a| (a.endpoint.clone(), a.name.clone().map(|n| n.0)));
        let is = |endpoint: &str, name: Option<&str>| (endpoint.to_owned(), name.map(str::to_owned));
        assert_eq!(parsed("pebble").unwrap(), is("pebble", None));
        assert_eq!(parsed("lab/web 01").unwrap(), is("lab", Some("web 01")));
        assert_eq!(parsed("lab/a%2Fb%3a%25").unwrap(), is("lab", Some("a/b:%")));
        assert_eq!(parsed("unix:/run/a%3Ab.sock").unwrap(), is("unix:/run/a%3Ab.sock", None));
        assert_eq!(parsed("unix:/run/a b[x].sock").unwrap(), is("unix:/run/a%20b%5Bx%5D.sock", None));
        assert_eq!(socket("unix:/run/a%20b%5Bx%5D.sock").unwrap().unwrap(), "/run/a b[x].sock");
    }

    #[test]
    fn what_is_no_address_is_told_why() {
        let why = |text| {
            let error = Address::parse(text).unwrap_err();
            assert_eq!(error.kind(), crate::error::ErrorKind::Usage);
            (error.to_string(), error.parts().hint.clone().unwrap_or_default())
        };
        let message = |text| why(text).0;
        assert_eq!(
            why("lab/a/b"),
            ("invalid target `lab/a/b`: a name must not hold `/` as it is".into(), "write it as `%2F`".into())
        );
        assert_eq!(
            why("unix:x.sock"),
            ("`unix:x.sock` needs the absolute path of a socket".into(), "write it as `unix:/path/to.socket`".into())
        );
        assert_eq!(message("lab/"), "invalid target `lab/`: the name after `/` is empty");
        assert_eq!(message("lab/%2"), "invalid target `lab/%2`: `%` must be followed by two digits");
        assert_eq!(
            message("lab/%zz"),
            "invalid target `lab/%zz`: `%` must be followed by two digits; write `%25` for itself"
        );
        assert_eq!(message("lab/%ff"), "invalid target `lab/%ff`: the encoded name is not UTF-8");
        assert_eq!(message("la:b"), "invalid target `la:b`: a name must not hold `:`");
        assert_eq!(message(""), "invalid target ``: a name must not be empty");
        assert_eq!(message("-x"), "invalid target `-x`: a name must not start with `-`, `.` or `~`");
        assert_eq!(message("unix"), "invalid target `unix`: `unix` means a socket, as in `unix:/path`");
    }

    proptest! {
        #[test]
        fn a_full_form_reads_back(endpoint in "[a-z][a-z0-9.-]{0,8}", name: String) {
            prop_assume!(endpoint != "unix" && !name.is_empty());
            let address = Address { endpoint, name: Some(Name(name)) };
            let full = address.to_string();
            prop_assert!(!full.contains([':', '*', '?', '[', ']']) && full.matches('/').count() == 1);
            prop_assert!(!full.chars().any(|c| c.is_whitespace() || c.is_control()));
            prop_assert_eq!(Address::parse(&full).unwrap(), address);
        }

        #[test]
        fn a_socket_reads_back(path: String) {
            let full = format!("unix:{}", encode(&format!("/{path}"), true));
            let address = Address::parse(&full).unwrap();
            prop_assert_eq!(address.to_string(), full.clone());
            prop_assert_eq!(socket(&address.endpoint).unwrap().unwrap(), format!("/{path}"));
            prop_assert_eq!(full.matches(':').count(), 1);
        }
    }
}
