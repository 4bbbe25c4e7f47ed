//! Processes on hosts of their own, as far as the network is concerned.
//!
//! Idea: a cable that is pulled sends no word to either end, and neither does a process that was stopped; both can only be
//! noticed by silence. A link that is only slow must not be taken for either.
//! Needs root, `ip` (iproute2) and python3.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tidings::config;

use crate::group::PATIENCE;
use crate::network::{Network, port};
use crate::relay::Relay;
use crate::support::broker::{Embedded, Producer, wall_ms};
use crate::support::client::Client;
use crate::support::hostile::Hostile;
use crate::support::random::seed;
use crate::support::session::StopAtEnd;
use crate::support::several::{ask_each_during, recount_each};

#[test]
#[ignore = "makes network namespaces: needs root, iproute2 and python3; three minutes"]
fn a_stopped_process_and_a_cut_link_are_noticed_and_ended() {
    let broker = Embedded::start(&[("posts", 2)]);
    let mut network = Network::new();
    network.share(port(&broker.brokers()));
    let hosts = vec![format!("{}:2101", network.address(0)), format!("{}:2101", network.address(1))];
    let mut group = network.start(&broker, hosts);
    (0..2).for_each(|host| drop(network.is_ready(host, true, PATIENCE)));

    // Stopped: noticed within ten seconds, or later on a busy machine; it goes on where it stood.
    let producer = Producer::new(&broker.brokers(), "none");
    let mut hostile = Hostile::new(4);
    group.processes[1].signal("STOP");
    let (took, why) = network.is_ready(0, false, Duration::from_secs(20));
    println!("stopped: noticed after {took:?}: {why}");
    assert!(why.contains("stalled"), "{why}");
    (0..2000).for_each(|n| producer.send("posts", n % 2, &hostile.next(wall_ms())));
    producer.flush();
    group.processes[1].signal("CONT");
    (0..2).for_each(|host| drop(network.is_ready(host, true, PATIENCE)));

    // Cut: neither end hears a word.
    network.cut(1);
    let (took, why) = network.is_ready(0, false, Duration::from_secs(20));
    println!("cut: noticed after {took:?}: {why}");
    for process in &mut group.processes {
        let (code, took) = process.ends(Duration::from_secs(100));
        println!("cut: ended after {took:?}");
        assert_eq!(code, Some(75), "{}", process.log());
        assert!(process.log().contains("lost process"), "{}", process.log());
    }
}

/// 100 ms each way and one packet in a hundred lost, as on a bad line between continents: answers are exact, everything is
/// slower, and nobody is taken for silent, let alone for lost.
#[test]
#[ignore = "makes network namespaces: needs root, iproute2 and python3; half a minute"]
fn a_slow_link_that_loses_packets_only_slows_down() {
    let broker = Embedded::start(&[("posts", 3)]);
    let (mut network, seed) = (Network::new(), seed(5));
    network.share(port(&broker.brokers()));
    // On the second host the address of the first is that of a relay, which is at the other end of the bad line.
    let first = network.address(0);
    let relay = Relay::start(&format!("{}:2104", network.own()), format!("{first}:2101"), seed);
    network.forward(1, &["127.0.0.1", "2102", &network.own(), "2104"]);
    network.forward(0, &[&first, "2101", "127.0.0.1", "2102"]);
    let hosts = vec!["localhost:2102".to_owned(), "localhost:2103".to_owned()];
    let mut group = network.start(&broker, hosts);
    (0..2).for_each(|host| drop(network.is_ready(host, true, PATIENCE)));
    let clients = [0, 1].map(|host| Client::new(&format!("{}:8080", network.address(host))));
    let env = [("TIDINGS__CLUSTER__HOSTS".to_owned(), group.hosts.join(","))];
    let config = config::load(Some(&group.path("tidings.toml")), env, Vec::new()).unwrap().config;
    let producer = Producer::new(&broker.brokers(), "none");
    let (mut hostile, done) = (Hostile::new(seed), AtomicBool::new(false));
    let (answers, alarms) = thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut alarms = Vec::new();
            while !done.load(Ordering::Relaxed) {
                for client in &clients {
                    let ready = String::from_utf8_lossy(&client.get("/readyz").body).into_owned();
                    alarms.extend(Some(ready).filter(|ready| ready.contains("stalled")));
                }
                thread::sleep(Duration::from_millis(100));
            }
            alarms
        });
        let stopping = StopAtEnd(&done);
        let answers = ask_each_during(&clients, &config, seed, || {
            for _ in 0..30 {
                (0..60).for_each(|n| producer.send("posts", n % 3, &hostile.next(wall_ms())));
                producer.flush();
                thread::sleep(Duration::from_millis(250));
            }
            producer.flush()
        });
        drop(stopping);
        (answers, watching.join().unwrap())
    });
    let (passed, held) = relay.segments();
    println!("{passed} segments passed the line, {held} of them a second time");
    assert!(held > 0, "nothing was lost");
    assert!(alarms.is_empty(), "{alarms:?}");
    for (host, process) in group.processes.iter_mut().enumerate() {
        network.is_ready(host, true, Duration::from_secs(20));
        assert!(!process.log().contains("lost process"), "{}", process.log());
    }
    group.processes[1].signal("TERM");
    for process in &mut group.processes {
        assert_eq!(process.ends(Duration::from_secs(30)).0, Some(0), "{}", process.log());
    }
    recount_each(&broker.brokers(), &["posts"], &config, &answers);
}
