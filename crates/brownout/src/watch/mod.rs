//! Looking on while a load goes on, and ending it early.

mod simulated;

pub(crate) use simulated::simulate;
