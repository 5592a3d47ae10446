//! Each rule by numbers worked out by hand, and where it stays silent.

use super::{Finding, Rule, Subject, lint};
use brownout_policy::{PRESETS, preset};
use brownout_scenario::Scenario;

/// What the policy of a scenario brings up. What the text does not speak of is not known.
fn findings(text: &str) -> Vec<Finding> {
    let (scenario, places) = Scenario::parse_with_places("it.toml", text).unwrap_or_else(|invalid| panic!("{invalid}"));
    let settings = scenario.named_policy("scenario").expect("the scenario has a policy");
    let service = (places.has(&["service"]) || places.has(&["phases"])).then_some(&scenario.service);
    let load = places.has(&["load"]).then_some(&scenario.load);
    let graph = places.has(&["services"]).then_some(&scenario.graph);
    lint(&Subject { service, load, graph, settings: &settings })
}

/// Holds what a rule finds: the words of the finding have all of `parts`; without parts, it finds nothing.
#[track_caller]
fn check(rule: Rule, text: &str, parts: &[&str]) {
    let found: Vec<_> = findings(text).into_iter().filter(|finding| finding.rule == rule).collect();
    let words: Vec<String> =
        found.iter().map(|finding| [&*finding.what, &*finding.consequence, &*finding.remedy].join(" | ")).collect();
    assert_eq!(found.len(), usize::from(!parts.is_empty()), "{words:?}");
    for part in parts {
        assert!(words[0].contains(part), "no `{part}` in {words:?}");
    }
}

#[track_caller]
fn silent(rule: Rule, text: &str) {
    check(rule, text, &[]);
}

#[track_caller]
fn number(rule: Rule, text: &str, name: &str, expected: f64) {
    let found = findings(text).into_iter().find(|finding| finding.rule == rule).expect("the rule finds something");
    let number = found.numbers[name];
    assert!((number - expected).abs() <= 1e-3 * expected, "{name}: {number}");
}

/// A service that fails for so many seconds from the tenth on, and a policy.
fn outage(seconds: u32, policy: &str) -> String {
    format!(
        "[service]\nlatency = \"10ms\"\n[[phases]]\nname = \"out\"\nfrom = \"10s\"\nfor = \"{seconds}s\"\noutcomes = {{ error = 1.0 }}\n\
         [policy]\n{policy}"
    )
}

#[test]
fn the_horizon_against_outages() {
    let rule = Rule::HorizonShorterThanOutage;
    // 1 + 2 + 4 s and four attempts of 10 ms; a fifth attempt comes 8 s later.
    let doubling = "base_delay = \"1s\"\nmax_retries = ";
    let text = outage(10, &format!("{doubling}3"));
    check(rule, &text, &["after 7.04s at the most (4 attempts, 7s of waits); `out` lasts 10s", "`max_retries = 4`"]);
    number(rule, &text, "call_s", 7.04);
    silent(rule, &outage(7, &format!("{doubling}3")));
    // A hundred times as slow, four attempts take 4 s.
    silent(rule, &outage(10, &format!("{doubling}3")).replace("outcomes", "slowdown = 100\noutcomes"));
    silent(rule, &outage(10, &format!("{doubling}4")));
    // With full jitter 15 s at the most and 7.5 s on the mean.
    let jittered = format!("{doubling}4\njitter = \"full\"");
    check(
        rule,
        &outage(10, &jittered),
        &["after 7.55s on the mean (5 attempts, 7.5s of waits)", "more calls than not"],
    );
    check(rule, &outage(20, &jittered), &["after 15s at the most", "in its first 4.95s"]);
    silent(rule, &outage(7, &jittered));
    // The deadline ends what eight retries would outlast: after 1 + 2 s, a wait of 4 s does not fit into 5 s.
    check(rule, &outage(10, &format!("{doubling}8\ndeadline = \"5s\"")), &["after 3.03s", "a `deadline` above 10s"]);
    // Who does not retry means to fail.
    silent(rule, &outage(10, "max_retries = 0"));
    silent(rule, &outage(10, "retry_on = [\"429\"]"));
}

