//! Policies that real clients ship with, and a few plain ones to compare them with.

use std::time::Duration;

use crate::{
    Adaptive, AwsCosts, AwsQuota, Budget, ConcurrentBudget, DepositOn, Failures, Growth, GrpcThrottling, Guarded,
    JitterKind, Pushback, Scope, Settings, Throttle, TokenBudget, TooLong, WindowedBudget,
};

/// The defaults of a real client, as far as they can be said of any HTTP service.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// As scenarios and flags call it.
    pub name: &'static str,
    /// What it does, and what of the original it cannot say.
    pub about: &'static str,
    /// Where its numbers were read, and when.
    pub source: &'static str,
    settings: fn() -> Settings,
}

impl Preset {
    /// What it comes to.
    #[must_use]
    pub fn settings(&self) -> Settings {
        (self.settings)()
    }
}

/// The settings called `name`: one of [`PRESETS`], or one of three families: `retry-N` (N retries at once), `retry-N-jitter` (N
/// retries after an exponential backoff from 100 ms with full jitter, at most 10 s) and `budget-P` (the same with 3 retries
/// and a token bucket for each client: a success earns P hundredths of a retry, at most 10 are saved).
#[must_use]
pub fn preset(name: &str) -> Option<Settings> {
    let named = PRESETS.iter().find(|preset| preset.name == name).map(Preset::settings);
    named.or_else(|| family(name))
}

fn family(name: &str) -> Option<Settings> {
    let (kind, rest) = name.split_once('-')?;
    match (kind, rest.strip_suffix("-jitter")) {
        ("retry", Some(retries)) => Some(jittered(retries.parse().ok()?)),
        ("retry", None) => {
            let max_retries = Some(rest.parse().ok()?);
            Some(Settings { max_retries, base_delay: Some(Duration::ZERO), ..Settings::default() })
        }
        ("budget", None) => {
            let percent: f64 = rest.parse().ok().filter(|percent| (1..=100).contains(percent)).map(u32::into)?;
            let bucket = TokenBudget::new(10.0, percent / 100.0, DepositOn::Success).ok()?;
            Some(Settings { budget: Some(Guarded::each(Budget::Tokens(bucket))), ..jittered(3) })
        }
        _ => None,
    }
}

fn jittered(max_retries: u32) -> Settings {
    Settings {
        max_retries: Some(max_retries),
        base_delay: Some(MS(100)),
        max_delay: Some(SECS(10)),
        jitter: Some(JitterKind::Full),
        ..Settings::default()
    }
}

