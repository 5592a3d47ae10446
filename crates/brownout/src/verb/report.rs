//! `report`: kept results, to be read.

use std::path::PathBuf;

use brownout_report::Several;

use crate::exit::{Exit, Stop};
use crate::flags::PageFlags;
use crate::output::print;
use crate::repeat;
use crate::results::read;

/// Prints kept results of loads, or draws them
///
/// The files are what `load --output FILE` wrote. One is printed as `load` printed it; several stand side by side. With --html the
/// same is also drawn, on one scale.
///
/// Exit code 0; 2 for files that are no results of loads.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The results
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    #[command(flatten)]
    page: PageFlags,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let named = |file: &PathBuf| Ok((file.display().to_string(), read(file)?));
    let reports: Vec<_> = args.files.iter().map(named).collect::<Result<_, Stop>>()?;
    let place = args.page.place(&[])?;
    match &reports[..] {
        [(_, report)] => {
            print(&report.text())?;
            place.put(|| report.page(repeat::drawing()))?;
        }
        several => {
            print(&Several(several).text())?;
            place.put(|| Several(several).page(repeat::drawing()))?;
        }
    }
    Ok(Exit::FINE)
}
