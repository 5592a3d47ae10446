//! What is shown of a load while it goes on.

use std::net::SocketAddr;

use clap::Args;

use super::metrics::guard;
use crate::exit::Stop;
use crate::row::place;

/// Flags of whoever looks on.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct WatchFlags {
    /// Also listens there for Prometheus, over sockets, until the run ends: a port on 127.0.0.1, or an address with one; 0 takes any free
    /// one. Off loopback it takes the token of $BROWNOUT_ADMIN_TOKEN
    #[arg(long, value_name = "PORT", value_parser = place)]
    pub(crate) metrics: Option<SocketAddr>,
}

impl WatchFlags {
    /// Refuses what has nothing to show: virtual time, which is over before anybody has looked.
    pub(crate) fn check(self, is_real: bool) -> Result<(), Stop> {
        let Some(address) = self.metrics else { return Ok(()) };
        if is_real {
            return guard(address).map(drop);
        }
        let message = "--metrics is of a load over sockets, and this one is in virtual time, which nobody waits for; add --real, or --url \
                       URL";
        Err(Stop::usage(message))
    }
}
