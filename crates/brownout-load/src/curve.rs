//! A rate that changes over time.

use std::time::Duration;

use brownout_draw::nanos;
use thiserror::Error;

use crate::Rate;

/// Levels and ramps of a rate, one after another, and how many calls they come to.
///
/// Λ(t), the calls that are due by t, turns one kind of time into another: where calls of rate 1 have come at u, calls of this
/// rate have come at Λ⁻¹(u), equally spaced ones as well as Poisson ones (the time change of a point process). Both are
/// in closed form here. Source: E. Çinlar, "Introduction to Stochastic Processes" (1975), section 4.7; L. Devroye,
/// "Non-Uniform Random Variate Generation" (1986), section VI.1.3.
///
/// ```
/// use std::time::Duration;
/// use brownout_load::{Curve, Segment};
///
/// let minute = Some(Duration::from_secs(60));
/// let curve = Curve::new(&[Segment { from: 10.0, to: 100.0, lasts: minute }, Segment { from: 100.0, to: 100.0, lasts: None }])?;
/// assert_eq!(curve.calls_by(Duration::from_secs(61)), 55.0 * 60.0 + 100.0);
/// # Ok::<(), brownout_load::CurveError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    pieces: Vec<Piece>,
}

/// A level of a rate, or a ramp.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// Calls a second where it begins: 0, or what a [`Rate`] may be.
    pub from: f64,
    /// Calls a second where it ends.
    pub to: f64,
    /// How long it lasts; `None` for ever, as only a level that is the last can.
    pub lasts: Option<Duration>,
}

/// A segment at its place.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    segment: Segment,
    start_ns: f64,
    end_ns: f64,
    /// The calls of all before it, and its own.
    before: f64,
    calls: f64,
}

/// Why segments are no curve. Each message names the rule and the way out; segments count from 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CurveError {
    /// None, or too many.
    #[error("a rate that changes has 1 to {max} segments, found {0}", max = Curve::SEGMENTS_MAX)]
    Segments(usize),
    /// No rate at all.
    #[error("segment {0} has a rate that is neither 0 nor from 0.0000001 to 10000000 a second; change it")]
    Rate(usize),
    /// A segment without a length.
    #[error("segment {0} lasts no time; give it some, or drop it")]
    Instant(usize),
    /// A segment without an end before others, or a ramp without one.
    #[error("segment {0} has no end, as only a level that is the last may; give it `for`")]
    NoEnd(usize),
    /// A pause without an end.
    #[error(
        "segment {0} is a pause for ever, so the load is over before it; drop it, or give it `for` and a rate after it"
    )]
    Pause(usize),
    /// Calls that never come.
    #[error("the rate is 0 all the time, so no call would ever come; give a segment a rate")]
    Nothing,
}

impl Segment {
    fn is_level(&self) -> bool {
        self.from.total_cmp(&self.to).is_eq()
    }
}

impl CurveError {
    /// Which segment it is about, from 1.
    #[must_use]
    pub const fn segment(&self) -> Option<usize> {
        match self {
            Self::Segments(_) | Self::Nothing => None,
            Self::Rate(number) | Self::Instant(number) | Self::NoEnd(number) | Self::Pause(number) => Some(*number),
        }
    }
}

impl Curve {
    /// The most segments.
    pub const SEGMENTS_MAX: usize = 1000;

    /// These segments, one after another.
    ///
    /// # Errors
    /// When one of them is out of bounds, or no call would ever come.
    pub fn new(segments: &[Segment]) -> Result<Self, CurveError> {
        if segments.is_empty() || segments.len() > Self::SEGMENTS_MAX {
            return Err(CurveError::Segments(segments.len()));
        }
        let (mut pieces, mut start, mut before) = (Vec::with_capacity(segments.len()), Duration::ZERO, 0.0);
        for (number, segment) in (1..).zip(segments) {
            let is_rate = |rate: f64| rate.total_cmp(&0.0).is_eq() || Rate::per_second(rate).is_some();
            if !is_rate(segment.from) || !is_rate(segment.to) {
                return Err(CurveError::Rate(number));
            }
            if segment.lasts.is_some_and(|lasts| lasts.is_zero()) {
                return Err(CurveError::Instant(number));
            }
            if segment.lasts.is_none() && (number < segments.len() || !segment.is_level()) {
                return Err(CurveError::NoEnd(number));
            }
            if segment.lasts.is_none() && segment.from <= 0.0 && number > 1 {
                return Err(CurveError::Pause(number));
            }
            let end = segment.lasts.map(|lasts| start.saturating_add(lasts));
            let mean = segment.from.midpoint(segment.to);
            let calls = segment.lasts.map_or(f64::INFINITY, |lasts| mean * lasts.as_secs_f64());
            let end_ns = end.map_or(f64::INFINITY, float);
            pieces.push(Piece { segment: *segment, start_ns: float(start), end_ns, before, calls });
            (start, before) = (end.unwrap_or(Duration::MAX), before + calls);
        }
        if pieces.iter().all(|piece| piece.segment.from <= 0.0 && piece.segment.to <= 0.0) {
            return Err(CurveError::Nothing);
        }
        Ok(Self { pieces })
    }

