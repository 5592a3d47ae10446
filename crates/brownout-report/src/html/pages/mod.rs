//! The pages, one a file: what each kind of result says and draws.

mod compare;
mod diff;
mod load;
mod map;
mod several;
mod storm;

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

/// A sentence that goes on from another.
fn lower(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
