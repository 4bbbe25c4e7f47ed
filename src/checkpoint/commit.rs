//! The shares of all processes become a manifest, and the manifest becomes the checkpoint.
//!
//! Idea: each process says what it holds at the epoch and where it wrote it; the one that leads puts the parts together,
//! checks that they fit, and makes the manifest. That the manifest is made is the commit.
//! Invariant: a manifest is made only if all parts are of one epoch, every partition that was known is there once, no offset
//! went back, what the segments hold adds up to what the workers say that they hold, and no later run has begun.
//! Cost: a list of names, and one small file.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::failpoint::point;
use super::manifest::{FORMAT, Manifest, Partition, Place, Segment, Tally, Topic};
use super::store::Store;
use super::{CheckpointError, keys};

/// What one process says at a checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Share {
    /// The checkpoint.
    pub number: u64,
    /// The process.
    pub process: usize,
    /// Its part, or why there is none.
    pub part: Result<Part, String>,
}

/// One process's part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The epoch as of which it is.
    pub epoch: u64,
    /// The clock.
    pub clock: Option<u64>,
    /// The newest event time of all posts.
    pub newest: Option<u64>,
    /// Its rows.
    pub segments: Vec<Segment>,
    /// The partitions that its workers read, by topic.
    pub partitions: Vec<(String, Partition)>,
    /// The newest event time of partitions, also of those that other processes read.
    pub newest_of: Vec<(String, i32, u64)>,
    /// What became of the records that its workers decoded.
    pub tally: Tally,
    /// What its workers did not take of each count.
    pub refused: Vec<Refused>,
    /// Occurrences that its workers hold of each count.
    pub held: Vec<i64>,
}

/// What was not taken for want of room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    /// Occurrences.
    pub occurrences: u64,
    /// The newest event time among them.
    pub newest: Option<u64>,
    /// Spellings.
    pub spellings: u64,
}

/// Makes manifests.
pub struct Leader {
    store: Arc<dyn Store>,
    /// The newest manifest, of this run.
    last: Manifest,
}

impl Leader {
    /// Goes on from a manifest of this run.
    pub fn new(store: Arc<dyn Store>, last: Manifest) -> Leader {
        Leader { store, last }
    }

    /// The newest manifest.
    pub fn last(&self) -> &Manifest {
        &self.last
    }

    /// From now on this is known to be Kafka's id of a topic, where none was.
    pub fn identify(&mut self, topic: &str, id: String) {
        if let Some(known) = self.last.topics.iter_mut().find(|known| known.name == topic) {
            known.id.get_or_insert(id);
        }
    }

    /// Makes manifest `number` out of the parts of all processes.
    ///
    /// # Errors
    /// `Fenced` where a later run has begun; others where it did not come about.
    pub fn commit(&mut self, number: u64, wall: u64, parts: Vec<Part>) -> Result<(), CheckpointError> {
        let whole = join(&self.last, number, wall, parts).map_err(|why| {
            CheckpointError::damaged(
                &keys::manifest(number),
                format!("it is not written: {why}; this is a bug"),
            )
        })?;
        // Whoever writes elsewhere, into a folder of the same name on another host, is found out here.
        for segment in whole.segments.iter().filter(|segment| is_new(segment, number)) {
            let found = self.store.size(&segment.key)?;
            if found != Some(segment.size) {
                let key = self.store.show(&segment.key);
                return Err(CheckpointError::damaged(
                    &key,
                    "another process wrote it and it is not here: checkpoint.dir must be the same place for all",
                ));
            }
        }
        refuse_if_fenced(&*self.store, whole.generation)?;
        point("commit.before");
        create(&*self.store, &whole)?;
        point("commit.after");
        self.last = whole;
        Ok(())
    }
}

fn is_new(segment: &Segment, number: u64) -> bool {
    keys::of_segment(&segment.key).is_some_and(|(_, of)| of == number)
}

/// Refuses to go on where a later run has begun.
///
/// # Errors
/// `Fenced` where one has.
pub fn refuse_if_fenced(store: &dyn Store, generation: u64) -> Result<(), CheckpointError> {
    let runs = store.list(keys::GENERATIONS)?;
    match runs.iter().filter_map(|key| keys::number(key)).find(|later| *later > generation) {
        None => Ok(()),
        Some(later) => Err(CheckpointError::Fenced(format!(
            "run {later} has taken over the checkpoints in {}; this one, {generation}, stops: two clusters must not \
             share a directory",
            store.show("")
        ))),
    }
}

