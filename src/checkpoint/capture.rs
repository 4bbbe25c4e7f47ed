//! Writes the rows that have changed, as of an epoch, out of published batches.
//!
//! Idea: batches never change, so this reads them on a thread of its own while the workers go on. The runs of a
//! pane are read side by side, whichever batches and workers have them, and what they say of a term is summed.
//! Invariant: what is written of a place is all that this process's workers hold of it at the epoch. Panes whose updates
//! nothing holds any more are left out, also where they have not been negated yet. No count is negative.
//! Cost: a sequential read of the runs, and some comparisons a row where there are several.

use std::collections::BTreeSet;
use std::sync::Arc;

use tidings_dataflows::merged::Merged;
use tidings_dataflows::panes::PanesBatch;
use tidings_dataflows::pipeline::Touched;
use tidings_dataflows::shared::Shared;
use tidings_dataflows::snapshot::{CountSnapshot, Snapshot};
use tidings_dataflows::windows::{Pane, Windows};

use super::failpoint::point;
use super::manifest::{Place, Segment};
use super::segment::Writer;
use super::store::Store;
use super::{CheckpointError, keys};

/// A count as it is kept: its id, and its windows.
#[derive(Clone, Debug)]
pub struct Kept {
    /// By which segments name it.
    pub id: u32,
    /// Its windows, which say what its panes are.
    pub windows: Windows,
}

/// For which checkpoint something is written, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct Author {
    /// The run.
    pub generation: u64,
    /// The manifest's number.
    pub number: u64,
    /// The process.
    pub process: usize,
}

/// Where a pane stands in segments, which tiers of a later run do not change.
pub fn place_of(windows: &Windows, pane: Pane) -> Place {
    if pane == Pane::ALL { Place::All } else { Place::Pane(windows.slide(pane.tier()), pane.number()) }
}

/// The pane of a place, where a tier of these windows has it.
pub fn pane_of(windows: &Windows, place: Place) -> Option<Pane> {
    match place {
        Place::All | Place::Spellings => Some(Pane::ALL),
        Place::Pane(slide, number) => windows.tier_with(slide).map(|tier| Pane::new(tier, number)),
    }
}

/// Whether updates of a pane are held at a clock, there or where they move.
pub fn is_held(windows: &Windows, pane: Pane, clock: u64) -> bool {
    windows.covering(pane, clock) >> windows.len() & 1 == 1
}

/// Writes what has changed of each count; closed panes of a tier together, and all else together, since closed panes of a
/// tier leave together and the others will be written again. What was written is in `segments` also where it fails.
///
/// # Errors
/// Where the store does, or a count is negative, which is a bug.
pub fn capture(
    store: &dyn Store,
    author: Author,
    workers: &[Arc<Snapshot>],
    counts: &[Kept],
    touched: &[Touched],
    segments: &mut Vec<Segment>,
) -> Result<(), CheckpointError> {
    let Some(first) = workers.first() else { return Ok(()) };
    let (epoch, clock) = (first.epoch, first.clock.unwrap_or(0));
    let of = |index: usize| workers.iter().map(|worker| &worker.counts[index]).collect::<Vec<_>>();
    let mut write = |part: &str, all: &mut dyn FnMut(&mut Writer) -> Result<(), CheckpointError>| {
        let key = keys::segment(author.generation, author.number, author.process, part);
        point("capture.before");
        let mut writer = Writer::new(store, &key)?;
        all(&mut writer)?;
        segments.extend(writer.finish(key)?);
        point("capture.after");
        Ok::<_, CheckpointError>(())
    };
    let mut open: Vec<Vec<Pane>> = Vec::new();
    for (index, (count, touched)) in counts.iter().zip(touched).enumerate() {
        let windows = &count.windows;
        let is_closed =
            |pane: &Pane| *pane != Pane::ALL && windows.time_of(*pane) + windows.slide(pane.tier()) <= clock;
        let held = touched.panes.iter().copied().filter(|pane| is_held(windows, *pane, clock));
        let (closed, others): (BTreeSet<Pane>, Vec<Pane>) = partition(held, is_closed);
        open.push(others);
        for tier in 0..windows.tiers() {
            let panes: Vec<Pane> = closed.iter().copied().filter(|pane| pane.tier() == tier).collect();
            if panes.is_empty() {
                continue;
            }
            let part = format!("{}-{}", count.id, windows.slide(tier));
            write(&part, &mut |writer| write_panes(writer, count, &of(index), &panes, epoch))?;
        }
    }
    write("open", &mut |writer| {
        for (index, (count, panes)) in counts.iter().zip(&open).enumerate() {
            write_panes(writer, count, &of(index), panes, epoch)?;
            if touched[index].spellings {
                writer.begin(count.id, Place::Spellings)?;
                let batches = of(index).into_iter().flat_map(|count| &count.spellings);
                merge(batches, Pane::ALL, epoch, |term, n| writer.push(term, n))?;
            }
        }
        Ok(())
    })
}

fn partition(
    panes: impl Iterator<Item = Pane>,
    is_closed: impl Fn(&Pane) -> bool,
) -> (BTreeSet<Pane>, Vec<Pane>) {
    let (mut closed, mut open) = (BTreeSet::new(), Vec::new());
    for pane in panes {
        if is_closed(&pane) {
            closed.insert(pane);
        } else {
            open.push(pane);
        }
    }
    (closed, open)
}

fn write_panes(
    writer: &mut Writer,
    count: &Kept,
    workers: &[&CountSnapshot],
    panes: &[Pane],
    epoch: u64,
) -> Result<(), CheckpointError> {
    for pane in panes {
        writer.begin(count.id, place_of(&count.windows, *pane))?;
        let batches = workers.iter().flat_map(|count| &count.panes);
        merge(batches, *pane, epoch, |term, n| writer.push(term, n))?;
    }
    Ok(())
}

/// Shows each term of a pane that has a count at the epoch, in order.
fn merge<'a>(
    batches: impl Iterator<Item = &'a Shared<PanesBatch>>,
    pane: Pane,
    epoch: u64,
    mut see: impl FnMut(&[u8], i64) -> Result<(), CheckpointError>,
) -> Result<(), CheckpointError> {
    let panes = pane..Pane(pane.0 + 1);
    let runs = batches.flat_map(|batch| batch.of(&panes)).filter(|run| run.time <= epoch);
    for (term, n) in Merged::new(runs, b"") {
        if n < 0 {
            return Err(CheckpointError::damaged(
                &String::from_utf8_lossy(term),
                format!("it counts {n} in pane {:x}, and no count is negative", pane.0),
            ));
        }
        see(term, n)?;
    }
    Ok(())
}