const MS: fn(u64) -> Duration = Duration::from_millis;
const SECS: fn(u64) -> Duration = Duration::from_secs;
/// No bound on the number of retries.
const UNLIMITED: Option<u32> = Some(u32::MAX);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Every preset, the plain one first, then by name.
pub static PRESETS: [Preset; 24] = [
    Preset {
        name: "none",
        about: "one try, no retries",
        source: "nothing to cite",
        settings: || Settings { max_retries: Some(0), ..Settings::default() },
    },
    Preset {
        name: "anthropic-sdk",
        about: "the Anthropic SDKs: 2 retries, 0.5 to 8 s less up to 25 %, a Retry-After of any length; x-should-retry is not read",
        source: "anthropic Python 2.12.0 (_base_client.py), read 2026-11-21",
        settings: || Settings { retry_after_max: Some(YEAR), ..language_model() },
    },
    Preset {
        name: "aws-adaptive",
        about: "the AWS SDKs' adaptive mode: standard 2.1 behind a CUBIC rate limiter",
        source: "botocore 1.44.5 (retries/adaptive.py, throttling.py, bucket.py), read 2026-11-21",
        settings: || Settings { adaptive: Some(Guarded::each(Adaptive)), ..aws_standard_2_1() },
    },
    Preset {
        name: "aws-legacy",
        about: "botocore's legacy mode: 4 retries, U(0, 1) * 2^(n-1) s, no quota; services' own rules are left out",
        source: "botocore 1.44.5 (data/_retry.json, retryhandler.py), read 2026-11-21",
        settings: || Settings {
            max_retries: Some(4),
            base_delay: Some(SECS(1)),
            jitter: Some(JitterKind::Full),
            retry_after: Some(Pushback::Ignore),
            retry_on: Some(failures("429,500,502,503,504,509,throttling,transport")),
            ..Settings::default()
        },
    },
    Preset {
        name: "aws-standard-2.0",
        about: "the AWS SDKs' standard mode until 2026: 2 retries, U(0, 1) * min(2^(n-1), 20) s, a quota of 500 at 5 (timeouts \
                10); throttling is what the body names so: a bare 429 is not retried",
        source: "botocore 1.40.0 (retries/standard.py, quota.py), read 2026-11-21",
        settings: || Settings {
            max_retries: Some(2),
            base_delay: Some(SECS(1)),
            max_delay: Some(SECS(20)),
            jitter: Some(JitterKind::Full),
            retry_after: Some(Pushback::Ignore),
            retry_on: Some(failures("500,502,503,504,throttling,transport")),
            budget: Some(quota(AwsCosts::V2_0)),
            ..Settings::default()
        },
    },
    Preset {
        name: "aws-standard-2.1",
        about: "the AWS SDKs' standard mode since November 2026: 2 retries, U(0, 50 ms), after a 429 U(0, 1 s), doubling to 20 s, \
                a quota of 500 at 14 (429: 5); x-amz-retry-after is read as Retry-After",
        source: "botocore 1.44.5 (retries/standard.py, quota.py), read 2026-11-21",
        settings: aws_standard_2_1,
    },
    Preset {
        name: "backon-default",
        about: "the Rust crate backon: 3 retries, 1 s doubling to 60 s, no jitter; it retries every error",
        source: "backon 1.6.0 (src/backoff/exponential.rs), read 2026-11-21",
        settings: || Settings {
            max_retries: Some(3),
            base_delay: Some(SECS(1)),
            max_delay: Some(SECS(60)),
            retry_after: Some(Pushback::Ignore),
            ..Settings::default()
        },
    },
    Preset {
        name: "curl-retry",
        about: "curl --retry 3: 1 s doubling to 10 min, a Retry-After in place of it, six hours of it at the most; no total limit",
        source: "curl 8.22.0 (src/tool_operate.c, lib/http.c), read 2026-11-21",
        settings: || Settings {
            max_retries: Some(3),
            base_delay: Some(SECS(1)),
            max_delay: Some(SECS(600)),
            retry_after: Some(Pushback::Exact),
            retry_after_max: Some(SECS(21_600)),
            retry_after_over: Some(TooLong::Cap),
            retry_on: Some(failures("408,429,500,502,503,504,522,524,timeout,resolve")),
            ..Settings::default()
        },
    },
    Preset {
        name: "envoy-default",
        about: "Envoy with retry_on: 5xx: 1 retry after U(0, 25 ms), at most 3 at once for the whole proxy",
        source: "Envoy API (route_components.proto, circuit_breaker.proto; envoy-types 0.7.7), read 2026-11-21",
        settings: || Settings {
            max_retries: Some(1),
            retry_on: Some(failures("5xx,transport")),
            budget: Some(Guarded {
                rule: Budget::Concurrent(ConcurrentBudget { ratio: brownout_draw::Probability::ZERO, min: 3 }),
                scope: Scope::Process,
                counts: None,
            }),
            ..envoy_backoff()
        },
    },
    Preset {
        name: "finagle",
        about: "Finagle: as many retries as a budget of 20 % and 10/s lets through, at once; which failures is the service's choice",
        source: "Finagle RetryBudget.scala at 0e26b576, read 2026-11-21",
        settings: linkerd,
    },
    Preset {
        name: "go-retryablehttp",
        about: "hashicorp/go-retryablehttp: 4 retries, 1 s doubling to 30 s, a Retry-After in place of it however long",
        source: "go-retryablehttp 0.7.1 (client.go), read 2026-11-21",
        settings: || Settings {
            max_retries: Some(4),
            base_delay: Some(SECS(1)),
            max_delay: Some(SECS(30)),
            retry_after: Some(Pushback::Exact),
            retry_after_max: Some(YEAR),
            retry_on: Some(failures("429,500,502-599,transport")),
            ..Settings::default()
        },
    },
    Preset {
        name: "google-api-core",
        about: "Google's Python clients: U(0, min(2^(n-1), 60)) s, as often as 120 s allow",
        source: "google-api-core 2.44.0 (api_core/retry), read 2026-11-21",
        settings: || Settings {
            max_retries: UNLIMITED,
            base_delay: Some(SECS(1)),
            max_delay: Some(SECS(60)),
            jitter: Some(JitterKind::Full),
            deadline: Some(SECS(120)),
            retry_after: Some(Pushback::Ignore),
            retry_on: Some(failures("429,500,503,resolve,connect,reset,closed,protocol")),
            ..Settings::default()
        },
    },
    Preset {
        name: "grpc-a6",
        about: "the example of gRPC's A6: 3 retries, 0.1 s doubling to 1 s, +-20 %, throttling at half of 10 tokens; UNAVAILABLE is \
                what its mapping makes of 429, 502, 503 and 504",
        source: "grpc/proposal A6-client-retries.md at 0070717f, with the jitter of pull request 452, read 2026-11-21",
        settings: || Settings {
            max_retries: Some(3),
            base_delay: Some(MS(100)),
            // The jitter of gRPC may pass the cap.
            max_delay: Some(MS(1200)),
            jitter: Some(JitterKind::Proportional),
            retry_after: Some(Pushback::Exact),
            retry_on: Some(failures("429,502-504,resolve,connect,reset,closed")),
            budget: Some(Guarded {
                rule: Budget::Grpc(GrpcThrottling::new(10, 0.1).expect("the proposal's numbers")),
                scope: Scope::Process,
                counts: None,
            }),
            ..Settings::default()
        },
    },
    Preset {
        name: "istio-default",
        about: "Istio: 2 retries of what did not connect, after Envoy's U(0, 25 ms) doubling to 250 ms; a 503 is not retried since 1.24",
        source: "istio pilot/pkg/networking/core/route/retry/retry.go at 7adf6095, read 2026-11-21",
        settings: || Settings { max_retries: Some(2), retry_on: Some(failures("resolve,connect")), ..envoy_backoff() },
    },
    Preset {
        name: "linkerd-budget",
        about: "Linkerd's ServiceProfile: as many retries of a 5xx as a budget of 20 % and 10/s lets through, at once",
        source: "Linkerd documentation, retry budgets (20 %, 10/s, ttl 10 s), read 2026-11-21",
        settings: || Settings { retry_on: Some(failures("5xx")), ..linkerd() },
    },
    Preset {
        name: "openai-sdk",
        about: "the OpenAI Python SDK: 2 retries, 0.5 to 8 s less up to 25 %, a Retry-After of at most 120 s; x-should-retry is not read",
        source: "openai Python 3.54.0 (_constants.py, _base_client.py), read 2026-11-21",
        settings: language_model,
    },
    Preset {
        name: "openai-sdk-node",
        about: "the OpenAI Node SDK: as openai-sdk, but a Retry-After over 60 s is overheard",
        source: "openai Node 7.57.0 (src/client.ts), read 2026-11-21",
        settings: || Settings {
            retry_after_max: Some(SECS(60)),
            retry_after_over: Some(TooLong::Ignore),
            ..language_model()
        },
    },
    Preset {
        name: "polly-v8",
        about: "Polly's RetryStrategyOptions: 3 retries of what throws, 2 s apart, no jitter; no status is handled",
        source: "Polly documentation, retry strategy defaults, read 2026-11-21",
        settings: || Settings {
            max_retries: Some(3),
            growth: Some(Growth::Constant),
            base_delay: Some(SECS(2)),
            retry_after: Some(Pushback::Ignore),
            retry_on: Some(failures("transport,tls")),
            ..Settings::default()
        },
    },
    Preset {
        name: "resilience4j-default",
        about: "resilience4j's RetryConfig: 2 retries of what throws, 500 ms apart; taken to be any 4xx and 5xx",
        source: "resilience4j RetryConfig.java at 19c02ceb, read 2026-11-21",
        settings: || Settings {
            max_retries: Some(2),
            growth: Some(Growth::Constant),
            base_delay: Some(MS(500)),
            retry_after: Some(Pushback::Ignore),
            retry_on: Some(failures("4xx,5xx,transport,tls")),
            ..Settings::default()
        },
    },
    Preset {
        name: "sre-throttle",
        about: "Google's SRE book: 2 retries within 10 % of the client's requests, and client-side throttling with K = 2 over 2 min",
        source: "Site Reliability Engineering, chapter \"Handling Overload\"; the window of the 10 % is ours, 10 s",
        settings: || Settings {
            budget: Some(Guarded::each(Budget::Windowed(
                WindowedBudget::new(0.1, 0, SECS(10)).expect("a tenth within ten seconds"),
            ))),
            throttle: Some(Guarded {
                rule: Throttle::new(2.0, SECS(120)).expect("the book's numbers"),
                scope: Scope::Client,
                counts: Some(failures("429,503,transport")),
            }),
            ..jittered(2)
        },
    },
    Preset {
        name: "stamina-default",
        about: "the Python package stamina: 9 retries, min(5, 0.1 * 2^(n-1) + U(0, 1)) s, 45 s in all (which the original may overshoot)",
        source: "stamina 26.1.0, read 2026-11-21",
        settings: || Settings {
            max_retries: Some(9),
            base_delay: Some(MS(100)),
            max_delay: Some(SECS(5)),
            jitter: Some(JitterKind::Additive),
            jitter_width: Some(SECS(1)),
            deadline: Some(SECS(45)),
            retry_after: Some(Pushback::Ignore),
            ..Settings::default()
        },
    },
    Preset {
        name: "temporal-default",
        about: "a Temporal activity: retries without end, 1 s doubling to 100 s, no jitter",
        source: "temporalio/temporal at 2eef2524, read 2026-11-21",
        settings: || Settings {
            max_retries: UNLIMITED,
            base_delay: Some(SECS(1)),
            max_delay: Some(SECS(100)),
            retry_after: Some(Pushback::Ignore),
            ..Settings::default()
        },
    },
    Preset {
        name: "tenacity-default",
        about: "the Python package tenacity without arguments: retries without end and without a wait; taken to be any 4xx and 5xx",
        source: "tenacity 9.2.1, read 2026-11-21",
        settings: || Settings {
            max_retries: UNLIMITED,
            base_delay: Some(Duration::ZERO),
            retry_after: Some(Pushback::Ignore),
            retry_on: Some(failures("4xx,5xx,transport,tls")),
            ..Settings::default()
        },
    },
    Preset {
        name: "urllib3-default",
        about: "urllib3's Retry.DEFAULT for a GET: 3 retries at once of broken exchanges, and of 413, 429 and 503 that say when to \
                come back",
        source: "urllib3 2.8.0 (util/retry.py), read 2026-11-21",
        settings: || Settings {
            max_retries: Some(3),
            base_delay: Some(Duration::ZERO),
            retry_after: Some(Pushback::Exact),
            retry_after_max: Some(SECS(21_600)),
            retry_after_over: Some(TooLong::Cap),
            retry_on: Some(failures("transport,tls,retry_after")),
            ..Settings::default()
        },
    },
];

