//! Requests that are written down as their clients made them.

use std::time::Duration;

use brownout_clock::{Clock, Scale};
use brownout_draw::{Distribution, Probability, Seed, fingerprint};
use brownout_serve::{App, Limits, VisitBounds};
use brownout_service::{Behaviour, Done, Effect, Outcome, Outcomes, Seen, Service};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::{get, talk, with_whole_app};

/// Everything is a payment, which always fails with `failure` where there is one, after `latency`.
fn paying(failure: Option<Outcome>, latency: Duration) -> App {
    let outcomes = Outcomes::new(failure.map(|outcome| (outcome, Probability::ONE))).unwrap();
    let base = Behaviour { outcomes, latency: Distribution::fixed(latency) };
    let service = Service::new(base, vec![], vec![]).unwrap();
    let service = service.with_effects(vec![Some(Effect::new("payment"))]).unwrap();
    let bounds = VisitBounds { headers: vec!["x-request-id".parse().unwrap()], entries: 2 };
    App::new(service, Seed(42), None, Clock::start(Scale::ONE)).with_visits(bounds)
}

#[tokio::test]
async fn a_request_is_written_down_with_what_tells_it_from_others() {
    let app = paying(Some(Outcome::RateLimit), Duration::ZERO);
    let (visits, omitted) = with_whole_app(app, Limits::default(), async |address, app| {
        let body = "POST /pay?a=1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-request-id: r1\r\ncontent-length: 6\r\n\r\nfoobar";
        talk(address, body).await;
        talk(address, &get("/", "")).await;
        talk(address, &get("/", "")).await;
        app.visits()
    })
    .await;
    assert_eq!((visits.len(), omitted), (2, 1));
    let post = &visits[0];
    assert_eq!((&*post.method, &*post.target, post.body), ("POST", "/pay?a=1", fingerprint(b"foobar")));
    assert_eq!((post.headers[0].0.as_str(), &*post.headers[0].1), ("x-request-id", "r1"));
    assert_eq!((post.seen, post.left), (Some(Seen::Status(429)), false));
    assert_eq!(post.retry_after, Outcome::RateLimit.retry_after());
    assert!(post.effect.as_ref().unwrap().get().is_none(), "nothing was done");
    assert_eq!((visits[1].body, visits[1].headers.len()), (fingerprint(b""), 0));
    assert!(
        post.connection < visits[1].connection && post.until.is_some_and(|until| until <= visits[1].at),
        "{visits:?}"
    );
}

/// Its effect was done, and who asked for it does not know.
#[tokio::test]
async fn a_client_that_leaves_is_told_apart() {
    let app = paying(None, Duration::from_secs(600));
    let limits = Limits { drain_time: Duration::from_millis(50), ..Limits::default() };
    let visits = with_whole_app(app, limits, async |address, app| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(get("/", "").as_bytes()).await.unwrap();
        while app.active() == 0 {
            tokio::task::yield_now().await;
        }
        drop(stream);
        while app.visits().0.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        app.visits().0
    })
    .await;
    assert!(visits[0].left && visits[0].seen.is_none(), "{visits:?}");
    assert_eq!(visits[0].effect.as_ref().and_then(|effect| effect.get().copied()), Some(Done::First));
}
