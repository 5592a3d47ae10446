//! The client verbs against the built-in service, in virtual time.

use crate::program::brownout;
use snapbox::{assert_data_eq, str};

#[test]
fn a_request_prints_the_response_as_json() {
    let run = brownout("request --seed 42");
    assert_eq!(run.code, Some(0));
    assert_data_eq!(
        &run.stdout,
        str![[r#"
{
  "status_code": 200,
  "body": {"message": "OK", "path": "/", "method": "GET"},
  "headers": {
    "content-type": "application/json",
    "x-brownout-decision": "request=1;attempt=1;outcome=success;latency_ms=[..]"
  },
  "latency_ms": [..],
  "error": null
}

"#]]
    );
    assert_eq!(run.stderr, "seed 42, scenario built-in\n");
}

#[test]
fn method_and_path_reach_the_answer() {
    let answer = brownout("request --method POST --path /x --seed 42").json();
    assert_eq!((answer["body"]["method"].as_str(), answer["body"]["path"].as_str()), (Some("POST"), Some("/x")));
}

#[test]
fn each_failure_has_its_answer() {
    for (rates, status, body, error) in [
        (
            "--failure-rate 1 --timeout-rate 0 --rate-limit-rate 0",
            500,
            r#"{"error":"Internal Server Error"}"#,
            "internal_server_error",
        ),
        (
            "--failure-rate 0 --timeout-rate 0 --rate-limit-rate 1",
            429,
            r#"{"message":"Too Many Requests"}"#,
            "too_many_requests",
        ),
        (
            "--failure-rate 0 --timeout-rate 1 --rate-limit-rate 0",
            504,
            r#"{"error":"Gateway Timeout"}"#,
            "gateway_timeout",
        ),
    ] {
        let answer = brownout(&format!("request --seed 1 {rates}")).json();
        assert_eq!(answer["status_code"], status);
        assert_eq!(answer["body"].to_string(), body);
        assert_eq!(answer["error"], error);
        assert_eq!(answer["headers"].get("retry-after").is_some(), status == 429);
        let latency = answer["latency_ms"].as_f64().unwrap();
        let expected = if status == 504 { 500.0..=500.0 } else { 10.0..=499.999 };
        assert!(expected.contains(&latency), "{answer}");
    }
}

#[test]
fn a_load_prints_its_counts_first() {
    let run = brownout("load --count 100 --seed 42");
    assert_eq!(run.code, Some(0));
    assert_data_eq!(
        &run.stdout,
        str![[r#"
Load test: 100 requests
  200: [..]
  429: [..]
  500: [..]
  504: [..]
Calls: [..] of 100 succeeded ([..]%), in [..] s of virtual time
Latency of attempts: p50 [..] ms, p90 [..] ms, p99 [..] ms, max 500.0 ms (n = 100)

"#]]
    );
}

#[test]
fn a_load_as_json_is_the_same_result_and_more() {
    let result = brownout("load --count 1000 --seed 42 --json").json();
    assert_eq!(result["total_requests"], 1000);
    let counts: u64 = result["by_status"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(counts, 1000);
    assert_eq!(result["calls"]["offered"], 1000);
    assert_eq!(result["attempts"]["total"], 1000);
    assert_eq!(result["amplification"], 1.0);
    assert_eq!((&result["seed"], &result["scenario"]), (&42.into(), &"built-in".into()));
    let text = brownout("load --count 1000 --seed 42").stdout;
    for (status, count) in result["by_status"].as_object().unwrap() {
        assert!(text.contains(&format!("\n  {status}: {count}\n")), "{text}");
    }
}

#[test]
fn no_call_at_all_is_said_and_is_no_failure() {
    let run = brownout("load --count 0 --seed 1");
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "Load test: 0 requests\nNo request was made.\n"));
    let result = brownout("load --count 0 --seed 1 --json").json();
    assert_eq!((&result["total_requests"], &result["success_rate"]), (&0.into(), &serde_json::Value::Null));
    assert!(!result.to_string().to_lowercase().contains("nan"));
}

#[test]
fn a_retry_tells_its_status_and_the_last_response() {
    let run = brownout("retry --max-retries 5 --seed 42");
    assert_eq!(run.code, Some(0));
    assert!(run.stdout.starts_with("Status: 200 after "), "{}", run.stdout);
    assert!(run.stdout.contains(" attempt(s)\n{\n  \"status_code\": 200,"), "{}", run.stdout);
}

#[test]
fn the_nth_wait_of_a_retry_is_two_to_the_n_milliseconds() {
    let call = brownout("retry --max-retries 5 --seed 42 --success-rate 0 --rate-limit-rate 0 --json").json();
    let delays: Vec<f64> = call["attempts"].as_array().unwrap().iter().filter_map(|a| a["delay_ms"].as_f64()).collect();
    assert_eq!(delays, [2.0, 4.0, 8.0, 16.0, 32.0]);
}

#[test]
fn without_successes_every_attempt_is_used_and_it_says_so() {
    let run = brownout("retry --max-retries 5 --seed 42 --success-rate 0");
    assert_eq!(run.code, Some(1));
    let status = run.stdout.split(' ').nth(1).unwrap();
    assert!(["429", "500", "504"].contains(&status), "{}", run.stdout);
    assert!(run.stdout.contains(" after 6 attempt(s)\nGave up after 6 attempts and "), "{}", run.stdout);
    assert!(run.stdout.contains(": every retry is spent.\n"), "{}", run.stdout);
}

#[test]
fn success_rate_zero_lets_the_failures_share_all_in_their_proportions() {
    let result = brownout("load --count 20000 --seed 7 --success-rate 0 --json").json();
    let count = |status: &str| result["by_status"][status].as_u64().unwrap_or(0);
    // Half, a quarter and a quarter of 20,000, within five standard deviations.
    assert_eq!(count("200"), 0);
    assert!(count("500").abs_diff(10_000) < 354, "{result}");
    assert!(count("429").abs_diff(5_000) < 307 && count("504").abs_diff(5_000) < 307, "{result}");
}

#[test]
fn a_timeout_limits_the_whole_call_and_the_reason_is_told() {
    // The third of three attempts of 500 ms cannot end within 1.2 s.
    let slow = "--success-rate 0 --timeout-rate 1 --failure-rate 0 --rate-limit-rate 0 --seed 1";
    let run = brownout(&format!("retry --max-retries 9 --timeout 1.2s {slow}"));
    assert_eq!(run.code, Some(1));
    assert!(
        run.stdout.starts_with("Status: none after 3 attempt(s)\nGave up after 3 attempts and 1.2s: "),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("the timeout of the whole call struck"), "{}", run.stdout);
}

#[test]
fn rates_that_make_no_sense_are_refused() {
    brownout("load --failure-rate 1.5").refused(&["--failure-rate", "from 0 to 1", "1.5"]);
    brownout("load --success-rate -0.1").refused(&["--success-rate", "from 0 to 1", "-0.1"]);
    brownout("load --timeout-rate nan").refused(&["--timeout-rate", "from 0 to 1", "nan"]);
    brownout("retry --rate-limit-rate often").refused(&["--rate-limit-rate", "often"]);
    brownout("load --success-rate 0.6 --failure-rate 0.6").refused(&[
        "rates must add up to at most 1",
        "found 1.2",
        "--success-rate 0.6",
        "--failure-rate 0.6",
    ]);
    brownout("request --failure-rate 0.95").refused(&["found 1.05", "--failure-rate 0.95", "rate_limit 0.05"]);
}

#[test]
fn health_is_so_many_200s_in_a_row() {
    let well = brownout("health --seed 1 --success-rate 1 --consecutive 4");
    assert_eq!(
        (well.code, well.stdout.as_str()),
        (Some(0), "healthy: wanted 4 × 200 in a row, saw 200, 200, 200, 200\n")
    );
    let ill = brownout("health --seed 1 --success-rate 0");
    assert_eq!(ill.code, Some(1));
    assert!(ill.stdout.starts_with("unhealthy: wanted 3 × 200 in a row, saw "), "{}", ill.stdout);
    let mixed = brownout("health --seed 1 --success-rate 0.5 --consecutive 40 --json");
    let probes = mixed.json()["probes"].as_array().unwrap().len();
    assert!(mixed.code == Some(1) && (1..40).contains(&probes), "{probes} probes");
}

#[test]
fn a_seed_repeats_every_byte_and_another_seed_differs() {
    for verb in [
        "request --success-rate 0.5",
        "load --count 200",
        "load --count 200 --json --concurrency 7 --max-retries 2 --jitter full",
        "retry --success-rate 0.3 --jitter full --json",
        "health --success-rate 0.5 --consecutive 9 --json",
        "run --fail-count 0",
    ] {
        let first = brownout(&format!("{verb} --seed 42"));
        assert_eq!(first, brownout(&format!("{verb} --seed 42")), "{verb}");
        if !verb.starts_with("run") {
            assert_ne!(first.stdout, brownout(&format!("{verb} --seed 43")).stdout, "{verb}");
        }
    }
}

#[test]
fn a_chosen_seed_is_said_first_and_repeats_the_run() {
    let chosen = brownout("load --count 50");
    let seed = chosen.stderr.split([' ', ',']).nth(1).unwrap();
    assert!(chosen.stderr.contains(&format!("repeat with --seed {seed}")), "{}", chosen.stderr);
    assert_eq!(chosen.stdout, brownout(&format!("load --count 50 --seed {seed}")).stdout);
}

#[test]
fn a_load_with_retries_tells_attempts_from_calls() {
    let run = brownout("load --count 500 --seed 3 --failure-rate 0.5 --max-retries 3 --ignore-retry-after");
    assert!(run.stdout.contains("Attempts: "), "{}", run.stdout);
    let result =
        brownout("load --count 500 --seed 3 --failure-rate 0.5 --max-retries 3 --ignore-retry-after --json").json();
    let attempts = &result["attempts"];
    assert_eq!(attempts["first"], 500);
    assert_eq!(attempts["total"].as_u64().unwrap(), 500 + attempts["retries"].as_u64().unwrap());
    assert!(result["amplification"].as_f64().unwrap() > 1.5, "{result}");
}
