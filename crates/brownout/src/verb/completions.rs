//! `completions`: what a shell completes after `brownout`.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::{Exit, Stop};
use crate::output::print;

/// Prints the completions of a shell
///
/// Bash:  brownout completions bash > ~/.local/share/bash-completion/completions/brownout
/// Zsh:   brownout completions zsh > a folder of $fpath, as _brownout
/// Fish:  brownout completions fish > ~/.config/fish/completions/brownout.fish
#[derive(Debug, clap::Args)]
#[command(
    before_help = "Example: brownout completions bash > ~/.local/share/bash-completion/completions/brownout",
    verbatim_doc_comment
)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "brownout", &mut script);
    print(&String::from_utf8(script).expect("a script of completions is text"))?;
    Ok(Exit::FINE)
}
