//! Random epochs against the definition of a window: every read of every kind, at every epoch.
//!
//! Late posts, posts long dead, ahead of the clock, and without a time; jumps of the clock over many panes; workers that are
//! behind; empty epochs; several epochs in flight, read one by one afterwards; windows in one to three tiers, with and
//! without `all`; 1, 2 and 4 workers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Barrier, Mutex, Once};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tidings_dataflows::clock::Fact;
use tidings_dataflows::intake::Gathered;
use tidings_dataflows::panes::visit;
use tidings_dataflows::pipeline::{CountPlan, Pipeline, Plan};
use tidings_dataflows::quota::Quota;
use tidings_dataflows::reads::View;
use tidings_dataflows::records::{Origin, Records};
use tidings_dataflows::snapshot::Snapshot;
use tidings_dataflows::spellings::{spelled, term_of};
use tidings_dataflows::term::HashKeys;
use tidings_dataflows::windows::{Pane, Span, Windows};

/// A term with its spelling, at an event time; `None`: undated.
#[derive(Clone, Debug)]
struct Post {
    time: Option<u64>,
    spelling: String,
}

#[derive(Clone, Debug)]
struct Epoch {
    number: u64,
    posts: Vec<Post>,
    wall: Option<u64>,
    behind: bool,
}

#[derive(Clone, Debug)]
struct Script {
    epochs: Vec<Epoch>,
    spans: Vec<Span>,
    all: bool,
    top: usize,
    in_flight: usize,
}

/// Terms of every length up to 40 bytes, so that some are longer than a head and differ only beyond it.
fn spelling(rank: u64) -> String {
    let text = format!("{}{}", "\u{c9}t\u{e9}-".repeat(rank as usize % 7), rank / 2);
    if rank.is_multiple_of(2) { text.to_lowercase() } else { text }
}

fn key(spelling: &str) -> String {
    spelling.to_lowercase()
}

fn scripts() -> impl Strategy<Value = Script> {
    let post = |vocabulary: u64| {
        let rank = (0..vocabulary, 0..vocabulary).prop_map(|(one, two)| one.min(two));
        (0u8..20, 0u64..2000, rank)
    };
    let epoch = move |vocabulary: u64| {
        let posts = prop_oneof![1 => Just(Vec::new()).boxed(), 4 => proptest::collection::vec(post(vocabulary), 0..80).boxed()];
        let step = prop_oneof![8 => Just(0u64), 10 => 1u64..30, 2 => 30u64..200, 1 => 200u64..3000];
        (posts, step, 1u64..40, any::<bool>())
    };
    let tiers = prop_oneof![
        Just(vec![(30, 10), (80, 10), (200, 10)]),
        Just(vec![(20, 1), (100, 5), (1200, 60)]),
        Just(vec![(100, 5), (20, 1), (30, 10), (600, 60)]),
        Just(vec![(500, 1), (25, 5)]),
        Just(vec![(65, 1), (70, 10)]),
        Just(vec![]),
    ];
    let sizes = (prop_oneof![Just(40u64), Just(400), Just(8000)], 1usize..40, 1usize..6);
    (tiers, any::<bool>(), sizes).prop_flat_map(move |(tiers, all, (vocabulary, top, in_flight))| {
        let start = prop_oneof![Just(0u64), Just(1_700_000_000_000u64)];
        (start, any::<bool>(), proptest::collection::vec(epoch(vocabulary), 1..50)).prop_map(
            move |(start, walled, epochs)| {
                let (mut now, mut number) = (start, start + 1);
                let epochs = epochs.into_iter().map(|(posts, step, gap, behind)| {
                    now += step;
                    number += gap;
                    let posts = posts.into_iter().map(|(how, distance, rank)| {
                        let time = match how {
                            0 => None,
                            1..12 => Some(now),
                            12..15 => Some(now.saturating_sub(distance % 50)),
                            15..18 => Some(now.saturating_sub(distance)),
                            _ => Some(now + distance % 70),
                        };
                        Post { time, spelling: spelling(rank) }
                    });
                    Epoch { number, posts: posts.collect(), wall: walled.then_some(now), behind }
                });
                Script {
                    epochs: epochs.collect(),
                    spans: tiers.iter().map(|(size, slide)| Span { size: *size, slide: *slide }).collect(),
                    all: all || tiers.is_empty(),
                    top,
                    in_flight,
                }
            },
        )
    })
}

