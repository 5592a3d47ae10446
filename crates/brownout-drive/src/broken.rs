//! How an exchange broke, told from what the socket said.

use std::error::Error;
use std::io::{self, ErrorKind};

use brownout_policy::Transport;
use h2::Reason;

/// A broken exchange: its kind for the policy, its words for people.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) transport: Transport,
    pub(crate) error: String,
    /// Whether it is this machine that had not what it takes.
    pub(crate) own: bool,
}

impl Broken {
    pub(crate) fn new(transport: Transport, error: &dyn Error) -> Self {
        Self { transport, error: with_causes(error), own: false }
    }

    /// Somebody ended the connection before the answer was whole.
    pub(crate) const fn closed(error: String) -> Self {
        Self { transport: Transport::Closed, error, own: false }
    }

    /// What came is not what the protocol lets come.
    pub(crate) const fn protocol(error: String) -> Self {
        Self { transport: Transport::Protocol, error, own: false }
    }

    /// There was no connection.
    pub(crate) fn connect(host: &str, port: u16, error: &io::Error) -> Self {
        // No descriptor left, of the process or of the system, and no port.
        let own =
            error.raw_os_error().is_some_and(|code| OWN.contains(&code)) || error.kind() == ErrorKind::AddrNotAvailable;
        Self { transport: Transport::Connect, error: format!("connect to {host}:{port}: {error}"), own }
    }

    /// From what the socket says of a connection that was made.
    pub(crate) fn io(error: &io::Error) -> Self {
        Self::new(of_kind(error.kind()).unwrap_or(Transport::Protocol), error)
    }

    /// From what hyper says of a connection that was made.
    pub(crate) fn of(error: &hyper::Error) -> Self {
        Self::new(transport(error), error)
    }
}

/// `ENFILE` and `EMFILE`, the same number on all systems that have them.
const OWN: [i32; 2] = [23, 24];

fn of_kind(kind: ErrorKind) -> Option<Transport> {
    match kind {
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Some(Transport::Reset),
        ErrorKind::UnexpectedEof => Some(Transport::Closed),
        _ => None,
    }
}

fn transport(error: &hyper::Error) -> Transport {
    if let Some(told) = cause::<h2::Error>(error).and_then(of_stream) {
        return told;
    }
    match cause::<io::Error>(error).and_then(|error| of_kind(error.kind())) {
        Some(transport) => transport,
        None if error.is_incomplete_message() || error.is_closed() || error.is_canceled() => Transport::Closed,
        None => Transport::Protocol,
    }
}

/// From what ended a stream of HTTP/2: one that was refused, or whose connection was to be left, was not worked on.
fn of_stream(error: &h2::Error) -> Option<Transport> {
    match error.get_io() {
        Some(error) => of_kind(error.kind()),
        None if error.is_go_away() || error.reason() == Some(Reason::REFUSED_STREAM) => Some(Transport::Closed),
        None if error.is_reset() => Some(Transport::Reset),
        None => None,
    }
}

fn cause<E: Error + 'static>(error: &hyper::Error) -> Option<&E> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(wanted) = error.downcast_ref() {
            return Some(wanted);
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
