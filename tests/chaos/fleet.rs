//! The processes of a cluster, each generation with another number of them and of their workers.
//!
//! Invariant: when one of them has ended, all others end by themselves, and the next generation begins.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tidings::cluster::ports;
use tidings::config::Config;

use crate::support::client::Client;
use crate::support::process::{Server, Settings};
use crate::support::random::Random;

/// Whom to ask at the moment.
pub type Addresses = Arc<Mutex<Vec<String>>>;

pub struct Fleet {
    brokers: String,
    folder: TempDir,
    random: Random,
    processes: usize,
    workers: usize,
    servers: Vec<Server>,
    addresses: Addresses,
}

impl Fleet {
    pub fn new(brokers: &str, random: Random) -> Fleet {
        let (folder, addresses) = (TempDir::new().unwrap(), Addresses::default());
        let (brokers, servers) = (brokers.to_owned(), Vec::new());
        let mut fleet = Fleet { brokers, folder, random, processes: 1, workers: 1, servers, addresses };
        fleet.keep_up();
        fleet
    }

    pub fn addresses(&self) -> Addresses {
        Arc::clone(&self.addresses)
    }

    /// The settings, by which the oracle counts.
    pub fn config(&self) -> Config {
        Settings::new(&self.settings()).config()
    }

    fn settings(&self) -> String {
        format!(
            "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[engine]\nworkers = {}\nepoch = \"100ms\"\n\
             [checkpoint]\ndir = \"file://{}\"\ninterval = \"1s\"\n\
             [[count]]\nname = \"tags\"\nof = \"hashtags\"\nwindows = [\"5s/1s\", \"1m/5s\", \"all\"]\n\
             [[count]]\nname = \"words\"\nof = \"words\"\nwindows = [\"2s/500ms\", \"20s/2s\", \"10m/1m\"]\n",
            self.brokers,
            self.workers,
            self.folder.path().join("kept").display()
        )
    }

    pub fn shown(&self) -> String {
        format!("{} processes of {} workers", self.servers.len(), self.workers)
    }

    fn any(&mut self) -> usize {
        self.random.below(self.servers.len() as u64) as usize
    }

    pub fn kill_one(&mut self) {
        let which = self.any();
        self.servers.swap_remove(which).kill();
    }

    pub fn kill_all(&mut self) {
        self.servers.drain(..).for_each(Server::kill);
    }

    /// One is asked to stop, and all must, in good order.
    pub fn terminate_one(&mut self) {
        let which = self.any();
        let (status, took) = self.servers[which].terminate();
        assert!(status.success(), "{status} after {took:?}: {}", self.servers[which].log());
        for server in &mut self.servers {
            let status = server.ended();
            assert!(status.success(), "{status}: {}", server.log());
        }
        self.servers.clear();
    }

    pub fn hold_one(&mut self, time: Duration) {
        let which = self.any();
        self.servers[which].signal("STOP");
        std::thread::sleep(time);
        self.servers[which].signal("CONT");
    }

    /// Waits for the others where one has ended, and starts the next generation.
    pub fn keep_up(&mut self) {
        if self.servers.len() == self.processes && self.servers.iter_mut().all(Server::lives) {
            return;
        }
        self.addresses.lock().unwrap().clear();
        for server in &mut self.servers {
            let status = server.ended();
            assert!([Some(0), Some(75)].contains(&status.code()), "{status}: {}", server.log());
        }
        self.servers.clear();
        // From one to four workers in one to three processes.
        self.processes = 1 + self.random.below(3) as usize;
        self.workers = 1 + self.random.below(4 / self.processes as u64) as usize;
        let hosts = self.folder.path().join("hosts");
        std::fs::write(&hosts, ports::free(self.processes).unwrap().join("\n")).unwrap();
        let start = |process: usize| {
            let settings = Settings::new(&self.settings());
            let (file, process) = (settings.file(), process.to_string());
            let mut arguments = vec!["run", "-c", file.to_str().unwrap(), "--bind", "127.0.0.1:0"];
            if self.processes > 1 {
                arguments.extend(["--hosts", hosts.to_str().unwrap(), "--process", &process]);
            }
            Server::spawn(settings, &arguments, None)
        };
        let started: Vec<_> = (0..self.processes).map(start).collect();
        self.servers = started.into_iter().map(Server::located).collect();
        *self.addresses.lock().unwrap() =
            self.servers.iter().map(|server| server.address().to_owned()).collect();
    }

    /// Waits until one has nothing to catch up with; whom to ask.
    pub fn settle(&mut self) -> Client {
        self.keep_up();
        let (client, deadline) = (self.servers[0].client(), Instant::now() + Duration::from_secs(60));
        while client.try_get("/readyz").map_or(0, |response| response.status) != 200 {
            assert!(Instant::now() < deadline, "not ready: {}", self.servers[0].log());
            std::thread::sleep(Duration::from_millis(50));
        }
        client
    }
}
