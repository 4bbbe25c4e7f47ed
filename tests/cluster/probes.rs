//! What strangers send to the cluster's port: it disturbs neither a start nor what runs.
//!
//! The handshake's own tests (`src/cluster/handshake/tests.rs`) go through every way in which one can be wrong; here it is the
//! real program, with many at once.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::group::{Group, PATIENCE, Process, settings};
use crate::support::broker::Embedded;

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
    let epoch = |process: &mut Process| {
        let status: serde_json::Value = process.client().get("/v1/status").json();
        status["stamp"]["epoch"].as_u64().unwrap()
    };
    for process in &mut group.processes {
        process.ready();
        let before = epoch(process);
        std::thread::sleep(Duration::from_millis(500));
        assert!(epoch(process) > before);
        let refusals = process.log().matches("was refused").count();
        assert!((1..20).contains(&refusals), "{refusals} lines: {}", process.log());
    }
}