/// What was ever posted, and the clock, by definition.
#[derive(Default)]
struct Oracle {
    posts: Vec<Post>,
    newest: Option<u64>,
    clock: Option<u64>,
}

impl Oracle {
    fn close(&mut self, epoch: &Epoch) {
        self.posts.extend(epoch.posts.iter().cloned());
        self.newest = self.posts.iter().filter_map(|post| post.time).max();
        let clock = match epoch.wall {
            None => self.newest,
            Some(wall) if epoch.behind => self.newest.map(|newest| newest.min(wall)),
            Some(wall) => Some(wall),
        };
        self.clock = self.clock.max(clock);
    }

    fn covered(&self, span: Span) -> Range<u64> {
        let to = (self.clock.unwrap_or(0) / span.slide + 1) * span.slide;
        to.saturating_sub(span.size)..to
    }

    fn totals(&self, times: Option<Range<u64>>) -> BTreeMap<String, i64> {
        let mut totals = BTreeMap::new();
        for post in &self.posts {
            if times.as_ref().is_none_or(|times| post.time.is_some_and(|time| times.contains(&time))) {
                *totals.entry(key(&post.spelling)).or_default() += 1;
            }
        }
        totals
    }

    fn display(&self, term: &str) -> Option<String> {
        let mut spellings = BTreeMap::<&str, i64>::new();
        for post in self.posts.iter().filter(|post| key(&post.spelling) == term) {
            *spellings.entry(&post.spelling).or_default() += 1;
        }
        let most = spellings.values().max()?;
        spellings.iter().find(|(_, n)| *n == most).map(|(spelling, _)| (*spelling).to_owned())
    }
}

fn compare(view: &View<'_>, oracle: &Oracle, script: &Script) {
    let terms: BTreeSet<String> = oracle.posts.iter().map(|post| key(&post.spelling)).collect();
    for window in 0..script.spans.len() + usize::from(script.all) {
        let span = script.spans.get(window);
        let totals = oracle.totals(span.map(|span| oracle.covered(*span)));
        for term in &terms {
            let n = totals.get(term).copied().unwrap_or(0);
            assert_eq!(
                view.total(window, term.as_bytes()),
                n,
                "window {window} term {term} clock {:?}",
                oracle.clock
            );
        }
        let mut ranking: Vec<(i64, String)> = totals.iter().map(|(term, n)| (*n, term.clone())).collect();
        ranking.sort_by(|one, two| two.0.cmp(&one.0).then_with(|| one.1.cmp(&two.1)));
        ranking.truncate(script.top);
        assert_eq!(view.top(window, script.top), ranking, "window {window} clock {:?}", oracle.clock);
        let figures = view.figures(window);
        assert_eq!((figures.total, figures.distinct as usize), (totals.values().sum(), totals.len()));
        let mut after: Option<Vec<u8>> = None;
        let mut paged = Vec::new();
        loop {
            let (page, more) = view.with_prefix(window, b"\xc3\xa9t", after.as_deref(), 7);
            paged.extend(page.iter().map(|(term, n)| (String::from_utf8(term.to_vec()).unwrap(), *n)));
            after = page.last().map(|(term, _)| term.to_vec());
            if !more {
                break;
            }
        }
        let with_prefix: Vec<_> = totals.iter().filter(|(term, _)| term.starts_with("\u{e9}t")).collect();
        assert_eq!(paged.iter().map(|(term, n)| (term, n)).collect::<Vec<_>>(), with_prefix);
        if let Some((span, term)) = span.zip(totals.keys().next()) {
            let covered = oracle.covered(*span);
            let starts = (covered.start..covered.end).step_by(span.slide as usize);
            let series: Vec<_> = starts
                .map(|start| {
                    (start, oracle.totals(Some(start..start + span.slide)).get(term).copied().unwrap_or(0))
                })
                .collect();
            assert_eq!(view.series(window, term.as_bytes()), series);
        }
    }
    for term in terms.iter().take(20) {
        assert_eq!(view.spelling(term.as_bytes()), oracle.display(term));
    }
}

