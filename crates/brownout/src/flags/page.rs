//! A result as a page.

use std::path::PathBuf;

use brownout_report::Page;
use clap::Args;

use crate::exit::Stop;
use crate::output::{Output, spelling};

/// Flags of a verb whose result can be looked at.
#[derive(Debug, Args)]
pub(crate) struct PageFlags {
    /// Also writes the result as one HTML file with pictures, which needs no network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Also writes the first picture of that page as an SVG file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// The places of a page and its picture, known to be ones that can be written to.
#[derive(Debug)]
pub(crate) struct PagePlace {
    html: Option<Output>,
    svg: Option<Output>,
}

impl PageFlags {
    /// Finds out whether the files can be written, before the work that they are to show.
    ///
    /// - `others`: what else is written, and by which flag.
    pub(crate) fn place(&self, others: &[(&str, Option<&PathBuf>)]) -> Result<PagePlace, Stop> {
        let own = [("--html", self.html.as_ref()), ("--svg", self.svg.as_ref())];
        let files: Vec<_> = own.iter().chain(others).filter_map(|(flag, file)| Some((flag, (*file)?))).collect();
        for (number, (flag, file)) in files.iter().enumerate() {
            if let Some((other, _)) = files[..number].iter().find(|(_, other)| spelling(other) == spelling(file)) {
                let file = file.display();
                return Err(Stop::usage(format!(
                    "{other} and {flag} are to write the same file, {file}; name another for one of them"
                )));
            }
        }
        let place = |file: &Option<PathBuf>| file.as_deref().map(Output::at).transpose();
        Ok(PagePlace { html: place(&self.html)?, svg: place(&self.svg)? })
    }

    /// Whether there is anything to draw.
    pub(crate) const fn is_wanted(&self) -> bool {
        self.html.is_some() || self.svg.is_some()
    }
}

impl PagePlace {
    /// Writes what is wanted of a page.
    pub(crate) fn put(&self, page: impl FnOnce() -> Page) -> Result<(), Stop> {
        if self.html.is_none() && self.svg.is_none() {
            return Ok(());
        }
        let page = page();
        if let Some(file) = &self.html {
            file.write(&page.html())?;
        }
        if let Some(file) = &self.svg {
            let picture = page
                .picture()
                .ok_or_else(|| Stop::failed("there is too little data for a picture, so --svg writes none"))?;
            file.write(&picture)?;
        }
        Ok(())
    }
}
