//! `presets`: the scenarios inside the program.

use std::fmt::Write as _;

use brownout_scenario::SCENARIOS;

use crate::exit::{Exit, Stop};
use crate::output::print;
use crate::setting::preset;

/// Lists the scenarios that ship with the program, or prints one to start from
///
/// Each runs by its name wherever a scenario is wanted: `brownout load preset:metastable-retry`.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout presets show checkout")]
pub(crate) struct Args {
    #[command(subcommand)]
    show: Option<Show>,
}

#[derive(Debug, clap::Subcommand)]
enum Show {
    /// Prints one of them, with its sources and what was assumed
    Show {
        /// Its name
        name: String,
    },
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let text = match &args.show {
        Some(Show::Show { name }) => preset(name)?.text.to_owned(),
        None => SCENARIOS.iter().fold(String::new(), |mut text, preset| {
            writeln!(text, "{:18}{}", preset.name, preset.about).expect("writing to a string cannot fail");
            text
        }),
    };
    print(&text)?;
    Ok(Exit::FINE)
}
