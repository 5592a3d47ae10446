//! What the limits of a service did, as text.

use std::fmt::Write as _;

use brownout_load::{EarlyClient, EarlyResult, LimitResult, LimitsResult};

use crate::number::counted;
use crate::written;

/// A line for each limit, and one for those who came back before a refusal had said, where there are any.
#[must_use]
pub fn limits_text(limits: &LimitsResult) -> String {
    written(|text| write(text, limits))
}

pub(crate) fn write(text: &mut String, limits: &LimitsResult) -> std::fmt::Result {
    for LimitResult { name, asked, refused } in &limits.limits {
        let share = if *asked > 0 { format!(" ({:.1}%)", percent(*refused, *asked)) } else { String::new() };
        writeln!(text, "Limit {name}: {refused} of {} refused{share}", counted(*asked, "attempt", "attempts"))?;
    }
    let EarlyResult { attempts, retries, clients, worst } = &limits.early_returns;
    if *attempts == 0 {
        return Ok(());
    }
    let new = counted(attempts - retries, "new call", "new calls");
    let retries = counted(*retries, "retry", "retries");
    write!(text, "  came back before Retry-After: {retries}, and {new} of clients that were to wait; ")?;
    let named: Vec<_> = worst.iter().map(|EarlyClient { client, attempts }| format!("{client} ({attempts})")).collect();
    let the = if *clients > worst.len() as u64 { "the worst: " } else { "" };
    writeln!(text, "{}: {the}{}", counted(*clients, "client", "clients"), named.join(", "))
}

#[expect(clippy::cast_precision_loss, reason = "a ratio for showing")]
fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::limits_text;
    use brownout_load::{EarlyClient, EarlyResult, LimitResult, LimitsResult};

    #[test]
    fn one_and_many() {
        let early = |attempts, retries, clients| LimitsResult {
            limits: vec![LimitResult { name: "a".to_owned(), asked: 8, refused: 2 }],
            early_returns: EarlyResult {
                attempts,
                retries,
                clients,
                worst: vec![EarlyClient { client: "10.0.0.1".to_owned(), attempts }],
            },
        };
        let first = "Limit a: 2 of 8 attempts refused (25.0%)\n";
        assert_eq!(limits_text(&early(0, 0, 0)), first);
        let line = "  came back before Retry-After: 1 retry, and 0 new calls of clients that were to wait; 1 client: 10.0.0.1 (1)\n";
        assert_eq!(limits_text(&early(1, 1, 1)), format!("{first}{line}"));
        assert!(limits_text(&early(9, 2, 7)).ends_with(
            "2 retries, and 7 new calls of clients that were to wait; 7 clients: the worst: 10.0.0.1 (9)\n"
        ));
    }
}
