//! What is shown of a load while it goes on.

use std::net::SocketAddr;

use clap::Args;

use super::live;
use super::metrics::guard;
use crate::exit::Stop;
use crate::row::place;

/// Flags of whoever looks on.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct WatchFlags {
    /// Shows a run over sockets on the whole terminal while it goes on: rates, statuses, latency, attempts for each call, phases; `q` ends it
    #[arg(long)]
    pub(crate) live: bool,

    /// Also listens there for Prometheus, over sockets, until the run ends: a port on 127.0.0.1, or an address with one; 0 takes any free
    /// one. Off loopback it takes the token of $BROWNOUT_ADMIN_TOKEN
    #[arg(long, value_name = "PORT", value_parser = place)]
    pub(crate) metrics: Option<SocketAddr>,
}

impl WatchFlags {
    /// Refuses what has nothing to show: virtual time, which is over before anybody has looked.
    pub(crate) fn check(self, is_real: bool) -> Result<(), Stop> {
        let flags = [("--live", self.live), ("--metrics", self.metrics.is_some())];
        if let Some((flag, _)) = flags.iter().find(|(_, given)| *given && !is_real) {
            return Err(Stop::usage(format!(
                "{flag} is of a load over sockets, and this one is in virtual time, which nobody waits for; add --real, or --url URL"
            )));
        }
        if self.live {
            live::check().map_err(|why| {
                Stop::usage(format!("--live takes a whole terminal, and {why}; drop it, or run it on a terminal"))
            })?;
        }
        self.metrics.map_or(Ok(()), |address| guard(address).map(drop))
    }
}
