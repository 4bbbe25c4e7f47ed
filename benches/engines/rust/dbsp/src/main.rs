//! dbsp, the engine below Feldera, by itself.
//!
//! Idea: `flat_map` to a window and a term, `weighted_count`, and `topk_asc` of each window, all its own; a step for
//! whatever has come. Threads of their own read and parse, so that the circuit need not wait for them.
//! Invariant: what is shown after a step holds all that was put in before it.
//! Cost: each occurrence is six rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use dbsp::utils::Tup2;
use dbsp::{DBData, OrdIndexedZSet, OutputHandle, Runtime, ZSetHandle};
use feed::{Feed, Shown, Told};

/// Posts that a reader hands over at once, at the most, and batches that wait.
const MOST: usize = 20_000;
const AHEAD: usize = 2;

type Window = Tup2<i64, bool>;
type Place = Tup2<i64, String>;
type Counts = OrdIndexedZSet<String, i64>;

fn main() {
    let told = Told::new();
    if told.posts { posts(&told) } else { words(&told) }
}

/// The first ten of each window.
fn posts(told: &Told) {
    let (mut circuit, (input, top)) = Runtime::init_circuit(feed::WORKERS, |circuit| {
        let (posts, input) = circuit.add_input_zset::<Tup2<i64, String>>();
        let top = posts
            .flat_map(|Tup2(time, text)| {
                let each = |term: &str| {
                    feed::windows(*time).map(|start| Tup2(start, term.to_owned())).collect::<Vec<_>>()
                };
                text.split(' ').flat_map(each).collect::<Vec<_>>()
            })
            .weighted_count()
            .map_index(|(Tup2(start, term), count)| {
                (Tup2(*start, term.starts_with('#')), Tup2(-*count, term.clone()))
            })
            .topk_asc(10);
        Ok((input, top.output()))
    })
    .expect("a circuit");
    let batches = read(told, |time, text| Tup2(time, text.to_owned()));
    let (mut shown, mut windows) = (Shown::default(), BTreeMap::<Window, BTreeSet<Place>>::new());
    loop {
        put(&batches, &input);
        circuit.transaction().expect("a step");
        let mut changed = BTreeSet::new();
        for (window, place, weight) in all(&top) {
            let held = windows.entry(window.clone()).or_default();
            if weight > 0 {
                held.insert(place)
            } else {
                held.remove(&place)
            };
            changed.insert(window);
        }
        for window in changed {
            let places = windows[&window].iter().map(|Tup2(count, term)| (term.clone(), -count));
            shown.top(window.0, window.1, places.collect());
        }
        shown.flush();
    }
}

/// The plain word count.
fn words(told: &Told) {
    let (mut circuit, (input, counts)): (_, (ZSetHandle<String>, OutputHandle<_>)) =
        Runtime::init_circuit(feed::WORKERS, |circuit| {
            let (words, input) = circuit.add_input_zset::<String>();
            let counts: dbsp::Stream<_, Counts> = words.weighted_count();
            Ok((input, counts.output()))
        })
        .expect("a circuit");
    let (batches, mut shown) = (read(told, |_, word| word.to_owned()), Shown::default());
    loop {
        put(&batches, &input);
        circuit.transaction().expect("a step");
        for (word, count, weight) in all(&counts) {
            if weight > 0 {
                shown.count(&word, count);
            }
        }
        shown.flush();
    }
}

/// Batches of rows, from a thread for each worker's part of the topic.
fn read<R: Send + 'static>(told: &Told, row: fn(i64, &str) -> R) -> Receiver<Vec<Tup2<R, i64>>> {
    let (sender, receiver): (SyncSender<Vec<Tup2<R, i64>>>, _) = sync_channel(AHEAD);
    for worker in 0..feed::WORKERS {
        let (told, sender) = (told.clone(), sender.clone());
        std::thread::spawn(move || {
            let feed = Feed::new(&told, worker);
            loop {
                let mut rows = Vec::new();
                feed.take(MOST, |time, text| rows.push(Tup2(row(time, text), 1)));
                if !rows.is_empty() && sender.send(rows).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

/// Puts in what has come, and waits for something to come.
fn put<R: DBData>(batches: &Receiver<Vec<Tup2<R, i64>>>, input: &ZSetHandle<R>) {
    let mut rows = batches.recv().expect("readers that go on");
    input.append(&mut rows);
    for mut rows in batches.try_iter().take(AHEAD) {
        input.append(&mut rows);
    }
}

/// The changes of the last step.
fn all<K: DBData, V: DBData>(output: &OutputHandle<OrdIndexedZSet<K, V>>) -> Vec<(K, V, i64)> {
    use dbsp::typed_batch::IndexedZSetReader;
    output.consolidate().iter().collect()
}
