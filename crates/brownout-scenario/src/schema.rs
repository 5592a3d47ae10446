//! The grammar as a JSON Schema, for editors.

use brownout_load::{Curve, Rate, Replay};
use brownout_policy::FACTOR_MAX;
use brownout_service::{Fault, UNITS_MAX};
use serde_json::{Map, Value, json};

use crate::expect::BOUND_PATTERN;
use crate::grammar::{self, Kind, Rule, Table};
use crate::units::{DURATION_PATTERN, RATE_PATTERN, SIZE_PATTERN, SPEED_PATTERN};

/// The JSON Schema (2020-12) of a scenario.
///
/// It knows every key and the form of every value. What holds between values (rates that add up, routes that hide
/// each other) only the reader knows.
#[must_use]
pub fn schema() -> Value {
    let mut schema = table(&grammar::SCENARIO);
    let root = schema.as_object_mut().expect("a table is an object");
    root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    root.insert("title".to_owned(), json!("brownout scenario"));
    root.insert("$defs".to_owned(), json!({ "distribution": table(&grammar::DISTRIBUTION) }));
    schema
}

/// The JSON Schema of a [`LivePhase`](crate::LivePhase); distributions are `#/$defs/distribution` of the [`schema`].
#[must_use]
pub fn live_phase_schema() -> Value {
    table(&grammar::LIVE_PHASE)
}

fn table(table: &Table) -> Value {
    let property = |key: &grammar::Key| {
        let mut value = kind(key.kind);
        // Beside a reference a description is allowed since draft 2019-09.
        value.as_object_mut().expect("a kind is an object").insert("description".to_owned(), json!(key.doc));
        (key.name.to_owned(), value)
    };
    let properties: Map<String, Value> = table.keys.iter().map(property).collect();
    let mut schema = json!({
        "type": "object",
        "description": table.doc,
        "properties": properties,
        "additionalProperties": false,
    });
    match table.rule {
        Rule::Any => {}
        Rule::One => {
            schema["minProperties"] = json!(1);
            schema["maxProperties"] = json!(1);
        }
        Rule::Required(keys) => schema["required"] = json!(keys),
    }
    schema
}

