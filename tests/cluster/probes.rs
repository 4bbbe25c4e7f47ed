//! What strangers and wrong processes send to the cluster's port: it disturbs neither a start nor what runs, and each who is
//! refused is told why, as the log is.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tidings::cluster::hello::Purpose;

use crate::group::{Group, PATIENCE, Process, settings};
use crate::guise::{Guise, Met, replay, try_connect};
use crate::support::broker::Embedded;
use crate::support::session::StopAtEnd;

/// Sends everything to an address; what keeps a connection open is returned, so that it stays open.
fn probe(address: &str) -> Vec<TcpStream> {
    let connect = || TcpStream::connect(address).unwrap();
    let mut open = Vec::new();
    for _ in 0..20 {
        drop(connect());
        connect().shutdown(Shutdown::Both).unwrap();
        open.push(connect());
        let said: [&[u8]; 8] = [
            b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
            // What timely itself would say: that it is process 1.
            b"\0\0\0\0\0\0\0\x01",
            b"tidings\n",
            b"tidings\n\x00\x01\x01\xff\xff",
            b"tidings\n\x00\x02\x01\x00\x00",
            b"tidings\n\x00\x01\x02\x00\x04abcd",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            &[0xff; 70_000],
        ];
        for said in said {
            let mut stream = connect();
            // The other side may close before all is sent.
            let _ = stream.write_all(said);
            open.push(stream);
        }
    }
    open
}

#[test]
fn strangers_disturb_neither_a_start_nor_what_runs() {
    let broker = Embedded::start(&[("posts", 2)]);
    let mut group = Group::new(&settings(&broker.brokers(), 1), 2);
    let mut zero = Process::start(group.command(0, &[]), group.log(0));
    zero.says("waiting for the others");
    let during = probe(&group.hosts[0]);
    let one = Process::start(group.command(1, &[]), group.log(1));
    group.processes = vec![zero, one];
    let begun = Instant::now();
    group.processes.iter_mut().for_each(Process::ready);
    println!("ready after {:?}", begun.elapsed());
    drop(during);
    let open: Vec<_> = group.hosts.iter().flat_map(|host| probe(host)).collect();
    for mut stream in open {
        // Each is shut in the end, the silent ones too.
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut rest = Vec::new();
        if let Err(error) = stream.read_to_end(&mut rest) {
            assert!(!matches!(error.kind(), std::io::ErrorKind::WouldBlock), "it was never shut");
        }
    }
    for process in &mut group.processes {
        goes_on(process);
        let refusals = process.log().matches("was refused").count();
        assert!((1..20).contains(&refusals), "{refusals} lines: {}", process.log());
    }
}

/// Generation and epoch.
fn stands(process: &mut Process) -> (u64, u64) {
    let status: serde_json::Value = process.client().get("/v1/status").json();
    let number = |name: &str| status["stamp"][name].as_u64().unwrap();
    (number("generation"), number("epoch"))
}

/// It is ready, and closes epochs.
fn goes_on(process: &mut Process) -> u64 {
    process.ready();
    let (before, deadline) = (stands(process), Instant::now() + PATIENCE);
    loop {
        std::thread::sleep(Duration::from_millis(100));
        let after = stands(process);
        assert!(after.0 == before.0, "{before:?} {after:?}: {}", process.log());
        if after.1 > before.1 {
            return after.0;
        }
        assert!(Instant::now() < deadline, "{before:?} {after:?}: {}", process.log());
    }
}

