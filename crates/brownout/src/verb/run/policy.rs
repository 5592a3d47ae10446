//! The policy of a run, as the flags say it.

use std::path::PathBuf;
use std::time::Duration;

use brownout_draw::Probability;
use brownout_exec::{SharedBudget, SharedBudgetError};
use brownout_policy::{Budget, Guarded, IntervalBudget, Policy, Settings, preset};
use brownout_scenario::preset_hint;

use crate::arm;
use crate::exit::Stop;
use crate::flags::{BackoffFlags, limit};
use crate::output::talk;

/// Flags of the policy of a run.
#[derive(Debug, clap::Args)]
pub(super) struct PolicyFlags {
    /// Policy to start from: a preset (`brownout check --policy NAME` tells of it), or a scenario file with a `policy`; other flags go over it
    #[arg(long, value_name = "NAME|FILE")]
    policy: Option<String>,

    #[command(flatten)]
    backoff: BackoffFlags,

    /// Shares the retry budget of all runners that name this file: without one in the policy, a fifth of the runs of the last minute, and always ten retries a minute
    #[arg(long, value_name = "FILE")]
    budget: Option<PathBuf>,

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
        let settings = self.backoff.settings_over(under);
        let budget = self.budget.is_some().then(default_budget);
        Ok(Settings { budget: settings.budget.or(budget), ..settings })
    }

    /// The budget that is shared, if one is.
    pub(super) fn shared_budget(&self, policy: &Policy) -> Result<Option<SharedBudget>, Stop> {
        let (Some(file), Some(budget)) = (&self.budget, policy.budget()) else { return Ok(None) };
        let opened = SharedBudget::open(file, &budget.rule);
        Ok(Some(opened.map_err(|error| match error {
            SharedBudgetError::Failed { .. } => Stop::failed(error).into_own_failure(),
            _ => Stop::usage(format!("--budget: {error}")),
        })?))
    }
}

/// A fifth of the runs of the last minute, and ten retries a minute however few: a step that runs alone can be tried again,
/// and fifty that fail together cannot all.
fn default_budget() -> Guarded<Budget> {
    let share = Probability::from_parts(Probability::PARTS / 5).expect("a fifth is a share");
    let rule = IntervalBudget::new(share, BUDGET_WINDOW, 10, BUDGET_WINDOW).expect("a minute is no short interval");
    Guarded::each(Budget::Interval(rule))
}

const BUDGET_WINDOW: Duration = Duration::from_secs(60);

/// The settings of a preset or of a scenario's policy.
fn start(name: &str) -> Result<Settings, Stop> {
    if let Some(settings) = preset(name) {
        return Ok(settings);
    }
    arm::of_file(name)?.ok_or_else(|| {
        let hint = preset_hint(name);
        Stop::usage(format!("--policy `{name}` is neither a preset ({hint}) nor a file that is there"))
    })
}
