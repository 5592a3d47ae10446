//! What every call carries beside what it asks for, and what it asks for where calls differ in that.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use brownout_draw::Seed;
use brownout_service::Effect;
use thiserror::Error;

use crate::{Drawn, Requests};

/// The headers of the requests of a load, or all of them where each call draws its own. Over sockets a request has others besides,
/// which say how it is sent and who sends it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Carried {
    headers: Vec<(String, String)>,
    idempotency_key: bool,
    requests: Option<Arc<Requests>>,
}

/// Why requests cannot carry something. Each message names the rule, the value found and the way out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CarriedError {
    /// Too many headers.
    #[error("a request has at most {max} headers of its own, found {0}; drop some", max = Carried::HEADERS_MAX)]
    Headers(usize),
    /// No name of a header.
    #[error("a header has a name of letters, digits and dashes, found `{0}`; write one such as \"x-api-key\"")]
    Name(String),
    /// A header that is not the scenario's.
    #[error("the header `{0}` tells how a request is sent or who sends it, which is the client's own; drop it")]
    Own(String),
    /// A header twice.
    #[error("the header `{0}` is given twice; drop one")]
    Twice(String),
    /// A value for all calls beside one for each.
    #[error("with `idempotency_key` each call has a value of its own for the header `{0}`; drop one of the two")]
    KeyTwice(String),
    /// No value of a header.
    #[error("the header `{0}` has a value of 1 to 1024 visible ASCII characters; change it")]
    Value(String),
}

/// Headers that tell how a request is sent.
const OWN: [&str; 9] =
    ["connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

/// What the headers begin with that tell who sends it.
const OUR_OWN: &str = "x-brownout-";

/// The longest value of a header.
const VALUE_MAX: usize = 1024;

impl Carried {
    /// Nothing.
    pub const NOTHING: Self = Self { headers: Vec::new(), idempotency_key: false, requests: None };

    /// The most headers.
    pub const HEADERS_MAX: usize = 32;

    /// The same `headers` on every request, their names written small, and an `Idempotency-Key` of its own on all attempts of
    /// each call, if asked for.
    ///
    /// # Errors
    /// When one of them is out of bounds, or two do not go together.
    pub fn new(headers: Vec<(String, String)>, idempotency_key: bool) -> Result<Self, CarriedError> {
        let headers = named(headers, idempotency_key)?;
        headers.iter().try_for_each(|(name, value)| check_value(name, value))?;
        Ok(Self { headers, idempotency_key, requests: None })
    }

    /// Requests that each call draws for itself.
    #[must_use]
    pub fn drawing(requests: Requests) -> Self {
        Self { requests: Some(Arc::new(requests)), ..Self::NOTHING }
    }

    /// Among which requests each call draws, where it does.
    #[must_use]
    pub fn requests(&self) -> Option<&Requests> {
        self.requests.as_deref()
    }

    /// The request of call number `call` in a run with this seed, where calls differ in what they ask for.
    #[must_use]
    #[inline]
    pub fn drawn(&self, seed: Seed, call: u64) -> Option<Drawn<'_>> {
        self.requests.as_ref().map(|requests| requests.drawn(seed, call))
    }

    /// The headers that all requests have alike.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The value of the header called `name`, written small, where all requests have the same.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The `Idempotency-Key` of all attempts of call number `call` in a run with this seed, where calls have one.
    ///
    /// No two calls of a run have the same, whatever cohort they are of, nor do calls of runs with different seeds.
    ///
    /// ```
    /// use brownout_draw::Seed;
    /// use brownout_load::Carried;
    ///
    /// let carried = Carried::new(vec![], true)?;
    /// assert_eq!(carried.key(Seed(42), 17).as_deref(), Some("brownout-42-17"));
    /// # Ok::<(), brownout_load::CarriedError>(())
    /// ```
    #[must_use]
    pub fn key(&self, seed: Seed, call: u64) -> Option<String> {
        let has_key = self.drawn(seed, call).map_or(self.idempotency_key, |drawn| drawn.has_key());
        has_key.then(|| format!("brownout-{seed}-{call}"))
    }

    /// The value of the header called `name` on the attempts of call number `call`.
    #[must_use]
    pub fn value(&self, name: &str, seed: Seed, call: u64) -> Option<Cow<'_, str>> {
        let key = || self.key(seed, call).filter(|_| name == Effect::HEADER).map(Cow::Owned);
        let drawn = || self.drawn(seed, call)?.header(name).map(Cow::Owned);
        self.header(name).map(Cow::Borrowed).or_else(drawn).or_else(key)
    }
}

