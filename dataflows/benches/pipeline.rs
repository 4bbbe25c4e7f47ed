//! The dataflow by itself, without records, decoding and words: `cargo bench --bench pipeline`.
//!
//! Idea: terms are drawn beforehand, by Zipf's law from a vocabulary of many lengths; what is timed is what an engine costs from
//! there on, first only combining, then everything: blocks, panes that move through three tiers, three windows, a ranking.
//! Invariant: both do the same work in each round, and the totals are checked.
//! Cost: some seconds a round; the time is the processors', of all threads.

mod arguments;

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use arguments::argument;
use tidings_dataflows::clock::Fact;
use tidings_dataflows::combine::Combine;
use tidings_dataflows::intake::Gathered;
use tidings_dataflows::pipeline::{CountPlan, Pipeline, Plan};
use tidings_dataflows::quota::Quota;
use tidings_dataflows::records::{Origin, Records};
use tidings_dataflows::term::HashKeys;
use tidings_dataflows::windows::{Span, Windows};
use timely::worker::Worker;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Terms of a post.
const TERMS: usize = 14;

/// Different terms.
const VOCABULARY: usize = 300_000;

#[derive(Clone, Copy)]
struct Load {
    posts: u64,
    /// Posts a second of event time, and of an epoch.
    rate: u64,
    epoch: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let load = Load {
        posts: argument("--posts", 400_000)?,
        rate: argument("--rate", 6_666)?.max(1),
        epoch: argument("--epoch", 70_000)?.max(1),
    };
    let (workers, rounds) = (argument("--workers", 1)? as usize, argument("--rounds", 5)?);
    let words = Arc::new(Words::new());
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (stage, costs) in costs.iter_mut().enumerate() {
            let (begun, spent) = (Instant::now(), cpu_seconds());
            if stage == 0 {
                combine(load, &words);
            } else {
                whole(load, &words, workers)?;
            }
            costs.push((begun.elapsed().as_secs_f64(), cpu_seconds() - spent));
        }
    }
    let occurrences = (load.posts * TERMS as u64) as f64;
    println!(
        "{} posts of {TERMS} terms, {} a second of event time, {} an epoch; {workers} workers; medians of {rounds}",
        load.posts, load.rate, load.epoch
    );
    for (name, costs) in ["combine, one thread", "the whole dataflow"].iter().zip(costs) {
        let of = |pick: fn(&(f64, f64)) -> f64| {
            let mut all: Vec<f64> = costs.iter().map(pick).collect();
            all.sort_unstable_by(f64::total_cmp);
            all[all.len() / 2] * 1e9 / occurrences
        };
        println!(
            "{name:<20} {:>7.1} ns passed, {:>7.1} ns spent a term",
            of(|cost| cost.0),
            of(|cost| cost.1)
        );
    }
    Ok(())
}

fn windows() -> Windows {
    let span = |size: u64, slide: u64| Span { size: size * 1000, slide: slide * 1000 };
    Windows::new(vec![span(60, 1), span(300, 5), span(3600, 60)], false).expect("windows that nest")
}

fn combine(load: Load, words: &Words) {
    let (windows, mut table, mut updates) = (windows(), Combine::new(HashKeys::new(1)), 0);
    for post in 0..load.posts {
        let time = post * 1000 / load.rate;
        let pane = table.pane(windows.pane_for(time, time));
        words.of(post).for_each(|word| table.add(pane, word, 1));
        if post % load.epoch == load.epoch - 1 {
            table.drain(post, 1, |block| updates += std::mem::take(block).len());
        }
    }
    std::hint::black_box(updates);
}

fn whole(load: Load, words: &Arc<Words>, workers: usize) -> Result<(), Box<dyn Error>> {
    let (words, totals) = (Arc::clone(words), Arc::new(Mutex::new(0)));
    let sum = Arc::clone(&totals);
    let guards = timely::execute(timely::Config::process(workers), move |worker| {
        *sum.lock().expect("no holder panics") += count(worker, load, &words);
    })?;
    guards.join().into_iter().collect::<Result<Vec<()>, _>>()?;
    let counted = *totals.lock().map_err(|_| "a worker panicked")?;
    // All of it is in the largest window, as long as that is not left.
    let expected = (load.posts * TERMS as u64) as i64;
    match counted == expected || load.posts / load.rate > 3000 {
        true => Ok(()),
        false => Err(format!("{counted} occurrences, not {expected}").into()),
    }
}

