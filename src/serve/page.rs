//! `GET /` and `/page/{file}`: the page for people, and the files that it is made of.
//!
//! Idea: the page is part of the binary, without a build step, and asks the same interface as every other client. Its files
//! are compressed once, when the first of them is asked for; a browser that has them already is told so.
//! Invariant: the page loads nothing from elsewhere, no script runs in it but these files, and none of them can turn text
//! into markup, whatever a post may contain: the policy forbids it, and browsers enforce that.
//! Cost: some milliseconds and as many bytes again as the files have, once; an answer copies nothing.

use std::io::Write;
use std::sync::{Arc, LazyLock};

use flate2::Compression;
use flate2::write::GzEncoder;
use foldhash::fast::FixedState;
use hyper::body::Bytes;
use warp::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, HeaderName,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_FRAME_OPTIONS,
};
use warp::http::{HeaderValue, StatusCode};

use super::answer::{self, Answer};
use super::api::Api;
use super::problem::{Kind, Problem, quoted};
use super::request::Request;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// What goes with every file. `no-cache` lets browsers keep it, but ask each time whether it is still the same.
const HEADERS: [(HeaderName, &str); 8] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (REFERRER_POLICY, "no-referrer"),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    (CACHE_CONTROL, "no-cache"),
    (VARY, "accept-encoding"),
];

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_bytes!(concat!("page/", $name)).as_slice())),+]
    };
}

/// All files by name; the first is the page itself.
const FILES: [(&str, &[u8]); 27] = embedded![
    "index.html",
    "absence.js",
    "access.js",
    "address.js",
    "chart.js",
    "controls.js",
    "course.css",
    "course.js",
    "dom.js",
    "events.js",
    "flip.js",
    "format.js",
    "icon.svg",
    "legend.js",
    "main.js",
    "moves.js",
    "notices.js",
    "page.css",
    "panes.js",
    "pointer.js",
    "ranking.css",
    "ranking.js",
    "scales.js",
    "search.js",
    "stream.js",
    "suggest.js",
    "vitals.js",
];

/// A file in the forms in which it is sent.
struct File {
    name: &'static str,
    content_type: &'static str,
    plain: Form,
    gzip: Form,
}

struct Form {
    content: Bytes,
    tag: HeaderValue,
}

static PREPARED: LazyLock<Vec<File>> =
    LazyLock::new(|| FILES.iter().map(|(name, content)| File::new(name, content)).collect());

impl File {
    fn new(name: &'static str, content: &'static [u8]) -> File {
        let content_type = match name.rsplit_once('.') {
            Some((_, "html")) => "text/html; charset=utf-8",
            Some((_, "js")) => "text/javascript; charset=utf-8",
            Some((_, "css")) => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        };
        let (plain, gzip) = (Bytes::from_static(content), Bytes::from(compress(content)));
        File { name, content_type, plain: Form::new(plain), gzip: Form::new(gzip) }
    }
}

impl Form {
    /// The tag tells one content from another, and the forms of one file as well, since these differ in their bytes.
    fn new(content: Bytes) -> Form {
        let tag = format!("\"{:016x}\"", std::hash::BuildHasher::hash_one(&FixedState::default(), &content));
        Form { content, tag: HeaderValue::try_from(tag).expect("hexadecimal digits fit into a header") }
    }
}

fn compress(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(content).and_then(|()| encoder.finish());
    written.expect("writing to memory does not fail")
}

/// Answers with the page.
pub async fn page(_: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    Ok(send(&PREPARED[0], &request))
}

/// Answers with a file of the page.
pub async fn file(_: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    let name = request.segment(0)?;
    let found = PREPARED.iter().find(|file| file.name == name).ok_or_else(|| {
        let detail = format!("the page has no file {}", quoted(&name));
        Problem::new(Kind::UnknownPath, detail).valid(FILES.iter().map(|(name, _)| format!("/page/{name}")))
    })?;
    Ok(send(found, &request))
}

fn send(file: &File, request: &Request) -> Answer {
    let gzip = request.header(ACCEPT_ENCODING.as_str()).is_some_and(takes_gzip);
    let form = if gzip { &file.gzip } else { &file.plain };
    let known = request.header(IF_NONE_MATCH.as_str()).is_some_and(|tags| names(tags, &form.tag));
    let (status, body) = match known {
        true => (StatusCode::NOT_MODIFIED, Bytes::new()),
        false => (StatusCode::OK, form.content.clone()),
    };
    let mut answer = answer::with(status, file.content_type, body, &HEADERS);
    answer.headers_mut().insert(ETAG, form.tag.clone());
    if gzip && !known {
        answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    answer
}

/// Whether an `Accept-Encoding` of RFC 9110, section 12.5.3, takes gzip: named with a weight above 0, or meant by `*`.
fn takes_gzip(accepted: &str) -> bool {
    let weight = |coding: &str| {
        accepted.split(',').find_map(|part| {
            let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
            let named = name.trim().eq_ignore_ascii_case(coding);
            let weight = parameters.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.trim().parse().ok());
            named.then_some(weight.unwrap_or(0.0))
        })
    };
    weight("gzip").or_else(|| weight("*")).is_some_and(|weight| weight > 0.0)
}

/// Whether an `If-None-Match` of RFC 9110, section 13.1.2, names a tag, weakly compared.
fn names(tags: &str, tag: &HeaderValue) -> bool {
    let alike = |known: &str| known == "*" || known.strip_prefix("W/").unwrap_or(known).as_bytes() == tag;
    tags.split(',').any(|known| alike(known.trim()))
}