#[test]
fn outages_are_what_the_service_does_and_not_what_phases_are_called() {
    let rule = Rule::HorizonShorterThanOutage;
    let half = outage(10, "max_retries = 1").replace("error = 1.0", "error = 0.5");
    silent(rule, &half);
    // Two that follow each other are one of 20 s.
    let second = "[[phases]]\nname = \"more\"\nfrom = \"20s\"\nfor = \"10s\"\noutcomes = { error = 1.0 }\n[policy]";
    let two = outage(10, "base_delay = \"4s\"").replace("[policy]", second);
    silent(rule, &two);
    check(rule, &two.replace("4s", "2s"), &["after 14s at the most", "`out` lasts 20s"]);
}

#[test]
fn a_service_without_workers_is_an_outage_for_those_who_leave() {
    let rule = Rule::HorizonShorterThanOutage;
    let text = |policy: &str| {
        format!(
            "[service.capacity]\nworkers = 20\nservice_time = \"50ms\"\n[[phases]]\nname = \"stop\"\nfrom = \"5s\"\nfor = \"5s\"\n\
             capacity = 0\n[policy]\n{policy}"
        )
    };
    // 0.1 + 0.2 + 0.4 s and four attempts of half a second.
    check(rule, &text("attempt_timeout = \"500ms\""), &["after 2.7s at the most (4 attempts, 700ms of waits)"]);
    silent(rule, &text("attempt_timeout = \"2s\""));
    // Whoever does not leave is served when it is over.
    silent(rule, &text("max_retries = 3"));
    check(Rule::NoAttemptTimeout, &text("max_retries = 3"), &["stops for 5s in `stop`"]);
    // Without a queue nobody waits: four attempts are turned away at once, whatever the timeout.
    let turned_away = |policy: &str| text(policy).replace("[[phases]]", "queue = { length = 0 }\n[[phases]]");
    for policy in ["attempt_timeout = \"2s\"", "max_retries = 3"] {
        check(rule, &turned_away(policy), &["after 700ms at the most (4 attempts, 700ms of waits)"]);
        silent(Rule::NoAttemptTimeout, &turned_away(policy));
    }
    silent(rule, &turned_away("max_retries = 6"));
}

#[test]
fn the_horizon_against_limits() {
    let rule = Rule::HorizonShorterThanLimit;
    // `curl --retry 5 --retry-delay 5`: six tries in 25 s; and eight that double from 1 s: 255 s.
    let constant = "[policy]\nbackoff = \"constant\"\nbase_delay = \"5s\"\nmax_retries = 5\n";
    check(rule, constant, &["5 retries are over after 25s", "60s", "all 6 attempts"]);
    number(rule, constant, "waits_s", 25.0);
    let doubling = "[policy]\nbase_delay = \"1s\"\nmax_retries = 8\nmax_delay = \"10m\"\n";
    silent(rule, doubling);
    check(rule, &doubling.replace('8', "5"), &["over after 31s", "`max_retries = 6`"]);
    silent(rule, "[policy]\nretry_on = [\"5xx\"]\n");
    // Where the service is known, it says for itself how long: 60 s, which most policies heed.
    let service = "[service]\noutcomes = { rate_limit = 0.1 }\n";
    silent(rule, &format!("{service}{constant}"));
    check(
        rule,
        &format!("{service}{constant}retry_after = false\n"),
        &["the service's 429 asks for 60s", "`retry_after = true`"],
    );
    silent(rule, &format!("[service]\noutcomes = {{ error = 0.1 }}\n{constant}retry_after = false\n"));
    // Shed with a pause of 30 s, overheard: 0.7 s.
    let shed = "[service.capacity]\nworkers = 2\nservice_time = \"10ms\"\nshed = { retry_after = \"30s\" }\n";
    check(rule, &format!("{shed}[policy]\nretry_after = false\n"), &["the service's 503 asks for 30s"]);
    silent(rule, &format!("{shed}[policy]\n"));
    // The file's own window: ten minutes of a registry, against 25 s of waits. Heeded, it is waited out.
    let window = "[service.rate_limit]\nname = \"registry\"\nfixed_window = { count = 100, window = \"10m\" }\n";
    check(
        rule,
        &format!("{window}{constant}retry_after = false\n"),
        &["over after 25s; the window of `registry` lasts 600s", "heed the service's Retry-After"],
    );
    let patient = format!("{window}{constant}retry_after_max = \"1h\"\n");
    silent(rule, &patient);
    check(rule, &patient.replace("[policy]", "retry_after = \"none\"\n[policy]"), &["`registry` lasts 600s"]);
    silent(rule, &patient.replace("[policy]", "status = 403\n[policy]"));
    // A window of ten minutes asks for more than the 300 s that are waited out.
    check(
        Rule::RetryAfterTooLong,
        &format!("{window}{constant}"),
        &["the window of `registry` lasts 600s, and `retry_after_max` is 300s", "at its first 429"],
    );
    // A limit refuses at once, however long the answers to others take.
    let slow = format!("[service]\nlatency = \"10s\"\n{window}{constant}retry_after = false\n");
    check(rule, &slow, &["over after 25s"]);
    // A bucket is not empty for long, and who has a place under way nobody knows.
    silent(
        rule,
        &format!("[service.rate_limit]\ntoken_bucket = {{ rate = 1, burst = 900 }}\n{constant}retry_after = false\n"),
    );
    silent(rule, &format!("[service.rate_limit]\nconcurrency = 5\n{constant}retry_after = false\n"));
}

