//! A network of the test's own making: hosts are network namespaces, joined by a bridge.
//!
//! Idea: a cable that is pulled sends no word to either end. The embedded broker is reached through a forwarder on each host,
//! as it listens on loopback only.
//! Invariant: whatever was made is taken away in the end. Needs root, `ip` (iproute2) and python3.

use std::io::copy;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::group::{Group, Process, settings};
use crate::support::broker::Embedded;
use crate::support::client::Client;

/// Two hosts and the test's own, on one network.
pub struct Network {
    name: String,
    octet: u32,
    forwarders: Vec<Child>,
}

fn ip(arguments: &str) {
    let done = Command::new("ip").args(arguments.split(' ')).status().unwrap();
    assert!(done.success(), "ip {arguments}");
}

/// Passes connections on.
const FORWARD: &str = "
import asyncio, sys
host, port, to, to_port = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        # One direction may end before the other.
        writer.write_eof()
    except OSError:
        writer.close()
# asyncio itself does not keep them: one that waits could be collected, and its connection with it.
meetings = set()
async def meet(reader, writer):
    meetings.add(asyncio.current_task())
    try:
        other_reader, other_writer = await asyncio.open_connection(to, to_port)
        await asyncio.gather(pump(reader, other_writer), pump(other_reader, writer))
    except OSError:
        # Who is not there is lost to the other end as well.
        writer.close()
    finally:
        meetings.discard(asyncio.current_task())
async def main():
    async with await asyncio.start_server(meet, host, port) as server:
        await server.serve_forever()
asyncio.run(main())
";

impl Network {
    pub fn new() -> Network {
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

    /// The address of a host.
    pub fn address(&self, host: usize) -> String {
        format!("10.211.{}.{}", self.octet, host + 1)
    }

    /// The test's own address.
    pub fn own(&self) -> String {
        format!("10.211.{}.254", self.octet)
    }

    fn namespace(&self, host: usize) -> String {
        format!("{}n{host}", self.name)
    }

    /// Makes a loopback port of the test's own host one of every host.
    pub fn share(&mut self, port: u16) {
        let own = self.own();
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
            self.forward(host, &["127.0.0.1", &port.to_string(), &own, &port.to_string()]);
        }
    }

    /// A host passes connections on: from an address and a port of its own, to another address and port.
    pub fn forward(&mut self, host: usize, arguments: &[&str]) {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace(host), "python3", "-c", FORWARD]).args(arguments);
        self.forwarders.push(command.spawn().unwrap());
    }

    pub fn cut(&self, host: usize) {
        ip(&format!("link set {}v{host} down", self.name));
    }

    pub fn start(&self, broker: &Embedded, hosts: Vec<String>) -> Group {
        let mut group = Group::at(&settings(&broker.brokers(), 1), hosts);
        for host in 0..2 {
            let namespace = self.namespace(host);
            let mut command = group.command(host, &["ip", "netns", "exec", &namespace]);
            // Beyond loopback, so that the test reaches it.
            command.arg("--allow-anonymous");
            command.env("TIDINGS__HTTP__BIND", format!("{}:8080", self.address(host)));
            command.env("TIDINGS__HTTP__HEALTH_BIND", format!("{}:9999", self.address(host)));
            group.processes.push(Process::start(command, group.log(host)));
        }
        group.processes.iter_mut().for_each(|process| process.says("answering on http://"));
        group
    }

    /// Waits until a host's readiness is this.
    pub fn is_ready(&self, host: usize, ready: bool, within: Duration) -> (Duration, String) {
        let client = Client::new(&format!("{}:9999", self.address(host)));
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

/// The port of a broker.
pub fn port(brokers: &str) -> u16 {
    brokers.rsplit_once(':').unwrap().1.parse().unwrap()
}
