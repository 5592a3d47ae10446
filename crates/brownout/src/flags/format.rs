//! How a result is printed.

use clap::{Args, ValueEnum};

/// What a result is printed as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// The whole result
    Json,
    /// A row for each interval of the run
    Csv,
    /// As oha has it; times in seconds
    Oha,
    /// As the summary of k6 has it; times in milliseconds
    K6,
    /// As the report of vegeta has it; times in nanoseconds
    Vegeta,
}

/// Flags of a verb that prints the result of a load.
#[derive(Debug, Args)]
pub(crate) struct FormatFlags {
    /// How the result is printed
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,

    /// Prints the whole result as JSON, as --format json does
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl FormatFlags {
    pub(crate) const fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}
