//! What a handful of runs can say, and how surely.
//!
//! A *level* is a confidence level in the open interval (0, 1): 0.95 for most readers, 0.999 for a row of many that
//! gates a build. Where the data cannot carry an answer, the answer is `None`: "not enough data" rather than a guess.
//! Nothing here panics.
//!
//! Which to use:
//! - **A steady state**, one long run: [`steady_mean`], which cuts off the start-up and refuses a run that drifts.
//! - **A transient**, or whatever may fall over: independent runs only. [`wilson`] for how many did,
//!   [`mean_interval`] and [`median_with_interval`] for how long it took. An outcome that has two modes is counted,
//!   never averaged.
//! - **Whether it still rises** at the end of a run: [`mann_kendall`].
//! - **Two policies** on one set of seeds: [`paired`]; two sides that share nothing: [`welch`].
//! - **Neighbours that are alike**: [`effective_size`] tells how many independent values they are worth.
//!
//! All transcendental functions come from `libm`, so equal data give equal bits on every platform.

mod batch;
mod effective;
mod interval;
mod median;
mod mser;
mod paired;
mod student;
mod summary;
mod trend;
mod welch;
mod wilson;

pub use batch::{SteadyMean, batch_means, steady_mean};
pub use effective::effective_size;
pub use interval::{Interval, mean_interval};
pub use median::{Median, MedianInterval, median_with_interval};
pub use mser::mser5;
pub use paired::paired;
pub use student::student_quantile;
pub use summary::Summary;
pub use trend::mann_kendall;
pub use welch::{Sure, welch};
pub use wilson::{two_sided_z, wilson};

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod coverage;
