//! `check`: is a scenario one?

use std::path::PathBuf;

use crate::exit::{Exit, Stop};
use crate::output::print;
use crate::setting::read;

/// Validates a scenario without running it
///
/// Every mistake is shown with its line, the value found, the rule and the way out; exit code 2 when there is one.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Scenario file, TOML or JSON
    #[arg(value_name = "FILE")]
    scenario: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let (_, scenario) = read(&args.scenario)?;
    let phases: Vec<_> = scenario.service.phases().iter().map(|phase| phase.name.as_str()).collect();
    let phases = if phases.is_empty() { "none".to_owned() } else { phases.join(", ") };
    let retries = if scenario.policy.is_some() { "by its policy" } else { "none" };
    let name = args.scenario.display();
    print(&format!("{name}: fine\n  phases: {phases}\n  calls: {}\n  retries: {retries}\n", scenario.load.count))?;
    Ok(Exit::FINE)
}
