//! A certificate for this machine that nobody signed but itself, made anew at every start.
//!
//! It is X.509 (RFC 5280) at its smallest, and so is the DER that it is written in: the crates that make certificates
//! are larger than everything that it takes.

use crate::error::{Error, Result};
use crate::transport::server::Identity;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use std::fmt::Write as _;

// The tags of DER.
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
const UTF8: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

// Identifiers, encoded.
const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// Longer than any playground lives, and within what two digits of a year can say.
const VALIDITY: [&[u8]; 2] = [b"200101000000Z", b"491231235959Z"];

/// Makes a key and a certificate for `localhost` and 127.0.0.1.
///
/// # Errors
///
/// `Internal` if there is no randomness to be had.
pub(super) fn make() -> Result<Identity> {
    let broken = |why: &dyn std::fmt::Display| Error::internal(format!("certificate: {why}"));
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).map_err(|e| broken(&e))?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.as_ref(), &random);
    let pair = pair.map_err(|e| broken(&e))?;
    let body = to_be_signed(pair.public_key().as_ref());
    let signature = pair.sign(&random, &body).map_err(|e| broken(&e))?;
    let algorithm = sequence(&[value(OBJECT_ID, ECDSA_WITH_SHA256)]);
    let certificate = sequence(&[body, algorithm, bits(signature.as_ref())]);
    Ok(Identity { certificate, key: key.as_ref().to_vec() })
}

/// The certificate as PEM.
pub(super) fn pem(identity: &Identity) -> String {
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in STANDARD.encode(&identity.certificate).as_bytes().chunks(64) {
        let _ = writeln!(text, "{}", String::from_utf8_lossy(line));
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}

fn to_be_signed(public_key: &[u8]) -> Vec<u8> {
    let name = sequence(&[value(OBJECT_ID, COMMON_NAME), value(UTF8, b"esker playground")]);
    let name = sequence(&[value(SET, &name)]);
    let algorithm = sequence(&[value(OBJECT_ID, EC_PUBLIC_KEY), value(OBJECT_ID, P256)]);
    // In a general name, 2 is the tag of a DNS name and 7 that of an address.
    let names = sequence(&[value(0x82, b"localhost"), value(0x87, &[127, 0, 0, 1])]);
    let extension = sequence(&[value(OBJECT_ID, SUBJECT_ALT_NAME), value(OCTET_STRING, &names)]);
    sequence(&[
        value(0xa0, &value(INTEGER, &[2])),
        value(INTEGER, &[1]),
        sequence(&[value(OBJECT_ID, ECDSA_WITH_SHA256)]),
        name.clone(),
        sequence(&VALIDITY.map(|time| value(UTC_TIME, time))),
        name,
        sequence(&[algorithm, bits(public_key)]),
        value(0xa3, &sequence(&[extension])),
    ])
}

/// A tag, a length and what it is the length of.
fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    let len = u16::try_from(content.len()).expect("nothing here is that long");
    match len.to_be_bytes() {
        [0, short @ 0..128] => bytes.push(short),
        [0, long] => bytes.extend([0x81, long]),
        [high, low] => bytes.extend([0x82, high, low]),
    }
    bytes.extend_from_slice(content);
    bytes
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    value(SEQUENCE, &parts.concat())
}

/// Whole bytes as bits: none of the last byte is unused.
fn bits(bytes: &[u8]) -> Vec<u8> {
    value(BIT_STRING, &[&[0], bytes].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::server::{Handler, Listener, Reply, Request, Response, serve};
    use crate::transport::{self, Address, Client, Net, StatusCode, TlsOptions};
    use std::sync::Arc;

    struct Hello;

    #[async_trait::async_trait]
    impl Handler for Hello {
        async fn handle(&self, _: Request) -> Reply {
            Response::text(StatusCode::OK, "hello").into()
        }
    }

    #[tokio::test]
    async fn a_client_that_was_given_it_trusts_it_and_needs_no_tls_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let identity = make().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, pem(&identity)).unwrap();
        let listener = Listener::tls(0, &identity).await.unwrap();
        let port = listener.port().unwrap();
        let server = tokio::spawn(serve(listener, Arc::new(Hello)));
        let tls = TlsOptions { ca_file: Some(file), ..TlsOptions::default() };
        let at = |host: &str, tls| Address::Tls { host: host.to_owned(), port, tls };
        let plain = Address::Tcp { host: "127.0.0.1".to_owned(), port };
        for address in [at("127.0.0.1", tls.clone()), at("localhost", tls), plain] {
            let client = Client::new(Net::default(), address);
            let answer = client.send(transport::Request::get("/")).await.unwrap();
            assert_eq!(answer.bytes(100).await.unwrap(), "hello");
        }
        let stranger = Client::new(Net::default(), at("127.0.0.1", TlsOptions::default()));
        assert!(stranger.send(transport::Request::get("/")).await.is_err());
        server.abort();
    }
}
