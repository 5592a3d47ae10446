use crate::{Moments, Scenario};
use brownout_draw::{Distribution, Seed};
use brownout_load::{Arrivals, Load, Spacing};
use brownout_policy::{Growth, JitterKind};
use brownout_service::{
    Cost, Effect, Fault, HintForm, LimitKey, LimitRule, Outcome, Request, RetryAfter, RetryAfterWait, Sticky,
    TokenBucket,
};
use std::time::Duration;

/// The problems of `text` as `line:column message (hint)`, one a line; `fine` without any.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found = match Scenario::parse("test.toml", text) {
        Ok(_) => vec!["fine".to_owned()],
        Err(invalid) => invalid
            .problems()
            .iter()
            .map(|problem| {
                let (line, column) = invalid.place(problem);
                let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
                format!("{line}:{column} {}{hint}", problem.message)
            })
            .collect(),
    };
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "found {found}\nexpected {expected}");
    }
}

const WHOLE: &str = r#"
seed = 42

[service]
latency = { lognormal = { median = "40ms", p99 = "400ms", max = "2s" } }
identity = "header:Idempotency-Key"

[service.outcomes]
error = 0.10
rate_limit = "5%"

[[service.routes]]
match = "POST /payments/{id}"
outcomes = { error = 0.02 }
latency = { percentiles = { p50 = "120ms", p90 = "300ms", "p99.9" = "2s" } }

[[phases]]
name = "outage"
from = "30s"
for = "10s"
outcomes = { error = 1.0 }

[load]
count = 1_000
arrivals = { closed = { clients = 8, think = { exponential = "1s" } } }

[policy]
max_retries = 4
base_delay = 0.1
backoff = "linear"
jitter = "full"
deadline = "10s"
retry_on = [429, "5xx"]
"#;

#[test]
fn a_whole_file_becomes_valid_types() {
    let scenario = Scenario::parse("whole.toml", WHOLE).unwrap();
    assert_eq!(scenario.seed, Some(Seed(42)));
    assert_eq!(scenario.identity_header.as_deref(), Some("idempotency-key"));
    assert!((scenario.service.base().outcomes.rate(Outcome::Success) - 0.85).abs() < 1e-12);
    let payment = Request { method: "POST", path: "/payments/7" };
    let route = scenario.service.route(&payment);
    let decision =
        scenario.service.decide(Seed(1), route, brownout_service::Identity::first(1), Duration::from_secs(30));
    assert_eq!((decision.outcome, decision.phase), (Outcome::Error, Some("outage")));
    assert_eq!((scenario.load.count, scenario.load.clients.get()), (Some(1000), 8));
    let policy = scenario.policy.unwrap();
    assert_eq!((policy.growth, policy.jitter), (Some(Growth::Linear), Some(JitterKind::Full)));
    assert_eq!((policy.base_delay, policy.deadline), (Some(Duration::from_millis(100)), Some(Duration::from_secs(10))));
}

#[test]
fn json_says_the_same() {
    let toml = "[service]\nlatency = \"40ms\"\noutcomes = { error = 0.1 }\n[load]\ncount = 7\n";
    let json = r#"{ "service": { "latency": "40ms", "outcomes": { "error": 0.1 } }, "load": { "count": 7 } }"#;
    assert_eq!(Scenario::parse("a", toml).unwrap(), Scenario::parse("b", json).unwrap());
}

