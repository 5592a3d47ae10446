//! A whole scenario.

use brownout_draw::Seed;
use brownout_load::Load;
use brownout_policy::Settings;
use brownout_service::Service;

use crate::problem::{Invalid, Problems};
use crate::{decode, read};

/// How a service misbehaves and how its callers behave. Needs no further check.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The number that repeats the run, if the file fixes it.
    pub seed: Option<Seed>,
    /// What the service does.
    pub service: Service,
    /// The header, in lower case, in which requests say who they are, beside brownout's own.
    pub identity_header: Option<String>,
    /// When calls start.
    pub load: Load,
    /// What callers do after a failure; known to make a [`Policy`](brownout_policy::Policy). `None` never retries.
    pub policy: Option<Settings>,
    /// Policies to compare, in the order of the file; each is known to make one.
    pub policies: Vec<(String, Settings)>,
}

impl Scenario {
    /// Reads the `text` of a file called `name`: JSON where it begins with `{` or the name ends in `.json`, else TOML.
    ///
    /// # Errors
    /// Every mistake in the file, each with its place.
    pub fn parse(name: &str, text: &str) -> Result<Self, Invalid> {
        let mut problems = Problems::default();
        // Some editors begin a file with a mark that says nothing.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let json = name.ends_with(".json") || text.trim_start().starts_with('{');
        let tree = read::tree(text, json, &mut problems).filter(|_| problems.is_empty());
        let scenario = tree.and_then(|tree| decode::scenario(&tree, &mut problems));
        scenario.ok_or_else(|| problems.into_invalid(name, text))
    }
}

/// The practice service, with nobody retrying: what every verb runs when no file is named.
impl Default for Scenario {
    fn default() -> Self {
        Self {
            seed: None,
            service: Service::default(),
            identity_header: None,
            load: Load::default(),
            policy: None,
            policies: Vec::new(),
        }
    }
}
