//! Raw records become combined updates.
//!
//! Idea: the records of an epoch are decoded as they come, into tables that combine equal terms, and one operator sends the tables
//! on when the epoch is complete, or a pane as soon as the caller says that it is. What a worker has read for itself it decodes at
//! once, while it is near; what another has read comes as a container. How a record becomes terms is the caller's too.
//! Invariant: what is sent at a time is what the records of that time hold, whichever worker read them. The operator holds a
//! capability for each epoch that its input may still be in, so that nothing is decoded for one that cannot be sent.
//! Cost: the caller's decoding, and what `combine` costs. Usually one epoch is open; a worker that runs ahead opens a second.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use timely::container::{CapacityContainerBuilder, NoopBuilder};
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::DistributorPact;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::scheduling::Activator;

use crate::block::{Block, ToOwner};
use crate::clock::{Fact, Reached};
use crate::combine::Combine;
use crate::records::Records;
use crate::term::HashKeys;

/// What the records of one epoch come to, on one worker.
pub struct Gathered<T> {
    /// A table of terms for each output.
    pub tables: Vec<Combine>,
    /// Whether any of its records have been decoded; the caller's to set.
    pub begun: bool,
    /// The clock of the epoch, as far as it is known already: it will not be earlier. A post that is late by this one can
    /// go into a coarse pane at once, where it is combined with others.
    pub clock: u64,
    /// The newest event time, of those that may move the clock.
    pub newest: Option<u64>,
    /// The caller's own.
    pub tally: T,
}

impl<T: Default> Gathered<T> {
    /// Nothing yet.
    pub fn new(tables: usize, keys: HashKeys) -> Self {
        let tables = (0..tables).map(|_| Combine::new(keys)).collect();
        Gathered { tables, begun: false, clock: 0, newest: None, tally: T::default() }
    }
}

/// Where the terms of each table go, and the facts of all of them.
pub type Taken<'scope> = (Vec<Stream<'scope, u64, Block>>, Stream<'scope, u64, Vec<Fact>>);

/// Turns records into terms, in the tables of their epoch.
type Decode<T> = dyn FnMut(&Records, &mut Gathered<T>);

/// What has been decoded on a worker and is not sent yet.
pub struct Intake<T> {
    decode: Box<Decode<T>>,
    fresh: Box<dyn Fn() -> Gathered<T>>,
    /// By epoch.
    open: BTreeMap<u64, Gathered<T>>,
    /// For the next epoch. One will do as a rule; what more a backlog had open is not kept.
    spare: Option<Gathered<T>>,
    reached: Reached,
    /// Lets the operator send what can be sent.
    sender: Activator,
}

impl<T> Intake<T> {
    /// Decodes records of the epoch that this worker's input is in.
    pub fn decode(&mut self, epoch: u64, records: &Records) {
        if self.gather(epoch, records).tables.iter().any(Combine::has_passed) {
            self.sender.activate();
        }
    }

    fn gather(&mut self, epoch: u64, records: &Records) -> &mut Gathered<T> {
        let Intake { decode, fresh, open, spare, reached, .. } = self;
        let gathered = open.entry(epoch).or_insert_with(|| spare.take().unwrap_or_else(fresh));
        gathered.clock = reached.get();
        decode(records, gathered);
        gathered
    }
}

/// Decodes records with `decode`, sends what they come to in `tables` streams of blocks, and the newest event time as
/// a fact. `done` is handed the tally of each complete epoch, in order. What comes in `records` is decoded besides what is handed
/// to the intake.
pub fn intake<'scope, T: Default + 'static>(
    records: Stream<'scope, u64, Records>,
    tables: usize,
    keys: HashKeys,
    reached: Reached,
    decode: impl FnMut(&Records, &mut Gathered<T>) + 'static,
    mut done: impl FnMut(u64, T) + 'static,
) -> (Taken<'scope>, Rc<RefCell<Intake<T>>>) {
    let scope = records.scope();
    let peers = scope.peers();
    let mut builder = OperatorBuilder::new("Intake".to_owned(), records.scope());
    let mut records = builder.new_input(records, DistributorPact(|_peers| ToOwner));
    let (mut outputs, mut streams) = (Vec::new(), Vec::new());
    for _ in 0..tables {
        let (output, stream) = builder.new_output();
        outputs.push(OutputBuilder::<_, NoopBuilder<Block>>::from(output));
        streams.push(stream);
    }
    let (facts, facts_stream) = builder.new_output();
    let mut facts = OutputBuilder::<_, CapacityContainerBuilder<Vec<Fact>>>::from(facts);
    let intake = Rc::new(RefCell::new(Intake {
        decode: Box::new(decode),
        fresh: Box::new(move || Gathered::new(tables, keys)),
        open: BTreeMap::new(),
        spare: None,
        reached,
        sender: scope.activator_for(builder.operator_info().address),
    }));
    let shared = Rc::clone(&intake);

    builder.build(move |mut caps| {
        move |frontiers| {
            let intake = &mut *shared.borrow_mut();
            let mut send_passed = |time: u64, gathered: &mut Gathered<T>| {
                let tables = outputs.iter_mut().zip(&mut gathered.tables).zip(&caps);
                for ((output, table), cap) in tables.filter(|((_, table), _)| table.has_passed()) {
                    let (mut output, cap) = (output.activate(), cap.delayed(&time));
                    let mut session = output.session_with_builder(&cap);
                    table.send_passed(time, peers, |block| session.give_container(block));
                }
            };
            // Of what was decoded since the last time.
            intake.open.iter_mut().for_each(|(time, gathered)| send_passed(*time, gathered));
            records.for_each(|cap, records| {
                let time = *cap.least().expect("inputs stamp every message");
                send_passed(time, intake.gather(time, records));
            });
            while let Some(entry) =
                intake.open.first_entry().filter(|entry| !frontiers[0].less_equal(entry.key()))
            {
                let (time, mut gathered) = entry.remove_entry();
                for ((output, table), cap) in outputs.iter_mut().zip(&mut gathered.tables).zip(&caps) {
                    let (mut output, cap) = (output.activate(), cap.delayed(&time));
                    let mut session = output.session_with_builder(&cap);
                    table.drain(time, peers, |block| session.give_container(block));
                }
                if let Some(newest) = gathered.newest.take() {
                    let cap = caps[tables].delayed(&time);
                    facts.activate().session_with_builder(&cap).give(Fact::Newest(newest));
                }
                done(time, std::mem::take(&mut gathered.tally));
                gathered.begun = false;
                intake.spare.get_or_insert(gathered);
            }
            match frontiers[0].frontier().first() {
                Some(time) => {
                    caps.iter_mut().filter(|cap| cap.time() < time).for_each(|cap| cap.downgrade(time))
                }
                None => caps.clear(),
            }
        }
    });
    ((streams, facts_stream), intake)
}
