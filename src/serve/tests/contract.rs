//! The description of the interface, held against a running server.
//!
//! Idea: what is described is asked for; what is answered must be as it is described, with every field of it, and what is
//! not described must be refused with the very list that is described.

use std::collections::BTreeSet;

use serde_json::Value;

use super::client::{Answer, Client, get};
use super::server::{Server, served};
use crate::serve::openapi::document;
use crate::serve::route::Route;

fn described() -> Value {
    serde_json::to_value(document()).expect("a description is plain data")
}

/// A path that the template matches and that is there.
fn example(path: &str) -> String {
    path.replace("{count}", "hashtags").replace("{term}", "rust").replace("{file}", "icon.svg")
}

fn ask(server: &Server, method: &str, path: &str) -> Answer {
    let mut client = Client::connect(server.address);
    let body = if method == "POST" { r##"{"terms":["#Rust","never"]}"## } else { "" };
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: here\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    client.send(head.as_bytes());
    client.answer(method == "HEAD").expect("an answer")
}

#[test]
fn routes_and_description_agree() {
    let (description, (_fed, server)) = (described(), served());
    let paths = description["paths"].as_object().expect("paths");
    let routes: BTreeSet<&str> = Route::ALL.iter().map(|route| route.path).collect();
    assert_eq!(paths.keys().map(String::as_str).collect::<BTreeSet<_>>(), routes);
    let mut ids = BTreeSet::new();
    for route in Route::ALL {
        let operations = paths[route.path].as_object().expect("operations");
        let methods: BTreeSet<String> = operations.keys().map(|method| method.to_uppercase()).collect();
        let takes: BTreeSet<String> =
            route.allow.split(", ").filter(|method| *method != "HEAD").map(str::to_owned).collect();
        assert_eq!(methods, takes, "{}", route.path);
        for method in route.allow.split(", ") {
            let answer = ask(&server, method, &example(route.path));
            assert_eq!(answer.status, 200, "{method} {}: {}", route.path, answer.text());
        }
        let refused = ask(&server, "PATCH", &example(route.path));
        assert_eq!(refused.status, 405, "{}", route.path);
        assert_eq!(refused.header("allow").map(str::to_uppercase).as_deref(), Some(route.allow));
        for operation in operations.values() {
            assert!(ids.insert(operation["operationId"].as_str().expect("an id").to_owned()));
            assert_eq!(operation.get("security").is_some(), !route.is_open(), "{}", route.path);
            assert_eq!(operation["responses"].get("401").is_some(), !route.is_open(), "{}", route.path);
        }
    }
    assert_eq!(get(server.address, "/openapi.json").json(), description);
}

/// A checkpoint is null where none are kept, so that answers alone would not show what its schema lacks.
#[test]
fn every_reference_leads_to_a_schema() {
    fn collect(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                into.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|field| collect(field, into));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            _ => {}
        }
    }
    let (description, mut named) = (described(), BTreeSet::new());
    collect(&description, &mut named);
    assert!(named.len() > 10, "only {named:?}");
    named.retain(|named| description.pointer(named.trim_start_matches('#')).is_none());
    assert!(named.is_empty(), "not described: {named:?}");
}

#[test]
fn queries_take_what_is_described() {
    let (description, (_fed, server)) = (described(), served());
    for route in Route::ALL.into_iter().filter(|route| route.path.starts_with("/v1/")) {
        for (method, operation) in description["paths"][route.path].as_object().expect("operations") {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let named = |place: &str| -> BTreeSet<String> {
                let here = parameters.iter().filter(|parameter| parameter["in"] == place);
                here.map(|parameter| parameter["name"].as_str().unwrap_or("").to_owned()).collect()
            };
            let refused = ask(&server, &method.to_uppercase(), &(example(route.path) + "?no_such=1"));
            assert_eq!(refused.problem(), "unknown_parameter", "{}", route.path);
            assert_eq!(
                refused.valid().into_iter().collect::<BTreeSet<_>>(),
                named("query"),
                "{}",
                route.path
            );
            let braces = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
            assert_eq!(braces.map(str::to_owned).collect::<BTreeSet<_>>(), named("path"), "{}", route.path);
        }
    }
}

