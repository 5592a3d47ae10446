//! Results of loads in files: written, merged, judged, compared.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::program::{Run, Server, brownout_in};

/// Open arrivals at a service with luck, and nothing that calls have in common.
const OPEN: &str = r#"
seed = 7
[service.outcomes]
error = 0.2
[load]
arrivals = { poisson = "400/s" }
count = 400
[policy]
max_retries = 2
base_delay = "5ms"
"#;

fn run(folder: &Path, arguments: &str) -> Run {
    brownout_in(folder, &arguments.split_whitespace().collect::<Vec<_>>())
}

/// A folder with a scenario in it.
fn folder(scenario: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("open.toml"), scenario).unwrap();
    folder
}

fn kept(folder: &Path, file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join(file)).unwrap()).unwrap()
}

/// What counts of a result: all but where and how it was made.
fn counts(result: &Value) -> Value {
    let mut result = result.clone();
    for key in ["events", "shard", "shards"] {
        result.as_object_mut().unwrap().remove(key);
    }
    result
}

#[test]
fn eight_shards_are_the_whole() {
    let folder = folder(OPEN);
    let here = folder.path();
    for index in 0..8 {
        let one = run(here, &format!("load open.toml --shard {index}/8 --output {index}.json"));
        assert_eq!((one.code, one.stdout.contains(&format!("Shard {index}/8: "))), (Some(0), true), "{one:?}");
        assert_eq!(kept(here, &format!("{index}.json"))["shard"]["index"], index);
    }
    let whole = run(here, "load open.toml --json").json();
    let files = "6.json 7.json 0.json 1.json 2.json 4.json";
    let most = run(here, &format!("merge {files} --json --output most.json"));
    assert_eq!((most.code, most.stderr.as_str()), (Some(1), "incomplete: shards 3 and 5 of 8 are missing\n"));
    assert_eq!(most.json()["shards"]["missing"].to_string(), "[3,5]");
    let all = run(here, "merge most.json 5.json 3.json --json");
    assert_eq!((all.code, all.stderr.as_str()), (Some(0), ""), "{all:?}");
    assert_eq!(counts(&all.json()), counts(&whole));
    assert_eq!(all.json()["calls"]["offered"], 400);
    let text = run(here, "merge most.json 5.json 3.json").stdout;
    assert!(text.contains("Merged: 8 of 8 shards\n") && text.starts_with("Load test: 400 requests\n"), "{text}");
}

#[test]
fn shards_over_sockets_meet_what_the_whole_meets() {
    let folder = folder(OPEN);
    let here = folder.path();
    let server = Server::start(here.join("open.toml").to_str().unwrap());
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 2;
    for index in 0..2 {
        let url = format!("--url {} --start-at {at}", server.url);
        let one = run(here, &format!("load open.toml --shard {index}/2 --output {index}.json {url}"));
        // The second one is later than it was to be, and may be refused for it.
        if one.code != Some(0) {
            let url = format!("--url {}", server.url);
            run(here, &format!("load open.toml --shard {index}/2 --output {index}.json {url}"));
        }
    }
    let start = &kept(here, "0.json")["start"];
    assert_eq!(start["at"], at.to_string());
    let late = Duration::from_secs_f64(start["late_ms"].as_f64().unwrap() / 1e3);
    assert!(late < Duration::from_secs(60), "{late:?}");
    let (merged, whole) = (run(here, "merge 0.json 1.json --json"), run(here, "load open.toml --json"));
    assert_eq!(merged.code, Some(0), "{merged:?}");
    for key in ["calls", "attempts", "by_status", "gave_up", "success_rate", "amplification"] {
        assert_eq!(merged.json()[key], whole.json()[key], "{key}");
    }
}

#[test]
fn foreign_files_are_refused() {
    let folder = folder(OPEN);
    let here = folder.path();
    let load = |more: &str| assert_eq!(run(here, &format!("load open.toml {more}")).code, Some(0), "{more}");
    load("--shard 0/2 --output a.json");
    load("--shard 1/2 --output seed.json --seed 8");
    load("--shard 1/2 --output policy.json --max-retries 1");
    load("--shard 1/2 --output count.json --count 300");
    load("--output whole.json");
    let text = std::fs::read_to_string(here.join("a.json")).unwrap();
    std::fs::write(here.join("torn.json"), &text[..text.len() / 2]).unwrap();
    std::fs::write(here.join("other.json"), "{}").unwrap();
    for (file, why) in [
        ("a.json", "shard 0 of 2 is in a.json and was there before"),
        ("seed.json", "seed.json is of another seed than a.json (8, not 7)"),
        ("policy.json", "policy.json is of another policy than a.json"),
        ("count.json", "count.json is of another load than a.json"),
        ("whole.json", "whole.json is the result of a whole run and no shard"),
        ("torn.json", "failed to read the result torn.json: it is not JSON to its end"),
        ("other.json", "it is no result of `brownout load`"),
        ("gone.json", "failed to read the result gone.json"),
    ] {
        run(here, &format!("merge a.json {file}")).refused(&[why]);
    }
}

