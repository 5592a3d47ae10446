//! Requests that differ from call to call.

use std::borrow::Cow;
use std::fmt::Write;

use brownout_draw::{Seed, Stream, Weights, draw};
use thiserror::Error;

use crate::carried::{check_value, named};
use crate::{CarriedError, RequestLine, Template};

/// What the calls of a load ask for: one of several kinds of request, drawn for each call by weight, with values drawn for each
/// name in it. All attempts of a call send the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requests {
    kinds: Vec<Kind>,
    weights: Weights,
    values: Vec<(String, Values)>,
}

/// One kind of request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// How often it is drawn, in proportion to the others.
    pub weight: u64,
    /// In capitals as on the wire.
    pub method: String,
    /// With its query, if it has one.
    pub path: Template,
    /// By their names, written small.
    pub headers: Vec<(String, Template)>,
    /// Whether each call has an `Idempotency-Key` of its own.
    pub idempotency_key: bool,
    /// What is sent behind the head. Default: nothing.
    pub body: Option<Template>,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// One of these.
    Listed(Vec<String>),
    /// A whole number from the first to the second.
    Range(u64, u64),
}

/// The request of one call.
#[derive(Clone, Copy, Debug)]
pub struct Drawn<'r> {
    requests: &'r Requests,
    kind: &'r Kind,
    seed: Seed,
    call: u64,
}

/// Where a mistake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// In all of it.
    All,
    /// In the path of the kind at this place, from 0.
    Path(usize),
    /// In its headers.
    Headers(usize),
    /// In its body.
    Body(usize),
    /// In the values at this place.
    Values(usize),
}

/// Why these are no requests. Each message names the rule, the value found and the way out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RequestsError {
    /// Nothing to draw.
    #[error("a load asks for something: give it a request with a weight above 0")]
    Nothing,
    /// A name that stands for nothing.
    #[error(
        "no values are called `{name}`; give it some in `load.values`, or write `{{{{{name}}}}}` for the braces themselves"
    )]
    Unknown {
        /// Where it stands.
        at: Spot,
        /// The name.
        name: String,
    },
    /// Values that nothing asks for.
    #[error("no request has the name `{1}` in it; write `{{{1}}}` in one, or drop the values")]
    Unused(usize, String),
    /// Values that are none.
    #[error("values are 1 to 10000 texts of 1 to 1024 bytes, or whole numbers `from` one `to` another that is no less")]
    Values(usize),
    /// A path that cannot be sent.
    #[error(
        "a path begins with one `/` and has no `#` nor any of `\"<>\\^|` or a backtick, found `{1}`; write those as %23 and so on"
    )]
    Path(usize, String),
    /// Headers that cannot be sent, with some values.
    #[error("{1}")]
    Headers(usize, CarriedError),
    /// A body that is too large, with some values.
    #[error("a body has at most {max} bytes, and this one may have {1}; make it smaller", max = Requests::BODY_BYTES_MAX)]
    Body(usize, usize),
}

/// How many values a name has at the most, and how long each is.
const VALUES_MAX: usize = 10_000;
const VALUE_BYTES_MAX: usize = 1024;

impl RequestsError {
    /// Where it is.
    #[must_use]
    pub const fn spot(&self) -> Spot {
        match self {
            Self::Nothing => Spot::All,
            Self::Unknown { at, .. } => *at,
            Self::Unused(place, _) | Self::Values(place) => Spot::Values(*place),
            Self::Path(place, _) => Spot::Path(*place),
            Self::Headers(place, _) => Spot::Headers(*place),
            Self::Body(place, _) => Spot::Body(*place),
        }
    }
}

impl Values {
    fn pick(&self, draw: u64) -> Cow<'_, str> {
        let scaled = |count: u128| (u128::from(draw) * count) >> 64;
        match self {
            Self::Listed(texts) => texts[usize::try_from(scaled(texts.len() as u128)).unwrap_or(0)].as_str().into(),
            Self::Range(from, to) => {
                let above = scaled(u128::from(to - from) + 1);
                (u128::from(*from) + above).to_string().into()
            }
        }
    }

    fn is_fine(&self) -> bool {
        match self {
            Self::Listed(texts) => {
                (1..=VALUES_MAX).contains(&texts.len())
                    && texts.iter().all(|text| (1..=VALUE_BYTES_MAX).contains(&text.len()))
            }
            Self::Range(from, to) => from <= to,
        }
    }

    /// One that is as long as any.
    fn longest(&self) -> Cow<'_, str> {
        match self {
            Self::Listed(texts) => texts.iter().max_by_key(|text| text.len()).map_or("", String::as_str).into(),
            Self::Range(_, to) => to.to_string().into(),
        }
    }
}

