//! The command line.

use clap::{Parser, Subcommand};

use crate::verb::{
    agree, check, compare, completions, demo, diff, explain, health, init, load, man, merge, presets, rehearse, report,
    request, retry, run, schema, serve, storm, verify,
};

/// Verbs by what one wants; clap has no groups of subcommands. A test holds this to the list below.
const VERBS: &str = "\
Begin:
  demo      Shows a retry storm, and the policy that survives it
  init      Writes a commented scenario to start from

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
  report    Prints kept results, or draws them

Trust it:
  verify    Checks virtual time against queueing theory and prints the page
  explain   Tells why an attempt meets what it meets, or prints the schedule

Write a scenario:
  presets   Lists the scenarios that ship with the program, or prints one to start from
  check     Validates and lints a scenario, or a policy, without running it
  schema    Prints the JSON Schema of scenarios, or of a report

Run a command:
  rehearse  Runs a command against a simulated service and tells how often it tried
  run       Retries a command, or a built-in flaky function

Set it up:
  completions  Prints the completions of a shell
  man          Prints a page for man, or writes all of them

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
    pub(crate) verb: Option<Verb>,
}

/// What is said to who names no verb.
pub(crate) const WELCOME: &str = "\
brownout: rehearse your dependency's worst day.

One file describes how a service fails and how its callers retry. It is run in virtual time, served
over HTTP to a client of yours, or put around a command, with the same failures in all three, and
tells which retry policy survives.

Try:
  brownout demo             a retry storm, and the policy that ends it, in ten seconds
  brownout rehearse --preset always-503 -- curl -s --retry 3 {url}/
                            how many requests one call of your own program makes
  brownout init             a scenario to start from

`brownout help` lists every verb, and `brownout help VERB` begins with an example.";

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
    Demo(demo::Args),
    Init(init::Args),
    Completions(completions::Args),
    Man(man::Args),
}

#[cfg(test)]
mod tests {
    use super::{Cli, VERBS, WELCOME};
    use clap::{CommandFactory, Parser};

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

    /// What a line of a help text says, in words; nothing in them is quoted but by single quotes.
    fn words(line: &str) -> Vec<String> {
        let parts = line.split('\'').enumerate();
        let words = parts.flat_map(|(number, part)| match number % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        });
        words.take_while(|word| !["|", ">"].contains(&word.as_str())).collect()
    }

    #[test]
    fn help_begins_with_an_example_that_can_be_typed() {
        let mut program = Cli::command();
        program.build();
        for verb in program.get_subcommands().filter(|verb| verb.get_name() != "help") {
            let before =
                verb.get_before_help().unwrap_or_else(|| panic!("{}: no example", verb.get_name())).to_string();
            let line = before.strip_prefix("Example: ").unwrap();
            let start = format!("brownout {}", verb.get_name());
            assert!(line.starts_with(&start), "{line}");
            Cli::try_parse_from(words(line)).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn the_first_screen_fits_a_terminal_and_names_what_can_be_typed() {
        assert!(WELCOME.lines().count() <= 20 && WELCOME.lines().all(|line| line.len() <= 100));
        let commands: Vec<_> = WELCOME.lines().filter_map(|line| line.strip_prefix("  ")).collect();
        let commands = commands.iter().filter(|line| line.starts_with("brownout "));
        let commands: Vec<_> = commands.map(|line| line.split("   ").next().unwrap()).collect();
        assert_eq!(commands.len(), 3);
        for command in commands {
            Cli::try_parse_from(words(command)).unwrap_or_else(|error| panic!("{command}: {error}"));
        }
    }
}
