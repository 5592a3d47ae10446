//! From numbers to places in a picture, and round numbers to mark.

/// Where the numbers between two ends lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
    logarithmic: bool,
}

impl Scale {
    /// Equal differences lie equally far apart.
    pub(super) fn linear((from, to): (f64, f64), (start, end): (f64, f64)) -> Self {
        // Of a scale without an extent everything lies at its start.
        let to = if to > from { to } else { from + 1.0 };
        Self { from, to, start, end, logarithmic: false }
    }

    /// Equal ratios lie equally far apart. Both ends are above 0.
    pub(super) fn logarithmic((from, to): (f64, f64), (start, end): (f64, f64)) -> Self {
        let to = if to > from { to } else { 10.0 * from };
        Self { from, to, start, end, logarithmic: true }
    }

    /// Where `number` lies; what is beyond an end lies there.
    pub(super) fn place(&self, number: f64) -> f64 {
        let number = number.clamp(self.from, self.to);
        let share = if self.logarithmic {
            libm::log(number / self.from) / libm::log(self.to / self.from)
        } else {
            (number - self.from) / (self.to - self.from)
        };
        self.start + share * (self.end - self.start)
    }

    /// Round numbers on it, about `count` of them or fewer.
    pub(super) fn ticks(&self, count: usize) -> Vec<f64> {
        if self.logarithmic {
            self.powers(count)
        } else {
            multiples(self.from, self.to, round_step(self.to - self.from, count))
        }
    }

    /// Powers of ten; with room for them, 2 and 5 between.
    fn powers(&self, count: usize) -> Vec<f64> {
        let (low, high) = (libm::floor(libm::log10(self.from)), libm::ceil(libm::log10(self.to)));
        let decades = whole(high - low);
        let room = count as f64 >= 3.0 * libm::log10(self.to / self.from);
        let steps: &[f64] = if room { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let every = decades.div_ceil(count.max(1)).max(1);
        let powers = (0..=decades).step_by(every).map(|power| libm::exp10(low + power as f64));
        let all = powers.flat_map(|power| steps.iter().map(move |step| power * step));
        // A hair of slack: a power of ten is no exact number.
        all.filter(|tick| self.from <= tick * (1.0 + 1e-9) && *tick <= self.to * (1.0 + 1e-9)).collect()
    }
}

/// The least of 1, 2 and 5 times a power of ten of which at most `count` fit into `span`.
pub(super) fn round_step(span: f64, count: usize) -> f64 {
    let least = span / count.max(1) as f64;
    let power = libm::exp10(libm::floor(libm::log10(least)));
    let step = [1.0, 2.0, 5.0].into_iter().find(|step| step * power >= least * (1.0 - 1e-9));
    step.unwrap_or(10.0) * power
}

/// The multiples of `step` between two ends, both included.
pub(super) fn multiples(from: f64, to: f64, step: f64) -> Vec<f64> {
    let (first, last) = (libm::ceil(from / step - 1e-9), libm::floor(to / step + 1e-9));
    (0..=whole(last - first)).map(|number| (first + number as f64) * step).collect()
}

/// A time in seconds that clocks have, of which at most `count` fit into `span`.
pub(super) fn time_step(span: f64, count: usize) -> f64 {
    const STEPS: [f64; 16] =
        [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0, 21600.0];
    let least = span / count.max(1) as f64;
    if least < 1.0 {
        return round_step(span, count);
    }
    let long = || 43200.0 * libm::exp2(libm::ceil(libm::log2(least / 43200.0)).max(0.0));
    STEPS.into_iter().find(|step| *step >= least).unwrap_or_else(long)
}

/// A number of steps, none for less.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some dozens at the most")]
fn whole(number: f64) -> usize {
    number.clamp(0.0, 1000.0) as usize
}

/// Moves places apart until each is `gap` from the next, in their order, all of them between `least` and `most` if there is room.
pub(super) fn spread(places: &[f64], gap: f64, (least, most): (f64, f64)) -> Vec<f64> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    // Of equal ones the last comes first: it is above the others.
    order.sort_by(|one, other| places[*one].total_cmp(&places[*other]).then(other.cmp(one)));
    let mut moved = places.to_vec();
    let mut last = f64::NEG_INFINITY;
    for &index in &order {
        moved[index] = moved[index].max(last + gap).max(least);
        last = moved[index];
    }
    let mut next = f64::INFINITY;
    for &index in order.iter().rev() {
        moved[index] = moved[index].min(next - gap).min(most);
        next = moved[index];
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::{Scale, multiples, round_step, spread, time_step};

    fn shown(numbers: &[f64]) -> String {
        numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn numbers_lie_in_proportion() {
        let scale = Scale::linear((0.0, 10.0), (100.0, 0.0));
        assert_eq!(shown(&[0.0, 2.5, 10.0, 11.0, -1.0].map(|number| scale.place(number))), "100 75 0 0 100");
        let scale = Scale::logarithmic((1.0, 1000.0), (0.0, 300.0));
        let places = [1.0, 10.0, 100.0, 1000.0, 0.0].map(|number| scale.place(number).round());
        assert_eq!(shown(&places), "0 100 200 300 0");
        let flat = Scale::linear((5.0, 5.0), (0.0, 100.0)).place(5.0);
        assert!(flat.is_finite(), "{flat}");
    }

    #[test]
    fn ticks_are_round_and_few() {
        let steps =
            [(1.0, 5), (0.7, 5), (320.0, 5), (1_000.0, 4), (99.0, 5)].map(|(span, count)| round_step(span, count));
        assert_eq!(shown(&steps), "0.2 0.2 100 500 20");
        assert_eq!(multiples(0.0, 350.0, 100.0), [0.0, 100.0, 200.0, 300.0]);
        assert_eq!(multiples(-0.5, 0.5, 0.5), [-0.5, 0.0, 0.5]);
        for top in 1..2000_u32 {
            let ticks = Scale::linear((0.0, f64::from(top)), (0.0, 1.0)).ticks(5);
            assert!((3..=6).contains(&ticks.len()), "{top}: {ticks:?}");
        }
    }

    #[test]
    fn ticks_of_ratios_are_powers_of_ten() {
        let ticks = |from, to, count| Scale::logarithmic((from, to), (0.0, 1.0)).ticks(count);
        assert_eq!(ticks(1.0, 1000.0, 6), [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(ticks(20.0, 300.0, 9), [20.0, 50.0, 100.0, 200.0]);
        assert!(ticks(0.001, 1e9, 6).len() <= 7);
    }

    #[test]
    fn times_are_marked_as_on_clocks() {
        let steps = [(90.0, 8), (60.0, 6), (600.0, 6), (3600.0, 6), (86_400.0, 6), (0.5, 5), (1e6, 6)];
        assert_eq!(shown(&steps.map(|(span, count)| time_step(span, count))), "20 10 120 600 14400 0.1 172800");
    }

    #[test]
    fn labels_do_not_lie_on_each_other() {
        assert_eq!(spread(&[10.0, 50.0], 12.0, (0.0, 100.0)), [10.0, 50.0]);
        assert_eq!(spread(&[10.0, 10.0, 11.0], 12.0, (0.0, 100.0)), [22.0, 10.0, 34.0]);
        assert_eq!(spread(&[99.0, 100.0], 12.0, (0.0, 100.0)), [88.0, 100.0]);
        assert_eq!(spread(&[100.0, 98.0, 99.0], 12.0, (0.0, 100.0)), [100.0, 76.0, 88.0]);
    }
}
