//! A small engine that counts what a test feeds it, and a server over its reader.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tidings_dataflows::clock::Fact;
use tidings_dataflows::intake::Gathered;
use tidings_dataflows::pipeline::{CountPlan, Pipeline, Plan};
use tidings_dataflows::records::{Origin, Records};
use tidings_dataflows::term::HashKeys;
use tidings_dataflows::windows::{Pane, Span as WindowSpan, Windows};

use crate::config::{Http, Span};
use crate::engine::published::{Part, Published};
use crate::engine::tally::Tally;
use crate::engine::{CountInfo, Reader, WindowInfo};
use crate::serve::{listen, run};
use crate::source::ends::Ends;
use crate::source::partitions::Partition;
use crate::terms::{Kind, fold};

/// The clock's zero in the tests, a round minute.
pub const NOON: u64 = 1_700_000_040_000;

/// The generation that the reader tells.
pub const GENERATION: u64 = 42;

const WORKERS: usize = 2;

/// What is fed in one epoch: its number, and posts with their event times. Post `i` is read by worker `i % 2` from the
/// partition of the same number.
#[derive(Clone)]
struct Epoch {
    number: u64,
    posts: Vec<(u64, String)>,
}

/// Two workers that count hashtags (`#..`), words and phrases, over windows of 1m/1s, 5m/5s and all.
pub struct Fed {
    /// For asking.
    pub reader: Reader,
    published: Arc<Published>,
    feeds: Vec<mpsc::Sender<Epoch>>,
    _workers: JoinHandle<()>,
}

impl Fed {
    /// With room for so many terms a count.
    pub fn with_room(max_terms: usize) -> Fed {
        let partitions: Vec<Partition> = (0..WORKERS as i32)
            .map(|partition| Partition { topic: "posts".to_owned(), partition, start: 10, end: 10 })
            .collect();
        let published = Arc::new(Published::new(WORKERS, partitions.clone()));
        let reader = Reader::new(Arc::clone(&published), counts(), Some(Ends::new(&partitions)), GENERATION);
        let (feeds, fed): (Vec<_>, Vec<_>) = (0..WORKERS).map(|_| mpsc::channel::<Epoch>()).unzip();
        let fed: Mutex<Vec<Option<mpsc::Receiver<Epoch>>>> = Mutex::new(fed.into_iter().map(Some).collect());
        let shared = Arc::clone(&published);
        let workers = std::thread::spawn(move || {
            let guards = timely::execute(timely::Config::process(WORKERS), move |worker| {
                let epochs = fed.lock().expect("no panic")[worker.index()].take().expect("once a worker");
                work(worker, max_terms, &epochs, &shared);
            });
            drop(guards.expect("workers start").join());
        });
        Fed { reader, published, feeds, _workers: workers }
    }

    /// Nothing fed yet.
    pub fn new() -> Fed {
        Fed::with_room(usize::MAX)
    }

    /// Counts posts, each with its event time as milliseconds after [`NOON`], and waits until they can be read.
    pub fn feed(&self, number: u64, posts: &[(u64, &str)]) {
        let posts = posts.iter().map(|(time, text)| (NOON + time, (*text).to_owned())).collect();
        let epoch = Epoch { number, posts };
        self.feeds.iter().for_each(|feed| feed.send(epoch.clone()).expect("workers live"));
        while self.published.newest().is_none_or(|cut| cut.epoch < number) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The same, while the test goes on.
    pub fn feed_later(self: &Arc<Fed>, after: Duration, number: u64, posts: &'static [(u64, &'static str)]) {
        let fed = Arc::clone(self);
        std::thread::spawn(move || {
            std::thread::sleep(after);
            fed.feed(number, posts);
        });
    }
}

fn counts() -> Vec<CountInfo> {
    let window = |name: &str, span, index| WindowInfo { name: name.to_owned(), span, index };
    let span = |size_ms, slide_ms| Some(Span { size_ms, slide_ms });
    let plan = Windows::new(
        vec![WindowSpan { size: 60_000, slide: 1000 }, WindowSpan { size: 300_000, slide: 5000 }],
        true,
    )
    .expect("they nest");
    let count = |name: &str, of| CountInfo {
        name: name.to_owned(),
        of,
        windows: vec![
            window("1m", span(60_000, 1000), 0),
            window("5m/5s", span(300_000, 5000), 1),
            window("all", None, 2),
        ],
        plan: plan.clone(),
    };
    vec![count("hashtags", Kind::Hashtags), count("words", Kind::Words), count("phrases", Kind::Phrases)]
}

