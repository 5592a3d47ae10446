//! One answer from wiremock, on the port of the command line, until it is ended.

use std::net::{Ipv4Addr, TcpListener};

use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

#[tokio::main]
async fn main() {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).expect("a port");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a free port");
    // Its record of requests is off: it has no bound.
    let server = MockServer::builder().listener(listener).disable_request_recording().start().await;
    let answer = ResponseTemplate::new(200).set_body_string("Hello, world!");
    Mock::given(method("GET")).and(path("/")).respond_with(answer).mount(&server).await;
    std::future::pending().await
}
