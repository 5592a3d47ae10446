//! Where there are no process groups: what a command starts is its own.

/// An attempt's processes: nothing is known of them.
#[derive(Debug)]
pub(crate) struct Tree;

/// What can be known before there is a process: nothing.
#[derive(Debug)]
pub(crate) struct Soil;

impl Soil {
    pub(crate) const fn prepare(_: bool, _: bool) -> Self {
        Self
    }

    pub(crate) const fn grow(self, _: u32) -> Tree {
        Tree
    }
}

impl Tree {
    pub(crate) const fn send(&self, _: u8) {}

    pub(crate) const fn resume(&self) {}

    pub(crate) const fn pause(&self) {}

    pub(crate) async fn gone(&self) {}

    pub(crate) async fn kill(&self) {}
}

pub(crate) const fn bury_orphans() {}

pub(crate) const fn pause_self() {}
