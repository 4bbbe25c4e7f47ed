//! A worker that gets no turn: the others go on as far as their bounds, and once it comes back so does everything.
//!
//! Idea: one thread of the program is stopped by what debuggers use, see ptrace(2), as waiting for a bad disk or a starved
//! machine would stop it; all others run. Posts are many bytes with few terms, so that what is on its way is nearly all
//! that takes memory, and several times as much as may be on its way is written meanwhile.

#![expect(unsafe_code, reason = "ptrace exists in the C interface only")]

use std::ptr::null_mut;
use std::time::Duration;

use libc::{PTRACE_DETACH, PTRACE_INTERRUPT, PTRACE_SEIZE, pid_t};

use crate::admin::Admin;
use crate::broker::shared;
use crate::load::{Load, settings, status, until_fresh, until_ready, until_unready, without_padding};
use crate::oracle::Oracle;
use crate::oracle::answers::Offsets;
use crate::oracle::history::History;
use crate::support::broker::{read_back_as, wall_ms};
use crate::support::process::Server;
use crate::support::session::ask_during;

const TOPIC: &str = "stuck";

/// As many partitions as two workers do not share evenly, so that records are handed from one to the other.
const PARTITIONS: i32 = 3;
const PADDING: usize = 200_000;

/// As documented, 64 MiB on their way and 64 MiB fetched ahead for each of two workers; and 100 MiB for copies on their
/// ways from one to the other.
const BOUND_KIB: u64 = (2 * (64 + 64) + 100) << 10;

/// A thread that stands still until this is dropped, by the thread that made it.
struct Stuck(pid_t);

impl Stuck {
    fn hold(thread: pid_t) -> Stuck {
        let stuck = Stuck(thread);
        stuck.ask(PTRACE_SEIZE).unwrap();
        stuck.ask(PTRACE_INTERRUPT).unwrap();
        // SAFETY: no status is asked for. It returns once the thread stands still.
        let stopped = unsafe { libc::waitpid(thread, null_mut(), libc::__WALL) };
        assert_eq!(stopped, thread, "{}", std::io::Error::last_os_error());
        stuck
    }

    fn ask(&self, request: libc::c_uint) -> std::io::Result<()> {
        // SAFETY: none of the requests made here reads or writes memory of either process.
        let done = unsafe { libc::ptrace(request, self.0, null_mut::<u8>(), null_mut::<u8>()) };
        if done == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    }
}

impl Drop for Stuck {
    fn drop(&mut self) {
        // Where the program has ended there is nobody to let go.
        let _ = self.ask(PTRACE_DETACH);
    }
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn a_worker_without_a_turn_costs_time_and_not_memory() {
    let broker = shared();
    Admin::of(broker.address()).create(TOPIC, PARTITIONS, &[]);
    let mut load = Load::new(broker.address(), TOPIC, PARTITIONS);
    load.send(300);
    let mut server = Server::run(&settings(broker.address(), &[TOPIC], "")).ready();
    let (client, config) = (server.client(), server.config());
    let before = server.memory_kib("VmRSS");
    load.pad(PADDING);
    let answers = ask_during(&server, &config, 121, |own, answers| {
        let mut written = Offsets::new();
        // One that only follows, then the one that leads.
        for (worker, batches) in [(1, 80), (0, 20)] {
            let stuck = Stuck::hold(server.thread(&format!("timely:work-{worker}")));
            for _ in 0..batches {
                written = load.send(100);
            }
            until_unready(&client, "stalled", Duration::from_secs(40));
            answers.extend(own.ask_everything(&Offsets::new()));
            let (held, behind) = (server.memory_kib("VmRSS"), load.sent() - posts(&client));
            drop(stuck);
            let took = until_ready(&client, Duration::from_secs(300));
            answers.extend(own.ask_everything(&written));
            let fresh = until_fresh(&client, Duration::from_secs(20));
            println!(
                "worker {worker} held, {behind} posts of {PADDING} bytes behind, {} MiB more; ready {took:?} after it \
                 came back, fresh {fresh:?} later",
                held.saturating_sub(before) >> 10
            );
        }
        written
    });
    let most = server.memory_kib("VmHWM");
    println!("{} MiB at first, {} MiB at most", before >> 10, most >> 10);
    assert!(most < before + BOUND_KIB, "{most} KiB, with {before} at first and {BOUND_KIB} documented");
    assert_eq!(posts(&client), load.sent());
    assert!(server.terminate().0.success());
    let records = read_back_as(broker.address(), &[TOPIC], without_padding);
    Oracle::new(&config, &records, wall_ms()).check_all(&answers);
    History::new(&answers).check();
}

fn posts(client: &crate::support::client::Client) -> u64 {
    status(client)["posts"].as_u64().unwrap()
}