/// Without `requests` where there are none, so that digests of such loads stay what they are.
impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Carried");
        fields.field("headers", &self.headers).field("idempotency_key", &self.idempotency_key);
        if let Some(requests) = &self.requests {
            fields.field("requests", requests);
        }
        fields.finish()
    }
}

/// The same headers, their names written small, where those go together.
pub(crate) fn named<T>(headers: Vec<(String, T)>, idempotency_key: bool) -> Result<Vec<(String, T)>, CarriedError> {
    if headers.len() > Carried::HEADERS_MAX {
        return Err(CarriedError::Headers(headers.len()));
    }
    let mut known: Vec<(String, T)> = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.len() > 64 || !name.bytes().all(is_name) {
            return Err(CarriedError::Name(name));
        }
        let name = name.to_ascii_lowercase();
        if OWN.contains(&name.as_str()) || name.starts_with(OUR_OWN) {
            return Err(CarriedError::Own(name));
        }
        if known.iter().any(|(other, _)| *other == name) {
            return Err(CarriedError::Twice(name));
        }
        if idempotency_key && name == Effect::HEADER {
            return Err(CarriedError::KeyTwice(name));
        }
        known.push((name, value));
    }
    Ok(known)
}

/// Whether the header called `name` can have this value.
pub(crate) fn check_value(name: &str, value: &str) -> Result<(), CarriedError> {
    let visible = value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && value.trim() == value;
    let fine = visible && (1..=VALUE_MAX).contains(&value.len());
    if fine { Ok(()) } else { Err(CarriedError::Value(name.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::Carried;
    use brownout_draw::Seed;
    use std::borrow::Cow;

    fn headers(headers: &[(&str, &str)]) -> Vec<(String, String)> {
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_call_has_what_all_have_and_a_key_of_its_own() {
        let carried = Carried::new(headers(&[("X-Region", "eu")]), true).unwrap();
        let value = |name, call| carried.value(name, Seed(7), call).map(Cow::into_owned);
        assert_eq!((value("x-region", 1), value("x-region", 2)), (Some("eu".to_owned()), Some("eu".to_owned())));
        assert_ne!(value("idempotency-key", 1), value("idempotency-key", 2));
        assert_ne!(carried.key(Seed(7), 1), carried.key(Seed(8), 1));
        assert_eq!((value("x-other", 1), Carried::NOTHING.key(Seed(7), 1)), (None, None));
    }

    #[test]
    fn what_cannot_be_carried_is_refused_with_the_way_out() {
        let refused = |list: &[(&str, &str)], key, words: &str| {
            let error = Carried::new(headers(list), key).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        refused(&[("", "x")], false, "found ``");
        refused(&[("a b", "x")], false, "found `a b`");
        refused(&[("Host", "x")], false, "`host` tells how a request is sent");
        refused(&[("x-brownout-request", "7")], false, "who sends it");
        refused(&[("a", "x"), ("A", "y")], false, "`a` is given twice");
        refused(&[("a", "")], false, "visible ASCII");
        refused(&[("a", "x\r\nb: y")], false, "visible ASCII");
        refused(&[("Idempotency-Key", "x")], true, "drop one of the two");
        refused(&[("a", "x"); 33], false, "at most 32 headers");
    }
}
