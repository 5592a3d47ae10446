//! `brownout`: rehearse your dependency's worst day.
//!
//! Parse, run, print what went wrong, pick the exit code. Each verb is a file in `verb/`.

mod arm;
mod cli;
mod cores;
mod descriptors;
mod exit;
mod flags;
mod moment;
mod output;
mod repeat;
mod results;
mod row;
mod setting;
mod signal;
mod stage;
mod verb;
mod watch;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let Some(verb) = cli::Cli::parse().verb else {
        output::talk(cli::WELCOME);
        return exit::Exit::USAGE.into();
    };
    match verb::run(verb) {
        Ok(exit) => exit.into(),
        Err(stop) => {
            output::talk(&stop.message);
            stop.exit.into()
        }
    }
}
