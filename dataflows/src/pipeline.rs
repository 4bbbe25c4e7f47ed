//! Builds the whole dataflow on a worker, and moves it from epoch to epoch.
//!
//! Idea: one place that knows the order in which operators are built, the same on every worker, and that hides inputs,
//! probes and traces behind five calls: `give`, `tell`, `close`, `is_complete`, `snapshot`.
//! Invariant: what is given between two closings belongs to the epoch of the second. It travels at the first time
//! after the earlier closing, since the number of its epoch is not known before it closes; as nothing closes in
//! between, a read as of the epoch sees exactly that.
//! Cost: none of its own.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use timely::container::{CapacityContainerBuilder, NoopBuilder};
use timely::dataflow::operators::{Concat, Input, Probe};
use timely::dataflow::{InputHandle, ProbeHandle, Stream};
use timely::worker::Worker;

use crate::admit::{Live, Ranked, Refused};
use crate::block::Block;
use crate::clock::{Fact, History, Reached, Standing, clock};
use crate::intake::{Gathered, intake};
use crate::load::Load;
use crate::panes::{PanesTrace, arrange_alive};
use crate::quota::{Quota, Share};
use crate::rank::{RanksHistory, rank};
use crate::ranking::Ranks;
use crate::records::Records;
use crate::snapshot::{CountSnapshot, Snapshot, batches};
use crate::spellings::{FEW, Room, arrange_spellings};
use crate::term::HashKeys;
use crate::totals::{Figures, Totals};
use crate::touched::{self, TouchedHistory};
use crate::windows::{Pane, Windows};
use differential_dataflow::trace::implementations::spine_fueled::SpineBatch;

/// What to build: the same on all workers of a process.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The counts.
    pub counts: Vec<CountPlan>,
    /// Places of each ranking that are kept, and exact.
    pub top: usize,
    /// The keys of this run's hash.
    pub keys: HashKeys,
}

/// One count.
#[derive(Clone, Debug)]
pub struct CountPlan {
    /// Its windows.
    pub windows: Windows,
    /// Whether spellings are kept apart from keys.
    pub spellings: bool,
    /// Live terms beyond which new ones are not taken: one for all workers that build by the same plan.
    pub room: Arc<Quota>,
}

impl Plan {
    /// Number of tables that `decode` fills: for each count, in order, one of terms, then one of spellings if it keeps them.
    pub fn tables(&self) -> usize {
        self.counts.iter().map(|count| 1 + usize::from(count.spellings)).sum()
    }
    /// The largest slide that divides all others: the clock's step.
    fn step(&self) -> u64 {
        let slides = self.counts.iter().filter_map(|count| count.windows.finest());
        slides.reduce(gcd).unwrap_or(1000)
    }
}

fn gcd(one: u64, two: u64) -> u64 {
    if two == 0 { one } else { gcd(two, one % two) }
}

struct CountHandles {
    panes: PanesTrace,
    spellings: Option<(PanesTrace, Rc<Cell<usize>>)>,
    history: RanksHistory,
    ranks: Ranks,
    refused: Rc<RefCell<Refused>>,
    touches: TouchedHistory,
    spelling_touches: TouchedHistory,
    touched: Touched,
}

/// What was changed of a count.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    /// The panes.
    pub panes: BTreeSet<Pane>,
    /// Whether any spelling was.
    pub spellings: bool,
}

/// The dataflow on one worker. `T` is what `decode` tallies, one per epoch that had records here.
pub struct Pipeline<T> {
    records: InputHandle<u64, NoopBuilder<Records>>,
    facts: InputHandle<u64, CapacityContainerBuilder<Vec<Fact>>>,
    probe: ProbeHandle<u64>,
    counts: Vec<CountHandles>,
    clocks: History,
    standing: Standing,
    /// Open until the first epoch closes.
    load: Option<Load>,
    /// Whether the first epoch is what an earlier run kept.
    restored: Rc<Cell<bool>>,
    reached: Reached,
    tallies: Rc<RefCell<VecDeque<(u64, T)>>>,
}