impl Requests {
    /// The largest body.
    pub const BODY_BYTES_MAX: usize = 1 << 20;

    /// These kinds, with `values` by their names.
    ///
    /// # Errors
    /// When there is nothing to draw, names and values do not go together, or some value makes a request that cannot be sent.
    pub fn new(kinds: Vec<Kind>, values: Vec<(String, Values)>) -> Result<Self, RequestsError> {
        let weights = Weights::new(kinds.iter().map(|kind| kind.weight)).ok_or(RequestsError::Nothing)?;
        let small = |(place, kind): (usize, Kind)| {
            let Kind { headers, idempotency_key, .. } = kind;
            let headers = named(headers, idempotency_key).map_err(|error| RequestsError::Headers(place, error))?;
            Ok(Kind { headers, ..kind })
        };
        let kinds = kinds.into_iter().enumerate().map(small).collect::<Result<_, _>>()?;
        let requests = Self { kinds, weights, values };
        for (place, (_, values)) in requests.values.iter().enumerate() {
            if !values.is_fine() {
                return Err(RequestsError::Values(place));
            }
        }
        for (place, kind) in requests.kinds.iter().enumerate() {
            requests.check(place, kind)?;
        }
        for (place, (name, _)) in requests.values.iter().enumerate() {
            let used = |kind: &Kind| kind.templates(0).any(|(_, template)| template.names().any(|used| used == name));
            if !requests.kinds.iter().any(used) {
                return Err(RequestsError::Unused(place, name.clone()));
            }
        }
        Ok(requests)
    }

    fn check(&self, place: usize, kind: &Kind) -> Result<(), RequestsError> {
        for (at, template) in kind.templates(place) {
            if let Some(name) = template.names().find(|name| self.values(name).is_none()) {
                return Err(RequestsError::Unknown { at, name: name.to_owned() });
            }
        }
        let path = kind.path.fill(|name| encoded(&self.values(name).map(Values::longest).unwrap_or_default()).into());
        let fine = |byte: u8| byte.is_ascii_graphic() && !b"#\"<>\\^|`".contains(&byte);
        if !path.starts_with('/') || path.starts_with("//") || !path.bytes().all(fine) {
            return Err(RequestsError::Path(place, path));
        }
        for (name, template) in &kind.headers {
            let refuse = |error| RequestsError::Headers(place, error);
            let longest = template.fill(|name| self.values(name).map(Values::longest).unwrap_or_default());
            check_value(name, &longest).map_err(refuse)?;
            let listed = template.names().filter_map(|name| match self.values(name) {
                Some(Values::Listed(texts)) => Some(texts),
                _ => None,
            });
            listed.flatten().try_for_each(|text| check_value(name, text)).map_err(refuse)?;
        }
        if let Some(body) = &kind.body {
            let longest = body.fill(|name| self.values(name).map(Values::longest).unwrap_or_default()).len();
            if longest > Self::BODY_BYTES_MAX {
                return Err(RequestsError::Body(place, longest));
            }
        }
        Ok(())
    }

    /// The request of call number `call` in a run with this seed.
    #[must_use]
    pub fn drawn(&self, seed: Seed, call: u64) -> Drawn<'_> {
        let kind = &self.kinds[self.weights.choose(draw(seed, Stream::REQUEST, call, 0))];
        Drawn { requests: self, kind, seed, call }
    }

    /// A request of the kind that is drawn most often, for those who look at one alone.
    #[must_use]
    pub fn usual(&self) -> RequestLine {
        // Of equal weights the first.
        let most = self.kinds.iter().rev().max_by_key(|kind| kind.weight).expect("at least one kind");
        let first = |name: &str| self.values(name).map(|values| values.pick(0)).unwrap_or_default();
        RequestLine { method: most.method.clone(), path: most.path.fill(|name| encoded(&first(name)).into()) }
    }

    /// How many kinds there are.
    #[must_use]
    pub const fn kinds(&self) -> usize {
        self.kinds.len()
    }

    fn values(&self, name: &str) -> Option<&Values> {
        self.values.iter().find(|(own, _)| own == name).map(|(_, values)| values)
    }
}