/// What in a value is not as its schema says; the paths of all such places.
fn faults(root: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    if let Some(named) = schema["$ref"].as_str() {
        let schema =
            root.pointer(named.trim_start_matches('#')).unwrap_or_else(|| panic!("{named} is not described"));
        return faults(root, schema, value, place);
    }
    if let Some(any) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        let one = any.iter().any(|schema| faults(root, schema, value, place).is_empty());
        return if one { Vec::new() } else { vec![format!("{place} is none of what it may be: {value}")] };
    }
    let mut found = Vec::new();
    let named = schema["type"]
        .as_str()
        .into_iter()
        .chain(schema["type"].as_array().into_iter().flatten().filter_map(Value::as_str));
    let types: Vec<&str> = named.collect();
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !types.is_empty() && !types.contains(&kind) {
        found.push(format!("{place} is {kind}, not {types:?}"));
    }
    if let Some(items) = value.as_array() {
        found.extend(
            items.iter().flat_map(|item| faults(root, &schema["items"], item, &format!("{place}[]"))),
        );
    }
    if let Some(fields) = value.as_object() {
        let (mut properties, mut required, mut others) = (Vec::new(), Vec::new(), Value::Null);
        collect(root, schema, &mut properties, &mut required, &mut others);
        for (name, field) in fields {
            let place = format!("{place}.{name}");
            match properties.iter().find(|(known, _)| known == name) {
                Some((_, schema)) => found.extend(faults(root, schema, field, &place)),
                None if others.is_object() => found.extend(faults(root, &others, field, &place)),
                None => found.push(format!("{place} is not described")),
            }
        }
        let missing = required.iter().filter(|name| !fields.contains_key(*name));
        found.extend(missing.map(|name| format!("{place}.{name} is missing")));
    }
    found
}

/// The fields of an object, those of the objects that it is made of included.
fn collect(
    root: &Value,
    schema: &Value,
    fields: &mut Vec<(String, Value)>,
    required: &mut Vec<String>,
    others: &mut Value,
) {
    if let Some(named) = schema["$ref"].as_str() {
        return collect(
            root,
            &root.pointer(named.trim_start_matches('#')).cloned().unwrap_or_default(),
            fields,
            required,
            others,
        );
    }
    schema["allOf"]
        .as_array()
        .into_iter()
        .flatten()
        .for_each(|part| collect(root, part, fields, required, others));
    let own = schema["properties"].as_object().into_iter().flatten();
    fields.extend(own.map(|(name, schema)| (name.clone(), schema.clone())));
    required.extend(
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned),
    );
    if schema["additionalProperties"].is_object() {
        *others = schema["additionalProperties"].clone();
    }
}

#[test]
fn answers_are_as_they_are_described() {
    let (description, (_fed, server)) = (described(), served());
    let mut checked = 0;
    let queries =
        ["", "?k=1", "?window=all", "?window=5m", "?k=0", "?min_epoch=9000", "?limit=1", "?prefix=r&limit=2"];
    for (path, operations) in description["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            for path in [
                example(path),
                example(path).replace("hashtags", "none"),
                example(path).replace("rust", "%23"),
            ] {
                for query in queries {
                    if path.starts_with("/v1/events") && !query.contains("k=0") {
                        continue;
                    }
                    let answer = ask(&server, &method.to_uppercase(), &(path.clone() + query));
                    let response = &operation["responses"][answer.status.to_string()];
                    assert!(response.is_object(), "{path}{query}: {} is not described", answer.status);
                    let kind = answer.header("content-type").unwrap_or("");
                    let content = &response["content"][kind];
                    assert!(
                        content.is_object(),
                        "{path}{query}: {kind} is not described for {}",
                        answer.status
                    );
                    if kind.ends_with("json") {
                        let found = faults(&description, &content["schema"], &answer.json(), "");
                        assert!(
                            found.is_empty() || path == "/openapi.json",
                            "{path}{query}: {found:#?} in {}",
                            answer.text()
                        );
                        checked += 1;
                    }
                }
            }
        }
    }
    assert!(checked > 100, "only {checked}");
}

#[test]
fn a_value_that_is_not_as_described_is_found() {
    let description = described();
    let schema = serde_json::json!({"$ref": "#/components/schemas/Place"});
    let faults = |value: Value| faults(&description, &schema, &value, "");
    assert_eq!(
        faults(serde_json::json!({"rank": 1, "term": "a", "display": "A", "count": 2})),
        Vec::<String>::new()
    );
    assert_eq!(
        faults(serde_json::json!({"rank": "1", "term": "a", "display": null, "count": 2, "x": 1})).len(),
        3
    );
    assert_eq!(faults(serde_json::json!({"rank": 1})).len(), 3);
}
