//! Differential dataflow by itself, from the same library versions that tidings is built on.
//!
//! Idea: `flat_map` to a window and a term, `count_total`, and an arrangement of each window's counts in ranking order, of
//! which the first ten are read after each epoch. The library's own operators and layouts, nothing combined before them.
//! Invariant: an epoch is read when all workers have closed it.
//! Cost: each occurrence is six updates; each count that changes is two more.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::rc::Rc;
use std::time::Duration;

use differential_dataflow::input::Input;
use differential_dataflow::operators::CountTotal;
use differential_dataflow::trace::TraceReader;
use differential_dataflow::trace::cursor::{Cursor, cursor_list};
use feed::{Feed, Shown, Told};
use timely::dataflow::ProbeHandle;
use timely::dataflow::operators::Probe;
use timely::progress::frontier::AntichainRef;
use timely::worker::Worker;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Posts a worker takes into an epoch at the most.
const MOST: usize = 20_000;

fn main() {
    let told = Told::new();
    let run = move |worker: &mut Worker| if told.posts { posts(worker, &told) } else { words(worker, &told) };
    timely::execute(timely::Config::process(feed::WORKERS), run).expect("workers");
}

/// The first ten of each window.
fn posts(worker: &mut Worker, told: &Told) {
    let probe = ProbeHandle::new();
    let (mut input, mut ranked) = worker.dataflow::<u64, _, _>(|scope| {
        let (input, posts) = scope.new_collection::<(i64, String), isize>();
        let ranked = posts
            .flat_map(|(time, text)| {
                let each = |term: &str| {
                    feed::windows(time).map(|start| (start, term.to_owned())).collect::<Vec<_>>()
                };
                text.split(' ').flat_map(each).collect::<Vec<_>>()
            })
            .count_total()
            .map(|((start, term), count)| ((start, term.starts_with('#')), (Reverse(count), term)))
            .arrange_by_key();
        ranked.stream.probe_with(&probe);
        (input, ranked.trace)
    });
    let (feed, mut shown) = (Feed::new(told, worker.index()), Shown::default());
    loop {
        feed.take(MOST, |time, text| input.insert((time, text.to_owned())));
        let epoch = feed::now_ms().max(input.time() + 1);
        input.advance_to(epoch);
        input.flush();
        while probe.less_than(&epoch) {
            worker.step_or_park(Some(Duration::from_millis(1)));
        }
        let bound = [epoch];
        let frontier = AntichainRef::new(&bound);
        let Some(batches) = ranked.batches_through(frontier) else { continue };
        let (mut cursor, storage) = cursor_list(batches);
        while let Some(&(start, tags)) = cursor.get_key(&storage) {
            let mut top = Vec::new();
            while let Some((Reverse(count), term)) = cursor.get_val(&storage) {
                let mut copies = 0;
                cursor.map_times(&storage, |_, diff| copies += diff);
                if copies != 0 {
                    top.push((term.clone(), *count as i64));
                }
                if top.len() == 10 {
                    break;
                }
                cursor.step_val(&storage);
            }
            shown.top(start, tags, top);
            cursor.step_key(&storage);
        }
        shown.flush();
        ranked.set_logical_compaction(frontier);
        ranked.set_physical_compaction(frontier);
    }
}

/// The plain word count.
fn words(worker: &mut Worker, told: &Told) {
    let (probe, shown) = (ProbeHandle::new(), Rc::new(RefCell::new(Shown::default())));
    let lines = Rc::clone(&shown);
    let mut input = worker.dataflow::<u64, _, _>(|scope| {
        let (input, words) = scope.new_collection::<String, isize>();
        words
            .count_total()
            .inspect(move |((word, count), _, diff)| {
                if *diff > 0 {
                    lines.borrow_mut().count(word, *count as i64);
                }
            })
            .probe_with(&probe);
        input
    });
    let feed = Feed::new(told, worker.index());
    loop {
        feed.take(5 * MOST, |_, word| input.insert(word.to_owned()));
        let epoch = feed::now_ms().max(input.time() + 1);
        input.advance_to(epoch);
        input.flush();
        while probe.less_than(&epoch) {
            worker.step_or_park(Some(Duration::from_millis(1)));
        }
        shown.borrow_mut().flush();
    }
}
