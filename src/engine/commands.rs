//! Commands to all workers, in one order; and what their processes ask of the one that gives them.
//!
//! Idea: two dataflows of their own. The first worker puts commands in, each is sent to every worker, and each finds them in a
//! queue of its own, in the order in which they were given; so it is within a process and across processes. The other
//! way, the first worker of each other process sends requests to the first worker of all.
//! Invariant: all workers see the same commands in the same order. Only the leading worker decides; a request is no order.
//! Cost: a message per worker and command. Commands do not wait for a frontier, so they arrive at once.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::InputHandle;
use timely::dataflow::operators::vec::Broadcast;
use timely::dataflow::operators::{Exchange, Input, Inspect};
use timely::worker::Worker;

use super::keep::Kept;
use crate::source::partitions::Partition;

/// What all workers are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// The epoch being filled ends.
    Close {
        /// Its number.
        epoch: u64,
        /// What the wall clock reads, in Unix milliseconds.
        wall: u64,
        /// No record is read after it: none of those would be in any answer.
        is_last: bool,
    },
    /// A partition was found, to be read from its start; it ended at this offset. The first of those that are told has the
    /// number after all that were known at the start, and so on.
    Adopt(Partition, i64),
    /// The next epoch to close is to be kept, as checkpoint of this number.
    Keep(u64),
    /// What has become of a checkpoint; `None`: it did not come about.
    Settled(u64, Option<Kept>),
    /// A process has failed; what follows is the end of all.
    Failed(Trouble),
    /// After what has been closed there is nothing more.
    Stop,
}

/// What a process asks of the leading worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// One of its workers holds what it may of the epoch being filled.
    Full,
    /// Its share of a checkpoint, as `engine::keep` writes it.
    Share(Vec<u8>),
    /// All should come to their end.
    Stop,
    /// The same, because of a failure.
    Failed(Trouble),
}

/// A failure as other processes hear of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// The process.
    pub process: usize,
    /// The exit code that belongs to it.
    pub code: u8,
    /// For people.
    pub message: String,
}

type Sender<T> = InputHandle<u64, CapacityContainerBuilder<Vec<T>>>;

/// One worker's end of the channels.
pub struct Commands {
    /// On the leading worker.
    orders: Option<Sender<Command>>,
    /// On the first worker of each other process.
    requests: Option<Sender<Request>>,
    received: Rc<RefCell<VecDeque<Command>>>,
    heard: Rc<RefCell<VecDeque<Request>>>,
}

impl Commands {
    /// Builds the dataflows; every worker must, at the same place in the order of its dataflows. Each process has `threads`
    /// workers.
    pub fn build(worker: &mut Worker, threads: usize) -> Commands {
        let (received, heard) = (Rc::default(), Rc::default());
        let index = worker.index();
        let orders = worker.dataflow(|scope| {
            let (input, commands) = scope.new_input::<Vec<Command>>();
            let received: Rc<RefCell<VecDeque<_>>> = Rc::clone(&received);
            commands.broadcast().inspect(move |command| received.borrow_mut().push_back(command.clone()));
            input
        });
        let requests = worker.dataflow(|scope| {
            let (input, requests) = scope.new_input::<Vec<Request>>();
            let heard: Rc<RefCell<VecDeque<_>>> = Rc::clone(&heard);
            let to_the_first = requests.exchange(|_| 0);
            to_the_first.inspect(move |request| heard.borrow_mut().push_back(request.clone()));
            input
        });
        let speaks = index > 0 && index.is_multiple_of(threads);
        Commands {
            orders: (index == 0).then_some(orders),
            requests: speaks.then_some(requests),
            received,
            heard,
        }
    }

    /// Whether this worker gives the commands.
    pub fn leads(&self) -> bool {
        self.orders.is_some()
    }

    /// Whether this worker asks for its process, which is not that of the leading worker.
    pub fn speaks(&self) -> bool {
        self.requests.is_some()
    }

    /// Gives a command. Only the leading worker may.
    pub fn give(&mut self, command: Command) {
        send(self.orders.as_mut().expect("only the leading worker gives commands"), command);
    }

    /// Asks the leading worker for something. Only a worker that speaks for its process may.
    pub fn ask(&mut self, request: Request) {
        send(self.requests.as_mut().expect("one worker speaks for its process"), request);
    }

    /// The next command not yet carried out.
    pub fn take(&mut self) -> Option<Command> {
        self.received.borrow_mut().pop_front()
    }

    /// The next request not yet heard; only the leading worker has any.
    pub fn hear(&mut self) -> Option<Request> {
        self.heard.borrow_mut().pop_front()
    }
}

fn send<T: Clone + 'static>(input: &mut Sender<T>, message: T) {
    input.send(message);
    let next = input.time() + 1;
    input.advance_to(next);
    input.flush();
}
