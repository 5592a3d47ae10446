//! Seeds of several runs.

use std::collections::BTreeSet;
use std::str::FromStr;

use brownout_draw::Seed;

/// Seeds in the order in which they were named, one at least, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seeds(Vec<Seed>);

/// Nobody waits for more runs of a command.
const SEEDS_MAX: usize = 10_000;

impl Seeds {
    /// How many.
    pub(super) const fn count(&self) -> usize {
        self.0.len()
    }

    /// In their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Seed> {
        self.0.iter().copied()
    }
}

/// Reads `1..5`, both ends included, `1,4,7`, or several of either.
impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut seeds = Vec::new();
        for part in text.split(',') {
            let [first, last] = ends(part.trim())?;
            if last - first >= (SEEDS_MAX - seeds.len()) as u64 {
                return Err(format!("there are at most {SEEDS_MAX} seeds, found more in `{text}`; name fewer"));
            }
            seeds.extend((first..=last).map(Seed));
        }
        let mut named = BTreeSet::new();
        match seeds.iter().find(|seed| !named.insert(seed.0)) {
            Some(twice) => {
                Err(format!("seed {twice} is named twice in `{text}`, and would be the same luck again; name it once"))
            }
            None => Ok(Self(seeds)),
        }
    }
}

/// The first and the last seed of a range, or one seed as both.
fn ends(part: &str) -> Result<[u64; 2], String> {
    let refused = |_| format!("seeds are numbers and ranges, as 1,4,7 or 1..5 with both ends, found `{part}`");
    let number = |text: &str| text.trim().parse::<u64>().map_err(refused);
    let Some((first, last)) = part.split_once("..") else { return Ok([number(part)?; 2]) };
    let (first, last) = (number(first)?, number(last)?);
    if last < first {
        return Err(format!("a range of seeds goes upwards, found `{part}`; write {last}..{first}"));
    }
    Ok([first, last])
}

#[cfg(test)]
mod tests {
    use super::Seeds;
    use brownout_draw::Seed;

    #[test]
    fn seeds_are_ranges_with_both_ends_and_lists() {
        let read = |text: &str| text.parse::<Seeds>().unwrap().iter().map(|Seed(seed)| seed).collect::<Vec<_>>();
        assert_eq!(read("1..5"), [1, 2, 3, 4, 5]);
        assert_eq!(read("7"), [7]);
        assert_eq!(read("9, 2..3,18446744073709551615"), [9, 2, 3, u64::MAX]);
        assert_eq!("0..9999".parse::<Seeds>().unwrap().count(), 10_000);
    }

    #[test]
    fn what_are_no_seeds_is_refused_with_the_way_out() {
        for (text, part) in [
            ("", "found ``"),
            ("1,", "found ``"),
            ("one", "found `one`"),
            ("-1", "found `-1`"),
            ("1..", "found `1..`"),
            ("1..=5", "as 1,4,7 or 1..5 with both ends, found `1..=5`"),
            ("5..1", "write 1..5"),
            ("1..3,2", "seed 2 is named twice"),
            ("0..10000", "at most 10000 seeds"),
            ("1..9999,0,10000", "at most 10000 seeds"),
            ("0..18446744073709551615", "at most 10000 seeds"),
        ] {
            let error = text.parse::<Seeds>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
