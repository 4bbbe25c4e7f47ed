//! Forms a generation: connects every two processes, twice, and lets all of them begin together.
//!
//! Idea: process 0 gives the generation its number and waits for the others; each of them dials those before it, first
//! process 0, from which it learns the number, and is dialled by those behind it. Who has all connections says so to
//! process 0; when all have, that one lets all begin. Until then any loss only means that all begin again with a new number.
//! Invariant: all processes of a mesh have the same number, seed and word of process 0 ([`Mesh::share`]); every socket in it
//! has been proved to lead to the process in whose place it stands. Numbers ascend: one is the wall clock's
//! milliseconds, and more than any of which some process knew.
//! Cost: some round trips; while a process is missing, one attempt a second to reach it and a log line every ten.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ring::hmac::Key;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::door::Door;
use super::fingerprint;
use super::handshake::{self, Refusal};
use super::hello::{Hello, Member, Purpose};
use super::lobby::Lobby;
use super::secret;
use super::socket::{keep, peek};
use crate::config::Config;
use crate::wall::wall_ms;

/// Why there is no mesh, or none any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// The settings cannot work.
    #[error("{0}")]
    Config(String),
    /// Something of this process's own failed.
    #[error("{0}")]
    Io(String),
    /// A process of the generation is gone.
    #[error("lost process {process} ({host}): {why}; all processes end and have to start anew")]
    Lost {
        /// Its index.
        process: usize,
        /// Its address.
        host: String,
        /// What happened.
        why: String,
    },
    /// Another process has failed and told why.
    #[error("process {process}: {message}")]
    Told {
        /// Its index.
        process: usize,
        /// The exit code that belongs to it.
        code: u8,
        /// Its message.
        message: String,
    },
}

impl ClusterError {
    /// The exit code of a process that ends for this reason.
    pub fn exit(&self) -> u8 {
        match self {
            ClusterError::Config(_) => 78,
            ClusterError::Io(_) => 74,
            ClusterError::Lost { .. } => 75,
            ClusterError::Told { code, .. } => *code,
        }
    }
}

/// All processes of a generation, as this one is connected to them.
#[derive(Debug)]
pub struct Mesh {
    /// The index of this process.
    pub process: usize,
    /// How many there are.
    pub processes: usize,
    /// The generation's number, larger than that of any before.
    pub generation: u64,
    /// Random, for the keys of the run's hash: the same in all processes.
    pub seed: u128,
    /// For the dataflow: a connection to each process, by index; none to oneself.
    pub data: Vec<Option<TcpStream>>,
    /// For reads and signs of life: the same.
    pub reads: Vec<Option<TcpStream>>,
    /// The address of each process.
    pub hosts: Vec<String>,
    /// Kept open, so that whoever comes late is told so.
    _door: Arc<Door>,
}

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(3);

/// How often connections are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Between two attempts to reach a process, at most.
const AGAIN: Duration = Duration::from_secs(1);

/// Between two log lines about a process that is waited for.
const SAY: Duration = Duration::from_secs(10);

/// Said by a process that has all its connections.
const READY: u8 = b'r';

/// Said by process 0 when all are ready, with the seed behind it.
const BEGIN: u8 = b'b';

/// Bytes that process 0 shares, at most: a list of partitions, or of a checkpoint's files.
const MOST_SHARED: u64 = 256 << 20;

/// Connects to all processes of the configuration and returns when all are connected; `None` where there is only this one.
/// `after` is a generation that has been, if one is known.
///
/// # Errors
/// Where the settings cannot work. A process that is not there, or refuses this one, is waited for.
pub fn form(config: &Config, after: u64) -> Result<Option<Mesh>, ClusterError> {
    let cluster = &config.cluster;
    if cluster.hosts.len() < 2 {
        return Ok(None);
    }
    let key = secret::key(cluster.secret_file.as_deref())?;
    let build = fingerprint::build()
        .map_err(|error| ClusterError::Io(format!("cannot read the program's own file: {error}")))?;
    let member = Member {
        cluster: cluster.id.clone(),
        processes: cluster.hosts.len() as u32,
        threads: config.engine.workers as u32,
        build,
        settings: fingerprint::settings(config),
    };
    form_as(member, &cluster.hosts, cluster.process, key, after).map(Some)
}

