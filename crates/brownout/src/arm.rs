//! Policies by name or by file, for the verbs that look at several.

use std::num::NonZeroU32;
use std::path::Path;

use brownout_policy::{Policy, Settings};
use brownout_scenario::{Scenario, preset_hint};

use crate::exit::Stop;
use crate::flags::positive;
use crate::setting::{is_preset, read};

/// A policy of several.
pub(crate) struct Arm {
    pub(crate) name: String,
    pub(crate) settings: Settings,
    pub(crate) policy: Policy,
}

/// How many runs a policy may have; what is kept of each takes some hundred bytes.
const SEEDS_MAX: u32 = 100_000;

/// The policies that are `given` by name, or those `otherwise`.
pub(crate) fn arms<'n>(
    given: &'n [String],
    otherwise: impl IntoIterator<Item = &'n str>,
    scenario: &Scenario,
) -> Result<Vec<Arm>, Stop> {
    let mut names: Vec<&str> = given.iter().map(|name| name.trim()).collect();
    if names.is_empty() {
        names.extend(otherwise);
    }
    if let Some(twice) = names.iter().enumerate().find(|(place, name)| names[..*place].contains(name)) {
        return Err(Stop::usage(format!("policy `{}` is named twice; drop one", twice.1)));
    }
    names.into_iter().map(|name| Arm::named(name, scenario)).collect()
}

impl Arm {
    fn named(name: &str, scenario: &Scenario) -> Result<Self, Stop> {
        let settings = match scenario.named_policy(name) {
            Some(settings) => settings,
            None => scenario.patient(of_file(name)?.ok_or_else(|| unknown(name, scenario))?),
        };
        let policy = Policy::new(settings.clone());
        let policy = policy.map_err(|errors| Stop::usage(format!("policy {name}: {}", errors[0])))?;
        Ok(Self { name: name.to_owned(), settings, policy })
    }
}

/// The settings of a scenario's `policy`, where `name` is a file that is there, or a scenario that ships.
pub(crate) fn of_file(name: &str) -> Result<Option<Settings>, Stop> {
    let file = Path::new(name);
    if !is_preset(file) && !file.exists() {
        return Ok(None);
    }
    let none =
        || Stop::usage(format!("the scenario {name} has no `policy` to take; write one, or name a preset of policies"));
    read(file)?.policy.ok_or_else(none).map(Some)
}

fn unknown(name: &str, scenario: &Scenario) -> Stop {
    let own: Vec<_> = names_of(scenario).collect();
    let own = if own.is_empty() { "none".to_owned() } else { own.join(", ") };
    let hint = preset_hint(name);
    Stop::usage(format!("there is no policy `{name}`, nor such a file: {hint}; policies of the scenario: {own}"))
}

/// Refuses a scenario on which no policy could make a difference.
pub(crate) fn differ(scenario: &Scenario) -> Result<(), Stop> {
    if scenario.load.follows_policy() {
        return Ok(());
    }
    let message = "every cohort of the scenario has a policy of its own, so no other would change anything; drop the `policy` of the \
                   cohorts that are to follow it";
    Err(Stop::usage(message))
}

/// The names of the scenario's `policies`.
pub(crate) fn names_of(scenario: &Scenario) -> impl Iterator<Item = &str> {
    scenario.policies.iter().map(|(name, _)| name.as_str())
}

/// Reads a number of runs.
pub(crate) fn seeds(text: &str) -> Result<NonZeroU32, String> {
    let refusal = || format!("a number of seeds is a whole number from 1 to {SEEDS_MAX}, found `{text}`");
    positive(text).ok().filter(|seeds| seeds.get() <= SEEDS_MAX).ok_or_else(refusal)
}
