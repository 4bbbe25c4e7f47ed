//! Starts the engine and stops it.
//!
//! Idea: everything that can be wrong is found before the first worker starts; then the workers own the work, and this
//! handle only asks them to stop and waits for them.
//! Invariant: the first failure of a worker stops all others and is the one reported. A panic in a worker is not handled
//! here: it ends the process, since the other workers would wait for ever (see `main`).
//! Cost: a thread per worker, one that asks Kafka where partitions end and in process 0 one that looks for new ones, and those of
//! librdkafka; with checkpoints one that writes them and two for the lease; in a cluster those that `cluster::peers` has.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidings_dataflows::pipeline::{CountPlan, Plan};
use tidings_dataflows::quota::Quota;
use tidings_dataflows::term::HashKeys;
use timely::communication::allocator::ProcessBuilder;
use timely::communication::allocator::zero_copy::initialize::initialize_networking_from_sockets;
use timely::communication::{AllocatorBuilder, Hooks, WorkerGuards};
use timely::worker::Worker;

use super::control::Control;
use super::decode::{Decode, has_spellings};
use super::error::EngineError;
use super::gather;
use super::job::{Input, Job};
use super::keep::{self, Keeping};
use super::owners::Owners;
use super::published::Published;
use super::reader::{CountInfo, Reader};
use super::sharing::Sharing;
use super::sheets::{self, Sheets};
use super::worker::work;
use crate::checkpoint::open_store;
use crate::cluster::peers::Peers;
use crate::cluster::{Mesh, loss};
use crate::config::Config;
use crate::source::SourceError;
use crate::source::committer::Committer;
use crate::source::dead_letters::DeadLetters;
use crate::source::ends::{self, Ends};
use crate::source::lookout;
use crate::source::partitions::{self, resolve};
use crate::source::resume::Counted;
use crate::wall::wall_ms;

/// Places of a ranking that are kept, and so the largest `k` that can be asked for.
pub const TOP: usize = 1000;

/// How long after the wish to stop dead letters are still waited for: whatever went before, the end comes within half a minute.
const LETTERS_UNTIL: Duration = Duration::from_secs(27);

/// A running engine.
pub struct Engine {
    reader: Reader,
    control: Arc<Control>,
    workers: WorkerGuards<()>,
    ends: Arc<Ends>,
    dead_letters: Option<Arc<DeadLetters>>,
    /// What is said to other processes beside the dataflow.
    peers: Option<Arc<Peers>>,
    /// Its door stays open for as long as the engine is there.
    _mesh: Option<Mesh>,
    keeping: Option<Arc<Keeping>>,
}

impl Engine {
    /// A handle for asking.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// A handle for stopping.
    pub fn control(&self) -> Arc<Control> {
        Arc::clone(&self.control)
    }

    /// Waits until all workers have ended, and dead letters are written.
    ///
    /// # Errors
    /// The first failure of a worker.
    pub fn join(self) -> Result<(), EngineError> {
        let results = self.workers.join();
        self.ends.stop();
        if let Some(peers) = self.peers {
            peers.stop();
        }
        if let Some(keeping) = self.keeping {
            keeping.finish();
        }
        if let Some(dead_letters) = self.dead_letters {
            dead_letters.finish(LETTERS_UNTIL.saturating_sub(self.control.stopping_for()));
        }
        if let Some(failure) = self.control.take_failure() {
            return Err(failure);
        }
        results.into_iter().try_for_each(|result| result.map_err(EngineError::Threads))
    }
}

/// Whether an engine could be started by these settings, as far as that is known without asking Kafka.
///
/// # Errors
/// As [`start`] has them, for what the settings alone decide.
pub fn check(config: &Config) -> Result<(), EngineError> {
    let windows: Vec<_> = sheets::infos(config)?.into_iter().map(|count| count.plan).collect();
    Decode::new(config, &windows, Box::new(|_| String::new()), None).map_err(EngineError::Config)?;
    config.checkpoint.dir.iter().try_for_each(|address| open_store(address).map(drop))?;
    Ok(partitions::check(&config.kafka)?)
}

