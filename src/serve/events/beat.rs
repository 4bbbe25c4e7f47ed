//! A beat: the newest state of a feed, and the events that lead to it.
//!
//! Idea: what a client has is told by one number, the epoch of the last event that it got. A beat knows at which epochs
//! its state was told, and the one before it; so that number says whether the client has the newest state, the one
//! before it, or another one, and these get nothing, a diff, or a snapshot.
//! Invariant: each event is written once and shared by all who get it; a diff is only given to those who have the very
//! state that it changes. Of an epoch at which nothing was told here nothing is assumed: it may be that of an event from
//! another process, between two that were read here.
//! Cost: a comparison a client; a snapshot is written only where somebody needs one.

use std::fmt::Write;
use std::sync::{Arc, OnceLock};

use hyper::body::Bytes;

/// Sent where nothing else is, so that proxies and clients can tell silence from a lost connection.
pub const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// The name of an event in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// All counts.
    Snapshot,
    /// The counts that changed.
    Diff,
    /// Nothing changed.
    Progress,
    /// No event, only a sign of life.
    Comment,
}

impl Event {
    /// All of them, each at its number.
    pub const ALL: [Event; 4] = [Event::Snapshot, Event::Diff, Event::Progress, Event::Comment];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Event::Snapshot => "snapshot",
            Event::Diff => "diff",
            Event::Progress => "progress",
            Event::Comment => "comment",
        }
    }
}

/// When something was read: the stamp as JSON, and the epoch in it.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The run of the cluster.
    pub generation: u64,
    /// The epoch.
    pub epoch: u64,
    /// The stamp as JSON.
    pub stamp: String,
}

/// One count's ranking as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// Its name.
    pub name: String,
    /// An object with `total`, `distinct` and `top`.
    pub json: String,
}

/// Epochs at which the same state was told that are remembered.
const REMEMBERED: usize = 64;

/// The newest state, and how to come to it.
#[derive(Debug)]
pub struct Beat {
    /// Ascends by one from beat to beat of a feed.
    pub number: u64,
    moment: Moment,
    ranked: Arc<Vec<Ranked>>,
    /// The last epochs at which this state was told, and the one before it.
    told: Vec<u64>,
    before: Vec<u64>,
    snapshot: OnceLock<Bytes>,
    /// For those who have the state before, with the epoch that it is of.
    diff: Option<(Bytes, u64)>,
    /// For those who have this state already.
    idle: Option<(Event, Bytes)>,
}

impl Beat {
    /// The first of a feed.
    pub fn first(moment: Moment, ranked: Vec<Ranked>) -> Beat {
        let (told, ranked) = (vec![moment.epoch], Arc::new(ranked));
        let (snapshot, diff, idle) = (OnceLock::new(), None, None);
        Beat { number: 1, moment, ranked, told, before: Vec::new(), snapshot, diff, idle }
    }

    /// The one that follows, if what was read is another state.
    pub fn changed(&self, moment: Moment, ranked: Vec<Ranked>) -> Option<Beat> {
        let changes = ranked.iter().zip(self.ranked.iter()).filter(|(now, was)| now != was);
        let changed: Vec<_> = changes.map(|(now, _)| now).collect();
        if changed.is_empty() {
            return None;
        }
        let diff = Some((counts(Event::Diff, &moment, &changed), moment.epoch));
        let (number, told, before) = (self.number + 1, vec![moment.epoch], self.told.clone());
        let (snapshot, idle) = (OnceLock::new(), None);
        Some(Beat { number, moment, ranked: Arc::new(ranked), told, before, snapshot, diff, idle })
    }

    /// The one that says that the same state still holds.
    pub fn progress(&self, moment: Moment) -> Beat {
        let data = format!("{{\"stamp\":{}}}", moment.stamp);
        let idle = Some((Event::Progress, event(Event::Progress, &moment, &data)));
        let mut told = self.told[self.told.len().saturating_sub(REMEMBERED - 1)..].to_vec();
        told.push(moment.epoch);
        Beat { moment, idle, told, ..self.again() }
    }

    /// The one that only shows that the stream lives.
    pub fn comment(&self) -> Beat {
        Beat { idle: Some((Event::Comment, COMMENT)), ..self.again() }
    }

    fn again(&self) -> Beat {
        Beat {
            number: self.number + 1,
            moment: self.moment.clone(),
            ranked: Arc::clone(&self.ranked),
            told: self.told.clone(),
            before: self.before.clone(),
            snapshot: OnceLock::new(),
            diff: self.diff.clone(),
            idle: None,
        }
    }

    /// The event for a client that has the state of this epoch, or none; and the epoch whose state it has then.
    pub fn after(&self, seen: Option<u64>) -> Option<(Event, Bytes, u64)> {
        let newest = self.moment.epoch;
        match (seen, &self.diff) {
            (Some(seen), _) if self.told.contains(&seen) => {
                self.idle.as_ref().map(|(event, bytes)| (*event, bytes.clone(), newest))
            }
            (Some(seen), Some((diff, epoch))) if self.before.contains(&seen) => {
                Some((Event::Diff, diff.clone(), *epoch))
            }
            _ => Some((Event::Snapshot, self.snapshot().clone(), newest)),
        }
    }

    fn snapshot(&self) -> &Bytes {
        self.snapshot
            .get_or_init(|| counts(Event::Snapshot, &self.moment, &self.ranked.iter().collect::<Vec<_>>()))
    }
}

/// The epoch in an `id` of this generation.
pub fn seen(id: &str, generation: u64) -> Option<u64> {
    let (of, epoch) = id.split_once('-')?;
    (of.parse() == Ok(generation)).then(|| epoch.parse().ok()).flatten()
}

fn counts(kind: Event, moment: &Moment, ranked: &[&Ranked]) -> Bytes {
    let size = moment.stamp.len() + ranked.iter().map(|of| of.name.len() + of.json.len() + 8).sum::<usize>();
    let mut data = String::with_capacity(size + 32);
    data.push_str("{\"stamp\":");
    data.push_str(&moment.stamp);
    data.push_str(",\"counts\":{");
    for (index, of) in ranked.iter().enumerate() {
        let name = serde_json::Value::from(of.name.as_str());
        let comma = if index > 0 { "," } else { "" };
        write!(data, "{comma}{name}:{}", of.json).expect("a string takes all that is written to it");
    }
    data.push_str("}}");
    event(kind, moment, &data)
}

/// An event as it stands in the stream; JSON has no line breaks, so its data is one line.
fn event(kind: Event, moment: &Moment, data: &str) -> Bytes {
    let Moment { generation, epoch, .. } = moment;
    Bytes::from(format!("event: {}\nid: {generation}-{epoch}\ndata: {data}\n\n", kind.as_str()))
}
