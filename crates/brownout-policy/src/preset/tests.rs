use super::{PRESETS, preset};
use crate::{Callers, Failure, Policy, StopReason, Transport, Verdict};
use std::time::Duration;

/// The delays of a call that meets `failure` again and again, in ms, at the lowest and the highest draw, until it stops: at most
/// ten of them. As the project publishes them.
#[track_caller]
fn check(name: &str, failure: Failure, lowest: &str, highest: &str, end: &str) {
    let policy = Policy::new(preset(name).unwrap()).unwrap();
    let schedule = |draw: u64| {
        let mut callers = Callers::one(&policy);
        let mut now = Duration::ZERO;
        let mut call = callers.call(0, now);
        let mut delays = Vec::new();
        loop {
            let retry = call.next_attempt() > 1;
            if let Err(reason) = callers.begin(&mut call, now, draw) {
                return (delays.join(" "), reason.name());
            }
            match callers.failed(&mut call, now, &failure, draw, retry) {
                Verdict::Retry { .. } if delays.len() == 10 => return (delays.join(" "), "goes on"),
                Verdict::Retry { after, .. } => {
                    delays.push(format!("{}", after.as_nanos().div_ceil(1000) as f64 / 1000.0));
                    now += after;
                }
                Verdict::Stop(reason) => return (delays.join(" "), reason.name()),
                Verdict::Await => unreachable!("nothing is in flight"),
            }
        }
    };
    assert_eq!(schedule(0), (lowest.to_owned(), end), "{name}, lowest draw");
    assert_eq!(schedule(u64::MAX), (highest.to_owned(), end), "{name}, highest draw");
}

/// Which of these statuses are retried: what is left are those that are not.
#[track_caller]
fn check_statuses(name: &str, retried: &[u16], left: &[u16]) {
    let policy = Policy::new(preset(name).unwrap()).unwrap();
    for status in retried {
        assert!(policy.retries(&Failure::status(*status)), "{name} retries {status}");
    }
    for status in left {
        assert!(!policy.retries(&Failure::status(*status)), "{name} leaves {status}");
    }
}

const ERROR: Failure = Failure::status(503);
const RESET: Failure = Failure::transport(Transport::Reset);

fn asked(secs: u64) -> Failure {
    Failure { retry_after: Some(Duration::from_secs(secs)), ..Failure::status(429) }
}

#[test]
fn none() {
    check("none", ERROR, "", "", "exhausted");
}

#[test]
fn families() {
    check("retry-1", ERROR, "0", "0", "exhausted");
    check("retry-3-jitter", ERROR, "0 0 0", "100 200 400", "exhausted");
    check("budget-10", ERROR, "0 0 0", "100 200 400", "exhausted");
    for name in ["retry", "retry-", "retry-x", "budget-0", "budget-101", "budget-1.5", "nothing"] {
        assert!(preset(name).is_none(), "{name}");
    }
}

/// 1 s, 2 s, full jitter; a quota of 500.
#[test]
fn aws_standard_2_0() {
    check("aws-standard-2.0", ERROR, "0 0", "1000 2000", "exhausted");
    check_statuses("aws-standard-2.0", &[500, 502, 503, 504], &[429, 501, 400, 404]);
    assert_eq!(denied_after("aws-standard-2.0", ERROR), 100);
    assert_eq!(denied_after("aws-standard-2.0", Failure::transport(Transport::Timeout)), 50);
}

/// 50 ms doubling; after a 429 one second; the server's hint within [t, t + 5 s].
#[test]
fn aws_standard_2_1() {
    check("aws-standard-2.1", ERROR, "0 0", "50 100", "exhausted");
    check("aws-standard-2.1", Failure::status(429), "0 0", "1000 2000", "exhausted");
    let hint = |ms| Failure { retry_after: Some(Duration::from_millis(ms)), ..ERROR };
    check("aws-standard-2.1", hint(1500), "1500 1500", "1500 1500", "exhausted");
    check("aws-standard-2.1", hint(0), "0 0", "50 100", "exhausted");
    check("aws-standard-2.1", hint(10_000), "5000 5000", "5050 5100", "exhausted");
    check_statuses("aws-standard-2.1", &[429, 500, 502, 503, 504], &[501, 400]);
    // 500 / 14 and 500 / 5, rounded down.
    assert_eq!(denied_after("aws-standard-2.1", ERROR), 35);
    assert_eq!(denied_after("aws-standard-2.1", Failure::status(429)), 100);
}

#[test]
fn aws_legacy_and_adaptive() {
    check("aws-legacy", ERROR, "0 0 0 0", "1000 2000 4000 8000", "exhausted");
    check_statuses("aws-legacy", &[429, 500, 502, 503, 504, 509], &[501, 400]);
    check("aws-adaptive", ERROR, "0 0", "50 100", "exhausted");
    assert!(preset("aws-adaptive").unwrap().adaptive.is_some());
}