/// Starts reading and counting, in this process alone or together with all others of a mesh.
///
/// # Errors
/// Where the settings or the source do not allow it, here or in process 0.
pub fn start(config: &Config, input: Input, mut mesh: Option<Mesh>) -> Result<Engine, EngineError> {
    let counts = sheets::infos(config)?;
    let threads = config.engine.workers;
    let (process, processes) = mesh.as_ref().map_or((0, 1), |mesh| (mesh.process, mesh.processes));
    let control = Arc::new(Control::default());
    let (mut led, given) = (None, mesh.as_ref().map(|mesh| mesh.generation));
    let mut find = || match (&input, &config.checkpoint.dir) {
        (Input::Files(..), _) => Ok(Vec::new()),
        (Input::Kafka, None) => Ok(resolve(&config.kafka, wall_ms(), None)?),
        (Input::Kafka, Some(address)) => {
            let resolve = |before: &[Counted]| resolve(&config.kafka, wall_ms(), Some(before));
            let (partitions, found) = keep::lead(config, address, given, resolve)?;
            led = Some(found);
            Ok(partitions)
        }
    };
    // "latest" must not mean another offset in each process.
    let asked = Instant::now();
    let partitions = match &mut mesh {
        None => find()?,
        Some(mesh) => mesh.share(find, EngineError::exit)?,
    };
    let ends = Ends::new(&partitions, asked);
    let generation = given.or(led.as_ref().map(|led| led.generation())).unwrap_or(wall_ms().max(0) as u64);
    let begins = keep::Start { config, ends: &ends, control: &control, place: (process, processes) };
    let kept = match (led, &config.checkpoint.dir, &input) {
        (Some(led), ..) => Some(led.begin(&begins)?),
        (None, Some(address), Input::Kafka) => Some(keep::join(&begins, address, generation)?),
        _ => None,
    };
    let sheets = kept.as_ref().map_or_else(|| sheets::whole(config), |kept| kept.sheets());
    let spread = sheets::spread(config, &sheets);
    let sheets = Sheets::new(&sheets, sheets::infos(&spread)?);
    if let Input::Kafka = input {
        drop(ends::watch(&config.kafka, Arc::clone(&ends))?);
    }
    if matches!(input, Input::Kafka) && process == 0 {
        let (finder, failing) = (Arc::clone(&control), Arc::clone(&control));
        drop(lookout::watch(
            &config.kafka,
            Arc::clone(&ends),
            move |partition, end| finder.found(partition, end),
            move |error| failing.fail(error.into()),
        )?);
    }
    let dead_letters = match (&input, &config.posts.dead_letter_topic) {
        (Input::Kafka, Some(topic)) => {
            let letters = DeadLetters::new(&config.kafka, topic).map_err(SourceError::from)?;
            Some(Arc::new(letters))
        }
        _ => None,
    };
    let keys = HashKeys::new(mesh.as_ref().map_or_else(random, |mesh| mesh.seed));
    let owners = Owners { me: process, processes, threads, keys };
    let published = Arc::new(Published::in_cluster(owners, Arc::clone(&ends)));
    let peers = match &mut mesh {
        None => None,
        Some(mesh) => {
            loss::enter(mesh);
            let control = Arc::clone(&control);
            let lost = move |process, why: &str| {
                // Where all are being stopped, each ends when it is done; after a failure nobody else sets a limit.
                if !control.stopping() || control.has_failed() {
                    loss::lost(process, why);
                }
            };
            let connected = gather::connect(&published, &sheets.infos, std::mem::take(&mut mesh.reads), lost);
            Some(connected.map_err(|error| EngineError::Threads(error.to_string()))?)
        }
    };
    let reader = Reader::new(Arc::clone(&published), counts, generation, config.engine.epoch)
        .with_sheets(sheets.clone())
        .with_dead_letters(dead_letters.as_ref().map(|letters| letters.fates()))
        .with_peers(peers.clone())
        .with_checkpoints(kept.as_ref());
    let (keeping, restore) = kept.map(|kept| (kept.keeping, kept.restore)).unzip();
    // One worker reads all files.
    let (readers, evenly) = match input {
        Input::Files(..) => (1, false),
        Input::Kafka => (partitions.len(), partitions.len().is_multiple_of(threads * processes)),
    };
    let job = Arc::new(Job {
        plan: plan(&spread, &sheets.infos, keys, share_of(config.engine.max_terms, process, processes)),
        config: spread,
        process,
        published,
        control: Arc::clone(&control),
        dead_letters: dead_letters.clone(),
        sharing: Sharing::new(evenly, readers, threads, processes),
        input,
        ends: Arc::clone(&ends),
        committer: Arc::new(Committer::new(&config.kafka)),
        keeping: keeping.clone(),
        restore: restore.flatten(),
    });
    job.decode().map_err(EngineError::Config)?;
    let run = move |worker: &mut Worker| {
        if worker.index() == process * threads {
            job.control.wakes(worker.sync_activator_for(Vec::new()));
        }
        work(worker, &job);
    };
    let workers = match &mut mesh {
        None => timely::execute(timely::Config::process(threads), run).map_err(EngineError::Threads)?,
        Some(mesh) => execute(mesh, threads, run)?,
    };
    Ok(Engine { reader, control, workers, ends, dead_letters, peers, _mesh: mesh, keeping })
}

/// Starts this process's workers, and the threads that connect them with those of the other processes.
fn execute(
    mesh: &mut Mesh,
    threads: usize,
    run: impl Fn(&mut Worker) + Send + Sync + 'static,
) -> Result<WorkerGuards<()>, EngineError> {
    let hooks = Hooks::default();
    let inner = ProcessBuilder::new_typed_vector(threads, hooks.refill.clone(), hooks.spill.clone());
    let sockets = std::mem::take(&mut mesh.data);
    let (builders, guard) = initialize_networking_from_sockets(inner, sockets, mesh.process, threads, hooks)
        .map_err(|error| EngineError::Threads(error.to_string()))?;
    let builders = builders.into_iter().map(AllocatorBuilder::Tcp).collect();
    timely::execute::execute_from(builders, Box::new(guard), timely::WorkerConfig::default(), run)
        .map_err(EngineError::Threads)
}

/// The standard library's hasher is keyed at random: its hash of nothing is as good as a random number.
fn random() -> u128 {
    let random = || u128::from(RandomState::new().build_hasher().finish());
    random() << 64 | random()
}

/// What a process has of something that all share evenly.
fn share_of(whole: usize, process: usize, processes: usize) -> usize {
    let until = |process: usize| (whole as u128 * process as u128 / processes as u128) as usize;
    until(process + 1) - until(process)
}

/// What each worker of this process builds; `room`: the terms that it may hold of each count.
fn plan(config: &Config, counts: &[CountInfo], keys: HashKeys, room: usize) -> Plan {
    let plan = |count: &CountInfo| CountPlan {
        windows: count.plan.clone(),
        spellings: has_spellings(count.of),
        room: Quota::new(room, config.engine.workers),
    };
    Plan { counts: counts.iter().map(plan).collect(), top: TOP, keys }
}
