//! DBSP, the library below Feldera.
//!
//! Idea: `flat_map` to a window and a term, `weighted_count`, and `topk_asc` of each window's counts, all kept up by the
//! library in its own layouts; here only the ten of a window are put together again from what it says has changed.
//! Invariant: all that one transaction took is in what is read after it. The negated count stands before the term, so that
//! ascending order is that of the ranking.
//! Cost: each occurrence is six updates; each count that changes is two more. While a transaction runs, the next one's posts
//! are read by a thread a consumer.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Condvar, Mutex};

use dbsp::mimalloc::MiMalloc;
use dbsp::typed_batch::IndexedZSetReader;
use dbsp::utils::Tup2;
use dbsp::{DBData, Runtime, ZSetHandle, ZWeight};
use feed::{Feed, Shown, Told};

// Not the crate of that name: the library has linked this one already.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Posts that are read ahead of a transaction at the most, for each consumer.
const MOST: usize = 20_000;

fn main() {
    let told = Told::new();
    if told.posts { posts(&told) } else { words(&told) }
}

/// The first ten of each window.
fn posts(told: &Told) {
    let (mut circuit, (input, output)) = Runtime::init_circuit(feed::WORKERS, |circuit| {
        let (posts, input) = circuit.add_input_zset::<Tup2<i64, String>>();
        let tops = posts
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
        Ok((input, tops.accumulate_output()))
    })
    .expect("a circuit");
    let rows = read(told, MOST, |time, text| Tup2(time, text.to_owned()));
    let (mut tops, mut shown) = (HashMap::<_, BTreeSet<_>>::new(), Shown::default());
    loop {
        push(&rows, &input);
        circuit.transaction().expect("a transaction");
        let mut changed = BTreeSet::new();
        for (Tup2(start, tags), ranked, weight) in output.concat().consolidate().iter() {
            let top = tops.entry((start, tags)).or_default();
            if weight > 0 {
                top.insert(ranked)
            } else {
                top.remove(&ranked)
            };
            changed.insert((start, tags));
        }
        for (start, tags) in changed {
            let top = tops[&(start, tags)].iter().map(|Tup2(less, term)| (term.clone(), -less));
            shown.top(start, tags, top.collect());
        }
        shown.flush();
    }
}

/// The plain word count.
fn words(told: &Told) {
    let (mut circuit, (input, output)) = Runtime::init_circuit(feed::WORKERS, |circuit| {
        let (words, input) = circuit.add_input_zset::<String>();
        Ok((input, words.weighted_count().accumulate_output()))
    })
    .expect("a circuit");
    let (rows, mut shown) = (read(told, 5 * MOST, |_, word| word.to_owned()), Shown::default());
    loop {
        push(&rows, &input);
        circuit.transaction().expect("a transaction");
        for (word, count, weight) in output.concat().consolidate().iter() {
            if weight > 0 {
                shown.count(&word, count);
            }
        }
        shown.flush();
    }
}

/// What the consumers have read and nobody has taken yet, and who waits for it.
struct Rows<T> {
    read: Mutex<Vec<Tup2<T, ZWeight>>>,
    changed: Condvar,
}

/// Reads with a consumer a worker, up to `most` rows ahead for each.
fn read<T: DBData>(
    told: &Told,
    most: usize,
    row: impl Fn(i64, &str) -> T + Copy + Send + 'static,
) -> Arc<Rows<T>> {
    let rows = Arc::new(Rows { read: Mutex::new(Vec::new()), changed: Condvar::new() });
    for worker in 0..feed::WORKERS {
        let (told, rows) = (told.clone(), Arc::clone(&rows));
        std::thread::spawn(move || {
            let (feed, mut own) = (Feed::new(&told, worker), Vec::new());
            loop {
                feed.take(most / 8, |time, text| own.push(Tup2(row(time, text), 1)));
                if own.is_empty() {
                    continue;
                }
                let mut all = rows.read.lock().expect("a circuit");
                while all.len() >= feed::WORKERS * most {
                    all = rows.changed.wait(all).expect("a circuit");
                }
                all.append(&mut own);
                rows.changed.notify_all();
            }
        });
    }
    rows
}

/// Waits for rows, and puts all that there are before the circuit.
fn push<T: DBData>(rows: &Rows<T>, input: &ZSetHandle<T>) {
    let mut all = rows.read.lock().expect("a consumer");
    while all.is_empty() {
        all = rows.changed.wait(all).expect("a consumer");
    }
    let mut taken = std::mem::take(&mut *all);
    drop(all);
    rows.changed.notify_all();
    input.append(&mut taken);
}
