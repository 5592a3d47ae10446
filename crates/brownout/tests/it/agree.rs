//! One scenario in virtual time and on real sockets.

use std::io::Write;

use crate::program::brownout;

fn scenario(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[test]
fn where_nothing_depends_on_time_every_attempt_meets_the_same() {
    let file = scenario(
        "[service.outcomes]\nerror = 0.3\nconnection_reset = 0.1\n\
         [load]\ncount = 200\narrivals = { poisson = \"200/s\" }\n\
         [policy]\nmax_retries = 2\nbase_delay = \"5ms\"\n",
    );
    let agree = brownout(&format!("agree {} --seed 4 --json", file.path().display())).json();
    assert_eq!((&agree["agree"], &agree["differing"]), (&true.into(), &0.into()), "{agree}");
    assert_eq!(agree["timing"].as_array().unwrap().len(), 0);
    assert!(agree["attempts"].as_u64().unwrap() > 220, "nothing was tried again: {agree}");
}

#[test]
fn services_behind_agree_too() {
    let agree = brownout("agree examples/retries-multiply.toml --count 5");
    assert_eq!(agree.code, Some(0), "{agree:?}");
    assert!(agree.stdout.contains("each met the same in virtual time and over sockets"), "{agree:?}");
}

#[test]
fn what_depends_on_time_is_named_and_has_bounds() {
    // Half of the calls are before the outage and half in it, all far from where it begins.
    let file = scenario(
        "[[phases]]\nname = \"outage\"\nfrom = \"2s\"\noutcomes = { error = 1.0 }\n\
         [load]\ncount = 40\narrivals = { constant = \"10/s\" }\n",
    );
    let agree = brownout(&format!("agree {} --seed 4", file.path().display()));
    assert!(agree.stdout.contains("since phases depend on when something happens"), "{agree:?}");
    // A busy machine may be late by more than latencies may differ: never by shares.
    assert!(!agree.stdout.lines().any(|line| line.starts_with("success rate") && line.ends_with("apart")), "{agree:?}");
}

#[test]
fn a_load_against_its_own_service_meets_what_virtual_time_foretells() {
    let load = "load examples/duplicate-effects.toml --count 200 --seed 11";
    let (virtually, really) =
        (brownout(&format!("{load} --json")), brownout(&format!("{load} --real --json --time-scale 5")));
    let (virtually, really) = (virtually.json(), really.json());
    assert_eq!((&virtually["time"], &really["time"]), (&"virtual".into(), &"real".into()));
    for part in ["by_status", "by_fault", "calls", "effects"] {
        assert_eq!(virtually[part], really[part], "{part}");
    }
    assert!(really["effects"][0]["duplicates"].as_u64().unwrap() > 0, "{really}");
    assert!(really["generator"]["schedule_lag_ms"]["count"] == 200, "{really}");
    brownout("load --real --url http://127.0.0.1:1").refused(&["--real", "--url"]);
}

/// One call in four thirds of a second, each of which fails and takes a retry out of a bucket of four.
#[test]
fn what_a_budget_has_left_is_seen_in_both_worlds() {
    let file = scenario(
        "[service]\noutcomes = { error = 1.0 }\n\
         [load]\ncount = 5\narrivals = { constant = \"0.75/s\" }\n\
         [policy]\nmax_retries = 1\nbase_delay = \"1ms\"\n\
         [policy.budget]\nscope = \"fleet\"\ntokens = { capacity = 4, deposit = 0.1, deposit_on = \"success\" }\n",
    );
    let load = format!("load {} --seed 4 --json", file.path().display());
    for more in ["", "--real --time-scale 2"] {
        let guards = brownout(&format!("{load} {more}")).json()["guards"].clone();
        let left = guards["budget_left"].as_array().unwrap();
        // The fourth call and the end of the fourth second are one moment.
        assert!(left.len() >= 5, "{more}: {guards}");
        assert_eq!(left[..3], [3.0, 2.0, 1.0], "{more}: {guards}");
        assert_eq!((&guards["interval_s"], left.last().unwrap()), (&1.into(), &0.0.into()), "{more}: {guards}");
        assert_eq!(guards.get("breakers_open"), None, "{more}: {guards}");
    }
}

#[test]
fn clients_are_told_apart_by_a_header_in_both_worlds() {
    // Four clients, ten calls for each in the hour, and fifteen asked for by each.
    let file = scenario(
        "[service.rate_limit]\nfixed_window = { count = 10, window = \"1h\" }\nkey = \"header:x-api-key\"\n\
         [load]\ncount = 60\nclients = 4\narrivals = { constant = \"200/s\" }\n",
    );
    let load = format!("load {} --seed 4 --json", file.path().display());
    for more in ["", "--real"] {
        let met = brownout(&format!("{load} {more}")).json();
        assert_eq!((&met["by_status"]["200"], &met["by_status"]["429"]), (&40.into(), &20.into()), "{more}: {met}");
    }
}
