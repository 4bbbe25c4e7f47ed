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
use super::scope::{self, Scope, find_count, find_window, read};
use super::stamp::Stamp;
use crate::engine::question::Terms;

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
    /// A key with its count; what has no spelling is shown as it is.
    pub fn new(term: String, display: Option<String>, count: i64) -> Counted {
        Counted { display: display.unwrap_or_else(|| term.clone()), term, count }
    }

    /// Its key.
    pub fn term(&self) -> &str {
        &self.term
    }
}

/// Keys that were asked for, with what was found of each.
pub fn counted(terms: Vec<String>, found: Vec<(i64, Option<String>)>) -> impl Iterator<Item = Counted> {
    terms.into_iter().zip(found).map(|(term, (count, display))| Counted::new(term, display, count))
}

/// Answers with the count of a term.
pub async fn term(api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    let query = request.query(PARAMETERS)?;
    let count = find_count(&api.reader, &request.segment(0)?)?;
    let window = find_window(&api.reader.counts()[count], query.get("window"))?;
    let term = scope::term(&api.reader.counts()[count], &request.segment(1)?)?;
    let scope = Scope { count, window };
    let (sheet, number) = scope.place(&api.reader);
    let question = Terms { count: sheet, window: number, terms: vec![term.clone()] };
    read(api, scope, &query, Effort::Short, question, move |reading, found| {
        let counted = counted(vec![term], found).next().expect("a term was asked for");
        Ok(answer::json(&Term { stamp: reading.stamp(), counted }))
    })
    .await
}
