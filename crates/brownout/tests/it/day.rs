//! A day in seconds: the schedule, the journal, the metrics and virtual time tell the same of it.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use brownout_draw::Seed;
use brownout_load::Schedule;
use brownout_scenario::Scenario;
use brownout_service::{Identity, Landed, Request, Service, Window};
use serde_json::Value;

use crate::http::{curl, curl_is_there};
use crate::program::{Server, brownout};

/// Ten minutes, at a hundredfold in six seconds. One attempt a call, so that what comes when is the load's alone.
const DAY: &str = r#"
seed = 9
[service]
latency = { uniform = { min = "10ms", max = "90ms" } }
[service.replicas]
count = 5
[[service.routes]]
match    = "POST /payments"
outcomes = { error = "10%", lost_reply = "5%" }
effect   = "payment"
[[phases]]
name     = "blip"
random   = { between = { exponential = "2m" }, last = { exponential = "10s" } }
outcomes = { error = 0.9 }
[[phases]]
name     = "upgrade"
from     = "1m"
for      = "30s"
every    = "4m"
slowdown = 3
ramp_up  = "10s"
[[phases]]
name     = "bad node"
from     = "2m"
for      = "2m"
replica  = 3
outcomes = { connection_reset = 1.0 }
[[phases]]
name     = "bad seconds"
from     = "4m"
for      = "2m"
bursts   = { between = { exponential = "20s" }, last = { exponential = "10s" } }
outcomes = { gateway_timeout = 1.0 }
[[phases]]
name     = "quota"
from     = "7m"
for      = "1m"
outcomes = { rate_limit = 0.5 }
[load]
request  = "POST /payments"
arrivals = { poisson = "2/s" }
duration = "10m"
clients  = 50
"#;

const SCALE: u32 = 100;
const LASTS: Duration = Duration::from_secs(600);

/// What the journal has of an attempt.
struct Met {
    identity: Identity,
    at: Duration,
    outcome: String,
    phase: Option<String>,
    replica: Option<NonZeroU32>,
}

impl Met {
    fn of(record: &Value) -> Self {
        let number = |key: &str| record[key].as_u64().unwrap();
        let attempt = u32::try_from(number("attempt")).unwrap();
        Self {
            identity: Identity { request: number("request"), attempt: attempt.try_into().unwrap() },
            at: Duration::from_secs_f64(record["at_s"].as_f64().unwrap()),
            outcome: record["outcome"].as_str().unwrap().to_owned(),
            phase: record["phase"].as_str().map(ToOwned::to_owned),
            replica: record["replica"].as_u64().map(|replica| u32::try_from(replica).unwrap().try_into().unwrap()),
        }
    }

    /// What the core decides for it at `at`: outcome, and phase.
    fn decided(&self, service: &Service, seed: Seed, at: Duration) -> (String, Option<String>) {
        let route = service.route(&Request { method: "POST", path: "/payments" });
        let landed = Landed { identity: self.identity, replica: self.replica };
        let decision = service.decide(seed, route, landed, at);
        (decision.outcome.name().to_owned(), decision.phase.map(ToOwned::to_owned))
    }
}

