//! Several populations in one run.

use brownout_load::{Cohort, CohortResult, OwnPolicy};

use super::*;

fn cohort(name: &str, load: Load, own: Option<Settings>) -> Cohort {
    let own = own.map(|settings| OwnPolicy::new(settings).unwrap());
    Cohort { name: name.to_owned(), load, own }
}

fn retries(max_retries: u32) -> Settings {
    Settings { max_retries: Some(max_retries), base_delay: Some(MS(50)), ..Settings::default() }
}

fn poisson(rate: f64, clients: u32) -> Load {
    let arrivals = Arrivals::Poisson(Rate::per_second(rate).unwrap());
    Load { arrivals, clients: NonZeroU32::new(clients).unwrap(), ..open(rate, 20) }
}

fn closed(clients: u32, count: u64) -> Load {
    let clients = NonZeroU32::new(clients).unwrap();
    let arrivals = Arrivals::Closed { think: Some(Distribution::fixed(MS(30))), start: None };
    Load { arrivals, clients, count: Some(count), ..open(1.0, 20) }
}

/// Patient, hasty and closed clients of one service; those without a policy of their own follow `policy`.
fn crowd(hasty: Settings) -> Load {
    let cohorts = vec![
        cohort("patient", poisson(30.0, 10), None),
        cohort("hasty", poisson(20.0, 5), Some(hasty)),
        cohort("closed", closed(3, 100), Some(retries(2))),
    ];
    Load { cohorts, ..open(1.0, 20) }
}

fn sum(cohorts: &[CohortResult], of: fn(&LoadResult) -> u64) -> u64 {
    cohorts.iter().map(|cohort| of(&cohort.result)).sum()
}

#[test]
fn cohorts_are_told_apart_and_add_up() {
    let result = run(&service(Some(capacity()), "20%", at_once(), vec![]), retries(1), &crowd(retries(3)));
    let names: Vec<&str> = result.cohorts.iter().map(|cohort| cohort.name.as_str()).collect();
    assert_eq!(names, ["patient", "hasty", "closed"]);
    let counts: [fn(&LoadResult) -> u64; 7] = [
        |result| result.calls.started,
        |result| result.calls.succeeded,
        |result| result.attempts.total,
        |result| result.attempts.retries,
        |result| result.by_status.get(&503).copied().unwrap_or(0),
        |result| result.latency_ms.response.count,
        |result| result.per_interval.attempts.iter().sum(),
    ];
    for count in counts {
        assert_eq!(count(&result), sum(&result.cohorts, count));
        assert!(count(&result) > 0);
    }
    let closed = &result.cohorts[2].result;
    assert_eq!((closed.calls.offered, closed.calls.started), (100, 100));
    assert!(result.capacity.is_some() && closed.capacity.is_none());
    // Each call of the hasty makes at most four attempts, each of the patient two.
    let most = |cohort: usize| result.cohorts[cohort].result.amplification.unwrap();
    assert!(most(1) > most(0) && most(0) <= 2.0, "{} {}", most(0), most(1));
}

#[test]
fn the_luck_of_a_cohort_is_its_own() {
    // Without a capacity nobody is in anybody's way.
    let service = service(None, "20%", Distribution::fixed(MS(20)), vec![]);
    let [calm, hasty] = [retries(0), retries(5)].map(|hasty| run(&service, retries(1), &crowd(hasty)).cohorts);
    assert_eq!((&calm[0], &calm[2]), (&hasty[0], &hasty[2]));
    assert!(calm[1].result.attempts.total < hasty[1].result.attempts.total);
    assert_eq!(calm[1].result.calls.started, hasty[1].result.calls.started);
}

#[test]
fn what_failed_comes_back_to_its_own_cohort() {
    let again = AfterGiveUp::ComeBack(Distribution::fixed(MS(500)));
    let mut load = crowd(retries(0));
    load.cohorts[1].load.after_give_up = again;
    let result = run(&service(None, "50%", at_once(), vec![]), retries(0), &load);
    let returned: Vec<u64> = result.cohorts.iter().map(|cohort| cohort.result.calls.returned).collect();
    assert_eq!((returned[0], returned[2], returned[1]), (0, 0, result.calls.returned));
    assert!(returned[1] > 100);
}

#[test]
fn closed_clients_may_start_spread() {
    let spread = Distribution::uniform(Duration::ZERO, MS(10_000)).unwrap();
    // Of each of them the first call, and no other.
    let arrivals = Arrivals::Closed { think: Some(Distribution::fixed(MS(100_000))), start: Some(spread) };
    let load = Load { arrivals, ..closed(100, 100) };
    let service = service(None, "0%", Distribution::fixed(MS(1)), vec![]);
    let (result, Log(_, calls)) = watch(&service, retries(0), &load, Limits::default());
    assert_eq!(result.calls.succeeded, 100);
    let mut starts: Vec<u64> = calls.iter().map(|(_, end)| end.started_ns).collect();
    starts.sort_unstable();
    // The quartiles of a hundred uniform starts, within four standard deviations.
    for (place, expected) in [(24, 2.5), (49, 5.0), (74, 7.5)] {
        let at = Duration::from_nanos(starts[place]).as_secs_f64();
        assert!((at - expected).abs() < 2.0, "start {place} at {at}");
    }
}
