//! Which web pages of other origins may read answers, by the Fetch standard's CORS protocol.
//!
//! Idea: a browser keeps answers from pages of other origins unless the answer names their origin, and asks beforehand
//! (a preflight) whether a request with a token may be sent at all. Origins are compared as they are, byte by byte.
//! Invariant: without a list no answer has any of these headers. No answer allows credentials, so that a browser never
//! adds cookies of its own accord: a page can send only the token that it has itself. That is why `*` is safe with a
//! token, and only then, which the configuration insists on: without one, every page that a browser on this host shows
//! could read everything.
//! Cost: a comparison an origin.

use warp::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use warp::http::{HeaderMap, HeaderValue, Method};

/// Request headers that a page may set.
const HEADERS: &str = "Authorization, Content-Type, Last-Event-ID";

/// Response headers that a page may read beside the usual ones.
const EXPOSED: &str = "Allow, Retry-After, WWW-Authenticate";

/// For how many seconds a browser may remember a preflight.
const MAX_AGE: &str = "600";

/// The origins whose pages may read answers.
#[derive(Debug, Default)]
pub struct Cors {
    any: bool,
    origins: Vec<String>,
}

impl Cors {
    /// Of these origins; `*` stands for all.
    pub fn new(origins: &[String]) -> Cors {
        Cors { any: origins.iter().any(|origin| origin == "*"), origins: origins.to_vec() }
    }

    /// Whether a request is a preflight from an origin that may ask.
    pub fn is_preflight(&self, method: &Method, headers: &HeaderMap) -> bool {
        method == Method::OPTIONS
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
            && self.allowed(headers.get(ORIGIN)).is_some()
    }

    /// Adds the headers of an answer to a request from this origin.
    pub fn mark(&self, origin: Option<&HeaderValue>, answer: &mut HeaderMap) {
        if self.origins.is_empty() {
            return;
        }
        // What a cache keeps for one origin is not for another.
        answer.append(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.allowed(origin) {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
    }

    /// Adds the headers that answer a preflight; `methods` are those of the path.
    pub fn permit(methods: &'static str, answer: &mut HeaderMap) {
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
        answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    }

    /// The origin to name in the answer, where that of the request may ask.
    fn allowed(&self, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
        let origin = origin?;
        if self.any {
            return Some(HeaderValue::from_static("*"));
        }
        self.origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(cors: &[&str], origin: &'static str) -> Option<String> {
        let cors = Cors::new(&cors.iter().map(|origin| (*origin).to_owned()).collect::<Vec<_>>());
        let mut answer = HeaderMap::new();
        cors.mark(Some(&HeaderValue::from_static(origin)), &mut answer);
        answer.get(ACCESS_CONTROL_ALLOW_ORIGIN).and_then(|value| value.to_str().ok()).map(str::to_owned)
    }

    #[test]
    fn only_the_very_origin_is_allowed() {
        let list = ["https://a.example", "http://localhost:3000"];
        assert_eq!(marked(&list, "https://a.example").as_deref(), Some("https://a.example"));
        assert_eq!(marked(&["*"], "https://b.example").as_deref(), Some("*"));
        for other in [
            "https://a.example.evil.example",
            "https://evil-a.example",
            "http://a.example",
            "https://a.example:8443",
            "https://A.example",
            "null",
            "*",
            "",
        ] {
            assert_eq!(marked(&list, other), None, "{other}");
            assert_eq!(marked(&[], other), None, "{other}");
        }
    }
}
