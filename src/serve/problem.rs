//! Refusals and failures as RFC 9457 problem details.
//!
//! Idea: a closed set of kinds gives status, title and the stable end of `type`; the detail says what was wrong in this
//! request, and `valid` what would have been right.
//! Invariant: text from a request is quoted only through [`quoted`], so that no answer is longer for a longer mistake.
//! Cost: a few allocations, only where something is refused.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use warp::http::header::{ALLOW, CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use warp::http::{HeaderValue, StatusCode};

use super::answer::{self, Answer};
use super::stamp::Stamp;

/// Text from outside is quoted up to this many characters.
const QUOTED: usize = 80;

/// Valid values beyond these are not listed.
const LISTED: usize = 100;

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No resource has this path.
    UnknownPath,
    /// The request does not carry the token.
    Unauthorized,
    /// The connection is plain where it must be encrypted.
    TlsRequired,
    /// What was sent is no request.
    BadRequest,
    /// The head of the request is too large.
    HeadTooLarge,
    /// The resource does not take this method.
    MethodNotAllowed,
    /// There is no count of this name.
    UnknownCount,
    /// The count has no such window.
    UnknownWindow,
    /// The resource takes no such query parameter.
    UnknownParameter,
    /// A query parameter has a value that it cannot have.
    BadParameter,
    /// A part of the path cannot be read.
    BadPath,
    /// What was asked for is no term.
    BadTerm,
    /// The body is not what the resource takes.
    BadBody,
    /// The body is too large.
    BodyTooLarge,
    /// The body did not come in time.
    BodyTimeout,
    /// Nothing has been counted yet.
    Starting,
    /// The bound of the request has not been reached.
    NotUpToBound,
    /// The server is being stopped.
    Draining,
    /// There are too many reads at once.
    Overloaded,
    /// Another process of the cluster does not answer.
    PeerSilent,
    /// There are too many connections.
    TooManyConnections,
    /// There are too many streams.
    TooManyStreams,
    /// A bug.
    Internal,
}

impl Kind {
    /// Its status.
    pub fn status(self) -> StatusCode {
        self.describe().0
    }

    /// The last segment of `type`.
    pub fn name(self) -> &'static str {
        self.describe().1
    }

    /// Status, the last segment of `type`, and title.
    fn describe(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Kind::UnknownPath => (StatusCode::NOT_FOUND, "unknown_path", "There is nothing at this path"),
            Kind::Unauthorized => {
                (StatusCode::UNAUTHORIZED, "unauthorized", "This needs the token of the server")
            }
            Kind::TlsRequired => (StatusCode::BAD_REQUEST, "tls_required", "This port takes TLS only"),
            Kind::BadRequest => (StatusCode::BAD_REQUEST, "bad_request", "This is no request"),
            Kind::HeadTooLarge => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "head_too_large",
                "The head of the request is too large",
            ),
            Kind::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This path does not take this method")
            }
            Kind::UnknownCount => (StatusCode::NOT_FOUND, "unknown_count", "There is no such count"),
            Kind::UnknownWindow => {
                (StatusCode::BAD_REQUEST, "unknown_window", "The count has no such window")
            }
            Kind::UnknownParameter => {
                (StatusCode::BAD_REQUEST, "unknown_parameter", "There is no such query parameter here")
            }
            Kind::BadParameter => (
                StatusCode::BAD_REQUEST,
                "bad_parameter",
                "A query parameter has a value that it cannot have",
            ),
            Kind::BadPath => (StatusCode::BAD_REQUEST, "bad_path", "The path cannot be read"),
            Kind::BadTerm => (StatusCode::BAD_REQUEST, "bad_term", "This is no term"),
            Kind::BadBody => (StatusCode::BAD_REQUEST, "bad_body", "The body cannot be read"),
            Kind::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large"),
            Kind::BodyTimeout => (StatusCode::REQUEST_TIMEOUT, "body_timeout", "The body came too slowly"),
            Kind::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting", "Nothing has been counted yet"),
            Kind::NotUpToBound => {
                (StatusCode::SERVICE_UNAVAILABLE, "not_up_to_bound", "The bound has not been reached yet")
            }
            Kind::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining", "The server is being stopped"),
            Kind::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Too many reads at once"),
            Kind::PeerSilent => (
                StatusCode::SERVICE_UNAVAILABLE,
                "peer_silent",
                "Another process of the cluster does not answer",
            ),
            Kind::TooManyConnections => {
                (StatusCode::SERVICE_UNAVAILABLE, "too_many_connections", "Too many connections at once")
            }
            Kind::TooManyStreams => {
                (StatusCode::SERVICE_UNAVAILABLE, "too_many_streams", "Too many streams at once")
            }
            Kind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "This is a bug"),
        }
    }
}

