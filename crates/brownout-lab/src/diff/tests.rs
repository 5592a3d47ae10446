use super::{By, Change, Diff, Run, What, diff};
use brownout_draw::Seed;
use brownout_load::LoadResult;
use brownout_policy::Policy;
use brownout_scenario::Scenario;
use brownout_service::Request;
use brownout_sim::World;

/// A service with luck and no queue: intervals are independent. Ten minutes of 50 calls a second.
const PLAIN: &str = r#"
    [service]
    latency = { lognormal = { median = "100ms", sigma = 0.5 } }
    outcomes = { error = 0.1 }
    [load]
    arrivals = { poisson = "50/s" }
    duration = "10m"
    [policy]
    max_retries = 1
    base_delay = "10ms"
"#;

/// A queue at 80 % of what one worker can do: what one second is like, the next ones are.
const QUEUE: &str = r#"
    [service.capacity]
    workers = 1
    service_time = { exponential = "20ms" }
    [load]
    arrivals = { poisson = "40/s" }
    duration = "10m"
"#;

fn result(text: &str, seed: u64) -> LoadResult {
    let scenario = Scenario::parse("a.toml", text).unwrap();
    let policy = scenario.policy.clone().map_or_else(Policy::none, |settings| Policy::new(settings).unwrap());
    let world = World::new(&scenario.service, &policy, Seed(seed)).with_details(true);
    world.load(&Request { method: "GET", path: "/" }, &scenario.load)
}

fn of<'r>(results: impl IntoIterator<Item = (u64, &'r LoadResult)>) -> Vec<Run<'r>> {
    results.into_iter().map(|(seed, result)| Run { seed: Seed(seed), result }).collect()
}

fn one_each(first: &LoadResult, second: &LoadResult) -> Diff {
    diff(&of([(1, first)]), &of([(2, second)]), Seed(9))
}

fn verdicts(diff: &Diff) -> Vec<Change> {
    diff.rows.iter().map(|row| row.verdict).collect()
}

#[test]
fn a_run_is_no_different_from_itself() {
    for text in [PLAIN, QUEUE] {
        let result = result(text, 1);
        let diff = one_each(&result, &result);
        assert_eq!(diff.by, By::Intervals);
        for row in &diff.rows {
            assert!(matches!(row.verdict, Change::Same | Change::NotEnoughData), "{row:?}");
            assert!(row.effect.is_none_or(|effect| effect.change.abs() < 1e-12), "{row:?}");
        }
    }
    let plain = result(PLAIN, 1);
    assert_eq!(verdicts(&one_each(&plain, &plain)), [Change::Same; 6]);
    let three = of([(1, &plain), (2, &plain), (3, &plain)]);
    let pairs = diff(&three, &three, Seed(1));
    assert_eq!((pairs.by, verdicts(&pairs)), (By::Pairs, vec![Change::Same; 6]));
}

/// Of so many pairs of runs on different seeds: how often each row says that something differs, and how often it says nothing.
fn false_alarms(text: &str, pairs: u64) -> Vec<(What, usize, usize)> {
    let diffs: Vec<Diff> =
        (0..pairs).map(|pair| one_each(&result(text, 2 * pair + 1), &result(text, 2 * pair + 2))).collect();
    let count = |row: usize, is: fn(Change) -> bool| diffs.iter().filter(|diff| is(diff.rows[row].verdict)).count();
    let alarm = |verdict| matches!(verdict, Change::Better | Change::Worse);
    let gap = |verdict| verdict == Change::NotEnoughData;
    What::ALL.iter().enumerate().map(|(row, what)| (*what, count(row, alarm), count(row, gap))).collect()
}

/// At 5 % each, 40 pairs give 2; more than 6 come by chance once in 290 times (binomial).
#[test]
fn two_seeds_of_one_scenario_are_seldom_told_apart() {
    for (what, alarms, gaps) in false_alarms(PLAIN, 40) {
        assert!(alarms <= 6 && gaps == 0, "{what:?}: {alarms} false alarms, {gaps} without data in 40");
    }
}

