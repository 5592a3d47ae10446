//! Seeds, streams, and the draw itself.

use std::fmt;

use crate::{fingerprint, philox4x32_10};

/// The one number that repeats a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(pub u64);

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a draw is for. Each purpose has a stream of its own, so a new use of chance never shifts an old one.
///
/// A stream is a name; inside it is the name's [`fingerprint`] folded to 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stream(u32);

impl Stream {
    /// Which outcome an attempt meets. Key: the request; index: the attempt.
    pub const OUTCOME: Self = Self::named("outcome");
    /// How long the service takes. Key: the request; index: the attempt.
    pub const LATENCY: Self = Self::named("latency");
    /// How long a caller waits before its next try. Key: the request; index: the attempt that failed.
    pub const JITTER: Self = Self::named("jitter");
    /// How long a client pauses between two calls. Key: the call; index: 0.
    pub const THINK: Self = Self::named("think");
    /// When a closed client makes its first call. Key: the client; index: 0.
    pub const START: Self = Self::named("start");
    /// The luck of a cohort's arrivals, each within its name. Key and index: 0.
    pub const COHORT: Self = Self::named("cohort");
    /// When the next call of an open load comes, and whose it is. Key: the arrival; index: 0, or 1 for thinning.
    pub const ARRIVAL: Self = Self::named("arrival");
    /// How much work a request is. Key: the request; index: the attempt.
    pub const WORK: Self = Self::named("work");
    /// How long a request waits in a queue before it is dropped. Key: the request; index: the attempt.
    pub const PATIENCE: Self = Self::named("patience");
    /// How long an attempt is on its way to the service. Key: the request; index: the attempt.
    pub const CONNECT: Self = Self::named("connect");
    /// When a phase comes that comes by chance, within its name. Key: how often it came before; index: 0 until then, 1 for its length.
    pub const SCHEDULE: Self = Self::named("schedule");
    /// Whether a phase that is only partly on meets an attempt. Key: the request; index: the attempt.
    pub const PHASE: Self = Self::named("phase");
    /// Which key of a cache a request asks for, at index 0; whether it finds it fresh, at that of the attempt. Key: the request.
    pub const CACHE: Self = Self::named("cache");
    /// Whether a service that throttles its intake lets a request in. Key: the request; index: the attempt.
    pub const INTAKE: Self = Self::named("intake");
    /// Whether a caller that throttles itself sends an attempt. Key: the request; index: the attempt.
    pub const THROTTLE: Self = Self::named("throttle");
    /// When a caller that gave up comes back. Key: the call that failed; index: 0.
    pub const COME_BACK: Self = Self::named("come_back");

    /// When a phase holds in bursts, within its name. Key: how many came before; index: 0 until the next, 1 for its length.
    pub const BURST: Self = Self::named("burst");
    /// Which replica a request lands on. Key: what keeps requests together, at index 0; else the request, at that of the attempt.
    pub const REPLICA: Self = Self::named("replica");
    /// How much of a limit a request takes, within the limit's name. Key: the request; index: 0, so that a retry takes as much.
    pub const COST: Self = Self::named("cost");

    /// Which of several kinds of request a call makes. Key: the call; index: 0.
    pub const REQUEST: Self = Self::named("request");
    /// What a name in a request stands for, within the name. Key: the call; index: 0.
    pub const VALUE: Self = Self::named("value");

    /// The stream called `name`.
    #[must_use]
    pub const fn named(name: &str) -> Self {
        Self(fold(fingerprint(name.as_bytes())))
    }

    /// The part of this stream that belongs to `scope`: a route, a service, a cohort.
    ///
    /// Two scopes draw independently; the empty scope is the stream itself.
    ///
    /// ```
    /// # use brownout_draw::Stream;
    /// assert_eq!(Stream::OUTCOME.within(""), Stream::OUTCOME);
    /// assert_ne!(Stream::OUTCOME.within("GET /a"), Stream::OUTCOME.within("GET /b"));
    /// ```
    #[must_use]
    pub const fn within(self, scope: &str) -> Self {
        if scope.is_empty() {
            return self;
        }
        Self(self.0.rotate_left(7) ^ fold(fingerprint(scope.as_bytes())))
    }
}

/// A 64-bit FNV hash as 32 bits: both halves count, as its authors advise.
#[expect(clippy::cast_possible_truncation, reason = "the fold keeps both halves")]
const fn fold(hash: u64) -> u32 {
    ((hash >> 32) ^ hash) as u32
}

/// One draw, uniform over `u64`: a pure function of its four arguments, in constant time.
///
/// - `seed`: the run. `stream`: the purpose. `key`: the identity of the request or client. `index`: which
///   attempt of it, or which of its draws.
///
/// The algorithm is one block of [Philox4x32-10](philox4x32_10): the key is the seed, the counter is
/// `[key low, key high, index, stream]`, and the draw is the first two words of the block, low word first.
#[must_use]
#[inline]
pub const fn draw(seed: Seed, stream: Stream, key: u64, index: u32) -> u64 {
    draw_pair(seed, stream, key, index).0
}

