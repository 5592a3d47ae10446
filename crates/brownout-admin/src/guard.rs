//! Who may ask.
//!
//! A page in a browser can send requests to loopback: by its own origin, or by a name that it lets point here. So a request is
//! refused whose `Host` is not this machine's, and one that says it comes from another page. Off loopback, everybody has to know
//! the token; the files of the live page, which tell nothing, are for everybody.

use std::net::SocketAddr;

use hyper::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN};
use hyper::http::uri::Authority;
use hyper::{HeaderMap, StatusCode};
use subtle::ConstantTimeEq;
use thiserror::Error;

/// Who may ask: everybody on this machine, or everybody with the token.
#[derive(Clone, Debug)]
pub struct Guard {
    token: Option<String>,
}

/// Why nobody could be kept out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GuardError {
    /// An address that others reach, and no token.
    #[error(
        "what listens at {0} can be reached from other machines, so it takes a token; give it one, or an address of loopback"
    )]
    Open(SocketAddr),
    /// A token that could be guessed or not be sent.
    #[error("a token has 16 to 256 visible ASCII characters, found {0} characters")]
    Token(usize),
}

/// Why a request is refused.
pub(crate) type Refusal = (StatusCode, String);

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

impl Guard {
    /// Of an API at `address`.
    ///
    /// # Errors
    /// Without a token where others reach it, and with one that is none.
    pub fn new(address: SocketAddr, token: Option<String>) -> Result<Self, GuardError> {
        match &token {
            None if !address.ip().is_loopback() => Err(GuardError::Open(address)),
            Some(token) if !(16..=256).contains(&token.len()) || !token.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Err(GuardError::Token(token.chars().count()))
            }
            _ => Ok(Self { token }),
        }
    }

    /// Refuses a request that may not be made.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        self.check_token(headers)?;
        self.check_open(headers)
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(token) = &self.token else { return Ok(()) };
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        if !bool::from(given.unwrap_or_default().as_bytes().ct_eq(token.as_bytes())) {
            let message = "this API takes a token; send it as `Authorization: Bearer TOKEN`";
            return Err((StatusCode::UNAUTHORIZED, message.to_owned()));
        }
        Ok(())
    }

    /// The same of a request for what takes no token: a browser that opens a page cannot send one.
    pub(crate) fn check_open(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(HOST).unwrap_or_default();
        if self.token.is_none() && !is_loopback(host) {
            let message =
                format!("this API answers to 127.0.0.1, [::1] and localhost only, and the host asked for is `{host}`");
            return Err((StatusCode::FORBIDDEN, message));
        }
        let of_another = |origin: &str| origin.split_once("://").is_none_or(|(_, of)| of != host);
        if text(ORIGIN).is_some_and(of_another)
            || text(FETCH_SITE).is_some_and(|site| site == "cross-site" || site == "same-site")
        {
            let origin = text(ORIGIN).unwrap_or("another page");
            return Err((
                StatusCode::FORBIDDEN,
                format!("this API takes nothing from other pages, and this comes from {origin}"),
            ));
        }
        Ok(())
    }
}

/// Whether a `Host` is a name of this machine that nobody else can have.
fn is_loopback(host: &str) -> bool {
    let Some(host) = host.parse::<Authority>().ok().filter(|own| !own.as_str().contains('@')) else { return false };
    let host = host.host();
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    address.is_ok_and(|address| address.is_loopback()) || host.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::{Guard, GuardError};
    use hyper::header::HeaderName;
    use hyper::{HeaderMap, StatusCode};

    const TOKEN: &str = "0123456789abcdef";

    fn asked(token: Option<&str>, headers: &[(&'static str, &str)]) -> Option<StatusCode> {
        let address = if token.is_some() { "0.0.0.0:7430" } else { "127.0.0.1:7430" };
        let guard = Guard::new(address.parse().unwrap(), token.map(ToOwned::to_owned)).unwrap();
        let pairs = headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        guard.check(&pairs.collect::<HeaderMap>()).err().map(|(status, _)| status)
    }

    #[test]
    fn loopback_is_for_this_machine() {
        for host in ["127.0.0.1:7430", "localhost", "[::1]:7430", "LOCALHOST:1", "127.9.9.9"] {
            assert_eq!(asked(None, &[("host", host)]), None, "{host}");
        }
        for host in
            ["evil.test:7430", "", "localhost.evil.test", "10.0.0.1", "127.0.0.1.evil.test", "x@localhost:7430/"]
        {
            assert_eq!(asked(None, &[("host", host)]), Some(StatusCode::FORBIDDEN), "{host}");
        }
    }

    #[test]
    fn no_page_of_another_origin() {
        let host = ("host", "127.0.0.1:7430");
        assert_eq!(asked(None, &[host, ("origin", "http://127.0.0.1:7430")]), None);
        for origin in ["http://evil.test", "http://127.0.0.1:9999", "null", "http://127.0.0.1:7430.evil.test"] {
            assert_eq!(asked(None, &[host, ("origin", origin)]), Some(StatusCode::FORBIDDEN), "{origin}");
        }
        assert_eq!(asked(None, &[host, ("sec-fetch-site", "cross-site")]), Some(StatusCode::FORBIDDEN));
        assert_eq!(asked(None, &[host, ("sec-fetch-site", "same-origin")]), None);
    }

    #[test]
    fn elsewhere_the_token_decides() {
        let host = ("host", "box.test:7430");
        assert_eq!(asked(Some(TOKEN), &[host]), Some(StatusCode::UNAUTHORIZED));
        assert_eq!(
            asked(Some(TOKEN), &[host, ("authorization", "Bearer 0123456789abcdeF")]),
            Some(StatusCode::UNAUTHORIZED)
        );
        assert_eq!(asked(Some(TOKEN), &[host, ("authorization", "Bearer 0123456789abcdef")]), None);
        let open = "0.0.0.0:7430".parse().unwrap();
        assert_eq!(Guard::new(open, None).unwrap_err(), GuardError::Open(open));
        assert_eq!(Guard::new(open, Some("short".to_owned())).unwrap_err(), GuardError::Token(5));
    }
}
