//! The pages, one a file: what each kind of result says and draws.

mod compare;
mod diff;
mod load;
mod map;
mod rehearse;
mod run;
mod several;
mod storm;

use brownout_load::Met;

use super::page::Mood;
use crate::Origin;

pub use several::Several;

/// Where a result comes from, as a page shows it.
fn facts(origin: &Origin) -> Vec<(String, String)> {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    vec![
        fact("scenario", origin.scenario.clone()),
        fact("seed", origin.seed.to_string()),
        fact("time", origin.time.to_string()),
        fact("brownout", origin.version.to_string()),
        fact("digest", origin.scenario_digest.clone()),
    ]
}

/// What became of what was expected.
const fn verdict(met: Met) -> (Mood, &'static str) {
    match met {
        Met::Met => (Mood::Good, "What was expected was met"),
        Met::Missed => (Mood::Bad, "What was expected was missed"),
        Met::NotEnoughData => (Mood::Untold, "What was expected cannot be told"),
    }
}

/// A program without the folder that it is in.
fn program(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A sentence that goes on from another.
fn lower(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
