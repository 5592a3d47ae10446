//! A cache in front of what a service calls.

use std::num::NonZeroU32;
use std::time::Duration;

use brownout_draw::{Probability, Seed, Stream, draw_pair, unit};

use crate::{Identity, Phase};

/// Answers that a service has at hand, so that it need not call those behind it.
///
/// A request asks for one of `keys`, all equally often. It is a hit where the key is held and has not expired; a share `hits`
/// of the requests for keys that are held finds them so. After a miss the key is held once the calls behind have succeeded while
/// the caller still waits: who fails, or is late, fills nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cache {
    /// How many keys there are.
    pub keys: NonZeroU32,
    /// The share of hits of a full cache.
    pub hits: Probability,
    /// Over how many nodes the keys are spread, evenly.
    pub nodes: NonZeroU32,
    /// Whether it holds nothing at the start, rather than everything.
    pub cold: bool,
}

/// What a cache holds at a time.
#[derive(Clone, Debug)]
pub struct Held {
    rule: Cache,
    /// A bit for each key.
    bits: Vec<u64>,
    /// How many phases have taken nodes away by now.
    lost: usize,
}

impl Held {
    /// What `rule` begins with.
    #[must_use]
    pub fn new(rule: Cache) -> Self {
        let words = (rule.keys.get() as usize).div_ceil(64);
        Self { rule, bits: vec![if rule.cold { 0 } else { u64::MAX }; words], lost: 0 }
    }

    /// Whether the request of `identity` is a hit at `elapsed`. `phases` are those of the service, and time does not go back.
    pub fn is_hit(&mut self, seed: Seed, identity: Identity, elapsed: Duration, phases: &[Phase]) -> bool {
        self.lose(elapsed, phases);
        let (key, luck) = self.key(seed, identity);
        self.bits[key / 64] >> (key % 64) & 1 == 1 && unit(luck) < self.rule.hits.as_f64()
    }

    /// The calls behind have brought what the request of `identity` asked for.
    pub fn fill(&mut self, seed: Seed, identity: Identity) {
        let (key, _) = self.key(seed, identity);
        self.bits[key / 64] |= 1 << (key % 64);
    }

    /// The key that a request asks for, at every attempt, and the luck of this one.
    fn key(&self, seed: Seed, Identity { request, attempt }: Identity) -> (usize, u64) {
        let (key, _) = draw_pair(seed, Stream::CACHE, request, 0);
        let (luck, _) = draw_pair(seed, Stream::CACHE, request, attempt.get());
        let keys = u128::from(self.rule.keys.get());
        (usize::try_from((u128::from(key) * keys) >> 64).unwrap_or(0), luck)
    }

    /// Empties the nodes that phases have taken away since the last look: of each, as many as it says, from the first on.
    fn lose(&mut self, elapsed: Duration, phases: &[Phase]) {
        let losses = || phases.iter().filter(|phase| phase.factors.cache_lost > 0 && phase.window.from <= elapsed);
        let count = losses().count();
        if count == self.lost {
            return;
        }
        let nodes = losses().map(|phase| phase.factors.cache_lost).max().unwrap_or(0);
        self.lost = count;
        for key in (0..self.rule.keys.get()).filter(|key| *key % self.rule.nodes < nodes) {
            self.bits[key as usize / 64] &= !(1 << (key % 64));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cache, Held};
    use crate::{Change, Factors, Identity, Only, Phase, Ramp, Window};
    use brownout_draw::Seed;
    use std::num::NonZeroU32;
    use std::time::Duration;

    const SECS: fn(u64) -> Duration = Duration::from_secs;

    fn rule(cold: bool) -> Cache {
        let count = |count| NonZeroU32::new(count).unwrap();
        Cache { keys: count(1000), hits: "0.9".parse().unwrap(), nodes: count(4), cold }
    }

    fn loss() -> Phase {
        Phase {
            name: "node lost".to_owned(),
            window: Window { from: SECS(10), until: Some(SECS(11)) },
            ramp: Ramp::default(),
            change: Change::default(),
            factors: Factors { cache_lost: 1, ..Factors::default() },
            only: Only::default(),
        }
    }

    /// Hits in a thousand, of 20,000 requests at a time.
    fn hits(held: &mut Held, at: u64) -> usize {
        let hit = |request: &u64| held.is_hit(Seed(1), Identity::first(*request), SECS(at), &[loss()]);
        (0..20_000).filter(hit).count() / 20
    }

    #[test]
    fn a_node_that_is_lost_takes_its_share_and_is_refilled_by_what_succeeds() {
        let mut held = Held::new(rule(false));
        assert!(hits(&mut held, 0).abs_diff(900) < 12);
        // A quarter of the keys is gone: 0.75 × 0.9.
        assert!(hits(&mut held, 10).abs_diff(675) < 18);
        assert!(hits(&mut held, 20).abs_diff(675) < 18, "it comes back by itself");
        (0..20_000).for_each(|request| held.fill(Seed(1), Identity::first(request)));
        assert!(hits(&mut held, 21).abs_diff(900) < 12);
    }

    #[test]
    fn a_cold_cache_holds_what_was_filled() {
        let mut held = Held::new(rule(true));
        assert_eq!(hits(&mut held, 0), 0);
        held.fill(Seed(1), Identity::first(7));
        let again = (1..=100).filter(|attempt| {
            let identity = Identity { request: 7, attempt: NonZeroU32::new(*attempt).unwrap() };
            held.is_hit(Seed(1), identity, SECS(0), &[])
        });
        // A request asks for the same key at every attempt; nine in ten find it fresh.
        assert!(again.count() > 75);
    }
}
