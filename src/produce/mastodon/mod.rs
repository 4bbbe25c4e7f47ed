//! A Mastodon server's posts, by its streaming interface: server-sent events over HTTP.
//!
//! Idea: one stream a hashtag or timeline, all into one inbox; what comes in several of them, or again after a
//! reconnection, is known by its id.
//! Invariant: a new status goes on as the JSON that the server sent. Edits and deletions are counted: a post counts once,
//! when it is new.
//! Nothing can be resumed: a server keeps no events, so what passes while no connection stands is not had. It is said
//! when that was.
//! Source: the public documentation of Mastodon's API, "Streaming".

pub mod sse;

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::timeout;

use self::sse::{Events, Sse};
use super::live::address::Address;
use super::live::broken::Broken;
use super::live::follow::Source;
use super::live::http::Client;
use super::live::inbox::{Event, Inbox};

/// One stream of a server that is followed.
pub struct Mastodon {
    /// The server.
    pub server: Address,
    /// Whose token it is.
    pub client: Client,
    /// Which stream.
    pub stream: Stream,
    /// After how long without a word, heartbeats included, the connection is taken for dead.
    pub silence: Duration,
    /// Since when nothing was heard.
    pub lost: Option<Instant>,
}

/// A stream that a server offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stream {
    /// All public posts that the server knows of.
    Public,
    /// Those of its own accounts.
    Local,
    /// Those of other servers' accounts.
    Remote,
    /// Those with a hashtag; of its own accounts only, or all.
    Hashtag(String, bool),
    /// Those of a list of the token's user.
    List(String),
    /// The home timeline of the token's user.
    User,
}

impl Stream {
    /// Its path.
    pub fn path(&self) -> String {
        let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let rest = match self {
            Self::Public => "public".to_owned(),
            Self::Local => "public/local".to_owned(),
            Self::Remote => "public/remote".to_owned(),
            Self::Hashtag(tag, false) => format!("hashtag?tag={}", escaped(tag)),
            Self::Hashtag(tag, true) => format!("hashtag/local?tag={}", escaped(tag)),
            Self::List(list) => format!("list?list={}", escaped(list)),
            Self::User => "user".to_owned(),
        };
        format!("/api/v1/streaming/{rest}")
    }
}

impl Source for Mastodon {
    fn addresses(&self) -> usize {
        1
    }

    fn shown(&self, _: usize) -> String {
        match &self.stream {
            Stream::Hashtag(tag, _) => format!("{} #{tag}", self.server.shown()),
            _ => self.server.shown(),
        }
    }

    async fn session(&mut self, address: usize, inbox: &Inbox) -> Broken {
        let target = self.server.below(&self.stream.path());
        let mut body = match self.client.stream(&target, "text/event-stream").await {
            Ok(body) => body,
            Err(broken) => return broken,
        };
        inbox.tell(Event::Connected(self.shown(address)));
        if let Some(since) = self.lost.take() {
            let gap = since.elapsed().as_secs_f64();
            inbox.tell(Event::Notice(format!(
                "{}: posts of {gap:.1} s may be missing, as the server keeps none",
                self.shown(address)
            )));
        }
        let mut events = Events::default();
        let broken = loop {
            let frame = match timeout(self.silence, body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(error))) => break Broken::Ended(error.to_string()),
                Ok(None) => break Broken::Ended("the server closed the connection".to_owned()),
                Err(_) => break Broken::Ended(format!("silent for {:?}", self.silence)),
            };
            let Some(piece) = frame.data_ref() else { continue };
            for event in events.push(piece) {
                match event {
                    Sse::Event(name, data) if name == "update" => inbox.message(data, None).await,
                    Sse::Event(..) => inbox.tell(Event::Other(1)),
                    Sse::TooLong => inbox.tell(Event::Unreadable("an event that is too long".to_owned())),
                }
            }
        };
        self.lost = Some(Instant::now());
        broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stream_has_its_path() {
        assert_eq!(Stream::Local.path(), "/api/v1/streaming/public/local");
        let tag = Stream::Hashtag("café&x".to_owned(), true);
        assert_eq!(tag.path(), "/api/v1/streaming/hashtag/local?tag=caf%C3%A9%26x");
    }
}
