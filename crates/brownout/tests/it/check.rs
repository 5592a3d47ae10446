//! `check`, as it is typed.

use crate::program::{Run, brownout, brownout_in, repository};
use brownout_lab::lint::Rule;
use snapbox::{assert_data_eq, str};

/// Runs `check it.toml` with more `arguments` on a file of this text.
fn check(text: &str, arguments: &str) -> Run {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("it.toml"), text).unwrap();
    let arguments: Vec<&str> = ["check", "it.toml"].into_iter().chain(arguments.split_whitespace()).collect();
    brownout_in(folder.path(), &arguments)
}

const DOUBTFUL: &str = "\
policy = { backoff = \"constant\", base_delay = \"5s\", max_retries = 5, jitter = \"equal\", budget = { ratio = 0.1 } }
";

#[test]
fn a_warning_shows_the_line_the_numbers_the_consequence_and_what_would_mend_it() {
    let run = check(DOUBTFUL, "");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_data_eq!(
        &run.stdout,
        str![[r#"
warning[horizon-shorter-than-limit]: 5 retries are over after 18.7s; the window of a limit usually lasts 60s
 --> it.toml:1:67
  |
1 | policy = { backoff = "constant", base_delay = "5s", max_retries = 5, jitter = "equal", budget = { ratio = 0.1 } }
  |                                                                   ^
  |
  = note: all 6 attempts of a call fall into one window and are refused, unless its Retry-After says more
  = mend: longer delays, or `max_retries = 17` under a budget; or accept that such calls fail

it.toml: valid, 1 warning
  routes: none
  phases: none
  load: 100 × GET /, clients: 1
  retries: 5, so a call makes at most 6 attempts

"#]]
    );
}

#[test]
fn strict_fails_on_a_warning_and_on_nothing_else() {
    assert_eq!(check(DOUBTFUL, "--strict").code, Some(1));
    assert_eq!(check("policy = \"none\"\n", "--strict").code, Some(0));
    check("polcy = \"none\"\n", "--strict").refused(&["did you mean `policy`?"]);
}

#[test]
fn the_json_has_rule_key_place_and_numbers() {
    let json = check(DOUBTFUL, "--json").json();
    let finding = &json["findings"][0];
    assert_eq!(finding["rule"], "horizon-shorter-than-limit");
    assert_eq!(finding["key"], "policy.max_retries");
    assert_eq!((&finding["line"], &finding["column"]), (&1.into(), &67.into()));
    assert_eq!(finding["numbers"]["window_s"], 60.0);
    assert_eq!(json["policies"][0]["attempts_max"], 6);
    let json = brownout("check --policy tenacity-default --json").json();
    assert_eq!((&json["scenario"], &json["policies"][0]["attempts_max"]), (&().into(), &().into()));
    assert!(json["findings"][0].get("line").is_none(), "{json}");
}

/// Policies say for themselves what they have of their own, and once what they share.
#[test]
fn each_policy_is_checked_and_nothing_is_said_twice() {
    let text = r#"
[service]
latency = { exponential = "1s" }
outcomes = { error = 0.1 }
[load]
clients = 10
[policy]
attempt_timeout = "2s"
max_retries = 1
jitter = "full"
[policies]
same = { max_retries = 2, jitter = "full" }
plain = { max_retries = 2 }
other = { max_retries = 1, attempt_timeout = "3s", jitter = "full" }
sdk = "backon-default"
"#;
    let keys = |arguments: &str| {
        let json = check(text, &format!("--json {arguments}")).json();
        let findings = json["findings"].as_array().unwrap().clone();
        let words =
            findings.iter().map(|finding| format!("{} {} {}", finding["rule"], finding["key"], finding["policies"]));
        words.collect::<Vec<_>>().join("\n").replace('"', "")
    };
    assert_eq!(
        keys(""),
        "timeout-below-p99 policy.attempt_timeout [scenario,same,plain,sdk]\n\
         no-jitter policies.plain.jitter [plain]\n\
         timeout-below-p99 policies.other.attempt_timeout [other]\n\
         no-jitter policies.sdk.jitter [sdk]"
    );
    assert_eq!(keys("--policy plain,aws-legacy").lines().count(), 3);
    assert!(keys("--policy curl-retry").ends_with("no-jitter jitter [curl-retry]"));
    let shown = check(text, "").stdout;
    assert_eq!(shown.matches("13 | plain").count() + shown.matches("15 | sdk").count(), 2, "{shown}");
}

#[test]
fn a_preset_is_checked_without_a_file() {
    let run = brownout("check --policy curl-retry");
    assert_eq!(run.code, Some(0));
    assert!(run.stdout.starts_with("warning[horizon-shorter-than-limit]: 3 retries are over after 7s; "), "{run:?}");
    assert!(
        run.stdout.contains("\n--> preset curl-retry\n") && run.stdout.contains("\ncurl-retry: valid, 3 warnings\n")
    );
    assert!(brownout("check --policy none").stdout.starts_with("none: fine\n"));
    brownout("check --policy crul-retry").refused(&["there is no policy `crul-retry`", "did you mean `curl-retry`?"]);
    brownout("check --policy none,none").refused(&["named twice"]);
    brownout("check").refused(&["required arguments"]);
}

#[test]
fn guide_and_help_name_every_rule() {
    let page = std::fs::read_to_string(repository().join("guide/check.md")).unwrap();
    let help = brownout("check --help").stdout;
    for rule in Rule::ALL {
        assert!(page.contains(&format!("| `{rule}` |")) && help.contains(rule.name()), "{rule}");
    }
}

/// What is warned of comes true: calls begun in the first seconds of an outage fail, and those of the other policy do not.
#[test]
fn what_check_says_of_an_outage_is_what_a_run_does() {
    let text = |retries: u32| {
        format!(
            "seed = 1\n[service]\nlatency = \"10ms\"\n[[phases]]\nname = \"out\"\nfrom = \"10s\"\nfor = \"10s\"\n\
             outcomes = {{ error = 1.0 }}\n[load]\narrivals = {{ constant = \"100/s\" }}\nduration = \"30s\"\n\
             [policy]\nmax_retries = {retries}\nbase_delay = \"1s\"\nbudget = {{ ratio = 1000 }}\n"
        )
    };
    let outcome = |retries| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("it.toml"), text(retries)).unwrap();
        let json = brownout_in(folder.path(), &["check", "it.toml", "--json"]).json();
        let findings = json["findings"].as_array().unwrap().clone();
        let horizon = findings.iter().find(|finding| finding["rule"] == "horizon-shorter-than-outage").cloned();
        (horizon, brownout_in(folder.path(), &["load", "it.toml", "--json"]).json()["calls"]["failed"].as_u64())
    };
    // 7.04 s of 10: calls of the first 2.96 s, a hundred a second.
    let (finding, failed) = outcome(3);
    assert_eq!(finding.unwrap()["consequence"], "every call begun in its first 2.96s fails for good");
    assert!(failed.unwrap().abs_diff(296) <= 3, "{failed:?}");
    assert_eq!(outcome(4), (None, Some(0)));
}
