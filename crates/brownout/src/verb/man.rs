//! `man`: pages for `man`.

use std::path::PathBuf;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::cli::Cli;
use crate::exit::{Exit, Stop};
use crate::output::{Output, print};

/// Prints a page for man, or writes all of them
///
/// `brownout man load | man -l -` shows one; `brownout man --dir ~/.local/share/man/man1` has `man brownout-load` find it.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout man load | man -l -")]
pub(crate) struct Args {
    /// The verb that it is about [default: the program]
    #[arg(value_name = "VERB", conflicts_with = "dir")]
    verb: Option<String>,

    /// Writes a page of the program and of each verb into this folder
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let pages = pages();
    let Some(folder) = &args.dir else {
        let wanted = args.verb.as_ref().map_or_else(|| "brownout".to_owned(), |verb| format!("brownout-{verb}"));
        let page = pages.iter().find(|page| name(page) == wanted).ok_or_else(|| {
            let verb = args.verb.as_deref().unwrap_or_default();
            Stop::usage(format!("there is no verb `{verb}`; `brownout help` lists them"))
        })?;
        print(&text(page))?;
        return Ok(Exit::FINE);
    };
    let place = |page: &Command| Output::at(&folder.join(format!("{}.1", name(page))));
    let places: Vec<_> = pages.iter().map(place).collect::<Result<_, Stop>>()?;
    for (page, place) in pages.iter().zip(&places) {
        place.write(&text(page))?;
    }
    print(&format!("wrote {} pages to {}\n", pages.len(), folder.display()))?;
    Ok(Exit::FINE)
}

/// The program and its verbs.
fn pages() -> Vec<Command> {
    let mut program = Cli::command();
    program.build();
    let verbs: Vec<_> = program.get_subcommands().filter(|verb| verb.get_name() != "help").cloned().collect();
    [program].into_iter().chain(verbs).collect()
}

/// What its page is called.
fn name(page: &Command) -> &str {
    page.get_display_name().unwrap_or_else(|| page.get_name())
}

fn text(page: &Command) -> String {
    let mut text = Vec::new();
    let man = Man::new(page.clone()).source(concat!("brownout ", env!("CARGO_PKG_VERSION"))).manual("brownout");
    man.render(&mut text).and_then(|()| example(page).to_writer(&mut text)).expect("writing to memory cannot fail");
    String::from_utf8(text).expect("a page is text")
}

/// The example that its help begins with, which pages leave out.
fn example(page: &Command) -> Roff {
    let mut section = Roff::new();
    if let Some(example) = page.get_before_help() {
        let example = example.to_string();
        section.control("SH", ["EXAMPLES"]).text([roman(example.trim_start_matches("Example: "))]);
    }
    section
}
