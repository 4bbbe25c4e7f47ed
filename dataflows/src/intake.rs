//! Raw records become combined updates.
//!
//! Idea: one operator decodes the records of an epoch as they come, into tables that combine equal terms, and sends
//! the tables on when the epoch is complete, or a pane as soon as the caller says that it is. How a record becomes terms is
//! the caller's too.
//! Invariant: what is sent at a time is what the records of that time hold, whichever worker read them; a table
//! is emptied before its capability is dropped.
//! Cost: the caller's decoding, and what `combine` costs. Usually one epoch is open; a worker that runs ahead opens a second.

use std::collections::BTreeMap;

use timely::container::{CapacityContainerBuilder, NoopBuilder};
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::DistributorPact;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

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

/// Decodes records with `decode`, sends what they come to in `tables` streams of blocks, and the newest event time as
/// a fact. `done` is handed the tally of each complete epoch, in order.
pub fn intake<'scope, T: Default + 'static>(
    records: Stream<'scope, u64, Records>,
    tables: usize,
    keys: HashKeys,
    reached: Reached,
    mut decode: impl FnMut(&Records, &mut Gathered<T>) + 'static,
    mut done: impl FnMut(u64, T) + 'static,
) -> Taken<'scope> {
    let peers = records.scope().peers();
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

    builder.build(move |_capabilities| {
        let fresh = move || Gathered::new(tables, keys);
        let mut spare = vec![fresh()];
        let mut open = BTreeMap::<u64, (Vec<Capability<u64>>, Gathered<T>)>::new();
        move |frontiers| {
            records.for_each(|cap, records| {
                let time = *cap.least().expect("inputs stamp every message");
                let (caps, gathered) = open.entry(time).or_insert_with(|| {
                    let caps =
                        (0..=tables).map(|port| cap.retain_least(port).expect("inputs stamp every message"));
                    (caps.collect(), spare.pop().unwrap_or_else(fresh))
                });
                gathered.clock = reached.get();
                decode(records, gathered);
                let tables = outputs.iter_mut().zip(&mut gathered.tables).zip(&*caps);
                for ((output, table), cap) in tables.filter(|((_, table), _)| table.has_passed()) {
                    let mut output = output.activate();
                    let mut session = output.session_with_builder(cap);
                    table.send_passed(time, peers, |block| session.give_container(block));
                }
            });
            while let Some(entry) = open.first_entry().filter(|entry| !frontiers[0].less_equal(entry.key())) {
                let (time, (caps, mut gathered)) = entry.remove_entry();
                for ((output, table), cap) in outputs.iter_mut().zip(&mut gathered.tables).zip(&caps) {
                    let mut output = output.activate();
                    let mut session = output.session_with_builder(cap);
                    table.drain(time, peers, |block| session.give_container(block));
                }
                if let Some(newest) = gathered.newest.take() {
                    facts.activate().session_with_builder(&caps[tables]).give(Fact::Newest(newest));
                }
                done(time, std::mem::take(&mut gathered.tally));
                gathered.begun = false;
                // One will do as a rule; what more a backlog had open is not kept.
                if spare.is_empty() {
                    spare.push(gathered);
                }
            }
        }
    });
    (streams, facts_stream)
}
