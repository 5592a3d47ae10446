//! Which requests a route takes.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::Request;

/// A method (or any) and a path whose segments are literal or `{named}`, as in `POST /payments/{id}`.
///
/// Segments are compared as they stand on the wire, without decoding; a trailing slash is a segment of its own.
///
/// ```
/// use brownout_service::{Pattern, Request};
///
/// let pattern: Pattern = "POST /payments/{id}".parse()?;
/// assert!(pattern.matches(&Request { method: "POST", path: "/payments/17" }));
/// assert!(!pattern.matches(&Request { method: "GET", path: "/payments/17" }));
/// # Ok::<(), brownout_service::PatternError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    method: Option<String>,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Named(String),
}

/// Why a text is no pattern. Each message names the rule, the value found and the way out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PatternError {
    /// No path, or one that does not begin with a slash.
    #[error("a route matches a path that begins with `/`, found `{0}`; write \"/orders\" or \"GET /orders\"")]
    NoPath(String),
    /// A method that no client sends.
    #[error("a method is a word in capitals such as GET, found `{0}`")]
    Method(String),
    /// A segment that is neither literal nor one whole name.
    #[error("a segment is plain text or one `{{name}}`, found `{0}`; use visible ASCII without quotes, braces or `?`")]
    Segment(String),
    /// One name for two segments.
    #[error("the name `{{{0}}}` stands twice in one path; rename one")]
    NameTwice(String),
}

impl Pattern {
    /// Whether the pattern takes this request.
    #[must_use]
    pub fn matches(&self, request: &Request<'_>) -> bool {
        let Some(rest) = request.path.strip_prefix('/') else { return false };
        let mut given = rest.split('/');
        self.method.as_ref().is_none_or(|method| method == request.method)
            && self.segments.iter().all(|segment| given.next().is_some_and(|text| segment.takes(text)))
            && given.next().is_none()
    }

    /// Whether every request that `other` takes is taken by this one too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let method = self.method.is_none() || self.method == other.method;
        method
            && self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(|(own, other)| own.covers(other))
    }

    /// Whether `word` is a method as clients send them: a capital, then capitals, digits, `-` or `_`.
    #[must_use]
    pub fn is_method(word: &str) -> bool {
        let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        word.starts_with(|c: char| c.is_ascii_uppercase()) && word.bytes().all(plain)
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Segment {
    /// A named segment takes any text but the empty one.
    fn takes(&self, text: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == text,
            Self::Named(_) => !text.is_empty(),
        }
    }

    /// Whether it takes every text that `other` takes.
    fn covers(&self, other: &Self) -> bool {
        match other {
            Self::Literal(text) => self.takes(text),
            Self::Named(_) => matches!(self, Self::Named(_)),
        }
    }
}

impl FromStr for Segment {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_graphic() && !"{}\"?#".contains(c));
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(name) if !name.is_empty() && plain(name) => Ok(Self::Named(name.to_owned())),
            None if plain(text) => Ok(Self::Literal(text.to_owned())),
            _ => Err(PatternError::Segment(text.to_owned())),
        }
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (method, path) = match text.split_once(' ') {
            Some(("", _)) => return Err(PatternError::NoPath(text.to_owned())),
            Some((method, path)) => (Some(method), path.trim_start()),
            None => (None, text),
        };
        let Some(rest) = path.strip_prefix('/') else {
            return Err(PatternError::NoPath(text.to_owned()));
        };
        if let Some(found) = method.filter(|method| !Self::is_method(method)) {
            return Err(PatternError::Method(found.to_owned()));
        }
        let segments: Vec<Segment> = rest.split('/').map(str::parse).collect::<Result<_, _>>()?;
        for (position, segment) in segments.iter().enumerate() {
            if let Segment::Named(name) = segment
                && segments[..position].contains(segment)
            {
                return Err(PatternError::NameTwice(name.clone()));
            }
        }
        Ok(Self { text: text.to_owned(), method: method.map(str::to_owned), segments })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;
    use crate::Request;
    use proptest::prelude::*;

    fn pattern(text: &str) -> Pattern {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check(text: &str, method: &str, path: &str, expected: bool) {
        assert_eq!(pattern(text).matches(&Request { method, path }), expected, "{text} against {method} {path}");
    }

    #[test]
    fn methods_and_segments() {
        check("/", "GET", "/", true);
        check("/", "GET", "/x", false);
        check("GET /orders", "GET", "/orders", true);
        check("GET /orders", "POST", "/orders", false);
        check("/orders", "DELETE", "/orders", true);
        check("/orders/{id}/lines", "GET", "/orders/7/lines", true);
        check("/orders/{id}", "GET", "/orders/", false);
        check("/orders/{id}", "GET", "/orders/7/", false);
        check("/orders", "OPTIONS", "*", false);
    }

    #[test]
    fn covering() {
        assert!(pattern("/orders/{id}").covers(&pattern("GET /orders/new")));
        assert!(pattern("/{a}/{b}").covers(&pattern("/{x}/{y}")));
        assert!(!pattern("GET /orders/{id}").covers(&pattern("/orders/new")));
        assert!(!pattern("/orders/new").covers(&pattern("/orders/{id}")));
        assert!(!pattern("/{a}").covers(&pattern("/{a}/{b}")));
        assert!(!pattern("/{a}").covers(&pattern("/")));
    }

    const SEGMENTS: [&str; 4] = ["", "a", "b", "{x}"];

    proptest! {
        #[test]
        fn what_covers_a_pattern_takes_all_that_it_takes(
            one in prop::collection::vec(0..SEGMENTS.len(), 1..4),
            other in prop::collection::vec(0..SEGMENTS.len(), 1..4),
            path in prop::collection::vec(0..3_usize, 1..4),
        ) {
            let text = |segments: &[usize]| segments.iter().map(|s| format!("/{}", SEGMENTS[*s])).collect::<String>();
            let (Ok(one), Ok(other)) = (text(&one).parse::<Pattern>(), text(&other).parse::<Pattern>()) else {
                return Ok(());
            };
            let path = text(&path);
            let request = Request { method: "GET", path: &path };
            prop_assert!(!one.covers(&other) || !other.matches(&request) || one.matches(&request));
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_the_way_out() {
        let refusal = |text: &str| text.parse::<Pattern>().unwrap_err().to_string();
        assert!(refusal("orders").contains("begins with `/`"));
        assert!(refusal(" /orders").contains("begins with `/`"));
        assert!(refusal("get /orders").contains("in capitals such as GET, found `get`"));
        assert!(refusal("/orders/{id").contains("found `{id`"));
        assert!(refusal("/orders?x=1").contains("found `orders?x=1`"));
        assert!(refusal("/{a}/{a}").contains("rename one"));
        assert!(refusal("/größe").contains("visible ASCII"));
    }
}
