//! A small engine that counts what a test feeds it, in one process or in several, which are threads of the test.

use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tidings_dataflows::clock::Fact;
use tidings_dataflows::intake::Gathered;
use tidings_dataflows::pipeline::{CountPlan, Pipeline, Plan};
use tidings_dataflows::quota::Quota;
use tidings_dataflows::records::{Origin, Records};
use tidings_dataflows::spellings::spelled;
use tidings_dataflows::term::HashKeys;
use tidings_dataflows::windows::{Pane, Span as WindowSpan, Windows};
use timely::communication::AllocatorBuilder;
use timely::communication::allocator::ProcessBuilder;
use timely::communication::allocator::zero_copy::initialize::initialize_networking_from_sockets;
use timely::worker::Worker;

use crate::cluster::peers::{Peers, Reply};
use crate::config::Span;
use crate::engine::owners::Owners;
use crate::engine::published::{Part, Published};
use crate::engine::tally::{Dating, Smallest, Tally};
use crate::engine::{CountInfo, Reader, WindowInfo, gather};
use crate::source::ends::Ends;
use crate::source::partitions::Partition;
use crate::terms::{Kind, fold};

/// The clock's zero in the tests, a round minute.
pub const NOON: u64 = 1_700_000_040_000;

/// The generation that the reader tells.
pub const GENERATION: u64 = 42;

/// The keys of the hash.
const KEYS: u128 = 7;

/// What is fed in one epoch: its number, and posts with their event times. Post `i` is in partition `i % partitions`, and
/// partition `p` is read by worker `p % workers`.
#[derive(Clone)]
struct Epoch {
    number: u64,
    posts: Vec<(u64, String)>,
}

/// How many of what there are.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Processes, all of them in this one.
    pub processes: usize,
    /// Workers of each.
    pub threads: usize,
    /// Partitions.
    pub partitions: usize,
    /// Terms of a count for which there is room.
    pub max_terms: usize,
}

impl Shape {
    /// What most tests want.
    pub const USUAL: Shape = Shape { processes: 1, threads: 2, partitions: 2, max_terms: usize::MAX };
}

/// Workers that count hashtags (`#..`), words and phrases, over windows of 1m/1s, 5m/5s and all.
pub struct Fed {
    /// For asking the first process.
    pub reader: Reader,
    /// For asking each.
    pub readers: Vec<Reader>,
    /// Which processes have lost which.
    pub lost: Arc<Mutex<Vec<(usize, usize)>>>,
    published: Vec<Arc<Published>>,
    feeds: Vec<mpsc::Sender<Epoch>>,
    /// Ended before the workers are: all processes end as they should.
    peers: Vec<Option<Arc<Peers>>>,
    _workers: Vec<JoinHandle<()>>,
}

impl Fed {
    /// Of some shape.
    pub fn of(shape: Shape) -> Fed {
        let (mut data, mut reads) = (mesh(shape.processes), mesh(shape.processes));
        let mut fed = Fed {
            reader: Reader::new(published(shape, 0), counts(), GENERATION, Duration::from_secs(60)),
            readers: Vec::new(),
            lost: Arc::default(),
            published: Vec::new(),
            feeds: Vec::new(),
            peers: Vec::new(),
            _workers: Vec::new(),
        };
        for me in 0..shape.processes {
            let published = published(shape, me);
            let peers = (shape.processes > 1).then(|| fed.peers(me, &published, reads.remove(0)));
            let reader = Reader::new(Arc::clone(&published), counts(), GENERATION, Duration::from_secs(60));
            fed.readers.push(reader.with_peers(peers.clone()));
            let (feeds, epochs): (Vec<_>, Vec<_>) =
                (0..shape.threads).map(|_| mpsc::channel::<Epoch>()).unzip();
            fed.feeds.extend(feeds);
            fed._workers.push(start(shape, me, data.remove(0), epochs, Arc::clone(&published)));
            fed.published.push(published);
            fed.peers.push(peers);
        }
        fed.reader = fed.readers[0].clone();
        fed
    }

    fn peers(&self, me: usize, published: &Arc<Published>, streams: Vec<Option<TcpStream>>) -> Arc<Peers> {
        let lost = Arc::clone(&self.lost);
        let lose = move |process, _: &str| lost.lock().expect("no panic").push((me, process));
        gather::connect(published, &counts(), streams, lose).expect("threads")
    }

    /// With room for so many terms a count.
    pub fn with_room(max_terms: usize) -> Fed {
        Fed::of(Shape { max_terms, ..Shape::USUAL })
    }

    /// Nothing fed yet.
    pub fn new() -> Fed {
        Fed::of(Shape::USUAL)
    }

