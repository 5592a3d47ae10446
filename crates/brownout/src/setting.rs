//! The scenario and the luck of a run.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use brownout_draw::{Seed, fingerprint};
use brownout_policy::Policy;
use brownout_report::{MadeOf, Origin};
use brownout_scenario::{Moments, Places, PresetScenario, Scenario, preset_scenario, scenario_hint};
use brownout_sim::World;

use crate::exit::Stop;
use crate::flags::ServiceFlags;
use crate::output;

/// A scenario, flags applied, and the seed of its run.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) scenario: Scenario,
    pub(crate) seed: Seed,
    name: String,
    chosen: bool,
    /// What the flags do not do, though it might be expected.
    note: Option<String>,
}

/// A scenario, flags applied, whose luck is not known yet: one reading of its file for any number of seeds.
#[derive(Clone, Debug)]
pub(crate) struct Unseeded {
    scenario: Scenario,
    name: String,
    note: Option<String>,
}

impl Unseeded {
    /// The scenario that the flags name, with their rates.
    ///
    /// - `url`: the service is somebody else's, so nobody can set its rates; a scenario then only says what callers do.
    pub(crate) fn new(flags: &ServiceFlags, url: Option<&str>) -> Result<Self, Stop> {
        let (name, mut scenario) = match &flags.scenario {
            Some(file) => (file.display().to_string(), read(file)?),
            None => (if url.is_some() { "none" } else { "built-in" }.to_owned(), Scenario::default()),
        };
        let mut note = None;
        if flags.has_rates() {
            let rates = flags.rates_text();
            if url.is_some() {
                let message = format!("rates are of the simulated service, found {rates} beside --url; drop one");
                return Err(Stop::usage(message));
            }
            let own = scenario.service.own_outcomes().join(", ");
            if !own.is_empty() {
                note = Some(format!("note: {rates} does not reach what has outcomes of its own: {own}"));
            }
            let outcomes = flags.over(&scenario.service.base().outcomes)?;
            scenario.service = scenario.service.with_outcomes(outcomes);
        }
        Ok(Self { scenario, name, note })
    }

    /// With the seed of the flags, or the scenario's, or a chosen one.
    pub(crate) fn with_seed_of(self, flags: &ServiceFlags) -> Result<Setting, Stop> {
        let (seed, chosen) = seed(flags.seed.map(Seed).or(self.scenario.seed))?;
        Ok(Setting { chosen, ..self.with_seed(seed) })
    }

    /// With this seed.
    pub(crate) fn with_seed(self, seed: Seed) -> Setting {
        let Self { scenario, name, note } = self;
        Setting { scenario: scenario.scheduled(seed), seed, name, chosen: false, note }
    }
}

impl Setting {
    /// The scenario that the flags name, with their rates and their seed.
    ///
    /// - `url`: as of [`Unseeded::new`].
    pub(crate) fn new(flags: &ServiceFlags, url: Option<&str>) -> Result<Self, Stop> {
        Unseeded::new(flags, url)?.with_seed_of(flags)
    }

