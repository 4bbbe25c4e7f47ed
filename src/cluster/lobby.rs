//! Who has arrived: the connections of the generation that is being formed.
//!
//! Idea: a seat for each other process and purpose. Whoever is dialled by others finds their connections in their seats;
//! whoever dials puts them there itself.
//! Invariant: a seat holds a connection of the generation being formed, or nothing; once the generation runs, nobody is
//! seated any more.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::hello::{Hello, Purpose};

/// Where a process stands with respect to this one.
#[derive(Default)]
enum Seat {
    #[default]
    Free,
    /// It has proved who it is, and is about to be told that it may stay.
    Promised(SocketAddr),
    Taken(SocketAddr, TcpStream),
}

#[derive(Default)]
struct State {
    /// 0: not known yet.
    generation: u64,
    /// The latest generation that anybody has told of.
    known: u64,
    running: bool,
    data: Vec<Seat>,
    reads: Vec<Seat>,
}

impl State {
    fn seats(&mut self, purpose: Purpose) -> &mut Vec<Seat> {
        match purpose {
            Purpose::Data => &mut self.data,
            Purpose::Reads => &mut self.reads,
        }
    }
}

/// All seats; the threads of handshakes and the one that forms the generation share it.
pub(super) struct Lobby {
    me: usize,
    state: Mutex<State>,
    changed: Condvar,
}

impl Lobby {
    pub(super) fn new(me: usize, processes: usize) -> Lobby {
        let seats = || (0..processes).map(|_| Seat::Free).collect();
        let state = State { data: seats(), reads: seats(), ..State::default() };
        Lobby { me, state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }

    /// Begins a generation, or one of which the number is not known yet (0): all seats are free, all connections closed.
    pub(super) fn begin(&self, generation: u64) {
        let mut state = self.lock();
        (state.generation, state.running) = (generation, false);
        state.known = state.known.max(generation);
        for purpose in Purpose::ALL {
            state.seats(purpose).iter_mut().for_each(|seat| *seat = Seat::Free);
        }
    }

    /// The generation being formed now has this number.
    pub(super) fn learn(&self, generation: u64) {
        let mut state = self.lock();
        state.generation = generation;
        state.known = state.known.max(generation);
    }

    /// The generation being formed, and the latest of which anybody knows.
    pub(super) fn generation(&self) -> (u64, u64) {
        let state = self.lock();
        (state.generation, state.known)
    }

    /// Promises a seat to a process that has proved who it is, and was told that the generation is `told`.
    ///
    /// # Errors
    /// Why it has to wait, as it is to be told.
    pub(super) fn promise(&self, hello: &Hello, told: u64, from: SocketAddr) -> Result<(), String> {
        let mut state = self.lock();
        let generation = state.generation;
        if hello.known > state.known {
            state.known = hello.known;
            self.changed.notify_all();
        }
        if state.running {
            return Err(format!(
                "generation {generation} is running, and nobody can join it: it ends when a process of it is lost, and \
                 then all start anew"
            ));
        }
        if told != generation {
            return Err("not yet: a new generation has begun meanwhile".to_owned());
        }
        if generation == 0 {
            return Err("not yet: this process waits for process 0 itself".to_owned());
        }
        let first = hello.generation == 0 && self.me == 0 && hello.purpose == Purpose::Data;
        if hello.generation != generation && !first {
            return Err(format!("generation {generation} is being formed, not {}", hello.generation));
        }
        let index = hello.from as usize;
        if index <= self.me {
            return Err(format!("process {index} is to be dialled by this one, not to dial it"));
        }
        let seat = &mut state.seats(hello.purpose)[index];
        match seat {
            Seat::Free => *seat = Seat::Promised(from),
            Seat::Promised(other) | Seat::Taken(other, _) => {
                return Err(format!("process {index} has joined already, from {other}"));
            }
        }
        Ok(())
    }

    /// Seats a process that was promised a seat; that is over where a new generation has begun since.
    pub(super) fn seat(&self, hello: &Hello, from: SocketAddr, stream: Option<TcpStream>) {
        let mut state = self.lock();
        let seat = &mut state.seats(hello.purpose)[hello.from as usize];
        if matches!(seat, Seat::Promised(promised) if *promised == from) {
            *seat = stream.map_or(Seat::Free, |stream| Seat::Taken(from, stream));
            self.changed.notify_all();
        }
    }

    /// Keeps a connection that this process has dialled.
    pub(super) fn keep(&self, process: usize, purpose: Purpose, to: SocketAddr, stream: TcpStream) {
        self.lock().seats(purpose)[process] = Seat::Taken(to, stream);
    }

    /// Looks at every connection; returns the processes that are not here with both. `see` says what is wrong with a
    /// connection, if anything is.
    pub(super) fn look<E>(
        &self,
        mut see: impl FnMut(usize, Purpose, &TcpStream) -> Result<(), E>,
    ) -> Result<Vec<usize>, E> {
        let mut missing = Vec::new();
        let mut state = self.lock();
        for purpose in Purpose::ALL {
            for (process, seat) in state.seats(purpose).iter().enumerate() {
                match seat {
                    Seat::Taken(_, stream) => see(process, purpose, stream)?,
                    _ if process != self.me => missing.push(process),
                    _ => {}
                }
            }
        }
        missing.sort_unstable();
        missing.dedup();
        Ok(missing)
    }

    /// Waits a little, less where somebody comes.
    pub(super) fn wait(&self, time: Duration) {
        drop(self.changed.wait_timeout(self.lock(), time).expect("no holder panics"));
    }

    /// From now on the generation runs; hands out its connections, by purpose and process.
    pub(super) fn run(&self) -> [Vec<Option<TcpStream>>; 2] {
        let mut state = self.lock();
        state.running = true;
        Purpose::ALL.map(|purpose| {
            let seats = state.seats(purpose).iter_mut().map(|seat| match std::mem::take(seat) {
                Seat::Taken(_, stream) => Some(stream),
                _ => None,
            });
            seats.collect()
        })
    }
}