#[test]
fn a_throttle_that_only_its_body_names() {
    let rule = Rule::RetriesNothing;
    let limit = "[service.rate_limit]\nconcurrency = 5\nstatus = 400\nbody = '{\"__type\": \"ThrottlingException\"}'\n[policy]\n";
    check(rule, limit, &["fails by 400"]);
    silent(rule, &format!("{limit}retry_on = [\"throttling\"]\n"));
    silent(rule, &format!("{limit}preset = \"aws-legacy\"\n"));
}

#[test]
fn retry_after_against_what_the_policy_waits() {
    let text = |policy: &str| format!("[service]\noutcomes = {{ rate_limit = 0.1 }}\n[policy]\n{policy}\n");
    let rule = Rule::RetryAfterTooLong;
    check(
        rule,
        &text("retry_after_max = \"30s\""),
        &["429 asks for 60s, and `retry_after_max` is 30s", "its first 429"],
    );
    check(rule, &text("deadline = \"10s\""), &["429 asks for 60s, and `deadline` is 10s"]);
    silent(rule, &text("retry_after_max = \"60s\""));
    silent(rule, &text("retry_after_max = \"30s\"\nretry_after_over = \"cap\""));
    silent(rule, &text("deadline = \"2m\""));
    silent(rule, &text("deadline = \"10s\"\nretry_after = false"));

    let rule = Rule::RetryAfterBeyondDeadline;
    check(rule, "[policy]\nretry_after_max = \"2m\"\ndeadline = \"10s\"\n", &["`retry_after_max` (120s)", "(10s)"]);
    silent(rule, "[policy]\nretry_after_max = \"5s\"\ndeadline = \"10s\"\n");
    // The default is nobody's choice.
    silent(rule, "[policy]\ndeadline = \"10s\"\n");
}

#[test]
fn failures_that_never_come() {
    let rule = Rule::RetriesNothing;
    let text = |policy: &str| format!("[service]\noutcomes = {{ error = 0.1 }}\n[policy]\n{policy}\n");
    check(rule, &text("retry_on = [\"429\", \"connect\"]"), &["fails by 500"]);
    silent(rule, &text("retry_on = [\"5xx\"]"));
    silent(rule, "[service]\nlatency = \"1s\"\n[policy]\nretry_on = [\"connect\"]\n");
    // An answer can be late, which is worth another try.
    let late =
        "[service]\nlatency = { exponential = \"1s\" }\n[policy]\nattempt_timeout = \"1s\"\nretry_on = [\"timeout\"]\n";
    silent(rule, late);
    check(rule, &late.replace("\"timeout\"", "\"connect\""), &["fails by timeout"]);
}

#[test]
fn timeouts_against_healthy_answers() {
    let rule = Rule::TimeoutBelowP99;
    let text = |latency: &str, policy: &str| format!("[service]\nlatency = {latency}\n[policy]\n{policy}\n");
    // e^-3 = 4.98 %, p99 = ln 100 = 4.605 s.
    let exponential = text("{ exponential = \"1s\" }", "attempt_timeout = \"3s\"");
    check(
        rule,
        &exponential,
        &["5.0% of the healthy answers take longer than 3s (p99 is 4.61s)", "work twice", "\"4.7s\""],
    );
    number(rule, &exponential, "late_share", (-3.0_f64).exp());
    silent(rule, &exponential.replace("3s", "5s"));
    silent(rule, &text("\"1s\"", "attempt_timeout = \"1s\""));
    silent(rule, &text("{ lognormal = { median = \"200ms\", p99 = \"2s\" } }", "attempt_timeout = \"2s\""));
    check(rule, &text("\"1s\"", "attempt_timeout = \"999ms\""), &["100% of"]);
    check(
        rule,
        &text("{ exponential = \"1s\" }", "deadline = \"3s\""),
        &["fails for its caller", "`deadline = \"4.7s\"`"],
    );
    // The route that the load does not take counts too, and is named.
    let route = "[[service.routes]]\nmatch = \"/slow\"\nlatency = \"2s\"\n[policy]";
    let routed = text("\"1s\"", "attempt_timeout = \"1500ms\"").replace("[policy]", route);
    check(rule, &routed, &["100% of the healthy answers on `/slow` take longer than 1.5s"]);
}

