//! From a source's inbox into Kafka.
//!
//! Idea: a message is read as a post to find its id, its time and its language; then it is sent as the source wrote it.
//! What is no post, was had already, or is in none of the languages asked for is counted and left out.
//! Invariant: each message is sent or counted, under one of the words that the line shows. Cost: one decoding a message.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode as Code;

use super::broken::{Broken, quoted};
use super::inbox::{Event, Message};
use super::seen::Seen;
use crate::posts::{Decoder, OwnTime, Record};
use crate::produce::limits::Limits;
use crate::produce::sender::{Outgoing, SendError, Sender};
use crate::terms::language::is_in;
use crate::wall::wall_ms;

/// How long to wait for the next message before acknowledgements are served.
const IDLE: Duration = Duration::from_millis(50);
/// How many unreadable messages are shown; the others are counted only.
const SHOWN: u64 = 5;
/// Different notices that are shown.
const DIFFERENT: usize = 1000;
/// A position of a source that can be resumed is a number of microseconds since the Unix epoch.
const MICROS: u64 = 1000;

/// What is done with messages.
pub struct Delivery {
    /// What the header `source` says.
    pub source: &'static str,
    /// How messages are read.
    pub decoder: Decoder,
    /// Languages of posts to be sent, in lower case; empty: all.
    pub languages: Vec<String>,
    /// Ids of posts that the topic has already.
    pub seen: Seen,
}

/// What became of what was not sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Messages that are no posts, such as deletions.
    pub other: u64,
    /// Posts that were had already.
    pub duplicates: u64,
    /// Posts in other languages.
    pub languages: u64,
    /// Messages that could not be read.
    pub unreadable: u64,
    /// How often a connection was lost or not to be had.
    pub broken: u64,
}

impl Left {
    /// All that is not zero, in words.
    pub fn words(&self) -> String {
        let all = [
            (self.duplicates, "duplicates"),
            (self.other, "other messages"),
            (self.languages, "in other languages"),
            (self.unreadable, "unreadable"),
            (self.broken, "connections lost"),
        ];
        let some = all.iter().filter(|(number, _)| *number > 0);
        some.map(|(number, words)| format!("{number} {words}")).collect::<Vec<_>>().join(", ")
    }
}

/// How it ended, but for the user's wish.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// The source refuses for good.
    #[error("{0}")]
    Refused(String),
    /// The producer is of no more use.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Delivers until the source's own thread has ended, and the inbox is empty.
///
/// # Errors
/// Where the source or Kafka refuses for good; what was sent until then is on its way.
pub fn deliver(
    sender: &mut Sender,
    events: &Receiver<Event>,
    mut delivery: Delivery,
    limits: &mut Limits,
) -> Result<Left, (Left, DeliverError)> {
    let mut state = State::default();
    loop {
        let done = match events.recv_timeout(IDLE) {
            Ok(event) => take(sender, event, &mut delivery, limits, &mut state),
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => return Ok(state.left),
        };
        if let Err(error) = done {
            return Err((state.left, error));
        }
        sender.show();
        if state.noted.elapsed() >= Duration::from_millis(200) {
            sender.note(state.line());
            state.noted = Instant::now();
        }
    }
}

/// What is shown of the source.
struct State {
    left: Left,
    /// How the connection stands.
    connection: String,
    /// How late the newest message was, in milliseconds.
    lag_ms: Option<i64>,
    noted: Instant,
    /// Notices that were shown, so that a source that keeps failing does not fill the terminal.
    told: BTreeSet<String>,
}

impl Default for State {
    fn default() -> Self {
        let (left, connection) = (Left::default(), "connecting".to_owned());
        Self { left, connection, lag_ms: None, noted: Instant::now(), told: BTreeSet::new() }
    }
}

