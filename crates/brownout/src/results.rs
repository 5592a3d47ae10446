//! Results in files: read, printed, written.

use std::path::{Path, PathBuf};

use brownout_report::{Kept, LoadReport, json};

use crate::exit::Stop;
use crate::flags::{Format, FormatFlags, PageFlags, PagePlace};
use crate::output::{Output, print};
use crate::repeat;

/// Where a result goes.
#[derive(Debug, clap::Args)]
pub(crate) struct OutputFlags {
    #[command(flatten)]
    format: FormatFlags,

    /// Also writes the whole result as JSON to this file, in one piece, for `merge` and `diff`
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    page: PageFlags,
}

/// The place of a result, known to be one that can be written to.
#[derive(Debug)]
pub(crate) struct Place {
    format: Format,
    file: Option<Output>,
    page: PagePlace,
    drawn: bool,
}

impl OutputFlags {
    /// Finds out whether the file can be written, before the work whose result it is to hold.
    pub(crate) fn place(&self) -> Result<Place, Stop> {
        let page = self.page.place(&[("--output", self.output.as_ref())])?;
        let file = self.output.as_deref().map(Output::at).transpose()?;
        Ok(Place { format: self.format.format(), file, page, drawn: self.page.is_wanted() })
    }
}

impl Place {
    /// Whether more of the result is kept than people look at.
    pub(crate) fn keeps_all(&self) -> bool {
        self.file.is_some() || self.drawn || self.format != Format::Text
    }

    /// Writes and prints a result.
    pub(crate) fn put(self, report: &LoadReport) -> Result<(), Stop> {
        if let Some(file) = self.file {
            file.write(&json(report))?;
        }
        print(&match self.format {
            Format::Text => report.text(),
            Format::Json => json(report),
            Format::Csv => report.csv(),
            Format::Oha => json(&report.oha()),
            Format::K6 => json(&report.k6()),
            Format::Vegeta => json(&report.vegeta()),
        })?;
        self.page.put(|| report.page(repeat::command(report.origin.seed)))
    }
}

/// The result of a load in a file.
pub(crate) fn read(file: &Path) -> Result<LoadReport, Stop> {
    read_as(file, LoadReport::parse)
}

/// The result in a file, of whichever verb.
pub(crate) fn read_kept(file: &Path) -> Result<Kept, Stop> {
    read_as(file, Kept::parse)
}

fn read_as<R, E: std::fmt::Display>(file: &Path, parse: fn(&str) -> Result<R, E>) -> Result<R, Stop> {
    let failed =
        |error: &dyn std::fmt::Display| Stop::usage(format!("failed to read the result {}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| failed(&error))?;
    parse(&text).map_err(|error| failed(&error))
}
