//! `GET /`: a page for people, with its script and style as files of their own.
//!
//! Idea: the page is part of the binary and asks the same interface as every other client.
//! Invariant: it loads nothing from elsewhere and runs no script but its own, whatever a post may contain.
//! Cost: three answers of a few kilobytes, copied from nowhere.

use std::sync::Arc;

use hyper::body::Bytes;
use warp::http::StatusCode;
use warp::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};

use super::answer::{self, Answer};
use super::api::Api;
use super::problem::Problem;
use super::request::Request;

const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers with the page.
pub async fn page(_: Arc<Api>, _: Request) -> Result<Answer, Problem> {
    Ok(file("text/html; charset=utf-8", include_bytes!("page/index.html")))
}

/// Answers with its script.
pub async fn script(_: Arc<Api>, _: Request) -> Result<Answer, Problem> {
    Ok(file("text/javascript; charset=utf-8", include_bytes!("page/app.js")))
}

/// Answers with its style.
pub async fn style(_: Arc<Api>, _: Request) -> Result<Answer, Problem> {
    Ok(file("text/css; charset=utf-8", include_bytes!("page/app.css")))
}

/// Answers with its mark.
pub async fn icon(_: Arc<Api>, _: Request) -> Result<Answer, Problem> {
    Ok(file("image/svg+xml", include_bytes!("page/icon.svg")))
}

fn file(content_type: &'static str, content: &'static [u8]) -> Answer {
    let headers =
        [(CONTENT_SECURITY_POLICY, POLICY), (REFERRER_POLICY, "no-referrer"), (CACHE_CONTROL, "no-cache")];
    answer::with(StatusCode::OK, content_type, Bytes::from_static(content), &headers)
}