#[test]
fn work_and_way_are_part_of_an_answer() {
    let rule = Rule::TimeoutBelowP99;
    // Two exponentials of 1 s make an Erlang-2: P(X > t) = (1 + t) e^-t, 4.04 % at 5 s; p99 6.638 s. With a third of the same
    // mean on the way: (1 + t + t²/2) e^-t, 12.47 % at 5 s.
    let two = "[service]\nlatency = { exponential = \"1s\" }\n[service.capacity]\nworkers = 9\nservice_time = { exponential = \"1s\" }\n\
               [policy]\nattempt_timeout = \"5s\"\n";
    number(rule, two, "late_share", 0.040_428);
    number(rule, two, "p99_s", 6.6384);
    let three = format!("{two}[load]\nconnect_delay = {{ exponential = \"1s\" }}\n");
    let found = findings(&three).into_iter().find(|finding| finding.rule == rule).unwrap();
    assert!((found.numbers["late_share"] / 0.124_652 - 1.0).abs() < 0.01, "{:?}", found.numbers);
}

#[test]
fn deadlines_against_attempts() {
    let rule = Rule::DeadlineWithinTimeout;
    let text = |deadline: &str, timeout: &str, retries: u32| {
        format!("[policy]\ndeadline = \"{deadline}\"\nattempt_timeout = \"{timeout}\"\nmax_retries = {retries}\n")
    };
    // 1.7 s less 0.7 s of waits, over four attempts.
    check(
        rule,
        &text("1700ms", "2s", 3),
        &["`deadline` (1.7s) is not longer than `attempt_timeout` (2s)", "at most 250ms"],
    );
    check(rule, &text("2s", "2s", 1), &["the 1 retry is made"]);
    silent(rule, &text("3s", "2s", 3));
    silent(rule, &text("2s", "2s", 0));

    let rule = Rule::DeadlineCutsRetries;
    // Attempts of 1 s: 1, 1.1 to 2.1, 2.3 to 3.3, and 3.7 is past 3.5 s. All six take 6 + 3.1 s.
    let cut = text("3500ms", "1s", 5);
    check(
        rule,
        &cut,
        &[
            "timeout of 1s, `deadline` (3.5s) leaves room for 3 of 6",
            "last 3",
            "`deadline` of 9.1s",
            "`max_retries = 2`",
        ],
    );
    silent(rule, &text("10s", "1s", 5));
    // The fourth begins in time, though it is cut short.
    silent(rule, &text("3800ms", "1s", 3));
    // Waits alone: 0.1, 0.2, 0.4, 0.8 are 1.5 s, and 1.6 more are too many.
    check(rule, "[policy]\ndeadline = \"2s\"\nmax_retries = 9\n", &["fail at once", "room for 5 of 10"]);
    silent(rule, "[policy]\ndeadline = \"2s\"\nmax_retries = \"unbounded\"\n");
}

#[test]
fn attempts_that_nothing_ends() {
    let rule = Rule::NoAttemptTimeout;
    let text = |queue: &str, policy: &str| {
        format!("[service.capacity]\nworkers = 2\nservice_time = \"10ms\"\n{queue}\n[policy]\n{policy}\n")
    };
    let unbounded = "queue = { length = \"unbounded\" }";
    check(rule, &text(unbounded, "max_retries = 3"), &["queue has no bound"]);
    check(rule, &text(unbounded, "deadline = \"2s\""), &["the whole deadline of 2s", "at most 500ms"]);
    check(rule, &text("shed = \"silent\"", "deadline = \"2s\""), &["sheds without a word"]);
    silent(rule, &text("", "max_retries = 3"));
    silent(rule, &text(unbounded, "attempt_timeout = \"1s\""));
    silent(rule, &text(unbounded, "deadline = \"2s\"\nmax_retries = 0"));
    silent(rule, "[policy]\n");
}

