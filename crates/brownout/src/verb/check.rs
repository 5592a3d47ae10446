//! `check`: is a scenario one?

use std::path::PathBuf;

use brownout_load::{Arrivals, RequestLine};
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
    let Scenario { service, load, policy, policies, .. } = read(&args.scenario)?;
    let listed = |names: Vec<String>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let routes = listed(service.routes().iter().map(|route| route.pattern.to_string()).collect());
    let phases = listed(service.phases().iter().map(|phase| phase.name.clone()).collect());
    let policies: Vec<_> = policies.into_iter().map(|(name, _)| name).collect();
    let policies =
        if policies.is_empty() { String::new() } else { format!("  policies to compare: {}\n", policies.join(", ")) };
    let policy =
        policy.map_or_else(Policy::none, |settings| Policy::new(settings).expect("a scenario's policy is checked"));
    let RequestLine { method, path } = &load.request;
    let arrivals = match &load.arrivals {
        Arrivals::Closed { .. } => String::new(),
        Arrivals::Constant(rate) => format!(", {rate}, constant"),
        Arrivals::Poisson(rate) => format!(", {rate}, Poisson"),
    };
    let count = match load.count_max() {
        u64::MAX => String::new(),
        count => format!("{count} × "),
    };
    let lasts = load.duration.map(|duration| format!(", for {duration:?}")).unwrap_or_default();
    let retries = match policy.max_retries() {
        u32::MAX => "unbounded".to_owned(),
        retries => retries.to_string(),
    };
    let (name, clients) = (args.scenario.display(), load.clients);
    print(&format!(
        "{name}: fine\n  routes: {routes}\n  phases: {phases}\n  load: {count}{method} {path}{arrivals}{lasts}, clients: \
         {clients}\n  retries: {retries}\n{policies}"
    ))?;
    Ok(Exit::FINE)
}
