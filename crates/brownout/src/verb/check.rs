//! `check`: is a scenario one?

use std::path::PathBuf;

use brownout_load::RequestLine;
use brownout_policy::Policy;
use brownout_scenario::Scenario;

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
    let Scenario { service, load, policy, .. } = read(&args.scenario)?;
    let listed = |names: Vec<String>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let routes = listed(service.routes().iter().map(|route| route.pattern.to_string()).collect());
    let phases = listed(service.phases().iter().map(|phase| phase.name.clone()).collect());
    let policy =
        policy.map_or_else(Policy::none, |settings| Policy::new(settings).expect("a scenario's policy is checked"));
    let RequestLine { method, path } = load.request;
    let (name, count, clients, retries) = (args.scenario.display(), load.count, load.clients, policy.max_retries());
    print(&format!(
        "{name}: fine\n  routes: {routes}\n  phases: {phases}\n  load: {count} × {method} {path}, clients: {clients}\n  retries: {retries}\n"
    ))?;
    Ok(Exit::FINE)
}