#[test]
fn copies_that_come_too_late() {
    let rule = Rule::HedgeAfterTimeout;
    check(
        rule,
        "[policy]\nattempt_timeout = \"1s\"\nhedge = { after = \"1s\" }\n",
        &["after 1s, and an attempt is given up after 1s"],
    );
    silent(rule, "[policy]\nattempt_timeout = \"1s\"\nhedge = { after = \"200ms\" }\n");
    silent(rule, "[policy]\nhedge = { after = \"20s\" }\n");
}

/// The README's: 400 a second can be done, and 320 are asked for.
fn storm(queue: &str, policy: &str) -> String {
    format!(
        "[service.capacity]\nworkers = 20\nservice_time = {{ exponential = \"50ms\" }}\n{queue}\n[load]\n\
         arrivals = {{ poisson = \"320/s\" }}\nclients = 200\nduration = \"90s\"\n[policy]\nattempt_timeout = \"500ms\"\n{policy}\n"
    )
}

const LONG: &str = "queue = { length = 400 }";

#[test]
fn queues_against_the_patience_of_callers() {
    let rule = Rule::QueueOutlastsCallers;
    // 400 × 50 ms / 20 = 1 s; (500 - 50) ms hold 180.
    check(rule, &storm(LONG, ""), &["a full queue of 400 is 1s of work, and callers wait for 500ms", "`length = 180`"]);
    silent(rule, &storm("queue = { length = 180 }", ""));
    check(rule, &storm("queue = { length = 190 }", ""), &["475ms"]);
    silent(rule, &storm("queue = { length = 400, order = \"lifo\" }", ""));
    silent(rule, &storm("queue = { length = 400, max_wait = \"400ms\" }", ""));
    silent(rule, &storm("queue = { length = 400 }\nabandoned = \"drop_waiting\"", ""));
    check(rule, &storm("queue = { length = \"unbounded\" }", ""), &["a queue without bound"]);
    silent(rule, &storm(LONG, "").replace("50ms", "600ms"));
    // Closed clients that all time out ask for 200 / 0.5 s = 400 a second, which is just what can be done.
    let closed = storm(LONG, "").replace("poisson = \"320/s\"", "closed = {}");
    silent(rule, &closed);
    check(rule, &closed.replace("clients = 200", "clients = 201"), &["1s of work"]);
}

#[test]
fn storms_that_feed_themselves() {
    let rule = Rule::RetryStorm;
    // ρ = 320 × 50 ms / 20 = 0.8; with four attempts 3.2.
    check(
        rule,
        &storm(LONG, ""),
        &["320/s of 50ms on 20 workers take 0.8 of the capacity, and 4 attempts a call 3.2", "it is 0.88"],
    );
    check(rule, &storm(LONG, "max_retries = \"unbounded\""), &["attempts without bound more than all of it"]);
    silent(rule, &storm(LONG, "max_retries = 0"));
    silent(rule, &storm(LONG, "retry_on = [\"5xx\"]"));
    silent(rule, &storm("queue = { length = 180 }", ""));
    silent(rule, &storm(LONG, "breaker = { consecutive = 5, open_for = \"1s\" }"));
    check(rule, &storm(LONG, "breaker = { consecutive = 5, open_for = \"1s\", counts = [\"429\"] }"), &["3.2"]);
    silent(rule, &storm(LONG, "budget = { ratio = 0.1, min_per_second = 0 }"));
    // 0.8 × 1.3 = 1.04.
    check(rule, &storm(LONG, "budget = { ratio = 0.3, min_per_second = 0 }"), &["1.3 attempts a call 1.04"]);
    // One a second for each of 200 clients is 200/320 = 0.625 more: 0.8 × 1.725 = 1.38.
    let each = storm(LONG, "budget = { ratio = 0.1, min_per_second = 1 }");
    number(rule, &each, "product", 1.38);
    silent(rule, &each.replace("min_per_second = 1", "scope = \"fleet\", min_per_second = 1"));
    // Filled by successes, of which there are none then; filled by calls, it goes on.
    silent(rule, &storm(LONG, "budget.tokens = { capacity = 10, deposit = 0.3 }"));
    check(rule, &storm(LONG, "budget.tokens = { capacity = 10, deposit = 0.3, deposit_on = \"call\" }"), &["1.04"]);
    // A budget that looks at 429s alone lets timeouts through.
    check(rule, &storm(LONG, "budget = { ratio = 0.1, counts = [\"429\"] }"), &["3.2"]);
    // 150 in flight, half a second each, are 300 a second: 0.94 a call.
    silent(rule, &storm(LONG, "concurrency = { limit = 150, scope = \"fleet\" }"));
    // A copy is an attempt too: 0.8 × 3.
    check(rule, &storm(LONG, "max_retries = 1\nhedge = { after = \"100ms\" }"), &["3 attempts a call 2.4"]);
}

