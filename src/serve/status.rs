//! `GET /v1/status`: where the engine stands, and what became of the records.
//!
//! Idea: one answer for whoever wants to know whether the counts can be believed: positions, ends, and every record that
//! is not a post, by reason.
//! Invariant: the numbers of records belong to the same cut as the stamp beside them.
//! Cost: a row a partition and a process.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{self, Answer};
use super::api::Api;
use super::bounds::Bounds;
use super::problem::Problem;
use super::progress::{Progress, progress};
use super::request::Request;
use super::stamp::{Stamp, Time};
use crate::engine;
use crate::engine::keep::{History, Kept};

/// What its query takes.
pub const PARAMETERS: &[&str] = &["min_offsets", "min_epoch", "wait_ms"];

/// Where the engine stands, and what became of the records.
#[derive(Serialize, ToSchema)]
pub struct Status<'a> {
    version: &'static str,
    ready: bool,
    reasons: Vec<&'static str>,
    processes: usize,
    /// Of all processes together.
    workers: usize,
    /// Each process.
    members: Vec<Member>,
    stamp: Stamp<'a>,
    partitions: Vec<Progress>,
    /// Records that are posts.
    posts: u64,
    /// Records that should be posts and are not, by reason.
    bad: BTreeMap<&'static str, u64>,
    /// Records that are no posts and need not be, by kind.
    other: &'a BTreeMap<Cow<'static, str>, u64>,
    late: u64,
    ahead: u64,
    undated: u64,
    /// Null: none are kept.
    #[schema(required)]
    checkpoint: Option<Checkpoint>,
}

/// How checkpoints go.
#[derive(Serialize, ToSchema)]
pub struct Checkpoint {
    /// The newest; null before the first one of this run.
    #[schema(required)]
    last: Option<Last>,
    /// How many of this run did not come about, of those that this process led.
    failures: u64,
    /// Why the newest did not come about, or that it takes long; null where it did. Of several processes the first one knows.
    #[schema(required)]
    error: Option<String>,
}

/// A checkpoint.
#[derive(Serialize, ToSchema)]
pub struct Last {
    /// Its number.
    number: u64,
    /// The epoch as of which it is.
    epoch: u64,
    /// When it was written.
    written: Time,
    /// Rows that it refers to.
    rows: u64,
    /// Bytes of the segments that it refers to.
    bytes: u64,
    /// How long it took, in milliseconds.
    took_ms: u64,
}

impl From<History> for Checkpoint {
    fn from(History { last, failures, error }: History) -> Checkpoint {
        let last = last.map(|Kept { number, epoch, written, rows, bytes, took }| Last {
            number,
            epoch,
            written: Time(written),
            rows,
            bytes,
            took_ms: took,
        });
        Checkpoint { last, failures, error }
    }
}

/// One process of the cluster.
#[derive(Serialize, ToSchema)]
pub struct Member {
    /// Its number.
    process: usize,
    workers: usize,
    /// The newest epoch that it is known to have published; null before there is one.
    #[schema(required)]
    epoch: Option<u64>,
    /// For how many milliseconds nothing has been heard of it; null for the process that answers.
    #[schema(required)]
    silent_ms: Option<u64>,
}

impl From<engine::Member> for Member {
    fn from(engine::Member { process, workers, epoch, silence }: engine::Member) -> Member {
        Member { process, workers, epoch, silent_ms: silence.map(|silence| silence.as_millis() as u64) }
    }
}

/// Answers with where the engine stands.
pub async fn status(api: Arc<Api>, request: Request) -> Result<Answer, Problem> {
    let query = request.query(PARAMETERS)?;
    let bounds = Bounds::read(&query, &api.reader.partitions())?;
    let cut = api.cut(&bounds).await?;
    let (reasons, tally) = (api.reasons(), &cut.tally);
    let members: Vec<Member> = api.reader.members().into_iter().map(Member::from).collect();
    Ok(answer::json(&Status {
        version: env!("CARGO_PKG_VERSION"),
        ready: reasons.is_empty(),
        reasons,
        processes: members.len(),
        workers: members.iter().map(|member| member.workers).sum(),
        members,
        stamp: api.stamp(&cut),
        partitions: progress(&api.reader, &cut),
        posts: tally.posts,
        bad: tally.bad.iter().filter(|(_, n)| **n > 0).map(|(reason, n)| (reason.as_str(), *n)).collect(),
        other: &tally.other,
        late: tally.late,
        ahead: tally.ahead,
        undated: tally.undated,
        checkpoint: api.reader.checkpoints().map(Checkpoint::from),
    }))
}
