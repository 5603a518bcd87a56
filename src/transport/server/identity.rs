//! The certificate that a TLS server shows, and the key that goes with it.

use crate::error::{Error, Result};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// A certificate and its key, both as DER.
pub struct Identity {
    /// The certificate.
    pub certificate: Vec<u8>,
    /// The key, PKCS #8.
    pub key: Vec<u8>,
}

impl Identity {
    /// What makes TLS sessions with it.
    ///
    /// # Errors
    ///
    /// `Internal` if the two do not go together.
    pub(super) fn acceptor(&self) -> Result<TlsAcceptor> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = vec![CertificateDer::from(self.certificate.clone())];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.clone()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
        let mut config = config.map_err(|error| Error::internal(format!("TLS configuration: {error}")))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}