/// Counts this worker's part of the posts; occurrences in the largest window in the end.
fn count(worker: &mut Worker, load: Load, words: &Arc<Words>) -> i64 {
    let count = CountPlan { windows: windows(), spellings: false, room: Quota::new(usize::MAX, 1) };
    let plan = Plan { counts: vec![count], top: 1000, keys: HashKeys::new(1) };
    let (windows, decoded) = (windows(), Arc::clone(words));
    let mut pipeline = Pipeline::build(worker, &plan, move |records, gathered: &mut Gathered<()>| {
        for (origin, _) in records.iter() {
            let time = origin.offset.unsigned_abs() * 1000 / load.rate;
            let pane = gathered.tables[0].pane(windows.pane_for(time, gathered.clock));
            decoded.of(origin.offset.unsigned_abs()).for_each(|word| gathered.tables[0].add(pane, word, 1));
            gathered.newest = gathered.newest.max(Some(time));
        }
    });
    let (me, peers) = (worker.index() as u64, worker.peers() as u64);
    let mut total = 0;
    for (epoch, from) in (1..).zip((0..load.posts).step_by(load.epoch as usize)) {
        let mut records = Records::new(worker.index());
        for post in (from..load.posts.min(from + load.epoch)).filter(|post| post % peers == me) {
            records.push(Origin { offset: post as i64, ..Origin::default() }, Some(b""));
        }
        pipeline.give(&mut records);
        if me == 0 {
            // Without a fact of its own an epoch without posts would have no clock.
            pipeline.tell(Fact::Newest(from * 1000 / load.rate));
        }
        pipeline.close(epoch);
        while !pipeline.is_complete(epoch) {
            worker.step_or_park(None);
        }
        total = pipeline.snapshot(epoch).0.counts[0].ranks.figures[2].total;
    }
    total
}

/// Posts as lists of terms, over and over.
struct Words {
    terms: Vec<Vec<u8>>,
    drawn: Vec<u32>,
}

impl Words {
    fn new() -> Words {
        let mut random = 0x9E37_79B9_7F4A_7C15u64;
        let mut next = move || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        };
        let alphabets = ["etaoinshrdlucmfw", "оеаинтсрвлкмдпуя", "のはにをたがでてとしれさあいうえ"];
        let mut term = |number: usize| {
            let letters: Vec<char> = alphabets[[0, 0, 0, 0, 0, 0, 1, 2][number % 8]].chars().collect();
            let (mut rest, mut term) = (number, String::new());
            while rest > 0 || term.is_empty() {
                term.push(letters[rest % 16]);
                rest /= 16;
            }
            (0..next() % 4).for_each(|_| term.push(letters[(next() % 16) as usize]));
            term.into_bytes()
        };
        let terms = (0..VOCABULARY).map(&mut term).collect();
        let mut sums: Vec<f64> = Vec::with_capacity(VOCABULARY);
        (0..VOCABULARY).for_each(|rank| {
            let before = sums.last().copied().unwrap_or(0.0);
            sums.push(before + 1.0 / (rank + 1) as f64);
        });
        let all = sums[VOCABULARY - 1];
        let mut draw = || {
            let at = next() as f64 / u64::MAX as f64 * all;
            sums.partition_point(|sum| *sum < at).min(VOCABULARY - 1) as u32
        };
        let drawn = (0..TERMS << 18).map(|_| draw()).collect();
        Words { terms, drawn }
    }

    fn of(&self, post: u64) -> impl Iterator<Item = &[u8]> {
        let from = post as usize % (self.drawn.len() / TERMS) * TERMS;
        self.drawn[from..from + TERMS].iter().map(|term| &self.terms[*term as usize][..])
    }
}

/// Of this process, in user and kernel mode: fields 14 and 15 of proc_pid_stat(5), in hundredths of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields = behind_name.split_whitespace().skip(11).take(2);
    fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}
