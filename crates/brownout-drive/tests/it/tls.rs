//! HTTPS with an authority of one's own.

use std::sync::Arc;

use brownout_clock::{Clock, Scale};
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

/// Whom a client trusts, and in what it speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    Trusting,
    Stranger,
    Anybody,
    InHttp2,
}

/// Asks a server with a certificate for `name`, which speaks HTTP/1.1.
async fn ask(name: &str, asks: Asks) -> Exchange {
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
    let trust = match asks {
        Asks::Trusting | Asks::InHttp2 => Trust::default().and(made.cert.pem().as_bytes()).unwrap(),
        Asks::Stranger => Trust::default(),
        Asks::Anybody => Trust::default().in_anybody(),
    };
    let target = Target::new(&format!("https://localhost:{port}/"), "GET", None, &trust).unwrap();
    let target = if asks == Asks::InHttp2 { target.over_http2() } else { target };
    let drive = Drive {
        target: Arc::new(target),
        policy: Arc::new(Policy::none()),
        seed: Seed(1),
        clock: Clock::start(Scale::ONE),
    };
    let exchange = drive.request(1, None).await;
    server.await.unwrap();
    exchange
}

#[tokio::test]
async fn a_trusted_certificate_is_answered() {
    let exchange = ask("localhost", Asks::Trusting).await;
    assert_eq!((exchange.reply, exchange.body.as_str()), (Reply::Status(200), "secret"), "{:?}", exchange.error);
}

#[tokio::test]
async fn a_stranger_and_a_wrong_name_are_refused() {
    for (name, asks) in [("localhost", Asks::Stranger), ("elsewhere.test", Asks::Trusting)] {
        let exchange = ask(name, asks).await;
        assert_eq!(exchange.reply, Reply::Broken(Transport::Tls), "{exchange:?}");
        assert!(exchange.error.unwrap().contains("certificate"));
    }
}

#[tokio::test]
async fn who_trusts_anybody_is_answered_by_anybody() {
    assert_eq!(ask("elsewhere.test", Asks::Anybody).await.reply, Reply::Status(200));
}

#[tokio::test]
async fn http2_is_agreed_on_or_there_is_none() {
    let exchange = ask("localhost", Asks::InHttp2).await;
    assert_eq!(exchange.reply, Reply::Broken(Transport::Tls), "{exchange:?}");
    assert!(exchange.error.unwrap().contains("HTTP/2"));
}

#[test]
fn what_is_no_certificate_is_refused() {
    assert_eq!(
        Trust::default().and(b"hello").unwrap_err().to_string(),
        "expected certificates in PEM form, found none"
    );
}
