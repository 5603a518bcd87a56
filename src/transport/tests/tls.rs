//! Whom a TLS client trusts.

use crate::error::{Error, ErrorKind, Result};
use crate::transport::{Address, Client, Fault, Net, Request, TlsOptions, fault};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

struct Identity {
    certificate: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

/// A self-signed certificate for `localhost`.
fn identity(is_ca: IsCa) -> Identity {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.is_ca = is_ca;
    let certificate = params.self_signed(&key).unwrap();
    Identity { pem: certificate.pem(), certificate: certificate.der().clone(), key }
}

impl Identity {
    fn fingerprint(&self) -> [u8; 32] {
        ring::digest::digest(&ring::digest::SHA256, &self.certificate).as_ref().try_into().unwrap()
    }

    fn file(&self, folder: &TempDir) -> PathBuf {
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, &self.pem).unwrap();
        path
    }
}

/// Presents a certificate whether or not the key belongs to it.
#[derive(Debug)]
struct Present(Arc<CertifiedKey>);

impl ResolvesServerCert for Present {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// One request to a server that presents `certificate` and signs with `key`.
async fn ask(certificate: &Identity, key: &KeyPair, host: &str, tls: TlsOptions) -> Result<u16> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let secret = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let signer = provider.key_provider.load_private_key(secret).unwrap();
    let presented = Arc::new(CertifiedKey::new(vec![certificate.certificate.clone()], signer));
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Present(presented)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = Client::new(Net::default(), Address::Tls { host: host.to_owned(), port, tls });
    let server = async {
        let (stream, _) = listener.accept().await.unwrap();
        let Ok(mut stream) = acceptor.accept(stream).await else { return };
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        let _ = stream.read(&mut [0; 1024]).await;
        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    };
    let asked = async { client.send(Request::get("/")).await.map(|answer| answer.status) };
    // Without a connection the server would wait for ever.
    let mut server = std::pin::pin!(server);
    let mut asked = std::pin::pin!(asked);
    tokio::select! {
        biased;
        result = &mut asked => result,
        () = &mut server => asked.await,
    }
}

fn refused(result: Result<u16>, why: &str) {
    let error: Error = result.unwrap_err();
    assert_eq!((error.kind(), fault(&error)), (ErrorKind::Unreachable, Some(Fault::Tls)), "{error}");
    assert!(error.to_string().contains(why), "{error}");
}

#[tokio::test]
async fn a_self_signed_server_is_refused_unless_told_otherwise() {
    let folder = TempDir::new().unwrap();
    let server = identity(IsCa::NoCa);
    let key = &server.key;
    refused(ask(&server, key, "localhost", TlsOptions::default()).await, "signed by nobody we trust");

    let named = TlsOptions { ca_file: Some(server.file(&folder)), ..TlsOptions::default() };
    assert_eq!(ask(&server, key, "localhost", named.clone()).await.unwrap(), 204);
    refused(ask(&server, key, "127.0.0.1", named.clone()).await, "is for another name");
    let other = identity(IsCa::NoCa);
    refused(ask(&other, &other.key, "localhost", named).await, "invalid");

    let pinned = TlsOptions { fingerprint: Some(server.fingerprint()), ..TlsOptions::default() };
    assert_eq!(ask(&server, key, "127.0.0.1", pinned.clone()).await.unwrap(), 204);
    refused(ask(&other, &other.key, "localhost", pinned).await, "not the one with the configured fingerprint");

    let insecure = TlsOptions { insecure: true, ..TlsOptions::default() };
    assert_eq!(ask(&server, key, "127.0.0.1", insecure).await.unwrap(), 204);
}

#[tokio::test]
async fn a_copied_certificate_is_worth_nothing_without_its_key() {
    let server = identity(IsCa::NoCa);
    let thief = identity(IsCa::NoCa);
    let pinned = TlsOptions { fingerprint: Some(server.fingerprint()), ..TlsOptions::default() };
    let insecure = TlsOptions { insecure: true, ..TlsOptions::default() };
    for tls in [pinned, insecure] {
        refused(ask(&server, &thief.key, "localhost", tls).await, "BadSignature");
    }
}

#[tokio::test]
async fn a_self_signed_authority_may_be_the_server_itself() {
    let folder = TempDir::new().unwrap();
    let server = identity(IsCa::Ca(BasicConstraints::Unconstrained));
    let named = TlsOptions { ca_file: Some(server.file(&folder)), ..TlsOptions::default() };
    assert_eq!(ask(&server, &server.key, "localhost", named.clone()).await.unwrap(), 204);
    refused(ask(&server, &server.key, "127.0.0.1", named).await, "is for another name");
}

#[tokio::test]
async fn a_file_without_certificates_is_a_configuration_error() {
    let folder = TempDir::new().unwrap();
    let server = identity(IsCa::NoCa);
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for file in [empty, folder.path().join("missing.pem")] {
        let tls = TlsOptions { ca_file: Some(file), ..TlsOptions::default() };
        assert_eq!(ask(&server, &server.key, "localhost", tls).await.unwrap_err().kind(), ErrorKind::Config);
    }
}
