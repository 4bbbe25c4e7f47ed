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
use super::problem::{Kind, Problem};
use super::resource::{Resource, refusal, resource};
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
    let pages = resource(api, Route::PAGE, page::page)
        .or(resource(api, Route::SCRIPT, page::script))
        .unify()
        .or(resource(api, Route::STYLE, page::style))
        .unify()
        .or(resource(api, Route::ICON, page::icon))
        .unify();
    let known = of_counts.or(resource(api, Route::STATUS, status::status)).unify().or(pages).unify();
    known.or(health_or(api, unknown_path(&Route::ALL))).unify().boxed()
}

/// What supervisors and collectors ask.
pub fn health(api: &Arc<Api>) -> Resource {
    health_or(api, unknown_path(&Route::VITAL))
}

/// The same where there is no room for anything else.
pub fn crowded(api: &Arc<Api>) -> Resource {
    health_or(api, || {
        let detail = "the server has as many connections as it takes (`http.max_connections`)";
        Problem::new(Kind::TooManyConnections, detail).retry_after(1)
    })
}

fn health_or(api: &Arc<Api>, problem: impl Fn() -> Problem + Clone + Send + Sync + 'static) -> Resource {
    resource(api, Route::LIVEZ, livez)
        .or(resource(api, Route::READYZ, readyz))
        .unify()
        .or(resource(api, Route::METRICS, metrics))
        .unify()
        .or(refusal(api, problem))
        .unify()
        .boxed()
}

fn unknown_path(routes: &'static [Route]) -> impl Fn() -> Problem + Clone + Send + Sync + 'static {
    || {
        let paths = routes.iter().map(|route| route.path);
        Problem::new(Kind::UnknownPath, "there is nothing at this path; see `valid` for those that there are")
            .valid(paths)
    }
}
