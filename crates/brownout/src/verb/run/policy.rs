//! The policy of a run, as the flags say it.

use std::path::Path;
use std::time::Duration;

use brownout_policy::{Settings, preset};
use brownout_scenario::preset_hint;

use crate::exit::Stop;
use crate::flags::{BackoffFlags, limit};
use crate::output::talk;
use crate::setting::{is_preset, read};

/// Flags of the policy of a run.
#[derive(Debug, clap::Args)]
pub(super) struct PolicyFlags {
    /// Policy to start from: a preset (`brownout check --policy NAME` tells of it), or a scenario file with a `policy`; other flags go over it
    #[arg(long, value_name = "NAME|FILE")]
    policy: Option<String>,

    #[command(flatten)]
    backoff: BackoffFlags,

    /// A longer wait that the command asks for ends the run [default: 300s]
    #[arg(long, value_name = "DURATION", value_parser = limit)]
    retry_after_max: Option<Duration>,
}

impl PolicyFlags {
    /// What the flags say, over what they start from. A runner here must wait and retry: one that does neither was not meant.
    pub(super) fn settings(&self) -> Result<Settings, Stop> {
        if self.backoff.max_retries == Some(0) {
            let message = "--max-retries must be at least 1, found 0; to run once, run the command itself";
            return Err(Stop::usage(message));
        }
        if self.backoff.base_delay.is_some_and(|delay| delay.is_zero()) {
            return Err(Stop::usage("--base-delay must be longer than 0, found 0; write 1ms to retry nearly at once"));
        }
        let mut under = self.policy.as_deref().map_or_else(|| Ok(Settings::default()), start)?;
        if under.hedge.take().is_some() {
            talk("note: the policy's hedging is left out; a command is run one attempt after another");
        }
        under.retry_after_max = self.retry_after_max.or(under.retry_after_max);
        Ok(self.backoff.settings_over(under))
    }
}

/// The settings of a preset or of a scenario's policy.
fn start(name: &str) -> Result<Settings, Stop> {
    if let Some(settings) = preset(name) {
        return Ok(settings);
    }
    let file = Path::new(name);
    if !is_preset(file) && !file.exists() {
        let hint = preset_hint(name);
        return Err(Stop::usage(format!("--policy `{name}` is neither a preset ({hint}) nor a file that is there")));
    }
    let message = "has no `policy` to take; write one, or name a preset";
    read(file)?.policy.ok_or_else(|| Stop::usage(format!("--policy: the scenario {name} {message}")))
}
