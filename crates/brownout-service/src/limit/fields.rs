//! The fields that tell a caller how much is left.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use super::hint::up;
use super::meter::Room;
use super::{Limit, LimitRule, UNIT};

/// What answers tell of what is left of a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QuotaFields {
    /// Nothing.
    #[default]
    None,
    /// `RateLimit-Policy` and `RateLimit`, with an item for each limit that says so.
    ///
    /// Source: draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4.
    RateLimit,
    /// `x-ratelimit-limit`, `x-ratelimit-remaining`, and `x-ratelimit-reset` as a Unix time in seconds, as GitHub's API has
    /// them: of the limit that refused, else of the one with the least left.
    XRateLimit,
}

impl QuotaFields {
    /// Every case with its name in scenarios.
    pub const NAMES: [(&'static str, Self); 3] =
        [("none", Self::None), ("ratelimit", Self::RateLimit), ("x-ratelimit", Self::XRateLimit)];
}

/// The fields of an answer.
pub(crate) type Fields = Vec<(&'static str, Cow<'static, str>)>;

/// The fields for what is left of some limits at the time of day `at`. The first of them that `refused` speaks for all where
/// only one can.
pub(crate) fn fields(left: &[(&Limit, Room)], refused: Option<&Limit>, at: Duration) -> Fields {
    let mut fields = Fields::new();
    let of = |kind| left.iter().filter(move |(limit, _)| limit.fields == kind);
    if of(QuotaFields::RateLimit).next().is_some() {
        let (mut policy, mut state) = (String::new(), String::new());
        for (limit, room) in of(QuotaFields::RateLimit) {
            let comma = if policy.is_empty() { "" } else { ", " };
            let Limit { name, rule, .. } = limit;
            let _ = write!(policy, "{comma}\"{name}\";q={}", rule.holds() / UNIT);
            let _ = write!(state, "{comma}\"{name}\";r={}", room.left / UNIT);
            if matches!(rule, LimitRule::Concurrency(_)) {
                policy += ";qu=\"concurrent-requests\"";
            }
            if let Some(window) = rule.window() {
                let _ = write!(policy, ";w={}", up(window, 1_000_000_000));
            }
            if let Some(whole_in) = room.whole_in {
                let _ = write!(state, ";t={}", whole_in.div_ceil(1_000_000_000));
            }
        }
        fields.extend([("ratelimit-policy", policy.into()), ("ratelimit", state.into())]);
    }
    let scarcity = |(limit, room): &&(&Limit, Room)| {
        let share = u128::from(room.left) * 1_000_000 / u128::from(limit.rule.holds().max(1));
        (refused.is_none_or(|refused| refused.name != limit.name), share)
    };
    if let Some((limit, room)) = of(QuotaFields::XRateLimit).min_by_key(scarcity) {
        let whole_at = at.saturating_add(Duration::from_nanos(room.whole_in.unwrap_or(0)));
        fields.extend([
            ("x-ratelimit-limit", (limit.rule.holds() / UNIT).to_string().into()),
            ("x-ratelimit-remaining", (room.left / UNIT).to_string().into()),
            ("x-ratelimit-reset", up(whole_at, 1_000_000_000).to_string().into()),
        ]);
    }
    fields
}
