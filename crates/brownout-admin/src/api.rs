//! The form of the API: what can be asked, and what is answered.

use std::borrow::Cow;
use std::time::Duration;

use brownout_scenario::units::duration;
use hyper::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::json;

use crate::control::{Control, Served};
use crate::events::Onlooker;

/// One thing that can be asked.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    /// Its path; what stands in braces is any one segment.
    pub(crate) path: &'static str,
    /// What it does, for people.
    pub(crate) summary: &'static str,
    /// What its query may say.
    pub(crate) parameters: &'static [Parameter],
    pub(crate) body: Body,
    /// The type of what it answers.
    pub(crate) answer: &'static str,
    pub(crate) handle: fn(&Control, &Asked<'_>) -> Answered,
}

/// A parameter in the query.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    /// `string` or `integer`.
    pub(crate) kind: &'static str,
    pub(crate) required: bool,
}

/// What a request carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    Nothing,
    /// A phase, as the scenario has them.
    Phase,
}

/// A request for an endpoint.
pub(crate) struct Asked<'a> {
    /// What stood in the place of braces.
    pub(crate) segment: Option<String>,
    pub(crate) query: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub(crate) body: &'a str,
}

/// What is answered.
pub(crate) type Answered = Result<Reply, Failure>;

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) content: Content,
}

/// What an answer carries.
#[derive(Debug)]
pub(crate) enum Content {
    Text(Cow<'static, str>),
    /// Events without end, for this one.
    Events(Onlooker),
}

/// Why there is none.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    why: String,
    /// The methods that there are, where the one asked for is not.
    allow: Option<String>,
}

pub(crate) const JSON: &str = "application/json";
pub(crate) const EVENTS: &str = "text/event-stream";

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl Endpoint {
    /// What stands in the place of braces, where this endpoint has `path`.
    pub(crate) fn matches(&self, path: &str) -> Option<Option<String>> {
        let (mut own, mut asked) = (self.path.split('/'), path.split('/'));
        let mut segment = None;
        loop {
            match (own.next(), asked.next()) {
                (None, None) => return Some(segment),
                (Some(own), Some(asked)) if own.starts_with('{') && !asked.is_empty() => {
                    segment = Some(percent_decode_str(asked).decode_utf8().ok()?.into_owned());
                }
                (Some(own), Some(asked)) if own == asked => {}
                _ => return None,
            }
        }
    }
}

impl<'a> Asked<'a> {
    /// A parameter, where it is there and says something.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_ref())
            .filter(|value| !value.is_empty())
    }

    /// A whole number, at most `max`.
    pub(crate) fn count(&self, name: &str, max: u64) -> Result<Option<u64>, Failure> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| *number <= max);
        let refusal = || Failure::bad(format!("`{name}` is a whole number from 0 to {max}, found `{text}`"));
        number.map(Some).ok_or_else(refusal)
    }

    pub(crate) fn duration(&self, name: &str) -> Result<Option<Duration>, Failure> {
        let Some(text) = self.get(name) else { return Ok(None) };
        duration(text).map(Some).map_err(|error| Failure::bad(format!("`{name}`: {error}")))
    }

    /// Whether it is to be told for people.
    pub(crate) fn wants_text(&self) -> Result<bool, Failure> {
        match self.get("format") {
            None | Some("json") => Ok(false),
            Some("text") => Ok(true),
            Some(other) => Err(Failure::bad(format!("`format` is json or text, found `{other}`"))),
        }
    }

    /// The service that is meant.
    pub(crate) fn served<'c>(&self, control: &'c Control) -> Result<&'c Served, Failure> {
        let name = self.get("service");
        control.service(name).ok_or_else(|| {
            let names: Vec<_> = control.services.iter().map(|served| served.name.as_str()).collect();
            Failure::missing(format!(
                "there is no service `{}`; there are: {}",
                name.unwrap_or_default(),
                names.join(", ")
            ))
        })
    }

    /// The name or number in the path.
    pub(crate) fn segment(&self) -> &str {
        self.segment.as_deref().unwrap_or_default()
    }

    /// Refuses what the query says and `endpoint` does not know.
    pub(crate) fn check(&self, endpoint: &Endpoint) -> Result<(), Failure> {
        let known = |name: &str| endpoint.parameters.iter().any(|parameter| parameter.name == name);
        if let Some((name, _)) = self.query.iter().find(|(name, _)| !known(name)) {
            let all: Vec<_> = endpoint.parameters.iter().map(|parameter| parameter.name).collect();
            let all = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
            return Err(Failure::bad(format!("there is no parameter `{name}` here; there are: {all}")));
        }
        if let Some(missing) = endpoint.parameters.iter().find(|own| own.required && self.get(own.name).is_none()) {
            return Err(Failure::bad(format!("the parameter `{}` is missing: {}", missing.name, missing.doc)));
        }
        Ok(())
    }
}

impl Reply {
    pub(crate) fn json(view: &impl Serialize) -> Self {
        Self { status: StatusCode::OK, content_type: JSON, content: brownout_report::json(view).into() }
    }

    pub(crate) fn text(text: String) -> Self {
        Self { status: StatusCode::OK, content_type: "text/plain; charset=utf-8", content: text.into() }
    }

    pub(crate) const fn events(onlooker: Onlooker) -> Self {
        Self { status: StatusCode::OK, content_type: EVENTS, content: Content::Events(onlooker) }
    }

    /// The same, of something that was made.
    pub(crate) fn created(view: &impl Serialize) -> Self {
        Self { status: StatusCode::CREATED, ..Self::json(view) }
    }
}

impl Failure {
    /// What was asked is wrong.
    pub(crate) fn bad(why: impl Into<String>) -> Self {
        Self::new((StatusCode::BAD_REQUEST, why.into()))
    }

    /// There is no such thing.
    pub(crate) fn missing(why: impl Into<String>) -> Self {
        Self::new((StatusCode::NOT_FOUND, why.into()))
    }

    /// It does not go with what there is.
    pub(crate) fn conflict(why: impl Into<String>) -> Self {
        Self::new((StatusCode::CONFLICT, why.into()))
    }

    /// It is there, for these methods.
    pub(crate) fn method(allow: String) -> Self {
        let why = format!("this is for {allow}");
        Self { allow: Some(allow), ..Self::new((StatusCode::METHOD_NOT_ALLOWED, why)) }
    }

    pub(crate) fn new((status, why): (StatusCode, String)) -> Self {
        Self { status, why, allow: None }
    }

    /// The answer, and the methods that there are, where that is what it is about.
    pub(crate) fn reply(self) -> (Reply, Option<String>) {
        (Reply { status: self.status, ..Reply::json(&json!({ "error": self.why })) }, self.allow)
    }
}