/// The same, for a process that says this of itself.
fn form_as(member: Member, hosts: &[String], me: usize, key: Key, after: u64) -> Result<Mesh, ClusterError> {
    let lobby = Arc::new(Lobby::new(me, hosts.len()));
    let forming = Arc::new(Forming {
        member,
        hosts: hosts.to_vec(),
        me,
        key,
        instance: u128::from_be_bytes(random()?),
        lobby: Arc::clone(&lobby),
    });
    let meet = {
        let forming = Arc::clone(&forming);
        Box::new(move |stream, from| forming.meet(stream, from))
    };
    let door = Arc::new(Door::open(&hosts[me], me, meet)?);
    tracing::info!("process {me} of {}, waiting for the others on {}", hosts.len(), hosts[me]);
    let mut at_least = after + 1;
    loop {
        // Whatever was, is over.
        let generation = if me == 0 { at_least.max(wall_ms().max(1) as u64) } else { 0 };
        lobby.begin(generation);
        match forming.attempt() {
            Ok(seed) => {
                let [data, reads] = lobby.run();
                let (generation, _) = lobby.generation();
                let kept = data.iter().chain(&reads).flatten().try_for_each(keep);
                kept.map_err(|error| ClusterError::Io(format!("cannot set a socket up: {error}")))?;
                let (process, processes, hosts) = (me, hosts.len(), hosts.to_vec());
                tracing::info!(generation, "all {processes} processes are connected");
                return Ok(Mesh { process, processes, generation, seed, data, reads, hosts, _door: door });
            }
            Err(Anew::Because(why)) => {
                tracing::warn!("all processes begin anew: {why}");
                std::thread::sleep(2 * LOOK);
            }
            Err(Anew::Failed(error)) => return Err(error),
        }
        at_least = lobby.generation().1 + 1;
    }
}

fn random<const N: usize>() -> Result<[u8; N], ClusterError> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| ClusterError::Io("the system has no random numbers".to_owned()))?;
    Ok(bytes)
}

/// Why an attempt came to nothing.
enum Anew {
    /// Another one may come to something.
    Because(String),
    /// No other one would.
    Failed(ClusterError),
}

impl From<ClusterError> for Anew {
    fn from(error: ClusterError) -> Anew {
        Anew::Failed(error)
    }
}

/// What forming a generation takes.
struct Forming {
    member: Member,
    hosts: Vec<String>,
    me: usize,
    key: Key,
    instance: u128,
    lobby: Arc<Lobby>,
}

impl Forming {
    /// Meets whoever has knocked.
    fn meet(&self, mut stream: TcpStream, from: SocketAddr) -> Result<(), Refusal> {
        let nonce = random().map_err(|error| Refusal::Ours(error.to_string()))?;
        // Small messages go at once.
        stream.set_nodelay(true)?;
        let (told, mut promised) = (Cell::new(0), None);
        let met = handshake::accept(
            &mut stream,
            &self.key,
            |theirs| {
                let hello = self.hello(nonce, theirs.purpose, theirs.from);
                told.set(hello.generation);
                hello
            },
            |theirs| {
                self.lobby.promise(theirs, told.get(), from)?;
                promised = Some(theirs.clone());
                Ok(())
            },
        );
        if let Some(theirs) = promised {
            // Whoever goes without a word while all wait must be missed too.
            let stream = met.is_ok().then_some(stream).filter(|stream| keep(stream).is_ok());
            self.lobby.seat(&theirs, from, stream);
        }
        met.map(drop)
    }

