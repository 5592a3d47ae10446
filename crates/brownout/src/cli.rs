//! The command line.

use clap::{Parser, Subcommand};

use crate::verb::{
    agree, check, compare, diff, explain, health, load, merge, presets, rehearse, report, request, retry, run, schema,
    serve, storm, verify,
};

/// Verbs by what one wants; clap has no groups of subcommands. A test holds this to the list below.
const VERBS: &str = "\
Call a service (in virtual time, or over HTTP with --url):
  request   Makes one call and prints the response as JSON
  load      Makes many calls and counts what came back
  retry     Makes one call through a retry policy
  health    Tells healthy from unhealthy by consecutive 200s

Stand in for one:
  serve     Answers over HTTP as a scenario says

Choose a policy:
  compare   Runs several policies against one scenario and shows them side by side
  storm     Tells whether a bad state keeps itself going after its cause is gone

Read results:
  agree     Runs one load in virtual time and over sockets, and tells where they differ
  diff      Compares results of loads and tells what differs, and how surely
  merge     Puts the results of the shards of one load together
  report    Prints kept results of loads, or draws them

Trust it:
  verify    Checks virtual time against queueing theory and prints the page
  explain   Tells why an attempt meets what it meets, or prints the schedule

Write a scenario:
  presets   Lists the scenarios that ship with the program, or prints one to start from
  check     Validates and lints a scenario, or a policy, without running it
  schema    Prints the JSON Schema of scenarios, or of the report of `run`

Run a command:
  rehearse  Runs a command against a simulated service and tells how often it tried
  run       Retries a command, or a built-in flaky function

Exit codes:
  0 fine · 1 failed · 2 usage or bad scenario · 128+n ended by signal n
  agree, diff, load, merge, rehearse, storm: 98 it cannot be told · 99 what is expected was missed, or the verdict is bad
  run: the command's own code when every retry is spent · 124 timeout · 125 our own failure
       126 cannot execute · 127 not found; rehearse: these too, and 0 whatever the command's own code is";

/// Rehearse your dependency's worst day: a service that misbehaves as a scenario says, and its callers.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = VERBS,
    help_template = "{about-with-newline}\n{usage-heading} {usage}{after-help}\n\nOptions:\n{options}"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What to do. Of all verbs, only the flags of the one that is named are made.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Verb {
    Request(request::Args),
    Load(load::Args),
    Agree(agree::Args),
    Merge(merge::Args),
    Retry(retry::Args),
    Health(health::Args),
    Serve(serve::Args),
    Compare(compare::Args),
    Storm(storm::Args),
    Diff(diff::Args),
    Report(report::Args),
    Verify(verify::Args),
    Explain(explain::Args),
    Presets(presets::Args),
    Check(check::Args),
    Schema(schema::Args),
    Run(run::Args),
    Rehearse(rehearse::Args),
}

#[cfg(test)]
mod tests {
    use super::{Cli, VERBS};
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_is_listed_with_its_own_words() {
        let mut program = Cli::command();
        program.build();
        for verb in program.get_subcommands().filter(|verb| verb.get_name() != "help") {
            let about = verb.get_about().expect("a verb says what it does").to_string();
            let line = VERBS.lines().find_map(|line| line.trim_start().strip_prefix(verb.get_name())).map(str::trim);
            assert_eq!(line, Some(about.as_str()), "{}", verb.get_name());
        }
    }
}
