//! What commands do to a service: real clients, counted by what reached it.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::http::curl_is_there;
use crate::program::{Run, brownout_in, repository};

fn rehearse(arguments: &[&str]) -> Run {
    brownout_in(&repository(), &[&["rehearse"], arguments].concat())
}

/// The report of a rehearsal, from its file: the command's own output is none of it.
#[track_caller]
fn report(arguments: &[&str]) -> (Value, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("made/report.json");
    let ran = rehearse(&[&["--output", file.to_str().unwrap()], arguments].concat());
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    (serde_json::from_str(&text).unwrap(), ran.code)
}

/// Whether a program is here, said so where it is not.
fn is_there(program: &str, arguments: &[&str]) -> bool {
    let there = Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success());
    if !there {
        skipped(&format!("no {program} {}", arguments.join(" ")));
    }
    there
}

#[expect(clippy::print_stderr, reason = "who runs the tests should know")]
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

fn python() -> String {
    std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

fn client(name: &str) -> String {
    repository().join("examples/clients").join(name).to_str().unwrap().to_owned()
}

const ALWAYS: [&str; 2] = ["--preset", "always-503"];

#[test]
fn curl_retries_as_often_as_it_says() {
    if !curl_is_there() {
        return;
    }
    let curl =
        ["--expect", "amplification <= 3", "--", "curl", "-s", "--retry", "2", "--retry-delay", "1", "{url}/orders"];
    let ran = rehearse(&[&ALWAYS[..], &curl].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    // What curl printed comes first, and as it is.
    assert!(ran.stdout.starts_with("{\"error\": \"service unavailable\"}"), "{ran:?}");
    assert!(ran.stdout.contains("\n1 call made 3 requests: amplification 3\n"), "{ran:?}");
    assert!(ran.stdout.contains("Connections: 1 for 3 requests, at most 1 request at once\n"), "{ran:?}");
    assert!(ran.stdout.ends_with("Verdict: met\n  amplification <= 3  3  met\n"), "{ran:?}");
}

/// What a client does goes to where policies are judged: its file meets there as many requests as the client made.
#[test]
fn what_a_client_does_is_a_policy_for_the_other_verbs() {
    if !curl_is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let curl = ["-s", "--retry", "2", "--retry-delay", "1", "{url}/orders"];
    let ran = brownout_in(
        folder.path(),
        &[&["rehearse"], &ALWAYS[..], &["--policy-out", "own/curl.toml", "--", "curl"], &curl].concat(),
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let policy = std::fs::read_to_string(folder.path().join("own/curl.toml")).unwrap();
    assert!(policy.contains("max_retries = 2\n") && policy.contains("backoff     = \"constant\"\n"), "{policy}");
    let policies = ["--policies", "none,own/curl.toml", "--seeds", "2", "--json"];
    let compared = brownout_in(folder.path(), &[&["compare", "preset:always-503"], &policies[..]].concat()).json();
    let amplification = |place: usize| compared["policies"][place]["amplification"]["mean"].as_f64();
    assert_eq!((amplification(0), amplification(1)), (Some(1.0), Some(3.0)), "{}", compared["policies"]);
    let planned = brownout_in(folder.path(), &["run", "--plan", "--policy", "own/curl.toml", "--", "true"]);
    assert!(planned.stdout.contains("3 attempts"), "{planned:?}");
    let checked = brownout_in(folder.path(), &["check", "--policy", "own/curl.toml"]);
    assert!(checked.stdout.contains("no-jitter") && checked.stdout.contains("own/curl.toml"), "{checked:?}");
}

#[test]
fn without_a_policy_that_can_be_told_none_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let ran =
        brownout_in(folder.path(), &[&["rehearse"], &ALWAYS[..], &["--policy-out", "own.toml", "--", "true"]].concat());
    assert_eq!(ran.code, Some(98), "{ran:?}");
    assert!(
        ran.stderr.contains("--policy-out: no policy can be told, so none is written: the service saw no request"),
        "{ran:?}"
    );
    assert!(!folder.path().join("own.toml").exists());
    for other in ["x", "./x", "made/../x"] {
        std::fs::create_dir_all(folder.path().join("made")).unwrap();
        let same = ["--output", other, "--policy-out", "x", "--", "true"];
        brownout_in(folder.path(), &[&["rehearse"], &same[..]].concat()).refused(&["are to write the same file, x"]);
    }
    std::fs::write(folder.path().join("own.toml"), "").unwrap();
    let over = ["rehearse", "./own.toml", "--policy-out", "own.toml", "--", "true"];
    brownout_in(folder.path(), &over).refused(&["--policy-out would write over the scenario ./own.toml"]);
}

/// A client that leaves a service which never answers, after half a second, and waits three tenths: when it left cannot be seen.
#[test]
fn a_wait_after_a_silence_is_nobodys() {
    if !curl_is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hang.toml"), "[service]\noutcomes = { hang = 1.0 }\n").unwrap();
    let line = "for n in 1 2 3; do curl -s -m 0.5 $BROWNOUT_URL; sleep 0.3; done";
    let ran = brownout_in(folder.path(), &["rehearse", "hang.toml", "--policy-out", "p.toml", "--", "sh", "-c", line]);
    assert!(ran.stdout.contains("3 requests: amplification 3") && ran.stdout.contains("not enough data"), "{ran:?}");
    let policy = std::fs::read_to_string(folder.path().join("p.toml")).unwrap();
    assert!(policy.contains("by itself was not seen") && !policy.contains("delay ="), "{policy}");
}

#[test]
fn a_miss_is_99_and_the_commands_own_code_counts_only_where_it_is_asked_about() {
    if !curl_is_there() {
        return;
    }
    let with = |expect: &[&str]| {
        let curl = ["--", "sh", "-c", "curl -s $BROWNOUT_URL; exit 7"];
        report(&[&ALWAYS[..], expect, &curl].concat())
    };
    let (value, code) = with(&[]);
    assert_eq!((&value["runs"][0]["command"]["exit_code"], code), (&7.into(), Some(0)));
    assert_eq!(with(&["--expect", "exit_code <= 0"]).1, Some(99));
    assert_eq!(with(&["--expect", "attempts >= 2"]).1, Some(99));
    // Nothing there has an effect.
    let (value, code) = with(&["--expect", "duplicates <= 0"]);
    assert_eq!((&value["summary"]["outcome"], code), (&"not_enough_data".into(), Some(98)));
}

#[test]
fn who_is_told_to_wait_and_does_has_honoured_it() {
    if !curl_is_there() {
        return;
    }
    let (value, code) = report(&[
        "--preset",
        "rate-limited",
        "--expect",
        "retry_after_broken <= 0",
        "--",
        "curl",
        "-s",
        "--retry",
        "3",
        "{url}",
    ]);
    let told = &value["runs"][0]["retry_after"];
    assert_eq!((&told["honoured"], &told["broken"], code), (&3.into(), &0.into(), Some(0)), "{value}");
    let impatient = "for n in 1 2 3; do curl -s $BROWNOUT_URL; done";
    let (value, _) = report(&["--preset", "rate-limited", "--", "sh", "-c", impatient]);
    let told = &value["runs"][0]["retry_after"];
    assert_eq!((&told["told"], &told["broken"], &told["given_up"]), (&3.into(), &2.into(), &1.into()), "{value}");
}

#[test]
fn what_is_paid_twice_is_a_duplicate_and_keys_tell_calls_apart() {
    if !curl_is_there() {
        return;
    }
    let pay = "pay() { curl -s --retry 5 --retry-all-errors --retry-delay 1 -X POST -H \"idempotency-key: $1\" $BROWNOUT_URL/payments; }; \
               pay a; pay b";
    let (value, _) = report(&["--preset", "lost-reply", "--", "sh", "-c", pay]);
    let run = &value["runs"][0];
    assert_eq!((&run["calls"], &run["grouping"]["by"]["idempotency-key"]), (&2.into(), &run["attempts"]), "{value}");
    // Each attempt pays, whether its answer is lost or not.
    let (done, duplicates) = (&run["effects"]["done"], run["effects"]["duplicates"].as_u64().unwrap());
    assert_eq!((done, Some(duplicates + 2)), (&run["attempts"], run["attempts"].as_u64()), "{value}");
}

#[test]
fn the_command_finds_the_service_by_the_variables_it_reads() {
    if !curl_is_there() {
        return;
    }
    let line = "curl -s $BROWNOUT_URL/a; curl -s $OPENAI_BASE_URL/b; curl -s $C/c";
    let env = ["--env", "OPENAI_BASE_URL=/v1", "--env", "C", "--calls", "2", "--", "sh", "-c", line];
    let (value, _) = report(&[&ALWAYS[..], &env].concat());
    let run = &value["runs"][0];
    let paths: Vec<&str> = run["list"].as_array().unwrap().iter().map(|call| call["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/a", "/v1/b", "/c"]);
    // Who says how many calls there were is believed.
    assert_eq!((&run["calls"], &run["amplification"], &run["attempts_worst"]), (&2.into(), &1.5.into(), &Value::Null));
}

#[test]
fn each_repetition_meets_another_luck_and_the_same_seed_the_same() {
    if !curl_is_there() {
        return;
    }
    let statuses = |seed: &str| {
        let line = "for n in 1 2 3 4 5 6 7 8; do curl -s -o /dev/null $BROWNOUT_URL/$n; done; true";
        let (value, _) = report(&["--preset", "flaky", "--seed", seed, "--repeat", "2", "--", "sh", "-c", line]);
        let of = |run: &Value| {
            let calls = run["list"].as_array().unwrap();
            calls.iter().map(|call| call["attempts"][0]["answer"].to_string()).collect::<Vec<_>>()
        };
        assert_eq!(value["summary"]["attempts"], 16);
        value["runs"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    let (first, second) = (statuses("5"), statuses("6"));
    assert_ne!(first[0], first[1]);
    assert_eq!(first[1], second[0]);
}

/// The scenario comes through a pipe, which can be read once.
#[cfg(unix)]
#[test]
fn each_of_the_seeds_is_a_run_of_its_own() {
    let line = format!(
        "cat examples/outage.toml | {} rehearse /dev/stdin --json --seeds 3,7..8 -- true",
        crate::program::PROGRAM
    );
    let output = Command::new("sh").args(["-c", &line]).current_dir(repository()).output().unwrap();
    assert_eq!(output.status.code(), Some(98), "{output:?}");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let seeds: Vec<u64> = value["runs"].as_array().unwrap().iter().map(|run| run["seed"].as_u64().unwrap()).collect();
    assert_eq!((seeds, &value["seed"]), (vec![3, 7, 8], &3.into()));
    if !curl_is_there() {
        return;
    }
    // The luck of a seed is the same, however it was named; --repeat may say as often as there are seeds.
    let answers = |seeds: &[&str], run: usize| {
        let line = "for n in 1 2 3 4 5 6 7 8; do curl -s -o /dev/null $BROWNOUT_URL/$n; done; true";
        let (value, _) = report(&[&["--preset", "flaky"], seeds, &["--", "sh", "-c", line]].concat());
        let calls = value["runs"][run]["list"].as_array().unwrap();
        calls.iter().map(|call| call["attempts"][0]["answer"].to_string()).collect::<Vec<_>>()
    };
    let (second, first) = (answers(&["--seeds", "9,4", "--repeat", "2"], 1), answers(&["--seed", "4"], 0));
    assert_eq!((second.len(), second), (8, first));
}

#[test]
fn a_page_shows_what_the_text_says() {
    if !curl_is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [page, picture, kept] =
        ["p.html", "p.svg", "r.json"].map(|name| folder.path().join(name).display().to_string());
    let written = ["--html", &page, "--svg", &picture, "--output", &kept];
    let impatient = "for n in 1 2 3; do curl -s -o /dev/null $BROWNOUT_URL; done";
    let command = ["--preset", "rate-limited", "--expect", "retry_after_broken <= 0", "--", "sh", "-c", impatient];
    let ran = rehearse(&[&written[..], &command].concat());
    assert_eq!(ran.code, Some(99), "{ran:?}");
    let html = std::fs::read_to_string(&page).unwrap();
    for part in [
        "What was expected was missed",
        "retry_after_broken &lt;= 0 came to 2",
        "1 call made 3 requests: amplification 3",
        "Retry-After was broken",
        "3 times to stay away for a while: 2 times it came back sooner, 1 time it did not come back",
        "seed</dt><dd>1<",
        "preset:rate-limited",
        "Again: <code>brownout rehearse --html",
        "zone breached",
        "1 · GET /",
    ] {
        assert!(html.contains(part), "no `{part}`");
    }
    assert!(std::fs::read_to_string(&picture).unwrap().starts_with("<svg "));
    // What was kept is printed and drawn as it was.
    let again = folder.path().join("again.html").display().to_string();
    let printed = brownout_in(&repository(), &["report", &kept, "--html", &again]);
    assert!(printed.code == Some(0) && ran.stdout.ends_with(&printed.stdout), "{printed:?}");
    let main = |html: &str| html[html.find("<main>").unwrap()..].to_owned();
    assert_eq!(main(&std::fs::read_to_string(&again).unwrap()), main(&html));
    // Several runs are a row each.
    let several = ["--html", &page, "--seeds", "1,2", "--preset", "always-503", "--", "curl", "-s", "{url}/a"];
    assert_eq!(rehearse(&several).code, Some(0));
    let html = std::fs::read_to_string(&page).unwrap();
    for part in ["seeds</dt><dd>1, 2<", "The worst call of each run", "seed 2 · GET /a", "Run by run"] {
        assert!(html.contains(part), "no `{part}`");
    }
    assert!(!html.contains("--seed 1"), "the seeds are among what makes it again");
}

#[test]
fn a_page_that_cannot_be_written_is_no_rehearsal() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let (page, mark) = (folder.path().join("file/page.html"), folder.path().join("begun"));
    let ran = rehearse(&["--html", page.to_str().unwrap(), "--", "touch", mark.to_str().unwrap()]);
    assert!(ran.code == Some(1) && ran.stderr.starts_with("error: failed to write"), "{ran:?}");
    assert!(!mark.exists(), "the command was run");
}

#[test]
fn a_service_with_services_behind_is_rehearsed_as_its_callers_see_it() {
    if !curl_is_there() {
        return;
    }
    let (value, code) =
        report(&["examples/call-graph.toml", "--seed", "1", "--", "curl", "-s", "-o", "/dev/null", "{url}/"]);
    assert_eq!((&value["runs"][0]["attempts"], code), (&1.into(), Some(0)), "{value}");
}

#[test]
fn a_command_that_asks_nothing_is_told_so() {
    let ran = rehearse(&[&ALWAYS[..], &["--", "true"]].concat());
    assert_eq!(ran.code, Some(98));
    assert!(ran.stderr.contains("the service saw no request") && ran.stderr.contains("BROWNOUT_URL"), "{ran:?}");
}

#[test]
fn what_cannot_be_run_is_told_as_shells_tell_it() {
    let ran = rehearse(&[&ALWAYS[..], &["--", "no-such-program"]].concat());
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(127), ""));
    assert!(ran.stderr.contains("cannot run `no-such-program`"), "{ran:?}");
    let ran = rehearse(&[&ALWAYS[..], &["--", "/"]].concat());
    assert_eq!(ran.code, Some(126), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn a_command_that_outlives_its_time_is_ended_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let line = format!("sleep 600 & echo $! > {}; wait", file.display());
    let ran = rehearse(&[&ALWAYS[..], &["--timeout", "500ms", "--", "sh", "-c", &line]].concat());
    assert_eq!(ran.code, Some(124), "{ran:?}");
    assert!(ran.stdout.contains("ended, since its time was up"), "{ran:?}");
    let id = std::fs::read_to_string(file).unwrap();
    assert!(!crate::runner_processes::lives(id.trim().parse().unwrap()), "process {id} is still there");
}

#[test]
fn bad_input_is_refused_before_anything_is_begun() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("begun");
    let touch = ["--", "touch", mark.to_str().unwrap()];
    for (arguments, parts) in [
        (&["--preset", "always-502"][..], &["always-502", "did you mean `always-503`"][..]),
        (&["--preset", "flaky", "examples/outage.toml"], &["--preset", "cannot be used with"]),
        (&["--env", "1A"], &["--env", "found `1A`"]),
        (&["--env", "A=v1"], &["found `v1`", "A=/v1"]),
        (&["--expect", "amplificaton <= 3"], &["did you mean `amplification`"]),
        (&["--expect", "p99 <= 3ms"], &["amplification, attempts"]),
        (&["--group-by", "color"], &["`path`", "header:NAME", "color"]),
        (&["--group-by", "header:a b"], &["header:a b"]),
        (&["--calls", "0"], &["--calls", "from 1"]),
        (&["--repeat", "-1"], &["--repeat", "-1"]),
        (&["--seeds", "5..1"], &["--seeds", "write 1..5"]),
        (&["--seeds", "-1"], &["--seeds", "found `-1`"]),
        (&["--seeds", "1..5", "--repeat", "3"], &["--repeat and --seeds", "found 3 and 5", "drop --repeat"]),
        (&["--seeds", "1..5", "--seed", "3"], &["--seeds", "cannot be used with", "--seed"]),
        (&["--html", "p", "--output", "p"], &["--html and --output are to write the same file, p"]),
        (&["--timeout", "0"], &["--timeout", "longer than zero"]),
        (&["no-such-file.toml"], &["no-such-file.toml"]),
    ] {
        rehearse(&[arguments, &touch].concat()).refused(parts);
    }
    rehearse(&[]).refused(&["COMMAND"]);
    rehearse(&["--", ""]).refused(&["must name a program"]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ran = rehearse(&[&["--port", &port][..], &touch].concat());
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("the port is in use"), "{ran:?}");
    assert!(!Path::new(&mark).exists(), "the command was run");
}

/// Attempts of one call of a client against a service that always fails.
fn attempts(command: &[&str]) -> u64 {
    let (value, _) = report(&[&ALWAYS[..], &["--"], command].concat());
    assert_eq!(value["runs"][0]["calls"], 1, "{value}");
    value["runs"][0]["attempts"].as_u64().unwrap()
}

/// Our own client, whose policy is known, says which call each request is of.
#[test]
fn what_is_known_of_a_client_is_found() {
    let with = |jitter: &str| {
        let load = "load --url {url} --count 16 --concurrency 16 --max-retries 2 --base-delay 400ms --seed 1 --jitter";
        let words: Vec<&str> = load.split(' ').chain([jitter]).collect();
        let (value, _) = report(&[&ALWAYS[..], &["--", crate::program::PROGRAM], &words].concat());
        value["runs"][0].clone()
    };
    let (fixed, full) = (with("none"), with("full"));
    for run in [&fixed, &full] {
        assert_eq!((&run["calls"], &run["attempts"], &run["attempts_worst"]), (&16.into(), &48.into(), &3.into()));
        assert_eq!(run["grouping"]["by"]["x-brownout-request"], 48);
    }
    assert!(fixed["peak"].as_u64().unwrap() > 1, "{fixed}");
    assert_eq!((&full["backoff"]["kind"], &full["backoff"]["like"]), (&"jittered".into(), &"full".into()), "{full}");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_command_and_what_was_seen_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let line = format!("touch {}; sleep 600", folder.path().join("begun").display());
    let mut command = Command::new(crate::program::PROGRAM);
    command.args(["rehearse", "--preset", "always-503", "--", "sh", "-c", &line]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
    let running = command.spawn().unwrap();
    crate::runner_processes::within_patience(|| folder.path().join("begun").exists().then_some(()));
    Command::new("kill").args(["-s", "TERM", &running.id().to_string()]).status().unwrap();
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(128 + 15));
    assert!(String::from_utf8(output.stdout).unwrap().contains("Command: ended with this program"));
}

/// What is told of a client against what it tells itself: every status that it saw, and every Retry-After.
#[test]
fn a_client_of_an_overloaded_model_is_told_as_it_was() {
    let python = python();
    if !is_there(&python, &["--version"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&[][..], &["hasty"]] {
        let file = folder.path().join("report.json");
        let own = ["--preset", "llm-overload", "--env", "ANTHROPIC_BASE_URL", "--output", file.to_str().unwrap(), "--"];
        let ran = rehearse(&[&own[..], &[&python, &client("chat.py")], arguments].concat());
        let account: Vec<(&str, bool)> = ran
            .stdout
            .lines()
            .take_while(|line| !line.is_empty())
            .map(|line| line.split_once(' ').unwrap())
            .map(|(status, told)| (status, told != "-"))
            .collect();
        let value: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let attempts = value["runs"][0]["list"][0]["attempts"].as_array().unwrap();
        let answers: Vec<String> = attempts.iter().map(|attempt| attempt["answer"]["status"].to_string()).collect();
        assert_eq!(answers, account.iter().map(|(status, _)| *status).collect::<Vec<_>>(), "{ran:?}");
        // Only a 429 asks for a wait, and of this seed one is met soon.
        let told = account.iter().filter(|(_, told)| *told).count();
        let last = usize::from(account.last().unwrap().1);
        assert!(account.iter().all(|(status, told)| (*status == "429") == *told) && told > last, "{ran:?}");
        let [honoured, broken] = if arguments.is_empty() { [told - last, 0] } else { [0, told - last] };
        let times = if told == 1 { "time" } else { "times" };
        let line = format!(
            "Retry-After: told {told} {times}: {honoured} honoured, {broken} broken, {last} without another try\n"
        );
        assert!(ran.stdout.contains(&line), "no `{line}` in {ran:?}");
        let all = account.len();
        assert!(ran.stdout.contains(&format!("\n1 call made {all} requests: amplification {all}\n")), "{ran:?}");
        assert!(arguments.is_empty() || all == 10 || account.last().unwrap().0 == "200", "{ran:?}");
    }
}

#[test]
fn layers_of_retries_multiply() {
    let python = python();
    if !is_there(&python, &["--version"]) {
        return;
    }
    let layers = client("layers.py");
    assert_eq!(attempts(&[&python, &layers]), 12);
    assert_eq!(attempts(&[&python, &layers, "queue"]), 36);
    assert_eq!(attempts(&[&python, &client("never_retries.py")]), 1);
}

#[test]
fn clients_of_others_try_as_often_as_they_are_told() {
    let python = python();
    if is_there(&python, &["-c", "import requests, urllib3"]) {
        assert_eq!(attempts(&[&python, &client("requests_retry.py")]), 4);
        let (value, _) = report(&["--preset", "rate-limited", "--", &python, &client("requests_retry.py")]);
        assert_eq!(value["runs"][0]["retry_after"]["broken"], 0, "{value}");
    }
    if is_there(&python, &["-c", "import httpx, tenacity"]) {
        assert_eq!(attempts(&[&python, &client("tenacity_httpx.py")]), 4);
    }
    if is_there("node", &["-e", "fetch"]) {
        assert_eq!(attempts(&["node", &client("fetch_loop.mjs")]), 4);
    }
    match std::env::var("REQWEST_RETRY_CLIENT") {
        Ok(program) => assert_eq!(attempts(&[&program]), 4),
        Err(_) => skipped("REQWEST_RETRY_CLIENT does not name the program of examples/clients/reqwest-retry"),
    }
}
