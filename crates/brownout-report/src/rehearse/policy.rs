//! The policy that a rehearsal measured, as a file for the verbs that take policies.

use std::fmt::Write as _;
use std::time::Duration;

use brownout_lab::rehearse::{Measured, measured};
use brownout_policy::{Growth, JitterKind, Pushback, Settings};

use super::RehearseReport;
use crate::number::seconds;
use crate::written;

impl RehearseReport {
    /// What the command was seen to do, as a scenario file with nothing but a `policy`; what is doubtful about it in comments.
    ///
    /// # Errors
    /// Why no policy can be told.
    pub fn policy(&self) -> Result<String, &'static str> {
        let Measured { layers, retry_on, doubts, tried_again } = measured(&self.runs)?;
        let program = self.command.first().map(|program| program.escape_debug().to_string()).unwrap_or_default();
        let (scenario, seeds, version) = (self.origin.scenario.escape_debug(), self.seeds(), &self.origin.version);
        Ok(written(|text| {
            writeln!(text, "# What `{program}` did when brownout {version} rehearsed it against {scenario}, {seeds}.")?;
            writeln!(text, "# To see what would become of it: brownout compare SCENARIO --policies none,THIS_FILE")?;
            if !tried_again.is_empty() {
                writeln!(text, "# It tried again after: {}.", tried_again.join(", "))?;
            }
            for doubt in doubts {
                writeln!(text, "# {doubt}")?;
            }
            match layers.as_slice() {
                [layer] => {
                    let keys = keys(layer, &retry_on);
                    let width = keys.iter().map(|(key, _)| key.len()).max().unwrap_or_default();
                    writeln!(text, "[policy]")?;
                    keys.iter().try_for_each(|(key, value)| writeln!(text, "{key:width$} = {value}"))
                }
                layers => {
                    writeln!(text, "# Retries around retries, the nearest to the service first.")?;
                    writeln!(text, "policy = [")?;
                    for layer in layers {
                        let keys: Vec<String> =
                            keys(layer, &retry_on).iter().map(|(key, value)| format!("{key} = {value}")).collect();
                        writeln!(text, "  {{ {} }},", keys.join(", "))?;
                    }
                    writeln!(text, "]")
                }
            }
        }))
    }
}

impl RehearseReport {
    /// The seeds of its runs, in a few words.
    fn seeds(&self) -> String {
        match self.runs.as_slice() {
            [] | [_] => format!("seed {}", self.origin.seed),
            [first, .., last] => format!("{} seeds from {} to {}", self.runs.len(), first.seed, last.seed),
        }
    }
}

/// What is set, in the words of a scenario.
fn keys(settings: &Settings, retry_on: &[String]) -> Vec<(&'static str, String)> {
    let duration = |duration: Duration| quoted(&seconds(duration));
    let list = |all: Vec<String>| format!("[{}]", all.join(", "));
    let delays = |delays: &[Duration]| list(delays.iter().copied().map(duration).collect());
    let words = |words: &[String]| list(words.iter().map(|word| quoted(word)).collect());
    let all = [
        ("max_retries", settings.max_retries.map(|retries| retries.to_string())),
        ("backoff", settings.growth.map(|growth| name(&Growth::NAMES, &growth))),
        ("base_delay", settings.base_delay.map(duration)),
        ("factor", settings.factor.map(|factor| factor.to_string())),
        ("delays", settings.delays.as_deref().map(delays)),
        ("max_delay", settings.max_delay.map(duration)),
        ("jitter", settings.jitter.map(|kind| name(&JitterKind::NAMES, &kind))),
        ("jitter_ratio", settings.jitter_ratio.map(|ratio| ratio.as_f64().to_string())),
        ("retry_on", (!retry_on.is_empty()).then(|| words(retry_on))),
        ("attempt_timeout", settings.attempt_timeout.map(duration)),
        ("retry_after", settings.retry_after.map(|pushback| name(&Pushback::NAMES, &pushback))),
    ];
    all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

fn name<T: PartialEq>(names: &[(&str, T)], value: &T) -> String {
    let name = names.iter().find(|(_, named)| named == value).map(|(name, _)| *name);
    quoted(name.expect("every one has a name"))
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use brownout_lab::rehearse::{Answer, CommandEnd, Lens, Visit, measured, rehearse};
    use brownout_scenario::Scenario;

    use super::super::tests::{MS, report, run, visit};

    /// A file says what was measured: a scenario reads the same settings from it.
    #[test]
    fn what_is_written_is_read_as_it_was_measured() {
        let failing = |waits_ms: &[u64]| {
            let mut at = 0;
            let later = waits_ms.iter().map(|wait| {
                at += 20 + wait;
                visit(at, Answer::Reset)
            });
            let visits: Vec<Visit> = std::iter::once(visit(0, Answer::Status(503))).chain(later).collect();
            rehearse(visits, 1, CommandEnd::default(), &Lens::default())
        };
        let left = Visit { until: Some(MS(1500)), ..visit(0, Answer::Left) };
        let leaves = rehearse(vec![left, visit(2000, Answer::Status(200))], 1, CommandEnd::default(), &Lens::default());
        let layers = [100, 200, 1500, 100, 200, 1500, 100, 200];
        for runs in [
            vec![run(1)],
            vec![leaves],
            vec![failing(&[])],
            vec![failing(&[2, 403, 806])],
            vec![failing(&[100, 200, 400, 400])],
            vec![failing(&[110]), failing(&[370]), failing(&[910])],
            vec![failing(&layers)],
        ] {
            let report = report(runs);
            let text = report.policy().unwrap();
            let scenario =
                Scenario::parse("measured.toml", &text).unwrap_or_else(|problems| panic!("{text}\n{problems:?}"));
            let mut layers = measured(&report.runs).unwrap().layers.into_iter();
            let nearest = layers.next().unwrap();
            let said = brownout_policy::Settings { around: layers.collect(), ..nearest };
            assert_eq!(scenario.policy, Some(said), "{text}");
        }
    }

    #[test]
    fn doubts_are_said_beside_it() {
        let text = report(vec![run(1)]).policy().unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("# What `app` did when brownout ") && lines[0].ends_with(", seed 1."), "{text}");
        assert!(lines.contains(&"# It tried again after: 503."), "{text}");
        assert!(text.contains("there may be more"), "{text}");
        assert!(lines.contains(&"retry_after = \"at_least\""), "{text}");
    }
}