impl Kind {
    /// All texts with names in them, of the kind at `place`.
    fn templates(&self, place: usize) -> impl Iterator<Item = (Spot, &Template)> {
        let headers = self.headers.iter().map(move |(_, template)| (Spot::Headers(place), template));
        let body = self.body.iter().map(move |body| (Spot::Body(place), body));
        std::iter::once((Spot::Path(place), &self.path)).chain(headers).chain(body)
    }
}

impl<'r> Drawn<'r> {
    /// Method and path; values in the path are percent-encoded where they have to be.
    #[must_use]
    pub fn line(&self) -> RequestLine {
        let path = self.kind.path.fill(|name| encoded(&self.value(name)).into());
        RequestLine { method: self.kind.method.clone(), path }
    }

    /// Names and values of its headers.
    pub fn headers(&self) -> impl Iterator<Item = (&'r str, String)> {
        let drawn = *self;
        drawn.kind.headers.iter().map(move |(name, template)| (name.as_str(), template.fill(|name| drawn.value(name))))
    }

    /// The value of the header called `name`, written small.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let (_, template) = self.kind.headers.iter().find(|(own, _)| own == name)?;
        Some(template.fill(|name| self.value(name)))
    }

    /// Whether it has an `Idempotency-Key` of its own.
    #[must_use]
    pub const fn has_key(&self) -> bool {
        self.kind.idempotency_key
    }

    /// What is sent behind the head.
    #[must_use]
    pub fn body(&self) -> Option<String> {
        Some(self.kind.body.as_ref()?.fill(|name| self.value(name)))
    }

    fn value(&self, name: &str) -> Cow<'r, str> {
        let drawn = draw(self.seed, Stream::VALUE.within(name), self.call, 0);
        self.requests.values(name).map(|values| values.pick(drawn)).unwrap_or_default()
    }
}

