//! The scenario and the luck of a run.

use std::path::Path;

use brownout_draw::{Seed, fingerprint};
use brownout_report::Origin;
use brownout_scenario::Scenario;

use crate::exit::Stop;
use crate::flags::ServiceFlags;
use crate::output;

/// A scenario, flags applied, and where it comes from.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) scenario: Scenario,
    pub(crate) origin: Origin,
    chosen: bool,
}

/// Where the service of a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In virtual time.
    Simulated,
    /// On a socket of ours.
    Served,
    /// Behind a URL; a scenario then only says what callers do.
    Elsewhere,
}

impl Place {
    /// Behind a URL when there is a target.
    pub(crate) fn of<T>(target: &Option<T>) -> Self {
        if target.is_some() { Self::Elsewhere } else { Self::Simulated }
    }
}

impl Setting {
    /// The scenario that the flags name, with their rates and their seed.
    pub(crate) fn new(flags: &ServiceFlags, place: Place) -> Result<Self, Stop> {
        let (name, text, mut scenario) = match &flags.scenario {
            None if place == Place::Elsewhere => ("none".to_owned(), String::new(), Scenario::default()),
            None => ("built-in".to_owned(), String::new(), Scenario::default()),
            Some(file) => {
                let (text, scenario) = read(file)?;
                (file.display().to_string(), text, scenario)
            }
        };
        if flags.has_rates() {
            let outcomes = flags.over(&scenario.service.base().outcomes)?;
            scenario.service = scenario.service.with_outcomes(&outcomes);
        }
        let (seed, chosen) = seed(flags.seed.map(Seed).or(scenario.seed))?;
        let digest = fingerprint(format!("{text}\n{}", flags.rates_text()).as_bytes());
        let origin = Origin {
            seed,
            scenario: name,
            scenario_digest: format!("{digest:016x}"),
            time: if place == Place::Simulated { "virtual" } else { "real" },
            version: env!("CARGO_PKG_VERSION"),
        };
        Ok(Self { scenario, origin, chosen })
    }

    /// The seed of the run.
    pub(crate) const fn seed(&self) -> Seed {
        self.origin.seed
    }

    /// Says, before anything else, what repeats the run.
    pub(crate) fn announce(&self) {
        output::talk(&format!("{}{}", self.origin, chosen_note(self.seed(), self.chosen)));
    }
}

/// The scenario in a file, and its text.
pub(crate) fn read(file: &Path) -> Result<(String, Scenario), Stop> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Stop::usage(format!("failed to read the scenario {}: {error}", file.display())))?;
    let scenario = Scenario::parse(&file.display().to_string(), &text)
        .map_err(|invalid| Stop { message: invalid.render(output::talk_is_coloured()), ..Stop::usage("") })?;
    Ok((text, scenario))
}

/// The given seed, or one from the operating system; whether it was chosen so. Short enough to type.
pub(crate) fn seed(given: Option<Seed>) -> Result<(Seed, bool), Stop> {
    match given {
        Some(seed) => Ok((seed, false)),
        None => {
            let chosen = getrandom::u32();
            let chosen =
                chosen.map_err(|error| Stop::failed(format!("no seed was given and none could be chosen: {error}")))?;
            Ok((Seed(chosen.into()), true))
        }
    }
}

/// How to have a chosen seed again.
pub(crate) fn chosen_note(seed: Seed, chosen: bool) -> String {
    if chosen { format!(" (seed chosen; repeat with --seed {seed})") } else { String::new() }
}