fn kind(of: Kind) -> Value {
    match of {
        Kind::Seed | Kind::Count(0) => json!({ "type": "integer", "minimum": 0 }),
        Kind::Count(min) => json!({ "type": "integer", "minimum": min }),
        Kind::Count32(min) => json!({ "type": "integer", "minimum": min, "maximum": u32::MAX }),
        Kind::Clients => json!({ "type": "integer", "minimum": 1, "maximum": grammar::CLIENTS_MAX }),
        Kind::Duration => {
            json!({ "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "pattern": DURATION_PATTERN }] })
        }
        Kind::Probability => json!({ "anyOf": [
            { "type": "number", "minimum": 0, "maximum": 1 },
            { "type": "string", "pattern": r"^\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*%?$" },
        ] }),
        Kind::Weight => json!({ "type": "number", "minimum": 0, "maximum": 1_000_000 }),
        Kind::Factor => json!({ "type": "number", "minimum": 1, "maximum": FACTOR_MAX }),
        Kind::Sigma => json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 10 }),
        Kind::BoolOr(words) => json!({ "anyOf": [{ "type": "boolean" }, { "enum": words() }] }),
        Kind::CountOrUnbounded => json!({ "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": u32::MAX },
            { "const": "unbounded" },
        ] }),
        Kind::ProbabilityOr(inner) => json!({ "anyOf": [kind(Kind::Probability), table(inner)] }),
        Kind::Code => json!({ "type": "integer", "minimum": 200, "maximum": 599 }),
        Kind::Headers => json!({
            "type": "object",
            "patternProperties": { "^[A-Za-z0-9_.-]{1,64}$": { "type": "string", "maxLength": 1024 } },
            "additionalProperties": false,
            "maxProperties": Fault::HEADERS_MAX,
        }),
        Kind::Size => json!({ "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": u32::MAX },
            { "type": "string", "pattern": SIZE_PATTERN },
        ] }),
        Kind::WordOrSize(words) => json!({ "anyOf": [{ "enum": words() }, kind(Kind::Size)] }),
        Kind::Speed => json!({ "type": "string", "pattern": SPEED_PATTERN }),
        Kind::Status => json!({ "type": "integer", "minimum": 400, "maximum": 599 }),
        Kind::Rate => json!({ "anyOf": [
            { "type": "number", "minimum": Rate::MIN, "maximum": Rate::MAX },
            { "type": "string", "pattern": RATE_PATTERN },
        ] }),
        Kind::RateOrZero => json!({ "anyOf": [
            { "type": "number", "minimum": 0, "maximum": Rate::MAX },
            { "type": "string", "pattern": RATE_PATTERN },
        ] }),
        Kind::RateOrList(item) => json!({ "anyOf": [
            kind(Kind::Rate),
            { "type": "array", "minItems": 1, "maxItems": Curve::SEGMENTS_MAX, "items": table(item) },
        ] }),
        Kind::Values => json!({ "anyOf": [
            {
                "type": "array",
                "minItems": 1,
                "maxItems": 10_000,
                "items": { "anyOf": [{ "type": "string", "minLength": 1, "maxLength": 1024 }, { "type": "number" }] },
            },
            table(&grammar::RANGE),
        ] }),
        Kind::Quickness => json!({ "type": "number", "minimum": Replay::SPEEDS.0, "maximum": Replay::SPEEDS.1 }),
        Kind::Units => json!({ "type": "number", "exclusiveMinimum": 0, "maximum": UNITS_MAX }),
        Kind::Cost => json!({ "anyOf": [
            { "type": "number", "minimum": 0, "maximum": UNITS_MAX },
            { "$ref": "#/$defs/distribution" },
        ] }),
        Kind::LimitKey => {
            json!({ "type": "string", "pattern": "^(global|route|client|address|header:[A-Za-z0-9_.-]+)$" })
        }
        Kind::Sticky => {
            json!({ "type": "string", "pattern": "^(none|connection|client|address|header:[A-Za-z0-9_.-]+)$" })
        }
        Kind::WordOrDuration(words) => json!({ "anyOf": [{ "enum": words() }, kind(Kind::Duration)] }),
        Kind::Text => json!({ "type": "string" }),
        Kind::Multiple => json!({ "type": "number", "minimum": 0, "maximum": 1000 }),
        Kind::Number => json!({ "type": "number", "minimum": 0 }),
        Kind::WordOr(word, inner) => json!({ "anyOf": [{ "const": word }, table(inner)] }),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::NameOr(inner) => json!({ "anyOf": [kind(Kind::Name), table(inner)] }),
        Kind::Policy(inner) => json!({ "anyOf": [
            kind(Kind::Preset),
            table(inner),
            { "type": "array", "minItems": 1, "items": { "anyOf": [kind(Kind::Preset), table(inner)] } },
        ] }),
        Kind::PolicyByName(inner) => json!({ "anyOf": [kind(Kind::Name), kind(Kind::Policy(inner))] }),
        Kind::Expectation => json!({ "type": "string", "pattern": BOUND_PATTERN }),
        Kind::Preset => json!({ "type": "string", "pattern": "^[a-z0-9.-]+$" }),
        Kind::Named(inner) => json!({
            "type": "object",
            "patternProperties": { "^[A-Za-z0-9_.-]{1,64}$": kind(*inner) },
            "additionalProperties": false,
        }),
        Kind::Name => json!({ "type": "string", "pattern": "^[A-Za-z0-9_. -]{1,64}$" }),
        Kind::Pattern => json!({ "type": "string", "pattern": r"^([A-Z][A-Z0-9_-]* +)?/\S*$" }),
        Kind::Request => json!({ "type": "string", "pattern": r"^([A-Z][A-Z0-9_-]* )?/[!-~]*$" }),
        Kind::RequestOr(inner) => json!({ "anyOf": [kind(Kind::Request), table(inner)] }),
        Kind::Method => json!({ "type": "string", "pattern": "^[A-Z][A-Z0-9_-]*$" }),
        Kind::Path => json!({ "type": "string", "pattern": "^/[!-~]*$" }),
        Kind::Identity => json!({ "type": "string", "pattern": "^header:[A-Za-z0-9_.-]+$" }),
        Kind::Retryable => json!({ "anyOf": [
            { "type": "integer", "minimum": 100, "maximum": 599 },
            { "type": "string", "pattern": r"^([1-5]\d\d(-[1-5]\d\d)?|[1-5]xx|transport|retry_after|throttling|resolve|connect|tls|reset|closed|protocol|timeout)$" },
        ] }),
        Kind::Succeeding => json!({ "anyOf": [
            { "type": "integer", "minimum": 100, "maximum": 599 },
            { "type": "string", "pattern": r"^([1-5]\d\d(-[1-5]\d\d)?|[1-5]xx)$" },
        ] }),
        Kind::Words(words) => json!({ "enum": words() }),
        Kind::List(item) => json!({ "type": "array", "items": kind(*item) }),
        Kind::Table(inner) => table(inner),
        Kind::Percentiles => json!({
            "type": "object",
            "patternProperties": { r"^p(\d{1,2}(\.\d+)?|100)$": kind(Kind::Duration) },
            "additionalProperties": false,
            "minProperties": 1,
        }),
        Kind::Distribution => {
            json!({ "anyOf": [kind(Kind::Duration), { "$ref": "#/$defs/distribution" }] })
        }
        Kind::DurationOr(inner) => json!({ "anyOf": [kind(Kind::Duration), table(inner)] }),
    }
}

#[cfg(test)]
mod tests;