/// What is wrong with one who pretends to be process 1, and what it is told; `None`: what it is told depends on the moment.
type Wrong = (fn(&mut Guise), Option<&'static str>);

const WRONG: [Wrong; 10] = [
    (
        |guise| guise.secret = b"another secret, just as long".to_vec(),
        Some("`cluster.secret_file` must hold the same"),
    ),
    (|guise| guise.hello.to = 1, Some("took this one for process 1, but it is 0")),
    (|guise| guise.hello.from = 0, Some("`cluster.process` different")),
    (|guise| guise.hello.from = 7, Some("`cluster.process` different")),
    (|guise| guise.hello.member.cluster = "other".to_owned(), Some("it belongs to cluster \"other\"")),
    (|guise| guise.hello.member.processes = 3, Some("it knows of 3 processes, this one of 2")),
    (|guise| guise.hello.member.threads = 4, Some("process 1 has 4 workers, process 0 has 1")),
    (|guise| guise.hello.member.build[0] ^= 1, Some("it is another build of the program")),
    (|guise| guise.hello.member.settings[1][0] ^= 1, Some("differ in [posts]")),
    // Of a generation that has been.
    (|guise| (guise.hello.generation, guise.hello.purpose) = (5, Purpose::Reads), None),
];

/// All of them knock at process 0, each from an address of its own in this network.
fn all_are_refused(guise: &Guise, zero: &mut Process, at: &str, network: u8, late: &str) {
    for (index, (change, reason)) in WRONG.into_iter().enumerate() {
        let mut wrong = guise.clone();
        change(&mut wrong);
        let reason = reason.unwrap_or(late);
        let from = Ipv4Addr::new(127, 0, network, index as u8 + 1);
        let (met, ..) = wrong.knock(from, at);
        assert!(matches!(&met, Met::Refused(why) if why.contains(reason)), "{reason}: {met:?}");
        zero.says(&format!("from={from}:"));
        let log = zero.log();
        let said = log.lines().find(|line| line.contains(&format!("from={from}:"))).unwrap();
        assert!(said.contains("was refused") && said.contains(reason), "{reason}: {said}");
    }
}

#[test]
fn wrong_processes_are_told_why_and_disturb_neither_a_start_nor_what_runs() {
    let broker = Embedded::start(&[("posts", 2)]);
    let mut group = Group::new(&settings(&broker.brokers(), 1), 2);
    let (guise, at) = (Guise::of(&group), group.hosts[0].clone());
    let mut zero = Process::start(group.command(0, &[]), group.log(0));
    zero.says("waiting for the others");
    all_are_refused(&guise, &mut zero, &at, 1, "is being formed, not 5");
    // One who knows the secret is let in; what it has said is of no use to anybody else, then or later.
    let (met, said, stream) = guise.knock(Ipv4Addr::new(127, 0, 1, 100), &at);
    assert_eq!(met, Met::Welcome);
    let replayed = |network: u8| {
        let met = replay(&said, Ipv4Addr::new(127, 0, network, 101), &at);
        assert!(matches!(&met, Met::Refused(why) if why.contains("`cluster.secret_file`")), "{met:?}");
    };
    replayed(1);
    drop(stream);
    zero.says("all processes begin anew: process 1");
    replayed(2);

    let one = Process::start(group.command(1, &[]), group.log(1));
    group.processes = vec![zero, one];
    group.processes.iter_mut().for_each(Process::ready);
    let generation = goes_on(&mut group.processes[0]);
    all_are_refused(&guise, &mut group.processes[0], &at, 3, "is running, and nobody can join it");
    replayed(3);
    // Nor is there any room for one who fits.
    let (met, ..) = guise.knock(Ipv4Addr::new(127, 0, 3, 100), &at);
    assert!(matches!(&met, Met::Refused(why) if why.contains("is running")), "{met:?}");
    let mut zero = guise.clone();
    (zero.hello.from, zero.hello.to) = (0, 1);
    let (met, ..) = zero.knock(Ipv4Addr::new(127, 0, 3, 102), &group.hosts[1]);
    assert!(matches!(&met, Met::Refused(why) if why.contains("is running")), "{met:?}");
    for process in &mut group.processes {
        assert_eq!(goes_on(process), generation);
    }
}

/// From one address comes connection after connection, and none says anything: a process on another one gets in all the same.
#[test]
fn a_flood_from_one_address_keeps_nobody_out() {
    let broker = Embedded::start(&[("posts", 2)]);
    let mut group = Group::new(&settings(&broker.brokers(), 1), 2);
    let mut zero = Process::start(group.command(0, &[]), group.log(0));
    zero.says("waiting for the others");
    let (at, done) = (group.hosts[0].clone(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let flooding = scope.spawn(|| {
            let (mut open, mut knocks) = (std::collections::VecDeque::new(), 0);
            while !done.load(Ordering::Relaxed) {
                let Ok(stream) = try_connect(Ipv4Addr::new(127, 0, 9, 1), &at) else {
                    // As long as there are no ports left, or nobody takes it.
                    std::thread::sleep(Duration::from_millis(100));
                    continue;
                };
                open.push_back(stream);
                knocks += 1;
                // Fast enough, and yet there are ports left.
                std::thread::sleep(Duration::from_micros(300));
                if open.len() > 200 {
                    open.pop_front();
                }
            }
            knocks
        });
        let stopping = StopAtEnd(&done);
        std::thread::sleep(Duration::from_millis(300));
        let one = Process::start(group.command(1, &[]), group.log(1));
        let begun = Instant::now();
        group.processes = vec![zero, one];
        group.processes.iter_mut().for_each(Process::ready);
        let took = begun.elapsed();
        drop(stopping);
        let knocks = flooding.join().unwrap();
        println!("ready after {took:?} beside {knocks} connections");
        assert!(knocks > 100, "{knocks} connections are no flood");
    });
    for process in &mut group.processes {
        goes_on(process);
    }
}
