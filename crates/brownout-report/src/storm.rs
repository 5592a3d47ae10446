//! Whether a bad state keeps itself going.

use std::fmt::Write as _;

use brownout_lab::storm::{Cell, Finding, Hysteresis, Precheck, Share, Survivable, Verdict};
use serde::Serialize;

use crate::number::counted;
use crate::table::table;
use crate::{Origin, written};

/// A storm as `storm` prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StormReport {
    /// One a policy.
    pub policies: Vec<Finding>,
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: Origin,
}

impl StormReport {
    /// For people: a verdict a policy with what stands behind it; of several a table first.
    #[must_use]
    pub fn text(&self) -> String {
        written(|text| self.write(text))
    }

    /// What can be said before any run, of each policy by name.
    #[must_use]
    pub fn before(prechecks: &[(&str, Precheck)]) -> String {
        written(|text| {
            writeln!(text, "Before any run, utilisation × attempts a call while all fail:")?;
            let wide = prechecks.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
            for (name, precheck) in prechecks {
                writeln!(text, "  {name:<wide$}  {}", before(precheck))?;
            }
            Ok(())
        })
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        if let [first, _, ..] = &self.policies[..] {
            let Cell { trigger_s, observed_s, seeds, load_per_second, .. } = first.cell;
            let runs = counted(seeds, "seed", "seeds");
            writeln!(
                text,
                "A trigger of {} at {}/s, watched for {} after it, {runs} with it and without:\n",
                time(trigger_s),
                plain(load_per_second),
                time(observed_s)
            )?;
            let head = ["policy", "verdict", "not recovered", "95 % interval", "recovered after", "survives"];
            let mut rows = vec![head.map(str::to_owned).to_vec()];
            rows.extend(self.policies.iter().map(row));
            text.push_str(&table(&rows));
            text.push('\n');
        }
        for (place, finding) in self.policies.iter().enumerate() {
            if place > 0 {
                text.push('\n');
            }
            write_finding(text, finding)?;
        }
        Ok(())
    }
}

fn before(precheck: &Precheck) -> String {
    let Precheck { utilisation, amplification, product, vulnerable, guarded, vulnerable_from_per_second, .. } =
        *precheck;
    let (Some(utilisation), Some(from)) = (utilisation, vulnerable_from_per_second) else {
        return "nothing is known: the service that is called has no capacity".to_owned();
    };
    let number = |value: Option<f64>| value.map_or_else(|| "∞".to_owned(), |value| format!("{value:.2}"));
    let word = match (vulnerable, guarded) {
        (true, true) => "vulnerable, but for its breaker or throttle",
        (true, false) => "vulnerable",
        (false, _) => "no trigger can hold it down",
    };
    let product = format!("{utilisation:.2} × {} = {}", number(amplification), number(product));
    format!("{product}: {word}; above 1 from {}/s on", plain(from))
}

fn row(finding: &Finding) -> Vec<String> {
    let Finding { policy, cell, survivable, .. } = finding;
    let Share { count, of, .. } = cell.not_recovered;
    let survives = match survivable {
        None => NOTHING.to_owned(),
        Some(Survivable { survived_s, lost_s: None, .. }) => format!("≥ {}", time(*survived_s)),
        Some(Survivable { survived_s, .. }) => time(*survived_s),
    };
    vec![
        policy.clone(),
        cell.verdict.name().to_owned(),
        format!("{count} of {of}"),
        interval(&cell.not_recovered),
        cell.modes.recovery_s_median.map_or_else(|| NOTHING.to_owned(), time),
        survives,
    ]
}

fn write_finding(text: &mut String, finding: &Finding) -> std::fmt::Result {
    let Finding { policy, cell, hysteresis, survivable, .. } = finding;
    writeln!(text, "{policy}: {}. {}", cell.verdict.name(), sentence(cell))?;
    for line in because(cell).into_iter().chain(details(cell)) {
        writeln!(text, "  {line}")?;
    }
    if let Some(hysteresis) = hysteresis {
        for line in hysteresis_lines(hysteresis, cell.load_per_second) {
            writeln!(text, "  {line}")?;
        }
    }
    if let Some(survivable) = survivable {
        writeln!(text, "  {}", survivable_line(survivable, cell))?;
    }
    if let Some((runs, why)) = &cell.cut_short {
        writeln!(text, "  {} cut short: {why}", counted(*runs, "seed was", "seeds were"))?;
    }
    Ok(())
}

/// How many seeds did not recover, and what became of the control.
pub(crate) fn sentence(cell: &Cell) -> String {
    let Share { count, of, .. } = cell.not_recovered;
    let fell = cell.control_fell;
    format!(
        "{count} of {of} seeds did not recover within {} of the end of the {} trigger ({}); without it {} of {} fell over.",
        time(cell.observed_s),
        time(cell.trigger_s),
        interval(&cell.not_recovered),
        fell.count,
        fell.of
    )
}