    fn hello(&self, nonce: [u8; 32], purpose: Purpose, to: u32) -> Hello {
        let (generation, known) = self.lobby.generation();
        let (instance, from) = (self.instance, self.me as u32);
        Hello { nonce, purpose, generation, known, instance, from, to, member: self.member.clone() }
    }

    /// Returns the seed when all processes may begin.
    fn attempt(&self) -> Result<u128, Anew> {
        for process in 0..self.me {
            for purpose in Purpose::ALL {
                self.reach(process, purpose)?;
            }
        }
        let (mut said, begun) = (Instant::now(), Instant::now());
        let mut told = false;
        loop {
            let mut ready = 0;
            let missing = self.look(|process, purpose, stream| {
                let spoke = peek(stream)?;
                ready += usize::from(spoke && purpose == Purpose::Reads && (self.me == 0 || process == 0));
                Ok(())
            })?;
            if missing.is_empty() && self.me == 0 && ready == self.hosts.len() - 1 {
                return self.begin();
            }
            if missing.is_empty() && self.me > 0 {
                if !std::mem::replace(&mut told, true) {
                    self.look(|process, purpose, mut stream| match (process, purpose) {
                        (0, Purpose::Reads) => stream.write_all(&[READY]),
                        _ => Ok(()),
                    })?;
                }
                if ready == 1 {
                    return self.hear_begin();
                }
            }
            if said.elapsed() > SAY {
                said = Instant::now();
                let names: Vec<_> =
                    missing.iter().map(|process| format!("{process} ({})", self.hosts[*process])).collect();
                let waited = begun.elapsed().as_secs();
                match names.is_empty() {
                    true => tracing::info!("waiting for all processes to be connected, {waited} s so far"),
                    false => tracing::info!("waiting for processes {}, {waited} s so far", names.join(", ")),
                }
            }
            let (generation, known) = self.lobby.generation();
            if self.me == 0 && known > generation {
                return Err(Anew::Because(format!("generation {known} has been already")));
            }
            self.lobby.wait(LOOK);
        }
    }

    /// Looks at all connections; one that is gone ends the attempt.
    fn look(
        &self,
        mut see: impl FnMut(usize, Purpose, &TcpStream) -> std::io::Result<()>,
    ) -> Result<Vec<usize>, Anew> {
        self.lobby.look(|process, purpose, stream| {
            see(process, purpose, stream).map_err(|error| {
                Anew::Because(format!("process {process} ({}) went away: {error}", self.hosts[process]))
            })
        })
    }

    /// Dials a process until it takes this one.
    fn reach(&self, process: usize, purpose: Purpose) -> Result<(), Anew> {
        let host = &self.hosts[process];
        let (mut pause, mut said, mut tries) = (LOOK, Instant::now(), 0);
        loop {
            let hello = self.hello(random()?, purpose, process as u32);
            let refusal = match self.dial(host, &hello) {
                Ok((stream, to, theirs)) => {
                    if process == 0 && purpose == Purpose::Data {
                        self.lobby.learn(theirs.generation);
                    }
                    self.lobby.keep(process, purpose, to, stream);
                    return Ok(());
                }
                Err(refusal) => refusal,
            };
            // Its reason matters at once; that it is not there yet, after a while.
            tries += 1;
            let told = !matches!(refusal, Refusal::Network(_)) && tries == 3;
            if told || said.elapsed() > SAY {
                said = Instant::now();
                tracing::warn!("process {process} ({host}) is not reached yet: {refusal}");
            }
            self.look(|_, _, stream| peek(stream).map(drop))?;
            std::thread::sleep(pause);
            pause = (2 * pause).min(AGAIN);
        }
    }

