//! Mutations without a fuzzer.

use brownout_draw::{Seed, Stream, draw};

/// How many changes one mutation makes at the most.
const CHANGES_MAX: u64 = 4;

/// The largest that comes out.
const BYTES_MAX: usize = 1 << 16;

/// What tends to matter to who reads it: brackets, borders, numbers at their limits, signs of both HTTPs.
const WORDS: [&[u8]; 22] = [
    b"",
    b"\0",
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\n",
    b"\r\n\r\n",
    b"%",
    b"%zz",
    b"=",
    b"-1",
    b"0",
    b"1e308",
    b"NaN",
    b"18446744073709551616",
    b"9999999999h",
    b"\xff\xfe",
    b"\xf0\x9f\x92\xa5",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"content-length: 5\r\n",
];

/// Inputs made of others, a pure function of a seed and a number.
#[derive(Clone, Copy, Debug)]
pub struct Mutator<'c> {
    /// What they are made of; not empty.
    pub corpus: &'c [Vec<u8>],
    /// Which of all that could be made.
    pub seed: Seed,
}

impl Mutator<'_> {
    /// The input of this number.
    ///
    /// # Panics
    /// When there is nothing to make it of.
    #[must_use]
    pub fn input(&self, number: u64) -> Vec<u8> {
        let mut drawn = 0..;
        // Whole numbers below `end`, one after another.
        let mut below = |end: usize| {
            let draw = draw(self.seed, Stream::named("mutation"), number, drawn.next().unwrap_or_default());
            usize::try_from(draw % (end.max(1) as u64)).unwrap_or_default()
        };
        let mut input = self.corpus[below(self.corpus.len())].clone();
        for _ in 0..=draw(self.seed, Stream::named("changes"), number, 0) % CHANGES_MAX {
            let at = below(input.len() + 1);
            let end = (at + 1 + below(8)).min(input.len());
            match below(6) {
                0 if at < input.len() => input[at] ^= 1 << below(8),
                1 => drop(input.drain(at..end)),
                2 => drop(input.splice(at..at, WORDS[below(WORDS.len())].iter().copied())),
                3 => drop(input.splice(at..end, WORDS[below(WORDS.len())].iter().copied())),
                4 => input.truncate(at),
                _ => {
                    let other = &self.corpus[below(self.corpus.len())];
                    let from = below(other.len() + 1);
                    let until = (from + 1 + below(64)).min(other.len());
                    drop(input.splice(at..at, other[from..until].iter().copied()));
                }
            }
        }
        input.truncate(BYTES_MAX);
        input
    }
}

#[cfg(test)]
mod tests {
    use super::Mutator;
    use brownout_draw::Seed;
    use std::collections::BTreeSet;

    #[test]
    fn the_seed_decides_and_mutations_differ() {
        let corpus = [b"GET / HTTP/1.1".to_vec(), b"[service]".to_vec()];
        let inputs =
            |seed| -> Vec<_> { (0..500).map(|n| Mutator { corpus: &corpus, seed: Seed(seed) }.input(n)).collect() };
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
        let distinct: BTreeSet<_> = inputs(1).into_iter().collect();
        assert!(distinct.len() > 300, "{}", distinct.len());
    }

    #[test]
    fn nothing_can_be_made_of_too() {
        let corpus = [Vec::new()];
        assert!((0..500).any(|number| !Mutator { corpus: &corpus, seed: Seed(1) }.input(number).is_empty()));
    }
}
