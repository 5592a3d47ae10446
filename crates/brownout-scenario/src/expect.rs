//! Expectations as text: `>= 99%`, `p99 <= 300ms`.

use brownout_draw::Probability;
use brownout_load::{Expectation, Measure, Rate, Relation, Unit};
use thiserror::Error;

use crate::decode::did_you_mean;
use crate::units;

/// A regular expression for what [`bound`] reads.
pub(crate) const BOUND_PATTERN: &str = r"^\s*(<=|>=)\s*[0-9.].*$";

/// Why a text is no expectation.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExpectError {
    /// No relation.
    #[error("an expectation is `<=` or `>=` and a bound, found `{0}`; write \"<= 300ms\" or \">= 99%\"")]
    Relation(String),
    /// No measure, in words.
    #[error("{0}")]
    Measure(String),
    /// The bound is none of its measure.
    #[error("`{measure}` has a bound as `{example}`, found `{found}`: {why}")]
    Bound {
        /// Of what.
        measure: &'static str,
        /// A bound as it may be written.
        example: &'static str,
        /// What was found.
        found: String,
        /// What is wrong.
        why: String,
    },
}

/// Reads what is expected of one measure: `<= 300ms`.
///
/// # Errors
/// Where it is no relation and bound in the unit of the measure.
pub(crate) fn bound(measure: Measure, text: &str) -> Result<Expectation, ExpectError> {
    let (relation, bound) = bound_of(measure.name(), measure.unit(), text)?;
    Ok(Expectation { measure, relation, bound })
}

/// Reads what is expected of a measure of this name and unit: `<= 300ms`.
///
/// # Errors
/// Where it is no relation and bound in that unit.
pub fn bound_of(measure: &'static str, unit: Unit, text: &str) -> Result<(Relation, f64), ExpectError> {
    let text = text.trim();
    let relations = [("<=", Relation::AtMost), (">=", Relation::AtLeast)];
    let (relation, found) = relations
        .into_iter()
        .find_map(|(sign, relation)| Some((relation, text.strip_prefix(sign)?.trim())))
        .ok_or_else(|| ExpectError::Relation(text.to_owned()))?;
    let (example, read): (_, Result<f64, String>) = match unit {
        Unit::Share => {
            ("99%", found.parse::<Probability>().map(Probability::as_f64).map_err(|error| error.to_string()))
        }
        Unit::Ratio => ("1.5", number(found)),
        Unit::PerSecond => ("100/s", units::rate(found).map(Rate::get).map_err(|error| error.to_string())),
        Unit::Ms => {
            let millis = units::duration(found).map(|duration| 1e3 * duration.as_secs_f64());
            ("300ms", millis.map_err(|error| error.to_string()))
        }
        Unit::Count => ("0", number(found).and_then(whole)),
    };
    let refused = |why| ExpectError::Bound { measure, example, found: found.to_owned(), why };
    Ok((relation, read.map_err(refused)?))
}

/// Reads a measure and what is expected of it: `p99 <= 300ms`.
///
/// # Errors
/// Where there is no such measure, and where the rest is no relation and bound in the unit of the measure.
///
/// ```
/// use brownout_scenario::expectation;
///
/// assert_eq!(expectation("success_rate>=99.5%")?.to_string(), "success_rate >= 99.5%");
/// assert!(expectation("p98 <= 1s").unwrap_err().to_string().contains("did you mean `p9"));
/// # Ok::<(), brownout_scenario::ExpectError>(())
/// ```
pub fn expectation(text: &str) -> Result<Expectation, ExpectError> {
    let (measure, rest) = measure_of(&Measure::NAMES, text)?;
    bound(measure, rest)
}

/// Reads the measure at the beginning of an expectation, one of `names`: it, and the rest.
///
/// # Errors
/// Where there is no such measure.
pub fn measure_of<'t, M: Copy>(names: &[(&'static str, M)], text: &'t str) -> Result<(M, &'t str), ExpectError> {
    let start = text.find(['<', '>', '=']).unwrap_or(text.len());
    let (name, rest) = text.split_at(start);
    let measure = names.iter().find(|(known, _)| *known == name.trim()).map(|(_, measure)| *measure);
    let unknown = || {
        let names = names.iter().map(|(name, _)| *name);
        let all = names.clone().collect::<Vec<_>>().join(", ");
        let hint = did_you_mean(name.trim(), names, &format!("what can be expected of: {all}"));
        ExpectError::Measure(format!("there is no `{}` to expect something of ({hint})", name.trim()))
    };
    Ok((measure.ok_or_else(unknown)?, rest))
}

fn number(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| (0.0..=1e15).contains(number));
    number.ok_or_else(|| "it is no number from 0".to_owned())
}

fn whole(number: f64) -> Result<f64, String> {
    if number.fract() > 0.0 { Err("it is no whole number".to_owned()) } else { Ok(number) }
}

#[cfg(test)]
mod tests {
    use super::expectation;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = expectation(text).map_or_else(|error| error.to_string(), |expectation| expectation.to_string());
        assert!(found.starts_with(expected), "{text}: {found}");
    }

    #[test]
    fn each_measure_has_bounds_of_its_unit() {
        check("success_rate >= 99%", "success_rate >= 99%");
        check("error_rate<=0.01", "error_rate <= 1%");
        check(" amplification <= 1.5 ", "amplification <= 1.5");
        check("goodput >= 600/m", "goodput >= 10/s");
        check("recovery <= 1m30s", "recovery <= 90s");
        check("p99_9 <= 0.3", "p99_9 <= 300ms");
        check("attempt_p99 <= 300ms", "attempt_p99 <= 300ms");
        check("unsent <= 0", "unsent <= 0");
    }

    #[test]
    fn what_is_no_expectation_is_refused_with_the_way_out() {
        check("p99", "an expectation is `<=` or `>=` and a bound, found ``");
        check("p99 < 300ms", "an expectation is `<=` or `>=` and a bound, found `< 300ms`");
        check("p99 = 300ms", "an expectation is `<=`");
        check("p99 <= fast", "`p99` has a bound as `300ms`, found `fast`: a duration is");
        check("success_rate >= 99", "`success_rate` has a bound as `99%`, found `99`: a probability lies from 0 to 1");
        check("goodput >= 5ms", "`goodput` has a bound as `100/s`, found `5ms`: a rate is");
        check("amplification <= inf", "`amplification` has a bound as `1.5`, found `inf`");
        check("unsent <= 0.5", "`unsent` has a bound as `0`, found `0.5`: it is no whole number");
        check("sucess_rate >= 1", "there is no `sucess_rate` to expect something of (did you mean `success_rate`?");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = expectation(&text);
            let _ = expectation(&format!("p99 <= {text}"));
        }
    }
}
