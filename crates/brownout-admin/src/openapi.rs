//! The API, described.

use brownout_scenario::{live_phase_schema, schema};
use hyper::Method;
use serde_json::{Map, Value, json};

use crate::api::{Body, Endpoint, JSON};
use crate::endpoints::ENDPOINTS;

/// The OpenAPI document, made of the same table that answers.
pub(crate) fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in &ENDPOINTS {
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        path[endpoint.method.as_str().to_lowercase()] = operation(endpoint);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "brownout admin API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Watches and changes the services of a running `brownout serve`. Times are those of the run, in seconds.",
        },
        "paths": paths,
        "components": { "schemas": { "change": here(&live_phase_schema()), "distribution": here(&schema()["$defs"]["distribution"]) } },
    })
}

/// The endpoints with what each is for.
pub(crate) fn index() -> Value {
    let line = |endpoint: &Endpoint| (format!("{} {}", endpoint.method, endpoint.path), json!(endpoint.summary));
    Value::Object(ENDPOINTS.iter().map(line).collect())
}

fn operation(endpoint: &Endpoint) -> Value {
    let query = endpoint.parameters.iter().map(|parameter| {
        json!({
            "name": parameter.name,
            "in": "query",
            "required": parameter.required,
            "description": parameter.doc,
            "schema": { "type": parameter.kind },
        })
    });
    let in_path = endpoint.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let in_path =
        in_path.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    let makes = |start: &&str| endpoint.path.starts_with(start);
    let status = if endpoint.method == Method::POST && ["/changes", "/outcomes/", "/phases/"].iter().any(makes) {
        "201"
    } else {
        "200"
    };
    let error = json!({ "description": "Why not, in words.", "content": { JSON: {
        "schema": { "type": "object", "properties": { "error": { "type": "string" } }, "required": ["error"] },
    } } });
    let mut operation = json!({
        "operationId": operation_id(endpoint),
        "summary": endpoint.summary,
        "parameters": in_path.chain(query).collect::<Vec<_>>(),
        "responses": {
            status: { "description": endpoint.summary, "content": { endpoint.answer: {} } },
            "default": error,
        },
    });
    if endpoint.body == Body::Phase {
        let reference = json!({ "$ref": "#/components/schemas/change" });
        operation["requestBody"] = json!({ "required": true, "content": { JSON: { "schema": reference } } });
    }
    operation
}

fn operation_id(endpoint: &Endpoint) -> String {
    let words: Vec<_> = endpoint.path.split(['/', '{', '}', '.']).filter(|word| !word.is_empty()).collect();
    format!(
        "{}_{}",
        endpoint.method.as_str().to_lowercase(),
        if words.is_empty() { "index".to_owned() } else { words.join("_") }
    )
}

/// A schema of the scenario, with its references as they are here.
fn here(schema: &Value) -> Value {
    let text = schema.to_string().replace("#/$defs/distribution", "#/components/schemas/distribution");
    serde_json::from_str(&text).expect("a schema stays JSON when a reference is renamed")
}

#[cfg(test)]
mod tests {
    use super::{ENDPOINTS, document};
    use std::collections::BTreeSet;

    #[test]
    fn every_endpoint_is_described_once() {
        let document = document();
        let paths = document["paths"].as_object().unwrap();
        let described: usize = paths.values().map(|path| path.as_object().unwrap().len()).sum();
        assert_eq!(described, ENDPOINTS.len());
        let operations = paths.values().flat_map(|path| path.as_object().unwrap().values());
        let ids: BTreeSet<_> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), ENDPOINTS.len());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
        assert!(text.contains("#/components/schemas/distribution") && !text.contains("$defs"));
    }
}
