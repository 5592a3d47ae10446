//! `status`: an answer in the scenario's own words.

use super::fault::Says;
use super::{Delivery, Fault, FaultError, Outcome, Profile};

pub(super) const PROFILE: Profile = Profile::fault("status", &DEFAULT);

/// A scenario always says which.
static DEFAULT: Fault =
    Fault::new(Outcome::Status, Delivery::Whole, Says::Own { status: 503, headers: Vec::new(), body: String::new() });

/// Headers that tell how an answer is sent rather than what it says, and the one that tells the decision.
const OWN: [&str; 8] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "trailer",
    "transfer-encoding",
    "upgrade",
    crate::Decision::HEADER,
];

/// The longest value of a header.
const VALUE_MAX: usize = 1024;

impl Fault {
    /// An answer with this status, these headers and this body. The body is JSON where it begins like that, and plain text
    /// otherwise, unless the headers say what it is.
    ///
    /// # Errors
    /// When one of them is out of bounds, or they do not go together.
    pub fn status_of_its_own(code: u16, headers: Vec<(String, String)>, body: String) -> Result<Self, FaultError> {
        if !(200..=599).contains(&code) {
            return Err(FaultError::Status(code));
        }
        if matches!(code, 204 | 205 | 304) && !body.is_empty() {
            return Err(FaultError::NoBody(code));
        }
        if body.len() > Self::BYTES_MAX as usize {
            return Err(FaultError::BodyTooLong(body.len()));
        }
        let headers = fields(headers)?;
        Ok(Self::new(Outcome::Status, Delivery::Whole, Says::Own { status: code, headers, body }))
    }
}

/// Headers with names written small, each once.
fn fields(headers: Vec<(String, String)>) -> Result<Vec<(String, String)>, FaultError> {
    if headers.len() > Fault::HEADERS_MAX {
        return Err(FaultError::Headers(headers.len()));
    }
    let mut fields: Vec<(String, String)> = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.len() > 64 || !name.bytes().all(is_name) {
            return Err(FaultError::HeaderName(name));
        }
        let name = name.to_ascii_lowercase();
        if OWN.contains(&name.as_str()) {
            return Err(FaultError::HeaderOwn(name));
        }
        if fields.iter().any(|(other, _)| *other == name) {
            return Err(FaultError::HeaderTwice(name));
        }
        let visible = value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && value.trim() == value;
        if !visible || value.len() > VALUE_MAX {
            return Err(FaultError::HeaderValue(name));
        }
        fields.push((name, value));
    }
    Ok(fields)
}