fn assert_dead_panes_are_gone(workers: &[Arc<Snapshot>], windows: &Windows, clock: u64, epoch: u64) {
    let mut left = BTreeMap::<_, i64>::new();
    for batch in workers.iter().flat_map(|worker| &worker.counts[0].panes) {
        for tier in 0..windows.tiers() {
            let dead = Pane::new(tier, 0)..Pane::new(tier, windows.first_alive(tier, clock));
            visit(batch, dead, ..=epoch, |key, n| {
                *left.entry((key.pane, key.term.to_vec())).or_default() += n
            });
        }
    }
    assert!(left.values().all(|n| *n == 0), "left of dead panes: {left:?}");
}

/// What is said to be held is what the panes hold that are not on their way out.
fn assert_held_is_what_panes_hold(workers: &[Arc<Snapshot>], windows: &Windows) {
    for worker in workers {
        let (clock, held) = (worker.clock.unwrap_or(0), worker.counts[0].ranks.figures[windows.len()]);
        let mut found = BTreeMap::<_, i64>::new();
        for batch in &worker.counts[0].panes {
            visit(batch, Pane(0)..Pane(Pane::ALL.0 + 1), ..=worker.epoch, |key, n| {
                if windows.covering(key.pane, clock) >> windows.len() == 1 {
                    *found.entry(key.term).or_default() += n;
                }
            });
        }
        found.retain(|_, n| *n != 0);
        assert_eq!((held.total, held.distinct), (found.values().sum(), found.len() as u64), "held");
    }
}

/// No two workers hold the same term, or spellings of it; so what each answers of its own needs no other.
fn assert_terms_are_whole_where_they_are(workers: &[Arc<Snapshot>]) {
    let mut owners = BTreeMap::new();
    for (worker, snapshot) in workers.iter().enumerate() {
        let count = &snapshot.counts[0];
        for batch in count.panes.iter().chain(&count.spellings) {
            visit(batch, Pane(0)..Pane(Pane::ALL.0 + 1), ..=snapshot.epoch, |key, _| {
                assert_eq!(*owners.entry(term_of(key.term)).or_insert(worker), worker);
            });
        }
    }
}

fn decode(records: &Records, windows: &Windows, gathered: &mut Gathered<u64>) {
    for (origin, value) in records.iter() {
        let spelling = std::str::from_utf8(value.unwrap()).unwrap();
        let time = u64::try_from(origin.time).ok();
        gathered.newest = gathered.newest.max(time);
        let pane = time.map_or(Pane::ALL, |time| windows.pane_for(time, gathered.clock));
        if time.is_some() || windows.all() {
            let pane = gathered.tables[0].pane(pane);
            gathered.tables[0].add(pane, key(spelling).as_bytes(), 1);
        }
        let pane = gathered.tables[1].pane(Pane::ALL);
        let mut spelled_key = Vec::new();
        spelled(key(spelling).as_bytes(), spelling.as_bytes(), &mut spelled_key);
        gathered.tables[1].add(pane, &spelled_key, 1);
        gathered.tally += 1;
    }
    // Panes may be sent before their epoch ends, whatever comes for them afterwards.
    let newest = gathered.newest.map(|newest| windows.pane_for(newest, gathered.clock));
    if let Some(newest) = newest.filter(|pane| pane.tier() == 0) {
        let back = gathered.tally % 4;
        gathered.tables[0].pass(Pane::new(0, newest.number().saturating_sub(back)), 1 + back as usize);
    }
}

/// A worker that panics leaves the others waiting for ever, so its panic is the process's; proptest's own panics, on the
/// main thread, are not.
fn end_at_first_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            print(info);
            if std::thread::current().name().is_some_and(|name| name.starts_with("timely")) {
                std::process::exit(70);
            }
        }));
    });
}

