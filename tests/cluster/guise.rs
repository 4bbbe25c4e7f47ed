//! Somebody who pretends to be a process of the cluster.
//!
//! Idea: the handshake as `src/cluster/handshake.rs` describes it, said here byte by byte, by one who may know the secret and
//! never objects to anything; so whatever is refused, the other side has refused it. Each comes from a loopback address of its
//! own, as from a host of its own.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA256, Key, sign};
use socket2::{Domain, Socket, Type};
use tidings::cluster::fingerprint;
use tidings::cluster::handshake::{MAGIC, PROTOCOL};
use tidings::cluster::hello::{Hello, Member, Purpose};
use tidings::config;

use crate::group::{Group, PATIENCE};
use crate::support::process::program;

const HELLO: u8 = 1;
const PROOF: u8 = 2;
const WELCOME: u8 = 3;
const REFUSED: u8 = 4;

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Met {
    Welcome,
    Refused(String),
    /// The other side has closed without a word.
    Closed,
}

/// One who pretends.
#[derive(Clone)]
pub struct Guise {
    pub hello: Hello,
    pub secret: Vec<u8>,
}

impl Guise {
    /// Process 1 of a group of two with one worker each, as it would greet process 0.
    pub fn of(group: &Group) -> Guise {
        let env = [("TIDINGS__CLUSTER__HOSTS".to_owned(), group.hosts.join(","))];
        let config = config::load(Some(&group.path("tidings.toml")), env, Vec::new()).unwrap().config;
        let build = digest(&SHA256, &fs::read(program().get_program()).unwrap());
        let member = Member {
            cluster: config.cluster.id.clone(),
            processes: 2,
            threads: 1,
            build: build.as_ref().try_into().unwrap(),
            settings: fingerprint::settings(&config),
        };
        let hello = Hello {
            nonce: [3; 32],
            purpose: Purpose::Data,
            generation: 0,
            known: 0,
            instance: 9,
            from: 1,
            to: 0,
            member,
        };
        Guise { hello, secret: fs::read(group.path("secret")).unwrap() }
    }

    /// Goes through the whole handshake; what came of it, what was said here, and the connection.
    pub fn knock(&self, from: Ipv4Addr, at: &str) -> (Met, Vec<u8>, TcpStream) {
        let mut stream = connect(from, at);
        let hello = self.hello.encode();
        let greeting = frame(HELLO, &hello);
        let sent = stream.write_all(&greeting);
        let (theirs, length) = match sent.is_ok().then(|| read(&mut stream)).flatten() {
            Some((HELLO, theirs)) => (theirs, (hello.len() as u64).to_be_bytes()),
            other => return (met(other), greeting, stream),
        };
        let proven = [b"tidings dialler", &length[..], &hello, &theirs].concat();
        let proof = frame(PROOF, sign(&Key::new(HMAC_SHA256, &self.secret), &proven).as_ref());
        // Where it fails the other side has closed.
        let _ = stream.write_all(&proof);
        (met(read(&mut stream)), [greeting, proof].concat(), stream)
    }
}

/// Says again what somebody has said before.
pub fn replay(said: &[u8], from: Ipv4Addr, at: &str) -> Met {
    let mut stream = connect(from, at);
    // The other side may close before it has heard all.
    let _ = stream.write_all(said);
    match read(&mut stream) {
        Some((HELLO, _)) => met(read(&mut stream)),
        other => met(other),
    }
}

/// A connection that comes from this address.
fn connect(from: Ipv4Addr, at: &str) -> TcpStream {
    try_connect(from, at).unwrap()
}

/// The same where there may be none.
pub fn try_connect(from: Ipv4Addr, at: &str) -> Result<TcpStream, std::io::Error> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    let at: SocketAddr = at.parse().unwrap();
    socket.connect(&at.into())?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
    Ok(stream)
}

fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    [&MAGIC[..], &PROTOCOL.to_be_bytes(), &[kind], &(body.len() as u16).to_be_bytes(), body].concat()
}

/// The next frame; `None` where there is none.
fn read(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 13];
    if let Err(error) = stream.read_exact(&mut head) {
        assert!(!matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "it never says a word");
        return None;
    }
    assert_eq!(head[..8], MAGIC);
    let mut body = vec![0; usize::from(u16::from_be_bytes([head[11], head[12]]))];
    stream.read_exact(&mut body).ok()?;
    Some((head[10], body))
}

fn met(frame: Option<(u8, Vec<u8>)>) -> Met {
    match frame {
        Some((WELCOME, _)) => Met::Welcome,
        Some((REFUSED, why)) => Met::Refused(String::from_utf8(why).unwrap()),
        Some((kind, _)) => panic!("a frame of kind {kind} out of turn"),
        None => Met::Closed,
    }
}