#[test]
fn what_calls_have_in_common_is_no_shards() {
    let capacity = "[service.capacity]\nworkers = 2\nservice_time = \"5ms\"\n";
    let limited = "[service.rate_limit]\ntoken_bucket = { rate = \"100/s\", burst = 5 }\n";
    let budget = "[policy.budget]\nratio = 0.2\n";
    for (table, what) in
        [(capacity, "the workers and the queue"), (limited, "the limits"), (budget, "what callers remember")]
    {
        let folder = folder(&format!("{OPEN}{table}"));
        run(folder.path(), "load open.toml --shard 0/2").refused(&["knows nothing of the calls of the others", what]);
    }
    let folder = folder(OPEN);
    run(folder.path(), "load open.toml --shard 2/2").refused(&["a shard is I/N with I from 0 to N-1", "`2/2`"]);
    run(folder.path(), "load open.toml --start-at 4107542400").refused(&["--url"]);
    let past = "load open.toml --url http://127.0.0.1:9/ --start-at";
    run(folder.path(), &format!("{past} 2020-01-01T00:00:00Z")).refused(&["s past; name a moment to come"]);
    run(folder.path(), &format!("{past} soon")).refused(&["RFC 3339"]);
}

#[test]
fn a_result_that_cannot_be_written_is_no_run() {
    let folder = folder(OPEN);
    std::fs::write(folder.path().join("file"), "").unwrap();
    let refused = run(folder.path(), "load open.toml --output file/result.json");
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{refused:?}");
    assert!(refused.stderr.contains("failed to write file/result.json"), "{refused:?}");
    // Before anything was begun: not even the seed is told.
    assert!(!refused.stderr.contains("seed 7"), "{refused:?}");
    run(folder.path(), "load open.toml --json --format text").refused(&["cannot be used with"]);
}

#[test]
fn what_is_expected_decides_the_exit_code() {
    let folder = folder(&format!("{OPEN}[expect]\nsuccess_rate = \">= 99%\"\np99 = \"<= 1s\"\n"));
    let load = |more: &[&str]| brownout_in(folder.path(), &[&["load", "open.toml"], more].concat());
    let met = load(&["--max-retries", "9"]);
    assert_eq!((met.code, met.stdout.contains("Verdict: met\n")), (Some(0), true), "{met:?}");
    let missed = load(&["--expect", "amplification <= 1.01", "--expect", "success_rate >= 1%"]);
    assert_eq!((missed.code, missed.stdout.contains("Verdict: missed\n")), (Some(99), true), "{missed:?}");
    let untold = load(&["--expect", "recovery <= 30s", "--expect", "success_rate >= 1%", "--json"]);
    assert_eq!((untold.code, &untold.json()["verdict"]["met"]), (Some(98), &Value::Null), "{untold:?}");
    // A miss is one, whatever else cannot be told.
    assert_eq!(load(&["--expect", "recovery <= 30s", "--expect", "p99 <= 0.1ms"]).code, Some(99));
    load(&["--expect", "p98 <= 1s"]).refused(&["there is no `p98` to expect something of", "did you mean `p9"]);
    load(&["--expect", "p99 < 1s"]).refused(&["an expectation is `<=` or `>=` and a bound"]);
    for index in ["0", "1"] {
        let (shard, file) = (format!("{index}/2"), format!("{index}.json"));
        let shard = load(&["--shard", &shard, "--output", &file, "--expect", "goodput <= 1/s"]);
        assert_eq!((shard.code, shard.stdout.contains("Verdict")), (Some(0), false), "{shard:?}");
    }
    let merged = run(folder.path(), "merge 0.json 1.json");
    assert_eq!((merged.code, merged.stdout.contains("Verdict: missed\n")), (Some(99), true), "{merged:?}");
}

#[test]
fn a_negative_control_is_to_be_missed() {
    let load = |bound: &str| {
        let folder = folder(&format!("{OPEN}[expect]\namplification = \"<= {bound}\"\nverdict = \"missed\"\n"));
        run(folder.path(), "load open.toml")
    };
    let missed = load("1.01");
    assert_eq!(missed.code, Some(0), "{missed:?}");
    assert!(missed.stdout.contains("Verdict: missed, and is to be missed\n"), "{missed:?}");
    assert_eq!(load("9").code, Some(99));
}

#[test]
fn a_load_without_an_answer_is_a_failure_before_it_is_a_miss() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let folder = folder(OPEN);
    let missed = ["load", "--url", &url, "--count", "3", "--expect", "success_rate >= 1%"];
    assert_eq!(brownout_in(folder.path(), &missed).code, Some(1));
}

