//! What a checkpoint of many rows takes, how it delays epochs, and how long its recovery takes.
//!
//! Idea: the dataflow as the engine builds it, on two workers, filled with rows of sixty panes and a hundred thousand and
//! more invented words; then `checkpoint`'s own writer and reader, on a directory. While epochs are timed, alone and then
//! beside a checkpoint of all rows, ten thousand words a second go on coming in. Kafka has no part in it.
//! `cargo bench --bench recovery`; `TIDINGS_ROWS` sets the number of rows, 10 million by default. Beside each figure stands
//! what is wanted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tidings::checkpoint::capture::{Author, Kept, pane_of};
use tidings::checkpoint::files::Files;
use tidings::checkpoint::load::load;
use tidings::checkpoint::manifest::{FORMAT, Manifest, Tally};
use tidings::checkpoint::writer::Writer;
use tidings::checkpoint::{Store, verify};
use tidings_dataflows::clock::{Fact, Standing};
use tidings_dataflows::intake::Gathered;
use tidings_dataflows::pipeline::{CountPlan, Pipeline, Plan, Touched};
use tidings_dataflows::quota::Quota;
use tidings_dataflows::records::{Origin, Records};
use tidings_dataflows::snapshot::Snapshot;
use tidings_dataflows::term::HashKeys;
use tidings_dataflows::windows::{Pane, Span, Windows};
use timely::worker::Worker;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const WORKERS: usize = 2;
const PANES: u64 = 60;
const SLIDE: u64 = 5000;
/// Between two epochs.
const TICK: Duration = Duration::from_millis(250);

fn windows() -> Windows {
    Windows::new(vec![Span { size: PANES * SLIDE, slide: SLIDE }], true).expect("the slide divides the size")
}

fn plan() -> Plan {
    let room = Quota::new(50_000_000, 1);
    let counts = vec![CountPlan { windows: windows(), spellings: false, room }];
    Plan { counts, top: 1000, keys: HashKeys::new(7) }
}

/// Words that come in at each worker in an epoch.
const WORDS: u64 = 1250;

/// Counts each record as the word of its number, in the pane of its time.
fn decode(records: &Records, gathered: &mut Gathered<()>) {
    for (origin, _) in records.iter() {
        let table = &mut gathered.tables[0];
        let pane = table.pane(Pane::new(0, origin.time as u64 / SLIDE));
        table.add(pane, &word(origin.offset as u64), 1);
        gathered.newest = gathered.newest.max(Some(origin.time as u64));
    }
}

/// What comes in at a worker in an epoch, at this time.
fn posts(worker: usize, epoch: u64, time: u64) -> Records {
    let mut records = Records::new(worker);
    for number in 0..WORDS {
        // Some are common, most are seldom.
        let offset = (epoch * WORDS + number) * 7 % (1 + number * 100);
        records.push(Origin { partition: worker as u32, offset: offset as i64, time: time as i64 }, None);
    }
    records
}

/// A word of its own for each number, of about ten letters, as words are.
fn word(number: u64) -> Vec<u8> {
    let mut mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^= mixed >> 29;
    let letters = 7 + mixed % 6;
    (0..letters)
        .map(|_| {
            mixed = mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ mixed >> 31;
            b'a' + (mixed >> 40) as u8 % 26
        })
        .collect()
}

/// One worker's results of an epoch.
type Part = (Arc<Snapshot>, Vec<Touched>);

fn step_until(worker: &mut Worker, pipeline: &mut Pipeline<()>, epoch: u64) -> Part {
    while !pipeline.is_complete(epoch) {
        worker.step_or_park(Some(Duration::from_millis(50)));
    }
    let (snapshot, _) = pipeline.snapshot(epoch);
    (Arc::new(snapshot), pipeline.touched().cloned().collect())
}

/// The slowest of a list of durations, and the one in the middle.
fn slowest(took: &mut [Duration]) -> (Duration, Duration) {
    took.sort_unstable();
    (took.last().copied().unwrap_or_default(), took.get(took.len() / 2).copied().unwrap_or_default())
}

