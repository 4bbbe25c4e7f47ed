//! `GET /v1/events`: what a page shows, as it changes, in one stream.
//!
//! Idea: server-sent events. A client says what it wants to see; all that want the same share one feed, which reads the
//! engine and writes each event once per epoch, however many follow it. The stream begins with a `snapshot`, goes on with
//! a `diff` of what changed, and says `progress` now and then where nothing did.
//! Invariant: whoever applies the events in their order has, at each of them, exactly the state that a snapshot of the
//! same epoch would have shown. An `id` names a state of the same query only; a client that comes back must ask for the
//! same as before. A client that cannot keep up is given the newest state, never a backlog; one that does not
//! read at all is let go by [`super::stall`].
//! Cost: a read and a text per feed and epoch; per client a task of a few kilobytes and one write an event.

mod beat;
mod feed;
mod feeds;
mod follow;
mod wish;

use std::convert::Infallible;
use std::sync::Arc;

use futures_util::Stream;
use hyper::body::Bytes;
use warp::http::Method;
use warp::http::header::HeaderName;

pub use beat::Event;
pub use feeds::Feeds;
use feeds::MOST;

use super::answer::{self, Answer};
use super::api::Api;
use super::problem::{Kind, Problem};
use super::request::Request;
use wish::Wish;

/// What its query takes.
pub const PARAMETERS: &[&str] = &["counts", "window", "k"];

/// What a browser sends when it comes back: the last `id` that it got.
const LAST_EVENT_ID: &str = "last-event-id";

/// Answers with a stream that ends when the client has gone or the server stops.
pub async fn events(api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    let wish = Wish::read(&api.reader, &request.query(PARAMETERS)?)?;
    if request.method == Method::HEAD {
        return Ok(stream(futures_util::stream::empty()));
    }
    let too_many = |what: &str| {
        let detail = format!(
            "the server has as many {what}; ask for `/v1/counts/{{count}}/top` instead, or again later"
        );
        Problem::new(Kind::TooManyStreams, detail).retry_after(5)
    };
    let Some(slot) = api.feeds.slot(&api.metrics.streams) else {
        let most = api.feeds.most();
        return Err(too_many(&format!("streams as it takes, {most} (`http.max_streams`)")));
    };
    let seen = request.header(LAST_EVENT_ID).and_then(|id| beat::seen(id, api.reader.generation()));
    let Some(beats) = Feeds::subscribe(&api, wish) else {
        return Err(too_many(&format!(
            "different streams as it takes, {MOST}, and none for these counts, window and k"
        )));
    };
    Ok(stream(follow::follow(beats, seen, slot)))
}

fn stream(events: impl Stream<Item = Result<Bytes, Infallible>> + Send + Sync + 'static) -> Answer {
    // Asks nginx and its like to pass events on at once.
    answer::stream("text/event-stream", events, &[(HeaderName::from_static("x-accel-buffering"), "no")])
}