fn aws_standard_2_1() -> Settings {
    Settings {
        max_retries: Some(2),
        base_delay: Some(MS(50)),
        throttling_base_delay: Some(SECS(1)),
        max_delay: Some(SECS(20)),
        jitter: Some(JitterKind::Full),
        retry_after: Some(Pushback::Clamp),
        retry_on: Some(failures("429,500,502,503,504,throttling,transport")),
        budget: Some(quota(AwsCosts::V2_1)),
        ..Settings::default()
    }
}

/// A client of an SDK has one quota.
fn quota(costs: AwsCosts) -> Guarded<Budget> {
    Guarded::each(Budget::Aws(AwsQuota::new(500, costs).expect("the SDKs' numbers")))
}

/// Source: Envoy `route_components.proto`: a base interval of 25 ms, at most ten times that, full jitter.
fn envoy_backoff() -> Settings {
    Settings {
        base_delay: Some(MS(25)),
        max_delay: Some(MS(250)),
        jitter: Some(JitterKind::Full),
        retry_after: Some(Pushback::Ignore),
        ..Settings::default()
    }
}

/// The budget is of the proxy or client process, not of those who call through it.
fn linkerd() -> Settings {
    Settings {
        max_retries: UNLIMITED,
        base_delay: Some(Duration::ZERO),
        retry_after: Some(Pushback::Ignore),
        budget: Some(Guarded {
            rule: Budget::Windowed(WindowedBudget::new(0.2, 10, SECS(10)).expect("Finagle's numbers")),
            scope: Scope::Process,
            counts: None,
        }),
        ..Settings::default()
    }
}

fn language_model() -> Settings {
    Settings {
        max_retries: Some(2),
        base_delay: Some(MS(500)),
        max_delay: Some(SECS(8)),
        jitter: Some(JitterKind::Subtractive),
        attempt_timeout: Some(SECS(600)),
        retry_after: Some(Pushback::Exact),
        retry_after_max: Some(SECS(120)),
        retry_on: Some(failures("408,409,429,5xx,transport")),
        ..Settings::default()
    }
}

fn failures(words: &str) -> Failures {
    words.parse().expect("a preset names failures that there are")
}

#[cfg(test)]
mod tests;