#[test]
fn what_a_file_does_not_name_does_not_happen() {
    let scenario = Scenario::parse("empty.toml", "").unwrap();
    assert_eq!(scenario.service.base().latency, Distribution::fixed(Duration::ZERO));
    assert!((scenario.service.base().outcomes.rate(Outcome::Success) - 1.0).abs() < f64::EPSILON);
    assert_eq!(scenario.policy, None);
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_known_one() {
    check(
        "sead = 1",
        &["1:1 scenario has no key `sead` (did you mean `seed`? known keys: seed, service, services, phases"],
    );
    check("[service]\nlatancy = 1", &["2:1 service has no key `latancy` (did you mean `latency`?"]);
    check("[service.outcomes]\nsuccess = 0.9", &["2:1 outcomes has no key `success` (the success is what"]);
    check("[policy]\nxyz = 1", &["2:1 policy has no key `xyz` (known keys: preset, max_retries"]);
}

#[test]
fn several_mistakes_are_told_at_once_in_the_order_of_the_text() {
    let text = "seed = -1\n[service]\nlatency = \"fast\"\n[service.outcomes]\nerror = 5\n[load]\ncount = \"many\"\n";
    check(
        text,
        &[
            "1:8 a seed is a whole number from 0 to 18446744073709551615, found -1",
            "3:11 a duration is a number with a unit (ns, us, ms, s, m, h) or a bare number of seconds, found `fast`",
            "5:9 a probability lies from 0 to 1, found 5; for a percentage write \"5%\"",
            "7:9 a count is a whole number from 0 to 18446744073709551615, found \"many\"",
        ],
    );
}

#[test]
fn a_mistake_in_one_table_hides_none_in_another_and_invents_none() {
    check(
        "[[phases]]\nname = \"a\"\nlatency = \"fast\"\n[load]\ncount = -1\n[policy]\njitter = \"proportionel\"\njitter_ratio = 0.1",
        &[
            "3:11 a duration is a number",
            "5:9 a count is a whole number from 0 to",
            "7:10 expected one of none, full, equal, decorrelated, proportional",
        ],
    );
    check(
        "[[phases]]\nname = \"a\"\nfor = 0\nlatency = 1\n[policy]\nfactor = 0.5",
        &["3:7 phase `a` lasts no time at all", "6:10 factor must be a number from 1"],
    );
}

#[test]
fn a_request_is_a_method_and_a_path() {
    let request = |text: &str| Scenario::parse("x", &format!("[load]\nrequest = \"{text}\"")).unwrap().load.request;
    assert_eq!((request("/a").method.as_str(), request("/a").path.as_str()), ("GET", "/a"));
    assert_eq!((request("POST /a?b").method.as_str(), request("POST /a?b").path.as_str()), ("POST", "/a?b"));
    check("[load]\nrequest = \"get /\"", &["2:11 a request is a path such as"]);
    let text = "[load.request]\nmethod = \"POST\"\nheaders = { X-Region = \"eu\" }\nidempotency_key = true";
    let Load { request, carried, .. } = Scenario::parse("x", text).unwrap().load;
    assert_eq!((request.method.as_str(), request.path.as_str(), carried.header("x-region")), ("POST", "/", Some("eu")));
    assert!(carried.key(Seed(1), 1).is_some());
    check(
        "[load.request]\nmethod = \"post\"\npath = \"a\"\nidempotency_key = 1",
        &["2:10 a method is a word in capitals", "3:8 a path is visible text", "4:19 expected true or false"],
    );
    let both = "[load.request]\nheaders = { idempotency-key = \"x\" }\nidempotency_key = true";
    check(both, &["2:11 with `idempotency_key` each call has a value of its own"]);
}

const MIX: &str = r#"
[[load.requests]]
weight  = 3
request = "GET /users/{user}/orders?page={page}"
headers = { X-Tenant = "{tenant}" }
[[load.requests]]
request = "POST /orders"
body    = '{"user": "{user}", "of": {"tenant": "{tenant}"}}'
idempotency_key = true
[[load.requests]]
weight  = 0.5
request = "PUT /note"
body    = "of {user}"
[load.values]
user   = ["al", "bo b"]
page   = { from = 1, to = 50 }
tenant = [7, "x"]
"#;

#[test]
fn calls_draw_what_they_ask_for() {
    let load = Scenario::parse("x", MIX).unwrap().load;
    assert_eq!((load.request.method.as_str(), load.request.path.as_str()), ("GET", "/users/al/orders?page=1"));
    let mut seen = std::collections::BTreeSet::new();
    for call in 1..2000 {
        let drawn = load.carried.drawn(Seed(1), call).unwrap();
        let headers: Vec<_> = drawn.headers().map(|(name, value)| format!("{name}: {value}")).collect();
        let line = drawn.line();
        let path = line.path.split_once("page").map_or(line.path.as_str(), |(path, _)| path).to_owned();
        assert_eq!(load.carried.key(Seed(1), call).is_some(), line.method == "POST");
        assert_eq!(load.carried.value("x-tenant", Seed(1), call).is_some(), line.method == "GET");
        seen.insert(format!("{} {path} {} {}", line.method, headers.join(", "), drawn.body().unwrap_or_default()));
    }
    let seen: Vec<_> = seen.iter().map(String::as_str).collect();
    let expected = [
        "GET /users/al/orders? x-tenant: 7 ",
        "GET /users/al/orders? x-tenant: x ",
        "GET /users/bo%20b/orders? x-tenant: 7 ",
        "GET /users/bo%20b/orders? x-tenant: x ",
        "POST /orders content-type: application/json {\"user\": \"al\", \"of\": {\"tenant\": \"7\"}}",
        "POST /orders content-type: application/json {\"user\": \"al\", \"of\": {\"tenant\": \"x\"}}",
        "POST /orders content-type: application/json {\"user\": \"bo b\", \"of\": {\"tenant\": \"7\"}}",
        "POST /orders content-type: application/json {\"user\": \"bo b\", \"of\": {\"tenant\": \"x\"}}",
        "PUT /note content-type: text/plain of al",
        "PUT /note content-type: text/plain of bo b",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn one_request_can_have_values_and_a_body_too() {
    let load = |text: &str| Scenario::parse("x", text).unwrap().load;
    let one = load("[load]\nrequest = \"POST /{a}\"\nbody = \"[{a}]\"\nvalues = { a = [5] }\n");
    let drawn = one.carried.drawn(Seed(1), 1).unwrap();
    assert_eq!((drawn.line().path.as_str(), drawn.body().as_deref()), ("/5", Some("[5]")));
    assert_eq!(drawn.header("content-type").as_deref(), Some("application/json"));
    let table = load("[load]\nbody = \"x\"\n[load.request]\npath = \"/b\"\nheaders = { Content-Type = \"a/b\" }\n");
    let drawn = table.carried.drawn(Seed(1), 1).unwrap();
    assert_eq!((drawn.line().path.as_str(), drawn.headers().count()), ("/b", 1));
    // Where there is nothing to draw, nothing is drawn.
    let plain = load("[load.request]\npath = \"/{{a}}\"\nheaders = { b = \"{{c}}\" }\n");
    assert!(plain.carried.requests().is_none());
    assert_eq!((plain.request.path.as_str(), plain.carried.header("b")), ("/{a}", Some("{c}")));
}

#[test]
fn what_cannot_be_asked_for_is_refused_at_its_place() {
    check("[load]\nrequest = \"/{user}\"\n", &["2:11 no values are called `user`; give it some in `load.values`"]);
    check("[load]\nvalues = { user = [\"a\"] }\n", &["2:19 no request has the name `user` in it"]);
    check("[load]\nrequest = \"/{a}\"\nvalues = { a = [] }\n", &["3:16 values are 1 to 10000 texts"]);
    check("[load]\nrequest = \"/{a}\"\nvalues = { a = { from = 2, to = 1 } }\n", &["3:16 values are 1 to 10000 texts"]);
    check(
        "[load]\nvalues = { a-b = [1], c = 3, d = [true] }\n",
        &[
            "2:12 a name of values has letters, digits and underscores, found `a-b`",
            "2:27 values are a list of texts, or whole numbers",
            "2:35 expected text or a number, found true",
        ],
    );
    check("[load]\nrequests = []\n", &["2:12 there is no request in here"]);
    check("[[load.requests]]\nweight = 1\n", &["1:1 load.requests needs the key `request`"]);
    check("[[load.requests]]\nweight = 0\nrequest = \"/\"\n", &["1:1 a load asks for something"]);
    check("[[load.requests]]\nrequest = \"/\"\nbody = \"{a}\"\n", &["3:8 no values are called `a`"]);
    check("[[load.requests]]\nrequest = \"/a#b\"\nbody = \"x\"\n", &["2:11 a path begins with one `/`"]);
    check(
        "[load]\nrequest = \"/\"\n[[load.requests]]\nrequest = \"/\"\nheaders = { host = \"x\" }\n",
        &["2:1 each of `requests` says for itself what it is; drop `request`, or them"],
    );
    check(
        "[[load.requests]]\nrequest = \"/\"\nbody = \"\"\nheaders = { host = \"x\" }\n",
        &["4:11 the header `host` tells how"],
    );
    let large = format!("[load]\nbody = \"{}\"\n", "x".repeat((1 << 20) + 1));
    check(&large, &["2:8 a text here has at most 1048576 bytes, found 1048577"]);
}

#[test]
fn effects_are_the_routes_own_the_services_or_none() {
    let text = r#"
        [service]
        effect = "order"
        [[service.routes]]
        match = "/payments"
        effect = { name = "payment", key = "header:X-Pay", once = true }
        [[service.routes]]
        match = "/health"
        effect = "none"
        [[service.routes]]
        match = "/orders"
    "#;
    let service = Scenario::parse("x", text).unwrap().service;
    let effect = |path| service.effect(service.route(&Request { method: "GET", path })).cloned();
    let payment = Effect { header: "x-pay".to_owned(), once: true, ..Effect::new("payment") };
    assert_eq!((effect("/payments"), effect("/health")), (Some(payment), None));
    assert_eq!((effect("/orders"), effect("/x")), (Some(Effect::new("order")), Some(Effect::new("order"))));
    assert!(Scenario::parse("x", "[service]").unwrap().service.effects().is_empty());
    check("[service]\neffect = { once = true }", &["2:10 effect needs the key `name`"]);
    check("[service]\neffect = { name = \"none\" }", &["2:19 `none` stands for no effect"]);
    check("[service]\neffect = { name = \"a\", key = \"x\" }", &["2:30 the key of an effect is written"]);
    check("[services.db]\neffect = \"a\"", &["2:1 services has no key `effect`"]);
}

#[test]
fn a_phase_of_a_replica_needs_one_and_changes_nothing_that_they_share() {
    let with =
        |service: &str, phase: &str| format!("[service.replicas]\n{service}\n[[phases]]\nname = \"bad\"\n{phase}");
    let fine = with("count = 5\nsticky = \"header:X-Shard\"", "replicas = [4, 2, 2]\nslowdown = 3");
    let service = Scenario::parse("x", &fine).unwrap().service;
    let replicas = service.replicas().unwrap();
    assert_eq!((replicas.count.get(), &replicas.sticky), (5, &Sticky::Header("x-shard".to_owned())));
    assert_eq!(service.phases()[0].only.replicas, [2, 4]);
    let bad = |phase: &str, expected: &str| check(&with("count = 5", phase), &[expected]);
    bad(
        "replica = 0\nlatency = 1",
        "5:11 phase `bad` is of replica 0, and replicas are numbered from 1 to 5; name one of",
    );
    bad("replica = 6\nlatency = 1", "5:11 phase `bad` is of replica 6, and");
    bad("replicas = [1, 7]\nlatency = 1", "5:12 phase `bad` is of replica 7, and");
    bad("replicas = []\nlatency = 1", "5:12 a phase of no replica changes nothing; name one");
    bad(
        "replica = 1\nreplicas = [2]\nlatency = 1",
        "6:1 a phase is of one `replica` or of several `replicas`, found both",
    );
    bad("replica = 1\nrefuse = true", "6:10 phase `bad` is of some replicas, which can have `outcomes`, `latency` and");
    bad("replica = 1\nlatency = 1\nintake = 0.5", "7:10 phase `bad` is of some replicas");
    check(
        "[[phases]]\nname = \"bad\"\nreplica = 1\nlatency = 1",
        &["3:11 phase `bad` is of some replicas of a service that has none; give the service `replicas`"],
    );
    check(
        "[service.replicas]\nsticky = \"route\"",
        &["1:1 replicas needs the key `count`", "2:10 requests are kept together by"],
    );
    check("[service.replicas]\ncount = 0", &["2:9 a count is a whole number from 1"]);
    // Those of a service behind are its own.
    let behind = "[service]\ncalls = [\"db\"]\n[services.db]\nreplicas = { count = 2 }\n[[phases]]\nname = \"bad\"\nreplica = 2\nlatency = 1";
    check(&format!("{behind}\nservice = \"db\""), &["fine"]);
    check(behind, &["7:11 phase `bad` is of some replicas of a service that has none"]);
}

#[test]
fn syntax_errors_have_their_place_in_both_languages() {
    check("seed = \n[service\n", &["1:8 ", "2:9 "]);
    check("{ \"seed\": 1,, }", &["1:13 "]);
    check("{ \"seed\": 1, \"seed\": 2 }", &["1:14 the key `seed` stands twice in one table (drop one)"]);
}

#[test]
fn rates_distributions_and_percentiles_that_contradict_themselves() {
    check(
        "[service]\noutcomes = { error = 0.9, rate_limit = 0.2 }",
        &["2:12 rates must add up to at most 1, found 1.1"],
    );
    check(
        "[service]\nlatency = { uniform = { min = \"9ms\", max = \"8ms\" } }",
        &["2:23 uniform min (9ms) is above max (8ms)"],
    );
    check(
        "[service]\nlatency = { percentiles = { p50 = \"55ms\", p99 = \"40ms\" } }",
        &["2:27 p99 (40ms) is below p50 (55ms); swap them or drop one"],
    );
    check(
        "[service]\nlatency = { percentiles = { x = \"55ms\" } }",
        &["2:29 a percentile is a key from p0 to p100, found `x`"],
    );
    check(
        "[service]\nlatency = { percentiles = { p99.9 = 1 } }",
        &["2:29 a percentile has a duration, found a table behind `p99` (quote"],
    );
    check("[service]\nlatency = { fixed = 1, exponential = 2 }", &["2:11 distribution takes exactly one of fixed"]);
    check(
        "[service]\nlatency = { lognormal = { median = \"1s\" } }",
        &["2:25 a lognormal takes its median and one of"],
    );
    check("[service]\nlatency = { uniform = { min = 1 } }", &["2:23 uniform needs the key `max` (The longest.)"]);
    check("[service]\nlatency = { mix = [] }", &["2:19 a mix needs at least one part"]);
}

#[test]
fn what_can_never_happen_is_refused() {
    check(
        "[[service.routes]]\nmatch = \"/{any}\"\n[[service.routes]]\nmatch = \"GET /orders\"\n",
        &["4:9 route `GET /orders` can never match: `/{any}` comes first"],
    );
    check(
        "[[phases]]\nname = \"outage\"\nfrom = \"5s\"\nfor = \"0s\"\noutcomes = { error = 1 }\n",
        &["4:7 phase `outage` lasts no time at all"],
    );
    check(
        "[[phases]]\nname = \"a\"\nfor = 1\nuntil = 2\nlatency = 1\n",
        &["4:1 a phase ends after `for` or at `until`, found both"],
    );
}

#[test]
fn policies_that_contradict_themselves() {
    check("[policy]\nfactor = 0.5", &["2:10 factor must be a number from 1 to 1000000, found 0.5"]);
    check("[policy]\nbase_delay = \"1s\"\nmax_delay = \"10ms\"", &["3:13 max_delay (10ms) would cut the delay of 1s"]);
    check(
        "[policy]\njitter = \"some\"",
        &["2:10 expected one of none, full, equal, decorrelated, proportional, subtractive, additive, found \"some\""],
    );
    check("[policy]\nretry_on = [\"often\"]", &["2:12 a retryable failure is a status"]);
    check("[load]\nsuccess = [\"2xx\", \"fine\"]", &["2:11 a success is a status (404), a class (2xx) or a range"]);
    check(
        "[load]\nsuccess = []",
        &["2:11 successes are a list such as [\"2xx\", \"404\"], of at least one, found none"],
    );
    check("[load]\nsuccess = \"2xx\"", &["2:11 successes are a list such as [\"2xx\", \"404\"]"]);
    check("[policy]\ndelays = [1, \"x\"]", &["2:14 a duration is a number"]);
    check(
        "[policy]\nmax_retries = 99999999999",
        &["2:15 expected \"unbounded\" or a count; a count is a whole number from 0 to 4294967295, found 99999999999"],
    );
}

#[test]
fn values_of_the_wrong_kind() {
    check(
        "service = 3",
        &[
            "1:11 service is a table with the keys latency, outcomes, routes, capacity, rate_limit, rate_limits, identity, calls, cache, effect, replicas, found 3",
        ],
    );
    check("phases = { name = \"a\" }", &["1:10 `phases` is a list, found a table; write [ … ]"]);
    check("[service]\nidentity = \"idempotency-key\"", &["2:12 an identity is written \"header:NAME\""]);
    check("[[phases]]\nname = \"größe\"\nlatency = 1", &["2:8 a name is 1 to 64 ASCII letters"]);
    check(
        "{ \"load\": null }",
        &["1:11 load is a table with the keys count, duration, request, body, requests, success, values, arrivals,"],
    );
    check("seed = 1979-05-27", &["1:8 a seed is a whole number from 0 to 18446744073709551615, found a date"]);
}

#[test]
fn a_mark_at_the_beginning_and_a_name_that_ends_in_json() {
    check("\u{feff}sead = 1", &["1:1 scenario has no key `sead`"]);
    assert!(Scenario::parse("x.json", "\u{feff}{ \"seed\": 1 }").is_ok());
    let list = Scenario::parse("x.json", "[1, 2]").unwrap_err();
    assert!(list.to_string().contains("scenario is a table"), "{list}");
}

#[test]
fn only_so_many_mistakes_are_shown() {
    let text: String = (0..50).map(|n| format!("key{n} = 1\n")).collect();
    let invalid = Scenario::parse("x", &text).unwrap_err();
    assert_eq!(invalid.problems().len(), 50);
    let shown = invalid.to_string();
    assert_eq!(shown.matches("has no key").count(), 20);
    assert!(shown.ends_with("error: and 30 more mistakes in x"), "{shown}");
}

#[test]
fn a_problem_shows_its_line() {
    let invalid = Scenario::parse("bad.toml", "[service]\nlatancy = 1\n").unwrap_err();
    let shown = invalid.to_string();
    for part in ["error: service has no key `latancy`", "bad.toml:2:1", "2 | latancy = 1", "did you mean `latency`?"] {
        assert!(shown.contains(part), "{shown}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in ".*", cut in 0..WHOLE.len()) {
        let _ = Scenario::parse("x", &text).map_err(|invalid| invalid.to_string());
        let mutated = format!("{}{text}{}", &WHOLE[..cut], &WHOLE[cut..]);
        let _ = Scenario::parse("x", &mutated).map_err(|invalid| invalid.to_string());
    }
}

#[test]
fn policies_around_each_other_are_a_list_the_nearest_first() {
    let scenario = Scenario::parse("test.toml", "policy = [\"retry-2\", { max_retries = 3 }]").unwrap();
    let settings = scenario.policy.unwrap();
    assert_eq!((settings.max_retries, settings.around.len(), settings.around[0].max_retries), (Some(2), 1, Some(3)));
    check("policy = []", &["1:10 a list of policies needs at least one; the first is the one nearest to the service"]);
    check(
        "policy = [\"none\", { hedge = { after = \"1s\" } }]",
        &[
            "1:19 hedge is for the policy nearest to the service; a policy around others cannot copy their calls; drop it",
        ],
    );
    check("policy = [[\"none\"]]", &["1:11 policy is a table with the keys"]);
    check(
        "policy = [\"none\", { max_retires = 3 }]",
        &["1:21 policy has no key `max_retires` (did you mean `max_retries`?"],
    );
}

#[test]
fn services_call_others_by_name() {
    let text = "service = { calls = [\"web\"] }\n[services.web]\ncalls = [{ to = \"db\", policy = \"retry-2\", pass_deadline = true }]\n[services.db]\n";
    let graph = Scenario::parse("test.toml", text).unwrap().graph;
    let names: Vec<_> = graph.behind.iter().map(|node| node.name.as_str()).collect();
    let place = |name| names.iter().position(|own| *own == name).unwrap();
    assert_eq!(graph.calls[0].to, place("web"));
    let hop = &graph.behind[place("web")].calls[0];
    assert_eq!((hop.to, hop.policy.max_retries(), hop.pass_deadline), (place("db"), 2, true));
}

#[test]
fn services_that_do_not_go_together_are_refused() {
    check(
        "service = { calls = [\"dbb\"] }\n[services.db]\n",
        &["1:22 there is no service `dbb` behind (did you mean `db`? services there are: db)"],
    );
    check("[services.db]\n", &["1:11 nobody calls `db`; name it in the `calls` of another, or drop it"]);
    check(
        "service = { calls = [\"a\"] }\n[services.a]\ncalls = [\"b\"]\n[services.b]\ncalls = [\"a\"]\n",
        &["2:11 services call each other in a circle, a → b → a, so a call would never end"],
    );
    check("service = { calls = [{ policy = \"none\" }] }\n", &["1:22 calls needs the key `to`"]);
    check("service = { calls = [\"a\"] }\n[services.a]\nroutes = []\n", &["3:1 services has no key `routes`"]);
    let behind = "service = { calls = [\"a\"] }\n[services.a]\n[[phases]]\nname = \"p\"\n";
    check(
        &format!("{behind}service = \"b\"\nslowdown = 2\n"),
        &["5:11 there is no service `b` behind (did you mean `a`? services behind: a)"],
    );
    check(
        &format!("{behind}service = \"a\"\nload = 2\n"),
        &["6:8 the load is that of the clients; a phase of a service behind cannot change it"],
    );
    check(
        &format!("{behind}service = \"a\"\ncapacity = 0\n"),
        &["6:12 phase `p` changes the capacity of a service that has none"],
    );
    check(
        "[service]\ncache = { keys = 10, hits = 0.9 }\n",
        &["2:1 a cache stands in front of what a service calls; give it `calls`"],
    );
    check(&format!("{behind}service = \"a\"\ncache_lost = 2\n"), &["6:14 there are only 0 nodes of a cache to lose"]);
}

#[test]
fn limits_are_read() {
    let text = r#"
        [[service.routes]]
        match = "/a"
        latency = "1ms"

        [[service.rate_limits]]
        name = "per key"
        token_bucket = { rate = "2.5/m", burst = 50 }
        key = "header:Authorization"
        cost = { uniform = { min = 100, max = 900 } }
        costs = [{ match = "POST /a", cost = 5 }]
        status = 529
        body = "{}"
        retry_after = "5s"
        retry_after_form = "date"
        headers = "ratelimit"

        [[service.rate_limits]]
        fixed_window = { count = 5000, window = "1h" }
        key = "route"
        match = "GET /a"
        retry_after = "none"

        [[service.rate_limits]]
        fixed_window = { count = 1.5, window = "1s" }
        cost = 0.5

        [[service.rate_limits]]
        concurrency = 100

        [[service.rate_limits]]
        slope = { factor = 3, window = "10s", min = 10 }
    "#;
    let scenario = Scenario::parse("limits.toml", text).unwrap();
    let limits = scenario.service.limits();
    let names: Vec<_> = limits.iter().map(|limit| limit.name.as_str()).collect();
    assert_eq!(names, ["per key", "fixed_window", "fixed_window-2", "concurrency", "slope"]);
    assert_eq!(limits[0].key, LimitKey::Header("authorization".to_owned()));
    let LimitRule::TokenBucket(TokenBucket { refill, burst }) = limits[0].rule else { panic!("{:?}", limits[0].rule) };
    assert_eq!((refill.amount.get(), refill.per_ns.get(), burst.get()), (2_500, 60_000_000_000, 50_000));
    assert_eq!((limits[0].status, &*limits[0].body), (529, "{}"));
    let fixed = RetryAfter { wait: RetryAfterWait::Fixed(Duration::from_secs(5)), form: HintForm::Date };
    assert_eq!((limits[0].retry_after, limits[1].retry_after.wait), (fixed, RetryAfterWait::Never));
    assert_eq!(limits[0].costs[0].1, Cost::Fixed(5_000));
    let drawn = Distribution::uniform(Duration::from_secs(100), Duration::from_secs(900)).unwrap();
    assert_eq!((&limits[0].cost, &limits[2].cost), (&Cost::Drawn(drawn), &Cost::Fixed(500)));
    let one = "[service.rate_limit]\nconcurrency = 3\n";
    let several = "[[service.rate_limits]]\nconcurrency = 3\n";
    assert_eq!(Scenario::parse("a", one).unwrap(), Scenario::parse("b", several).unwrap());
}

#[test]
fn limits_that_cannot_be_are_refused_at_their_place() {
    let limit = |keys: &str| format!("[service.rate_limit]\n{keys}");
    check(&limit("key = \"global\""), &["1:1 a limit takes exactly one of token_bucket, fixed_window"]);
    check(
        &limit("concurrency = 1\nslope = { factor = 2, window = 1, min = 1 }"),
        &["3:1 a limit takes exactly one of"],
    );
    check(&limit("concurrency = 1\nkey = \"user\""), &["3:7 a limit's key is global, route, client, address or"]);
    check(&limit("concurrency = 1\ncost = 2"), &["3:8 `concurrency` counts requests under way, each as one"]);
    check(&limit("fixed_window = { count = 5, window = 0 }"), &["2:38 a window lasts longer than no time"]);
    check(
        &limit("fixed_window = { count = 0.0005, window = 1 }"),
        &["2:26 a number of units is from 0.001 to 1000000000, to the thousandth, found 0.0005"],
    );
    check(&limit("token_bucket = { rate = \"5/d\", burst = 1 }"), &["2:25 a refill is a rate to the thousandth"]);
    check(&limit("token_bucket = { rate = 0, burst = 1 }"), &["2:25 a refill is a rate"]);
    check(
        &limit("fixed_window = { count = 5, window = 1 }\ncost = 6"),
        &["3:8 a request that costs 6 never gets through"],
    );
    check(
        &limit("fixed_window = { count = 5, window = 1 }\ncost = { fixed = \"6s\" }"),
        &["3:18 a cost counts units, not time, found \"6s\""],
    );
    check(
        &limit("concurrency = 1\nretry_after = \"soon\""),
        &["3:15 expected honest, none, until_phase_end or a duration; a duration is"],
    );
    check(&limit("concurrency = 1\nretry_after = \"until_phase_end\""), &["3:15 `concurrency` tells callers to wait"]);
    check(
        &limit("concurrency = 1\nretry_after = \"none\"\nretry_after_form = \"date\""),
        &["4:1 a Retry-After that is never sent has no form"],
    );
    check(&limit("concurrency = 1\nkey = \"route\""), &["3:7 `concurrency` has an allowance for each route"]);
    let both = "[service.rate_limit]\nconcurrency = 1\n[[service.rate_limits]]\nconcurrency = 2";
    check(both, &["3:11 one limit is a `rate_limit`, several are `rate_limits`, found both"]);
    let twins =
        "[[service.rate_limits]]\nconcurrency = 1\n[[service.rate_limits]]\nconcurrency = 2\nname = \"concurrency\"";
    check(twins, &["5:8 two limits are called `concurrency`"]);
}

#[test]
fn cohorts_have_what_they_need_and_nothing_is_said_twice() {
    let cohort = "[load.cohorts.web]\narrivals = { constant = \"5/s\" }\n";
    check(&format!("[load]\nduration = \"10s\"\n{cohort}"), &["fine"]);
    check("[load.cohorts.web]\nclients = 4\n", &["1:1 load.cohorts needs the key `arrivals`"]);
    check("[load]\ncohorts = {}\n", &["2:11 there is no cohort in here; name one"]);
    check("[load]\ncohorts = 3\n", &["2:11 cohorts are tables by name, as [load.cohorts.mobile], found 3"]);
    check(
        &format!("[load]\ncount = 5\narrivals = {{ poisson = \"1/s\" }}\n{cohort}"),
        &[
            "2:1 a load with cohorts has no `count` of its own; say it in each cohort",
            "3:1 a load with cohorts has no `arrivals`",
        ],
    );
    check(&format!("{cohort}policy = \"carefull\"\n[policies.careful]\n"), &["3:10 there is no preset `carefull`"]);
    check(
        "[load.cohorts.a]\narrivals = { closed = { clients = 16777216 } }\n[load.cohorts.b]\narrivals = { closed = {} }\n",
        &["1:7 all cohorts together have at most 16777216 clients, found 16777217"],
    );
    check(
        "[load.cohorts.a]\narrivals = { closed = {} }\n[[phases]]\nname = \"more\"\nload = 2.0\n",
        &["3:1 phase `more` changes the load of closed clients"],
    );
}

#[test]
fn a_rate_that_changes_is_a_list_of_levels_and_ramps() {
    let text = r#"
        [load.arrivals]
        poisson = [{ rate = "10/s", for = "30s" }, { from = "10/s", to = 100, for = "1m" }, { rate = "0/s", for = 5 }, { rate = "60/m" }]
    "#;
    let load = Scenario::parse("test.toml", text).unwrap().load;
    let Arrivals::Varying { curve, spacing: Spacing::Random } = &load.arrivals else { panic!("{:?}", load.arrivals) };
    let segments: Vec<_> = curve.segments().map(|segment| (segment.from, segment.to, segment.lasts)).collect();
    let lasting = |seconds| Some(Duration::from_secs(seconds));
    let expected = [(10.0, 10.0, lasting(30)), (10.0, 100.0, lasting(60)), (0.0, 0.0, lasting(5)), (1.0, 1.0, None)];
    assert_eq!(segments, expected);
    // Without a count or a duration it is as any load; where the last segment ends, the load is over.
    assert_eq!((load.ends(), load.count_max()), (None, 100));
    let ends = "[load.arrivals]\nconstant = [{ from = 0, to = 5, for = 2 }, { rate = 7, for = 3 }]\n";
    let scenario = Scenario::parse("test.toml", ends).unwrap();
    assert_eq!((scenario.load.ends(), scenario.load.asked()), (lasting(5), None));
    assert_eq!(scenario.horizon(), Duration::from_secs(5));
    let sooner = Scenario::parse("test.toml", &format!("[load]\nduration = 4\n{ends}")).unwrap();
    assert_eq!(sooner.load.ends(), lasting(4));
}

#[test]
fn what_is_no_rate_over_time_is_refused_at_its_place() {
    let constant = |list: &str, expected: &[&str]| check(&format!("[load.arrivals]\nconstant = {list}\n"), expected);
    constant("[]", &["2:12 a rate that changes has 1 to 1000 segments, found 0"]);
    constant("true", &["2:12 a rate is text such as \"200/s\" or a number a second, found true"]);
    constant("[5]", &["2:13 a segment of load.arrivals is a table with the keys rate, from, to, for, found 5"]);
    constant("[{ rate = -1 }]", &["2:22 a rate here is 0 or a number from 0.0000001"]);
    constant(
        "[{ rate = \"1/d\" }, { to = 1 }]",
        &["2:22 a rate here is 0 or", "2:31 a segment is a level with a `rate`, or a ramp"],
    );
    constant(
        "[{ rate = 1, to = 2, for = 3 }]",
        &["2:13 a segment is a level with a `rate`, or a ramp with `from` and `to`"],
    );
    constant("[{ rate = 1, for = 0 }]", &["2:13 segment 1 lasts no time"]);
    constant("[{ rate = 1 }, { rate = 2 }]", &["2:13 segment 1 has no end"]);
    constant(
        "[{ from = 1, to = 2 }]",
        &["2:13 segment 1 has no end, as only a level that is the last may; give it `for`"],
    );
    constant("[{ rate = 1, for = 1 }, { rate = 0 }]", &["2:36 segment 2 is a pause for ever"]);
    constant("[{ rate = 0, for = 1 }]", &["2:12 the rate is 0 all the time"]);
    // Without a list, a rate of 0 is none.
    constant("0", &["2:12 a rate is a number from 0.0000001"]);
    let after = "after_give_up = { come_back = 1 }\n";
    check(&format!("[load]\n{after}arrivals = {{ constant = [{{ rate = 1, for = 1 }}] }}\n"), &["fine"]);
    check(
        &format!("[load]\n{after}arrivals = {{ constant = [{{ rate = 1 }}] }}\n"),
        &["2:17 clients that come back for ever"],
    );
}

#[test]
fn bursts_have_an_end_and_do_not_run_into_each_other() {
    let burst =
        |burst: &str, expected: &[&str]| check(&format!("[load]\ncount = 7\narrivals.burst = {burst}\n"), expected);
    burst("{ calls = 100, every = \"10s\" }", &["fine"]);
    burst("{ calls = 100, every = \"10s\", spread = \"10s\" }", &["fine"]);
    burst("{ calls = 100 }", &["3:18 load.arrivals.burst needs the key `every`"]);
    burst("{ calls = 0, every = 1 }", &["3:28 a count is a whole number from 1"]);
    burst(
        "{ calls = 1, every = 1, spread = 2 }",
        &["3:18 a burst spread over 2s is not over when the next comes after 1s"],
    );
    burst("{ calls = 1, every = 0 }", &["3:18 bursts of 1 calls every 0ns come to more than 10000000 a second"]);
    check(
        "[load]\narrivals = { burst = { calls = 1, every = 1 } }\n",
        &["2:12 bursts come again and again, without an end of their own; give the load a `count` or a `duration`"],
    );
}

#[test]
fn a_list_of_moments_is_read_by_whoever_can() {
    let text = "[load]\narrivals.replay = { file = \"log.txt\", speed = 2 }\n";
    check(text, &["2:28 `log.txt` is beside a scenario's own file, and this one has none"]);
    let read = |lines: &'static [&'static str]| {
        let files = move |file: &str| {
            assert_eq!(file, "log.txt");
            let mut moments = Moments::default();
            let read: Result<(), _> = lines.iter().try_for_each(|line| moments.line(line));
            read.map(|()| moments).map_err(|error| format!("{file}: {error}"))
        };
        Scenario::parse_with_files("test.toml", text, &files).map(|(scenario, _)| scenario.load)
    };
    let load = read(&["7", "# and later", "6.5", "10"]).unwrap();
    let Arrivals::Replay(replay) = &load.arrivals else { panic!("{:?}", load.arrivals) };
    assert_eq!(replay.moments(), [0, 250_000_000, 1_750_000_000]);
    assert_eq!((load.count_max(), load.ends()), (u64::MAX, Some(Duration::from_nanos(1_750_000_001))));
    let invalid = read(&["7", "x"]).unwrap_err();
    assert!(invalid.to_string().contains("log.txt: line 2: a moment is a number of seconds"), "{invalid}");
    assert_eq!(invalid.place(&invalid.problems()[0]), (2, 28));
    assert!(read(&[]).unwrap_err().to_string().contains("there is no moment to replay"));
    check("[load]\narrivals.replay = { speed = 0 }\n", &["2:19 load.arrivals.replay needs the key `file`"]);
}

#[test]
fn a_cohort_has_a_policy_of_its_own_or_follows_the_files() {
    let text = r#"
        [load]
        duration = "10s"
        [load.cohorts.careful]
        arrivals = { poisson = "5/s" }
        policy = "careful"
        [load.cohorts.follower]
        arrivals = { closed = { clients = 3, start = { uniform = { min = "0s", max = "20s" } } } }
        [load.cohorts.sdk]
        arrivals = { constant = "5/s" }
        policy = "curl-retry"
        [policy]
        attempt_timeout = "2s"
        [policies.careful]
        max_retries = 7
    "#;
    let scenario = Scenario::parse("test.toml", text).unwrap();
    let [careful, follower, sdk] = &scenario.load.parts()[..] else { panic!("three cohorts") };
    let own = careful.own.unwrap();
    // How long it waits is what the file's policy says.
    assert_eq!((own.policy.max_retries(), own.policy.allowance(Duration::ZERO)), (7, Some(Duration::from_secs(2))));
    assert_eq!(sdk.own.unwrap().policy.max_retries(), 3);
    assert!(follower.own.is_none() && scenario.load.follows_policy());
    assert_eq!(careful.load.duration, Some(Duration::from_secs(10)));
    assert!(
        follower.load.start(Seed(1), 1) > Duration::ZERO && follower.load.start(Seed(1), 1) < Duration::from_secs(20)
    );
}

#[test]
fn what_the_file_names_keeps_its_order() {
    let toml = "[policies.zebra]\n[policies.ant]\n[load.cohorts.z]\narrivals = { closed = {} }\n[load.cohorts.a]\narrivals = { closed = {} }\n";
    let json = r#"{"policies": {"zebra": {}, "ant": {}},
        "load": {"cohorts": {"z": {"arrivals": {"closed": {}}}, "a": {"arrivals": {"closed": {}}}}}}"#;
    for text in [toml, json] {
        let scenario = Scenario::parse("test", text).unwrap();
        let policies: Vec<_> = scenario.policies.iter().map(|(name, _)| name.as_str()).collect();
        let cohorts: Vec<_> = scenario.load.parts().iter().filter_map(|part| part.name).collect();
        assert_eq!((policies, cohorts), (vec!["zebra", "ant"], vec!["z", "a"]));
    }
}

#[test]
fn phases_come_again_on_time_or_by_chance() {
    let phase = |keys: &str| {
        format!("[load]\nduration = \"1h\"\n[[phases]]\nname = \"cut\"\noutcomes = {{ error = 1.0 }}\n{keys}")
    };
    let scenario = |keys: &str| Scenario::parse("test.toml", &phase(keys)).unwrap();
    let starts = |keys: &str, seed: u64| -> Vec<u64> {
        let scheduled = scenario(keys).scheduled(Seed(seed));
        scheduled.service.phases().iter().map(|phase| phase.window.from.as_secs()).collect()
    };
    assert_eq!(starts("from = \"5m\"\nfor = \"1m\"\nevery = \"20m\"", 1), [300, 1500, 2700]);
    assert_eq!(starts("from = \"5m\"\nfor = \"1m\"\nevery = \"20m\"\ntimes = 2", 1), [300, 1500]);
    let random = "random = { between = { exponential = \"2m\" }, last = { exponential = \"10s\" } }";
    assert_eq!(starts(random, 1), starts(random, 1));
    assert_ne!(starts(random, 1), starts(random, 2));
    // Before it is scheduled, one phase stands for all.
    assert_eq!(scenario(random).service.phases().len(), 1);

    check(
        &phase("for = \"1m\"\ntimes = 3"),
        &["7:1 `times` counts how often a phase comes again; give it `every` or `random`"],
    );
    check(&phase("every = \"1m\""), &["6:1 a phase that comes again has to end before; give it `for`"]);
    check(&phase("for = \"2m\"\nevery = \"1m\""), &["7:9 a phase that lasts 120s cannot come again after 60s"]);
    check(
        &phase(&format!("for = \"1s\"\n{random}")),
        &["6:1 `random` says how long a phase lasts and when it comes again; drop `for`"],
    );
    check(
        &phase("random = { between = \"1s\", last = \"1s\" }"),
        &["3:1 phase `cut` would come 1800 times within 3600s, and at most 1000 can be looked at"],
    );
}

/// One outcome of a service, `text`, and what is found: each fault as `rate: outcome …`.
#[track_caller]
fn check_faults(text: &str, expected: &[&str]) {
    let scenario = Scenario::parse("test.toml", &format!("[service.outcomes]\n{text}")).unwrap();
    let outcomes = &scenario.service.base().outcomes;
    let told =
        |(fault, rate): (&Fault, f64)| format!("{rate}: {} {} {:?}", fault.outcome(), fault.status(), fault.delivery());
    assert_eq!(outcomes.faults().map(told).collect::<Vec<_>>(), expected);
}

#[test]
fn faults_take_a_rate_or_a_table() {
    check_faults("connection_reset = \"1%\"", &["0.01: connection_reset 200 Cut(Start, Reset)"]);
    check_faults("connection_reset = { rate = 1, at = \"head\" }", &["1: connection_reset 200 Cut(Head, Reset)"]);
    check_faults("connection_reset = { rate = 1, at = \"1KiB\" }", &["1: connection_reset 200 Cut(Body(1024), Reset)"]);
    check_faults(
        "CONNECTION_RESET_BY_PEER = { rate = 0.5, at = 0 }",
        &["0.5: connection_reset 200 Cut(Body(0), Reset)"],
    );
    check_faults(
        "EMPTY_RESPONSE = 0.5\nRANDOM_DATA_THEN_CLOSE = 0.25\nMALFORMED_RESPONSE_CHUNK = 0.25",
        &[
            "0.5: empty_response 200 Cut(Start, Close)",
            "0.25: malformed_chunk 200 MalformedChunk",
            "0.25: garbage_then_close 200 Garbage",
        ],
    );
    check_faults("truncate = { rate = 0.5 }", &["0.5: truncate 200 Cut(HalfBody, Close)"]);
    check_faults("truncate = { rate = 0.5, bytes = 7 }", &["0.5: truncate 200 Cut(Body(7), Close)"]);
    check_faults(
        "dribble = { rate = 1, bytes = 1, every = \"20ms\", size = \"1KiB\" }",
        &["1: dribble 200 Paced(Dribble(1, 20ms), 1024)"],
    );
    check_faults("bandwidth = { rate = 1, speed = \"1KiB/s\" }", &["1: bandwidth 200 Paced(Bandwidth(1024), 16384)"]);
    check_faults("hang = 1", &["1: hang 200 Cut(Start, Hang(300s))"]);
    check_faults("hang = { rate = 1, for = 2 }", &["1: hang 200 Cut(Start, Hang(2s))"]);
    check_faults("slow_close = { rate = 1, for = \"30s\" }", &["1: slow_close 200 HeldOpen(30s)"]);
    check_faults("lost_reply = 1", &["1: lost_reply 200 Cut(Start, ResetStream(InternalError))"]);
    check_faults(
        "lost_reply = { rate = 1, then = \"reset\" }",
        &["1: lost_reply 200 Cut(Start, ResetStream(InternalError))"],
    );
    check_faults(
        "lost_reply = { rate = 1, then = \"hang\", for = \"9s\" }",
        &["1: lost_reply 200 Cut(Start, Hang(9s))"],
    );
    check_faults(
        "stream_break = { rate = 1, events = 9, then = \"reset\" }",
        &["1: stream_break 200 Stream(100ms, 9, Reset)"],
    );
    check_faults(
        "status = [{ rate = \"2%\", code = 529, body = \"{}\", headers = { retry-after = \"5\" } }, { rate = 0.5, code = 404 }]",
        &["0.02: status 529 Whole", "0.5: status 404 Whole"],
    );
    check_faults("rst_stream = 1", &["1: rst_stream 200 Cut(Start, ResetStream(InternalError))"]);
    check_faults(
        "rst_stream = { rate = 0.5, code = \"CANCEL\", at = \"head\" }\ngoaway = 0.25\nrefused_stream = 0.25",
        &[
            "0.5: rst_stream 200 Cut(Head, ResetStream(Cancel))",
            "0.25: goaway 200 Cut(Start, GoAway(NoError))",
            "0.25: refused_stream 200 Cut(Start, RefuseStream)",
        ],
    );
    check_faults("rst_stream = { rate = 1, at = 9 }", &["1: rst_stream 200 Cut(Body(9), ResetStream(InternalError))"]);
    check_faults(
        "goaway = { rate = 1, code = \"ENHANCE_YOUR_CALM\" }",
        &["1: goaway 200 Cut(Start, GoAway(EnhanceYourCalm))"],
    );
}

#[test]
fn faults_out_of_bounds_are_refused_with_the_way_out() {
    let check = |text: &str, expected: &[&str]| check(&format!("[service.outcomes]\n{text}"), expected);
    check(
        "EMPTY_RESPONSE = 0.1\nempty_response = 0.1",
        &["2:1 `EMPTY_RESPONSE` is WireMock's name of `empty_response`, found both; drop one"],
    );
    check(
        "hang = { rate = 1, for = \"2h\" }",
        &["2:8 a wait here is from 1ms to 1h, found 7200s; write one between them"],
    );
    check("hang = { for = \"2s\" }", &["2:8 hang needs the key `rate` (How often it comes.)"]);
    check("hang = { rate = 1, four = 1 }", &["2:20 hang has no key `four` (did you mean `for`?"]);
    check("lost_reply = { rate = 1, for = 1 }", &["2:26 a reset is at once; drop `for`, or add then = \"hang\""]);
    check(
        "connection_reset = { rate = 1, at = \"tail\" }",
        &[
            "2:37 expected start, head, or how much of the body; a size is a number with a unit (B, KB, KiB, MB, MiB) or a bare number of bytes, found `tail`",
        ],
    );
    check("truncate = { rate = 1, bytes = \"1MiB\" }", &["2:12 a body is cut before 1MiB of it, found 1048576 bytes"]);
    check("dribble = { rate = 1, bytes = 0 }", &["2:31 a size here is at least 1 byte, found 0"]);
    check("bandwidth = { rate = 1, speed = 10 }", &["2:33 a speed is a size a second, more than nothing, found `10`"]);
    check("bandwidth = { rate = 1, speed = \"1B/s\" }", &["2:13 an answer takes at most 1h to come, found 16384s"]);
    check(
        "goaway = { rate = 1, code = \"NONE\" }",
        &[
            "2:29 expected one of NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM, INADEQUATE_SECURITY, HTTP_1_1_REQUIRED, found \"NONE\"",
        ],
    );
    check("rst_stream = { rate = 1, code = 2 }", &["2:33 expected one of NO_ERROR"]);
    check("rst_stream = { rate = 1, at = \"1MiB\" }", &["2:14 a body is cut before 1MiB of it, found 1048576 bytes"]);
    check("refused_stream = { rate = 1 }", &["2:18 a probability is a number from 0 to 1"]);
    check("empty_response = { rate = 1 }", &["2:18 a probability is a number from 0 to 1"]);
    check("status = { rate = 1, code = 500 }", &["2:10 `status` is a list, found a table; write [ … ]"]);
    check("status = [{ rate = 1, code = 100 }]", &["2:30 the status of an answer is from 200 to 599, found 100"]);
    check(
        "status = [{ rate = 1, code = 500, headers = { retry-after = 5 } }]",
        &["2:61 the value of a header is text, found 5; put it in quotes"],
    );
    check(
        "status = [{ rate = 1, code = 500, headers = { Date = \"now\" } }]",
        &["2:11 the header `date` tells how an answer is sent, which is the server's own; drop it"],
    );
    check(
        "status = [{ rate = 0.6, code = 500 }, { rate = 0.6, code = 501 }]",
        &["1:1 rates must add up to at most 1, found 1.2"],
    );
}

#[test]
fn a_phase_can_shut_the_port() {
    let text = |refuse| format!("[[phases]]\nname = \"restart\"\nfrom = \"1s\"\nfor = \"1s\"\nrefuse = {refuse}");
    let service = Scenario::parse("test.toml", &text("true")).unwrap().service;
    let at = |secs| service.refuses_at(Duration::from_secs(secs));
    assert_eq!([at(0), at(1), at(2)], [false, true, false]);
    check(&text("1"), &["5:10 expected true or false, found 1"]);
    check(&text("false"), &["2:8 phase `restart` changes nothing; give it `outcomes`"]);
}

#[test]
fn what_is_expected_has_bounds_of_its_unit() {
    let text = "[expect]\np99 = \"<= 300ms\"\nsuccess_rate = \">= 99%\"\nrecovery = \"<= 30\"\nverdict = \"missed\"";
    let expect = Scenario::parse("a.toml", text).unwrap().expect;
    let all: Vec<String> = expect.all.iter().map(ToString::to_string).collect();
    assert_eq!(
        (&all[..], expect.missed),
        (&["success_rate >= 99%", "recovery <= 30s", "p99 <= 300ms"].map(str::to_owned)[..], true)
    );
    check(
        "[expect]\np99 = \"300ms\"",
        &["2:7 an expectation is `<=` or `>=` and a bound, found `300ms`; write \"<= 300ms\""],
    );
    check("[expect]\np99 = 0.3", &["2:7 an expectation is text such as \"<= 300ms\" or \">= 99%\", found 0.3"]);
    check("[expect]\ngoodput = \">= 5ms\"", &["2:11 `goodput` has a bound as `100/s`, found `5ms`: a rate is"]);
    check("[expect]\np98 = \"<= 1s\"", &["2:1 expect has no key `p98` (did you mean `p9"]);
    check("[expect]\nverdict = \"missed\"", &["1:1 nothing is expected in here"]);
    check("[expect]\np99 = \"<= 1s\"\nverdict = \"red\"", &["3:11 expected one of met, missed, found \"red\""]);
}
