//! `demo`: a retry storm, and what ends it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as _, Command, FromArgMatches};

use super::compare;
use crate::exit::{Exit, Stop};
use crate::output::print;
use crate::repeat;

/// Shows a retry storm, and the policy that survives it
///
/// Takes seconds, and touches no network: it is one `compare` of a scenario that ships with the program, with words around it. The page it
/// writes has the pictures.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout demo")]
pub(crate) struct Args {
    /// Where the page goes
    #[arg(long, value_name = "FILE", default_value = "brownout-demo.html")]
    html: PathBuf,
}

const BEFORE: &str = "\
Checkout asks payments 320 times a second. Payments could do 400, and stops for five seconds.
Here are the same five seconds three times: callers give up, try three times more, or try
three times more within a budget of one retry in ten successes.
";

const AFTER: &str = "\
With three retries one call becomes four requests. Payments is busy with callers that have
left, so nobody is answered in time, so everybody tries again: the outage is long over, and the
storm keeps itself going. What payments does for those who left it has done all the same.
";

const NEXT: &str = "\
Next:
  brownout rehearse --preset always-503 -- curl -s --retry 3 {url}/
                                how many requests one call of your own program makes
  brownout init                 a scenario to start from
  brownout init mine.toml --from checkout
                                this one, to change
";

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let words = ["compare", "preset:checkout", "--seeds", "5", "--plot", "--html"].map(OsString::from);
    let words: Vec<_> = words.into_iter().chain([args.html.clone().into_os_string()]).collect();
    let line = repeat::words(words.iter().cloned());
    let comparison = parsed(words);
    // Before any word is said.
    comparison.page.place(&[])?;
    print(&format!("{BEFORE}\n  {}\n\n", repeat::line(&line)))?;
    let exit = compare::run_as(&comparison, &line)?;
    let page = args.html.display();
    print(&format!("\n{AFTER}\nThe same with pictures: {page}, to be opened in a browser.\n\n{NEXT}"))?;
    Ok(exit)
}

/// # Panics
/// When the words are not those of `compare`, which a test tells.
fn parsed(words: Vec<OsString>) -> compare::Args {
    let matches = compare::Args::augment_args(Command::new("brownout")).try_get_matches_from(words);
    let args = matches.and_then(|matches| compare::Args::from_arg_matches(&matches));
    args.unwrap_or_else(|error| panic!("{error}"))
}
