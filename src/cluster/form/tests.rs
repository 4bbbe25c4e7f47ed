use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use ring::hmac::HMAC_SHA256;

use super::super::hello::tests::hello;
use super::*;

fn key() -> Key {
    Key::new(HMAC_SHA256, b"0123456789abcdef")
}

fn member(processes: usize) -> Member {
    Member { processes: processes as u32, ..hello(0, 1).member }
}

/// Addresses that were free just now.
fn hosts(n: usize) -> Vec<String> {
    let held: Vec<_> = (0..n).map(|_| TcpListener::bind("127.0.0.1:0").expect("a port")).collect();
    held.iter().map(|held| held.local_addr().expect("bound").to_string()).collect()
}

fn start(hosts: &[String], process: usize) -> JoinHandle<Result<Mesh, ClusterError>> {
    let hosts = hosts.to_vec();
    thread::spawn(move || form_as(member(hosts.len()), &hosts, process, key(), 0))
}

fn all(forming: Vec<JoinHandle<Result<Mesh, ClusterError>>>) -> Vec<Mesh> {
    forming.into_iter().map(|one| one.join().expect("no panic").expect("a mesh")).collect()
}

/// Every socket leads where it should: each process says its index on each, and hears that of the other end.
fn check(mut meshes: Vec<Mesh>) {
    for mesh in &mut meshes {
        let index = [mesh.process as u8];
        for stream in mesh.data.iter_mut().chain(&mut mesh.reads).flatten() {
            stream.write_all(&index).expect("it is open");
        }
    }
    let (generation, seed) = (meshes[0].generation, meshes[0].seed);
    for mesh in &mut meshes {
        assert_eq!((mesh.generation, mesh.seed), (generation, seed));
        for sockets in [&mut mesh.data, &mut mesh.reads] {
            for (process, stream) in sockets.iter_mut().enumerate() {
                assert_eq!(stream.is_none(), process == mesh.process);
                let mut heard = [0];
                if let Some(stream) = stream {
                    stream.read_exact(&mut heard).expect("it was said");
                    assert_eq!(usize::from(heard[0]), process);
                }
            }
        }
    }
}

#[test]
fn each_is_connected_with_each() {
    for processes in 2..=4 {
        let hosts = hosts(processes);
        check(all((0..processes).rev().map(|process| start(&hosts, process)).collect()));
    }
}

#[test]
fn who_begins_and_ends_at_once_is_heard_all_the_same() {
    let hosts = hosts(3);
    let (tell, told) = std::sync::mpsc::channel();
    for process in 0..3 {
        let (hosts, tell) = (hosts.clone(), tell.clone());
        thread::spawn(move || {
            let mut mesh = form_as(member(3), &hosts, process, key(), 0).expect("a mesh");
            let fail = || Err::<u8, _>(ClusterError::Config("no such topic".to_owned()));
            let failure = mesh.share(fail, ClusterError::exit).expect_err("it failed");
            drop(mesh);
            tell.send(failure.exit()).expect("the test waits");
        });
    }
    for _ in 0..3 {
        assert_eq!(told.recv_timeout(Duration::from_secs(20)), Ok(78), "all have begun, and heard");
    }
}

#[test]
fn all_hear_what_process_0_found_or_why_it_failed() {
    let hosts = hosts(3);
    let sharing = all((0..3).map(|process| start(&hosts, process)).collect()).into_iter().map(|mut mesh| {
        thread::spawn(move || {
            let find = || Ok::<_, ClusterError>(vec![format!("found by {}", mesh_process())]);
            let found = mesh.share(find, ClusterError::exit).expect("found");
            let fail = || Err::<u8, _>(ClusterError::Config("no such topic".to_owned()));
            (found, mesh.process, mesh.share(fail, ClusterError::exit).expect_err("it failed"), mesh)
        })
    });
    let sharing: Vec<_> = sharing.collect();
    for shared in sharing {
        let (found, process, failure, _mesh) = shared.join().expect("no panic");
        assert_eq!(found, ["found by 0"]);
        assert_eq!((failure.exit(), failure.to_string().contains("no such topic")), (78, true), "{process}");
    }
}

/// Only process 0 looks.
fn mesh_process() -> usize {
    0
}

#[test]
fn strangers_and_those_that_go_away_hold_nobody_up() {
    let hosts = hosts(2);
    let zero = start(&hosts, 0);
    let connect = || loop {
        match TcpStream::connect(&hosts[0]) {
            Ok(stream) => return stream,
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    };
    // They stay, and say nothing, or nonsense.
    let mut silent: Vec<TcpStream> = (0..2 * super::super::guests::MOST).map(|_| connect()).collect();
    for said in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\0\0\0\0\0\0\0\x01", &[b'x'; 10_000]] {
        let mut stream = connect();
        // It may have been shut already.
        let _ = stream.write_all(said);
        silent.push(stream);
    }
    // Process 1 joins, and dies before anything has begun.
    let dead = Hello { generation: 0, known: 0, member: member(2), ..hello(1, 0) };
    let mut stream = connect();
    handshake::dial(&mut stream, &dead, &key()).expect("it may join");
    let second = handshake::dial(&mut connect(), &dead, &key()).expect_err("it is there already");
    assert!(second.to_string().contains("has joined already"), "{second}");
    drop(stream);
    let meshes = all(vec![zero, start(&hosts, 1)]);
    // And once it runs nobody may join.
    let late = handshake::dial(&mut connect(), &dead, &key()).expect_err("it runs");
    assert!(late.to_string().contains("is running"), "{late}");
    check(meshes);
}

#[test]
fn a_generation_is_later_than_any_that_somebody_knows() {
    let hosts = hosts(2);
    let zero = start(&hosts, 0);
    let future = wall_ms() as u64 + 1_000_000_000;
    let knowing = Hello { generation: 0, known: future, member: member(2), ..hello(1, 0) };
    loop {
        let Ok(mut stream) = TcpStream::connect(&hosts[0]) else { continue };
        // Whether it may join or not, that is known from now on.
        if let Ok(_) | Err(Refusal::Theirs(_)) = handshake::dial(&mut stream, &knowing, &key()) {
            break;
        }
    }
    let meshes = all(vec![zero, start(&hosts, 1)]);
    assert!(meshes[0].generation > future, "{}", meshes[0].generation);
    check(meshes);
}
