//! What it all comes to.

use brownout_draw::normal_quantile;
use serde::{Deserialize, Serialize};

use crate::statistics::{two_sided_z, wilson};

/// What a trigger does at one load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It recovers: the share of seeds that do not is below 5 %.
    Stable,
    /// The bad state keeps itself going: more than 95 % of seeds do not recover, and do once the load is dropped for a while.
    Metastable,
    /// More than 95 % of seeds do not recover, and dropping the load does not help either, or was not tried.
    Stuck,
    /// Some seeds recover and some do not.
    Probabilistic,
    /// Seeds that had not recovered were still getting better; a longer horizon would tell.
    Slow,
    /// It falls over without the trigger as well.
    Spontaneous,
    /// It was never healthy.
    Overloaded,
    /// Too few seeds, or runs that were cut short.
    Undecided,
}

/// What the seeds of a cell came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many there were.
    pub seeds: u64,
    /// Whose control was never healthy.
    pub ill: u64,
    /// Whose control fell over.
    pub fell: u64,
    /// With a healthy control, that did not recover.
    pub stuck: u64,
    /// Of these, still getting better.
    pub rising: u64,
    /// Cut short.
    pub cut: u64,
}

/// The level of every interval.
pub(super) const LEVEL: f64 = 0.95;
/// What is "hardly any", where there are seeds enough to tell, and where there are only enough for a coarser word.
const MARGINS: [f64; 2] = [0.05, 0.1];
/// How often one series without any trend in a whole cell may be taken to rise.
const RISE_LEVEL: f64 = 0.01;

impl Verdict {
    /// Every verdict, the good one first.
    pub const ALL: [Self; 8] = [
        Self::Stable,
        Self::Probabilistic,
        Self::Slow,
        Self::Metastable,
        Self::Stuck,
        Self::Spontaneous,
        Self::Overloaded,
        Self::Undecided,
    ];

    /// Of what was counted; before the load was dropped, so never [`Metastable`](Self::Metastable).
    ///
    /// The first that fits: *undecided* where a run was cut short; *overloaded* where most controls were never healthy;
    /// *spontaneous* where more than 5 % fell over, by the lower bound; *slow* where the seeds still getting better would decide;
    /// *stable* where the upper bound of the share that did not recover is below 5 %; *stuck* where the lower is above 95 %;
    /// *probabilistic* in between. With 35 to 72 seeds the bounds are 10 % and 90 %, and with fewer nothing but a share in
    /// between can be told. Seeds whose control was not healthy are left out of the share. All bounds are Wilson's at 95 %.
    #[must_use]
    pub fn of(counted: &Counted) -> Self {
        let Counted { seeds, ill, fell, stuck, rising, cut } = *counted;
        if cut > 0 || seeds == 0 {
            return Self::Undecided;
        }
        if 2 * ill > seeds {
            return Self::Overloaded;
        }
        let fallen = bounds(fell, seeds).0;
        if fallen > margin(seeds).unwrap_or(MARGINS[1]) {
            return Self::Spontaneous;
        }
        let healthy = counted.healthy();
        let all = by_share(stuck, healthy);
        if all == by_share(stuck - rising.min(stuck), healthy) { all } else { Self::Slow }
    }

    /// The same once the load was dropped: what comes back by that was kept down by the load alone.
    #[must_use]
    pub fn confirmed(self, by_load_drop: bool) -> Self {
        if self == Self::Stuck && by_load_drop { Self::Metastable } else { self }
    }

    /// Its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Metastable => "metastable",
            Self::Stuck => "stuck",
            Self::Probabilistic => "probabilistic",
            Self::Slow => "slow",
            Self::Spontaneous => "spontaneous",
            Self::Overloaded => "overloaded",
            Self::Undecided => "undecided",
        }
    }

    /// One letter for a map.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Stable => '.',
            Self::Metastable => 'M',
            Self::Stuck => 'S',
            Self::Probabilistic => 'p',
            Self::Slow => 's',
            Self::Spontaneous => 'C',
            Self::Overloaded => '#',
            Self::Undecided => '?',
        }
    }

    /// Whether nothing was told that a longer or larger experiment would not tell.
    #[must_use]
    pub const fn is_untold(self) -> bool {
        matches!(self, Self::Slow | Self::Undecided)
    }
}

impl Counted {
    /// Seeds whose control was healthy.
    #[must_use]
    pub const fn healthy(&self) -> u64 {
        self.seeds.saturating_sub(self.ill + self.fell)
    }

