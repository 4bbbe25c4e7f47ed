//! Processes on hosts of their own, as far as the network is concerned: each in a network namespace, joined by a bridge.
//!
//! Idea: a cable that is pulled sends no word to either end, and neither does a process that was stopped; both can only be
//! noticed by silence. The embedded broker is reached through a forwarder on each host, as it listens on loopback only.
//! Needs root, `ip` (iproute2) and python3. Whatever was made is taken away in the end.

use std::io::copy;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::group::{Group, PATIENCE, Process, settings};
use crate::support::broker::{Embedded, Producer, wall_ms};
use crate::support::hostile::Hostile;

/// Two hosts and the test's own, on one network.
struct Network {
    name: String,
    octet: u32,
    forwarders: Vec<Child>,
}

fn ip(arguments: &str) {
    let done = Command::new("ip").args(arguments.split(' ')).status().unwrap();
    assert!(done.success(), "ip {arguments}");
}

/// Passes connections on; `delay` holds everything back for so long, in both directions.
const FORWARD: &str = "
import asyncio, sys
host, port, to, to_port, delay = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), float(sys.argv[5])
async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            await asyncio.sleep(delay)
            writer.write(data)
            await writer.drain()
        # One direction may end before the other.
        writer.write_eof()
    except OSError:
        writer.close()
async def meet(reader, writer):
    other_reader, other_writer = await asyncio.open_connection(to, to_port)
    await asyncio.gather(pump(reader, other_writer), pump(other_reader, writer))
async def main():
    async with await asyncio.start_server(meet, host, port) as server:
        await server.serve_forever()
asyncio.run(main())
";

impl Network {
    fn new() -> Network {
        // Tests run beside each other, and so may runs of them.
        static NETWORKS: AtomicU32 = AtomicU32::new(0);
        let own = (2 * std::process::id() + NETWORKS.fetch_add(1, Ordering::Relaxed)) % 10_000;
        let network = Network { name: format!("td{own}"), octet: own % 200 + 20, forwarders: Vec::new() };
        let (name, octet) = (&network.name, network.octet);
        ip(&format!("link add {name}b type bridge"));
        ip(&format!("addr add 10.211.{octet}.254/24 dev {name}b"));
        ip(&format!("link set {name}b up"));
        for host in 0..2 {
            let address = network.address(host);
            ip(&format!("netns add {name}n{host}"));
            ip(&format!("link add {name}v{host} type veth peer name eth0 netns {name}n{host}"));
            ip(&format!("link set {name}v{host} master {name}b up"));
            ip(&format!("-n {name}n{host} addr add {address}/24 dev eth0"));
            ip(&format!("-n {name}n{host} link set eth0 up"));
            ip(&format!("-n {name}n{host} link set lo up"));
        }
        network
    }

    fn address(&self, host: usize) -> String {
        format!("10.211.{}.{}", self.octet, host + 1)
    }

    fn namespace(&self, host: usize) -> String {
        format!("{}n{host}", self.name)
    }

    /// Makes a loopback port of the test's own host one of every host.
    fn share(&mut self, port: u16) {
        let own = format!("10.211.{}.254", self.octet);
        let listener = TcpListener::bind((own.as_str(), port)).unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, broker) = (stream.unwrap(), TcpStream::connect(("127.0.0.1", port)).unwrap());
                let (mut here, mut there) = (stream.try_clone().unwrap(), broker.try_clone().unwrap());
                thread::spawn(move || copy(&mut here, &mut there));
                let (mut here, mut there) = (broker, stream);
                thread::spawn(move || copy(&mut here, &mut there));
            }
        });
        for host in 0..2 {
            self.forward(host, &["127.0.0.1", &port.to_string(), &own, &port.to_string(), "0"]);
        }
    }

    fn forward(&mut self, host: usize, arguments: &[&str]) {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace(host), "python3", "-c", FORWARD]).args(arguments);
        self.forwarders.push(command.spawn().unwrap());
    }

    fn cut(&self, host: usize) {
        ip(&format!("link set {}v{host} down", self.name));
    }

    fn start(&self, broker: &Embedded, hosts: Vec<String>) -> Group {
        let mut group = Group::at(&settings(&broker.brokers(), 1), hosts);
        for host in 0..2 {
            let namespace = self.namespace(host);
            let mut command = group.command(host, &["ip", "netns", "exec", &namespace]);
            // The last one counts.
            command.args(["--allow-anonymous"]);
            command.env("TIDINGS__HTTP__HEALTH_BIND", format!("{}:9999", self.address(host)));
            group.processes.push(Process::start(command, group.log(host)));
        }
        group.processes.iter_mut().for_each(|process| process.says("answering on http://"));
        group
    }

    /// Waits until a host's readiness is this.
    fn is_ready(&self, host: usize, ready: bool, within: Duration) -> (Duration, String) {
        let client = crate::support::client::Client::new(&format!("{}:9999", self.address(host)));
        let begun = Instant::now();
        loop {
            if let Ok(response) = client.try_get("/readyz")
                && (response.status == 200) == ready
            {
                return (begun.elapsed(), String::from_utf8_lossy(&response.body).into_owned());
            }
            assert!(begun.elapsed() < within, "host {host} is not {ready} within {within:?}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for forwarder in &mut self.forwarders {
            // It may have ended by itself.
            let _ = forwarder.kill();
            let _ = forwarder.wait();
        }
        for host in 0..2 {
            let _ = Command::new("ip").args(["netns", "del", &self.namespace(host)]).status();
        }
        let _ = Command::new("ip").args(["link", "del", &format!("{}b", self.name)]).status();
    }
}

