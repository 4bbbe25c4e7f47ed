//! X's posts, by the streams of its API v2: one JSON document a line, over an HTTP answer without end.
//!
//! Idea: what the stream holds is decided by rules that X keeps for the token's app; they are brought into the state that
//! the user asks for before the first connection. All fields that a post needs to be counted right are asked for: its
//! time, language, entities, the whole of a long text, and the original of a repost.
//! Invariant: a blank line at least every twenty seconds shows that the stream lives; without it the connection is made
//! anew. After a gap so many minutes are asked for again as it lasted, where the access allows that; what comes twice is
//! known by its id, since X does not part it.
//! Source: the X API's "Consuming streaming data", "Handling disconnections" and "Recovery and redundancy".

pub mod rules;
pub mod terms;

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::time::timeout;

use self::rules::Wanted;
use super::live::address::Address;
use super::live::broken::{Broken, quoted};
use super::live::follow::Source;
use super::live::http::Client;
use super::live::inbox::{Event, Inbox};
use super::live::lines::{Line, Lines};

/// Where the API is.
pub const API: &str = "https://api.x.com";
/// What is asked of each post.
const FIELDS: &str = "tweet.fields=created_at,lang,entities,author_id,referenced_tweets,note_tweet\
    &expansions=referenced_tweets.id,author_id&user.fields=username";
/// The most minutes that X sends again.
pub const MOST_BACKFILL: u8 = 5;

/// A stream of X that is followed.
pub struct X {
    /// The API's server.
    pub api: Address,
    /// Whose token it is.
    pub client: Client,
    /// Which stream.
    pub stream: Stream,
    /// The rules to bring about before the first connection; `None`: as they are.
    pub rules: Option<Wanted>,
    /// The most minutes to ask for again after a gap; 0: none, as most access does not include it.
    pub backfill: u8,
    /// After how long without a word, blank lines included, the connection is taken for dead.
    pub silence: Duration,
    /// When something was last heard.
    pub heard: Option<Instant>,
    /// Whether the rules are as they should be.
    pub ruled: bool,
}

/// A stream that the API offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Stream {
    /// Posts that match the rules of the token's app
    Filter,
    /// A sample of about one percent of all posts
    Sample,
    /// A sample of about ten percent, where the access includes it
    Sample10,
}

impl Stream {
    fn path(self) -> &'static str {
        match self {
            Self::Filter => "/2/tweets/search/stream",
            Self::Sample => "/2/tweets/sample/stream",
            Self::Sample10 => "/2/tweets/sample10/stream",
        }
    }
}

/// What is not a post in a stream.
#[derive(Deserialize)]
struct Inband {
    data: Option<IgnoredAny>,
    #[serde(default)]
    errors: Vec<Problem>,
    title: Option<String>,
    detail: Option<String>,
    connection_issue: Option<String>,
}

#[derive(Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
}

impl Source for X {
    fn addresses(&self) -> usize {
        1
    }

    fn shown(&self, _: usize) -> String {
        self.api.shown()
    }

    async fn session(&mut self, address: usize, inbox: &Inbox) -> Broken {
        if self.stream == Stream::Filter && !self.ruled {
            match rules::bring_about(&self.client, &self.api, self.rules.as_ref()).await {
                Ok(said) => inbox.tell(Event::Said(said)),
                Err(broken) => return broken,
            }
            self.ruled = true;
        }
        let target = self.api.below(&self.target());
        let mut body = match self.client.stream(&target, "application/json").await {
            Ok(body) => body,
            Err(broken) => return broken,
        };
        inbox.tell(Event::Connected(self.shown(address)));
        self.gap(inbox);
        let mut lines = Lines::default();
        loop {
            let frame = match timeout(self.silence, body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(error))) => return Broken::Ended(error.to_string()),
                Ok(None) => return Broken::Ended("the server closed the connection".to_owned()),
                Err(_) => return Broken::Ended(format!("silent for {:?}", self.silence)),
            };
            self.heard = Some(Instant::now());
            let Some(piece) = frame.data_ref() else { continue };
            for line in lines.push(piece) {
                match line {
                    Line::Whole(line) if line.trim_ascii().is_empty() => {}
                    Line::Whole(line) => match inband(&line) {
                        Some(broken) => return broken.map(|text| self.hide(text)),
                        None => inbox.message(line, None).await,
                    },
                    Line::TooLong => inbox.tell(Event::Unreadable("a line that is too long".to_owned())),
                }
            }
        }
    }
}

impl X {
    /// Path and query, with the minutes to be sent again.
    fn target(&self) -> String {
        let path = self.stream.path();
        match self.minutes_missed() {
            0 => format!("{path}?{FIELDS}"),
            minutes => format!("{path}?{FIELDS}&backfill_minutes={minutes}"),
        }
    }

    fn minutes_missed(&self) -> u8 {
        let missed = self.heard.map_or(0, |heard| heard.elapsed().as_secs() / 60 + 1);
        u8::try_from(missed).unwrap_or(u8::MAX).min(self.backfill).min(MOST_BACKFILL)
    }

    /// Says what is lost where more passed than is sent again.
    fn gap(&self, inbox: &Inbox) {
        let Some(gap) = self.heard.map(|heard| heard.elapsed()) else { return };
        let again = Duration::from_secs(60 * u64::from(self.minutes_missed()));
        if gap > again && gap >= Duration::from_secs(1) {
            inbox.tell(Event::Notice(format!(
                "posts of {} s may be missing; --backfill asks for the last minutes again, where the access includes it",
                (gap - again).as_secs()
            )));
        }
    }

    fn hide(&self, text: &str) -> String {
        self.client.token.as_ref().map_or_else(|| text.to_owned(), |token| token.hide(text))
    }
}

/// Why the server ends the stream, where a line says so.
fn inband(line: &[u8]) -> Option<Broken> {
    let inband: Inband = serde_json::from_slice(line).ok()?;
    if inband.data.is_some() {
        return None;
    }
    let parts = inband.errors.into_iter().flat_map(|problem| [problem.title, problem.detail]);
    let parts: Vec<String> = [inband.title, inband.detail].into_iter().chain(parts).flatten().collect();
    let text = quoted(&parts.join("; "));
    match inband.connection_issue {
        Some(_) => Some(Broken::Limited(text, None)),
        None if parts.is_empty() => None,
        None => Some(Broken::Ended(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_a_post_may_be_the_end() {
        let disconnect =
            br#"{"errors":[{"title":"operational-disconnect","detail":"for operational reasons"}]}"#;
        let ended = Broken::Ended("operational-disconnect; for operational reasons".to_owned());
        assert_eq!(inband(disconnect), Some(ended));
        let many = br#"{"title":"ConnectionException","detail":"at the limit","connection_issue":"TooManyConnections"}"#;
        assert_eq!(inband(many), Some(Broken::Limited("ConnectionException; at the limit".to_owned(), None)));
        let partial = br#"{"data":{"id":"1","text":"a"},"errors":[{"title":"Not Found Error"}]}"#;
        let others: [&[u8]; 4] = [partial, b"{}", b"garbage", br#"{"new":"kind"}"#];
        assert!(others.iter().all(|line| inband(line).is_none()));
    }
}
