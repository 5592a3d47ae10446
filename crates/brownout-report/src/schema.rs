//! What the JSON Schemas of reports are made of.

use serde_json::{Value, json};

/// A whole schema (2020-12) of what is called so.
pub(crate) fn document(title: &str, mut schema: Value) -> Value {
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!(title);
    schema
}

/// An object that always has all of these.
pub(crate) fn record(properties: &Value) -> Value {
    let names: Vec<&String> = properties.as_object().expect("a record has fields").keys().collect();
    json!({ "type": "object", "required": names, "properties": properties })
}

pub(crate) fn count(description: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": description })
}

pub(crate) fn millis(description: &str) -> Value {
    json!({ "type": "number", "minimum": 0, "description": description })
}

pub(crate) fn millis_or_null(description: &str) -> Value {
    json!({ "type": ["number", "null"], "minimum": 0, "description": description })
}

pub(crate) fn text_or_null(description: &str) -> Value {
    json!({ "type": ["string", "null"], "description": description })
}

/// What may be missing.
pub(crate) fn or_null(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}
