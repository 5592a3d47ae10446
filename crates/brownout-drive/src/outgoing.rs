//! A request as it goes on the wire.

use std::time::Duration;

use brownout_load::{Drawn, RequestLine};
use brownout_service::{Identity, LimitKey, TimeLeft};
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request, Uri, Version};

use crate::Target;

/// The request of one attempt.
#[derive(Debug)]
pub(crate) struct Outgoing<'t> {
    target: &'t Target,
    /// Which client sends it.
    client: u32,
    identity: Identity,
    drawn: Option<(RequestLine, Drawn<'t>)>,
    body: Bytes,
}

impl<'t> Outgoing<'t> {
    /// The request of attempt `identity` of `client`: what is drawn for its call, where calls differ, with what `target` says of all.
    pub(crate) fn new(target: &'t Target, client: u32, identity: Identity) -> Self {
        let drawn = target.drawn(identity.request).map(|drawn| (drawn.line(), drawn));
        let own_body = || drawn.as_ref().and_then(|(_, drawn)| drawn.body()).map(Bytes::from);
        let body = if target.body.is_empty() { own_body().unwrap_or_default() } else { target.body.clone() };
        Self { target, client, identity, drawn, body }
    }

    /// Whether the answer has a body; that of a HEAD has none.
    pub(crate) fn is_answered_with_a_body(&self) -> bool {
        self.method() != Method::HEAD.as_str()
    }

    /// In the words of HTTP/1.1. The service is told how long its answer is still waited for, where that has an end.
    pub(crate) fn http1(&self, left: Option<Duration>, to: &mut Vec<u8>) {
        to.extend_from_slice(self.method().as_bytes());
        to.push(b' ');
        to.extend_from_slice(self.path().as_bytes());
        to.extend_from_slice(b" HTTP/1.1\r\nhost: ");
        to.extend_from_slice(self.target.authority.as_bytes());
        to.extend_from_slice(b"\r\n");
        self.headers(left, |name, value| {
            to.extend_from_slice(name.as_bytes());
            to.extend_from_slice(b": ");
            to.extend_from_slice(value);
            to.extend_from_slice(b"\r\n");
        });
        to.extend_from_slice(b"\r\n");
        to.extend_from_slice(&self.body);
    }

    /// In the words of HTTP/2.
    pub(crate) fn http2(&self, left: Option<Duration>) -> Request<Full<Bytes>> {
        let Target { authority, tls, .. } = self.target;
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method().parse().expect("targets and scenarios have checked their methods");
        *request.version_mut() = Version::HTTP_2;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let uri = Uri::builder().scheme(scheme).authority(authority.as_bytes()).path_and_query(self.path());
        *request.uri_mut() = uri.build().expect("targets and scenarios have checked their paths");
        self.headers(left, |name, value| {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("checked where it came from");
            request.headers_mut().insert(name, HeaderValue::from_bytes(value).expect("checked where it came from"));
        });
        request
    }

    fn method(&self) -> &str {
        self.drawn.as_ref().map_or(self.target.method.as_str(), |(line, _)| line.method.as_str())
    }

    fn path(&self) -> &str {
        let own = || self.target.path.path_and_query().map_or("/", |path| path.as_str());
        self.drawn.as_ref().map_or_else(own, |(line, _)| line.path.as_str())
    }

    /// All headers but that of the host: what the target says in any case goes before what is drawn, and that before what it says of all.
    fn headers(&self, left: Option<Duration>, mut put: impl FnMut(&str, &[u8])) {
        let Target { headers, own, by_client, .. } = self.target;
        let drawn = self.drawn.as_ref().map(|(_, drawn)| drawn);
        for (name, value) in headers {
            let name = name.as_str();
            if !own.contains_key(name) && drawn.is_none_or(|drawn| drawn.header(name).is_none()) {
                put(name, value.as_bytes());
            }
        }
        for (name, value) in drawn.into_iter().flat_map(Drawn::headers) {
            if !own.contains_key(name) {
                put(name, value.as_bytes());
            }
        }
        own.iter().for_each(|(name, value)| put(name.as_str(), value.as_bytes()));
        let mut digits = itoa::Buffer::new();
        // Who sends something with these methods says how much, even if it is nothing.
        if !self.body.is_empty() || matches!(self.method(), "POST" | "PUT" | "PATCH") {
            put("content-length", digits.format(self.body.len()).as_bytes());
        }
        for name in by_client {
            let said = own.contains_key(name) || headers.contains_key(name);
            if !said && drawn.is_none_or(|drawn| drawn.header(name.as_str()).is_none()) {
                put(name.as_str(), digits.format(self.client).as_bytes());
            }
        }
        put(Identity::REQUEST_HEADER, digits.format(self.identity.request).as_bytes());
        put(Identity::ATTEMPT_HEADER, digits.format(self.identity.attempt.get()).as_bytes());
        put(LimitKey::CLIENT_HEADER, digits.format(self.client).as_bytes());
        if let Some((name, key)) = self.target.key(self.identity.request) {
            put(name, key.as_bytes());
        }
        if let Some(left) = left {
            put(TimeLeft::HEADER, TimeLeft(left).to_string().as_bytes());
        }
    }
}
