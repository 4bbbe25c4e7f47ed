//! A resource: a route, and what answers it.
//!
//! Idea: what every request needs stands here once: the token, the check of its method, a problem made into an answer, a
//! panic made into 500, the headers for pages of other origins, and the metrics.
//! Invariant: whatever a handler does, its request is answered and counted; a panic ends neither the connection nor the
//! process. No handler of a route that is not open sees a request without the token, but those of [`open`].
//! Cost: two allocations and two looks at the clock a request.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;
use hyper::body::Bytes;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::header::ORIGIN;
use warp::http::{HeaderMap, Method, StatusCode};

use super::access::Cors;
use super::answer::{self, Answer};
use super::api::Api;
use super::problem::{Kind, Problem};
use super::request::{self, Request};
use super::route::Route;

/// Answers to some paths.
pub type Resource = BoxedFilter<(Answer,)>;

/// The filter of a route that is answered by `handler`, to those who may ask.
pub fn resource<H, F>(api: &Arc<Api>, route: Route, handler: H) -> Resource
where
    H: Fn(Arc<Api>, Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Answer, Problem>> + Send + 'static,
{
    let admitted = move |api: Arc<Api>, request: Request| {
        let admitted = if route.is_open() { Ok(()) } else { api.access.admit(&request.headers) };
        match admitted {
            Ok(()) => handler(api, request).left_future(),
            Err(problem) => std::future::ready(Err(problem)).right_future(),
        }
    };
    open(api, route, admitted)
}

/// The same, answered to everybody.
pub fn open<H, F>(api: &Arc<Api>, route: Route, handler: H) -> Resource
where
    H: Fn(Arc<Api>, Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Answer, Problem>> + Send + 'static,
{
    assert!(Route::ALL.contains(&route), "{} is not in the table of routes", route.path);
    measured(api, route, route.filter().boxed(), move |api, request| {
        let method = &request.method;
        if route.allows(method.as_str()) {
            return handler(api, request).left_future();
        }
        let detail = format!("{} takes {}", route.path, route.allow);
        let problem =
            Problem::new(Kind::MethodNotAllowed, detail).valid(route.allow.split(", ")).allow(route.allow);
        std::future::ready(Err(problem)).right_future()
    })
}

/// A filter that answers every path with a problem.
pub fn refusal(api: &Arc<Api>, problem: impl Fn() -> Problem + Clone + Send + Sync + 'static) -> Resource {
    measured(api, Route::OTHER, warp::any().map(Vec::new).boxed(), move |_, _| {
        std::future::ready(Err(problem()))
    })
}

fn measured<H, F>(api: &Arc<Api>, route: Route, path: BoxedFilter<(Vec<String>,)>, handler: H) -> Resource
where
    H: Fn(Arc<Api>, Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Answer, Problem>> + Send + 'static,
{
    let api = Arc::clone(api);
    let answer = move |captured: Vec<String>, method: Method, headers: HeaderMap, query: String, body| {
        let (api, handler) = (Arc::clone(&api), handler.clone());
        async move {
            let started = Instant::now();
            let preflight = !route.allow.is_empty() && api.access.cors().is_preflight(&method, &headers);
            let origin = headers.get(ORIGIN).cloned();
            let request = Request::new(captured, method, headers, query, body);
            let answering = async {
                if preflight { Ok(permission(route)) } else { handler(Arc::clone(&api), request).await }
            };
            let mut answer = match AssertUnwindSafe(answering).catch_unwind().await {
                Ok(answer) => answer.unwrap_or_else(Problem::into_answer),
                Err(_) => {
                    api.metrics.panicked();
                    let detail = "the request has met a bug of this program, which its log describes";
                    Problem::new(Kind::Internal, detail).into_answer()
                }
            };
            api.access.cors().mark(origin.as_ref(), answer.headers_mut());
            api.metrics.answered(route.path, answer.status(), started.elapsed());
            answer
        }
    };
    let head = warp::method().and(warp::header::headers_cloned());
    path.and(head).and(request::query()).and(request::body()).then(answer).boxed()
}

/// What a preflight is told.
fn permission(route: Route) -> Answer {
    let mut answer = answer::with(StatusCode::NO_CONTENT, "text/plain; charset=utf-8", Bytes::new(), &[]);
    Cors::permit(route.allow, answer.headers_mut());
    answer
}
