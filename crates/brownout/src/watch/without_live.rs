//! A program that was built without the live view.

use std::sync::mpsc::Receiver;

use tokio::sync::mpsc::UnboundedSender;

use super::Watched;
use crate::exit::Stop;
use crate::signal::Ending;

/// There is none.
#[derive(Clone, Copy)]
pub(super) enum Screen {}

pub(super) const fn check() -> Result<(), &'static str> {
    Err("this program was built without it; build it with the feature `tui`")
}

pub(super) fn begin() -> Result<Screen, Stop> {
    Err(Stop::usage("this program was built without the live view; build it with the feature `tui`"))
}

pub(super) fn show(screen: Screen, _: &Watched, _: &Receiver<()>, _: &UnboundedSender<Ending>) {
    match screen {}
}

/// There is nothing to leave.
pub(crate) const fn leave() {}