/// The variants of Bronson et al., HotOS '21, as far as they differ by what the rule looks at; which of them recover is known
/// from simulation.
#[test]
fn storms_are_those_of_the_paper() {
    let text = |rate: u32, queue: &str, policy: &str| {
        format!(
            "[service.capacity]\nworkers = 30\nservice_time = \"100ms\"\nqueue = {{ {queue} }}\n[load]\nduration = \"5m\"\n\
             arrivals = {{ poisson = \"{rate}/s\" }}\n[policy]\nattempt_timeout = \"1s\"\n{policy}\n"
        )
    };
    let endless = "length = \"unbounded\"";
    let fires = |text: &str| findings(text).iter().any(|finding| finding.rule == Rule::RetryStorm);
    for stays_down in [
        text(280, endless, "max_retries = 1"),
        text(280, endless, "max_retries = 3\njitter = \"full\""),
        text(200, endless, "max_retries = 1"),
        text(280, "length = 300", "max_retries = 1"),
    ] {
        assert!(fires(&stays_down), "{stays_down}");
    }
    for recovers in [
        text(280, endless, "max_retries = 0"),
        text(280, endless, "max_retries = 1\nbudget.tokens = { capacity = 100, deposit = 0.1 }\n"),
        text(140, endless, "max_retries = 1"),
        text(280, "length = 100", "max_retries = 1"),
        text(280, "length = \"unbounded\", order = \"lifo\"", "max_retries = 1"),
    ] {
        assert!(!fires(&recovers), "{recovers}");
    }
}

#[test]
fn retries_without_a_budget() {
    let rule = Rule::NoBudget;
    check(rule, "[policy]\n", &["up to 4 attempts", "sent 4 times the load"]);
    check(rule, "[policy]\nmax_retries = \"unbounded\"\n", &["without bound"]);
    silent(rule, "[policy]\nmax_retries = 0\n");
    silent(rule, "[policy]\nbudget = { ratio = 0.1 }\n");
    silent(rule, "[policy]\nthrottle = {}\n");
    silent(rule, "[policy]\n[load]\nclients = 1\n");
    // Where all is known, the product of utilisation and attempts decides.
    silent(rule, &storm(LONG, ""));
    silent(rule, &storm("queue = { length = 100 }", ""));
    silent(rule, "[service]\noutcomes = { error = 0.1 }\n[policy]\n");
}

#[test]
fn budgets_of_small_clients() {
    let rule = Rule::BudgetPerClient;
    let bucket = "budget.tokens = { capacity = 10, deposit = 0.1 }";
    // 320/s for 90 s are 144 calls for each of 200 clients: 10/144 = 0.07; of 2000 clients 14.4: 0.69.
    silent(rule, &storm(LONG, bucket));
    let many = storm(LONG, bucket).replace("clients = 200", "clients = 2000");
    check(
        rule,
        &many,
        &[
            "2000 clients start with 10 retries each and make 14 calls each: 0.69 retries a call beside the 10%",
            "20000",
        ],
    );
    number(rule, &many, "retries_per_call", 10.0 / 14.4);
    silent(rule, &many.replace("capacity = 10,", "capacity = 1,"));
    silent(rule, &many.replace("budget.tokens", "budget.scope = \"fleet\"\nbudget.tokens"));
    // 10/s for each of 200 clients are 2000/s, with calls at 320/s.
    check(
        rule,
        &storm(LONG, "budget = { ratio = 0.2 }"),
        &["10 a second beside the 20% of their calls: 2000/s together"],
    );
    silent(rule, &storm(LONG, "budget = { ratio = 0.2, scope = \"fleet\" }"));
    silent(rule, "[policy]\nbudget = { ratio = 0.2 }\n");
    silent(rule, "[load]\ncount = 0\narrivals = { poisson = 5 }\nclients = 9\n[policy]\nbudget.aws = {}\n");
}

