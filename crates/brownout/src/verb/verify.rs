//! `verify`: virtual time held against closed forms.

use brownout_draw::Seed;
use brownout_lab::validate::Suite;
use brownout_report::{ValidationReport, json};

use crate::cores;
use crate::exit::{Exit, Stop};
use crate::output::print;

/// Checks virtual time against queueing theory and prints the page
///
/// Queues, losses, abandonment, retrials, closed loops, retries, budgets and hedges: each study is a scenario, each row a
/// number that a textbook gives. Takes about a minute on two cores. The seeds are fixed, so every machine prints the same.
///
/// Exit code 0 when every row passes, else 1.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout verify")]
pub(crate) struct Args {
    /// Number of the first run of each study
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    seed: u64,

    /// Prints the rows as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let suite = Suite::new(Seed(args.seed));
    let samples = cores::map(suite.runs(), |index| suite.run(index));
    let report = ValidationReport { validation: suite.gather(&samples), version: env!("CARGO_PKG_VERSION") };
    print(&if args.json { json(&report) } else { report.text() })?;
    Ok(if report.validation.failed == 0 { Exit::FINE } else { Exit::FAILED })
}
