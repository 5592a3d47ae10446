//! How a result is read back: the maps and numbers that JSON has no exact form for.

use std::collections::BTreeMap;
use std::str::FromStr;

use brownout_policy::{StopReason, Transport};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Counts by status, which JSON writes as text.
pub(crate) fn statuses<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<u16, u64>, D::Error> {
    numbered(from, "status")
}

/// Counts by a number of attempts, which JSON writes as text.
pub(crate) fn tries<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<u32, u64>, D::Error> {
    numbered(from, "number of attempts")
}

fn numbered<'de, D: Deserializer<'de>, N: FromStr + Ord>(from: D, kind: &str) -> Result<BTreeMap<N, u64>, D::Error> {
    let number = |text: String| text.parse().map_err(|_| D::Error::custom(format!("`{text}` is no {kind}")));
    BTreeMap::deserialize(from)?.into_iter().map(|(text, count)| Ok((number(text)?, count))).collect()
}

/// Counts by what broke.
pub(crate) fn faults<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<&'static str, u64>, D::Error> {
    named(from, "fault", &Transport::ALL.map(Transport::name))
}

/// Words by what broke.
pub(crate) fn examples<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<&'static str, String>, D::Error> {
    named(from, "fault", &Transport::ALL.map(Transport::name))
}

/// Counts by why callers gave up.
pub(crate) fn reasons<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<&'static str, u64>, D::Error> {
    named(from, "reason to give up", &StopReason::ALL.map(StopReason::name))
}

/// What there is by some of the `names` of a `kind`.
fn named<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
    kind: &str,
    names: &[&'static str],
) -> Result<BTreeMap<&'static str, T>, D::Error> {
    let known = |text: String| {
        let name = names.iter().find(|name| **name == text).copied();
        name.ok_or_else(|| D::Error::custom(format!("`{text}` is no {kind} that this version knows")))
    };
    BTreeMap::deserialize(from)?.into_iter().map(|(text, value)| Ok((known(text)?, value))).collect()
}

/// A sum of nanoseconds, as text.
pub(crate) mod sum {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(sum: &u128, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(sum)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u128, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|_| D::Error::custom(format!("`{text}` is no sum of nanoseconds")))
    }
}
