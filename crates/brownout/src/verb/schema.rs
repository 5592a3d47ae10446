//! `schema`: what a scenario may say, for editors.

use brownout_report::json;

use crate::exit::{Exit, Stop};
use crate::output::print;

/// Prints the JSON Schema of scenarios
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result<Exit, Stop> {
    print(&json(&brownout_scenario::schema()))?;
    Ok(Exit::FINE)
}