fn run(workers: usize, script: &Script) {
    let script = Arc::new(script.clone());
    let barrier = Arc::new(Barrier::new(workers));
    let published = Arc::new(Mutex::new(BTreeMap::<u64, Vec<Arc<Snapshot>>>::new()));
    let posts = Arc::new(Mutex::new(0));
    let guards = timely::execute(timely::Config::process(workers), move |worker| {
        let (index, peers) = (worker.index(), worker.peers());
        let windows = Windows::new(script.spans.clone(), script.all).unwrap();
        let count = CountPlan { windows: windows.clone(), spellings: true, room: Quota::new(usize::MAX, 1) };
        let plan = Plan { counts: vec![count], top: script.top, keys: HashKeys::new(42) };
        let mut pipeline = Pipeline::build(worker, &plan, {
            let windows = windows.clone();
            move |records, gathered| decode(records, &windows, gathered)
        });
        let (mut oracle, mut clocks) = (Oracle::default(), BTreeMap::new());
        for step in script.epochs.chunks(script.in_flight) {
            for epoch in step {
                // Each worker reads every so-manieth post and hands them round in containers of three.
                let mine: Vec<&Post> = epoch.posts.iter().skip(index).step_by(peers).collect();
                for (i, posts) in mine.chunks(3).enumerate() {
                    let mut records = Records::new((index + i) % peers);
                    for post in posts {
                        let time = post.time.map_or(i64::MIN, |time| time as i64);
                        records.push(Origin { time, ..Origin::default() }, Some(post.spelling.as_bytes()));
                    }
                    pipeline.give(&mut records);
                }
                if index == 0 {
                    epoch.wall.into_iter().for_each(|wall| pipeline.tell(Fact::Wall(wall)));
                }
                if epoch.behind && index == peers - 1 {
                    pipeline.tell(Fact::Behind);
                }
                pipeline.close(epoch.number);
            }
            let last = step.last().expect("chunks are not empty").number;
            while !pipeline.is_complete(last) {
                worker.step_or_park(None);
            }
            for epoch in step {
                let (snapshot, tallies) = pipeline.snapshot(epoch.number);
                *posts.lock().unwrap() += tallies.iter().sum::<u64>();
                published.lock().unwrap().entry(epoch.number).or_default().push(Arc::new(snapshot));
            }
            barrier.wait();
            if index == 0 {
                let published = std::mem::take(&mut *published.lock().unwrap());
                for (epoch, snapshots) in step.iter().zip(published.values()) {
                    let before = oracle.clock;
                    oracle.close(epoch);
                    clocks.insert(epoch.number, oracle.clock);
                    assert!(snapshots.iter().all(|snapshot| snapshot.epoch == epoch.number));
                    assert!(snapshots.iter().all(|snapshot| snapshot.clock == oracle.clock), "clock");
                    compare(&View::new(snapshots, 0, &windows), &oracle, &script);
                    assert_held_is_what_panes_hold(snapshots, &windows);
                    assert_terms_are_whole_where_they_are(snapshots);
                    // What died at this epoch may be gone with the next only.
                    assert_dead_panes_are_gone(snapshots, &windows, before.unwrap_or(0), epoch.number);
                }
                assert_eq!(*posts.lock().unwrap(), oracle.posts.len() as u64);
            }
            barrier.wait();
        }
    });
    guards.unwrap().join().into_iter().for_each(|result| result.unwrap());
}

fn many(workers: usize, cases: u32) {
    end_at_first_panic();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[workers as u8; 32]);
    let config = Config { cases, max_shrink_iters: 0, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    runner
        .run(&scripts(), |script| {
            run(workers, &script);
            Ok(())
        })
        .unwrap();
}

#[test]
fn one_worker() {
    many(1, 60);
}

#[test]
fn two_workers() {
    many(2, 60);
}

#[test]
fn four_workers() {
    many(4, 30);
}
