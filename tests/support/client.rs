//! A client of the HTTP interface that asks questions and reads answers as the contract has them.

use std::fmt::Write;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::json;

use crate::oracle::answers::{Answer, Answered, Asked, Offsets, Question};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(40);

/// A client with connections of its own.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    address: String,
}

/// A response.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub content_type: String,
    pub body: Vec<u8>,
}

impl Response {
    /// Its body as JSON of a known shape.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{error}: {} {}", self.status, String::from_utf8_lossy(&self.body))
        })
    }
}

impl Client {
    /// Of a server at `host:port`.
    pub fn new(address: &str) -> Client {
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
        Client { agent: config.into(), address: format!("http://{address}") }
    }

    /// `GET` of a path, or why there is no response.
    pub fn try_get(&self, path: &str) -> Result<Response, ureq::Error> {
        read(self.agent.get(format!("{}{path}", self.address)).call()?)
    }

    /// `GET` of a path.
    pub fn get(&self, path: &str) -> Response {
        self.try_get(path).unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// The number behind a name, and its labels if it has any, in the metrics.
    pub fn metric(&self, name: &str) -> Option<u64> {
        let text = String::from_utf8(self.get("/metrics").body).unwrap();
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    /// `POST` of a JSON body.
    pub fn post(&self, path: &str, body: &str) -> Response {
        self.try_post(path, body).unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    fn try_post(&self, path: &str, body: &str) -> Result<Response, ureq::Error> {
        let sent =
            self.agent.post(format!("{}{path}", self.address)).content_type("application/json").send(body);
        sent.and_then(read)
    }

    /// Asks, and waits up to `wait` for the bound of the question.
    pub fn ask(&self, asked: Asked, wait: Duration) -> Answered {
        self.try_ask(asked, wait).unwrap_or_else(|why| panic!("{why}"))
    }

    /// The same where there may be nobody to answer, or nothing to answer with.
    pub fn try_ask(&self, asked: Asked, wait: Duration) -> Result<Answered, String> {
        let (begun, path) = (Instant::now(), path(&asked, wait));
        let response = match &asked.question {
            Question::Lookup { terms } => {
                self.try_post(&path, &json!({ "terms": terms, "window": asked.window }).to_string())
            }
            _ => self.try_get(&path),
        };
        let response = response.map_err(|error| format!("{path}: {error}"))?;
        let ended = Instant::now();
        if response.status != 200 {
            return Err(format!("{asked:?}: {}", String::from_utf8_lossy(&response.body)));
        }
        let answer = match asked.question {
            Question::Top { .. } => Answer::Top(response.json()),
            Question::Term { .. } => Answer::Term(response.json()),
            Question::Page { .. } => Answer::Page(response.json()),
            Question::Series { .. } => Answer::Series(response.json()),
            Question::Lookup { .. } => Answer::Lookup(response.json()),
            Question::Status => Answer::Status(response.json()),
        };
        Ok(Answered { asked, answer, begun, ended })
    }
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Response, ureq::Error> {
    let content_type =
        response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (status, content_type) = (response.status().as_u16(), content_type.to_owned());
    let body = response.body_mut().with_config().limit(1 << 30).read_to_vec()?;
    Ok(Response { status, content_type, body })
}

fn path(asked: &Asked, wait: Duration) -> String {
    let Asked { count, window, question, min_offsets } = asked;
    let of = format!("/v1/counts/{}", escaped(count));
    let (window, mut path) = (format!("window={}", escaped(window)), String::new());
    let written = match question {
        Question::Top { k } => write!(path, "{of}/top?{window}&k={k}"),
        Question::Term { term } => write!(path, "{of}/terms/{}?{window}", escaped(term)),
        Question::Series { term } => write!(path, "{of}/terms/{}/series?{window}", escaped(term)),
        Question::Page { prefix, after, limit } => {
            let after = after.as_ref().map(|after| format!("&after={}", escaped(after))).unwrap_or_default();
            write!(path, "{of}/terms?prefix={}&{window}&limit={limit}{after}", escaped(prefix))
        }
        Question::Lookup { .. } => write!(path, "{of}/terms?"),
        Question::Status => write!(path, "/v1/status?"),
    };
    written.unwrap();
    if !min_offsets.is_empty() {
        write!(path, "&min_offsets={}&wait_ms={}", bound(min_offsets), wait.as_millis()).unwrap();
    }
    path
}

/// Offsets in the form that `min_offsets` takes.
pub fn bound(offsets: &Offsets) -> String {
    let all = offsets.iter().flat_map(|(topic, partitions)| {
        partitions.iter().map(move |(partition, next)| format!("{}:{partition}:{next}", escaped(topic)))
    });
    all.collect::<Vec<_>>().join(",")
}

/// Text as it stands in a URL, every byte escaped that need not stand for itself.
pub fn escaped(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
