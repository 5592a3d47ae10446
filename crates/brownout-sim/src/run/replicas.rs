//! Which replica of a service an attempt lands on.

use brownout_draw::Seed;
use brownout_load::Carried;
use brownout_service::{Identity, Landed, Service, Sticky, limit_key};

/// Where attempt `identity` lands at `service`, sent by client number `client` of all, whose calls carry this.
#[must_use]
#[inline(never)]
pub fn landed(service: &Service, seed: Seed, identity: Identity, client: u32, carried: &Carried) -> Landed {
    service.land(seed, identity, |sticky| match sticky {
        Sticky::Nothing => None,
        // A client keeps one connection as long as nothing breaks it.
        Sticky::Connection | Sticky::Client => Some(client.into()),
        Sticky::Address => Some(limit_key(Sticky::LOOPBACK.as_bytes())),
        Sticky::Header(name) => carried.value(name, seed, identity.request).map(|value| limit_key(value.as_bytes())),
    })
}
