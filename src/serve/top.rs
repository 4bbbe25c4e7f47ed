//! `GET /v1/counts/{count}/top`: the first places of a window.
//!
//! Idea: workers keep their first places up to date; a read only merges them and looks up spellings.
//! Invariant: places, total and distinct are of one cut; ties stand in the order of their keys.
//! Cost: `k` steps a worker, and for kinds with spellings a few searches a place.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{self, Answer};
use super::api::{Api, Effort};
use super::problem::Problem;
use super::request::Request;
use super::scope::{Scope, find_count, find_window, read};
use super::stamp::Stamp;
use crate::engine::question::{self as engine, Counted, Tops};

/// What its query takes.
pub const PARAMETERS: &[&str] = &["window", "k", "min_offsets", "min_epoch", "wait_ms"];

/// Places that are answered where none are asked for, and at most.
pub const PLACES: (u64, u64) = (10, 1000);

/// So many places take little time, though each has its spelling looked up.
pub const SHORT: usize = 100;

/// The first places of a window.
#[derive(Serialize, ToSchema)]
pub struct Top<'a> {
    stamp: Stamp<'a>,
    /// Occurrences in the window.
    total: i64,
    /// Terms with a count.
    distinct: u64,
    top: Vec<Place>,
}

/// A place of a ranking.
#[derive(Serialize, ToSchema)]
pub struct Place {
    /// From 1.
    rank: usize,
    /// Its key.
    term: String,
    /// How it is shown.
    display: String,
    count: i64,
}

/// What was found, place by place.
pub fn places(found: Vec<Counted>) -> Vec<Place> {
    let place = |(index, Counted { term, display, count }): (usize, Counted)| {
        let display = display.unwrap_or_else(|| term.clone());
        Place { rank: index + 1, term, display, count }
    };
    found.into_iter().enumerate().map(place).collect()
}

/// Answers with the first places.
pub async fn top(api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    let query = request.query(PARAMETERS)?;
    let count = find_count(&api.reader, &request.segment(0)?)?;
    let window = find_window(&api.reader.counts()[count], query.get("window"))?;
    let k = query.number("k", 1..=PLACES.1)?.unwrap_or(PLACES.0) as usize;
    let effort = if k <= SHORT { Effort::Short } else { Effort::Long };
    let scope = Scope { count, window };
    let (sheet, number) = scope.place(&api.reader);
    let question = Tops(vec![engine::Top { count: sheet, window: number, k }]);
    read(api, scope, &query, effort, question, move |reading, mut found| {
        let figures = reading.figures();
        Ok(answer::json(&Top {
            stamp: reading.stamp(),
            total: figures.total,
            distinct: figures.distinct,
            top: places(found.pop().unwrap_or_default()),
        }))
    })
    .await
}
