//! What must hold of brownout for any input.
//!
//! A target is a function of bytes that panics when something does not hold. The programs in `fuzz_targets/` hand the targets to a
//! fuzzer; `crates/brownout/tests/fuzz/`, which has these files as a module, runs them over the corpus and over what a [`Mutator`]
//! makes of it.

mod live_change;
mod mutate;
mod request;
mod scenario;
mod service;

pub use live_change::live_change;
pub use mutate::Mutator;
pub use request::request;
pub use scenario::scenario;

/// A function of bytes, by the name of its corpus.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What it is called in `fuzz/`.
    pub name: &'static str,
    /// Panics when something does not hold.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 3] = [
    Target { name: "scenario", run: scenario },
    Target { name: "live_change", run: live_change },
    Target { name: "request", run: request },
];
