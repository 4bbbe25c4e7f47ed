//! Forms a generation: connects every two processes, twice, and lets all of them begin together.
//!
//! Idea: process 0 gives the generation its number and waits for the others; each of them dials those before it, first
//! process 0, from which it learns the number (`reach`), and is dialled by those behind it. Who has all
//! connections says so to process 0; when all have, that one lets all begin. Until then any loss only means that all begin
//! again with a new number.
//! Invariant: numbers ascend: one is the wall clock's milliseconds, and more than any of which some process knew.
//! Cost: some round trips; while a process is missing, one attempt a second to reach it and a log line every ten.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ring::hmac::Key;
use ring::rand::{SecureRandom, SystemRandom};

use super::door::Door;
use super::fingerprint;
use super::handshake::{self, Refusal};
use super::hello::{Hello, Member, Purpose};
use super::lobby::Lobby;
use super::secret;
use super::socket::{keep, peek};
use super::{ClusterError, Mesh};
use crate::config::Config;
use crate::wall::wall_ms;

/// How long a connection may take to come about.
pub(super) const CONNECT: Duration = Duration::from_secs(3);

/// How often connections are looked at.
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// Between two log lines about a process that is waited for.
pub(super) const SAY: Duration = Duration::from_secs(10);

/// Said by a process that has all its connections.
const READY: u8 = b'r';

/// Said by process 0 when all are ready, with the seed behind it.
const BEGIN: u8 = b'b';

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

pub(super) fn random<const N: usize>() -> Result<[u8; N], ClusterError> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| ClusterError::Io("the system has no random numbers".to_owned()))?;
    Ok(bytes)
}

/// Why an attempt came to nothing.
pub(super) enum Anew {
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
pub(super) struct Forming {
    member: Member,
    pub(super) hosts: Vec<String>,
    me: usize,
    pub(super) key: Key,
    instance: u128,
    pub(super) lobby: Arc<Lobby>,
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

    pub(super) fn hello(&self, nonce: [u8; 32], purpose: Purpose, to: u32) -> Hello {
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
            let looked = self.look(|process, purpose, stream| {
                let spoke = peek(stream)?;
                ready += usize::from(spoke && purpose == Purpose::Reads && (self.me == 0 || process == 0));
                Ok(())
            });
            let missing = match looked {
                // Whoever went away may have begun, and come to its end at once; what it ended for is said to those who begin.
                Err(_) if told && self.may_begin() => return self.hear_begin(),
                looked => looked?,
            };
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
    pub(super) fn look(
        &self,
        mut see: impl FnMut(usize, Purpose, &TcpStream) -> std::io::Result<()>,
    ) -> Result<Vec<usize>, Anew> {
        self.lobby.look(|process, purpose, stream| {
            see(process, purpose, stream).map_err(|error| {
                Anew::Because(format!("process {process} ({}) went away: {error}", self.hosts[process]))
            })
        })
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

    /// Whether process 0 has said something, which can only be that all are to begin.
    fn may_begin(&self) -> bool {
        let mut spoke = false;
        let looked = self.look(|process, purpose, stream| {
            if (process, purpose) == (0, Purpose::Reads) {
                spoke = peek(stream)?;
            }
            Ok(())
        });
        looked.is_ok() && spoke
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

#[cfg(test)]
mod tests;
