//! What each step costs by itself: `cargo bench --bench steps`.
//!
//! Idea: the same posts, of many scripts, go through one step after the other; each is timed over its own input as the step
//! before left it, so that a change shows where it was made. What the steps cost together is what `--bench engine` shows.
//! Invariant: a step's work is that of the engine: the same types and calls, an epoch's worth of posts at a time.
//! Cost: about a minute.

#![expect(missing_docs, reason = "criterion's macros make items without any")]

use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use differential_dataflow::batcher::{Batcher, Extract};
use differential_dataflow::trace::implementations::spine_fueled::Merger;
use tidings::config::{self, Clock, Config, Time};
use tidings::engine::{self, Input as Posts};
use tidings::posts::{Decoder, Record};
use tidings::produce::synthetic::{Mix, Synthetic};
use tidings::terms::Kind;
use tidings::terms::extract::{Extractor, Input};
use tidings_dataflows::batcher::RunsBatcher;
use tidings_dataflows::block::{Block, Sealed};
use tidings_dataflows::combine::Combine;
use tidings_dataflows::merger::RunsMerger;
use tidings_dataflows::ranking::Ranking;
use tidings_dataflows::runs::Runs;
use tidings_dataflows::term::HashKeys;
use tidings_dataflows::totals::Totals;
use tidings_dataflows::windows::{Span, Windows};
use timely::progress::frontier::AntichainRef;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Posts of an epoch, ten seconds of event time.
const POSTS: usize = 20_000;
const SECONDS: u64 = 10;

/// The event time of the first post: the beginning of 2025, in Unix milliseconds.
const BEGIN_MS: u64 = 1_735_689_600_000;

/// A post's event time and its words.
type Words = Vec<(u64, Vec<Vec<u8>>)>;

fn settings() -> Config {
    let mut config = config::load(None, std::iter::empty(), Vec::new()).expect("defaults are valid").config;
    config.posts.time = Time::Post;
    config.engine.clock = Clock::Event;
    config.engine.workers = 1;
    config
}

fn windows() -> Windows {
    let span = |size: u64, slide: u64| Span { size: size * 1000, slide: slide * 1000 };
    Windows::new(vec![span(60, 1), span(300, 5), span(3600, 60)], false).expect("windows that nest")
}

fn lines() -> Vec<Vec<u8>> {
    let mut posts = Synthetic::new(1, Mix { bad: 0.0, late: 0.0, ..Mix::default() });
    let at = |number: usize| (BEGIN_MS + number as u64 * SECONDS * 1000 / POSTS as u64) as i64;
    (0..POSTS).map(|number| posts.next(at(number)).value.unwrap_or_default()).collect()
}

fn decoder() -> Decoder {
    let posts = settings().posts;
    Decoder::new(posts.format, &posts.pointers).expect("the format has no pointers")
}

fn words(lines: &[Vec<u8>]) -> Words {
    let decoder = decoder();
    let mut extractor = Extractor::new(&[Kind::Words]);
    let words = |(number, line): (usize, &Vec<u8>)| {
        let Ok(Record::Post(post)) = decoder.decode(Some(line)) else { return None };
        let input = Input { text: &post.text, html: post.html, hashtags: post.hashtags.as_deref() };
        let terms = extractor.extract(&input).ok()?;
        let words = terms.map(|(_, key, _)| key.to_owned()).collect();
        Some((BEGIN_MS + number as u64 * SECONDS * 1000 / POSTS as u64, words))
    };
    lines.iter().enumerate().filter_map(words).collect()
}

fn combine(table: &mut Combine, words: &Words, windows: &Windows, epoch: u64) -> Vec<Block> {
    for (time, words) in words {
        let pane = table.pane(windows.pane_for(*time, *time));
        words.iter().for_each(|word| table.add(pane, word, 1));
    }
    let mut blocks = Vec::new();
    table.drain(epoch, 1, |block| blocks.push(std::mem::take(block)));
    blocks
}

