//! `schema`: what a scenario may say, for editors, and what a report of `run` has.

use brownout_report::{json, run_report_schema};

use crate::exit::{Exit, Stop};
use crate::output::print;

/// Prints the JSON Schema of scenarios, or of the report of `run`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What it is of
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    of: What,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum What {
    /// Scenario files
    #[default]
    Scenario,
    /// What `run --output` writes
    RunReport,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let schema = match args.of {
        What::Scenario => brownout_scenario::schema(),
        What::RunReport => run_report_schema(),
    };
    print(&json(&schema))?;
    Ok(Exit::FINE)
}
