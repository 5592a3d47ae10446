use super::RehearseReport;
use crate::Origin;
use brownout_draw::Seed;
use brownout_lab::rehearse::{Answer, CommandEnd, Expectation, Lens, Rehearsal, Visit, rehearse};
use std::time::Duration;

pub(crate) const MS: fn(u64) -> Duration = Duration::from_millis;

pub(crate) fn visit(at: u64, answer: Answer) -> Visit {
    Visit {
        at: MS(at),
        until: Some(MS(at + 20)),
        connection: at,
        method: "POST".to_owned(),
        path: "/pay".to_owned(),
        body: 7,
        names: vec![],
        answer,
        retry_after: None,
        done: Some(true),
    }
}

/// Two attempts, the second as told, and both of them paid.
pub(crate) fn run(seed: u64) -> Rehearsal {
    let first = Visit { retry_after: Some(MS(1000)), ..visit(5, Answer::Status(503)) };
    let visits = vec![first, visit(1030, Answer::Status(200))];
    let end = CommandEnd { exit_code: Some(0), ..CommandEnd::default() };
    let expect = ["duplicates <= 0", "attempts <= 2"].map(|text| text.parse::<Expectation>().unwrap()).to_vec();
    rehearse(visits, seed, end, &Lens { expect, ..Lens::default() })
}

pub(crate) fn report(runs: Vec<Rehearsal>) -> RehearseReport {
    let origin = Origin {
        seed: Seed(1),
        scenario: "x.toml".to_owned(),
        scenario_digest: "0".to_owned(),
        time: "real".into(),
        version: "0".into(),
    };
    RehearseReport::new(origin, vec!["app".to_owned()], runs)
}

#[test]
fn the_number_comes_first_and_the_verdict_last() {
    let text = report(vec![run(1)]).text();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    assert_eq!(lines[0], "1 call made 2 requests: amplification 2");
    assert_eq!(lines[2], "Call 1, POST /pay: 2 attempts");
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(lines[5]), ["2", "1.03s", "1.005s", "200", "–", "1031"]);
    assert!(lines[6].starts_with("Backoff: not enough data: "), "{text}");
    let rest = [
        "Retry-After: told 1 time: 1 honoured, 0 broken, 0 without another try",
        "Effects: done 2 times, 1 duplicate",
        "Connections: 2 for 2 requests, at most 1 request at once",
        "Command: exit code 0",
        "Verdict: missed",
        "  duplicates <= 0  1  missed",
        "  attempts <= 2    2     met",
    ];
    assert_eq!(lines[7..], rest);
}

#[test]
fn several_runs_are_a_line_each_and_a_sum() {
    let quiet = rehearse(vec![], 3, CommandEnd { signal: Some(9), ..CommandEnd::default() }, &Lens::default());
    let text = report(vec![run(2), quiet]).text();
    assert!(
        text.starts_with(
            "Seed 2: 1 call made 2 requests: amplification 2; exit code 0; missed\n\
         Seed 3: the service saw no request; ended by signal 9\n\
         2 runs: 1 call made 2 requests: amplification 2, from 2 to 2 a run, 2 requests of the worst call\n"
        ),
        "{text}"
    );
    assert!(text.ends_with("Command: exit code 0 in 1 of 2 runs\nVerdict: missed, missed in 1 of 2 runs\n"), "{text}");
}

/// One record behind both.
#[test]
fn programs_read_the_same_numbers() {
    let value = serde_json::to_value(report(vec![run(1)])).unwrap();
    assert_eq!((&value["schema"], &value["seed"]), (&"brownout-rehearse-1".into(), &1.into()));
    let run = &value["runs"][0];
    assert_eq!((&run["amplification"], &run["effects"]["duplicates"]), (&2.0.into(), &1.into()));
    assert_eq!(run["list"][0]["attempts"][0]["answer"], serde_json::json!({ "status": 503 }));
    assert_eq!(run["backoff"]["kind"], "not_enough_data");
    assert_eq!(run["expectations"][0]["measure"], "duplicates");
}

/// What is written is read again, and says the same.
#[test]
fn nothing_is_lost_by_keeping_it() {
    let all = report(vec![run(1), run(2)]);
    let text = crate::json(&all);
    let read: RehearseReport = serde_json::from_str(&text).unwrap();
    assert_eq!((crate::json(&read), read.text()), (text, all.text()));
}
