//! Looking on while a load goes on over sockets.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{PROGRAM, brownout};

/// Five seconds of calls of which a fifth has to be made again.
const OPEN: &str = r#"
seed = 7
[service]
latency = "20ms"
outcomes = { error = 0.2 }
[load]
arrivals = { constant = "100/s" }
duration = "5s"
[policy]
max_retries = 2
base_delay = "10ms"
"#;

/// A load with `arguments` over the scenario above, and the first line of standard error that begins with `word`.
fn begun(folder: &Path, arguments: &str, word: &str) -> (Child, BufReader<ChildStderr>, String) {
    std::fs::write(folder.join("open.toml"), OPEN).unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["load", "open.toml", "--real", "--json"]).args(arguments.split_whitespace()).current_dir(folder);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with(word) {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "no `{word}`");
    }
    (child, lines, line[word.len()..].trim().to_owned())
}

/// What curl gets there; `None` where nobody answers.
fn curl(arguments: &[&str]) -> Option<String> {
    let output = Command::new("curl").args(["--silent", "--noproxy", "*"]).args(arguments).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// The value of the series `name` with its labels.
fn value(metrics: &str, name: &str) -> u64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name}: {metrics}")).parse().unwrap()
}

#[test]
fn metrics_grow_with_the_run_and_end_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (child, mut said, url) = begun(folder.path(), "--metrics 0", "metrics ");
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    // Not for pages that have their own name point here.
    let refused = curl(&["--header", "Host: example.com", &url]).unwrap();
    assert!(refused.contains("127.0.0.1, [::1] and localhost only"), "{refused}");
    let elsewhere = curl(&[&url.replace("/metrics", "/")]).unwrap();
    assert!(elsewhere.contains("GET /metrics is all there is"), "{elsewhere}");

    let mut scrapes: Vec<String> = Vec::new();
    let began = Instant::now();
    while let Some(scrape) = curl(&[&url]) {
        // One that comes before the first answers has little to tell.
        let tells = scrape.contains("response_code=\"200\"") && scrape.contains("response_code=\"500\"");
        scrapes.extend(tells.then_some(scrape));
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output().unwrap();
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!((output.status.code().is_some(), rest.as_str()), (true, ""));
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();

    let (first, last) = (&scrapes[0], scrapes.last().unwrap());
    let grown = |name: &str| (value(first, name), value(last, name));
    for (name, whole) in [
        ("brownout_calls_total", "/calls/started"),
        ("brownout_calls_ended_total{end=\"succeeded\"}", "/calls/succeeded"),
        ("brownout_upstream_rq_total", "/attempts/total"),
        ("brownout_upstream_rq_retry_total", "/attempts/retries"),
        ("brownout_upstream_rq_status_total{response_code=\"200\"}", "/by_status/200"),
        ("brownout_upstream_rq_xx_total{response_code_class=\"5\"}", "/by_status/500"),
        ("brownout_call_seconds_count", "/latency_ms/response/count"),
        ("brownout_schedule_lag_seconds_count", "/generator/schedule_lag_ms/count"),
    ] {
        let ((first, last), whole) = (grown(name), result.pointer(whole).unwrap().as_u64().unwrap());
        assert!(first < last && last <= whole, "{name}: {first}, {last}, in the end {whole}");
        // It was asked every 50 ms or so of 5 s.
        assert!(2 * last > whole, "{name}: {last}, in the end {whole}");
    }
    for scrape in &scrapes {
        let (begun, active) = (value(scrape, "brownout_calls_total"), value(scrape, "brownout_calls_active"));
        let ended =
            ["succeeded", "failed"].map(|end| value(scrape, &format!("brownout_calls_ended_total{{end=\"{end}\"}}")));
        assert_eq!(begun, active + ended.iter().sum::<u64>());
        assert_eq!(value(scrape, "brownout_call_seconds_bucket{le=\"+Inf\"}"), ended.iter().sum::<u64>());
        // No attempt takes less than the 20 ms of its service.
        assert_eq!(value(scrape, "brownout_upstream_rq_seconds_bucket{le=\"0.01\"}"), 0);
    }
}

#[test]
fn what_has_nothing_to_show_is_refused_before_anything_is_run() {
    brownout("load --metrics 0").refused(&["--metrics is of a load over sockets", "add --real, or --url URL"]);
    brownout("load --metrics nowhere").refused(&["a service listens on a port from 0 to 65535", "`nowhere`"]);
    let open = brownout("load --real --metrics 0.0.0.0:0");
    open.refused(&["--metrics", "can be reached from other machines", "BROWNOUT_ADMIN_TOKEN"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let run = brownout(&format!("load --real --metrics {}", taken.local_addr().unwrap().port()));
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
    assert!(run.stderr.contains("for the metrics") && run.stderr.contains("0 for any free one"), "{}", run.stderr);
}
