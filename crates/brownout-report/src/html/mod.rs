//! Results as pages: one HTML file each, which needs no network, no script and nothing beside it.
//!
//! A page says in words what came out, then where it comes from and what makes it again, then draws it. Behind each picture is
//! the table of its numbers. What would be drawn of too little data is not drawn, and the page says so. All text goes through
//! [`maud`], which escapes it.

mod bars;
mod figure;
mod intervals;
mod latency;
mod page;
mod pages;
mod plot;
mod scale;
mod show;
#[cfg(test)]
mod tests;
mod timeline;

pub use page::{Page, Repeat};
pub use pages::Several;
