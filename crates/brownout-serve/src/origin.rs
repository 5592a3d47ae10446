//! Where a request comes from, as far as that decides where it lands.

use std::net::IpAddr;

use brownout_service::{LimitKey, Sticky, limit_key};
use hyper::HeaderMap;
use hyper::header::HeaderValue;

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) address: IpAddr,
    /// Which of the connections that were accepted, from 0.
    pub(crate) connection: u64,
}

impl Origin {
    /// What a request with these `headers` has in common with others that land where it does.
    pub(crate) fn key(&self, sticky: &Sticky, headers: &HeaderMap) -> Option<u64> {
        let address = || limit_key(self.address.to_string().as_bytes());
        let value = |name: &str| headers.get(name).map(HeaderValue::as_bytes).filter(|value| !value.is_empty());
        match sticky {
            Sticky::Nothing => None,
            Sticky::Connection => Some(self.connection),
            Sticky::Client => Some(value(LimitKey::CLIENT_HEADER).map_or_else(address, client)),
            Sticky::Address => Some(address()),
            Sticky::Header(name) => value(name).map(limit_key),
        }
    }
}

/// A client by its number, as brownout's own have, or by the fingerprint of whatever it says.
fn client(text: &[u8]) -> u64 {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.unwrap_or_else(|| limit_key(text))
}