/// What makes a verdict that needs a reason.
pub(crate) fn because(cell: &Cell) -> Option<String> {
    let Cell { control_ill, seeds, control_fall_mean_s, still_rising, .. } = cell;
    match cell.verdict {
        Verdict::Overloaded => Some(format!(
            "without the trigger {control_ill} of {seeds} were never healthy: nine tenths of what callers get from an idle service"
        )),
        Verdict::Spontaneous => Some(format!(
            "it falls over by itself, {} after its start on the mean: the trigger only hastens that",
            control_fall_mean_s.map_or_else(|| NOTHING.to_owned(), time)
        )),
        Verdict::Slow => Some(format!(
            "{still_rising} of the seeds that had not recovered were still getting better: a longer --horizon tells"
        )),
        Verdict::Stuck => Some(
            "dropping the load does not bring it back: lasting damage, or calls that go on by themselves".to_owned(),
        ),
        Verdict::Undecided if cell.cut_short.is_none() => {
            Some("too few seeds for a word: 73 tell below 5 % and above 95 %, 35 below 10 % and above 90 %".to_owned())
        }
        _ => None,
    }
}

/// Times and losses, each within its mode.
fn details(cell: &Cell) -> Vec<String> {
    let modes = &cell.modes;
    let mut lines = Vec::new();
    if let (Some(median), Some(min), Some(max)) = (modes.recovery_s_median, modes.recovery_s_min, modes.recovery_s_max)
    {
        let lost = modes
            .recovered_calls_lost
            .map(|lost| format!("; {} calls lost on the mean", whole(lost)))
            .unwrap_or_default();
        lines.push(format!("seeds that recovered took {} ({} to {}){lost}", time(median), time(min), time(max)));
    }
    if let (Some(goodput), Some(lost)) = (modes.stuck_goodput, modes.stuck_calls_lost) {
        lines.push(format!(
            "seeds that did not: goodput {:.1} % of the control's at the end; {} calls lost by then on the mean",
            100.0 * goodput,
            whole(lost)
        ));
    }
    lines
}

fn hysteresis_lines(hysteresis: &Hysteresis, rate: f64) -> Vec<String> {
    let Hysteresis { seeds, acts_after_s, gets_out, tried_s_max, .. } = hysteresis;
    let when = format!("{} after the trigger", time(*acts_after_s));
    let mut lines = Vec::new();
    if gets_out.is_empty() {
        lines.push(format!(
            "no way out: from {when}, even no calls for {} leave it stuck ({seeds} seeds)",
            time(*tried_s_max)
        ));
    } else {
        let drops = gets_out.iter().map(|shed| format!("shed {:.0} % for {}", 100.0 * shed.share, time(shed.for_s)));
        let drops = drops.collect::<Vec<_>>().join(", or ");
        lines.push(format!("to get out: {drops} ({seeds} of {seeds} seeds, from {when})"));
    }
    let share = |load: f64| format!("{}/s ({:.0} %)", plain(load), 100.0 * load / rate);
    match (hysteresis.ends_below_per_second, hysteresis.lost_above_per_second) {
        (Some(low), Some(high)) => lines.push(format!(
            "hysteresis: it ends by itself below {}, and is lost without a trigger above {}: {}/s wide",
            share(low),
            share(high),
            plain(high - low)
        )),
        (Some(low), None) => lines.push(format!("hysteresis: it ends by itself below {}", share(low))),
        (None, _) => lines.push("hysteresis: it ends by itself at no load".to_owned()),
    }
    lines
}

fn survivable_line(survivable: &Survivable, cell: &Cell) -> String {
    let Survivable { seeds, survived_s, lost_s } = *survivable;
    let at = format!("at {}/s", plain(cell.load_per_second));
    match lost_s {
        Some(lost) if survived_s > 0.0 => {
            format!(
                "{at} it survives this trigger for up to {}; of {} it does not ({seeds} seeds each)",
                time(survived_s),
                time(lost)
            )
        }
        Some(lost) => format!("{at} it does not survive this trigger even for {} ({seeds} seeds)", time(lost)),
        None => format!("{at} it survives this trigger for {}, the longest tried ({seeds} seeds)", time(survived_s)),
    }
}

const NOTHING: &str = "–";

fn interval(share: &Share) -> String {
    if share.of == 0 { NOTHING.to_owned() } else { format!("{:.1}–{:.1} %", 100.0 * share.low, 100.0 * share.high) }
}

/// A time with as many digits as tell something.
pub(crate) fn time(seconds: f64) -> String {
    let text = match seconds {
        seconds if seconds < 0.1 => format!("{seconds:.3}"),
        seconds if seconds < 10.0 => format!("{seconds:.2}"),
        seconds if seconds < 100.0 => format!("{seconds:.1}"),
        seconds => format!("{seconds:.0}"),
    };
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} s")
}

/// A rate with three or four digits that tell something.
pub(crate) fn plain(rate: f64) -> String {
    let digits = match rate {
        rate if rate >= 100.0 => 0,
        rate if rate >= 10.0 => 1,
        _ => 3,
    };
    let text = format!("{rate:.digits$}");
    if digits == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

fn whole(number: f64) -> String {
    format!("{number:.0}")
}
