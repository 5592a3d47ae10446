//! Parts of a load, each run by itself.

use super::*;
use brownout_load::{Cohort, Shard};

fn result(shard: Option<Shard>, load: &Load) -> (LoadResult, Log) {
    let policy = Policy::new(Settings { max_retries: Some(2), ..Settings::default() }).unwrap();
    let change =
        Change { outcomes: Some(Outcomes::new([(Outcome::Error, "60%".parse().unwrap())]).unwrap()), latency: None };
    let outage = Phase {
        name: "outage".to_owned(),
        window: Window { from: Duration::from_secs(6), until: Some(Duration::from_secs(9)) },
        ramp: Ramp::default(),
        change,
        factors: Factors::default(),
        only: Only::default(),
    };
    let latency = Distribution::exponential(MS(80), None).unwrap();
    let service = service(None, "20%", latency, vec![outage]);
    let world = World::new(&service, &policy, Seed(1)).with_shard(shard);
    world.watch(&Request { method: "GET", path: "/" }, load, Limits::default(), Log::default())
}

fn merged(of: u32, load: &Load) -> (LoadResult, Log) {
    let parts: Vec<_> = (0..of).map(|index| result(Shard::new(index, of), load)).collect();
    let mut logs = Log::default();
    for (_, log) in &parts {
        logs.0.extend(&log.0);
        logs.1.extend(&log.1);
    }
    let results: Vec<_> = parts.into_iter().map(|(result, _)| result).collect();
    (results[1..].iter().try_fold(results[0].clone(), |sum, next| sum.merge(next)).unwrap(), logs)
}

/// Every attempt and every call, in an order that does not depend on who is about.
fn sorted(mut log: Log) -> Log {
    log.0.sort_by_key(|(number, attempt)| (*number, attempt.number));
    log.1.sort_by_key(|(number, _)| *number);
    log
}

#[track_caller]
fn check(of: u32, load: &Load, whole: Option<Shard>) {
    let (mut expected, expected_log) = result(whole, load);
    let (mut found, found_log) = merged(of, load);
    // Each shard looks at the end of the load on its own.
    (expected.events, found.events) = (None, None);
    assert_eq!(found, expected);
    assert_eq!(sorted(found_log), sorted(expected_log));
    assert!(expected.attempts.retries > 50 && expected.phases[0].calls > 20, "{expected:?}");
}

#[test]
fn the_shards_of_an_open_load_are_the_whole() {
    let poisson = Arrivals::Poisson(Rate::per_second(40.0).unwrap());
    let clients = NonZeroU32::new(10).unwrap();
    for load in [
        open(40.0, 15),
        Load { arrivals: poisson.clone(), clients, ..open(1.0, 15) },
        Load { arrivals: poisson, duration: None, count: Some(501), ..open(1.0, 15) },
    ] {
        check(8, &load, None);
        check(3, &load, None);
    }
}

#[test]
fn the_shards_of_closed_clients_are_the_one_of_one() {
    let think = Distribution::exponential(MS(150), None).unwrap();
    let arrivals = Arrivals::Closed { think: Some(think), start: None };
    let load = Load { arrivals, clients: NonZeroU32::new(7).unwrap(), ..open(1.0, 15) };
    check(3, &load, Shard::new(0, 1));
    let load = Load { duration: None, count: Some(501), ..load };
    check(8, &load, Shard::new(0, 1));
    // Where nothing depends on time, they are also what clients without turns come to.
    let (plain, turns) = (result(None, &load).0, result(Shard::new(0, 1), &load).0);
    assert_eq!(plain.calls.started, turns.calls.started);
}

#[test]
fn the_shards_of_cohorts_are_the_whole() {
    let cohort = |name: &str, load| Cohort { name: name.to_owned(), load, own: None };
    let cohorts = vec![cohort("one", open(30.0, 15)), cohort("two", open(20.0, 15))];
    check(4, &Load { cohorts, ..open(1.0, 15) }, None);
}
