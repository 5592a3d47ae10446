//! Which of several alike a request lands on.

use std::num::NonZeroU32;

use brownout_draw::{Seed, Stream, draw};

use crate::{Identity, Service};

/// A service as several alike, so that some of them can be bad while the others are not. What it does at once, and what limits
/// let through, is of all together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replicas {
    /// How many there are.
    pub count: NonZeroU32,
    /// What keeps requests together.
    pub sticky: Sticky,
}

/// What requests have in common that land on one replica.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sticky {
    /// Nothing: each attempt is drawn anew.
    #[default]
    Nothing,
    /// The connection that they come by: in virtual time each client has one; over HTTP they are counted from 0 as they are
    /// accepted.
    Connection,
    /// The client: in virtual time its number; over HTTP the header `x-brownout-client`, else the address.
    Client,
    /// The peer's address; in virtual time all have one, that of loopback.
    Address,
    /// The value of this header; those without it are drawn anew.
    Header(String),
}

/// An attempt at a service, and the replica that it lands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Landed {
    /// Whose it is.
    pub identity: Identity,
    /// Which replica, from 1; `None` where there are none.
    pub replica: Option<NonZeroU32>,
}

impl Sticky {
    /// The address that all clients of virtual time come from.
    pub const LOOPBACK: &'static str = "127.0.0.1";
}

impl Replicas {
    /// Which of them attempt `identity` lands on.
    ///
    /// - `key`: what its caller has in common with others; `None` for nothing.
    #[must_use]
    pub fn of(&self, seed: Seed, identity: Identity, key: Option<u64>) -> NonZeroU32 {
        // An attempt has a number from 1, so that no key is ever drawn for as one.
        let (key, index) = key.map_or((identity.request, identity.attempt.get()), |key| (key, 0));
        let drawn = u128::from(draw(seed, Stream::REPLICA, key, index));
        let place = (drawn * u128::from(self.count.get())) >> 64;
        u32::try_from(place).map_or(self.count, |place| NonZeroU32::MIN.saturating_add(place))
    }
}

impl Service {
    /// Attempt `identity`, where it lands.
    ///
    /// - `key`: what the caller has in common with others who land where it does; not asked where nothing matters.
    #[must_use]
    pub fn land(&self, seed: Seed, identity: Identity, key: impl FnOnce(&Sticky) -> Option<u64>) -> Landed {
        let replica = self.replicas().map(|replicas| {
            let key = if replicas.sticky == Sticky::Nothing { None } else { key(&replicas.sticky) };
            replicas.of(seed, identity, key)
        });
        Landed { identity, replica }
    }
}

impl From<Identity> for Landed {
    fn from(identity: Identity) -> Self {
        Self { identity, replica: None }
    }
}

#[cfg(test)]
mod tests {
    use super::{Replicas, Sticky};
    use crate::Identity;
    use brownout_draw::Seed;
    use std::num::NonZeroU32;

    fn five() -> Replicas {
        Replicas { count: NonZeroU32::new(5).unwrap(), sticky: Sticky::Nothing }
    }

    fn attempt(request: u64, attempt: u32) -> Identity {
        Identity { request, attempt: NonZeroU32::new(attempt).unwrap() }
    }

    #[test]
    fn each_replica_gets_its_share_and_retries_are_drawn_anew() {
        let mut counts = [0_u32; 5];
        let mut same = 0;
        for request in 1..=10_000 {
            let [first, second] = [1, 2].map(|number| five().of(Seed(3), attempt(request, number), None).get());
            counts[first as usize - 1] += 1;
            same += u32::from(first == second);
        }
        // 2000 expected of each, and of those who meet theirs again; the standard deviation is 40.
        assert!(counts.iter().chain([&same]).all(|count| count.abs_diff(2000) < 200), "{counts:?} {same}");
    }

    #[test]
    fn what_is_kept_together_stays_so_and_the_seed_decides_where() {
        let of = |seed, request, number, key| five().of(Seed(seed), attempt(request, number), Some(key)).get();
        let places = |seed| (0..100).map(|key| of(seed, 1, 1, key)).collect::<Vec<_>>();
        assert_eq!(places(1), (0..100).map(|key| of(1, 77, 4, key)).collect::<Vec<_>>());
        assert_ne!(places(1), places(2));
        let places = places(1);
        assert!((1..=5).all(|replica| places.contains(&replica)), "{places:?}");
    }

    #[test]
    fn one_replica_gets_all() {
        let one = Replicas { count: NonZeroU32::MIN, sticky: Sticky::Client };
        assert!((0..100).all(|key| one.of(Seed(1), attempt(1, 1), Some(key)) == NonZeroU32::MIN));
    }
}