impl<T: Default + 'static> Pipeline<T> {
    /// Builds it. `decode` turns records into terms, in the tables of [`Plan::tables`].
    pub fn build(
        worker: &mut Worker,
        plan: &Plan,
        decode: impl FnMut(&Records, &mut Gathered<T>) + 'static,
    ) -> Pipeline<T> {
        let probe = ProbeHandle::new();
        let clocks = History::default();
        let tallies = Rc::new(RefCell::new(VecDeque::new()));
        let (peers, restored) = (worker.peers(), Rc::<Cell<bool>>::default());
        let done = {
            let tallies = Rc::clone(&tallies);
            move |time, tally| tallies.borrow_mut().push_back((time, tally))
        };
        let reached = Reached::default();
        let (records, facts, loads, counts) = worker.dataflow(|scope| {
            let (records_in, records) = scope.new_input_with_builder();
            let (facts_in, facts) = scope.new_input();
            let (tables, newest) =
                intake(records, plan.tables(), plan.keys, Rc::clone(&reached), decode, done);
            let ticks = clock(facts.concat(newest), plan.step(), Rc::clone(&clocks), Rc::clone(&reached));
            ticks.clone().probe_with(&probe);
            let (mut loads, mut loaded) = (Vec::new(), Vec::new());
            for table in tables {
                let (input, rows) = scope.new_input_with_builder();
                loads.push(input);
                loaded.push(table.concat(rows));
            }
            let mut tables = loaded.into_iter();
            let counts: Vec<_> = plan
                .counts
                .iter()
                .map(|count| build_count(&mut tables, &ticks, count, plan, &restored, &probe))
                .collect();
            (records_in, facts_in, loads, counts)
        });
        let load = Some(Load::new(loads, peers, plan.keys));
        let standing = Standing::default();
        Pipeline { records, facts, probe, counts, clocks, standing, load, restored, reached, tallies }
    }

    /// Hands in records of the epoch being filled.
    pub fn give(&mut self, records: &mut Records) {
        self.records.send_batch(records);
    }

    /// Hands in a fact of the epoch being filled.
    pub fn tell(&mut self, fact: Fact) {
        self.facts.send(fact);
    }

    /// Takes note that the first epoch has what an earlier run kept and nothing else, on all workers; there is room for that. What
    /// this worker reads next it may read before all others have closed that epoch, and the `clock` of that run is known already.
    pub fn goes_on(&mut self, clock: Option<u64>) {
        self.restored.set(true);
        self.reached.set(clock.unwrap_or(0));
    }

    /// The way in for rows of an earlier run, until the first epoch closes.
    pub fn load(&mut self) -> Option<&mut Load> {
        self.load.as_mut()
    }

    /// Takes note of what an earlier run did not take for want of room; on one worker only.
    pub fn refused_before(&mut self, count: usize, refused: Refused) {
        *self.counts[count].refused.borrow_mut() = refused;
    }

    /// Ends the epoch being filled and gives it its number, which must be larger than that of the one before.
    pub fn close(&mut self, epoch: u64) {
        if let Some(mut load) = self.load.take() {
            load.flush();
        }
        self.records.advance_to(epoch + 1);
        self.facts.advance_to(epoch + 1);
    }

    /// Whether everything up to `epoch` has been counted by all workers.
    pub fn is_complete(&self, epoch: u64) -> bool {
        !self.probe.less_equal(&epoch)
    }

    /// This worker's results as of `epoch`, which must be complete and later than that of the snapshot before; and what was
    /// tallied since that one. What was refused is as of now, so that no answer misses it.
    pub fn snapshot(&mut self, epoch: u64) -> (Snapshot, Vec<T>) {
        if let Some((_, standing)) = pop_through(&mut self.clocks.borrow_mut(), epoch).pop() {
            self.standing = standing;
        }
        let counts = self.counts.iter_mut().map(|count| {
            if let Some((_, ranks)) = pop_through(&mut count.history.borrow_mut(), epoch).pop() {
                count.ranks = ranks;
            }
            count.touched = Touched {
                panes: touched::take(&count.touches, epoch),
                spellings: !touched::take(&count.spelling_touches, epoch).is_empty(),
            };
            CountSnapshot {
                panes: batches(&mut count.panes, epoch),
                spellings: count
                    .spellings
                    .as_mut()
                    .map(|(trace, held)| {
                        let spellings = batches(trace, epoch);
                        held.set(spellings.iter().map(|batch| batch.len()).sum());
                        spellings
                    })
                    .unwrap_or_default(),
                ranks: count.ranks.clone(),
                refused: *count.refused.borrow(),
            }
        });
        let snapshot = Snapshot { epoch, clock: self.standing.clock, counts: counts.collect() };
        let tallies = pop_through(&mut self.tallies.borrow_mut(), epoch);
        (snapshot, tallies.into_iter().map(|(_, tally)| tally).collect())
    }

    /// Where the clock stood at the last snapshot.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// What of each count was changed between the last two snapshots, on this worker.
    pub fn touched(&self) -> impl Iterator<Item = &Touched> {
        self.counts.iter().map(|count| &count.touched)
    }
}