    /// Where the result comes from: the digest is of everything that decides it, but for the seed.
    pub(crate) fn origin(&self, time: &'static str, decides: &dyn std::fmt::Debug) -> Origin {
        let Scenario { service, graph, load, .. } = &self.scenario;
        let digest = fingerprint(format!("{service:?} {graph:?} {load:?} {decides:?}").as_bytes());
        Origin {
            seed: self.seed,
            scenario: self.name.clone(),
            scenario_digest: format!("{digest:016x}"),
            time: time.into(),
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }

    /// What a load is made of, but for the seed.
    pub(crate) fn made_of(&self, policy: &Policy, callee: &dyn std::fmt::Debug) -> MadeOf {
        let Scenario { service, graph, load, .. } = &self.scenario;
        let digest = |text: String| format!("{:016x}", fingerprint(text.as_bytes()));
        MadeOf {
            service: digest(format!("{service:?} {graph:?}")),
            load: digest(format!("{load:?}")),
            policy: digest(format!("{policy:?}")),
            callee: digest(format!("{callee:?}")),
        }
    }

    /// What repeats the run.
    pub(crate) fn title(&self) -> String {
        format!("seed {}, scenario {}", self.seed, self.name)
    }

    /// Says, before anything else, what repeats the run.
    pub(crate) fn announce(&self) {
        output::talk(&format!("{}{}", self.title(), chosen_note(self.seed, self.chosen)));
        if let Some(note) = &self.note {
            output::talk(note);
        }
    }

    /// The simulated service and its callers.
    pub(crate) const fn world<'w>(&'w self, policy: &'w Policy) -> World<'w> {
        let Scenario { service, graph, load, .. } = &self.scenario;
        World::new(service, policy, self.seed).with_graph(graph).with_carried(&load.carried).with_success(&load.success)
    }
}

/// The scenario in a file.
pub(crate) fn read(file: &Path) -> Result<Scenario, Stop> {
    Ok(read_with_places(file)?.0)
}

/// The same, with the places of its keys.
pub(crate) fn read_with_places(file: &Path) -> Result<(Scenario, Places), Stop> {
    let name = file.display().to_string();
    let read = match file.to_str().and_then(|name| name.strip_prefix(PRESET)) {
        Some(known) => Scenario::parse_with_places(&name, preset(known)?.text),
        None => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| Stop::usage(format!("failed to read the scenario {}: {error}", file.display())))?;
            let folder = file.parent().unwrap_or(Path::new(""));
            Scenario::parse_with_files(&name, &text, &|beside| moments(&folder.join(beside)))
        }
    };
    read.map_err(|invalid| Stop { message: invalid.render(output::talk_is_coloured()), ..Stop::usage("") })
}

/// The list of moments in a file.
fn moments(file: &Path) -> Result<Moments, String> {
    let failed = |error: &dyn fmt::Display| format!("failed to read {}: {error}", file.display());
    // What is no file, such as a pipe, might never end.
    if !std::fs::metadata(file).map_err(|error| failed(&error))?.is_file() {
        return Err(failed(&"it is no file"));
    }
    let mut lines = BufReader::new(File::open(file).map_err(|error| failed(&error))?);
    let (mut moments, mut line) = (Moments::default(), String::new());
    loop {
        line.clear();
        let longest = Moments::LINE_BYTES_MAX as u64 + 1;
        let read = lines.by_ref().take(longest).read_line(&mut line).map_err(|error| failed(&error))?;
        if read == 0 {
            return Ok(moments);
        }
        if line.trim_end().len() > Moments::LINE_BYTES_MAX {
            let message = format!(
                "a line has at most {} bytes, found one that begins `{}`",
                Moments::LINE_BYTES_MAX,
                line.chars().take(40).collect::<String>()
            );
            return Err(failed(&message));
        }
        moments.line(&line).map_err(|error| failed(&error))?;
    }
}

/// Whether a scenario is one of the program's, and no file.
pub(crate) fn is_preset(file: &Path) -> bool {
    file.to_str().is_some_and(|name| name.starts_with(PRESET))
}

/// What comes before the name of a scenario that is no file.
const PRESET: &str = "preset:";

/// The scenario of the program called `name`.
pub(crate) fn preset(name: &str) -> Result<&'static PresetScenario, Stop> {
    let refusal = || Stop::usage(format!("there is no preset scenario `{name}` ({})", scenario_hint(name)));
    preset_scenario(name).ok_or_else(refusal)
}

/// The given seed, or one from the operating system; whether it was chosen so. Short enough to type.
pub(crate) fn seed(given: Option<Seed>) -> Result<(Seed, bool), Stop> {
    let failed = |error| Stop::failed(format!("no seed was given and none could be chosen: {error}"));
    match given {
        Some(seed) => Ok((seed, false)),
        None => Ok((Seed(getrandom::u32().map_err(failed)?.into()), true)),
    }
}

/// How to have a chosen seed again.
pub(crate) fn chosen_note(seed: Seed, chosen: bool) -> String {
    if chosen { format!(" (seed chosen; repeat with --seed {seed})") } else { String::new() }
}
