//! All resources put together.
//!
//! Idea: the interface on one screen. One set answers everything, one what supervisors ask on a listener of their own,
//! and one the few things that are answered when there is no room.
//! Invariant: every path has an answer in each set, since the last filter takes what the others leave.
//! Cost: a request tries the routes in turn, a microsecond in all.

use std::sync::Arc;

use warp::Filter;
use warp::http::Method;

use super::api::Api;
use super::health::{livez, metrics, readyz};
use super::lookup::lookup;
use super::openapi;
use super::problem::{Kind, Problem};
use super::resource::{Resource, open, refusal, resource};
use super::route::Route;
use super::{counts, events, page, series, status, term, terms, top};

/// Everything.
pub fn all(api: &Arc<Api>) -> Resource {
    let of_terms = resource(api, Route::TERMS, |api, request| async move {
        if request.method == Method::POST {
            lookup(api, request).await
        } else {
            terms::terms(api, request).await
        }
    });
    let of_counts = resource(api, Route::TOP, top::top)
        .or(resource(api, Route::TERM, term::term))
        .unify()
        .or(of_terms)
        .unify()
        .or(resource(api, Route::SERIES, series::series))
        .unify()
        .or(resource(api, Route::COUNTS, counts::counts))
        .unify()
        .or(resource(api, Route::EVENTS, events::events))
        .unify();
    let pages =
        resource(api, Route::PAGE, page::page).or(resource(api, Route::PAGE_FILE, page::file)).unify();
    let known = of_counts.or(resource(api, Route::STATUS, status::status)).unify().or(pages).unify();
    let known = known.or(resource(api, Route::OPENAPI, openapi::openapi)).unify();
    let vital = vital(api, resource(api, Route::METRICS, metrics));
    known.or(vital).unify().or(refusal(api, unknown_path(&Route::ALL))).unify().boxed()
}

/// What supervisors and collectors ask, on a listener of their own: it never asks for the token, which they would have to
/// send in the clear there.
pub fn health(api: &Arc<Api>) -> Resource {
    vital(api, open(api, Route::METRICS, metrics))
        .or(refusal(api, unknown_path(&Route::VITAL)))
        .unify()
        .boxed()
}

/// The same where all connections of that listener are taken.
pub fn health_crowded(api: &Arc<Api>) -> Resource {
    let crowded = refusal(api, || {
        let detail = "the listener for health and metrics has as many connections as it takes";
        Problem::new(Kind::TooManyConnections, detail).retry_after(1)
    });
    vital(api, open(api, Route::METRICS, metrics)).or(crowded).unify().boxed()
}

/// What is answered in the clear where connections must be encrypted.
pub fn misled(api: &Arc<Api>) -> Resource {
    refusal(api, tls_only)
}

/// That connections must be encrypted.
pub fn tls_only() -> Problem {
    let detail = "this port takes TLS only: ask with https:// in place of http://";
    Problem::new(Kind::TlsRequired, detail)
}

/// What is answered where all connections are taken: health and metrics; everything else is refused.
pub fn crowded(api: &Arc<Api>) -> Resource {
    let crowded = refusal(api, || {
        let detail = "the server has as many connections as it takes (`http.max_connections`)";
        Problem::new(Kind::TooManyConnections, detail).retry_after(1)
    });
    vital(api, resource(api, Route::METRICS, metrics)).or(crowded).unify().boxed()
}

/// What supervisors ask is open wherever it is asked; who may have the metrics is not the same everywhere.
fn vital(api: &Arc<Api>, metrics: Resource) -> Resource {
    let asked = resource(api, Route::LIVEZ, livez).or(resource(api, Route::READYZ, readyz)).unify();
    asked.or(metrics).unify().boxed()
}

fn unknown_path(routes: &'static [Route]) -> impl Fn() -> Problem + Clone + Send + Sync + 'static {
    || {
        let paths = routes.iter().map(|route| route.path);
        Problem::new(Kind::UnknownPath, "there is nothing at this path; see `valid` for those that there are")
            .valid(paths)
    }
}
