//! What a server shows that speaks TLS.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::server::TlsStream;

/// What HTTP/2 is called when a client and a server agree on what to speak (ALPN).
const HTTP2: &[u8] = b"h2";

/// How long a certificate that is made here holds. Some clients take none that hold for more than 825 days.
const HOLDS: Duration = Duration::from_secs(365 * 24 * 3600);

/// A certificate and its key; speaks HTTP/2 or HTTP/1.1, as clients wish.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
}

/// Why a server cannot speak TLS.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TlsError {
    /// No certificates.
    #[error("expected certificates in PEM form, found {0}")]
    Certificates(String),
    /// No key.
    #[error("expected a private key in PEM form, found {0}")]
    Key(String),
    /// They do not go together, or cannot be used.
    #[error("the certificate and the key cannot be used together: {0}")]
    Pair(String),
    /// None could be made.
    #[error("make a certificate: {0}")]
    Made(String),
}

impl Tls {
    /// Shows the certificates in `chain`, that of the server first, whose key is in `key`; both in PEM form.
    ///
    /// # Errors
    /// When one of them cannot be read, or they do not go together.
    pub fn new(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
        let chain = chain.map_err(|error| TlsError::Certificates(error.to_string()))?;
        if chain.is_empty() {
            return Err(TlsError::Certificates("none".to_owned()));
        }
        let none = |error| match error {
            rustls_pki_types::pem::Error::NoItemsFound => TlsError::Key("none".to_owned()),
            other => TlsError::Key(other.to_string()),
        };
        Self::showing(chain, PrivateKeyDer::from_pem_slice(key).map_err(none)?)
    }

    /// Shows a certificate for `localhost`, `127.0.0.1` and `::1`, made now and good for a year. With it comes, in PEM form, the
    /// certificate of the authority that signed it, for clients to trust: it has signed no other and never will, since its key is
    /// forgotten here.
    ///
    /// # Errors
    /// When there is no chance to be had for the keys.
    pub fn for_localhost() -> Result<(Self, String), TlsError> {
        let (chain, key, authority) = made().map_err(|error| TlsError::Made(error.to_string()))?;
        Ok((Self::showing(chain, key)?, authority))
    }

    fn showing(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, TlsError> {
        // The provider is named here, so that no default has to be installed for the whole process.
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring supports the default protocol versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| TlsError::Pair(error.to_string()))?;
        config.alpn_protocols = vec![HTTP2.to_vec(), b"http/1.1".to_vec()];
        Ok(Self { acceptor: Arc::new(config).into() })
    }

    /// Agrees with a client on keys and on what to speak: whether that is HTTP/2.
    pub(crate) async fn accept(&self, stream: TcpStream) -> std::io::Result<(TlsStream<TcpStream>, bool)> {
        let stream = self.acceptor.accept(stream).await?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
        Ok((stream, http2))
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// A certificate, its key, and the authority in PEM form.
fn made() -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>, String), rcgen::Error> {
    let params = |names: &[&str], common: &str| {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, common);
        // A clock that is a little behind takes it too.
        params.not_before = (SystemTime::now() - Duration::from_secs(3600)).into();
        params.not_after = (SystemTime::now() + HOLDS).into();
        params.use_authority_key_identifier_extension = true;
        Ok::<_, rcgen::Error>(params)
    };
    let mut authority = params(&[], "brownout serve, authority of one run")?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let mut own = params(&["localhost", "127.0.0.1", "::1"], "localhost")?;
    own.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let own = own.signed_by(&key, &authority)?;
    let chain = vec![own.der().clone(), authority.der().clone()];
    Ok((chain, PrivatePkcs8KeyDer::from(key.serialize_der()).into(), authority.pem()))
}

#[cfg(test)]
mod tests {
    use super::{Tls, TlsError};

    #[test]
    fn what_is_no_certificate_or_no_key_is_refused() {
        let refusal = |chain: &str, key: &str| Tls::new(chain.as_bytes(), key.as_bytes()).unwrap_err();
        let made = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (one, other) = (made(), made());
        let (cert, key) = (one.cert.pem(), one.signing_key.serialize_pem());
        assert_eq!(refusal("hello", &key).to_string(), "expected certificates in PEM form, found none");
        assert_eq!(refusal(&cert, "hello").to_string(), "expected a private key in PEM form, found none");
        assert!(matches!(refusal(&cert.replace("MII", "\u{b5}II"), &key), TlsError::Certificates(_)));
        assert!(matches!(refusal(&cert, &other.signing_key.serialize_pem()), TlsError::Pair(_)));
        assert!(Tls::new(cert.as_bytes(), key.as_bytes()).is_ok());
    }

    /// Each run has an authority of its own: one that was trusted once says nothing of another.
    #[test]
    fn authorities_differ() {
        let authority = || Tls::for_localhost().unwrap().1;
        assert!(authority().starts_with("-----BEGIN CERTIFICATE-----") && authority() != authority());
    }
}
