//! `init`: a scenario of one's own to start from.

use std::path::{Path, PathBuf};

use brownout_report::json;

use crate::exit::{Exit, Stop};
use crate::output::{Output, print};
use crate::setting::preset;

/// Writes a commented scenario to start from
///
/// Beside it goes the JSON Schema of scenarios, which the first line of the scenario names: editors that know TOML complete its keys by it
/// and mark mistakes.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout init checkout.toml --from checkout")]
pub(crate) struct Args {
    /// Where it goes
    #[arg(value_name = "FILE", default_value = "brownout.toml")]
    file: PathBuf,

    /// A preset to start from, by its name (`brownout presets` lists them) [default: a small service with an overload]
    #[arg(long, value_name = "PRESET")]
    from: Option<String>,

    /// Replaces a file that is there
    #[arg(long)]
    force: bool,
}

const SCENARIO: &str = include_str!("scenario.toml");

const SCHEMA: &str = "brownout.schema.json";

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let file = args.file.as_path();
    let scenario = args.from.as_deref().map_or(Ok(SCENARIO), |name| preset(name).map(|preset| preset.text))?;
    if file.extension().is_none_or(|extension| extension != "toml") {
        let file = file.display();
        return Err(Stop::usage(format!(
            "the scenario is written in TOML, found {file}; name a file that ends in .toml"
        )));
    }
    if file.symlink_metadata().is_ok() && !args.force {
        let file = file.display();
        return Err(Stop::usage(format!("{file} is there already; name another file, or replace it with --force")));
    }
    let schema = file.with_file_name(SCHEMA);
    // Both places are looked at before anything is written.
    let [scenario_place, schema_place] = [Output::at(file)?, Output::at(&schema)?];
    schema_place.write(&json(&brownout_scenario::schema()))?;
    scenario_place.write(&made(scenario))?;
    print(&next(file, &schema, args.from.as_deref()))?;
    Ok(Exit::FINE)
}

/// The scenario, with the line by which editors find its schema.
fn made(scenario: &str) -> String {
    format!("#:schema ./{SCHEMA}\n{scenario}")
}

fn next(file: &Path, schema: &Path, from: Option<&str>) -> String {
    let (file, schema) = (file.display(), schema.display());
    let compare = if from.is_some() { "" } else { " --policies no-retries,one-retry,scenario" };
    format!(
        "wrote {file}, and {schema} for editors\n\
         Next:\n  \
         brownout check {file}     what is doubtful about it\n  \
         brownout load {file}      what comes of it, in virtual time\n  \
         brownout compare {file} --plot{compare}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::{SCENARIO, made};
    use brownout_scenario::{SCENARIOS, Scenario};

    #[test]
    fn what_is_written_is_a_scenario() {
        for text in SCENARIOS.iter().map(|preset| preset.text).chain([SCENARIO]) {
            let made = made(text);
            assert!(made.starts_with("#:schema ./"), "editors look at the first line");
            Scenario::parse("made", &made).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
