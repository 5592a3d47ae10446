//! Where requests go.

use brownout_draw::Seed;
use brownout_load::{Carried, Drawn};
use brownout_policy::Success;
use brownout_service::Effect;
use bytes::Bytes;
use hyper::header::{ACCEPT, CONNECTION, HeaderName, HeaderValue, USER_AGENT};
use hyper::{HeaderMap, Uri};
use rustls_pki_types::ServerName;
use thiserror::Error;

use crate::Trust;
use crate::tls::Tls;

/// A URL to call, taken apart once.
#[derive(Clone, Debug)]
pub struct Target {
    /// Name or address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The `Host` header.
    pub(crate) authority: HeaderValue,
    /// Path and query, as requests carry it.
    pub(crate) path: Uri,
    pub(crate) method: hyper::Method,
    /// What all requests carry, unless what is drawn for a call says otherwise.
    pub(crate) headers: HeaderMap,
    /// What they carry in any case.
    pub(crate) own: HeaderMap,
    /// Headers that say which client it is, unless they say something else.
    pub(crate) by_client: Vec<HeaderName>,
    /// What is sent behind the head; where it is empty, what is drawn for the call.
    pub(crate) body: Bytes,
    /// `None` for plain HTTP.
    pub(crate) tls: Option<Tls>,
    /// Whether it is called in HTTP/2.
    pub(crate) http2: bool,
    /// Whether connections are kept for the next request.
    pub(crate) keep_alive: bool,
    /// Which answers its callers take for a success.
    pub(crate) success: Success,
    /// What requests carry, and the run whose calls they are.
    carried: (Carried, Seed),
}

/// Why a URL cannot be called. Each message names the rule, the value found and the way out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TargetError {
    /// Not a URL with a scheme and a host.
    #[error("a URL names scheme and host, found `{0}`; write \"http://127.0.0.1:8080/\"")]
    NoHost(String),
    /// A scheme that is not spoken.
    #[error("a URL begins with http or https, found `{0}`")]
    Scheme(String),
    /// A port that is no port.
    #[error("a port is a number from 0 to 65535, found `{0}`; write \"http://127.0.0.1:8080/\"")]
    Port(String),
    /// A user name or password in the URL.
    #[error("a URL with a user name is not supported, found one for `{0}`; drop what stands before the @")]
    UserInfo(String),
    /// A host that no certificate can name.
    #[error("`{0}` is no host name that a certificate could carry")]
    HostName(String),
    /// A path on both sides.
    #[error("the URL has the path `{url}` and --path says `{path}`; drop one of the two")]
    TwoPaths {
        /// In the URL.
        url: String,
        /// Beside it.
        path: String,
    },
    /// A path that cannot be sent.
    #[error("a path begins with one `/` and has neither spaces nor `#`, found `{0}`")]
    Path(String),
    /// A method that cannot be sent.
    #[error("a method is a word such as GET, found `{0}`")]
    Method(String),
    /// A header that cannot be sent.
    #[error("a header has a name of letters, digits and dashes, and a value of visible characters, found `{0}`")]
    Header(String),
}

impl Target {
    /// Takes `url` apart.
    ///
    /// - `path`: in place of the URL's, which must then be empty or `/`.
    /// - `trust`: which certificates to accept where the scheme is `https`.
    ///
    /// # Errors
    /// When it cannot be called.
    pub fn new(url: &str, method: &str, path: Option<&str>, trust: &Trust) -> Result<Self, TargetError> {
        let uri: Uri = url.parse().map_err(|_| TargetError::NoHost(url.to_owned()))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(TargetError::NoHost(url.to_owned()));
        };
        if authority.as_str().contains('@') {
            return Err(TargetError::UserInfo(authority.host().to_owned()));
        }
        let port = authority.port_u16();
        if port.is_none() && authority.as_str() != authority.host() {
            return Err(TargetError::Port(authority.to_string()));
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let default_port = match scheme {
            "http" => 80,
            "https" => 443,
            other => return Err(TargetError::Scheme(other.to_owned())),
        };
        let server_name = || ServerName::try_from(host.clone()).map_err(|_| TargetError::HostName(host.clone()));
        Ok(Self {
            port: port.unwrap_or(default_port),
            authority: authority.as_str().parse().map_err(|_| TargetError::NoHost(url.to_owned()))?,
            path: path_of(&uri, path)?,
            method: method.parse().map_err(|_| TargetError::Method(method.to_owned()))?,
            headers: HeaderMap::from_iter([
                (USER_AGENT, HeaderValue::from_static(concat!("brownout/", env!("CARGO_PKG_VERSION")))),
                (ACCEPT, HeaderValue::from_static("*/*")),
            ]),
            own: HeaderMap::new(),
            by_client: Vec::new(),
            body: Bytes::new(),
            http2: false,
            keep_alive: true,
            tls: (scheme == "https").then(|| Ok(trust.tls(server_name()?))).transpose()?,
            host,
            success: Success::default(),
            carried: (Carried::NOTHING, Seed(0)),
        })
    }

