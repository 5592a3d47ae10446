//! `diff`: two results, or two sets of them, with statistics.

use std::path::PathBuf;

use brownout_draw::{Probability, Seed, fingerprint};
use brownout_lab::diff::{Run, diff};
use brownout_report::{DiffReport, LoadReport, differences, json};

use crate::exit::{Exit, Stop};
use crate::flags::PageFlags;
use crate::output::print;
use crate::repeat;
use crate::results::read;

/// Compares results of loads and tells what differs, and how surely
///
/// Two files are compared by how the intervals of each run scatter; files of several runs (diff A1.json A2.json … --against B1.json
/// B2.json …) by how the runs do, pair by pair where they share their seeds. The files are what `load --output FILE` wrote.
///
/// A pure function of the files. Each row stands for itself: of twenty rows in which nothing differs, one is expected to say that
/// something does.
///
/// Exit code 99 when a row is worse by more than --threshold and its whole interval is; 98 when none is and one cannot be told; 2
/// for files that are no results of whole loads.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout diff before.json after.json --threshold 5%")]
pub(crate) struct Args {
    /// Two results, or those of the first side
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// The results of the second side
    #[arg(long, value_name = "FILE", num_args = 1..)]
    against: Vec<PathBuf>,

    /// How much worse a row may be; of the success rate in points
    #[arg(long, value_name = "SHARE", default_value = "5%", allow_hyphen_values = true)]
    threshold: Probability,

    /// Prints the whole result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    page: PageFlags,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let (first, second) = args.sides()?;
    let [first_reports, second_reports] = [whole(first)?, whole(second)?];
    let place = args.page.place(&[])?;
    // Equal files, equal blocks.
    let luck = Seed(fingerprint(b"diff"));
    let compared = diff(&runs(&first_reports), &runs(&second_reports), luck);
    let names = |files: &[PathBuf]| files.iter().map(|file| file.display().to_string()).collect();
    let report = DiffReport {
        diff: compared,
        files: [names(first), names(second)],
        notes: differences(&first_reports, &second_reports),
        threshold: args.threshold.as_f64(),
    };
    print(&if args.json { json(&report) } else { report.text() })?;
    place.put(|| report.page(repeat::drawing()))?;
    Ok(match () {
        () if report.is_worse() => Exit::MISSED,
        () if report.has_gaps() => Exit::UNTOLD,
        () => Exit::FINE,
    })
}

fn runs(reports: &[LoadReport]) -> Vec<Run<'_>> {
    reports.iter().map(|report| Run { seed: report.origin.seed, result: &report.result }).collect()
}

impl Args {
    /// The files of both sides.
    fn sides(&self) -> Result<(&[PathBuf], &[PathBuf]), Stop> {
        match (&self.files[..], &self.against[..]) {
            ([first, second], []) => Ok((std::slice::from_ref(first), std::slice::from_ref(second))),
            (files, []) => Err(Stop::usage(format!(
                "two results are compared, or several after --against with several before it, found {}; name two",
                files.len()
            ))),
            (files, against) => Ok((files, against)),
        }
    }
}

/// The results in the files, each of a whole load.
fn whole(files: &[PathBuf]) -> Result<Vec<LoadReport>, Stop> {
    let whole = |file: &PathBuf| {
        let report = read(file)?;
        if report.is_part() {
            let file = file.display();
            return Err(Stop::usage(format!(
                "{file} is a part of a load; merge all shards of it first, with `brownout merge`"
            )));
        }
        Ok(report)
    };
    files.iter().map(whole).collect()
}
