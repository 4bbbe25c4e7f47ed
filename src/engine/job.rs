//! What the workers of a process have in common, and what each makes of it for itself.
//!
//! Idea: settings, plan and input are the same for all workers; source, decoder and pipeline are each worker's own, made here.
//! Invariant: all workers of all processes build the same dataflow, as the plan follows from what all have in common.
//! Cost: once a worker.

use std::path::PathBuf;
use std::sync::Arc;

use tidings_dataflows::pipeline::{Pipeline, Plan};
use timely::worker::Worker;

use super::control::Control;
use super::decode::{Decode, NameOf, Refused};
use super::error::EngineError;
use super::keep::{Keeping, Restore};
use super::published::Published;
use super::sharing::Sharing;
use super::tally::Tally;
use crate::config::Config;
use crate::source::committer::Committer;
use crate::source::dead_letters::{DeadLetters, Letter};
use crate::source::ends::Ends;
use crate::source::files::{FileSource, Progress};
use crate::source::kafka::KafkaSource;
use crate::source::{Nothing, Source};

/// Where records come from.
pub enum Input {
    /// The topics of the configuration.
    Kafka,
    /// Files, read once; then the engine stops by itself.
    Files(Vec<PathBuf>, Arc<Progress>),
}

/// What all workers of the process share.
pub(super) struct Job {
    /// The settings, with each sheet as a count.
    pub(super) config: Config,
    /// The index of this process.
    pub(super) process: usize,
    pub(super) published: Arc<Published>,
    pub(super) control: Arc<Control>,
    pub(super) sharing: Sharing,
    /// Takes the bad records, where there is a topic for them.
    pub(super) dead_letters: Option<Arc<DeadLetters>>,
    /// Where there are checkpoints.
    pub(super) keeping: Option<Arc<Keeping>>,
    /// What was kept, where something was.
    pub(super) restore: Option<Restore>,
    pub(super) plan: Plan,
    pub(super) input: Input,
    pub(super) ends: Arc<Ends>,
    pub(super) committer: Arc<Committer>,
}

impl Job {
    pub(super) fn build_pipeline(&self, worker: &mut Worker) -> Pipeline<Tally> {
        let mut decode = self.decode().expect("it was made once before the workers were started");
        let (control, sharing, index) = (Arc::clone(&self.control), self.sharing.clone(), worker.index());
        Pipeline::build(worker, &self.plan, move |records, gathered| {
            if let Err(bad) = decode.decode(records, gathered) {
                control.fail(EngineError::BadRecord(bad));
            }
            sharing.decoded(index, records.size());
        })
    }

    /// Whether each count keeps spellings.
    pub(super) fn spelled(&self) -> Vec<bool> {
        self.plan.counts.iter().map(|count| count.spellings).collect()
    }

    /// A decoder for a worker.
    ///
    /// # Errors
    /// Where the settings do not allow one.
    pub(super) fn decode(&self) -> Result<Decode, String> {
        let windows: Vec<_> = self.plan.counts.iter().map(|count| count.windows.clone()).collect();
        let name_of: NameOf = match &self.input {
            Input::Kafka => {
                let ends = Arc::clone(&self.ends);
                Box::new(move |number| {
                    let partitions = ends.partitions();
                    partitions
                        .get(number as usize)
                        .map_or_else(String::new, |p| format!("{} {}", p.topic, p.partition))
                })
            }
            Input::Files(files, _) => {
                let files = files.clone();
                Box::new(move |number| {
                    files.get(number as usize).map_or_else(String::new, |file| file.display().to_string())
                })
            }
        };
        Decode::new(&self.config, &windows, name_of, self.refused())
    }

    fn refused(&self) -> Option<Refused> {
        let (dead_letters, ends) = (Arc::clone(self.dead_letters.as_ref()?), Arc::clone(&self.ends));
        Some(Box::new(move |origin, value, bad| {
            let partitions = ends.partitions();
            let Some(place) = partitions.get(origin.partition as usize) else { return };
            dead_letters.send(&Letter {
                topic: &place.topic,
                partition: place.partition,
                offset: origin.offset,
                time: origin.time,
                reason: bad.reason.as_str(),
                detail: &bad.detail,
                value,
            });
        }))
    }

    pub(super) fn open_source(&self, worker: &Worker) -> Box<dyn Source> {
        let place = (worker.index(), worker.peers());
        match &self.input {
            Input::Kafka => {
                let activator = worker.sync_activator_for(Vec::new());
                let wake = move || {
                    // It fails only where the worker has ended already.
                    let _ = activator.activate();
                };
                let (ends, committer) = (Arc::clone(&self.ends), Arc::clone(&self.committer));
                Box::new(KafkaSource::new(&self.config.kafka, place, ends, committer, Arc::new(wake)))
            }
            Input::Files(files, progress) if place.0 == 0 => {
                Box::new(FileSource::new(files, Arc::clone(progress)))
            }
            _ => Box::new(Nothing),
        }
    }
}
