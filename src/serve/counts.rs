//! `GET /v1/counts`: what is counted, and over which windows.
//!
//! Idea: a client learns here which names the other resources take.
//! Invariant: counts and windows stand in the order of the configuration, so the first window is the default one.
//! Cost: none worth naming; nothing is read from the engine.

use std::sync::Arc;

use serde::Serialize;

use super::answer::{self, Answer};
use super::api::Api;
use super::problem::Problem;
use super::request::Request;

#[derive(Serialize)]
struct Count<'a> {
    name: &'a str,
    of: &'static str,
    windows: Vec<Window<'a>>,
}

#[derive(Serialize)]
struct Window<'a> {
    name: &'a str,
    size_ms: Option<u64>,
    slide_ms: Option<u64>,
}

/// Answers with all counts.
pub async fn counts(api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    request.query(&[])?;
    let counts = api.reader.counts().iter().map(|count| {
        let windows = count.windows.iter().map(|window| {
            let (size_ms, slide_ms) = window.span.map(|span| (span.size_ms, span.slide_ms)).unzip();
            Window { name: &window.name, size_ms, slide_ms }
        });
        Count { name: &count.name, of: count.of.as_str(), windows: windows.collect() }
    });
    Ok(answer::json(&counts.collect::<Vec<_>>()))
}