    /// The score from which on a series of this cell is taken to rise: 1 % for all its seeds together, by Bonferroni's bound.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a number of seeds")]
    pub fn rise_score(seeds: u64) -> f64 {
        normal_quantile(1.0 - RISE_LEVEL / seeds.max(1) as f64)
    }
}

/// Between what the share lies; everything where there are no runs.
pub(super) fn bounds(count: u64, of: u64) -> (f64, f64) {
    wilson(count, of, two_sided_z(LEVEL)).unwrap_or((0.0, 1.0))
}

/// What "hardly any" is for so many seeds: what all of them agreeing can show.
fn margin(seeds: u64) -> Option<f64> {
    MARGINS.into_iter().find(|margin| bounds(0, seeds).1 < *margin)
}

fn by_share(stuck: u64, of: u64) -> Verdict {
    let (low, high) = bounds(stuck, of);
    let told = margin(of);
    let margin = told.unwrap_or(MARGINS[1]);
    if high < margin {
        Verdict::Stable
    } else if low > 1.0 - margin {
        Verdict::Stuck
    } else if told.is_some() || (margin < low && high < 1.0 - margin) {
        Verdict::Probabilistic
    } else {
        Verdict::Undecided
    }
}

#[cfg(test)]
mod tests {
    use super::{Counted, Verdict};

    fn of(seeds: u64, ill: u64, fell: u64, stuck: u64, rising: u64) -> &'static str {
        Verdict::of(&Counted { seeds, ill, fell, stuck, rising, cut: 0 }).name()
    }

    #[test]
    fn each_verdict_by_its_rule() {
        assert_eq!(of(80, 0, 0, 0, 0), "stable");
        assert_eq!(of(80, 0, 0, 80, 0), "stuck");
        assert_eq!(of(80, 0, 0, 40, 0), "probabilistic");
        assert_eq!(of(80, 0, 0, 80, 80), "slow");
        assert_eq!(of(80, 0, 20, 60, 0), "spontaneous");
        assert_eq!(of(80, 80, 0, 0, 0), "overloaded");
        assert_eq!(Verdict::of(&Counted { seeds: 80, cut: 1, ..Counted::default() }), Verdict::Undecided);
    }

    /// The first that fits: what is overloaded is not spontaneous, what is spontaneous is not stuck.
    #[test]
    fn rules_go_in_their_order() {
        assert_eq!(of(80, 41, 39, 0, 0), "overloaded");
        assert_eq!(of(80, 40, 40, 0, 0), "spontaneous");
        assert_eq!(of(80, 0, 30, 50, 50), "spontaneous");
    }

    /// A Wilson bound at 95 % passes 5 % or 95 % from 73 seeds up, and 10 % or 90 % from 35.
    #[test]
    fn a_word_takes_seeds() {
        assert_eq!((of(73, 0, 0, 73, 0), of(73, 0, 0, 1, 0)), ("stuck", "probabilistic"));
        assert_eq!((of(72, 0, 0, 72, 0), of(72, 0, 0, 71, 0)), ("stuck", "stuck"));
        assert_eq!((of(35, 0, 0, 0, 0), of(34, 0, 0, 0, 0)), ("stable", "undecided"));
        assert_eq!((of(20, 0, 0, 10, 0), of(6, 0, 0, 3, 0)), ("probabilistic", "probabilistic"));
        assert_eq!((of(20, 0, 0, 1, 0), of(20, 0, 0, 20, 0)), ("undecided", "undecided"));
    }

    /// Of seeds that still rise nobody knows where they end; they only matter where that would change the word.
    #[test]
    fn rising_seeds_matter_where_they_decide() {
        assert_eq!(of(80, 0, 0, 40, 10), "probabilistic");
        assert_eq!(of(80, 0, 0, 40, 40), "slow");
        assert_eq!(of(80, 0, 0, 80, 1), "slow");
    }

    #[test]
    fn a_few_controls_that_fall_are_left_out() {
        assert_eq!(of(80, 0, 3, 77, 0), "stuck");
        assert_eq!(of(80, 2, 3, 0, 0), "stable");
    }

    #[test]
    fn only_what_is_stuck_is_confirmed() {
        assert_eq!(Verdict::Stuck.confirmed(true), Verdict::Metastable);
        assert_eq!(Verdict::Stuck.confirmed(false), Verdict::Stuck);
        assert_eq!(Verdict::Probabilistic.confirmed(true), Verdict::Probabilistic);
    }

    #[test]
    fn letters_and_names_tell_verdicts_apart() {
        for (place, verdict) in Verdict::ALL.into_iter().enumerate() {
            let others = || Verdict::ALL[..place].iter();
            assert!(others().all(|other| other.letter() != verdict.letter() && other.name() != verdict.name()));
        }
    }
}