#[test]
fn grpc_a6() {
    check("grpc-a6", ERROR, "80 160 320", "120 240 480", "exhausted");
    check_statuses("grpc-a6", &[429, 502, 503, 504], &[500, 400]);
    // Ten tokens, a retry only above five: the fifth failure is one too many.
    assert_eq!(denied_after("grpc-a6", ERROR), 4);
}

#[test]
fn meshes() {
    check("envoy-default", ERROR, "0", "25", "exhausted");
    check("istio-default", Failure::transport(Transport::Connect), "0 0", "25 50", "exhausted");
    check_statuses("istio-default", &[], &[500, 503, 429]);
    check("linkerd-budget", ERROR, "0 0 0 0 0 0 0 0 0 0", "0 0 0 0 0 0 0 0 0 0", "goes on");
    check_statuses("linkerd-budget", &[500, 503], &[429, 404]);
    // The reserve of 10/s for 10 s, and a fifth of the 125 calls made by then.
    assert_eq!(denied_after("finagle", ERROR), 125);
}

#[test]
fn libraries() {
    check("polly-v8", RESET, "2000 2000 2000", "2000 2000 2000", "exhausted");
    check_statuses("polly-v8", &[], &[500, 503, 429]);
    check("resilience4j-default", ERROR, "500 500", "500 500", "exhausted");
    check("tenacity-default", ERROR, "0 0 0 0 0 0 0 0 0 0", "0 0 0 0 0 0 0 0 0 0", "goes on");
    let waits = "1100 1200 1400 1800 2600 4200 5000 5000 5000";
    check("stamina-default", ERROR, "100 200 400 800 1600 3200 5000 5000 5000", waits, "exhausted");
    check("backon-default", ERROR, "1000 2000 4000", "1000 2000 4000", "exhausted");
    let temporal = "1000 2000 4000 8000 16000 32000 64000 100000 100000 100000";
    check("temporal-default", ERROR, temporal, temporal, "goes on");
}

#[test]
fn http_clients() {
    let doubling = "1000 2000 4000 8000";
    check("go-retryablehttp", ERROR, doubling, doubling, "exhausted");
    check(
        "go-retryablehttp",
        asked(7200),
        "7200000 7200000 7200000 7200000",
        "7200000 7200000 7200000 7200000",
        "exhausted",
    );
    check_statuses("go-retryablehttp", &[429, 500, 502, 503], &[501, 404]);
    check("urllib3-default", RESET, "0 0 0", "0 0 0", "exhausted");
    check("urllib3-default", ERROR, "", "", "not_retryable");
    check("urllib3-default", asked(3), "3000 3000 3000", "3000 3000 3000", "exhausted");
    check("curl-retry", ERROR, "1000 2000 4000", "1000 2000 4000", "exhausted");
    check("curl-retry", RESET, "", "", "not_retryable");
    check("curl-retry", asked(100_000), "21600000 21600000 21600000", "21600000 21600000 21600000", "exhausted");
    check_statuses("curl-retry", &[408, 429, 500, 502, 503, 504, 522, 524], &[501, 505, 404]);
    check_statuses("google-api-core", &[429, 500, 503], &[502, 504, 400]);
}

#[test]
fn language_models() {
    for name in ["openai-sdk", "openai-sdk-node", "anthropic-sdk"] {
        check(name, ERROR, "375 750", "500 1000", "exhausted");
        check(name, asked(59), "59000 59000", "59000 59000", "exhausted");
        check_statuses(name, &[408, 409, 429, 500, 501, 503], &[400, 404]);
    }
    check("openai-sdk", asked(121), "", "", "retry_after_too_long");
    check("openai-sdk-node", asked(61), "375 750", "500 1000", "exhausted");
    check("anthropic-sdk", asked(3600), "3600000 3600000", "3600000 3600000", "exhausted");
}

/// How many retries callers that only ever fail are granted before the first is denied; all at one instant, none of them begun.
fn denied_after(name: &str, failure: Failure) -> u32 {
    let policy = Policy::new(crate::Settings { max_retries: Some(1), ..preset(name).unwrap() }).unwrap();
    let mut callers = Callers::one(&policy);
    for granted in 0..10_000 {
        let mut call = callers.call(0, Duration::ZERO);
        callers.begin(&mut call, Duration::ZERO, u64::MAX).unwrap();
        match callers.failed(&mut call, Duration::ZERO, &failure, 0, false) {
            Verdict::Stop(StopReason::BudgetDenied) => return granted,
            Verdict::Retry { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    panic!("nothing is ever denied")
}

#[test]
fn every_preset_is_a_policy_with_a_name_and_a_source_of_its_own() {
    let mut names: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
    for preset in &PRESETS {
        Policy::new(preset.settings()).unwrap();
        assert!(!preset.about.is_empty() && !preset.source.is_empty());
    }
    names.dedup();
    assert_eq!(names.len(), PRESETS.len());
}
