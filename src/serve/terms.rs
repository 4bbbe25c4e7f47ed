//! `GET /v1/counts/{count}/terms`: all terms with a prefix, page by page, in the order of their keys.
//!
//! Idea: a page ends with a term, and the next begins behind it; nothing is remembered between two requests.
//! Invariant: within a page every term with a count in the window is named once; each page has its own stamp, so that
//! pages of different epochs can be told apart.
//! Cost: a heap over all panes and batches, one step a term and pane.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{self, Answer};
use super::api::{Api, Effort};
use super::problem::Problem;
use super::request::Request;
use super::scope::{self, Scope, find_count, find_window, read};
use super::stamp::Stamp;
use super::term::Counted;
use crate::engine::question as engine;
use crate::terms::fold;

/// What its query takes.
pub const PARAMETERS: &[&str] =
    &["prefix", "window", "limit", "after", "min_offsets", "min_epoch", "wait_ms"];

/// Terms of a page where nothing else is asked for, and at most.
pub const LIMIT: (u64, u64) = (50, 1000);

/// Terms in the order of their keys.
#[derive(Serialize, ToSchema)]
pub struct Page<'a> {
    stamp: Stamp<'a>,
    terms: &'a [Counted],
    /// What to ask for with `after` to get the next page; null at the end.
    #[schema(required)]
    next: Option<&'a str>,
}

/// Answers with a page of terms.
pub async fn terms(api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    let query = request.query(PARAMETERS)?;
    let count = find_count(&api.reader, &request.segment(0)?)?;
    let window = find_window(&api.reader.counts()[count], query.get("window"))?;
    let limit = query.number("limit", 1..=LIMIT.1)?.unwrap_or(LIMIT.0) as usize;
    let prefix = scope::prefix(&api.reader.counts()[count], query.get("prefix").unwrap_or(""));
    // What is given here was `next`, a key: no sign is taken off, only a client's own spelling is folded.
    let after = query.get("after").map(|after| fold::fold(after, &mut String::new()).to_owned());
    let scope = Scope { count, window };
    let (sheet, number) = scope.place(&api.reader);
    let question = engine::Page { count: sheet, window: number, prefix, after, limit };
    read(api, scope, &query, Effort::Long, question, move |reading, (found, more)| {
        let counted = |found: engine::Counted| Counted::new(found.term, found.display, found.count);
        let terms: Vec<Counted> = found.into_iter().map(counted).collect();
        let next = terms.last().filter(|_| more).map(Counted::term);
        Ok(answer::json(&Page { stamp: reading.stamp(), terms: &terms, next }))
    })
    .await
}
