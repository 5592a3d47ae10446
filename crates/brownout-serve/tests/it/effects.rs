//! Effects that are done though nobody waits for them, and that are not though somebody does.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

use brownout_clock::{Clock, Scale};
use brownout_draw::{Distribution, Seed};
use brownout_serve::{App, Behind, Limits};
use brownout_service::{
    Abandoned, Behaviour, Capacity, Effect, EffectCounts, Identity, Outcomes, Queue, Service, Shed,
};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::{get, talk, with_whole_app};

const MS: fn(u64) -> Duration = Duration::from_millis;

/// Nothing fails, and each request is a payment; with a capacity there is one worker that takes 600 ms.
fn paying(abandoned: Option<Abandoned>) -> Service {
    let base = Behaviour { outcomes: Outcomes::new([]).unwrap(), latency: Distribution::fixed(Duration::ZERO) };
    let capacity = abandoned.map(|abandoned| Capacity {
        workers: 1.try_into().unwrap(),
        service_time: Distribution::fixed(MS(600)),
        queue: Queue::default(),
        shed: Shed::default(),
        abandoned,
    });
    let service = Service::new(base, vec![], vec![]).unwrap().with_capacity(capacity).unwrap();
    service.with_effects(vec![Some(Effect::new("payment"))]).unwrap()
}

/// Somebody behind who takes 100 ms.
#[derive(Debug)]
struct Bank(bool);

impl Behind for Bank {
    fn call(&self, _: Identity, _: Option<Duration>) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(async {
            tokio::time::sleep(MS(100)).await;
            self.0
        })
    }
}

async fn with(app: App, client: impl AsyncFnOnce(SocketAddr, &App)) -> EffectCounts {
    let limits = Limits { drain_time: MS(50), ..Limits::default() };
    with_whole_app(app, limits, async |address, app| {
        client(address, app).await;
        app.effects().remove(0)
    })
    .await
}

/// A request that the server has seen when its client goes.
async fn ask_and_leave(address: SocketAddr, app: &App) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(get("/", "idempotency-key: a\r\n").as_bytes()).await.unwrap();
    while app.requests() == 0 {
        tokio::time::sleep(MS(1)).await;
    }
}

#[tokio::test]
async fn work_for_a_client_that_left_has_its_effect_unless_it_is_stopped() {
    for (abandoned, done) in [(Abandoned::KeepWorking, 2), (Abandoned::DropWaiting, 2), (Abandoned::Drop, 1)] {
        let counts =
            with(App::new(paying(Some(abandoned)), Seed(1), None, Clock::start(Scale::ONE)), async |address, app| {
                ask_and_leave(address, app).await;
                // Long enough for the server to be told, and for the worker to be at it still.
                tokio::time::sleep(MS(50)).await;
                // One worker: with this answer, the first request is over.
                assert!(talk(address, &get("/", "idempotency-key: a\r\n")).await.starts_with("HTTP/1.1 200 "));
            })
            .await;
        assert_eq!((counts.done, counts.duplicates), (done, done - 1), "{abandoned:?}");
    }
}

#[tokio::test]
async fn what_somebody_behind_fails_has_no_effect() {
    for capacity in [None, Some(Abandoned::KeepWorking)] {
        for (succeeds, done) in [(true, 1), (false, 0)] {
            let app = App::new(paying(capacity), Seed(1), None, Clock::start(Scale::ONE))
                .calling(vec![Box::new(Bank(succeeds))]);
            let counts = with(app, async |address, _| {
                let answer = talk(address, &get("/", "")).await;
                assert_eq!(answer.starts_with("HTTP/1.1 200 "), succeeds, "{answer}");
            })
            .await;
            assert_eq!((counts.done, counts.unkeyed), (done, done), "{capacity:?} {succeeds}");
        }
    }
}

#[tokio::test]
async fn calls_go_on_when_their_caller_has_gone_and_so_does_their_effect() {
    let app = App::new(paying(None), Seed(1), None, Clock::start(Scale::ONE)).calling(vec![Box::new(Bank(true))]);
    let counts = with(app, async |address, app| {
        ask_and_leave(address, app).await;
        let patience = Instant::now() + Duration::from_secs(20);
        while app.effects()[0].done == 0 && Instant::now() < patience {
            tokio::time::sleep(MS(1)).await;
        }
    })
    .await;
    assert_eq!(counts.done, 1);
}
