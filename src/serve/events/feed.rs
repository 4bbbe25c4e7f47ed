//! A feed: reads what some clients want to see once per epoch, and tells them.
//!
//! Idea: a task that sleeps until there is a newer cut; it reads, compares with what it told last, and puts the next beat
//! where clients look.
//! Invariant: beats come in the order of epochs. A feed that cannot keep up with the epochs skips some of them. It ends
//! soon after its last client, and when the server stops; its clients' streams end with it.
//! Cost: the read of a `top` per count and epoch, in its turn among all reads; in a cluster one question to each other
//! process per epoch, however many counts and clients there are.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::super::api::{Api, Effort};
use super::super::problem::Problem;
use super::super::scope::{Reading, Scope, common_starts};
use super::super::top::{Place, SHORT, places};
use super::beat::{Beat, Moment, Ranked};
use super::wish::Wish;
use crate::engine::Cut;
use crate::engine::published::Offsets;
use crate::engine::question::{Counted, Top, Tops};

/// How often clients are told that nothing has changed, at most.
const PROGRESS: Duration = Duration::from_secs(1);

/// For how long nothing at all may be sent.
pub const SILENCE: Duration = Duration::from_secs(15);

/// Where clients look.
pub type Beats = watch::Sender<Option<Arc<Beat>>>;

#[derive(Serialize)]
struct Ranking<'a> {
    total: i64,
    distinct: u64,
    /// Where they are not those of the stamp.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_offsets: Option<Cow<'a, Offsets>>,
    top: Vec<Place>,
}

/// Runs a feed until it has no clients or the server stops.
pub async fn run(api: &Arc<Api>, wish: &Wish, beats: &Beats) {
    let (mut cuts, mut stopping) = (api.pulse.cuts(), api.stopping());
    let (mut read, mut told) = (0, Instant::now());
    loop {
        let cut = cuts.borrow_and_update().clone();
        if let Some(cut) = cut.filter(|cut| cut.epoch > read) {
            match state(api, wish, &cut).await {
                Ok((moment, ranked)) => {
                    read = moment.epoch;
                    // Held no longer than this: what is told next needs the same lock.
                    let last = beats.borrow().clone();
                    if let Some(beat) = next(last.as_deref(), moment, ranked, told.elapsed()) {
                        beats.send_replace(Some(Arc::new(beat)));
                        told = Instant::now();
                    }
                }
                // There was no turn for it; the next epoch is another chance.
                Err(problem) => tracing::debug!(?problem, "a feed has missed an epoch"),
            }
        }
        tokio::select! {
            changed = cuts.changed() => if changed.is_err() { return },
            () = sleep_until(told + SILENCE) => {
                let comment = beats.borrow().as_ref().map(|beat| Arc::new(beat.comment()));
                comment.into_iter().for_each(|comment| drop(beats.send_replace(Some(comment))));
                told = Instant::now();
            }
            () = beats.closed() => return,
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
    }
}

/// What is to be told, if anything is.
fn next(last: Option<&Beat>, moment: Moment, ranked: Vec<Ranked>, silent: Duration) -> Option<Beat> {
    let Some(last) = last else { return Some(Beat::first(moment, ranked)) };
    match last.changed(moment.clone(), ranked) {
        None if silent >= PROGRESS => Some(last.progress(moment)),
        changed => changed,
    }
}

async fn state(api: &Arc<Api>, wish: &Wish, cut: &Arc<Cut>) -> Result<(Moment, Vec<Ranked>), Problem> {
    let effort = if wish.k * wish.counts.len() <= SHORT { Effort::Short } else { Effort::Long };
    let top = |(count, window): &(usize, usize)| {
        let (sheet, number) = Scope { count: *count, window: *window }.place(&api.reader);
        Top { count: sheet, window: number, k: wish.k }
    };
    let question = Tops(wish.counts.iter().map(top).collect());
    let (owned, wish) = (Arc::clone(api), wish.clone());
    let make = move |cut: &Arc<Cut>, found: Vec<Vec<Counted>>| {
        let reading = |(count, window): &(usize, usize)| {
            Reading::new(Arc::clone(&owned), Arc::clone(cut), *count, *window)
        };
        let readings: Vec<_> = wish.counts.iter().map(reading).collect();
        let common = common_starts(&readings);
        let stamp = readings.first();
        let stamp = stamp.map_or(String::new(), |first| json(&first.common_stamp(&readings, &common)));
        let moment = Moment { generation: owned.reader.generation(), epoch: cut.epoch, stamp };
        let ranked =
            readings.iter().zip(found).map(|(reading, found)| ranked(reading, &common, found)).collect();
        Ok((moment, ranked))
    };
    api.whole(effort, Arc::clone(cut), question, make).await
}

fn ranked(reading: &Reading, common: &Offsets, found: Vec<Counted>) -> Ranked {
    let (figures, top) = (reading.figures(), places(found));
    let start_offsets = Some(reading.starts()).filter(|starts| **starts != *common);
    let ranking = Ranking { total: figures.total, distinct: figures.distinct, start_offsets, top };
    Ranked { name: reading.count().name.clone(), json: json(&ranking) }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("answers have only text, numbers, lists and maps with plain keys")
}
