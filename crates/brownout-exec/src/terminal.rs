//! How the terminal is set.

use std::io::IsTerminal;

use rustix::process::getpgrp;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};

/// The settings of the terminal on standard input, as they were before a command could change them.
#[derive(Clone, Debug)]
pub(crate) struct Terminal(Termios);

impl Terminal {
    /// As they are now; `None` where standard input is no terminal.
    pub(crate) fn remember() -> Option<Self> {
        let stdin = std::io::stdin();
        if !stdin.is_terminal() {
            return None;
        }
        tcgetattr(&stdin).ok().map(Self)
    }

    /// Puts them back. Not from the background, where that would stop this program.
    pub(crate) fn restore(&self) {
        let stdin = std::io::stdin();
        if tcgetpgrp(&stdin).is_ok_and(|foreground| foreground == getpgrp()) {
            let _ = tcsetattr(&stdin, OptionalActions::Drain, &self.0);
        }
    }
}
