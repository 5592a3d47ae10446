//! How an exchange broke, told from what the socket said.

use std::error::Error;
use std::io::{self, ErrorKind};

use brownout_policy::Transport;

/// A broken exchange: its kind for the policy, its words for people.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) transport: Transport,
    pub(crate) error: String,
}

impl Broken {
    pub(crate) fn new(transport: Transport, error: &dyn Error) -> Self {
        Self { transport, error: with_causes(error) }
    }

    /// From what hyper says of a connection that was made.
    pub(crate) fn of(error: &hyper::Error) -> Self {
        Self::new(transport(error), error)
    }
}

fn transport(error: &hyper::Error) -> Transport {
    match io_cause(error).map(io::Error::kind) {
        Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe) => Transport::Reset,
        Some(ErrorKind::UnexpectedEof) => Transport::Closed,
        _ if error.is_incomplete_message() || error.is_closed() || error.is_canceled() => Transport::Closed,
        _ => Transport::Protocol,
    }
}

fn io_cause(error: &hyper::Error) -> Option<&io::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref() {
            return Some(io);
        }
        cause = error.source();
    }
    None
}

/// The message, and those of its causes that it does not say already.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