#[test]
fn delays_without_chance() {
    let rule = Rule::NoJitter;
    check(rule, "[policy]\n", &["3 retries wait 100ms, 200ms, 400ms, without jitter"]);
    check(rule, "[policy]\nmax_retries = 9\n", &["100ms, 200ms, 400ms, 800ms, …"]);
    silent(rule, "[policy]\njitter = \"equal\"\n");
    silent(rule, "[policy]\nmax_retries = 0\n");
    silent(rule, "[policy]\nbase_delay = 0\n");
    silent(rule, "[policy]\n[load]\ncount = 100\n");
    check(rule, "[policy]\n[load]\nclients = 2\n", &["without jitter"]);
    check(rule, "[policy]\n[load]\narrivals = { constant = \"5/s\" }\n", &["without jitter"]);
}

#[test]
fn delays_that_shrink_or_stay() {
    let rule = Rule::DelaysShrink;
    check(rule, "[policy]\ndelays = [\"1s\", \"5s\", \"2s\"]\n", &["a delay of 2s follows one of 5s"]);
    silent(rule, "[policy]\ndelays = [\"1s\", \"5s\", \"5s\"]\n");
    // The third delay is never waited.
    silent(rule, "[policy]\nmax_retries = 2\ndelays = [\"1s\", \"5s\", \"2s\"]\n");

    let rule = Rule::DelaysNeverGrow;
    check(
        rule,
        "[policy]\nbackoff = \"constant\"\nbase_delay = \"5s\"\nmax_retries = 5\n",
        &["5 retries come, each after 5s"],
    );
    check(rule, "[policy]\nbase_delay = \"5s\"\nmax_delay = \"5s\"\nmax_retries = 5\n", &["a larger `max_delay`"]);
    check(rule, "[policy]\ndelays = [\"5s\"]\nmax_retries = 5\n", &["delays that grow"]);
    check(rule, "[policy]\nfactor = 1\nmax_retries = 5\n", &["a `factor` of 2"]);
    check(rule, "[policy]\nbase_delay = 0\nmax_retries = \"unbounded\"\n", &["unbounded retries come, each at once"]);
    silent(rule, "[policy]\nbackoff = \"constant\"\nbase_delay = \"5s\"\nmax_retries = 4\n");
    silent(rule, "[policy]\nmax_retries = 9\n");
    silent(rule, "[policy]\nmax_retries = 9\njitter = \"decorrelated\"\n");
    silent(rule, "[policy]\nmax_retries = 9\nbase_delay = 0\nbudget = { ratio = 0.1 }\n");
}

#[test]
fn a_policy_that_thinks_of_everything_brings_up_nothing() {
    let text = storm(
        "queue = { length = 100 }",
        "jitter = \"full\"\nbase_delay = \"50ms\"\ndeadline = \"5s\"\nbudget = { ratio = 0.1, min_per_second = 1, scope = \"fleet\" }",
    );
    assert_eq!(findings(&text), []);
}

