//! What an operation may answer.
//!
//! Idea: answers stand in the table; problems are grouped by their status, and what may be wrong with every request is
//! added here.
//! Invariant: every status that an operation can have is described.
//! Cost: none worth naming.

use std::collections::BTreeMap;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{Content, ContentBuilder, Ref, ResponseBuilder, Responses, ResponsesBuilder};

use super::super::answer::{JSON, PROBLEM};
use super::super::problem::Kind;
use super::super::route::Route;
use super::operations::{Body, Described};

/// What may be wrong with every request.
const ANY: [Kind; 5] =
    [Kind::TooManyConnections, Kind::Internal, Kind::TlsRequired, Kind::BadRequest, Kind::HeadTooLarge];

/// All answers and problems of an operation.
pub fn of(described: &Described) -> Responses {
    let mut by_status: BTreeMap<u16, ResponseBuilder> = BTreeMap::new();
    let mut said: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for (status, description, body) in described.answers {
        let mut response = ResponseBuilder::new();
        if *status != 304 {
            response =
                contents(*body).into_iter().fold(response, |all, (kind, content)| all.content(kind, content));
        }
        by_status.insert(*status, response);
        said.entry(*status).or_default().push((*description).to_owned());
    }
    let guarded = (!described.route.is_open()).then_some(Kind::Unauthorized);
    let early = [Route::LIVEZ, Route::READYZ].contains(&described.route);
    let later = (!early).then_some(Kind::Starting);
    for kind in described.problems.iter().copied().chain(ANY).chain(guarded).chain(later) {
        let status = kind.status().as_u16();
        let response = by_status.remove(&status).unwrap_or_default();
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let mut response = response.content(PROBLEM, content);
        let text = || HeaderBuilder::new().schema(ObjectBuilder::new().schema_type(Type::String)).build();
        if kind == Kind::Unauthorized {
            response = response.header("WWW-Authenticate", text());
        }
        by_status.insert(status, response);
        said.entry(status).or_default().push(format!("`{}`", kind.name()));
    }
    let all = by_status.into_iter().map(|(status, response)| {
        let description = said.remove(&status).unwrap_or_default().join(", ");
        (status.to_string(), response.description(description).build())
    });
    all.fold(ResponsesBuilder::new(), |responses, (status, response)| responses.response(status, response))
        .build()
}

fn contents(body: Body) -> Vec<(&'static str, Content)> {
    let content = ContentBuilder::new();
    match body {
        Body::Of(name) => vec![(JSON, content.schema(Some(Ref::from_schema_name(name))).build())],
        Body::Listed(name) => {
            vec![(JSON, content.schema(Some(ArrayBuilder::new().items(Ref::from_schema_name(name)))).build())]
        }
        Body::Object => vec![(JSON, content.schema(Some(ObjectBuilder::new())).build())],
        Body::Text(types) => {
            let text = || ObjectBuilder::new().schema_type(Type::String);
            types.iter().map(|kind| (*kind, ContentBuilder::new().schema(Some(text())).build())).collect()
        }
    }
}
