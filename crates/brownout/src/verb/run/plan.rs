//! What a run would do.

use brownout_lab::lint::{Finding, Rule, Subject, lint};
use brownout_policy::{Policy, Settings};
use brownout_report::{PlanReport, json};

use super::file::Format;
use crate::exit::{Exit, Stop};
use crate::output;

/// Prints the schedule of this policy, and what the rules of `check` find of it.
pub(super) fn print(settings: &Settings, policy: &Policy, format: Option<Format>) -> Result<Exit, Stop> {
    if format == Some(Format::Junit) {
        return Err(Stop::usage("--plan runs nothing that JUnit could tell of; drop --format junit, or take json"));
    }
    let findings = lint(&Subject { service: None, load: None, graph: None, settings });
    let warnings = findings.into_iter().map(|finding| Finding { remedy: remedy(&finding), ..finding });
    let plan = PlanReport::new(policy, warnings.collect());
    output::print(&if format == Some(Format::Json) { json(&plan) } else { plan.text() })?;
    Ok(Exit::FINE)
}

fn remedy(finding: &Finding) -> String {
    if finding.rule == Rule::NoBudget {
        return "--budget FILE, which the runners of a machine share".to_owned();
    }
    in_flags(&finding.remedy)
}

/// A remedy with flags in place of the keys of a scenario, which stand in backticks, some with a value.
fn in_flags(remedy: &str) -> String {
    let is_key = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let flag =
        |key: &str| if key == "deadline" { "--timeout".to_owned() } else { format!("--{}", key.replace('_', "-")) };
    let word = |text: &str| match text.split_once(" = ") {
        Some((key, value)) if is_key(key) => format!("{} {}", flag(key), value.trim_matches('"')),
        None if is_key(text) => flag(text),
        _ => format!("`{text}`"),
    };
    let parts = remedy.split('`').enumerate();
    parts.map(|(at, text)| if at % 2 == 1 { word(text) } else { text.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::in_flags;

    #[test]
    fn keys_become_flags() {
        let remedy = "longer delays, or `max_retries = 9` under a budget; a `deadline` above 60s; `jitter = \"full\"`";
        let flags = "longer delays, or --max-retries 9 under a budget; a --timeout above 60s; --jitter full";
        assert_eq!(in_flags(remedy), flags);
    }
}
