//! Results as pages: one HTML file each, which needs no network, no script and nothing beside it.
//!
//! A page says in words what came out, then where it comes from and what makes it again, then draws it. Behind each picture is
//! the table of its numbers. What would be drawn of too little data is not drawn, and the page says so. All text goes through
//! [`maud`], which escapes it.

mod at_once;
mod bars;
mod calls;
mod figure;
mod intervals;
mod latency;
mod levels;
mod page;
mod pages;
mod plot;
mod scale;
pub(crate) mod show;
mod signs;
#[cfg(test)]
mod tests;
mod timeline;
mod tries;
mod waits;

pub use page::{COLOURS, Page, Repeat, STYLE};
pub use pages::Several;
