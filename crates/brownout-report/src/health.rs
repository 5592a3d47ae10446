//! A health check.

use brownout_load::{Exchange, Reply};
use serde::Serialize;

use crate::response::error;
use crate::{Origin, ResponseReport};

/// A health check as `health` prints it: healthy is so many 200 in a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HealthReport {
    /// Whether every probe was answered with 200.
    pub healthy: bool,
    /// How many answers in a row it takes.
    pub consecutive: u32,
    /// What the probes brought, the last one the first that was no 200.
    pub probes: Vec<ResponseReport>,
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: Origin,
    #[serde(skip)]
    seen: Vec<String>,
}

impl HealthReport {
    /// What a healthy service answers.
    const HEALTHY: Reply = Reply::Status(200);

    /// From probes: all that were made, up to the first that was no 200.
    #[must_use]
    pub fn new(probes: &[Exchange], consecutive: u32, origin: Origin) -> Self {
        let well = probes.iter().filter(|probe| probe.reply == Self::HEALTHY).count();
        Self {
            healthy: u32::try_from(well) == Ok(consecutive),
            consecutive,
            probes: probes.iter().map(ResponseReport::from).collect(),
            origin,
            seen: probes.iter().map(seen).collect(),
        }
    }

    /// Whether there is no need for another probe after these.
    #[must_use]
    pub fn is_settled(probes: &[Exchange], consecutive: u32) -> bool {
        probes.len() as u64 >= u64::from(consecutive) || probes.last().is_some_and(|probe| probe.reply != Self::HEALTHY)
    }

    /// For people: the verdict, then what was seen.
    #[must_use]
    pub fn text(&self) -> String {
        let (verdict, wanted) = (if self.healthy { "healthy" } else { "unhealthy" }, self.consecutive);
        format!("{verdict}: wanted {wanted} × 200 in a row, saw {}\n", self.seen.join(", "))
    }
}

fn seen(probe: &Exchange) -> String {
    match probe.reply {
        Reply::Broken(_) => error(probe).unwrap_or_default(),
        answered => answered.to_string(),
    }
}
