//! Who asks, as the journal knows it.

use std::fmt;
use std::net::IpAddr;

/// Who sent a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// What it says of itself in `x-brownout-client`, [`CHARS`](Self::CHARS) of it at the most.
    Named(Box<str>),
    /// What the header says that a limit of the service tells clients apart by, as a fingerprint: it may be a secret.
    Keyed(Box<str>),
    /// Where it comes from, where it says nothing.
    Address(IpAddr),
}

impl Client {
    /// How much is kept of what a client says.
    pub const CHARS: usize = 64;

    /// Who says this of itself.
    pub(crate) fn named(name: &str) -> Self {
        Self::Named(name.chars().take(Self::CHARS).collect::<String>().into())
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Named(text) | Self::Keyed(text) => text.len(),
            Self::Address(_) => 0,
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => write!(f, "client {name}"),
            Self::Keyed(key) => f.write_str(key),
            Self::Address(address) => address.fmt(f),
        }
    }
}