fn build_count<'scope>(
    tables: &mut impl Iterator<Item = Stream<'scope, u64, Block>>,
    ticks: &Stream<'scope, u64, Vec<u64>>,
    count: &CountPlan,
    plan: &Plan,
    restored: &Rc<Cell<bool>>,
    probe: &ProbeHandle<u64>,
) -> CountHandles {
    let windows = &count.windows;
    let mut next = || tables.next().expect("a table for each count and its spellings");
    let totals = Rc::new(RefCell::new(Totals::new(windows.len() + 1, plan.keys)));
    let refused = Rc::new(RefCell::new(Refused::default()));
    let progress = Rc::<Ranked>::default();
    let live = Live {
        totals: Rc::clone(&totals),
        ranked: Rc::clone(&progress),
        room: Rc::new(Share::new(&count.room)),
        restored: Rc::clone(restored),
        refused: Rc::clone(&refused),
    };
    let history = RanksHistory::default();
    let (touches, spelling_touches) = (TouchedHistory::default(), TouchedHistory::default());
    let alive = arrange_alive(next(), ticks.clone(), windows, live, plan.keys, Rc::clone(&touches));
    let panes = alive.panes.clone();
    let ranked = rank(alive, ticks.clone(), windows.clone(), plan.top, totals, progress, Rc::clone(&history));
    let spellings = count.spellings.then(|| {
        let held = Rc::new(Cell::new(0));
        // Counted are records, not spellings: until batches are merged, several may hold the same one.
        let limit = count.room.even().saturating_mul(3).max(FEW);
        let (held_too, restored) = (Rc::clone(&held), Rc::clone(restored));
        let room = Room { held: held_too, limit, restored, refused: Rc::clone(&refused) };
        let spellings = arrange_spellings(next(), room, plan.keys, Rc::clone(&spelling_touches));
        spellings.stream.probe_with(probe);
        (spellings.trace, held)
    });
    panes.stream.probe_with(probe);
    ranked.probe_with(probe);
    CountHandles {
        panes: panes.trace,
        spellings,
        history,
        ranks: Ranks { figures: vec![Figures::default(); windows.len() + 1], top: Vec::new() },
        refused,
        touches,
        spelling_touches,
        touched: Touched::default(),
    }
}

/// Takes out what happened up to `epoch`, in order.
fn pop_through<V>(queue: &mut VecDeque<(u64, V)>, epoch: u64) -> Vec<(u64, V)> {
    let until = queue.partition_point(|(time, _)| *time <= epoch);
    queue.drain(..until).collect()
}
