//! What became of the expectations.

use std::fmt::Write as _;

use brownout_load::{Judged, Verdict};

use crate::table::table;

/// All of them in one word, then each: expected, measured, and what became of it.
pub(crate) fn write(text: &mut String, verdict: &Verdict) -> std::fmt::Result {
    let control = match (verdict.met, verdict.as_expected) {
        (Some(met), Some(as_expected)) if met != as_expected => ", and is to be missed",
        _ => "",
    };
    writeln!(text, "Verdict: {}{control}", verdict.outcome().name())?;
    let row =
        |judged: &Judged| vec![format!("  {}", judged.expectation), judged.shown(), judged.outcome.name().to_owned()];
    text.push_str(&table(&verdict.expectations.iter().map(row).collect::<Vec<_>>()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::write;
    use crate::load::tests::report;
    use brownout_load::{Expectation, Expectations, Measure, Relation};

    #[test]
    fn each_expectation_is_a_line() {
        let at_most = |measure, bound| Expectation { measure, relation: Relation::AtMost, bound };
        let all = vec![at_most(Measure::SuccessRate, 0.8), at_most(Measure::P99, 300.0), at_most(Measure::Unsent, 0.0)];
        let mut text = String::new();
        write(&mut text, &Expectations { all, missed: false }.judge(&report().result).unwrap()).unwrap();
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(
            lines,
            [
                vec!["Verdict:", "not", "enough", "data"],
                vec!["success_rate", "<=", "80%", "75%", "met"],
                vec!["p99", "<=", "300ms", "–", "not", "enough", "data"],
                vec!["unsent", "<=", "0", "0", "met"],
            ]
        );
    }
}