/// Makes a manifest that must not be there yet.
///
/// # Errors
/// `Fenced` where it is.
pub fn create(store: &dyn Store, manifest: &Manifest) -> Result<(), CheckpointError> {
    let key = keys::manifest(manifest.number);
    let bytes = manifest.encode()?;
    if store.create(&key, &bytes)? {
        return Ok(());
    }
    // An answer that was lost may have been ours.
    if store.read(&key)?.as_deref() == Some(&bytes) {
        return Ok(());
    }
    Err(CheckpointError::Fenced(format!(
        "{} was written by another run; this one, {}, stops: two clusters must not share a directory",
        store.show(&key),
        manifest.generation
    )))
}

/// Puts parts together, and says what does not fit.
pub fn join(last: &Manifest, number: u64, wall: u64, parts: Vec<Part>) -> Result<Manifest, String> {
    let first = parts.first().ok_or("nobody has written anything")?;
    let (epoch, clock, newest) = (first.epoch, first.clock, first.newest);
    if let Some(other) =
        parts.iter().find(|part| (part.epoch, part.clock, part.newest) != (epoch, clock, newest))
    {
        return Err(format!("parts are of epoch {epoch} and of {}", other.epoch));
    }
    if epoch <= last.epoch || number <= last.number {
        return Err(format!("epoch {epoch} is not after {}", last.epoch));
    }
    let mut topics = last.topics.clone();
    topics.iter_mut().for_each(|topic| topic.partitions.clear());
    for (name, partition) in parts.iter().flat_map(|part| &part.partitions) {
        let topic =
            topics.iter_mut().find(|topic| topic.name == *name).ok_or_else(|| format!("no topic {name}"))?;
        topic.partitions.push(partition.clone());
    }
    for topic in &mut topics {
        settle(topic, last.topics.iter().find(|known| known.name == topic.name))?;
    }
    for (name, number, time) in parts.iter().flat_map(|part| &part.newest_of) {
        let of =
            topics.iter_mut().filter(|topic| topic.name == *name).flat_map(|topic| &mut topic.partitions);
        of.filter(|known| known.partition == *number)
            .for_each(|known| known.newest = known.newest.max(Some(*time)));
    }
    let mut tally = Tally::default();
    parts.iter().for_each(|part| tally.add(&part.tally));
    let mut counts = last.counts.clone();
    for (index, count) in counts.iter_mut().enumerate() {
        let of = |part: &Part| part.refused.get(index).copied().unwrap_or_default();
        count.refused = parts.iter().map(|part| of(part).occurrences).sum();
        count.refused_newest = parts.iter().filter_map(|part| of(part).newest).max();
        count.refused_spellings = parts.iter().map(|part| of(part).spellings).sum();
        let held: i64 = parts.iter().map(|part| part.held.get(index).copied().unwrap_or(0)).sum();
        let placed = parts.iter().flat_map(|part| &part.segments).flat_map(|segment| &segment.places);
        let rows = placed.filter(|placed| placed.count == count.id && placed.place != Place::Spellings);
        let written: i64 = rows.map(|placed| placed.sum).sum();
        if held != written {
            return Err(format!(
                "count {:?} holds {held} occurrences, and {written} are written",
                count.name
            ));
        }
    }
    let segments = parts.into_iter().flat_map(|part| part.segments).collect();
    let (generation, cluster) = (last.generation, last.cluster.clone());
    let (rules, posts) = (last.rules.clone(), last.posts.clone());
    let (written, other_rules) = (wall, last.other_rules);
    Ok(Manifest {
        format: FORMAT,
        number,
        generation,
        cluster,
        written,
        epoch,
        clock,
        newest,
        rules,
        other_rules,
        posts,
        topics,
        counts,
        tally,
        segments,
    })
}

/// Brings the partitions of a topic in order; all that were known must be there, and none may have gone back.
fn settle(topic: &mut Topic, before: Option<&Topic>) -> Result<(), String> {
    topic.partitions.sort_unstable_by_key(|partition| partition.partition);
    let name = &topic.name;
    if let Some(pair) = topic.partitions.windows(2).find(|pair| pair[0].partition == pair[1].partition) {
        return Err(format!("two read {name} {}", pair[0].partition));
    }
    for known in before.into_iter().flat_map(|before| &before.partitions) {
        let now = topic.partitions.iter().find(|partition| partition.partition == known.partition);
        match now {
            None => return Err(format!("nobody reads {name} {}", known.partition)),
            Some(now) if now.next < known.next => {
                return Err(format!(
                    "{name} {} went back from {} to {}",
                    known.partition, known.next, now.next
                ));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

impl Tally {
    /// Adds another.
    pub fn add(&mut self, other: &Tally) {
        let sum = |to: &mut BTreeMap<String, u64>, of: &BTreeMap<String, u64>| {
            of.iter().for_each(|(name, n)| *to.entry(name.clone()).or_default() += n);
        };
        sum(&mut self.bad, &other.bad);
        sum(&mut self.other, &other.other);
        self.posts += other.posts;
        self.late += other.late;
        self.ahead += other.ahead;
        self.undated += other.undated;
        self.too_long += other.too_long;
    }
}
