//! TLS: whom to trust, and the handshake.
//!
//! The configuration is built at the first connection. A pinned or an unchecked certificate still has to sign the
//! handshake, so nobody who merely copied the certificate can pose as the server.

use super::fault::Fault;
use super::link::Link;
use super::{Address, TlsOptions};
use crate::error::{Error, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tokio::net::TcpStream;

/// The TLS configuration of one address, once it was needed.
#[derive(Default)]
pub(super) struct Trust(OnceLock<Arc<ClientConfig>>);

impl Trust {
    /// The configuration for `options`.
    pub(super) fn config(&self, options: &TlsOptions) -> Result<Arc<ClientConfig>> {
        if let Some(config) = self.0.get() {
            return Ok(config.clone());
        }
        let config = Arc::new(build(options)?);
        Ok(self.0.get_or_init(|| config).clone())
    }
}

fn build(options: &TlsOptions) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let broken = |error: rustls::Error| Error::internal(format!("TLS configuration: {error}"));
    let builder =
        ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().map_err(broken)?;
    let builder = if let Some(fingerprint) = options.fingerprint {
        let verifier = Unchained { provider, fingerprint: Some(fingerprint) };
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    } else if options.insecure {
        let verifier = Unchained { provider, fingerprint: None };
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    } else if let Some(file) = &options.ca_file {
        let verifier = Named::from_file(file, provider)?;
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    } else {
        builder.with_root_certificates(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Makes a TLS session on `stream`. The caller bounds the time.
pub(super) async fn handshake(
    address: &Address,
    host: &str,
    config: Arc<ClientConfig>,
    stream: TcpStream,
) -> Result<Link> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| Fault::Tls.because(format!("`{host}` cannot be the name of a TLS server"), error))?;
    match tokio_rustls::TlsConnector::from(config).connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => {
            let why = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(rustls::Error::InvalidCertificate(reason)) => certificate_text(reason),
                Some(rustls::Error::InvalidMessage(_)) => "the server does not speak TLS".to_owned(),
                Some(reason) => reason.to_string(),
                None => super::fault::system_text(&error),
            };
            Err(Fault::Tls.because(format!("no TLS session with `{address}`: {why}"), error))
        }
    }
}

fn certificate_text(reason: &CertificateError) -> String {
    match reason {
        CertificateError::UnknownIssuer => "its certificate is signed by nobody we trust".to_owned(),
        CertificateError::ApplicationVerificationFailure => {
            "its certificate is not the one with the configured fingerprint".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name".to_owned()
        }
        other => format!("its certificate is invalid: {other:?}"),
    }
}

/// Trusts the certificates of a file: as authorities, and a self-signed server certificate as itself.
#[derive(Debug)]
struct Named {
    chain: Arc<WebPkiServerVerifier>,
    certificates: Vec<CertificateDer<'static>>,
}

impl Named {
    fn from_file(file: &Path, provider: Arc<CryptoProvider>) -> Result<Self> {
        let shown = file.display();
        let invalid = |why: String| Error::config(format!("cannot read certificates from `{shown}`: {why}"));
        let certificates = CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| invalid(error.to_string()))?;
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(certificates.iter().cloned());
        if added == 0 {
            return Err(invalid("it holds no certificate".to_owned()));
        }
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| invalid(error.to_string()))?;
        Ok(Self { chain, certificates })
    }
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.chain.verify_server_cert(leaf, intermediates, name, stapled, now) {
            // `openssl req -x509` marks its certificates as authorities, which webpki then refuses as a server's.
            // The period of validity was checked before that.
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(reason)))
                if reason.to_string().contains("CaUsedAsEndEntity") && self.certificates.contains(leaf) =>
            {
                verify_server_name(&ParsedCertificate::try_from(leaf)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls12_signature(message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls13_signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

/// Accepts the certificate with a fingerprint, or any; chain and name do not matter.
#[derive(Debug)]
struct Unchained {
    provider: Arc<CryptoProvider>,
    fingerprint: Option<[u8; 32]>,
}

impl ServerCertVerifier for Unchained {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let digest = ring::digest::digest(&ring::digest::SHA256, leaf);
        if self.fingerprint.is_some_and(|wanted| digest.as_ref() != wanted) {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