fn main() {
    tidings::allocator::keep_for_the_next_epoch();
    let rows: u64 = std::env::var("TIDINGS_ROWS").map_or(10_000_000, |text| text.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("a folder");
    let store: Arc<dyn Store> = Arc::new(Files::new(folder.path()));
    let clock = 1_800_000_000_000 / SLIDE * SLIDE;
    let standing = Standing { newest: Some(clock), clock: Some(clock) };
    let parts = Arc::new(Mutex::new(Vec::<Part>::new()));
    let written = Arc::new(Mutex::new(None));
    let done = Arc::new(AtomicBool::new(false));
    let (collected, kept, finished, writing) =
        (Arc::clone(&parts), Arc::clone(&written), Arc::clone(&done), Arc::clone(&store));
    let guards = timely::execute(timely::Config::process(WORKERS), move |worker| {
        let mut pipeline = Pipeline::<()>::build(worker, &plan(), decode);
        let (index, first) = (worker.index(), clock / SLIDE + 1 - PANES);
        if index == 0 {
            pipeline.tell(Fact::Resumed(standing));
        }
        for row in (0..rows).filter(|row| *row as usize % WORKERS == index) {
            let (pane, number) = (Pane::new(0, first + row % PANES), row / PANES);
            pipeline.load().expect("nothing has closed").push(0, pane, &word(number), 1 + (row % 7) as i64);
            if row % (1 << 16) == index as u64 {
                worker.step();
            }
        }
        pipeline.close(1);
        let part = step_until(worker, &mut pipeline, 1);
        collected.lock().expect("nobody panics").push(part);
        // Epochs go on as usual, with nobody and then with a checkpoint beside them.
        let (mut before, mut during, mut epoch) = (Vec::new(), Vec::new(), 2);
        while during.is_empty() || !finished.load(Ordering::SeqCst) {
            let begun = Instant::now();
            let alone = epoch < 22;
            if epoch == 22 && index == 0 {
                let parts = std::mem::take(&mut *collected.lock().expect("nobody panics"));
                let (store, kept, finished) =
                    (Arc::clone(&writing), Arc::clone(&kept), Arc::clone(&finished));
                std::thread::spawn(move || {
                    let begun = Instant::now();
                    let mut touched = vec![Touched::default()];
                    for (_, more) in &parts {
                        touched[0].panes.extend(&more[0].panes);
                    }
                    let workers: Vec<_> = parts.into_iter().map(|(snapshot, _)| snapshot).collect();
                    let counts = vec![Kept { id: 0, windows: windows() }];
                    let mut writer = Writer::new(store, counts);
                    let author = Author { generation: 1, number: 1, process: 0 };
                    writer.touch(touched);
                    let segments = writer.write(author, &workers).expect("it is written");
                    *kept.lock().expect("nobody panics") = Some((segments, begun.elapsed()));
                    finished.store(true, Ordering::SeqCst);
                });
            }
            pipeline.give(&mut posts(index, epoch, clock + epoch));
            if index == 0 {
                pipeline.tell(Fact::Newest(clock + epoch));
            }
            pipeline.close(epoch);
            drop(step_until(worker, &mut pipeline, epoch));
            if alone {
                before.push(begun.elapsed())
            } else {
                during.push(begun.elapsed())
            }
            std::thread::sleep(TICK.saturating_sub(begun.elapsed()));
            epoch += 1;
        }
        if index == 0 {
            let ((worst, usual), (worst_during, usual_during)) = (slowest(&mut before), slowest(&mut during));
            println!(
                "an epoch: {usual:.1?}, at most {worst:.1?}; beside a checkpoint, {} of them: {usual_during:.1?}, at \
                 most {worst_during:.1?} (wanted: {:?} at most)",
                during.len(),
                2 * TICK
            );
        }
    });
    drop(guards.expect("workers start").join());
    let (segments, took) = written.lock().expect("nobody panics").take().expect("it was written");
    let manifest = Manifest {
        format: FORMAT,
        number: 1,
        generation: 1,
        cluster: "bench".to_owned(),
        written: 1,
        epoch: 1,
        clock: standing.clock,
        newest: standing.newest,
        rules: String::new(),
        other_rules: None,
        posts: String::new(),
        topics: Vec::new(),
        counts: Vec::new(),
        tally: Tally::default(),
        segments,
    };
    let (live, bytes) = (manifest.rows(), manifest.bytes());
    println!(
        "{live} rows written in {took:.2?}: {bytes} bytes, {:.1} a row (wanted: below 25)",
        bytes as f64 / live as f64
    );
    let begun = Instant::now();
    verify::segments(&*store, &manifest).expect("it is whole");
    let verified = begun.elapsed();
    let manifest = Arc::new(manifest);
    let recovered = Arc::new(Mutex::new(Duration::ZERO));
    let took = Arc::clone(&recovered);
    let guards = timely::execute(timely::Config::process(WORKERS), move |worker| {
        let mut pipeline = Pipeline::<()>::build(worker, &plan(), |_, _| {});
        let place = (worker.index(), worker.peers());
        if place.0 == 0 {
            pipeline.tell(Fact::Resumed(standing));
        }
        let windows = windows();
        let see = |(_, at, term, n): tidings::checkpoint::load::Row<'_>| {
            let pane = pane_of(&windows, at).expect("the same windows");
            pipeline.load().expect("nothing has closed").push(0, pane, term, n);
        };
        load(&*store, &manifest, place, see, || {
            worker.step();
        })
        .expect("it is whole");
        pipeline.close(1);
        let (snapshot, _) = step_until(worker, &mut pipeline, 1);
        let held = snapshot.counts[0].ranks.figures.last().map_or(0, |held| held.total);
        assert!(held > 0, "something was loaded");
        let mut took = took.lock().expect("nobody panics");
        *took = begun.elapsed().max(*took);
    });
    drop(guards.expect("workers start").join());
    let recovered = *recovered.lock().expect("nobody panics");
    println!(
        "recovered on {WORKERS} workers in {recovered:.2?}, {verified:.2?} of it to verify (wanted: below 10 s)"
    );
}