    /// The same, with requests that carry this, as calls of a run with this seed.
    ///
    /// # Panics
    /// Never: what is carried has been checked.
    #[must_use]
    pub fn carrying(mut self, carried: Carried, seed: Seed) -> Self {
        for (name, value) in carried.headers() {
            let (name, value) = header(name, value).expect("checked");
            self.headers.insert(name, value);
        }
        Self { carried: (carried, seed), ..self }
    }

    /// The same, whose clients say their number in these headers as well, where a request says nothing else there: as each client has
    /// a value of its own in virtual time. What is no name of a header is left out.
    #[must_use]
    pub fn naming_clients<'h>(self, headers: impl Iterator<Item = &'h str>) -> Self {
        Self { by_client: headers.filter_map(|name| name.parse().ok()).collect(), ..self }
    }

    /// The same, whose callers take these answers for a success.
    #[must_use]
    pub fn succeeding_with(self, success: Success) -> Self {
        Self { success, ..self }
    }

    /// The same, called in HTTP/2: over TLS as agreed by ALPN, else by prior knowledge.
    #[must_use]
    pub fn over_http2(self) -> Self {
        Self { http2: true, ..self }
    }

    /// The same, with a connection for each request.
    #[must_use]
    pub fn without_keep_alive(mut self) -> Self {
        if !self.http2 {
            self.headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Self { keep_alive: false, ..self }
    }

    /// The header that all attempts of a call have alike and no other call has, and its value.
    pub(crate) fn key(&self, call: u64) -> Option<(&'static str, String)> {
        let (carried, seed) = &self.carried;
        Some((Effect::HEADER, carried.key(*seed, call)?))
    }

    /// The same, whose requests carry a header more.
    ///
    /// # Errors
    /// When it is none.
    pub fn with_header(mut self, name: &str, value: &str) -> Result<Self, TargetError> {
        let (name, value) = header(name, value)?;
        self.own.insert(name, value);
        Ok(self)
    }

    /// The same, whose requests carry this behind their heads.
    #[must_use]
    pub fn with_body(self, body: Bytes) -> Self {
        Self { body, ..self }
    }

    /// What call number `call` asks for, where calls differ in that.
    pub(crate) fn drawn(&self, call: u64) -> Option<Drawn<'_>> {
        let (carried, seed) = &self.carried;
        carried.drawn(*seed, call)
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), TargetError> {
    let pair = name.parse().ok().zip(value.parse().ok());
    pair.ok_or_else(|| TargetError::Header(name.to_owned()))
}

/// Path and query of `uri`, or `path` in place of an empty one.
fn path_of(uri: &Uri, path: Option<&str>) -> Result<Uri, TargetError> {
    let own = uri.path_and_query().map_or("/", |path| path.as_str());
    let rooted = format!("/{own}");
    let own = if own.starts_with('?') { rooted.as_str() } else { own };
    let path = match path {
        Some(path) if own != "/" => {
            return Err(TargetError::TwoPaths { url: own.to_owned(), path: path.to_owned() });
        }
        Some(path) => path,
        None => own,
    };
    let well_formed = path.starts_with('/') && !path.starts_with("//") && !path.contains('#');
    let parsed = well_formed.then(|| path.parse().ok()).flatten();
    parsed.ok_or_else(|| TargetError::Path(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::Target;
    use crate::Trust;

    #[track_caller]
    fn check(url: &str, path: Option<&str>, expected: &str) {
        let found = match Target::new(url, "GET", path, &Trust::default()) {
            Ok(target) => {
                let tls = if target.tls.is_some() { " tls" } else { "" };
                format!("{} {} {:?} {}{tls}", target.host, target.port, target.authority, target.path)
            }
            Err(error) => error.to_string(),
        };
        assert!(found.contains(expected), "{url}: {found}");
    }

    #[test]
    fn urls_are_taken_apart() {
        check("http://127.0.0.1:8080", None, "127.0.0.1 8080 \"127.0.0.1:8080\" /");
        check("http://example.test/a?b=c", None, "example.test 80 \"example.test\" /a?b=c");
        check("http://example.test?b=c", None, "/?b=c");
        check("https://[::1]/", Some("/x"), "::1 443 \"[::1]\" /x tls");
    }

    #[test]
    fn what_cannot_be_called_is_refused_with_the_way_out() {
        check("example.test", None, "a URL names scheme and host");
        check("/x", None, "a URL names scheme and host");
        check("", None, "a URL names scheme and host");
        check("ftp://example.test", None, "found `ftp`");
        check("http://me:pw@example.test", None, "found one for `example.test`; drop what stands before the @");
        check("http://example.test/a", Some("/b"), "drop one of the two");
        check("http://example.test:99999/", None, "a port is a number");
        check("http://example.test:/", None, "a port is a number");
        check("http://example.test", Some("b"), "begins with one `/`");
        check("http://example.test", Some("/a b"), "neither spaces");
        check("http://example.test", Some("/a#b"), "nor `#`");
    }
}
