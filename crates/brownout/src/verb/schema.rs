//! `schema`: what a scenario may say, for editors, and what reports have.

use brownout_report::{json, rehearse_report_schema, run_report_schema};

use crate::exit::{Exit, Stop};
use crate::output::print;

/// Prints the JSON Schema of scenarios, or of a report
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout schema > brownout.schema.json")]
pub(crate) struct Args {
    /// What it is of
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    of: What,

    /// Prints every key of scenarios as a page for people instead
    #[arg(long, conflicts_with = "of")]
    markdown: bool,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum What {
    /// Scenario files
    #[default]
    Scenario,
    /// What `run --output` writes
    RunReport,
    /// What `rehearse --output` writes
    RehearseReport,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    if args.markdown {
        print(&brownout_scenario::reference())?;
        return Ok(Exit::FINE);
    }
    let schema = match args.of {
        What::Scenario => brownout_scenario::schema(),
        What::RunReport => run_report_schema(),
        What::RehearseReport => rehearse_report_schema(),
    };
    print(&json(&schema))?;
    Ok(Exit::FINE)
}
