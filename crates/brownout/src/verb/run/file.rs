//! The file of the report.

use std::path::Path;

use brownout_report::{RunReport, json};

use crate::exit::Stop;
use crate::output::{Output, talk};

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// A line for people
    Text,
    /// All that is known
    Json,
    /// JUnit XML, a test case whose attempts are reruns
    Junit,
}

impl Format {
    pub(super) fn of(self, report: &RunReport) -> String {
        match self {
            Self::Text => report.text(),
            Self::Json => json(report),
            Self::Junit => report.junit(),
        }
    }
}

/// Where the report is kept while the run goes on, whole at any time.
#[derive(Debug)]
pub(super) struct ReportFile {
    output: Output,
    format: Format,
    /// That it could not be written was said already.
    told: bool,
}

impl ReportFile {
    /// Finds out whether it can be there, before anything is run.
    pub(super) fn at(path: &Path, format: Format) -> Result<Self, Stop> {
        Ok(Self { output: Output::at(path).map_err(Stop::into_own_failure)?, format, told: false })
    }

    /// After an attempt. What is no file, such as a pipe, gets the report once, when the run is over.
    pub(super) fn keep(&mut self, report: &RunReport) {
        if self.output.is_replaced()
            && let Err(stop) = self.output.write(&self.format.of(report))
            && !std::mem::replace(&mut self.told, true)
        {
            talk(&format!("{}; the run goes on", stop.message));
        }
    }

    /// After the run.
    pub(super) fn end(&self, report: &RunReport) -> Result<(), Stop> {
        self.output.write(&self.format.of(report)).map_err(Stop::into_own_failure)
    }
}
