//! Bytes of memory per live (pane, term): `cargo bench --bench held -- --live 10000000`.
//!
//! Idea: the dataflow is fed with as many (pane, term) of one window of 60 panes as are asked for, so that nothing else weighs.
//! Invariant: what is alive is counted one by one, each (pane, term) once, however often it stands in batches that are not yet
//! merged; the resident memory of the process before anything was counted is taken off, and nothing else.
//! Cost: at the default some 2 GB and a minute.

mod arguments;

use std::collections::{HashSet, VecDeque};
use std::error::Error;
use std::sync::{Arc, Mutex};

use arguments::argument;
use tidings_dataflows::clock::Fact;
use tidings_dataflows::intake::Gathered;
use tidings_dataflows::panes::visit;
use tidings_dataflows::pipeline::{CountPlan, Pipeline, Plan};
use tidings_dataflows::quota::Quota;
use tidings_dataflows::records::{Origin, Records};
use tidings_dataflows::snapshot::Snapshot;
use tidings_dataflows::term::HashKeys;
use tidings_dataflows::windows::{Pane, Span, Windows};
use timely::worker::Worker;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Panes of the window, a second each, and epochs in each of them.
const PANES: u64 = 60;
const EPOCHS: u64 = 4;

/// Snapshots that are kept, as the engine keeps them for its readers.
const KEPT: usize = 12;

/// So many (pane, term), each term in `panes` panes that follow each other.
#[derive(Clone, Copy)]
struct Load {
    live: u64,
    panes: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let load = Load { live: argument("--live", 10_000_000)?, panes: argument("--panes", 6)?.clamp(1, PANES) };
    let workers = argument("--workers", 1)? as usize;
    let before = resident()?;
    let taken = Arc::new(Mutex::new((Vec::new(), 0)));
    let each = {
        let taken = Arc::clone(&taken);
        move |worker: &mut Worker| {
            let (last, held) = count(worker, load);
            let mut taken = taken.lock().expect("no holder panics");
            taken.1 = held.max(taken.1);
            taken.0.extend(last);
        }
    };
    let guards = timely::execute(timely::Config::process(workers), each)?;
    guards.join().into_iter().collect::<Result<Vec<()>, _>>()?;
    let taken = taken.lock().map_err(|_| "a worker panicked")?;
    let (live, bytes) = (alive(&taken.0), taken.1.saturating_sub(before));
    println!(
        "{live} live (pane, term), each term in {} panes of {PANES}, {workers} workers: {:.1} MiB, {:.1} bytes each",
        load.panes,
        bytes as f64 / f64::from(1 << 20),
        bytes as f64 / live.max(1) as f64
    );
    Ok(())
}

/// Counts this worker's part, and gives what it would publish last, and the bytes in memory while all of it was there.
fn count(worker: &mut Worker, load: Load) -> (Option<Arc<Snapshot>>, u64) {
    let windows = Windows::new(vec![Span { size: PANES * 1000, slide: 1000 }], false)
        .expect("sixty seconds of a second each");
    let count = CountPlan { windows: windows.clone(), spellings: false, room: Quota::new(usize::MAX, 1) };
    let plan = Plan { counts: vec![count], top: 1000, keys: HashKeys::new(42) };
    let mut pipeline = Pipeline::build(worker, &plan, move |records, gathered: &mut Gathered<()>| {
        for (origin, term) in records.iter() {
            let time = origin.time.unsigned_abs();
            let pane = gathered.tables[0].pane(windows.pane_for(time, gathered.clock));
            gathered.tables[0].add(pane, term.unwrap_or_default(), 1);
            gathered.newest = gathered.newest.max(Some(time));
        }
    });
    let (me, peers, terms) = (worker.index() as u64, worker.peers() as u64, load.live / PANES);
    let mut kept = VecDeque::new();
    for epoch in 0..PANES * EPOCHS {
        let pane = epoch / EPOCHS;
        let mut records = Records::new(worker.index());
        // Each term comes in one of the pane's epochs.
        for place in
            (0..terms).filter(|place| place % EPOCHS == epoch % EPOCHS && place / EPOCHS % peers == me)
        {
            let group = (pane + place) / load.panes;
            let origin = Origin { time: (pane * 1000) as i64, ..Origin::default() };
            records.push(origin, Some(term(group * terms + place).as_bytes()));
            if records.is_full() {
                pipeline.give(&mut records);
                records = Records::new(worker.index());
                worker.step();
            }
        }
        pipeline.give(&mut records);
        if me == 0 {
            pipeline.tell(Fact::Newest(pane * 1000));
        }
        pipeline.close(epoch + 1);
        while !pipeline.is_complete(epoch + 1) {
            worker.step_or_park(None);
        }
        kept.push_back(Arc::new(pipeline.snapshot(epoch + 1).0));
        if kept.len() > KEPT {
            kept.pop_front();
        }
    }
    let held = resident().unwrap_or(0);
    (kept.pop_back(), held)
}

/// How many (pane, term) are alive.
fn alive(snapshots: &[Arc<Snapshot>]) -> u64 {
    let mut alive = 0;
    for snapshot in snapshots {
        let batches = &snapshot.counts[0].panes;
        for pane in 0..PANES {
            let (pane, mut terms) = (Pane::new(0, pane), HashSet::new());
            for batch in batches {
                visit(batch, pane..Pane(pane.0 + 1), ..=snapshot.epoch, |key, _| {
                    terms.insert(key.term);
                });
            }
            alive += terms.len() as u64;
        }
    }
    alive
}

/// Seven letters and more, different for each number.
fn term(number: u64) -> String {
    let mut rest = number + 26u64.pow(6);
    std::iter::from_fn(|| {
        let letter = (rest > 0).then(|| char::from(b'a' + (rest % 26) as u8));
        rest /= 26;
        letter
    })
    .collect()
}

/// Bytes of this process that are in memory, by proc_pid_status(5).
fn resident() -> Result<u64, String> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| "no VmRSS in /proc/self/status".to_owned())
}