/// Two independent draws for the price of one: the block behind [`draw`] holds both.
#[must_use]
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "a 64-bit number is split into its two words")]
pub const fn draw_pair(seed: Seed, stream: Stream, key: u64, index: u32) -> (u64, u64) {
    let counter = [key as u32, (key >> 32) as u32, index, stream.0];
    let block = philox4x32_10(counter, [seed.0 as u32, (seed.0 >> 32) as u32]);
    (block[0] as u64 | (block[1] as u64) << 32, block[2] as u64 | (block[3] as u64) << 32)
}

#[cfg(test)]
mod tests {
    use super::{Seed, Stream, draw, draw_pair};

    const BUILT_IN: [Stream; 21] = [
        Stream::REQUEST,
        Stream::VALUE,
        Stream::BURST,
        Stream::REPLICA,
        Stream::CACHE,
        Stream::INTAKE,
        Stream::OUTCOME,
        Stream::LATENCY,
        Stream::JITTER,
        Stream::THINK,
        Stream::ARRIVAL,
        Stream::WORK,
        Stream::PATIENCE,
        Stream::CONNECT,
        Stream::PHASE,
        Stream::THROTTLE,
        Stream::COME_BACK,
        Stream::COST,
        Stream::START,
        Stream::COHORT,
        Stream::SCHEDULE,
    ];

    fn sequence(seed: Seed, stream: Stream) -> Vec<u64> {
        (1..=1000).map(|key| draw(seed, stream, key, 1)).collect()
    }

    #[test]
    fn a_draw_is_the_documented_philox_block() {
        // Counter and key of all zeros need the stream whose number is zero.
        assert_eq!(draw(Seed(0), Stream(0), 0, 0), 0xe169_c58d_6627_e8d5);
        assert_eq!(draw(Seed(u64::MAX), Stream(u32::MAX), u64::MAX, u32::MAX), 0x41c8_3b0e_408f_276d);
        assert_eq!(draw_pair(Seed(0), Stream(0), 0, 0).1, 0x9b00_dbd8_bc57_ac4c);
    }

    #[test]
    fn same_seed_same_bytes_and_another_seed_other_bytes() {
        let first = sequence(Seed(42), Stream::OUTCOME);
        assert_eq!(first, sequence(Seed(42), Stream::OUTCOME));
        for (one, other) in first.iter().zip(sequence(Seed(43), Stream::OUTCOME)) {
            assert_ne!(*one, other);
        }
    }

    #[test]
    fn every_part_of_the_identity_matters() {
        let base = draw(Seed(1), Stream::OUTCOME, 1, 1);
        assert_ne!(base, draw(Seed(1 << 32), Stream::OUTCOME, 1, 1));
        assert_ne!(base, draw(Seed(1), Stream::LATENCY, 1, 1));
        assert_ne!(base, draw(Seed(1), Stream::OUTCOME, 1 << 32, 1));
        assert_ne!(base, draw(Seed(1), Stream::OUTCOME, 1, 2));
    }

    #[test]
    fn streams_are_told_apart() {
        for (position, stream) in BUILT_IN.iter().enumerate() {
            for other in &BUILT_IN[position + 1..] {
                assert_ne!(stream, other);
                assert_ne!(stream.within("GET /"), other.within("GET /"));
            }
        }
    }

    /// A seeded 30 % must come out mixed: never 0 %, never 100 %, whatever seed was picked.
    #[test]
    fn a_seeded_sequence_is_mixed() {
        let threshold = u64::MAX / 10 * 3;
        for seed in 0..100 {
            let hits = sequence(Seed(seed), Stream::OUTCOME).iter().filter(|draw| **draw < threshold).count();
            // 300 expected of 1000, standard deviation 14.5: five of them on either side.
            assert!((227..=373).contains(&hits), "seed {seed}: {hits} of 1000");
        }
    }

    #[test]
    fn neighbouring_streams_attempts_and_keys_do_not_echo_each_other() {
        let agreements = |other: &dyn Fn(u64) -> u64| {
            (1..=10_000).filter(|key| draw(Seed(9), Stream::OUTCOME, *key, 1) >> 63 == other(*key) >> 63).count()
        };
        let pairs: [&dyn Fn(u64) -> u64; 4] = [
            &|key| draw(Seed(10), Stream::OUTCOME, key, 1),
            &|key| draw(Seed(9), Stream::LATENCY, key, 1),
            &|key| draw(Seed(9), Stream::OUTCOME, key + 1, 1),
            &|key| draw(Seed(9), Stream::OUTCOME, key, 2),
        ];
        for pair in pairs {
            // 5000 expected, standard deviation 50.
            assert!((4750..=5250).contains(&agreements(pair)));
        }
    }
}
