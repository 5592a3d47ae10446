//! The exit codes of the program, all in one place. The guide has the table.

/// It went well.
pub const FINE: u8 = 0;
/// It ran, and what it was to find out is bad: unhealthy, every retry spent, no answer.
pub const FAILED: u8 = 1;
/// Flags or a scenario that make no sense. Nothing was begun.
pub const USAGE: u8 = 2;
/// It ran, and what came out of it cannot be trusted or tells nothing: too little data.
pub const UNTOLD: u8 = 98;
/// It ran, and the verdict is bad.
pub const MISSED: u8 = 99;
/// The command, or all its tries together, took too long, as `timeout` says it.
pub const TIMEOUT: u8 = 124;
/// The program itself failed while it was to run a command, as `timeout` and `env` say it.
pub const OWN_FAILURE: u8 = 125;
/// The command cannot be executed, as shells say it.
pub const NOT_EXECUTABLE: u8 = 126;
/// The command was not found, as shells say it.
pub const NOT_FOUND: u8 = 127;

/// Ended by signal `number`, as shells say it.
#[must_use]
pub const fn signalled(number: u8) -> u8 {
    128_u8.saturating_add(number)
}
