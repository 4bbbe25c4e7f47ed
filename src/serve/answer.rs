//! Answers: a status, a type of content, a body, and the headers that all of them carry.
//!
//! Idea: every answer of a resource is built by one of four functions, so that none can forget a header.
//! Invariant: nothing is kept by caches, but for the files of the page; no browser takes an answer for another type than it says.
//! Cost: the body is written once, into the buffer that is sent.

use std::convert::Infallible;

use futures_util::Stream;
use hyper::body::Bytes;
use serde::Serialize;
use warp::Reply;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS};
use warp::http::{HeaderMap, HeaderValue, Response, StatusCode};

/// What a resource answers.
pub type Answer = warp::reply::Response;

/// JSON, which is UTF-8 by definition.
pub const JSON: &str = "application/json";

/// Problem details of RFC 9457.
pub const PROBLEM: &str = "application/problem+json";

/// 200 with a JSON body.
pub fn json(body: &impl Serialize) -> Answer {
    of(StatusCode::OK, JSON, body)
}

/// Any status with a JSON body.
pub fn of(status: StatusCode, content_type: &'static str, body: &impl Serialize) -> Answer {
    with(status, content_type, Bytes::from(body_of(body)), &[])
}

/// A JSON body.
pub fn body_of(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("answers have only text, numbers, lists and maps with plain keys")
}

/// Any status and body, with further headers.
pub fn with(
    status: StatusCode,
    content_type: &'static str,
    body: Bytes,
    headers: &[(HeaderName, &'static str)],
) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    dress(answer.headers_mut(), content_type, headers);
    answer.into_response()
}

/// 200 with a body that comes piece by piece, with further headers.
pub fn stream(
    content_type: &'static str,
    pieces: impl Stream<Item = Result<Bytes, Infallible>> + Send + Sync + 'static,
    headers: &[(HeaderName, &'static str)],
) -> Answer {
    let mut answer = warp::reply::stream(pieces).into_response();
    dress(answer.headers_mut(), content_type, headers);
    answer
}

fn dress(all: &mut HeaderMap, content_type: &'static str, headers: &[(HeaderName, &'static str)]) {
    all.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    all.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    all.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, value) in headers {
        all.insert(name, HeaderValue::from_static(value));
    }
}