/// The text as a path or a query has it: all but letters, digits and `-._~` as percent signs and hexadecimal digits. Source: RFC 3986,
/// section 2.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::{Kind, Requests, RequestsError, Spot, Values, encoded};
    use crate::Template;
    use brownout_draw::Seed;

    fn kind(weight: u64, method: &str, path: &str) -> Kind {
        let (method, path) = (method.to_owned(), Template::parse(path));
        Kind { weight, method, path, headers: vec![], idempotency_key: false, body: None }
    }

    fn listed(name: &str, texts: &[&str]) -> (String, Values) {
        (name.to_owned(), Values::Listed(texts.iter().map(|text| (*text).to_owned()).collect()))
    }

    fn mix() -> Requests {
        let get = Kind {
            headers: vec![("x-tenant".to_owned(), Template::parse("t-{user}"))],
            ..kind(3, "GET", "/users/{user}/orders?page={page}")
        };
        let post = Kind {
            body: Some(Template::parse("{\"user\": \"{user}\"}")),
            idempotency_key: true,
            ..kind(1, "POST", "/orders")
        };
        let values = vec![listed("user", &["alice", "bob", "carol c"]), ("page".to_owned(), Values::Range(1, 50))];
        Requests::new(vec![get, post], values).unwrap()
    }

    /// What is off by more than five standard deviations of a share `p` of `n`.
    fn is_far(count: usize, n: usize, p: f64) -> bool {
        (count as f64 - n as f64 * p).abs() > 5.0 * (n as f64 * p * (1.0 - p)).sqrt()
    }

    #[test]
    fn kinds_and_values_come_as_often_as_they_should_and_apart_from_each_other() {
        let (mix, n) = (mix(), 20_000);
        for seed in [1, 2, 3] {
            let drawn: Vec<_> = (1..=n as u64).map(|call| mix.drawn(Seed(seed), call)).collect();
            let gets: Vec<_> = drawn.iter().filter(|drawn| drawn.kind.method == "GET").collect();
            assert!(!is_far(gets.len(), n, 0.75), "{} of {n}", gets.len());
            for (user, path) in [("alice", "alice"), ("bob", "bob"), ("carol c", "carol%20c")] {
                let of = |path: &str| {
                    gets.iter().filter(|drawn| drawn.line().path.starts_with(&format!("/users/{path}/"))).count()
                };
                assert!(!is_far(of(path), gets.len(), 1.0 / 3.0), "{user}: {}", of(path));
                let body = format!("{{\"user\": \"{user}\"}}");
                let bodies = drawn.iter().filter(|drawn| drawn.body().as_ref() == Some(&body)).count();
                assert!(!is_far(bodies, n, 0.25 / 3.0), "{user}: {bodies}");
            }
            for page in [1, 25, 50] {
                let of = gets.iter().filter(|drawn| drawn.line().path.ends_with(&format!("?page={page}"))).count();
                assert!(!is_far(of, gets.len(), 0.02), "{page}: {of}");
            }
            let both = gets.iter().filter(|drawn| drawn.line().path == "/users/bob/orders?page=7").count();
            assert!(!is_far(both, gets.len(), 0.02 / 3.0), "{both}");
        }
    }

    #[test]
    fn a_call_has_one_request_and_one_value_for_each_name() {
        let mix = mix();
        let whole = |seed, call| {
            let drawn = mix.drawn(Seed(seed), call);
            (drawn.line(), drawn.headers().collect::<Vec<_>>(), drawn.body(), drawn.has_key())
        };
        let all = |seed| (1..100).map(|call| whole(seed, call)).collect::<Vec<_>>();
        assert_eq!(all(1), all(1));
        assert_ne!(all(1), all(2));
        for (line, headers, body, key) in all(1) {
            if line.method == "POST" {
                assert!(key && headers.is_empty() && body.is_some() && line.path == "/orders");
                continue;
            }
            let user = headers[0].1.strip_prefix("t-").unwrap();
            assert!(line.path.starts_with(&format!("/users/{}/", encoded(user))), "{line:?} {headers:?}");
        }
        assert_eq!((mix.usual().method.as_str(), mix.usual().path.as_str()), ("GET", "/users/alice/orders?page=1"));
    }

    #[test]
    fn values_in_paths_are_encoded() {
        assert_eq!(encoded("a-Z0._~"), "a-Z0._~");
        assert_eq!(encoded("a/b?c=%&\u{e9} {"), "a%2Fb%3Fc%3D%25%26%C3%A9%20%7B");
    }

    #[test]
    fn what_cannot_be_asked_for_is_refused() {
        let refused = |kind: Kind, values: &[(String, Values)], spot| {
            let error = Requests::new(vec![kind], values.to_vec()).unwrap_err();
            assert_eq!(error.spot(), spot, "{error}");
            error.to_string()
        };
        let user = listed("user", &["ann"]);
        assert_eq!(Requests::new(vec![kind(0, "GET", "/")], vec![]), Err(RequestsError::Nothing));
        let words = refused(kind(1, "GET", "/{usr}"), std::slice::from_ref(&user), Spot::Path(0));
        assert!(words.contains("no values are called `usr`") && words.contains("`{{usr}}`"), "{words}");
        assert!(refused(kind(1, "GET", "/"), std::slice::from_ref(&user), Spot::Values(0)).contains("`{user}` in one"));
        for values in [Values::Listed(vec![]), Values::Listed(vec![String::new()]), Values::Range(2, 1)] {
            refused(kind(1, "GET", "/{user}"), &[("user".to_owned(), values)], Spot::Values(0));
        }
        for path in ["a", "//a", "/a b", "/a#b", "/<{user}>"] {
            refused(
                kind(1, "GET", path),
                &std::slice::from_ref(&user)[..usize::from(path.contains('{'))],
                Spot::Path(0),
            );
        }
        let with = |name: &str, value: &str| Kind {
            headers: vec![(name.to_owned(), Template::parse(value))],
            ..kind(1, "GET", "/")
        };
        refused(with("Host", "{user}"), &[user], Spot::Headers(0));
        refused(with("a", "{user}"), &[listed("user", &["ann", "b\r\nc: d"])], Spot::Headers(0));
        refused(with("a", "{user}{user}"), &[listed("user", &["x".repeat(600).as_str()])], Spot::Headers(0));
        let body = Kind { body: Some(Template::parse(&"{user}".repeat(1025))), ..kind(1, "POST", "/") };
        assert!(refused(body, &[listed("user", &["x".repeat(1024).as_str()])], Spot::Body(0)).contains("1049600"));
    }
}