#[test]
fn a_day_in_seconds_is_told_alike_by_all() {
    if !curl_is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("day.toml");
    std::fs::write(&file, DAY).unwrap();
    let file = file.display();
    let server = Server::start(&format!("{file} --time-scale {SCALE} --admin 0 --journal-entries 100000"));
    let admin = |arguments: &[&str], target: &str| {
        curl(&[arguments, &[&format!("{}{target}", server.admin.as_ref().unwrap())]].concat())
    };
    let parsed = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    admin(&["--request", "POST"], "/reset");
    let start = Instant::now();
    let met = brownout(&format!("load {file} --url {} --time-scale {SCALE} --json", server.url)).json();
    let took = start.elapsed();

    // A hundred times sooner, and no sooner than that; told in the scenario's time.
    assert!(took >= LASTS / SCALE && took < LASTS / 10, "{took:?}");
    let lasted = met["duration_s"].as_f64().unwrap();
    assert!((590.0..700.0).contains(&lasted), "{lasted}");

    let journal = parsed(&admin(&[], "/journal?last=100000"));
    let records: Vec<Met> = journal["records"].as_array().unwrap().iter().map(Met::of).collect();
    let (counters, metrics) = (parsed(&admin(&[], "/counters")), admin(&[], "/metrics"));
    let total = met["attempts"]["total"].as_u64().unwrap();
    assert_eq!((records.len() as u64, counters["requests"].as_u64().unwrap()), (total, total));
    assert!(metrics.contains(&format!("brownout_downstream_rq_total{{service=\"service\"}} {total}\n")), "{metrics}");
    for (outcome, count) in counters["by_outcome"].as_object().unwrap() {
        let of_journal = records.iter().filter(|met| met.outcome == *outcome).count();
        assert_eq!(count.as_u64(), Some(of_journal as u64), "{outcome}");
        let line = format!("brownout_outcomes_total{{service=\"service\",outcome=\"{outcome}\"}} {count}\n");
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
    // What was done twice is known to the ledger, and to nobody else.
    let ledger = parsed(&admin(&[], "/ledger"));
    assert!(ledger["effects"][0]["done"].as_u64().unwrap() > 0, "{ledger}");

    // What was met is what the core decides at that moment, and what a phase did is within its times.
    let scenario = Scenario::parse("day.toml", DAY).unwrap().scheduled(Seed(9));
    let (service, seed) = (&scenario.service, Seed(9));
    let timeline = parsed(&brownout(&format!("explain {file} --timeline --json")).stdout);
    for met in &records {
        assert_eq!((met.outcome.clone(), met.phase.clone()), met.decided(service, seed, met.at), "{:?}", met.identity);
        let Some(phase) = &met.phase else { continue };
        let entry = timeline["timeline"].as_array().unwrap().iter().find(|entry| entry["phase"] == phase.as_str());
        let entry = entry.unwrap_or_else(|| panic!("{phase} is not on the timeline"));
        let seconds = |key: &str| entry[key].as_f64().unwrap();
        let at = met.at.as_secs_f64();
        assert!(seconds("from_s") <= at && at < seconds("until_s"), "{phase} at {at}: {entry}");
    }
    let phases: std::collections::BTreeSet<_> = records.iter().filter_map(|met| met.phase.as_deref()).collect();
    assert!(["bad node", "bad seconds", "quota"].iter().all(|phase| phases.contains(phase)), "{phases:?}");

    as_in_virtual_time(&scenario, &records);
}

/// In virtual time a call comes when it is due. Over sockets it comes a little later, and meets the same, unless the schedule has
/// changed meanwhile.
fn as_in_virtual_time(scenario: &Scenario, records: &[Met]) {
    let part = scenario.load.parts()[0];
    let mut schedule = Schedule::new(part.load, part.seed(Seed(9)), None);
    let due: Vec<Duration> =
        std::iter::from_fn(|| schedule.next(|_| 1.0)).map(|own| Duration::from_nanos(own.at_ns)).collect();
    let phases = scenario.service.phases();
    let mut same = 0;
    for met in records {
        let due = due[usize::try_from(met.identity.request).unwrap() - 1];
        let stirs = |Window { from, until }: Window| {
            let within = |moment: Duration| due <= moment && moment <= met.at;
            within(from) || until.is_some_and(within)
        };
        let burst = |at| phases.iter().map(move |phase| phase.strength(at)).collect::<Vec<_>>();
        if phases.iter().any(|phase| stirs(phase.window)) || burst(due) != burst(met.at) {
            continue;
        }
        let foretold = met.decided(&scenario.service, Seed(9), due);
        assert_eq!((met.outcome.clone(), met.phase.clone()), foretold, "{:?}", met.identity);
        same += 1;
    }
    assert!(same * 10 > records.len() * 7, "{same} of {}", records.len());
}