/// What lies above the p99 comes in a handful of long queues, which is too little to say anything.
#[test]
fn a_queue_does_not_look_different_for_having_a_memory() {
    for (what, alarms, gaps) in false_alarms(QUEUE, 40) {
        assert!(alarms <= 6, "{what:?}: {alarms} false alarms in 40");
        assert!(gaps == 0 || what == What::P99, "{what:?}: {gaps} without data in 40");
    }
}

#[test]
fn a_service_that_is_a_tenth_slower_is_told() {
    let slower = PLAIN.replace("\"100ms\"", "\"110ms\"");
    let mut held = 0;
    for seed in 0..20 {
        let diff = one_each(&result(PLAIN, 2 * seed + 1), &result(&slower, 2 * seed + 2));
        let row = &diff.rows[0];
        assert_eq!((row.what, row.verdict), (What::P50, Change::Worse), "{row:?}");
        let effect = row.effect.unwrap();
        held += usize::from(effect.low <= 0.1 && 0.1 <= effect.high);
        assert!(row.is_worse_by(0.05) && !row.is_worse_by(0.2), "{row:?}");
        assert_eq!(diff.rows[4].what, What::Amplification);
    }
    // 95 % of 20, give or take three deviations; the p50 of calls with a retry is a little off that of the service.
    assert!(held >= 16, "{held} of 20 intervals hold the 10 %");
}

#[test]
fn several_runs_are_compared_as_runs_and_those_with_one_seed_in_pairs() {
    let slower = PLAIN.replace("\"100ms\"", "\"101ms\"").replace("\"10m\"", "\"1m\"");
    let plain = PLAIN.replace("\"10m\"", "\"1m\"");
    let results: Vec<_> = (1..=8).map(|seed| (seed, result(&plain, seed), result(&slower, seed))).collect();
    let first = of(results.iter().map(|(seed, plain, _)| (*seed, plain)));
    let second = of(results.iter().map(|(seed, _, slower)| (*seed, slower)));
    let paired = diff(&first, &second, Seed(1));
    // On the same luck 1 % is plain to see, and apart it is not.
    assert_eq!((paired.by, paired.rows[0].verdict), (By::Pairs, Change::Worse));
    let effect = paired.rows[0].effect.unwrap();
    assert!((effect.change - 0.01).abs() < 0.005, "{effect:?}");
    let reseeded: Vec<Run<'_>> = second.iter().map(|run| Run { seed: Seed(run.seed.0 + 100), ..*run }).collect();
    let apart = diff(&first, &reseeded, Seed(1));
    assert_eq!((apart.by, apart.runs), (By::Runs, [8, 8]));
    let wider = apart.rows[0].effect.unwrap();
    assert!(wider.high - wider.low > 2.0 * (effect.high - effect.low), "{wider:?} {effect:?}");
}

#[test]
fn too_little_is_not_enough() {
    let short = result(&PLAIN.replace("\"10m\"", "\"5s\""), 1);
    assert!(verdicts(&one_each(&short, &short)).iter().all(|verdict| *verdict == Change::NotEnoughData));
    let plain = result(PLAIN, 1);
    let without = LoadResult {
        per_interval: brownout_load::SeriesResult { latency_hdr_ns: Vec::new(), ..plain.per_interval.clone() },
        ..plain.clone()
    };
    let verdicts = verdicts(&one_each(&without, &plain));
    assert_eq!(verdicts[..3], [Change::NotEnoughData; 3]);
    assert_eq!(verdicts[3..], [Change::Same; 3]);
}

#[test]
fn equal_files_give_equal_answers() {
    let (one, other) = (result(PLAIN, 1), result(PLAIN, 2));
    assert_eq!(one_each(&one, &other), one_each(&one, &other));
}
