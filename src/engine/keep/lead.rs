//! How a run with checkpoints begins.
//!
//! Idea: the process that leads opens the store, finds what is kept, lays the partitions beside it, and makes the first
//! manifest of the run: the starts are in it, so that `latest` means the same after a crash. All other processes read that
//! manifest.
//! Invariant: all that the settings and Kafka can have against what is kept is found before a worker starts.
//! Cost: a verification of what is kept; see `checkpoint::open`.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, mpsc};

use tidings_dataflows::clock::Standing;

use super::fit::{Fitted, fit, posts_of, rules_of};
use super::restore::Restore;
use super::thread::{Thread, spawn};
use super::{Keeping, SharedHistory, convert};
use crate::checkpoint::capture::Kept;
use crate::checkpoint::commit::Leader;
use crate::checkpoint::lease::{self, Lease};
use crate::checkpoint::manifest::{FORMAT, Manifest, Tally};
use crate::checkpoint::open::{self, Opened, follow, open, seal};
use crate::checkpoint::writer::Writer;
use crate::checkpoint::{CheckpointError, Store, open_store};
use crate::config::Config;
use crate::engine::control::Control;
use crate::engine::error::EngineError;
use crate::engine::sheets::{self, Sheet};
use crate::source::SourceError;
use crate::source::ends::Ends;
use crate::source::partitions::Partition;
use crate::source::resume::Counted;
use crate::wall::steady_ms;

/// The latest run that has begun on what is kept; 0: none, or nothing is kept.
///
/// # Errors
/// Where that cannot be read.
pub fn last_run(config: &Config) -> Result<u64, EngineError> {
    let Some(address) = &config.checkpoint.dir else { return Ok(0) };
    Ok(open::last_run(&*open_store(address)?)?)
}

/// What the process that leads has found out.
pub(crate) struct Led {
    opened: Opened,
    sealed: Manifest,
}

/// Opens the store, resolves the partitions against what is kept, and makes the first manifest of the run.
///
/// # Errors
/// What stands against going on.
pub(crate) fn lead(
    config: &Config,
    address: &str,
    generation: Option<u64>,
    resolve: impl FnOnce(&[Counted]) -> Result<Vec<Partition>, SourceError>,
) -> Result<(Vec<Partition>, Led), EngineError> {
    let opened = open(address, &config.cluster.id, generation, config.checkpoint.fresh, steady_ms)?;
    let found = opened.found.as_ref();
    let partitions = resolve(&found.map(convert::counted).unwrap_or_default())?;
    // What does not fit is found before anything is written.
    let fitted = fit(config, found, &convert::starts(&partitions))?;
    if let Some(found) = found {
        let (number, rows) = (found.number, found.rows());
        tracing::info!(number, rows, epoch = found.epoch, "going on from a checkpoint");
    }
    let topics = convert::topics(&partitions, found);
    let first = match found {
        Some(found) => Manifest { topics, ..found.clone() },
        None => Manifest {
            format: FORMAT,
            number: 0,
            generation: 0,
            cluster: config.cluster.id.clone(),
            written: steady_ms(),
            epoch: opened.after,
            clock: None,
            newest: None,
            rules: rules_of(config),
            other_rules: None,
            posts: posts_of(config),
            topics,
            counts: fitted.into_iter().map(|fitted| fitted.count).collect(),
            tally: Tally::default(),
            segments: Vec::new(),
        },
    };
    let sealed = seal(&opened, first)?;
    Ok((partitions, Led { opened, sealed }))
}

/// What a process needs to know to keep checkpoints.
pub(crate) struct Start<'a> {
    pub(crate) config: &'a Config,
    pub(crate) ends: &'a Arc<Ends>,
    pub(crate) control: &'a Arc<Control>,
    /// The process, and of how many.
    pub(crate) place: (usize, usize),
}

/// What a process has begun with.
pub(crate) struct Begun {
    pub(crate) keeping: Arc<Keeping>,
    /// What is to be loaded, where something was kept.
    pub(crate) restore: Option<Restore>,
    /// How each sheet goes on.
    pub(crate) fitted: Vec<Fitted>,
    /// The newest event time that was counted by other rules.
    pub(crate) other_rules: Option<u64>,
}

impl Begun {
    /// On which sheets the counts are.
    pub(crate) fn sheets(&self) -> Vec<Sheet> {
        self.fitted.iter().map(|fitted| fitted.sheet.clone()).collect()
    }
}

