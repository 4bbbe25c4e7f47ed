//! The table of operations: what each route does with each of its methods.
//!
//! Idea: a line an operation, with what it answers and the problems that are its own; those of all are added elsewhere.
//! Invariant: routes of the page that have no line of their own are described as files of it.
//! Cost: none worth naming.

use utoipa::openapi::path::HttpMethod;

use super::super::health::OPEN_METRICS;
use super::super::problem::Kind;
use super::super::route::Route;
use super::super::{events, lookup, series, status, term, terms, top};

const TEXT: &str = "text/plain; charset=utf-8";

/// The body of an answer.
#[derive(Clone, Copy)]
pub enum Body {
    /// The schema of this name, as JSON.
    Of(&'static str),
    /// A list of them.
    Listed(&'static str),
    /// Any JSON object.
    Object,
    /// Text of these types.
    Text(&'static [&'static str]),
}

/// An operation.
pub struct Described {
    /// The route.
    pub route: Route,
    /// The method.
    pub method: HttpMethod,
    /// Its name for programs that are made from the description.
    pub id: String,
    /// What it does.
    pub summary: &'static str,
    /// What its query takes.
    pub query: &'static [&'static str],
    /// What it answers, by status.
    pub answers: &'static [(u16, &'static str, Body)],
    /// What may be wrong with a request, beside what may be with all.
    pub problems: Vec<Kind>,
}

/// Where a query is read.
const QUERY: [Kind; 2] = [Kind::UnknownParameter, Kind::BadParameter];

/// Where counts are read.
const READ: [Kind; 3] = [Kind::NotUpToBound, Kind::Draining, Kind::Overloaded];

/// Where the path names a count, and the request a window of it; other processes may have to be asked for their terms.
const COUNT: [Kind; 4] = [Kind::UnknownCount, Kind::UnknownWindow, Kind::BadPath, Kind::PeerSilent];

/// All of them.
pub fn all() -> Vec<Described> {
    let get = |route: Route, id: &str, summary, query, answers, problems: &[&[Kind]]| {
        let (id, problems) = (id.to_owned(), problems.concat());
        Described { route, method: HttpMethod::Get, id, summary, query, answers, problems }
    };
    let mut all = vec![
        get(
            Route::STATUS,
            "status",
            "Where the engine stands, and what became of the records",
            status::PARAMETERS,
            &[(200, "Of the newest epoch", Body::Of("Status"))],
            &[&QUERY, &READ],
        ),
        get(
            Route::COUNTS,
            "counts",
            "What is counted, and over which windows",
            &[],
            &[(200, "In the order of the configuration", Body::Listed("Count"))],
            &[&QUERY],
        ),
        get(
            Route::TOP,
            "top",
            "The first places of a window",
            top::PARAMETERS,
            &[(200, "By count, then by key", Body::Of("Top"))],
            &[&QUERY, &READ, &COUNT],
        ),
        get(
            Route::TERMS,
            "terms",
            "All terms with a prefix, page by page, in the order of their keys",
            terms::PARAMETERS,
            &[(200, "A page", Body::Of("Page"))],
            &[&QUERY, &READ, &COUNT],
        ),
        Described {
            method: HttpMethod::Post,
            ..get(
                Route::TERMS,
                "lookup",
                "Many terms at one moment",
                lookup::PARAMETERS,
                &[(200, "In the order in which they were asked for", Body::Of("Answered"))],
                &[
                    &QUERY,
                    &READ,
                    &COUNT,
                    &[Kind::BadTerm, Kind::BadBody, Kind::BodyTooLarge, Kind::BodyTimeout],
                ],
            )
        },
        get(
            Route::TERM,
            "term",
            "One term; one that was never seen counts 0",
            term::PARAMETERS,
            &[(200, "Its count", Body::Of("Term"))],
            &[&QUERY, &READ, &COUNT, &[Kind::BadTerm]],
        ),
        get(
            Route::SERIES,
            "series",
            "One term, pane by pane",
            series::PARAMETERS,
            &[(200, "All panes of the window, empty ones included", Body::Of("Series"))],
            &[&QUERY, &READ, &COUNT, &[Kind::BadTerm]],
        ),
        get(
            Route::EVENTS,
            "events",
            "Rankings as they change, as server-sent events",
            events::PARAMETERS,
            &[(200, EVENTS, Body::Text(&["text/event-stream"]))],
            &[&QUERY, &[Kind::UnknownCount, Kind::UnknownWindow, Kind::TooManyStreams]],
        ),
        get(
            Route::LIVEZ,
            "livez",
            "Whether the process lives",
            &[],
            &[(200, "It does", Body::Text(&[TEXT]))],
            &[],
        ),
        get(
            Route::READYZ,
            "readyz",
            "Whether the engine is ready",
            &[],
            &[(200, "It is", Body::Of("Ready")), (503, "It is not, for these reasons", Body::Of("Ready"))],
            &[],
        ),
        get(
            Route::METRICS,
            "metrics",
            "Metrics for Prometheus",
            &[],
            &[(200, "The OpenMetrics text format", Body::Text(&[OPEN_METRICS]))],
            &[],
        ),
        get(
            Route::OPENAPI,
            "openapi",
            "This description",
            &[],
            &[(200, "OpenAPI 3.1", Body::Object)],
            &[&QUERY],
        ),
    ];
    let missing = |route: &Route| !all.iter().any(|described| described.route == *route);
    let files: Vec<Route> = Route::ALL.into_iter().filter(missing).collect();
    all.extend(files.into_iter().map(file));
    all
}

const EVENTS: &str = "`id` is generation-epoch. First a `snapshot`, whose data is {\"stamp\", \"counts\": {NAME: {\"total\", \
    \"distinct\", \"top\"}}} with places as in `top`, and with `start_offsets` where a count began at others than the stamp \
    has; then a `diff` of the same shape with the counts that changed, each whole, and `progress` with {\"stamp\"} at most \
    once a second where nothing did";

/// A file of the page for people.
fn file(route: Route) -> Described {
    let name: String = route.path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    Described {
        route,
        method: HttpMethod::Get,
        id: format!("page{name}"),
        summary: "The page for people, or a file of it",
        query: &[],
        answers: &[
            (200, "The file", Body::Text(FILES)),
            (304, "What the client has is still the same", Body::Text(FILES)),
        ],
        problems: if route.path.contains('{') { vec![Kind::UnknownPath, Kind::BadPath] } else { Vec::new() },
    }
}

const FILES: &[&str] = &[
    "text/html; charset=utf-8",
    "text/javascript; charset=utf-8",
    "text/css; charset=utf-8",
    "image/svg+xml",
];