impl State {
    fn line(&self) -> String {
        let lag = self.lag_ms.map(|ms| format!("lag {:.1} s", ms as f64 / 1000.0));
        let left = Some(self.left.words()).filter(|words| !words.is_empty());
        [lag, left, Some(self.connection.clone())].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

fn take(
    sender: &mut Sender,
    event: Event,
    delivery: &mut Delivery,
    limits: &mut Limits,
    state: &mut State,
) -> Result<(), DeliverError> {
    match event {
        Event::Message(message) => return post(sender, &message, delivery, limits, state),
        Event::Other(number) => state.left.other += number,
        Event::Unreadable(why) => unreadable(sender, &why, state),
        Event::Connected(to) => {
            sender.say(&format!("connected to {to}"));
            state.connection = format!("connected to {to}");
        }
        Event::Said(text) => sender.say(&text),
        Event::Waiting(why) => {
            state.left.broken += 1;
            sender.warn(&why);
            state.connection = why;
        }
        Event::Notice(text) => {
            // The same words again are no news. A server may have ever new ones.
            if state.told.len() < DIFFERENT && state.told.insert(text.clone()) {
                sender.warn(&text);
            }
        }
        Event::Failed(broken) => return Err(DeliverError::Refused(Broken::text(&broken).to_owned())),
    }
    Ok(())
}

fn unreadable(sender: &mut Sender, why: &str, state: &mut State) {
    state.left.unreadable += 1;
    if state.left.unreadable <= SHOWN {
        sender.warn(&format!("a message that cannot be read: {}", quoted(why)));
    }
}

fn post(
    sender: &mut Sender,
    message: &Message,
    delivery: &mut Delivery,
    limits: &mut Limits,
    state: &mut State,
) -> Result<(), DeliverError> {
    let pass = |sender: &Sender| message.position.into_iter().for_each(|position| sender.pass(position));
    let post = match delivery.decoder.decode(Some(&message.bytes)) {
        Ok(Record::Post(post)) => post,
        Ok(Record::Other(_)) => {
            state.left.other += 1;
            pass(sender);
            return Ok(());
        }
        Err(bad) => {
            unreadable(sender, &format!("{}: {}", bad.reason, bad.detail), state);
            pass(sender);
            return Ok(());
        }
    };
    let now_ms = wall_ms();
    let time_ms = match post.time {
        OwnTime::At(time_ms) => time_ms,
        OwnTime::Absent | OwnTime::Unusable => now_ms,
    };
    // A post may be dated back by who wrote it; how late the stream is its own clock says.
    let came_ms = message.position.and_then(|micros| i64::try_from(micros / MICROS).ok()).unwrap_or(time_ms);
    state.lag_ms = Some((now_ms - came_ms).max(0));
    if !wanted(&delivery.languages, post.lang.as_deref()) {
        state.left.languages += 1;
        pass(sender);
        return Ok(());
    }
    let id = post.id.as_deref().filter(|id| !id.is_empty()).map(str::as_bytes);
    if id.is_some_and(|id| !delivery.seen.insert(id)) {
        state.left.duplicates += 1;
        pass(sender);
        return Ok(());
    }
    let is_taken = limits.takes(time_ms, now_ms);
    if let Some(mut warning) = limits.warning(time_ms, now_ms) {
        if !is_taken {
            warning.push_str("; until then such a post has the time at which it is sent");
        }
        sender.warn(&warning);
    }
    let outgoing = Outgoing {
        key: id,
        value: Some(&message.bytes),
        time_ms: if is_taken { time_ms } else { now_ms },
        source: delivery.source,
        position: message.position,
    };
    if !sender.send(outgoing)? {
        // The user has asked to stop while Kafka took nothing more.
        sender.refuse(Code::QueueFull);
    }
    Ok(())
}

/// Whether a post of this language is asked for: `en` is also `en-GB`.
fn wanted(languages: &[String], own: Option<&str>) -> bool {
    if languages.is_empty() {
        return true;
    }
    let Some(own) = own else { return false };
    let own = own.to_ascii_lowercase();
    languages.iter().any(|wanted| is_in(&own, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_include_their_variants() {
        let languages = ["en".to_owned(), "pt-br".to_owned()];
        for (own, is) in
            [("en", true), ("en-GB", true), ("eng", false), ("pt", false), ("pt-BR", true), ("en_GB", true)]
        {
            assert_eq!(wanted(&languages, Some(own)), is, "{own}");
        }
        assert!(!wanted(&languages, None) && wanted(&[], None));
    }

    #[test]
    fn what_was_left_out_is_said_in_words() {
        assert_eq!(Left::default().words(), "");
        let left = Left { duplicates: 3, broken: 1, ..Left::default() };
        assert_eq!(left.words(), "3 duplicates, 1 connections lost");
    }
}
