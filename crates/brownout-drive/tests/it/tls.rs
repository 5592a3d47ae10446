//! HTTPS with an authority of one's own.

use std::sync::Arc;

use brownout_clock::Scale;
use brownout_draw::Seed;
use brownout_drive::{Drive, Target, Trust};
use brownout_load::{Exchange, Reply};
use brownout_policy::{Policy, Transport};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;

/// Asks a server with a certificate for `name`, trusting that certificate or not.
async fn ask(name: &str, trusting: bool) -> Exchange {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await else { return };
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret").await;
    });
    let trust = if trusting { Trust::default().and(made.cert.pem().as_bytes()).unwrap() } else { Trust::default() };
    let target = Target::new(&format!("https://localhost:{port}/"), "GET", None, &trust).unwrap();
    let drive = Drive { target: Arc::new(target), policy: Arc::new(Policy::none()), seed: Seed(1), scale: Scale::ONE };
    let exchange = drive.request(1, None).await;
    server.await.unwrap();
    exchange
}

#[tokio::test]
async fn a_trusted_certificate_is_answered() {
    let exchange = ask("localhost", true).await;
    assert_eq!((exchange.reply, exchange.body.as_str()), (Reply::Status(200), "secret"), "{:?}", exchange.error);
}

#[tokio::test]
async fn a_stranger_and_a_wrong_name_are_refused() {
    for (name, trusting) in [("localhost", false), ("elsewhere.test", true)] {
        let exchange = ask(name, trusting).await;
        assert_eq!(exchange.reply, Reply::Broken(Transport::Tls), "{exchange:?}");
        assert!(exchange.error.unwrap().contains("certificate"));
    }
}

#[test]
fn what_is_no_certificate_is_refused() {
    assert_eq!(
        Trust::default().and(b"hello").unwrap_err().to_string(),
        "expected certificates in PEM form, found none"
    );
}