    /// Counts posts, each with its event time as milliseconds after [`NOON`], and waits until they can be read.
    pub fn feed(&self, number: u64, posts: &[(u64, &str)]) {
        let posts = posts.iter().map(|(time, text)| (NOON + time, (*text).to_owned())).collect();
        let epoch = Epoch { number, posts };
        self.feeds.iter().for_each(|feed| feed.send(epoch.clone()).expect("workers live"));
        while self.published.iter().any(|published| published.newest().is_none_or(|cut| cut.epoch < number)) {
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

    /// Has the first process ask the second anything at all.
    pub fn ask_bytes(&self, question: Vec<u8>) -> Reply {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let peers = self.peers[0].as_ref().expect("several processes");
        runtime.block_on(async { peers.ask(1, false, question, Duration::from_secs(20)).await })
    }

    /// Ends what a process says to others beside the dataflow.
    pub fn part(&self, process: usize) {
        self.peers[process].iter().for_each(|peers| peers.stop());
    }
}

fn published(shape: Shape, me: usize) -> Arc<Published> {
    let partition = |partition| Partition::new("posts", partition, 10, 10);
    let partitions: Vec<Partition> = (0..shape.partitions as i32).map(partition).collect();
    let Shape { processes, threads, .. } = shape;
    let owners = Owners { me, processes, threads, keys: HashKeys::new(KEYS) };
    Arc::new(Published::in_cluster(owners, Ends::new(&partitions, Instant::now())))
}

/// A connection between every two of so many processes: by process, those that it has.
fn mesh(processes: usize) -> Vec<Vec<Option<TcpStream>>> {
    let mut mesh: Vec<Vec<Option<TcpStream>>> = Vec::new();
    for me in 0..processes {
        let mut own: Vec<Option<TcpStream>> = (0..processes).map(|_| None).collect();
        for (other, theirs) in mesh.iter_mut().enumerate() {
            let (here, there) = pair();
            own[other] = Some(here);
            theirs[me] = Some(there);
        }
        mesh.push(own);
    }
    mesh
}

/// Both ends of a connection.
pub fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let here = TcpStream::connect(listener.local_addr().expect("an address")).expect("it listens");
    let there = listener.accept().expect("a connection").0;
    here.set_nodelay(true).and_then(|()| there.set_nodelay(true)).expect("sockets");
    (here, there)
}

/// Starts the workers of one process.
fn start(
    shape: Shape,
    me: usize,
    sockets: Vec<Option<TcpStream>>,
    epochs: Vec<mpsc::Receiver<Epoch>>,
    published: Arc<Published>,
) -> JoinHandle<()> {
    let epochs: Mutex<Vec<_>> = Mutex::new(epochs.into_iter().map(Some).collect());
    let run = move |worker: &mut Worker| {
        let local = worker.index() - me * shape.threads;
        let epochs = epochs.lock().expect("no panic")[local].take().expect("once a worker");
        work(worker, shape, local, &epochs, &published);
    };
    std::thread::spawn(move || {
        let guards = if shape.processes == 1 {
            timely::execute(timely::Config::process(shape.threads), run)
        } else {
            let hooks = timely::communication::Hooks::default();
            let inner =
                ProcessBuilder::new_typed_vector(shape.threads, hooks.refill.clone(), hooks.spill.clone());
            let (builders, guard) =
                initialize_networking_from_sockets(inner, sockets, me, shape.threads, hooks)
                    .expect("sockets");
            let builders = builders.into_iter().map(AllocatorBuilder::Tcp).collect();
            timely::execute::execute_from(builders, Box::new(guard), timely::WorkerConfig::default(), run)
        };
        drop(guards.expect("workers start").join());
    })
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
    worker: &mut Worker,
    shape: Shape,
    local: usize,
    epochs: &mpsc::Receiver<Epoch>,
    published: &Published,
) {
    let (index, workers, counts) = (worker.index(), worker.peers(), counts());
    let plan = |count: &CountInfo| CountPlan {
        windows: count.plan.clone(),
        spellings: count.of == Kind::Hashtags,
        room: Quota::new(shape.max_terms.div_ceil(workers), 1),
    };
    let plan = Plan { counts: counts.iter().map(plan).collect(), top: 1000, keys: HashKeys::new(KEYS) };
    let mut pipeline = Pipeline::<Tally>::build(worker, &plan, decode);
    let mut tally = Tally::default();
    let own = (0..shape.partitions).filter(|partition| partition % workers == index);
    let mut next: Vec<(u32, i64)> = own.map(|partition| (partition as u32, 10)).collect();
    while let Ok(Epoch { number, posts }) = epochs.recv() {
        for (partition, next) in &mut next {
            // Handed round, as where partitions do not spread evenly.
            let mut records = Records::new((index + number as usize) % workers);
            for (time, text) in posts.iter().skip(*partition as usize).step_by(shape.partitions) {
                let origin = Origin { partition: *partition, offset: *next, time: *time as i64 };
                records.push(origin, Some(text.as_bytes()));
                *next += 1;
            }
            pipeline.give(&mut records);
        }
        let newest = posts.iter().map(|(time, _)| *time).max();
        newest.into_iter().for_each(|newest| pipeline.tell(Fact::Newest(newest)));
        pipeline.close(number);
        while !pipeline.is_complete(number) {
            worker.step_or_park(Some(Duration::from_millis(1)));
        }
        let (snapshot, tallies) = pipeline.snapshot(number);
        tallies.iter().for_each(|more| tally.add(more));
        let (snapshot, tally) = (Arc::new(snapshot), Arc::new(tally.clone()));
        published.publish(local, Part { snapshot, positions: next.clone(), gaps: Vec::new(), tally });
    }
}

fn decode(records: &Records, gathered: &mut Gathered<Tally>) {
    let mut dating = Dating::new(Some(Smallest { size: 60_000, slide: 1000 }));
    for (origin, value) in records.iter() {
        let text = String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
        let time = origin.time as u64;
        gathered.newest = gathered.newest.max(Some(time));
        gathered.tally.posts += 1;
        gathered.tally.late += u64::from(text.contains("late"));
        dating.note(origin.partition, time, &mut gathered.tally);
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
            let mut spelling = Vec::new();
            spelled(key.as_bytes(), &tag.as_bytes()[1..], &mut spelling);
            add(1, Pane::ALL, &spelling);
        }
        words.iter().for_each(|word| add(2, pane, fold::key(Kind::Words, word).as_bytes()));
        words.windows(2).for_each(|pair| add(3, pane, fold::key(Kind::Phrases, &pair.join(" ")).as_bytes()));
    }
    dating.settle(&mut gathered.tally);
}
