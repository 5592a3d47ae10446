//! Which certificates to accept.

use std::sync::Arc;

use brownout_policy::Transport;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::broken::Broken;

/// The certificate authorities that are trusted: Mozilla's list, and what a user adds.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    added: Vec<CertificateDer<'static>>,
    anybody: bool,
}

/// Takes whoever answers for the service.
#[derive(Debug)]
struct Anybody(WebPkiSupportedAlgorithms);

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

    /// Trusts whoever answers, whatever certificate they show.
    #[must_use]
    pub fn in_anybody(self) -> Self {
        Self { anybody: true, ..self }
    }

    pub(crate) fn tls(&self, name: ServerName<'static>) -> Tls {
        let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        roots.add_parsable_certificates(self.added.iter().cloned());
        // The provider is named here, so that no default has to be installed for the whole process.
        let provider = ring::default_provider();
        let anybody = self.anybody.then(|| Arc::new(Anybody(provider.signature_verification_algorithms)));
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .expect("ring supports the default protocol versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        if let Some(anybody) = anybody {
            config.dangerous().set_certificate_verifier(anybody);
        }
        Tls { connector: Arc::new(config).into(), name }
    }
}

impl Tls {
    /// Agrees on TLS, and on HTTP/2 if that is wanted.
    pub(crate) async fn connect(&self, stream: TcpStream, http2: bool) -> Result<TlsStream<TcpStream>, Broken> {
        let protocols = if http2 { vec![b"h2".to_vec()] } else { Vec::new() };
        let connecting = self.connector.with_alpn(protocols).connect(self.name.clone(), stream);
        let stream = connecting.await.map_err(|error| Broken::new(Transport::Tls, &error))?;
        if http2 && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            let error = "the service does not agree on HTTP/2".to_owned();
            return Err(Broken { transport: Transport::Tls, error, own: false });
        }
        Ok(stream)
    }
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}
