//! The finished cells of a map, to go on from.

use std::collections::BTreeMap;

use brownout_lab::storm::{Keep, Kept};
use serde::{Deserialize, Serialize};

/// The finished cells of a map as they are kept in a file: whole numbers only, so that what is read is what was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StormKept {
    /// Of brownout: another one may count otherwise.
    pub version: String,
    /// The luck of the first run.
    pub seed: u64,
    /// A fingerprint of everything else that decides the cells.
    pub digest: String,
    /// By policy.
    policies: BTreeMap<String, Vec<KeptCell>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeptCell {
    load: usize,
    trigger: usize,
    #[serde(flatten)]
    keep: Keep,
}

impl StormKept {
    /// Nothing yet.
    #[must_use]
    pub fn new(version: &str, seed: u64, digest: &str) -> Self {
        Self { version: version.to_owned(), seed, digest: digest.to_owned(), policies: BTreeMap::new() }
    }

    /// Reads what [`text`](Self::text) wrote.
    ///
    /// # Errors
    /// Where the text is not of this kind, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// As JSON, without needless blanks.
    ///
    /// # Panics
    /// Never: it holds nothing that JSON lacks.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("whole numbers and text are valid JSON") + "\n"
    }

    /// The finished cells of a policy.
    #[must_use]
    pub fn cells(&self, policy: &str) -> Kept {
        let cells = self.policies.get(policy).into_iter().flatten();
        cells.map(|cell| ((cell.load, cell.trigger), cell.keep.clone())).collect()
    }

    /// Puts the finished cells of a policy in place of those before.
    pub fn set(&mut self, policy: &str, kept: &Kept) {
        let cell =
            |(place, keep): (&(usize, usize), &Keep)| KeptCell { load: place.0, trigger: place.1, keep: keep.clone() };
        self.policies.insert(policy.to_owned(), kept.iter().map(cell).collect());
    }

    /// How many cells are finished.
    #[must_use]
    pub fn finished(&self) -> usize {
        self.policies.values().map(Vec::len).sum()
    }
}
