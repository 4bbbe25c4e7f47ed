//! `POST /v1/counts/{count}/terms`: the counts of many terms at once.
//!
//! Idea: a watch list is asked for in one request, and all its counts are of one moment.
//! Invariant: the answer has a term for every one that was asked for, in the same order, duplicates included.
//! Cost: that of one term, up to [`MOST`] times; it takes one turn among the reads.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{self, Answer};
use super::api::{Api, Effort};
use super::problem::{Kind, Problem};
use super::request::Request;
use super::scope::{self, Scope, find_count, find_window, read};
use super::stamp::Stamp;
use super::term::{Counted, counted};
use crate::engine::CountInfo;
use crate::engine::question::Terms;

/// What its query takes.
pub const PARAMETERS: &[&str] = &["min_offsets", "min_epoch", "wait_ms"];

/// Terms in one request, at most.
const MOST: usize = 1000;

/// Bytes of one request's body, at most.
const BODY: usize = 256 << 10;

/// The terms that are asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    #[schema(max_items = 1000)]
    terms: Vec<String>,
    /// The first of the count where none is named.
    window: Option<String>,
}

/// The terms that were asked for, in the same order.
#[derive(Serialize, ToSchema)]
pub struct Answered<'a> {
    stamp: Stamp<'a>,
    terms: Vec<Counted>,
}

/// Answers with the counts of the terms in the body.
pub async fn lookup(api: Arc<Api>, mut request: Request) -> Result<Answer, Problem> {
    let refused = |problem: Problem| problem.and("the terms and their window stand in the body");
    let query = request.query(PARAMETERS).map_err(refused)?;
    let count = find_count(&api.reader, &request.segment(0)?)?;
    let body = request.body(BODY).await?;
    let info = &api.reader.counts()[count];
    let asked = parse(&body)?;
    let window = find_window(info, asked.window.as_deref())?;
    let terms = keys(info, &asked.terms)?;
    let scope = Scope { count, window };
    let (sheet, number) = scope.place(&api.reader);
    let question = Terms { count: sheet, window: number, terms: terms.clone() };
    read(api, scope, &query, Effort::Long, question, move |reading, found| {
        let terms = counted(terms, found).collect();
        Ok(answer::json(&Answered { stamp: reading.stamp(), terms }))
    })
    .await
}

fn parse(body: &[u8]) -> Result<Asked, Problem> {
    let wrong = |why: &str| {
        let form = r#"{"terms": ["one", "two"], "window": "5m"}"#;
        let detail = format!("the body must be a JSON object such as {form}: {why}");
        Problem::new(Kind::BadBody, detail).valid(["terms", "window"])
    };
    // What is read into named fields may be an array for all that serde cares.
    if body.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
        return Err(wrong("it is none"));
    }
    // The error may quote a whole field of the body.
    serde_json::from_slice(body)
        .map_err(|error| wrong(&error.to_string().chars().take(200).collect::<String>()))
}

fn keys(count: &CountInfo, asked: &[String]) -> Result<Vec<String>, Problem> {
    if asked.len() > MOST {
        let detail = format!("`terms` has {} terms, but must have {MOST} at most", asked.len());
        return Err(Problem::new(Kind::BadBody, detail).valid([format!("{MOST} terms at most")]));
    }
    asked.iter().map(|asked| scope::term(count, asked)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body in "[{}\\[\\]\":,a-z0-9\\\\ue.-]*|\\{\"terms\":\\[(\"[a-z]\",?)*\\]\\}") {
            let _ = parse(body.as_bytes());
        }
    }

    #[test]
    fn bodies_are_objects_with_terms() {
        let asked = parse(br##"{"terms":["#A","b"],"window":"5m"}"##).expect("valid");
        assert_eq!((asked.terms.len(), asked.window.as_deref()), (2, Some("5m")));
        let wrong: [&[u8]; 11] = [
            b" [[\"a\"],\"5m\"]",
            b"",
            b"{}",
            b"[]",
            b"null",
            b"{\"terms\":\"a\"}",
            b"{\"terms\":[1]}",
            b"{\"terms\":[],\"k\":1}",
            b"{\"terms\":[\"\xff\"]}",
            b"{\"terms\":[\"\\ud800\"]}",
            b"{\"terms\":[]}{}",
        ];
        for body in wrong {
            assert!(parse(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
        assert!(parse(&b"[".repeat(100_000)).is_err());
    }
}
