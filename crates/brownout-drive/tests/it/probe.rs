//! Looking at a load while it goes on.

use std::io::Write;
use std::net::TcpListener;
use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::Seed;
use brownout_drive::Probe;
use brownout_load::{Arrivals, Load, Rate};
use brownout_policy::Settings;

use crate::both::drive;
use crate::raw::{head, server};

const MS: fn(u64) -> Duration = Duration::from_millis;

fn once() -> Settings {
    Settings { max_retries: Some(0), ..Settings::default() }
}

#[tokio::test]
async fn what_nobody_answers_is_in_flight_until_it_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let arrivals = Arrivals::Constant(Rate::per_second(100.0).unwrap());
    let load = Load { arrivals, count: Some(1_000_000), ..Load::default() };
    let probe = Probe::default();
    assert!(probe.snapshot().is_none());
    let looked = async {
        while probe.snapshot().is_none_or(|snapshot| snapshot.begun < 10) {
            tokio::time::sleep(MS(5)).await;
        }
        let snapshot = probe.snapshot().unwrap();
        assert_eq!((snapshot.ended, snapshot.in_flight()), (0, snapshot.begun));
        assert!(snapshot.elapsed > Duration::ZERO && snapshot.pace.lag().count() >= 10);
        String::new()
    };
    let result = drive(&url, once(), Seed(1)).load_of(None, &load, None, looked, |_, _| (), &probe).await;
    let last = probe.snapshot().unwrap();
    assert_eq!((last.begun, last.in_flight(), last.failed()), (result.calls.started, 0, result.calls.abandoned));
}

#[tokio::test]
async fn counts_only_grow_and_the_last_are_those_of_the_result() {
    let url = server(1, |_, mut stream| {
        for status in ["200 OK", "500 Error"].into_iter().cycle() {
            head(&mut stream);
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    let load = Load { count: Some(400), clients: NonZeroU32::MIN, ..Load::default() };
    let probe = Probe::default();
    let looks = async {
        let mut before = (0, 0, 0, 0);
        loop {
            if let Some(now) = probe.snapshot() {
                let counts = (now.begun, now.ended, now.attempts.total, now.by_status.values().sum::<u64>());
                assert!(before.0 <= counts.0 && before.1 <= counts.1 && before.2 <= counts.2, "{before:?}, {counts:?}");
                assert!(counts.1 <= counts.0 && now.in_flight() <= 1 && counts.3 == counts.2, "{counts:?}");
                before = counts;
            }
            tokio::time::sleep(MS(1)).await;
        }
    };
    let result = drive(&url, once(), Seed(1)).load_of(None, &load, None, looks, |_, _| (), &probe).await;
    let last = probe.snapshot().unwrap();
    assert_eq!((last.begun, last.ended, last.succeeded), (400, 400, result.calls.succeeded));
    assert_eq!(last.response().summary(), result.latency_ms.response);
    assert_eq!((last.attempts, last.by_status), (result.attempts, result.by_status));
}