fn port(brokers: &str) -> u16 {
    brokers.rsplit_once(':').unwrap().1.parse().unwrap()
}

#[test]
#[ignore = "makes network namespaces: needs root, iproute2 and python3; three minutes"]
fn a_stopped_process_and_a_cut_link_are_noticed_and_ended() {
    let broker = Embedded::start(&[("posts", 2)]);
    let mut network = Network::new();
    network.share(port(&broker.brokers()));
    let hosts = vec![format!("{}:2101", network.address(0)), format!("{}:2101", network.address(1))];
    let mut group = network.start(&broker, hosts);
    (0..2).for_each(|host| drop(network.is_ready(host, true, PATIENCE)));

    // Stopped: noticed within ten seconds; it goes on where it stood.
    let producer = Producer::new(&broker.brokers(), "none");
    let mut hostile = Hostile::new(4);
    group.processes[1].signal("STOP");
    let (took, why) = network.is_ready(0, false, Duration::from_secs(11));
    println!("stopped: noticed after {took:?}: {why}");
    assert!(why.contains("stalled"), "{why}");
    (0..2000).for_each(|n| producer.send("posts", n % 2, &hostile.next(wall_ms())));
    producer.flush();
    group.processes[1].signal("CONT");
    (0..2).for_each(|host| drop(network.is_ready(host, true, PATIENCE)));

    // Cut: neither end hears a word.
    network.cut(1);
    let (took, why) = network.is_ready(0, false, Duration::from_secs(11));
    println!("cut: noticed after {took:?}: {why}");
    for process in &mut group.processes {
        let (code, took) = process.ends(Duration::from_secs(100));
        println!("cut: ended after {took:?}");
        assert_eq!(code, Some(75), "{}", process.log());
        assert!(process.log().contains("lost process"), "{}", process.log());
    }
}

/// 100 ms each way, as between continents: everything is slower, nothing is lost and nobody is ended.
#[test]
#[ignore = "makes network namespaces: needs root, iproute2 and python3"]
fn a_slow_link_only_slows_down() {
    let broker = Embedded::start(&[("posts", 2)]);
    let mut network = Network::new();
    network.share(port(&broker.brokers()));
    // On the second host the address of the first is that of a slow forwarder.
    let first = network.address(0);
    network.forward(1, &["127.0.0.1", "2102", &first, "2101", "0.1"]);
    network.forward(0, &[&first, "2101", "127.0.0.1", "2102", "0"]);
    let hosts = vec!["localhost:2102".to_owned(), "localhost:2103".to_owned()];
    let mut group = network.start(&broker, hosts);
    (0..2).for_each(|host| drop(network.is_ready(host, true, PATIENCE)));
    let producer = Producer::new(&broker.brokers(), "none");
    let mut hostile = Hostile::new(5);
    for _ in 0..20 {
        (0..100).for_each(|n| producer.send("posts", n % 2, &hostile.next(wall_ms())));
        producer.flush();
        thread::sleep(Duration::from_millis(250));
    }
    for (host, process) in group.processes.iter_mut().enumerate() {
        network.is_ready(host, true, Duration::from_secs(20));
        assert!(!process.log().contains("lost process"), "{}", process.log());
    }
    group.processes[1].signal("TERM");
    for process in &mut group.processes {
        assert_eq!(process.ends(Duration::from_secs(30)).0, Some(0), "{}", process.log());
    }
}