impl Led {
    /// The number of this run.
    pub(crate) fn generation(&self) -> u64 {
        self.opened.generation
    }

    /// Starts the threads of the process that leads.
    ///
    /// # Errors
    /// Where threads cannot be started.
    pub(crate) fn begin(self, start: &Start<'_>) -> Result<Begun, EngineError> {
        let Led { opened, sealed } = self;
        let Opened { store, generation, after, .. } = opened;
        let lease = Arc::new(Lease::new(generation, after));
        if let Err(error) = lease.renew(&*store, steady_ms()) {
            tracing::warn!("{error}");
        }
        begin(start, store, sealed, after, Some(lease))
    }
}

/// Starts the thread of a process that does not lead, once the one that does has begun.
///
/// # Errors
/// Where that does not come, and where threads cannot be started.
pub(crate) fn join(start: &Start<'_>, address: &str, generation: u64) -> Result<Begun, EngineError> {
    let (store, sealed) = follow(address, generation)?;
    let after = sealed.epoch;
    begin(start, store, sealed, after, None)
}

fn begin(
    start: &Start<'_>,
    store: Arc<dyn Store>,
    sealed: Manifest,
    after: u64,
    lease: Option<Arc<Lease>>,
) -> Result<Begun, EngineError> {
    let Start { config, ends, control, place: (process, processes) } = start;
    let partitions = ends.partitions();
    // The first manifest of a run has all that was found, and nothing of a run that began anew.
    let is_new = sealed.segments.is_empty() && sealed.clock.is_none() && sealed.tally == Tally::default();
    let fitted = fit(config, Some(&sealed), &convert::starts(&partitions))?;
    let sheets: Vec<Sheet> = fitted.iter().map(|fitted| fitted.sheet.clone()).collect();
    let kept: Vec<Kept> = fitted
        .iter()
        .zip(sheets::infos(&sheets::spread(config, &sheets))?)
        .map(|(fitted, sheet)| Kept { id: fitted.count.id, windows: sheet.plan })
        .collect();
    let rules = rules_of(config);
    let changed = sealed.rules != rules && !is_new;
    let other_rules =
        if changed { sealed.newest.max(sealed.other_rules).or(Some(0)) } else { sealed.other_rules };
    if changed {
        tracing::warn!(
            was = sealed.rules,
            is = rules,
            "texts are taken apart by other rules than before; stamps say so"
        );
    }
    let restore = (!is_new).then(|| Restore {
        store: Arc::clone(&store),
        standing: Standing { newest: sealed.newest, clock: sealed.clock },
        tally: convert::tally(&sealed, &partitions),
        counts: kept.clone(),
        fitted: fitted.clone(),
        manifest: sealed.clone(),
    });
    let (tasks, inbox) = mpsc::channel();
    let keeping = Arc::new(Keeping {
        interval: config.checkpoint.interval,
        number: sealed.number,
        after,
        lease: lease.clone(),
        broken: AtomicBool::new(false),
        store: Arc::clone(&store),
        tasks,
        outcomes: Mutex::default(),
        outbox: Mutex::default(),
        history: SharedHistory::default(),
        threads: Mutex::default(),
    });
    let generation = sealed.generation;
    let base = Manifest {
        rules,
        other_rules,
        counts: fitted.iter().map(|fitted| fitted.count.clone()).collect(),
        ..sealed
    };
    let mut threads = Vec::new();
    if let Some(lease) = lease {
        let control = Arc::clone(control);
        let fenced = move |error: CheckpointError| control.fail(error.into());
        let both = lease::keep(Arc::clone(&store), lease, steady_ms, fenced);
        threads.extend(both.map_err(|error| EngineError::Threads(error.to_string()))?);
    }
    let thread = Thread {
        keeping: Arc::clone(&keeping),
        control: Arc::clone(control),
        ends: Arc::clone(ends),
        store: Arc::clone(&store),
        writer: Writer::new(Arc::clone(&store), kept.clone()),
        counts: kept,
        leader: (*process == 0).then(|| Leader::new(store, base)),
        generation,
        process: *process,
        processes: *processes,
        workers: config.engine.workers,
    };
    threads.push(spawn(thread, inbox)?);
    *keeping.threads.lock().expect("no holder panics") = threads;
    Ok(Begun { keeping, restore, fitted, other_rules })
}
