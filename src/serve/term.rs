//! `GET /v1/counts/{count}/terms/{term}`: the count of one term.
//!
//! Idea: any text is a term that may have been counted; it is folded as posts are, then looked up.
//! Invariant: a term that was never seen counts 0; only what is empty once folded is refused.
//! Cost: two searches per pane and batch.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{self, Answer};
use super::api::{Api, Effort};
use super::problem::Problem;
use super::request::Request;
use super::scope::{self, Reading, find_count, find_window, read};
use super::stamp::Stamp;

/// What its query takes.
pub const PARAMETERS: &[&str] = &["window", "min_offsets", "min_epoch", "wait_ms"];

/// A term with its count, as lists of terms show it.
#[derive(Serialize, ToSchema)]
pub struct Counted {
    /// Its key.
    term: String,
    /// How it is shown.
    display: String,
    count: i64,
}

/// One term.
#[derive(Serialize, ToSchema)]
pub struct Term<'a> {
    stamp: Stamp<'a>,
    #[serde(flatten)]
    counted: Counted,
}

impl Counted {
    /// Looks a key up.
    pub fn look_up(reading: &Reading, term: String) -> Counted {
        let view = reading.view();
        let count = view.total(reading.window().index, term.as_bytes());
        Counted { display: reading.display(&view, &term), term, count }
    }

    /// A key whose count is known.
    pub fn of(reading: &Reading, term: String, count: i64) -> Counted {
        Counted { display: reading.display(&reading.view(), &term), term, count }
    }

    /// Its key.
    pub fn term(&self) -> &str {
        &self.term
    }
}

/// Answers with the count of a term.
pub async fn term(api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    let query = request.query(PARAMETERS)?;
    let count = find_count(&api.reader, &request.segment(0)?)?;
    let window = find_window(&api.reader.counts()[count], query.get("window"))?;
    let term = scope::term(&api.reader.counts()[count], &request.segment(1)?)?;
    read(api, count, window, &query, Effort::Short, move |reading| {
        Ok(answer::json(&Term { stamp: reading.stamp(), counted: Counted::look_up(reading, term) }))
    })
    .await
}