    /// Its segments in order.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.pieces.iter().map(|piece| &piece.segment)
    }

    /// When it ends; `None` for never.
    #[must_use]
    pub fn ends(&self) -> Option<Duration> {
        self.segments().map(|segment| segment.lasts).try_fold(Duration::ZERO, |sum, lasts| sum.checked_add(lasts?))
    }

    /// The highest rate of all.
    #[must_use]
    pub fn rate_max(&self) -> Rate {
        let highest = self.segments().map(|segment| segment.from.max(segment.to)).fold(0.0, f64::max);
        Rate::per_second(highest).expect("some rate of a curve is above 0")
    }

    /// Λ: how many calls come before `at`, on the mean.
    #[must_use]
    pub fn calls_by(&self, at: Duration) -> f64 {
        let at = float(at);
        let piece = self.pieces.iter().rfind(|piece| piece.start_ns <= at).expect("the first begins at 0");
        piece.before + piece.calls_after((at.min(piece.end_ns) - piece.start_ns) / 1e9)
    }

    /// Λ⁻¹: when so many `calls` have come, in nanoseconds; `None` for never. Of a stretch of time in which none come, its end.
    ///
    /// - `piece`: where to look from; left where it was found. Who asks for ever more of them passes no piece twice.
    pub(crate) fn moment(&self, calls: f64, piece: &mut usize) -> Option<f64> {
        loop {
            let moment = self.pieces.get(*piece)?.moment(calls);
            if moment.is_some() {
                return moment;
            }
            *piece += 1;
        }
    }
}

impl Piece {
    /// What the rate rises by in a second.
    fn slope(&self) -> f64 {
        let Segment { from, to, lasts } = self.segment;
        lasts.map_or(0.0, |lasts| (to - from) / lasts.as_secs_f64())
    }

    /// How many calls come in its first `seconds`.
    fn calls_after(&self, seconds: f64) -> f64 {
        (self.segment.from + 0.5 * self.slope() * seconds) * seconds
    }

    /// When so many calls, of all from the first piece on, have come, if that is before its end.
    fn moment(&self, calls: f64) -> Option<f64> {
        let own = (calls - self.before).max(0.0);
        if own >= self.calls {
            return None;
        }
        let at = self.start_ns + self.ns_until(own);
        // What would be rounded to its end belongs to what begins there.
        (at + 0.5 < self.end_ns).then_some(at)
    }

