//! What became of one seed.

use serde::{Deserialize, Serialize};

use super::windows::{Counts, Ease, IN_A_ROW, first_well, last_well};
use crate::statistics::mann_kendall;

/// What became of one seed: whole numbers, so that what is kept in a file and read again is the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What became of the run without the trigger.
    pub control: Control,
    /// Windows from the first whole one after the trigger to the recovery. `None` is not by the end of the observation.
    pub recovered: Option<u32>,
    /// How strongly goodput still rose in the second half of the observation, in thousandths of the score of the test of Mann
    /// and Kendall. 0 for a seed that recovered.
    pub rise: i64,
    /// Calls that ended well after the trigger, in the second half of the observation, in both arms: with the trigger, and
    /// without. Both 0 for a seed that recovered.
    pub late: (u64, u64),
    /// Calls that ended well without the trigger and did not with it, from its start to the recovery or the end.
    pub lost: u64,
    /// Why a run of either arm was cut short.
    pub cut: Option<String>,
}

/// What became of a run without the trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// As good at the end as it ever was.
    Healthy,
    /// It was healthy and fell over by itself.
    Fell {
        /// The window in which it did.
        window: u32,
    },
    /// It never had five windows in a row with nine tenths of what callers come to at ease.
    Ill,
}

/// Windows at the end without five good ones in a row that make a fall: a tenth of the run, and ten at least.
const TAIL_PARTS: usize = 10;

/// What the second half of an observation is cut into where a trend is looked for: so long that a block hardly hangs on the one
/// before it.
const BLOCKS: usize = 20;

impl Control {
    pub(super) fn of(counts: &[Counts], ease: Ease) -> Self {
        let windows = counts.len();
        // Where nobody ever succeeds, nothing is healthy about having no more than that.
        if ease.success <= 0.0 {
            return Self::Ill;
        }
        match last_well(windows, |index| counts[index].has_goodput(ease)) {
            None => Self::Ill,
            Some(end) if windows - end >= (windows / TAIL_PARTS).max(2 * IN_A_ROW) => Self::Fell { window: whole(end) },
            Some(_) => Self::Healthy,
        }
    }
}

/// The first window, counted from `first`, from which on five in a row are as good as those of the control.
pub(super) fn recovered(control: &[Counts], arm: &[Counts], first: usize) -> Option<u32> {
    let windows = arm.len().min(control.len());
    first_well(windows, first, |index| arm[index].is_well_beside(&control[index])).map(|index| whole(index - first))
}

impl Outcome {
    /// - `began`: the window in which the trigger begins; `first`: the first after it.
    pub(super) fn of(control: &[Counts], arm: &[Counts], ease: Ease, (began, first): (usize, usize)) -> Self {
        let recovered = recovered(control, arm, first);
        let until = recovered.map_or(arm.len(), |after| first + after as usize).min(control.len());
        let lost = |index: usize| u64::from(control[index].succeeded).saturating_sub(u64::from(arm[index].succeeded));
        let middle = first + arm.len().saturating_sub(first) / 2;
        let late = |counts: &[Counts]| counts[middle..].iter().map(|window| u64::from(window.succeeded)).sum();
        let stuck = recovered.is_none();
        Self {
            control: Control::of(control, ease),
            recovered,
            rise: if stuck { rise(&arm[middle..]) } else { 0 },
            late: if stuck { (late(arm), late(&control[..arm.len().min(control.len())])) } else { (0, 0) },
            lost: (began..until).map(lost).sum(),
            cut: None,
        }
    }
}

/// The score of a trend in goodput, in thousandths.
#[expect(clippy::cast_possible_truncation, reason = "at most some thousands")]
fn rise(counts: &[Counts]) -> i64 {
    let length = counts.len().div_ceil(BLOCKS).max(1);
    let blocks: Vec<f64> =
        counts.chunks_exact(length).map(|block| block.iter().map(|window| f64::from(window.succeeded)).sum()).collect();
    libm::round(mann_kendall(&blocks) * 1000.0) as i64
}

fn whole(windows: usize) -> u32 {
    u32::try_from(windows).unwrap_or(u32::MAX)
}
