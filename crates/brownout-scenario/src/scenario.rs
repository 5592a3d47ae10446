//! A whole scenario.

use std::time::Duration;

use brownout_draw::Seed;
use brownout_load::{Expectations, Graph, Load, Node};
use brownout_policy::{Settings, preset};
use brownout_service::{Phase, Recurring, Service};

use crate::moments::Moments;
use crate::places::Places;
use crate::problem::{Invalid, Problems};
use crate::source::Source;
use crate::{decode, read};

/// How long a load without an end may be looked at.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Reads the list of moments in the file that a scenario calls so, or says why not.
pub type Files<'f> = dyn Fn(&str) -> Result<Moments, String> + 'f;

/// How a service misbehaves and how its callers behave. Needs no further check.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The number that repeats the run, if the file fixes it.
    pub seed: Option<Seed>,
    /// What the service does.
    pub service: Service,
    /// The header, in lower case, in which requests say who they are, beside brownout's own.
    pub identity_header: Option<String>,
    /// The services behind it.
    pub graph: Graph,
    /// Phases that come again, by what stands for them in the services: see [`scheduled`](Self::scheduled).
    pub recurring: Vec<Recurring>,
    /// When calls start.
    pub load: Load,
    /// What callers do after a failure; known to make a [`Policy`](brownout_policy::Policy). `None` never retries.
    pub policy: Option<Settings>,
    /// Policies to compare, in the order of the file; each is known to make one.
    pub policies: Vec<(String, Settings)>,
    /// What a run is expected to come to.
    pub expect: Expectations,
}

impl Scenario {
    /// Reads the `text` of a file called `name`: JSON where it begins with `{` or the name ends in `.json`, else TOML.
    ///
    /// # Errors
    /// Every mistake in the file, each with its place.
    pub fn parse(name: &str, text: &str) -> Result<Self, Invalid> {
        Ok(Self::parse_with_places(name, text)?.0)
    }

    /// The same, with the places of what was read. There are no other files than this.
    ///
    /// # Errors
    /// Every mistake in the file, each with its place.
    pub fn parse_with_places(name: &str, text: &str) -> Result<(Self, Places), Invalid> {
        Self::parse_with_files(name, text, &|file| {
            Err(format!("`{file}` is beside a scenario's own file, and this one has none"))
        })
    }

    /// The same, with what else it names read by `files`.
    ///
    /// # Errors
    /// Every mistake in the file, each with its place.
    pub fn parse_with_files(name: &str, text: &str, files: &Files<'_>) -> Result<(Self, Places), Invalid> {
        let mut problems = Problems::default();
        // Some editors begin a file with a mark that says nothing.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let json = name.ends_with(".json") || text.trim_start().starts_with('{');
        let tree = read::tree(text, json, &mut problems).filter(|_| problems.is_empty());
        let read = tree.and_then(|tree| Some((decode::scenario(&tree, files, &mut problems)?, tree)));
        match read {
            Some((scenario, tree)) => Ok((scenario, Places::new(Source::new(name, text), tree))),
            None => Err(problems.into_invalid(name, text)),
        }
    }

    /// The same with every time of the phases that come again, and every burst of those that hold in bursts, up to the [horizon](Self::horizon): the schedule is a pure function
    /// of the file and the seed. In a scenario as it was read, each of them stands for all its times.
    #[must_use]
    pub fn scheduled(self, seed: Seed) -> Self {
        let (recurring, horizon) = (&self.recurring, self.horizon());
        let times = |phase: &Phase| match recurring.iter().find(|recurring| recurring.phase == *phase) {
            Some(recurring) => recurring.phases(seed, horizon),
            None => vec![phase.clone()],
        };
        let times = |phase: &Phase| {
            let times = times(phase);
            let count = times.len();
            times.into_iter().map(move |phase| phase.with_bursts_of(seed, horizon, count))
        };
        let schedule = |service: Service| {
            let phases = service.phases().iter().flat_map(times).collect();
            service.scheduled(phases)
        };
        let node = |node: Node| Node { service: schedule(node.service), ..node };
        let graph = Graph { behind: self.graph.behind.into_iter().map(node).collect(), ..self.graph };
        Self { service: schedule(self.service), graph, recurring: Vec::new(), ..self }
    }

    /// Up to when phases come again: the end of the load, or a day.
    #[must_use]
    pub fn horizon(&self) -> Duration {
        self.load.ends_of_all().unwrap_or(DAY)
    }

    /// The settings that `name` stands for where policies are compared: one of the file's `policies`, `scenario` for its
    /// `policy`, or a preset. What the `policy` says of `attempt_timeout` and `deadline` holds for all that say nothing of
    /// their own: how long callers wait is theirs, not the retry policy's.
    ///
    /// `None` where the name stands for nothing.
    #[must_use]
    pub fn named_policy(&self, name: &str) -> Option<Settings> {
        let named = self.policies.iter().find(|(own, _)| own == name).map(|(_, settings)| settings.clone());
        let settings = named.or_else(|| self.policy.clone().filter(|_| name == "scenario")).or_else(|| preset(name))?;
        Some(self.patient(settings))
    }

    /// How long callers wait is theirs, not the retry policy's: what `policy` says of it holds where `settings` say nothing.
    #[must_use]
    pub fn patient(&self, settings: Settings) -> Settings {
        match &self.policy {
            Some(own) => settings.over(own.patience()),
            None => settings,
        }
    }
}

/// The practice service, with nobody retrying: what every verb runs when no file is named.
impl Default for Scenario {
    fn default() -> Self {
        Self {
            seed: None,
            service: Service::default(),
            identity_header: None,
            graph: Graph::NONE,
            recurring: Vec::new(),
            load: Load::default(),
            policy: None,
            policies: Vec::new(),
            expect: Expectations::default(),
        }
    }
}
