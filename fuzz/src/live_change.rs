//! Any text as a change of a service that runs.

use std::sync::LazyLock;
use std::time::Duration;

use brownout_scenario::{LivePhase, Scenario};
use brownout_service::{Identity, Live, Request, Service};

use super::scenario::refused;
use super::service::{self, SEED};

/// When the change is made.
const NOW: Duration = Duration::from_secs(100);

/// A service that everything can be changed of, and one of which little can.
static SERVICES: LazyLock<[Service; 2]> = LazyLock::new(|| {
    let whole = r#"
        [service]
        latency = "10ms"
        outcomes = { error = "10%" }
        replicas = { count = 3 }
        capacity = { workers = 4, service_time = "20ms" }
        [[service.routes]]
        match = "POST /payments/{id}"
        outcomes = { lost_reply = "5%" }
        [[phases]]
        name = "outage"
        from = "90s"
        for = "60s"
        outcomes = { error = 1 }
    "#;
    [whole, "[service]\nlatency = \"10ms\""].map(|text| {
        let read = Scenario::parse("base.toml", text).expect("the service is sound");
        read.scheduled(SEED).service
    })
});

/// A text is a change, which a service takes or refuses, and which leaves no trace before and after; or it is refused with
/// reasons that have their places in it.
pub fn live_change(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match LivePhase::parse(&text) {
        Ok(live) => SERVICES.iter().for_each(|service| change(service, live.clone())),
        Err(invalid) => refused(&invalid, &text),
    }
}

fn change(before: &Service, live: LivePhase) {
    let phase = live.begun(NOW);
    let (name, window) = (phase.name.clone(), phase.window);
    let until = window.until.expect("a change ends");
    assert!(window.from == NOW && until <= NOW + LivePhase::LASTS_MAX, "{window:?}");
    let begun = Live::Begun(phase);
    let Ok(changed) = before.with_live(std::slice::from_ref(&begun)) else { return };
    service::ask(&changed, until);
    for moment in [NOW.saturating_sub(Duration::from_nanos(1)), until] {
        same(before, &changed, moment);
    }
    // Undone while it is on, it is over then, and so is what has its name.
    let middle = NOW + (until - NOW) / 2;
    let ended = Live::Ended { phase: name, at: middle };
    let undone = before.with_live(&[begun, ended.clone()]).expect("an end goes with any service");
    service::ask(&undone, until);
    same(&before.with_live(&[ended]).expect("an end goes with any service"), &undone, middle);
}

/// At `moment` both decide alike.
fn same(one: &Service, other: &Service, moment: Duration) {
    let request = Request { method: "POST", path: "/payments/7" };
    for number in 1..=3 {
        let decide = |service: &Service| {
            let landed = service.land(SEED, Identity::first(number), |_| None);
            format!("{:?}", service.decide(SEED, service.route(&request), landed, moment))
        };
        assert_eq!(decide(one), decide(other), "at {moment:?}");
    }
    assert_eq!(one.workers(moment), other.workers(moment));
    assert_eq!(one.refuses_at(moment), other.refuses_at(moment));
}
