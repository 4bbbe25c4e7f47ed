//! A small engine that counts what a test feeds it.

use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tidings_dataflows::clock::Fact;
use tidings_dataflows::intake::Gathered;
use tidings_dataflows::pipeline::{CountPlan, Pipeline, Plan};
use tidings_dataflows::records::{Origin, Records};
use tidings_dataflows::spellings::spelled;
use tidings_dataflows::term::HashKeys;
use tidings_dataflows::windows::{Pane, Span as WindowSpan, Windows};

use crate::config::Span;
use crate::engine::published::{Part, Published};
use crate::engine::tally::Tally;
use crate::engine::{CountInfo, Reader, WindowInfo};
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
        let published = Arc::new(Published::new(WORKERS, Ends::new(&partitions)));
        let reader = Reader::new(Arc::clone(&published), counts(), GENERATION, Duration::from_secs(60));
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
    let mut pipeline = Pipeline::<Tally>::build(worker, &plan, decode);
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
        published.publish(
            index,
            Part {
                snapshot: Arc::new(snapshot),
                positions,
                gaps: Vec::new(),
                tally: Arc::new(tally.clone()),
            },
        );
    }
}

fn decode(records: &Records, gathered: &mut Gathered<Tally>) {
    for (origin, value) in records.iter() {
        let text = String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
        let time = origin.time as u64;
        gathered.newest = gathered.newest.max(Some(time));
        gathered.tally.posts += 1;
        gathered.tally.late += u64::from(text.contains("late"));
        gathered.tally.dated(origin.partition, time, Some(1000));
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
}
