//! The verbs, one a file: its flags, and what it does.

pub(crate) mod agree;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod health;
pub(crate) mod init;
pub(crate) mod load;
pub(crate) mod man;
pub(crate) mod merge;
pub(crate) mod presets;
pub(crate) mod rehearse;
pub(crate) mod report;
pub(crate) mod request;
pub(crate) mod retry;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod storm;
pub(crate) mod verify;

use crate::cli::Verb;
use crate::exit::{Exit, Stop};

/// Does what was asked for.
pub(crate) fn run(verb: Verb) -> Result<Exit, Stop> {
    match verb {
        Verb::Request(args) => request::run(&args),
        Verb::Load(args) => load::run(&args),
        Verb::Agree(args) => agree::run(&args),
        Verb::Merge(args) => merge::run(&args),
        Verb::Retry(args) => retry::run(&args),
        Verb::Health(args) => health::run(&args),
        Verb::Serve(args) => serve::run(&args),
        Verb::Compare(args) => compare::run(&args),
        Verb::Storm(args) => storm::run(&args),
        Verb::Verify(args) => verify::run(&args),
        Verb::Report(args) => report::run(&args),
        Verb::Diff(args) => diff::run(&args),
        Verb::Explain(args) => explain::run(&args),
        Verb::Presets(args) => presets::run(&args),
        Verb::Check(args) => check::run(&args),
        Verb::Schema(args) => schema::run(&args),
        Verb::Run(args) => run::run(&args),
        Verb::Rehearse(args) => rehearse::run(args),
        Verb::Demo(args) => demo::run(&args),
        Verb::Init(args) => init::run(&args),
        Verb::Completions(args) => completions::run(&args),
        Verb::Man(args) => man::run(&args),
    }
}

/// A runtime for clients: one thread, which is enough to wait on.
fn runtime() -> Result<tokio::runtime::Runtime, Stop> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| Stop::failed(format!("failed to start the runtime: {error}")))
}
