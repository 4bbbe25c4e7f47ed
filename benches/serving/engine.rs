//! The engine and its server, as `tidings run` has them.
//!
//! Invariant: when a cut was published is noted as soon as a thread that does nothing else can know.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tidings::config::{self, Start};
use tidings::engine::{self, Input, Reader};
use tidings::serve;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::{http, now_us};

/// A running engine.
pub struct Engine {
    /// Where it answers.
    pub address: SocketAddr,
    engine: engine::Engine,
    reader: Reader,
    published: Arc<Mutex<BTreeMap<u64, i64>>>,
    runtime: Runtime,
    stop: oneshot::Sender<()>,
}

/// What was seen of it over a while.
pub struct Watched {
    /// When each epoch was published, in Unix microseconds.
    pub published: BTreeMap<u64, i64>,
    /// Posts counted.
    pub posts: u64,
    /// Records that were not read yet: the most, and in the end.
    pub most_behind: i64,
    /// In the end.
    pub behind: i64,
}

impl Engine {
    /// On a topic `posts`.
    pub fn start(brokers: &str) -> Result<Engine, String> {
        let mut config =
            config::load(None, std::iter::empty(), Vec::new()).map_err(|error| error.to_string())?.config;
        config.kafka.brokers = brokers.to_owned();
        config.kafka.start = Start::Earliest;
        config.http.bind = SocketAddr::from(([127, 0, 0, 1], 0));
        let engine = engine::start(&config, Input::Kafka, None).map_err(|error| error.to_string())?;
        let reader = engine.reader();
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("http").enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let listener = runtime.block_on(serve::listen(&config.http)).map_err(|error| error.to_string())?;
        let address = listener.local_addr();
        let (stop, stopped) = oneshot::channel();
        runtime.spawn(serve::run(listener, reader.clone(), async { drop(stopped.await) }));
        let published = Arc::default();
        note_publications(reader.clone(), Arc::clone(&published));
        Ok(Engine { address, engine, reader, published, runtime, stop })
    }

    /// Watches it for a while.
    pub fn watch(&self, time: Duration) -> Watched {
        let (begun, first) = (Instant::now(), self.posts());
        let (mut most_behind, mut behind) = (0, 0);
        while begun.elapsed() < time {
            thread::sleep(Duration::from_millis(100));
            behind = self.behind();
            most_behind = most_behind.max(behind);
        }
        let published = self.published.lock().expect("nobody panics").clone();
        Watched { published, posts: self.posts() - first, most_behind, behind }
    }

    fn posts(&self) -> u64 {
        self.reader.newest().map_or(0, |cut| cut.tally.posts)
    }

    fn behind(&self) -> i64 {
        let Some(cut) = self.reader.newest() else { return 0 };
        let partitions = self.reader.partitions();
        let behind = partitions.iter().enumerate().filter_map(|(number, partition)| {
            let (end, _) = self.reader.end_offset(number as u32)?;
            Some((end - cut.offsets.get(&partition.topic)?.get(&partition.partition)?).max(0))
        });
        behind.sum()
    }

    /// Streams that are open, by its own metrics.
    pub fn connections(&self) -> u64 {
        let metrics = self.runtime.block_on(http::get(self.address, "/metrics")).unwrap_or_default();
        let line = metrics.lines().find_map(|line| line.strip_prefix("tidings_streams "));
        line.and_then(|number| number.parse().ok()).unwrap_or(0)
    }

    /// Ends it.
    pub fn stop(self) {
        let _ = self.stop.send(());
        self.engine.control().stop();
        drop(self.engine.join());
        self.runtime.shutdown_timeout(Duration::from_secs(6));
    }
}

fn note_publications(reader: Reader, published: Arc<Mutex<BTreeMap<u64, i64>>>) {
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let mut changes = reader.changes();
            while changes.changed().await.is_ok() {
                if let Some(cut) = reader.newest() {
                    published.lock().expect("nobody panics").entry(cut.epoch).or_insert_with(now_us);
                }
            }
        });
    });
}

/// Bytes of memory that this process has in use, from `/proc/self/status` (proc(5)); 0 where there is no such file.
pub fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}
