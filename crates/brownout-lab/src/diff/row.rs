//! One line of a comparison.

use brownout_load::{LoadResult, Unit};
use serde::Serialize;

use crate::statistics::Interval;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The median latency of calls.
    P50,
    /// Their 90th percentile.
    P90,
    /// Their 99th percentile.
    P99,
    /// Calls that succeed, a second.
    Goodput,
    /// Attempts ÷ calls.
    Amplification,
    /// Calls succeeded ÷ calls.
    SuccessRate,
}

/// What the second side is against the first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// The change: of most rows a share of the first side, of the success rate a difference of shares.
    pub change: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What there is to say of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The interval has no change in it.
    Same,
    /// The second side is better.
    Better,
    /// It is worse.
    Worse,
    /// The runs cannot tell.
    NotEnoughData,
}

/// A number of both sides and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What is compared.
    pub what: What,
    /// Of `first` and `second`.
    pub unit: Unit,
    /// The first side.
    pub first: Option<f64>,
    /// The second.
    pub second: Option<f64>,
    /// How they differ; `None` where the runs cannot tell.
    pub effect: Option<Effect>,
    /// What that means.
    pub verdict: Change,
}

impl What {
    /// Every row.
    pub const ALL: [Self; 6] = [Self::P50, Self::P90, Self::P99, Self::Goodput, Self::Amplification, Self::SuccessRate];

    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::Goodput => "goodput",
            Self::Amplification => "amplification",
            Self::SuccessRate => "success rate",
        }
    }

    /// Its unit.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::P50 | Self::P90 | Self::P99 => Unit::Ms,
            Self::Goodput => Unit::PerSecond,
            Self::Amplification => Unit::Ratio,
            Self::SuccessRate => Unit::Share,
        }
    }

    /// Whether less of it is better.
    #[must_use]
    pub const fn is_burden(self) -> bool {
        !matches!(self, Self::Goodput | Self::SuccessRate)
    }

    /// The share of calls that a percentile is not exceeded by.
    pub(super) const fn quantile(self) -> Option<f64> {
        match self {
            Self::P50 => Some(0.5),
            Self::P90 => Some(0.9),
            Self::P99 => Some(0.99),
            _ => None,
        }
    }

    /// What a run came to.
    pub(super) fn of(self, result: &LoadResult) -> Option<f64> {
        let latency = &result.latency_ms.response;
        match self {
            Self::P50 => latency.p50,
            Self::P90 => latency.p90,
            Self::P99 => latency.p99,
            Self::Goodput => result.goodput_per_second,
            Self::Amplification => result.amplification,
            Self::SuccessRate => result.success_rate,
        }
    }

    /// Whether it is compared by its logarithm.
    pub(super) const fn is_factor(self) -> bool {
        !matches!(self, Self::SuccessRate)
    }

    /// A number of it as it is compared; `None` where it has no logarithm.
    pub(super) fn compared(self, value: f64) -> Option<f64> {
        let compared = if self.is_factor() { libm::log(value) } else { value };
        compared.is_finite().then_some(compared)
    }

    /// The number behind one that was compared.
    pub(super) fn shown(self, compared: f64) -> f64 {
        if self.is_factor() { libm::exp(compared) } else { compared }
    }
}

impl Row {
    /// - `sides`: the numbers of both. `difference`: of the second from the first, as they are compared.
    pub(super) fn new(what: What, [first, second]: [Option<f64>; 2], difference: Option<Interval>) -> Self {
        let change = |by: f64| if what.is_factor() { libm::expm1(by) } else { by };
        let effect = difference.filter(|_| first.is_some() && second.is_some());
        let effect =
            effect.map(|by| Effect { change: change(by.mean), low: change(by.low()), high: change(by.high()) });
        let verdict = match effect {
            None => Change::NotEnoughData,
            Some(Effect { low, high, .. }) if low <= 0.0 && 0.0 <= high => Change::Same,
            Some(Effect { change, .. }) if (change > 0.0) == what.is_burden() => Change::Worse,
            Some(_) => Change::Better,
        };
        Self { what, unit: what.unit(), first, second, effect, verdict }
    }

    /// Whether it is surely worse, and by more than `threshold`, a share.
    #[must_use]
    pub fn is_worse_by(&self, threshold: f64) -> bool {
        self.verdict == Change::Worse && self.effect.is_some_and(|effect| effect.change.abs() > threshold)
    }
}
