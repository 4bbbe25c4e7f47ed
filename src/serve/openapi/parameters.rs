//! Parameters of paths and queries.
//!
//! Idea: a parameter means the same wherever it is taken, so it is described once; which operation takes it is said by the
//! list by which its query is checked.
//! Invariant: limits are those of the code that reads the parameter.
//! Cost: none worth naming.

use serde_json::json;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::super::bounds::LONGEST_WAIT;
use super::super::route::Route;
use super::super::{terms, top};

/// All that an operation takes: the named parts of its path, and what its query takes.
pub fn of(route: Route, query: &[&'static str]) -> Vec<Parameter> {
    let segments = route.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let segments = segments.map(|name| parameter(name, ParameterIn::Path));
    segments.chain(query.iter().map(|name| parameter(name, ParameterIn::Query))).collect()
}

/// What browsers send when they come back.
pub fn last_event_id() -> Parameter {
    let text =
        "The last `id` that was received for the same query; one of another or older state gives a snapshot.";
    ParameterBuilder::new()
        .name("Last-Event-ID")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(text))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

fn parameter(name: &'static str, place: ParameterIn) -> Parameter {
    let (description, schema) = describe(name);
    let required = if place == ParameterIn::Path { Required::True } else { Required::False };
    let parameter = ParameterBuilder::new().name(name).parameter_in(place).required(required);
    parameter.description(Some(description)).schema(Some(schema)).build()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn number(least: u64, most: u64) -> ObjectBuilder {
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    number.minimum(Some(least as f64)).maximum(Some(most as f64))
}

fn describe(name: &str) -> (&'static str, ObjectBuilder) {
    match name {
        "count" => (
            "The name of a count, as `/v1/counts` lists them.",
            text().min_length(Some(1)).examples([json!("hashtags")]),
        ),
        "term" => (
            "A term in any spelling, a hashtag with or without `#`; it is folded as posts are.",
            text().min_length(Some(1)).examples([json!("rust")]),
        ),
        "file" => ("The name of a file.", text().min_length(Some(1)).examples([json!("icon.svg")])),
        "window" => (
            "A window of the count, by its name or in another spelling of its size and slide; the first one where none is \
             named.",
            text().min_length(Some(1)).examples([json!("5m"), json!("5m/5s"), json!("all")]),
        ),
        "k" => ("Places.", number(1, top::PLACES.1).default(Some(json!(top::PLACES.0)))),
        "limit" => ("Terms of a page.", number(1, terms::LIMIT.1).default(Some(json!(terms::LIMIT.0)))),
        "prefix" => ("What the terms begin with; it is folded as terms are.", text().examples([json!("ru")])),
        "after" => ("The `next` of the page before.", text().examples([json!("rust")])),
        "counts" => (
            "Names of counts, separated by commas; all where it is not given.",
            text().min_length(Some(1)).examples([json!("hashtags,words")]),
        ),
        "min_offsets" => (
            "Next offsets that must have been reached, `topic:partition:offset` separated by commas.",
            text()
                .pattern(Some(r"^[^,]+:\d{1,9}:\d{1,18}(,[^,]+:\d{1,9}:\d{1,18})*$"))
                .examples([json!("posts:0:123,posts:1:77")]),
        ),
        "min_epoch" => ("The least epoch to answer from.", number(0, u64::MAX).maximum(None::<f64>)),
        "wait_ms" => (
            "How long to wait for the bound; then the answer is 503 `not_up_to_bound`.",
            number(0, LONGEST_WAIT).default(Some(json!(0))),
        ),
        _ => ("", text()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::operations;
    use super::*;

    #[test]
    fn every_parameter_is_described() {
        for described in operations::all() {
            for parameter in of(described.route, described.query) {
                assert!(parameter.description.is_some_and(|text| !text.is_empty()), "{}", parameter.name);
            }
        }
    }
}
