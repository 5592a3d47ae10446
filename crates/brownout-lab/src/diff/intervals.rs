//! How sure the numbers of one run are, by how its intervals scatter.

use brownout_draw::Seed;
use brownout_load::{LoadResult, SeriesResult};

use super::What;
use super::blocks::Blocks;
use crate::statistics::{Summary, Sure, effective_size};

/// With fewer independent intervals than this, what they scatter by is a guess.
const INDEPENDENT_MIN: f64 = 12.0;

/// A number that no interval is needed for, and nothing scatters, rests on as many values as one likes.
const CERTAIN: f64 = 1e6;

/// What is known of the scatter within a run.
pub(super) struct Within<'r> {
    result: &'r LoadResult,
    luck: Seed,
    /// Whole intervals in which calls were begun.
    whole: usize,
    /// Their latencies, where they were kept.
    blocks: Option<Blocks>,
}

impl<'r> Within<'r> {
    pub(super) fn new(result: &'r LoadResult, luck: Seed) -> Self {
        // The last one in which a call was begun is seldom whole, and after it the run only ends.
        let whole = result.per_interval.calls.iter().rposition(|calls| *calls > 0).unwrap_or_default();
        let latencies = result.per_interval.latencies();
        let blocks = latencies.and_then(|latencies| Blocks::new(latencies.get(..whole)?));
        Self { result, luck, whole, blocks }
    }

    /// What is compared, with its standard error; `None` where too little is known.
    pub(super) fn sure(&self, what: What) -> Option<Sure> {
        let mean = what.compared(what.of(self.result)?)?;
        let influence = self.influence(what)?;
        let Summary { n, deviation, .. } = Summary::of(&influence).filter(|summary| summary.n >= 2)?;
        let deviation = deviation?;
        if deviation <= 0.0 && what.quantile().is_none() {
            #[expect(clippy::cast_precision_loss, reason = "a number of intervals")]
            return (n as f64 >= INDEPENDENT_MIN).then_some(Sure { mean, error: 0.0, n: CERTAIN });
        }
        #[expect(clippy::cast_precision_loss, reason = "a number of intervals")]
        let n = n as f64;
        let independent = effective_size(&influence).unwrap_or(n);
        let Some(quantile) = what.quantile() else {
            let error = deviation / libm::sqrt(independent);
            return (independent >= INDEPENDENT_MIN).then_some(Sure { mean, error, n: independent });
        };
        let blocks = self.blocks.as_ref()?;
        let (time, bearing) = (n / independent, blocks.bearing(quantile, n / independent));
        if bearing < INDEPENDENT_MIN {
            return None;
        }
        let error = blocks.error(quantile, &influence, time, self.luck)?;
        Some(Sure { mean, error, n: independent.min(bearing) })
    }

    /// How much each interval moves the number, as it is compared; 0 on the mean. What it scatters by is what the mean of the number
    /// scatters by, times the root of the number of intervals.
    fn influence(&self, what: What) -> Option<Vec<f64>> {
        let SeriesResult { calls, attempts, succeeded, failed, .. } = &self.result.per_interval;
        let column =
            |column: &[u64]| column.get(..self.whole).map(|column| column.iter().map(number).collect::<Vec<_>>());
        let (calls, attempts, succeeded, failed) =
            (column(calls)?, column(attempts)?, column(succeeded)?, column(failed)?);
        let (each, sum) = match what {
            What::Goodput => {
                let mean = Summary::of(&succeeded)?.mean;
                return (mean > 0.0).then(|| succeeded.iter().map(|count| count / mean - 1.0).collect());
            }
            What::Amplification => (attempts, calls),
            // By when calls were begun: what ends in another interval would scatter more than what fails.
            What::SuccessRate => (failed, calls),
            _ => {
                let blocks = self.blocks.as_ref()?;
                (blocks.above(what.quantile()?), calls)
            }
        };
        let (total, whole) = (each.iter().sum::<f64>(), sum.iter().sum::<f64>());
        if total <= 0.0 || whole <= 0.0 {
            // Nothing of it happened at all, in any interval.
            return (whole > 0.0).then(|| vec![0.0; each.len()]);
        }
        let (ratio, mean) = (total / whole, whole / number(&(sum.len() as u64)));
        let scale = if what.is_factor() { ratio * mean } else { mean };
        Some(each.iter().zip(&sum).map(|(part, whole)| (part - ratio * whole) / scale).collect())
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts to calculate with")]
fn number(count: &u64) -> f64 {
    *count as f64
}
