//! The validation suite, as a page.

use std::fmt::Write as _;

use brownout_lab::validate::{Row, Validation};
use serde::Serialize;

use crate::written;

/// What `verify` prints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValidationReport {
    /// What the suite came to.
    #[serde(flatten)]
    pub validation: Validation,
    /// Of brownout.
    pub version: &'static str,
}

impl ValidationReport {
    /// For people and for keeping, in Markdown.
    #[must_use]
    pub fn text(&self) -> String {
        written(|text| self.write(text))
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let Validation { seed, runs_each, runs, events, rows, failed } = &self.validation;
        writeln!(text, "# Validation\n")?;
        writeln!(
            text,
            "What `brownout verify` prints: virtual time held against closed forms. Each study is a scenario, run on {runs_each} \
             seeds.\nA row passes when the expected value lies within the 99.9 % interval of what was found (and a thousandth, the \
             width of a\nhistogram's bucket), and the interval is narrow enough to tell. The seeds are fixed (the first is {seed}), \
             so every machine\nprints the same page.\n"
        )?;
        writeln!(
            text,
            "In all {runs} runs ({:.1} million events) Little's law, the conservation of work and the flow balance held to the \
             nanosecond: a run\nin which one does not is no result.\n",
            millions(*events)
        )?;
        writeln!(text, "| study | number | expected | found | ± | | source |\n|---|---|--:|--:|--:|---|---|")?;
        let mut last = "";
        for Row { study, what, expected, found, half_width, passed, source } in rows {
            let (name, source) = if study == last { ("", "") } else { (study.as_str(), *source) };
            let verdict = if *passed { "pass" } else { "**FAIL**" };
            writeln!(
                text,
                "| {name} | {what} | {expected:.5} | {found:.5} | {half_width:.5} | {verdict} | {source} |"
            )?;
            last = study;
        }
        let passed = rows.len() - failed;
        writeln!(text, "\n{passed} of {} passed.", rows.len())
    }
}

#[expect(clippy::cast_precision_loss, reason = "for showing")]
fn millions(count: u64) -> f64 {
    count as f64 / 1e6
}
