//! Posts of files into a topic, as they are.
//!
//! Idea: every line is sent byte for byte, rows of tables as the JSON made of them; it is read as a post only to find its id,
//! which becomes the key, and its time, which becomes the record's timestamp and paces the replay. A line that is no post is sent
//! too: what to make of it is for the consumer to say.
//! Invariant: every line that is not blank is sent or counted as failed. Cost: one decoding a line.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode as Code;

use super::limits::Limits;
use super::lines::{Piece, ReadError};
use super::pace::Replay;
use super::sender::{Outgoing, SendError, Sender};
use crate::posts::{Decoder, OwnTime, Record};
use crate::wall::wall_ms;

/// How long to wait for the next lines before acknowledgements are served.
const IDLE: Duration = Duration::from_millis(50);

/// How the lines are sent.
#[derive(Debug)]
pub struct Manner {
    /// How fast.
    pub pace: Replay,
    /// How many lines are left out at the beginning.
    pub skip: u64,
    /// Whether records get the time at which they are sent in place of the posts' own.
    pub now: bool,
}

/// What was met on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Met {
    /// Lines that were taken, those left out at the beginning included.
    pub lines: u64,
    /// Lines that were no posts, and were sent as they are.
    pub unreadable: u64,
    /// Posts without a usable time of their own, which got that of the moment.
    pub undated: u64,
    /// Those among them that have a time which cannot be read.
    pub misdated: u64,
    /// Whether the user stopped it before the end.
    pub stopped: bool,
}

/// A replay that ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A file could not be read to its end.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The producer is of no more use.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Sends all lines, until they end or the user asks to stop. `done` counts the bytes that have been read of the files.
///
/// # Errors
/// Where a file cannot be read to its end, or the producer is of no more use; what was sent until then is on its way.
pub fn replay(
    sender: &mut Sender,
    pieces: &Receiver<Result<Piece, ReadError>>,
    decoder: &Decoder,
    mut manner: Manner,
    limits: &mut Limits,
    done: &AtomicU64,
) -> Result<Met, ReplayError> {
    let mut met = Met::default();
    'pieces: while !sender.stopped() {
        let piece = match pieces.recv_timeout(IDLE) {
            Ok(piece) => piece?,
            Err(RecvTimeoutError::Timeout) => {
                sender.wait_until(Instant::now());
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(met),
        };
        sender.reached(done.load(Ordering::Relaxed));
        if piece.anew {
            manner.pace.restart();
        }
        (0..piece.too_long).for_each(|_| sender.refuse(Code::MessageSizeTooLarge));
        for line in piece.lines() {
            if met.lines < manner.skip {
                met.lines += 1;
                continue;
            }
            let read = Line::read(decoder, line, &mut met);
            if let Some(due) = read.time_ms.and_then(|time_ms| manner.pace.due(time_ms, Instant::now()))
                && !sender.wait_until(due)
            {
                break 'pieces;
            }
            let now_ms = wall_ms();
            let time_ms = read.time_ms.filter(|_| !manner.now).unwrap_or(now_ms);
            if let Some(warning) = limits.warning(time_ms, now_ms) {
                sender.warn(&warning);
            }
            if limits.takes(time_ms, now_ms) {
                let key = read.id.as_deref();
                let outgoing = Outgoing { key, value: Some(line), time_ms, source: "file", position: None };
                if !sender.send(outgoing)? {
                    break 'pieces;
                }
            } else {
                sender.refuse(Code::InvalidTimestamp);
            }
            met.lines += 1;
            if sender.stopped() {
                break 'pieces;
            }
        }
    }
    met.stopped = true;
    Ok(met)
}

/// What a line says of itself.
struct Line {
    id: Option<Vec<u8>>,
    time_ms: Option<i64>,
}

impl Line {
    fn read(decoder: &Decoder, line: &[u8], met: &mut Met) -> Self {
        match decoder.decode(Some(line)) {
            Ok(Record::Post(post)) => {
                let time_ms = match post.time {
                    OwnTime::At(time_ms) => Some(time_ms),
                    OwnTime::Absent | OwnTime::Unusable => None,
                };
                met.undated += u64::from(time_ms.is_none());
                met.misdated += u64::from(post.time == OwnTime::Unusable);
                let id = post.id.filter(|id| !id.is_empty()).map(|id| id.as_bytes().to_vec());
                Self { id, time_ms }
            }
            Ok(Record::Other(_)) => Self { id: None, time_ms: None },
            Err(_) => {
                met.unreadable += 1;
                Self { id: None, time_ms: None }
            }
        }
    }
}
