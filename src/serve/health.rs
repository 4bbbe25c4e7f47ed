//! `GET /livez`, `/readyz` and `/metrics`: what supervisors and collectors ask.
//!
//! Idea: these are answered whatever else the server is busy with, on any listener; unknown query parameters are
//! ignored, since supervisors add their own.
//! Invariant: `/livez` depends on nothing but the server; `/readyz` is 200 if and only if its reasons are empty.
//! Cost: for metrics some hundred bytes of text a series.

use std::sync::Arc;

use hyper::body::Bytes;
use serde::Serialize;
use utoipa::ToSchema;
use warp::http::StatusCode;

use super::answer::{self, Answer};
use super::api::Api;
use super::problem::Problem;
use super::request::Request;

/// The OpenMetrics text format.
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether the engine is ready.
#[derive(Serialize, ToSchema)]
pub struct Ready {
    ready: bool,
    /// Why not: starting, restoring, catching_up, stalled, source_unavailable, draining.
    reasons: Vec<&'static str>,
}

/// That the process lives.
pub fn alive() -> Answer {
    answer::with(StatusCode::OK, "text/plain; charset=utf-8", Bytes::from_static(b"ok"), &[])
}

/// Whether the engine is ready: where there are no reasons against it.
pub fn readiness(reasons: Vec<&'static str>) -> Answer {
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer::of(status, answer::JSON, &Ready { ready: reasons.is_empty(), reasons })
}

/// Answers that the process lives.
pub async fn livez(_: Arc<Api>, _: Request) -> Result<Answer, Problem> {
    Ok(alive())
}

/// Answers whether the engine is ready, and why not.
pub async fn readyz(api: Arc<Api>, _: Request) -> Result<Answer, Problem> {
    Ok(readiness(api.reasons()))
}

/// Answers with all metrics.
pub async fn metrics(api: Arc<Api>, _: Request) -> Result<Answer, Problem> {
    Ok(answer::with(StatusCode::OK, OPEN_METRICS, Bytes::from(api.metrics.text()), &[]))
}
