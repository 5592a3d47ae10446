//! TLS below HTTP/1.1 and HTTP/2: what they agree on, and how a connection ends beneath it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use brownout_clock::{Clock, Scale};
use brownout_draw::{Distribution, Seed};
use brownout_serve::{App, Limits, Server, Tls};
use brownout_service::{Abandoned, Behaviour, Capacity, Fault, Outcome, Outcomes, Point, Queue, Service, Shed};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::faults::{always, bad_route, by_default, n};
use crate::get;
use crate::raw::{Client, Fate, is_reset, told};

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// Runs a server of `service` that speaks TLS, while `client` talks to its address with a certificate to trust.
async fn with_tls<T: Send + 'static>(
    service: Service,
    client: impl FnOnce(SocketAddr, String) -> T + Send + 'static,
) -> T {
    let (tls, authority) = Tls::for_localhost().unwrap();
    let server = Server::bind(([127, 0, 0, 1], 0).into(), Limits::default()).await.unwrap().with_tls(tls);
    let address = server.address();
    assert_eq!(server.scheme(), "https");
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let app = Arc::new(App::new(service, Seed(42), None, Clock::start(Scale::ONE)));
    let running = tokio::spawn(server.run(app, async { ended.await.unwrap_or(()) }));
    let met = tokio::task::spawn_blocking(move || client(address, authority)).await.unwrap();
    drop(end);
    tokio::time::timeout(Duration::from_secs(20), running).await.expect("the server ends").unwrap();
    met
}

/// A connection to what is called `name`, which speaks `protocol`.
fn connect(address: SocketAddr, authority: &str, name: &str, protocol: &str) -> Stream {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let connection = ClientConnection::new(Arc::new(config), name.to_owned().try_into().unwrap()).unwrap();
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    StreamOwned::new(connection, socket)
}

/// What a GET over HTTP/1.1 brings, and how it ends: with a clean end, told by TLS, or with a reset of the socket.
fn talk(address: SocketAddr, authority: &str) -> (String, Fate) {
    let mut stream = connect(address, authority, "localhost", "http/1.1");
    stream.write_all(get("/", "").as_bytes()).unwrap();
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return (String::from_utf8_lossy(&bytes).into_owned(), Fate::Fin),
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
            Err(error) if is_reset(error.kind()) => {
                return (String::from_utf8_lossy(&bytes).into_owned(), Fate::Reset);
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn both_are_spoken_by_agreement() {
    with_tls(bad_route(Fault::truncate_half()), |address, authority| {
        for name in ["localhost", "127.0.0.1", "::1"] {
            let mut client = Client::over(connect(address, &authority, name, "h2"), &[]);
            client.get(1, "/");
            assert_eq!(told(&client.until_end_of(1)).len(), 2);
            let mut stream = connect(address, &authority, name, "http/1.1");
            stream.write_all(get("/", "").as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        }
        // Plain HTTP is not spoken here.
        let mut plain = TcpStream::connect(address).unwrap();
        plain.write_all(get("/", "").as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = plain.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP"));
    })
    .await;
}

#[tokio::test]
async fn an_authority_of_another_run_is_not_trusted() {
    let (_, other) = Tls::for_localhost().unwrap();
    with_tls(by_default(Outcome::Error), move |address, _| {
        let error = connect(address, &other, "localhost", "h2").write_all(b"x").unwrap_err();
        assert!(error.to_string().contains("certificate"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn faults_go_through_tls_and_a_reset_is_of_the_socket_below() {
    let met = async |fault| with_tls(always(fault), |address, authority| talk(address, &authority)).await;
    let (text, fate) = met(Fault::connection_reset(Point::Body(7)).unwrap()).await;
    assert!(fate == Fate::Reset && text.ends_with("\r\n\r\n{\"messa"), "{text}");
    let by_default = |outcome| by_default(outcome).base().outcomes.fault(outcome, || 0).unwrap().clone();
    assert_eq!(met(by_default(Outcome::EmptyResponse)).await, (String::new(), Fate::Fin));
    let (text, fate) = met(Fault::truncate(5).unwrap()).await;
    assert!(fate == Fate::Fin && text.ends_with("\r\n\r\n{\"mes"), "{text}");
    assert_eq!(met(by_default(Outcome::LostReply)).await, (String::new(), Fate::Reset));
}

#[tokio::test]
async fn faults_of_http2_go_through_tls() {
    let met = async |fault| {
        with_tls(always(fault), |address, authority| {
            let mut client = Client::over(connect(address, &authority, "localhost", "h2"), &[]);
            client.get(1, "/");
            (told(&client.until_end_of(1)), client.fate)
        })
        .await
    };
    let (frames, fate) = met(Fault::connection_reset(Point::Body(7)).unwrap()).await;
    assert_eq!((frames.concat().as_str(), fate), ("200{\"messa", Some(Fate::Reset)));
    let (frames, fate) = met(Fault::goaway(Fault::GOAWAY)).await;
    assert_eq!((frames.concat().as_str(), fate), ("GOAWAY 0 0", Some(Fate::Fin)));
    let (frames, fate) = met(Fault::rst_stream(Point::Head, Fault::RST_STREAM).unwrap()).await;
    assert_eq!((frames.concat().as_str(), fate), ("200RST_STREAM 2", None));
}

/// One worker, which drops what nobody waits for: a client that is gone makes room for the next, above TLS too.
#[tokio::test]
async fn who_leaves_has_abandoned_its_request() {
    let capacity = Capacity {
        workers: n(1),
        service_time: Distribution::fixed(Duration::from_millis(1000)),
        queue: Queue::default(),
        shed: Shed::default(),
        abandoned: Abandoned::Drop,
    };
    let base = Behaviour { outcomes: Outcomes::new([]).unwrap(), latency: Distribution::fixed(Duration::ZERO) };
    let service = Service::new(base, vec![], vec![]).unwrap().with_capacity(Some(capacity)).unwrap();
    let elapsed = with_tls(service, |address, authority| {
        let start = Instant::now();
        let mut leaves = connect(address, &authority, "localhost", "http/1.1");
        leaves.write_all(get("/", "").as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        drop(leaves);
        let (text, _) = talk(address, &authority);
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
        start.elapsed()
    })
    .await;
    // One after another they would take two seconds.
    assert!(elapsed >= Duration::from_millis(1150) && elapsed < Duration::from_millis(1950), "{elapsed:?}");
}