    /// How long it takes from its start to so many calls, fewer than it has.
    fn ns_until(&self, calls: f64) -> f64 {
        let from = self.segment.from;
        if self.segment.is_level() {
            return calls * (1e9 / from);
        }
        if calls <= 0.0 {
            return 0.0;
        }
        // The root of slope/2 t² + from t = calls, in the form in which nothing cancels.
        let root = (from * from + 2.0 * self.slope() * calls).max(0.0).sqrt();
        2e9 * calls / (from + root)
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 104 days")]
fn float(at: Duration) -> f64 {
    nanos(at) as f64
}

#[cfg(test)]
mod tests {
    use super::{Curve, CurveError, Segment};
    use proptest::prelude::*;
    use std::time::Duration;

    const fn ramp(from: f64, to: f64, seconds: u64) -> Segment {
        Segment { from, to, lasts: Some(Duration::from_secs(seconds)) }
    }

    const fn forever(rate: f64) -> Segment {
        Segment { from: rate, to: rate, lasts: None }
    }

    /// Λ by the trapezoidal rule, which is exact for what is linear between its points: here every second.
    fn counted(segments: &[Segment], until: u64) -> f64 {
        let mut seconds = segments.iter().flat_map(|segment| {
            let lasts = segment.lasts.map_or(1_000_000, |lasts| lasts.as_secs());
            let rate = move |at: u64| segment.from + (segment.to - segment.from) * at as f64 / lasts as f64;
            (0..lasts).map(move |at| (rate(at) + rate(at + 1)) / 2.0)
        });
        (0..until).map_while(|_| seconds.next()).sum()
    }

    #[test]
    fn calls_are_the_integral_of_the_rate() {
        let segments =
            [ramp(10.0, 10.0, 30), ramp(10.0, 100.0, 60), ramp(0.0, 0.0, 10), ramp(50.0, 0.0, 20), forever(7.0)];
        let curve = Curve::new(&segments).unwrap();
        for until in [0, 1, 30, 31, 60, 90, 95, 100, 110, 120, 500] {
            let (found, expected) = (curve.calls_by(Duration::from_secs(until)), counted(&segments, until));
            assert!((found - expected).abs() < 1e-9 * expected.max(1.0), "{until} s: {found} for {expected}");
        }
        assert_eq!((curve.ends(), curve.rate_max().get().to_string()), (None, "100".to_owned()));
        assert_eq!(Curve::new(&segments[..4]).unwrap().ends(), Some(Duration::from_secs(120)));
    }

    #[test]
    fn in_a_pause_nothing_is_due() {
        let curve =
            Curve::new(&[ramp(0.0, 0.0, 5), ramp(1.0, 1.0, 10), ramp(0.0, 0.0, 10), ramp(1.0, 1.0, 2)]).unwrap();
        let moments: Vec<_> = (0..13).map(|calls| curve.moment(f64::from(calls), &mut 0)).collect();
        let seconds = |at: f64| Some(at * 1e9);
        assert_eq!(
            (moments[0], moments[9], moments[10], moments[11]),
            (seconds(5.0), seconds(14.0), seconds(25.0), seconds(26.0))
        );
        assert_eq!(moments[12], None);
    }

    #[test]
    fn what_is_no_curve_is_refused() {
        let refused = |segments: &[Segment], error| assert_eq!(Curve::new(segments), Err(error));
        refused(&[], CurveError::Segments(0));
        refused(&[ramp(1.0, 1.0, 1); 1001], CurveError::Segments(1001));
        refused(&[ramp(1.0, -1.0, 1)], CurveError::Rate(1));
        refused(&[ramp(1.0, 1.0, 1), ramp(f64::NAN, 1.0, 1)], CurveError::Rate(2));
        refused(&[ramp(1.0, 2.0, 0)], CurveError::Instant(1));
        refused(&[forever(1.0), ramp(1.0, 2.0, 1)], CurveError::NoEnd(1));
        refused(&[Segment { lasts: None, ..ramp(1.0, 2.0, 1) }], CurveError::NoEnd(1));
        refused(&[ramp(1.0, 1.0, 1), forever(0.0)], CurveError::Pause(2));
        refused(&[ramp(0.0, 0.0, 1)], CurveError::Nothing);
        refused(&[forever(0.0)], CurveError::Nothing);
    }

    fn rate() -> impl Strategy<Value = f64> {
        prop_oneof![Just(0.0), 0.01..10_000.0]
    }

    proptest! {
        #[test]
        fn a_moment_is_when_so_many_calls_have_come_and_later_for_more(
            segments in prop::collection::vec((rate(), rate(), 1_u64..1000), 1..8), mut shares in prop::collection::vec(0.0..1.0, 1..50),
        ) {
            let segments: Vec<_> = segments.into_iter().map(|(from, to, seconds)| ramp(from, to, seconds)).collect();
            let Ok(curve) = Curve::new(&segments) else { return Ok(()) };
            let end = curve.ends().unwrap();
            let all = curve.calls_by(end);
            shares.sort_by(f64::total_cmp);
            let (mut piece, mut last) = (0, 0.0);
            for share in shares {
                let calls = share * all;
                let Some(at) = curve.moment(calls, &mut piece) else { continue };
                prop_assert!(last <= at && at < end.as_secs_f64() * 1e9, "{} after {}", at, last);
                last = at;
                // Moments are rounded to the nanosecond, in which the highest rate makes 10^-5 calls.
                let found = curve.calls_by(Duration::from_secs_f64(at / 1e9));
                prop_assert!((found - calls).abs() < 2e-5 + 1e-9 * all, "{} for {}", found, calls);
            }
        }
    }
}