#[test]
fn a_comparison_tells_which_policies_meet_what_is_expected() {
    let folder = folder(&format!("{OPEN}[expect]\nsuccess_rate = \">= 95%\"\n"));
    let compare = run(folder.path(), "compare open.toml --policies none,retry-3 --seeds 5 --json");
    let expected = |arm: usize| compare.json()["policies"][arm]["expected"].to_string();
    assert_eq!(expected(0), r#"{"met":0,"missed":5,"not_enough_data":0}"#);
    assert_eq!(expected(1), r#"{"met":5,"missed":0,"not_enough_data":0}"#);
    let text = run(folder.path(), "compare open.toml --policies none,retry-3 --seeds 5").stdout;
    let ends: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().last()).collect();
    assert!(ends.contains(&"missed") && ends.contains(&"met") && ends.contains(&"expected"), "{text}");
}

/// A scenario as [`OPEN`], two minutes long, with this median latency.
fn lasting(median: &str) -> String {
    let latency = format!("[service]\nlatency = {{ lognormal = {{ median = \"{median}\", sigma = 0.5 }} }}\n");
    OPEN.replace("[service.outcomes]", &format!("{latency}[service.outcomes]"))
        .replace("count = 400", "duration = \"2m\"")
}

#[test]
fn a_slower_service_is_told_from_one_that_is_not() {
    let folder = folder(&lasting("100ms"));
    let here = folder.path();
    std::fs::write(here.join("slow.toml"), lasting("115ms")).unwrap();
    for (file, seed, output) in [("open", 1, "a"), ("open", 2, "same"), ("slow", 3, "slow")] {
        run(here, &format!("load {file}.toml --seed {seed} --output {output}.json"));
    }
    let same = run(here, "diff a.json a.json");
    assert_eq!((same.code, same.stdout.matches("no difference told").count()), (Some(0), 6), "{same:?}");
    assert_eq!(run(here, "diff a.json same.json").code, Some(0));
    let slow = run(here, "diff a.json slow.json");
    assert_eq!(slow.code, Some(99), "{slow:?}");
    for part in ["A: a.json\nB: slow.json\n", "Note: the runs differ in: service\n", "slower by "] {
        assert!(slow.stdout.contains(part), "no `{part}` in {}", slow.stdout);
    }
    let row = run(here, "diff a.json slow.json --json").json()["rows"][0].clone();
    assert_eq!((&row["what"], &row["verdict"]), (&Value::from("p50"), &Value::from("worse")));
    let end = |end: &str| row["effect"][end].as_f64().unwrap();
    assert!(end("low") < 0.15 && 0.15 < end("high") && 0.05 < end("low"), "{row}");
    // The other way round it is faster, which is no miss; and so much slower may be allowed.
    assert_eq!(run(here, "diff slow.json a.json").code, Some(0));
    assert_eq!(run(here, "diff a.json slow.json --threshold 30%").code, Some(0));
    let sides = run(here, "diff a.json same.json --against slow.json slow.json");
    assert!(sides.stdout.contains("2 runs against 2 runs"), "{sides:?}");
}

#[test]
fn what_cannot_be_compared_is_refused_or_not_enough() {
    let folder = folder(OPEN);
    let here = folder.path();
    run(here, "load open.toml --output short.json");
    let short = run(here, "diff short.json short.json");
    assert_eq!((short.code, short.stdout.contains("not enough data")), (Some(98), true), "{short:?}");
    run(here, "load open.toml --shard 0/2 --output part.json");
    run(here, "diff short.json part.json").refused(&["part.json is a part of a load; merge all shards of it first"]);
    run(here, "diff short.json").refused(&["two results are compared", "found 1"]);
    run(here, "diff short.json gone.json").refused(&["failed to read the result gone.json"]);
}

#[test]
fn other_programs_read_the_result_in_their_own_words() {
    let folder = folder(OPEN);
    let print = |format: &str| run(folder.path(), &format!("load open.toml --format {format}"));
    let own = print("json").json();
    let attempts = own["attempts"]["total"].as_u64().unwrap();
    let sum = |counts: &Value| counts.as_object().unwrap().values().filter_map(Value::as_u64).sum::<u64>();
    let oha = print("oha").json();
    assert_eq!(sum(&oha["statusCodeDistribution"]) + sum(&oha["errorDistribution"]), attempts);
    let k6 = print("k6").json();
    assert_eq!(k6["metrics"]["http_reqs"]["values"]["count"], attempts);
    assert_eq!(k6["metrics"]["iterations"]["values"]["count"], 400);
    let vegeta = print("vegeta").json();
    assert_eq!((vegeta["requests"].as_u64(), sum(&vegeta["status_codes"])), (Some(attempts), attempts));
    let csv = print("csv").stdout;
    let column = |place: usize| {
        let rows = csv.lines().skip(1);
        rows.map(|row| row.split(',').nth(place).unwrap().parse::<u64>().unwrap()).sum::<u64>()
    };
    assert_eq!([column(2), column(3)], [400, attempts]);
}
