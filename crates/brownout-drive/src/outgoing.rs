//! A request as it goes on the wire.

use std::time::Duration;

use brownout_service::{Identity, LimitKey, TimeLeft};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Uri, Version};

use crate::Target;

/// The request of one attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing<'t> {
    pub(crate) target: &'t Target,
    /// Which client sends it.
    pub(crate) client: u32,
    pub(crate) identity: Identity,
}

impl Outgoing<'_> {
    /// In the words of HTTP/1.1. The service is told how long its answer is still waited for, where that has an end.
    pub(crate) fn http1(&self, left: Option<Duration>, to: &mut Vec<u8>) {
        let Target { method, path, authority, headers, .. } = self.target;
        let path = path.path_and_query().map_or("/", |path| path.as_str());
        to.extend_from_slice(method.as_str().as_bytes());
        to.push(b' ');
        to.extend_from_slice(path.as_bytes());
        to.extend_from_slice(b" HTTP/1.1\r\n");
        let mut put = |name: &str, value: &[u8]| {
            to.extend_from_slice(name.as_bytes());
            to.extend_from_slice(b": ");
            to.extend_from_slice(value);
            to.extend_from_slice(b"\r\n");
        };
        put("host", authority.as_bytes());
        headers.iter().for_each(|(name, value)| put(name.as_str(), value.as_bytes()));
        self.own(left, |name, value| put(name, value.as_bytes()));
        to.extend_from_slice(b"\r\n");
    }

    /// In the words of HTTP/2.
    pub(crate) fn http2(&self, left: Option<Duration>) -> Request<Empty<Bytes>> {
        let Target { method, path, authority, headers, tls, .. } = self.target;
        let mut request = Request::new(Empty::new());
        *request.method_mut() = method.clone();
        *request.version_mut() = Version::HTTP_2;
        let mut uri = path.clone().into_parts();
        uri.scheme = Some(if tls.is_some() { "https" } else { "http" }.parse().expect("a scheme"));
        uri.authority = authority.to_str().ok().and_then(|authority| authority.parse().ok());
        *request.uri_mut() = Uri::from_parts(uri).expect("a target has all parts");
        let mut all: HeaderMap = headers.clone();
        self.own(left, |name, value| {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("our own");
            all.insert(name, HeaderValue::from_str(value).expect("visible characters"));
        });
        *request.headers_mut() = all;
        request
    }

    /// The headers that no other attempt has.
    fn own(&self, left: Option<Duration>, mut put: impl FnMut(&str, &str)) {
        let mut digits = itoa::Buffer::new();
        put(Identity::REQUEST_HEADER, digits.format(self.identity.request));
        put(Identity::ATTEMPT_HEADER, digits.format(self.identity.attempt.get()));
        put(LimitKey::CLIENT_HEADER, digits.format(self.client));
        if let Some((name, key)) = self.target.key(self.identity.request) {
            put(name, &key);
        }
        if let Some(left) = left {
            put(TimeLeft::HEADER, &TimeLeft(left).to_string());
        }
    }
}
