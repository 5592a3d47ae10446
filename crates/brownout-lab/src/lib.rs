//! Experiments on the virtual world: statistics over runs, closed forms, comparison, validation.
//!
//! - [`theory`]: what the textbooks say a queue, a retry or a hedge must come to.
//! - [`statistics`]: what a handful of runs can say, and how surely.
//!
//! ```
//! use brownout_lab::{statistics, theory};
//!
//! let waits_of_five_runs = [3.91, 4.12, 4.03, 3.88, 4.17];
//! let measured = statistics::mean_interval(&waits_of_five_runs, 0.95).unwrap();
//! assert!(measured.contains(theory::mm1::wait(0.8)));
//! ```
//!
//! - [`agree`]: one load in virtual time and over sockets.
//! - [`compare`]: several policies on the same luck.
//! - [`diff`]: two results, whoever made them.
//! - [`rehearse`]: what a program did to a service, from its requests.
//! - [`storm`]: whether a bad state keeps itself going after its cause is gone.
//! - [`lint`]: what is doubtful about a policy, told without a run.
//! - [`validate`]: the virtual world held against the closed forms.
//!
//! What is decided here: which runs to make, which number to expect, and what a difference is worth. What is left out: on how
//! many cores the runs are made, and printing. A run is a pure function of its index, so whoever has cores to spare maps
//! over the indices and hands the results back in order.

pub mod agree;
pub mod compare;
pub mod diff;
pub mod lint;
pub mod rehearse;
mod replica;
pub mod statistics;
pub mod storm;
pub mod theory;
pub mod validate;

pub use replica::replica_seed;