#[test]
fn presets_can_be_judged_alone() {
    let names = |name: &str| {
        let settings = preset(name).unwrap();
        let findings = lint(&Subject { service: None, load: None, graph: None, settings: &settings });
        findings.iter().map(|finding| finding.rule.name()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("curl-retry"), "horizon-shorter-than-limit no-budget no-jitter");
    assert_eq!(names("aws-standard-2.1"), "horizon-shorter-than-limit");
    assert_eq!(names("none"), "");
    assert_eq!(names("finagle"), "");
    assert_eq!(names("tenacity-default"), "no-budget delays-never-grow");
}

/// Numbers at the ends of what a file may say.
#[test]
fn nothing_panics() {
    let long = "8760h";
    let scenes = [
        format!(
            "[service]\nlatency = {{ lognormal = {{ median = \"{long}\", sigma = 10 }} }}\noutcomes = {{ error = 1, }}\n"
        ),
        format!(
            "[service.capacity]\nworkers = 4294967295\nservice_time = {{ exponential = \"{long}\" }}\nqueue = {{ length = 4294967295 }}\n\
             [load]\narrivals = {{ constant = 1e7 }}\nduration = \"{long}\"\nclients = 16777216\n\
             connect_delay = {{ exponential = \"1ns\" }}\n"
        ),
        format!(
            "[service.capacity]\nworkers = 1\nservice_time = 0\nqueue = {{ length = 0, max_wait = \"{long}\" }}\n[[phases]]\n\
             name = \"a\"\nuntil = \"{long}\"\ncapacity = 0\nramp_up = \"4380h\"\nramp_down = \"4380h\"\n"
        ),
    ];
    let policies = [
        format!("max_retries = \"unbounded\"\ndeadline = \"{long}\"\nattempt_timeout = \"1ns\"\nbase_delay = 0\n"),
        format!("max_retries = 4294967294\nbase_delay = \"1ns\"\nbackoff = \"linear\"\nmax_delay = \"{long}\"\nretry_after = \"exact\"\n"),
        format!("delays = [\"{long}\", 0]\nattempt_timeout = \"{long}\"\nhedge = {{ after = 0, max = 4294967295 }}\n"),
        "jitter = \"decorrelated\"\nmax_retries = \"unbounded\"\nbudget.tokens = { capacity = 4000000, deposit = 0, cost = 0.001 }\n".to_owned(),
    ];
    for scene in &scenes {
        for policy in &policies {
            let _ = findings(&format!("{scene}[policy]\n{policy}"));
        }
        for preset in &PRESETS {
            let _ = findings(&format!("policy = \"{}\"\n{scene}", preset.name));
        }
    }
}

#[test]
fn a_layer_against_the_one_around_it() {
    let rule = Rule::LayerCutsShort;
    // Three attempts of 2 s and two waits of 1 and 2 s, inside an attempt of 5 s.
    let inner = "{ max_retries = 2, attempt_timeout = \"2s\", base_delay = \"1s\" }";
    let stack = |around: &str| format!("policy = [{inner}, {around}]\n");
    let text = stack("{ max_retries = 3, attempt_timeout = \"5s\" }");
    check(
        rule,
        &text,
        &["for up to 9s (3 attempts, 3s of waits)", "gives up after 5s", "an `attempt_timeout` around it of 9s"],
    );
    number(rule, &text, "inside_s", 9.0);
    silent(rule, &stack("{ max_retries = 3, attempt_timeout = \"9s\" }"));
    silent(rule, &stack("{ max_retries = 3 }"));
    check(rule, &stack("{ max_retries = 3, deadline = \"8s\" }"), &["gives up after 8s"]);
    // The framework takes 4 × 9 s and 0.1 + 0.2 + 0.4 s; the job queue around both waits for 30 s.
    check(rule, &stack("\"retry-3\", { attempt_timeout = \"30s\" }"), &["for up to 36s (4 attempts"]);
    // One that is unbounded on purpose is ended by the one around it.
    silent(
        rule,
        "policy = [{ max_retries = \"unbounded\", attempt_timeout = \"1s\" }, { attempt_timeout = \"5s\" }]\n",
    );
}

#[test]
fn calls_of_services_against_the_patience_of_their_callers() {
    let rule = Rule::HopOutlastsCaller;
    // Two attempts of 800 ms and a wait of 100 ms; the client waits for a second.
    let hop = "policy = { max_retries = 1, attempt_timeout = \"800ms\" }";
    let graph = |more: &str, limit: &str| {
        format!(
            "[service]\ncalls = [{{ to = \"db\", {hop}{more} }}]\n[services.db]\n[policy]\nattempt_timeout = \"{limit}\"\n"
        )
    };
    check(
        rule,
        &graph("", "1s"),
        &[
            "the service calls `db` for up to 1.7s (2 attempts, 100ms of waits)",
            "waits for 1s",
            "`pass_deadline = true`",
        ],
    );
    silent(rule, &graph("", "1.7s"));
    silent(rule, &graph(", pass_deadline = true", "1s"));
    // Further behind, the caller is a hop.
    let chain = "[service]\ncalls = [{ to = \"stock\", policy = { attempt_timeout = \"500ms\" } }]\n\
                 [services.stock]\ncalls = [{ to = \"db\", policy = { max_retries = 0, attempt_timeout = \"2s\" } }]\n\
                 [services.db]\n[policy]\nattempt_timeout = \"1m\"\n";
    check(rule, chain, &["stock calls `db` for up to 2s (1 attempt, 0s of waits), and its caller waits for 500ms"]);
}
