//! A request as resources see it.
//!
//! Idea: path, query and body are taken as they came and read where they are needed, so that a mistake in them is
//! answered by the resource that knows what would be right.
//! Invariant: of a body no more than the limit is ever held, and none is waited for longer than [`PATIENCE`].
//! Cost: a copy of the query; of a body, one copy.

use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use warp::http::{HeaderMap, Method};
use warp::{Buf, Filter, Rejection};

use super::decode::decode;
use super::problem::{Kind, Problem};
use super::query::Query;

/// How long a whole body may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A body that is too large is read up to this size in all, so that the answer is not lost in a reset connection.
const DISCARDED: usize = 4 << 20;

/// The parts of a body as they come in.
pub type Body = Pin<Box<dyn Stream<Item = Result<Vec<u8>, warp::Error>> + Send>>;

/// A request whose path is known.
pub struct Request {
    /// Its method, one that the route takes.
    pub method: Method,
    /// Its headers.
    pub headers: HeaderMap,
    captured: Vec<String>,
    query: String,
    body: Body,
}

impl Request {
    /// Of a route's captured segments and what else there is.
    pub fn new(
        captured: Vec<String>,
        method: Method,
        headers: HeaderMap,
        query: String,
        body: Body,
    ) -> Request {
        Request { method, headers, captured, query, body }
    }

    /// The value of a header, where it is given and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The captured segment with this index, decoded.
    pub fn segment(&self, index: usize) -> Result<String, Problem> {
        decode(self.captured.get(index).map_or("", String::as_str), Kind::BadPath)
    }

    /// Its query parameters, which must be among these.
    pub fn query(&self, known: &[&'static str]) -> Result<Query, Problem> {
        Query::parse(&self.query, known)
    }

    /// Its body, of at most `most` bytes.
    pub async fn body(&mut self, most: usize) -> Result<Vec<u8>, Problem> {
        let late = |_| Problem::new(Kind::BodyTimeout, format!("the body must be sent within {PATIENCE:?}"));
        tokio::time::timeout(PATIENCE, self.read_body(most)).await.map_err(late)?
    }

    async fn read_body(&mut self, most: usize) -> Result<Vec<u8>, Problem> {
        let (mut body, mut size) = (Vec::new(), 0);
        while let Some(part) = self.body.next().await {
            let broken = |error| Problem::new(Kind::BadBody, format!("the body cannot be read: {error}"));
            let part = part.map_err(broken)?;
            size += part.len();
            if size <= most {
                body.extend_from_slice(&part);
            } else if size > DISCARDED {
                break;
            }
        }
        if size <= most {
            return Ok(body);
        }
        let detail = format!("the body has more than {most} bytes");
        Err(Problem::new(Kind::BodyTooLarge, detail).valid([format!("{most} bytes at most")]))
    }
}

/// The query of a request, empty where it has none.
pub fn query() -> impl Filter<Extract = (String,), Error = Infallible> + Clone {
    let none = warp::any().map(String::new);
    warp::query::raw().or(none).unify()
}

/// The body of a request, not read yet.
pub fn body() -> impl Filter<Extract = (Body,), Error = Rejection> + Clone {
    warp::body::stream().map(|stream| {
        Box::pin(StreamExt::map(stream, |part: Result<_, warp::Error>| part.map(bytes))) as Body
    })
}

fn bytes(mut part: impl Buf) -> Vec<u8> {
    let mut bytes = vec![0; part.remaining()];
    part.copy_to_slice(&mut bytes);
    bytes
}