fn work(
    worker: &mut timely::worker::Worker,
    max_terms: usize,
    epochs: &mpsc::Receiver<Epoch>,
    published: &Published,
) {
    let (index, counts) = (worker.index(), counts());
    let plan =
        |count: &CountInfo| CountPlan { windows: count.plan.clone(), spellings: count.of == Kind::Hashtags };
    let plan =
        Plan { counts: counts.iter().map(plan).collect(), top: 1000, max_terms, keys: HashKeys::new(7) };
    let mut pipeline =
        Pipeline::<Tally>::build(worker, &plan, move |records, gathered| decode(records, gathered));
    let (mut tally, mut next) = (Tally::default(), 10);
    while let Ok(Epoch { number, posts }) = epochs.recv() {
        let mut records = Records::new(index);
        for (time, text) in posts.iter().skip(index).step_by(WORKERS) {
            let origin = Origin { partition: index as u32, offset: next, time: *time as i64 };
            records.push(origin, Some(text.as_bytes()));
            next += 1;
        }
        pipeline.give(&mut records);
        let newest = posts.iter().map(|(time, _)| *time).max();
        newest.into_iter().for_each(|newest| pipeline.tell(Fact::Newest(newest)));
        pipeline.close(number);
        while !pipeline.is_complete(number) {
            worker.step_or_park(Some(Duration::from_millis(1)));
        }
        let (snapshot, tallies) = pipeline.snapshot(number);
        tallies.iter().for_each(|more| tally.add(more));
        let positions = vec![(index as u32, next)];
        published
            .publish(index, Part { snapshot: Arc::new(snapshot), positions, tally: Arc::new(tally.clone()) });
    }
}

fn decode(records: &Records, gathered: &mut Gathered<Tally>) {
    for (origin, value) in records.iter() {
        let text = String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
        let time = origin.time as u64;
        gathered.newest = gathered.newest.max(Some(time));
        gathered.tally.posts += 1;
        gathered.tally.late += u64::from(text.contains("late"));
        gathered.tally.dated(origin.partition, time, 1000);
        let (tags, words): (Vec<&str>, Vec<&str>) = text.split(' ').partition(|token| token.starts_with('#'));
        let mut add = |table: usize, pane: Pane, term: &[u8]| {
            let table = &mut gathered.tables[table];
            let pane = table.pane(pane);
            table.add(pane, term, 1);
        };
        let pane = Pane::new(0, time / 1000);
        for tag in tags {
            let key = fold::key(Kind::Hashtags, tag);
            add(0, pane, key.as_bytes());
            add(1, Pane::ALL, format!("{key}\0{}", &tag[1..]).as_bytes());
        }
        words.iter().for_each(|word| add(2, pane, fold::key(Kind::Words, word).as_bytes()));
        words.windows(2).for_each(|pair| add(3, pane, fold::key(Kind::Phrases, &pair.join(" ")).as_bytes()));
    }
}

/// A server over a reader, until it is dropped.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its second listener is.
    pub health: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// With so many connections at most.
    pub fn with_connections(reader: &Reader, max_connections: usize) -> Server {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let http = Http {
            bind: any_port,
            health_bind: Some(any_port),
            token_file: None,
            tls_cert: None,
            tls_key: None,
            cors: Vec::new(),
            max_connections,
            max_streams: 10,
        };
        let listener = runtime.block_on(listen(&http)).expect("free ports");
        let (address, health) = (listener.local_addr(), listener.health_addr().expect("a second listener"));
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let reader = reader.clone();
        let thread = std::thread::spawn(move || {
            runtime.block_on(run(listener, reader, async { drop(stopped.await) }));
        });
        Server { address, health, stop: Some(stop), thread: Some(thread) }
    }

    /// With as many connections as a test may want.
    pub fn new(reader: &Reader) -> Server {
        Server::with_connections(reader, 1000)
    }

    /// Tells it to stop.
    pub fn stop(&mut self) {
        self.stop.take().into_iter().for_each(|stop| drop(stop.send(())));
    }

    /// Waits until it has stopped.
    pub fn join(&mut self) {
        self.thread.take().into_iter().for_each(|thread| thread.join().expect("the server does not panic"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        self.join();
    }
}

/// A server over some posts in two epochs, 1000 and 2000.
pub fn served() -> (Arc<Fed>, Server) {
    let fed = Fed::new();
    fed.feed(1000, &[(0, "#Rust good morning"), (1000, "#rust #Go hello"), (1000, "#Rust good evening")]);
    fed.feed(2000, &[(65_000, "#rust late"), (65_500, "#Ünïcode #été good morning")]);
    let server = Server::new(&fed.reader);
    (Arc::new(fed), server)
}

/// An answer's stamp without what differs from window to window.
pub fn offsets_of(answer: &serde_json::Value) -> BTreeMap<String, i64> {
    let offsets = answer["stamp"]["offsets"]["posts"].as_object().expect("offsets of the topic");
    offsets.iter().map(|(partition, next)| (partition.clone(), next.as_i64().expect("a number"))).collect()
}
