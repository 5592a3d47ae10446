//! `report`: kept results, to be read.

use std::path::PathBuf;

use brownout_report::{Kept, LoadReport, Several};

use crate::exit::{Exit, Stop};
use crate::flags::PageFlags;
use crate::output::print;
use crate::repeat;
use crate::results::read_kept;

/// Prints kept results, or draws them
///
/// The files are what `load`, `merge`, `rehearse` and `run` wrote to --output FILE, as JSON. One is printed as its verb printed it;
/// several loads stand side by side. With --html the same is also drawn, loads on one scale.
///
/// Exit code 0; 2 for other files, and for several that are not all of loads.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout report before.json after.json --html both.html")]
pub(crate) struct Args {
    /// The results
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    #[command(flatten)]
    page: PageFlags,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let kept = |file: &PathBuf| Ok((file.display().to_string(), read_kept(file)?));
    let kept: Vec<_> = args.files.iter().map(kept).collect::<Result<_, Stop>>()?;
    let place = args.page.place(&[])?;
    let repeat = repeat::drawing();
    match <[_; 1]>::try_from(kept) {
        Ok([(_, kept)]) => {
            print(&kept.text())?;
            place.put(|| kept.page(repeat))?;
        }
        Err(several) => {
            let reports = several.into_iter().map(load).collect::<Result<Vec<_>, Stop>>()?;
            print(&Several(&reports).text())?;
            place.put(|| Several(&reports).page(repeat))?;
        }
    }
    Ok(Exit::FINE)
}

/// A result that stands beside others, with its name.
fn load((name, kept): (String, Kept)) -> Result<(String, LoadReport), Stop> {
    match kept {
        Kept::Load(report) => Ok((name, *report)),
        other => Err(Stop::usage(format!(
            "several files side by side are results of loads, found one of `{}`, {name}; name it alone",
            other.verb()
        ))),
    }
}