/// A refusal or a failure.
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    detail: String,
    valid: Vec<String>,
    reasons: Vec<&'static str>,
    stamp: Option<Box<RawValue>>,
    /// The value of the one header that a kind may need: the methods or the scheme that would do.
    would_do: Option<&'static str>,
    retry_after: Option<u32>,
}

/// Problem details of RFC 9457.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Details<'a> {
    /// `/problems/` and the name of the problem, which stays the same.
    r#type: String,
    title: &'a str,
    status: u16,
    /// What is wrong in this request.
    detail: &'a str,
    /// What would be valid instead, the likeliest first.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    valid: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    reasons: &'a [&'static str],
    /// What has been reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Stamp>, nullable = false)]
    stamp: &'a Option<Box<RawValue>>,
}

impl Problem {
    /// A problem of a kind; `detail` says what is wrong in this request.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        let (detail, valid, reasons) = (detail.into(), Vec::new(), Vec::new());
        Problem { kind, detail, valid, reasons, stamp: None, would_do: None, retry_after: None }
    }

    /// Says what would be valid instead, the likeliest first.
    pub fn valid(mut self, valid: impl IntoIterator<Item = impl Into<String>>) -> Problem {
        self.valid = valid.into_iter().take(LISTED).map(Into::into).collect();
        self
    }

    /// Adds to what is said to be wrong.
    pub fn and(mut self, more: &str) -> Problem {
        self.detail.push_str("; ");
        self.detail.push_str(more);
        self
    }

    /// Says why the server is not ready.
    pub fn reasons(mut self, reasons: Vec<&'static str>) -> Problem {
        self.reasons = reasons;
        self
    }

    /// Shows what has been reached.
    pub fn stamp(mut self, stamp: &impl Serialize) -> Problem {
        self.stamp = serde_json::value::to_raw_value(stamp).ok();
        self
    }

    /// Names the methods that the path takes.
    pub fn allow(mut self, methods: &'static str) -> Problem {
        self.would_do = Some(methods);
        self
    }

    /// Says how to authenticate.
    pub fn challenge(mut self, challenge: &'static str) -> Problem {
        self.would_do = Some(challenge);
        self
    }

    /// Says after how many seconds it is worth to try again.
    pub fn retry_after(mut self, seconds: u32) -> Problem {
        self.retry_after = Some(seconds);
        self
    }

    fn details(&self) -> Details<'_> {
        let (status, name, title) = self.kind.describe();
        Details {
            r#type: format!("/problems/{name}"),
            title,
            status: status.as_u16(),
            detail: &self.detail,
            valid: &self.valid,
            reasons: &self.reasons,
            stamp: &self.stamp,
        }
    }

    /// Its body.
    pub fn json(&self) -> Vec<u8> {
        answer::body_of(&self.details())
    }

    /// The answer; problems after which the rest of a request cannot be told from the next one end the connection.
    pub fn into_answer(self) -> Answer {
        let mut answer = answer::of(self.kind.status(), answer::PROBLEM, &self.details());
        let headers = answer.headers_mut();
        let name = if self.kind == Kind::Unauthorized { WWW_AUTHENTICATE } else { ALLOW };
        headers.extend(self.would_do.map(|value| (name, HeaderValue::from_static(value))));
        headers.extend(self.retry_after.map(|seconds| (RETRY_AFTER, HeaderValue::from(seconds))));
        let ends = [Kind::BodyTooLarge, Kind::BodyTimeout, Kind::TooManyConnections, Kind::TlsRequired];
        if ends.contains(&self.kind) {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }
}

/// Text from outside, fit for a detail: quoted, escaped, and cut.
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{:?}..", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_short() {
        assert_eq!(quoted("a\"b\n"), r#""a\"b\n""#);
        assert_eq!(quoted(&"é".repeat(81)), format!("\"{}\"..", "é".repeat(80)));
        assert!(quoted(&"\u{1}".repeat(100_000)).len() < 1000);
    }

    #[test]
    fn a_problem_has_its_headers() {
        let problem = Problem::new(Kind::MethodNotAllowed, "no").allow("GET, HEAD").retry_after(3);
        let answer = problem.into_answer();
        assert_eq!(answer.status(), 405);
        assert_eq!(
            (&answer.headers()["allow"], &answer.headers()["retry-after"]),
            (&HeaderValue::from_static("GET, HEAD"), &HeaderValue::from_static("3"))
        );
    }
}
