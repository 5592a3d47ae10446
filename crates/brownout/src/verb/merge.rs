//! `merge`: the shards of one load, put together.

use std::path::PathBuf;

use brownout_report::merge;

use crate::exit::{Exit, Stop};
use crate::output::talk;
use crate::results::{OutputFlags, read};

/// Puts the results of the shards of one load together
///
/// The files are what `load --shard I/N --output FILE` wrote. Counts, histograms and series are added; ratios, percentiles and
/// recovery are worked out after that, as of one run. Files of another scenario, seed, policy or version are refused, and so is a
/// shard that is there twice. What is incomplete can be merged with what was missing, later.
///
/// Exit code 0 when every shard is there and whole; 1 when one is missing or was cut short, or when there was no answer at all;
/// 98 when one could not begin its calls when they were due; 99 and 98 for expectations that were missed or cannot be told; 2 for files that are no shards of one load.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout merge shard-1.json shard-2.json --output whole.json")]
pub(crate) struct Args {
    /// The results of the shards, in any order
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    #[command(flatten)]
    output: OutputFlags,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let read = |file: &PathBuf| Ok((file.display().to_string(), read(file)?));
    let reports: Vec<_> = args.files.iter().map(read).collect::<Result<_, Stop>>()?;
    let merged = merge(&reports).map_err(Stop::usage)?;
    let place = args.output.place()?;
    let lack = merged.shards.as_ref().and_then(brownout_report::Shards::lack);
    if let Some(lack) = &lack {
        talk(&format!("incomplete: {lack}"));
    }
    place.put(&merged)?;
    Ok(Exit::of_load(&merged))
}
