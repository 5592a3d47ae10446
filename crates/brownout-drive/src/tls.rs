//! Which certificates to accept.

use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The certificate authorities that are trusted: Mozilla's list, and what a user adds.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    added: Vec<CertificateDer<'static>>,
}

/// Certificates that cannot be trusted because they cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected certificates in PEM form, found {0}")]
pub struct TrustError(String);

/// A connector with the name it expects.
#[derive(Clone)]
pub(crate) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Trust {
    /// Also trusts the authorities in `pem`.
    ///
    /// # Errors
    /// When there is no certificate in it, or one that cannot be read.
    pub fn and(mut self, pem: &[u8]) -> Result<Self, TrustError> {
        let before = self.added.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| TrustError(error.to_string()))?;
            RootCertStore::empty().add(certificate.clone()).map_err(|error| TrustError(error.to_string()))?;
            self.added.push(certificate);
        }
        if self.added.len() == before { Err(TrustError("none".to_owned())) } else { Ok(self) }
    }

    pub(crate) fn tls(&self, name: ServerName<'static>) -> Tls {
        let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        roots.add_parsable_certificates(self.added.iter().cloned());
        // The provider is named here, so that no default has to be installed for the whole process.
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring supports the default protocol versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Tls { connector: Arc::new(config).into(), name }
    }
}

impl Tls {
    pub(crate) async fn connect(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}
