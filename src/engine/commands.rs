//! Commands to all workers, in one order.
//!
//! Idea: a dataflow of its own. The first worker puts commands in, each is sent to every worker, and each finds them in a
//! queue of its own, in the order in which they were given; so it is within a process and across processes.
//! Invariant: all workers see the same commands in the same order.
//! Cost: a message per worker and command. Commands do not wait for a frontier, so they arrive at once.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::InputHandle;
use timely::dataflow::operators::Input;
use timely::dataflow::operators::Inspect;
use timely::dataflow::operators::vec::Broadcast;
use timely::worker::Worker;

/// What all workers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// The epoch being filled ends and has this number; the wall clock reads so many Unix milliseconds.
    Close(u64, u64),
    /// After what has been closed there is nothing more.
    Stop,
}

/// One worker's end of the channel.
pub struct Commands {
    input: Option<InputHandle<u64, CapacityContainerBuilder<Vec<Command>>>>,
    received: Rc<RefCell<VecDeque<Command>>>,
}

impl Commands {
    /// Builds the dataflow; every worker must, at the same place in the order of its dataflows.
    pub fn build(worker: &mut Worker) -> Commands {
        let received = Rc::new(RefCell::new(VecDeque::new()));
        let leads = worker.index() == 0;
        let input = worker.dataflow(|scope| {
            let (input, commands) = scope.new_input();
            let received = Rc::clone(&received);
            commands.broadcast().inspect(move |command| received.borrow_mut().push_back(*command));
            input
        });
        Commands { input: leads.then_some(input), received }
    }

    /// Whether this worker gives the commands.
    pub fn leads(&self) -> bool {
        self.input.is_some()
    }

    /// Gives a command. Only the leading worker may.
    pub fn give(&mut self, command: Command) {
        let input = self.input.as_mut().expect("only the leading worker gives commands");
        input.send(command);
        let next = input.time() + 1;
        input.advance_to(next);
        input.flush();
    }

    /// The next command not yet carried out.
    pub fn take(&mut self) -> Option<Command> {
        self.received.borrow_mut().pop_front()
    }
}