    fn dial(&self, host: &str, hello: &Hello) -> Result<(TcpStream, SocketAddr, Hello), Refusal> {
        let mut failure = std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address");
        for address in host.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, CONNECT) {
                Ok(mut stream) => {
                    stream.set_nodelay(true)?;
                    let theirs = handshake::dial(&mut stream, hello, &self.key)?;
                    keep(&stream)?;
                    return Ok((stream, address, theirs));
                }
                Err(error) => failure = error,
            }
        }
        Err(failure.into())
    }

    /// Process 0 lets all begin.
    fn begin(&self) -> Result<u128, Anew> {
        let seed: [u8; 16] = random()?;
        self.look(|_, purpose, mut stream| {
            if purpose == Purpose::Reads {
                stream.set_read_timeout(Some(CONNECT))?;
                let mut ready = [0];
                stream.read_exact(&mut ready)?;
            }
            Ok(())
        })?;
        self.look(|_, purpose, mut stream| match purpose {
            Purpose::Reads => stream.write_all(&[&[BEGIN][..], &seed].concat()),
            Purpose::Data => Ok(()),
        })?;
        Ok(u128::from_be_bytes(seed))
    }

    /// Another process has been told to begin.
    fn hear_begin(&self) -> Result<u128, Anew> {
        let mut said = [0; 17];
        self.look(|process, purpose, mut stream| {
            if (process, purpose) == (0, Purpose::Reads) {
                stream.set_read_timeout(Some(CONNECT))?;
                stream.read_exact(&mut said)?;
            }
            Ok(())
        })?;
        let seed = said[1..].try_into().expect("sixteen bytes behind the first");
        Ok(u128::from_be_bytes(seed))
    }
}

impl Mesh {
    /// Gives all processes what process 0 has found out, before anything else uses the connections for reads. Only process 0
    /// calls `find`; where that fails, all fail, the others with [`ClusterError::Told`] and the exit code `code` of it.
    ///
    /// # Errors
    /// As said, and where a process is lost.
    pub fn share<T, E>(
        &mut self,
        find: impl FnOnce() -> Result<T, E>,
        code: impl FnOnce(&E) -> u8,
    ) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        E: std::fmt::Display + From<ClusterError>,
    {
        if self.process > 0 {
            return Ok(self.hear()?);
        }
        let found = find();
        let said: Result<&T, (u8, String)> = match &found {
            Ok(found) => Ok(found),
            Err(error) => Err((code(error), error.to_string())),
        };
        let said = serde_json::to_vec(&said).expect("what is shared can be written");
        let length = (said.len() as u64).to_be_bytes();
        for (process, stream) in self.reads.iter_mut().enumerate() {
            let Some(stream) = stream else { continue };
            let sent = stream.write_all(&length).and_then(|()| stream.write_all(&said));
            if let Err(error) = sent
                && found.is_ok()
            {
                return Err(lost(&self.hosts, process, &error).into());
            }
        }
        found
    }

    fn hear<T: DeserializeOwned>(&mut self) -> Result<T, ClusterError> {
        let gone = |error: std::io::Error| lost(&self.hosts, 0, &error);
        let stream = self.reads[0].as_mut().expect("only process 0 is not connected to process 0");
        let mut length = [0; 8];
        stream.read_exact(&mut length).map_err(gone)?;
        let length = u64::from_be_bytes(length);
        let mut said = Vec::new();
        stream.take(length.min(MOST_SHARED)).read_to_end(&mut said).map_err(gone)?;
        let heard = serde_json::from_slice::<Result<T, (u8, String)>>(&said).map_err(|error| {
            lost(&self.hosts, 0, &std::io::Error::new(std::io::ErrorKind::InvalidData, error.to_string()))
        })?;
        heard.map_err(|(code, message)| ClusterError::Told { process: 0, code, message })
    }
}

fn lost(hosts: &[String], process: usize, error: &std::io::Error) -> ClusterError {
    ClusterError::Lost { process, host: hosts[process].clone(), why: error.to_string() }
}

#[cfg(test)]
mod tests;
