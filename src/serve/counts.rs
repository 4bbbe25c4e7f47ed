//! `GET /v1/counts`: what is counted, and over which windows.
//!
//! Idea: a client learns here which names the other resources take.
//! Invariant: counts and windows stand in the order of the configuration, so the first window is the default one.
//! Cost: none worth naming; nothing is read from the engine.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{self, Answer};
use super::api::Api;
use super::problem::Problem;
use super::request::Request;

/// A table of term counts.
#[derive(Serialize, ToSchema)]
pub struct Count<'a> {
    /// Its name in paths.
    name: &'a str,
    /// The kind of its terms: words, hashtags, mentions, cashtags, emoji, domains or phrases.
    of: &'static str,
    /// Its windows; the first is the one that is meant where none is named.
    windows: Vec<Window<'a>>,
}

/// A span of event time that ends with the pane of the clock, or all time.
#[derive(Serialize, ToSchema)]
pub struct Window<'a> {
    /// Its name in queries.
    name: &'a str,
    /// Milliseconds; null for all time.
    #[schema(required)]
    size_ms: Option<u64>,
    /// Milliseconds; null for all time.
    #[schema(required)]
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