fn batch(blocks: &[Sealed]) -> Runs {
    let mut batcher = RunsBatcher::new(None, 0);
    blocks.iter().for_each(|block| batcher.insert(&mut block.clone()));
    batcher.extract(AntichainRef::new(&[u64::MAX])).0.expect("there are words")
}

fn steps(criterion: &mut Criterion) {
    tidings::allocator::keep_for_the_next_epoch();
    let (lines, windows, keys) = (lines(), windows(), HashKeys::new(1));
    let words = words(&lines);
    let mut group = criterion.benchmark_group("an epoch of 20000 posts");
    group.sample_size(20).throughput(Throughput::Elements(POSTS as u64));
    let decoder = decoder();
    group.bench_function("decode", |timed| {
        timed.iter(|| lines.iter().for_each(|line| drop(black_box(decoder.decode(Some(line))))))
    });
    let mut extractor = Extractor::new(&[Kind::Hashtags, Kind::Words]);
    group.bench_function("decode and terms", |timed| {
        timed.iter(|| {
            for line in &lines {
                let Ok(Record::Post(post)) = decoder.decode(Some(line)) else { continue };
                let input = Input { text: &post.text, html: post.html, hashtags: post.hashtags.as_deref() };
                black_box(extractor.extract(&input).map(|terms| terms.count()).ok());
            }
        })
    });
    let mut table = Combine::new(keys);
    group.bench_function("combine words", |timed| {
        timed.iter(|| black_box(combine(&mut table, &words, &windows, 1)))
    });
    let sealed = |epoch| -> Vec<Sealed> {
        combine(&mut Combine::new(keys), &words, &windows, epoch).into_iter().map(Sealed::from).collect()
    };
    let blocks = [sealed(1), sealed(2)];
    group.bench_function("panes: a batch", |timed| timed.iter(|| black_box(batch(&blocks[0]))));
    let batches = [batch(&blocks[0]), batch(&blocks[1])];
    group.bench_function("panes: two batches merged", |timed| {
        timed.iter(|| {
            let mut merger = RunsMerger::new(&batches[0], &batches[1], AntichainRef::new(&[2]));
            merger.work(&batches[0], &batches[1], &mut (isize::MAX - 1));
            black_box(merger.done())
        })
    });
    group.bench_function("rank", |timed| {
        timed.iter_batched(
            || {
                let totals = Rc::new(RefCell::new(Totals::new(windows.len() + 1, keys)));
                let mut ranking = Ranking::new(windows.clone(), 1000, totals);
                ranking.clock.hear(1, BEGIN_MS + SECONDS * 1000);
                ranking.act(1, &[], &blocks[0]);
                ranking
            },
            |mut ranking| {
                ranking.act(2, &[], &blocks[1]);
                ranking
            },
            BatchSize::LargeInput,
        )
    });
    group.finish();
    reads(criterion, &lines);
}

fn reads(criterion: &mut Criterion, lines: &[Vec<u8>]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("posts.jsonl");
    std::fs::write(&file, lines.join(&b'\n')).expect("room for some posts");
    let engine =
        engine::start(&settings(), Posts::Files(vec![file], Arc::default()), None).expect("it starts");
    let reader = engine.reader();
    engine.join().expect("it counts");
    let cut = reader.newest().expect("it has published");
    let count = reader.counts().iter().position(|count| count.of == Kind::Words).expect("words are counted");
    let window = reader.counts()[count].windows[0].index;
    let view = reader.view(&cut, count);
    let common = view.top(window, 1).remove(0).1;
    let mut group = criterion.benchmark_group("a read of one minute");
    group.sample_size(20);
    group.bench_function("top 50", |timed| timed.iter(|| black_box(view.top(window, 50))));
    group.bench_function("one term", |timed| timed.iter(|| black_box(view.total(window, common.as_bytes()))));
    group.bench_function("50 terms with a prefix", |timed| {
        timed.iter(|| black_box(view.with_prefix(window, &common.as_bytes()[..1], None, 50)))
    });
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
