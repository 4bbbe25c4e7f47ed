//! Routes: a path with named parts, and the methods that it takes.
//!
//! Idea: one list says which paths there are; filters are made from it, and so are the answer to an unknown path, the
//! labels of metrics, and the tests.
//! Invariant: a path matches segment by segment as it was sent: an escaped slash does not part segments, and an empty
//! segment is a segment.
//! Cost: a comparison per segment and route.

use warp::path::FullPath;
use warp::{Filter, Rejection};

/// A path that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The path; a segment in braces stands for any.
    pub path: &'static str,
    /// The methods that it takes, as `Allow` lists them.
    pub allow: &'static str,
}

const READ: &str = "GET, HEAD";

impl Route {
    /// Where the engine stands.
    pub const STATUS: Route = Route { path: "/v1/status", allow: READ };
    /// All counts.
    pub const COUNTS: Route = Route { path: "/v1/counts", allow: READ };
    /// The first places.
    pub const TOP: Route = Route { path: "/v1/counts/{count}/top", allow: READ };
    /// Terms in order, and many terms at once.
    pub const TERMS: Route = Route { path: "/v1/counts/{count}/terms", allow: "GET, HEAD, POST" };
    /// One term.
    pub const TERM: Route = Route { path: "/v1/counts/{count}/terms/{term}", allow: READ };
    /// A term's course.
    pub const SERIES: Route = Route { path: "/v1/counts/{count}/terms/{term}/series", allow: READ };
    /// A stream of what changes.
    pub const EVENTS: Route = Route { path: "/v1/events", allow: READ };
    /// Whether the process lives.
    pub const LIVEZ: Route = Route { path: "/livez", allow: READ };
    /// Whether it is ready.
    pub const READYZ: Route = Route { path: "/readyz", allow: READ };
    /// Metrics.
    pub const METRICS: Route = Route { path: "/metrics", allow: READ };
    /// The page for people.
    pub const PAGE: Route = Route { path: "/", allow: READ };
    /// The files that it is made of.
    pub const PAGE_FILE: Route = Route { path: "/page/{file}", allow: READ };
    /// The description of all this.
    pub const OPENAPI: Route = Route { path: "/openapi.json", allow: READ };
    /// Any other path.
    pub const OTHER: Route = Route { path: "other", allow: "" };

    /// All that are answered.
    pub const ALL: [Route; 13] = [
        Route::STATUS,
        Route::COUNTS,
        Route::TOP,
        Route::TERMS,
        Route::TERM,
        Route::SERIES,
        Route::EVENTS,
        Route::LIVEZ,
        Route::READYZ,
        Route::METRICS,
        Route::OPENAPI,
        Route::PAGE,
        Route::PAGE_FILE,
    ];

    /// Those that stay answered when there is no room for others.
    pub const VITAL: [Route; 3] = [Route::LIVEZ, Route::READYZ, Route::METRICS];

    /// Whether it is answered without the token: what counts posts lies under `/v1/`, and metrics tell of it too. All else
    /// holds no data; the page asks for the token itself.
    pub fn is_open(self) -> bool {
        !self.path.starts_with("/v1/") && self != Route::METRICS
    }

    /// Whether it takes a method.
    pub fn allows(self, method: &str) -> bool {
        self.allow.split(", ").any(|allowed| allowed == method)
    }

    /// The segments of a path in place of those in braces, as they were sent; `None` where it is another path.
    pub fn captures(self, path: &str) -> Option<Vec<String>> {
        let (mut pattern, mut segments, mut captured) = (self.path.split('/'), path.split('/'), Vec::new());
        loop {
            match (pattern.next(), segments.next()) {
                (None, None) => return Some(captured),
                (Some(name), Some(segment)) if name.starts_with('{') => captured.push(segment.to_owned()),
                (Some(name), Some(segment)) if name == segment => {}
                _ => return None,
            }
        }
    }

    /// A filter for its path, which hands out the captured segments.
    pub fn filter(self) -> impl Filter<Extract = (Vec<String>,), Error = Rejection> + Clone {
        warp::path::full().and_then(move |path: FullPath| {
            let captured = self.captures(path.as_str());
            std::future::ready(captured.ok_or_else(warp::reject::not_found))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_compared_as_they_are() {
        let captures = |route: Route, path: &str| route.captures(path);
        assert_eq!(captures(Route::PAGE, "/"), Some(vec![]));
        assert_eq!(captures(Route::TERM, "/v1/counts/a/terms/b%2Fc"), Some(vec!["a".into(), "b%2Fc".into()]));
        assert_eq!(captures(Route::TERM, "/v1/counts/a/terms/"), Some(vec!["a".into(), String::new()]));
        for path in ["", "*", "//", "/v1/counts/", "/v1/counts/a/terms/b/c", "v1/counts", "/V1/counts"] {
            assert_eq!(captures(Route::COUNTS, path), None, "{path}");
            assert_eq!(captures(Route::TERM, path), None, "{path}");
        }
    }

    #[test]
    fn what_holds_data_is_not_open() {
        for route in [Route::STATUS, Route::COUNTS, Route::TOP, Route::TERM, Route::EVENTS, Route::METRICS] {
            assert!(!route.is_open(), "{}", route.path);
        }
        for route in [Route::LIVEZ, Route::READYZ, Route::PAGE] {
            assert!(route.is_open(), "{}", route.path);
        }
    }

    #[test]
    fn no_path_has_two_routes() {
        for route in Route::ALL {
            let matching = Route::ALL.into_iter().filter(|other| other.captures(route.path).is_some());
            assert_eq!(matching.collect::<Vec<_>>(), [route]);
        }
        assert!(Route::TERMS.allows("POST") && !Route::TERMS.allows("POS") && !Route::OTHER.allows("GET"));
    }
}
