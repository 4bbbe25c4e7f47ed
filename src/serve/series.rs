//! `GET /v1/counts/{count}/terms/{term}/series`: a term's count in each pane of a window.
//!
//! Idea: what a window adds up is also its course over time, at the resolution of its slide.
//! Invariant: the panes cover `[from, to)` of the stamp without a gap, empty ones included, and add up to the count of
//! the term. Before the clock is known both are null, and there are no panes.
//! Cost: two searches per pane and batch; some 100 bytes of answer a pane.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{self, Answer};
use super::api::{Api, Effort};
use super::problem::{Kind, Problem};
use super::request::Request;
use super::scope::{self, Scope, find_count, find_window, read};
use super::stamp::{Stamp, Time};
use crate::engine::question as engine;

/// What its query takes.
pub const PARAMETERS: &[&str] = &["window", "min_offsets", "min_epoch", "wait_ms"];

/// Panes of one answer, at most.
const MOST: u64 = 100_000;

/// One term, pane by pane.
#[derive(Serialize, ToSchema)]
pub struct Series<'a> {
    stamp: Stamp<'a>,
    term: &'a str,
    panes: Vec<Pane>,
}

/// A count in one pane.
#[derive(Serialize, ToSchema)]
pub struct Pane {
    /// Where the pane begins.
    from: Time,
    count: i64,
}

/// Answers with a term's course.
pub async fn series(api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    let query = request.query(PARAMETERS)?;
    let count = find_count(&api.reader, &request.segment(0)?)?;
    let info = &api.reader.counts()[count];
    let window = find_window(info, query.get("window"))?;
    let panes = |span: crate::config::Span| span.size_ms / span.slide_ms.max(1);
    let drawable = info.windows.iter().filter(|window| window.span.is_some_and(|span| panes(span) <= MOST));
    if !drawable.clone().any(|drawable| drawable.index == info.windows[window].index) {
        let detail = format!("`{}` has no panes that could be shown one by one", info.windows[window].name);
        return Err(
            Problem::new(Kind::UnknownWindow, detail).valid(drawable.map(|window| window.name.as_str()))
        );
    }
    let term = scope::term(info, &request.segment(1)?)?;
    let scope = Scope { count, window };
    let (sheet, number) = scope.place(&api.reader);
    let question = engine::Series { count: sheet, window: number, term: term.clone() };
    read(api, scope, &query, Effort::Long, question, move |reading, series| {
        let pane = |(from, count)| Pane { from: Time(from), count };
        let panes = reading.panes().zip(series).map(pane).collect();
        Ok(answer::json(&Series { stamp: reading.stamp(), term: &term, panes }))
    })
    .await
}
