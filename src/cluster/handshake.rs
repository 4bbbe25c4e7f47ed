//! Two processes prove to each other, over a fresh connection, that they belong together.
//!
//! Idea: each says who it is with a random number ([`Hello`]); then each proves, by HMAC-SHA256 over both sayings, that it
//! knows the cluster's secret; whoever dialled proves first, so that nobody gets a proof by merely connecting.
//! ```text
//! dialler  --hello-->                 acceptor
//!          <--hello--
//!          --proof: HMAC(secret, "dialler"  hellos)-->
//!          <--welcome: HMAC(secret, "acceptor" hellos)--      or, at any point, refused: a reason
//! ```
//! A frame is `magic 8 | protocol 2 | kind 1 | length 2 | body`, big-endian.
//! Invariant: not one byte beyond the handshake is read, so that what follows belongs to whoever is handed the socket.
//! Neither proof can be used again, on this connection or another, since both random numbers, both indices and the
//! direction are in it. Proofs are compared in constant time. Any bytes whatever end in a reason, never in a panic.
//! Cost: two round trips; at most [`MOST`] bytes a frame and [`PATIENCE`] in all.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use ring::hmac::{self, Key};

use super::hello::Hello;

/// The first bytes of every frame.
pub const MAGIC: [u8; 8] = *b"tidings\n";

/// The layout of what follows; another number is another layout.
pub const PROTOCOL: u16 = 1;

/// Bytes of a frame's body, at most.
pub const MOST: usize = 4096;

/// How long a handshake may take in all.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes of a frame before its body.
const HEAD: usize = 13;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The other side closed, was too slow, or the network failed.
    #[error("{0}")]
    Network(#[from] io::Error),
    /// What it says is not of this protocol.
    #[error("{0}")]
    Stranger(String),
    /// This side refused it.
    #[error("{0}")]
    Ours(String),
    /// The other side refused this one.
    #[error("it says: {0}")]
    Theirs(String),
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Hello = 1,
    Proof = 2,
    Welcome = 3,
    Refused = 4,
}

/// Greets the process at the other end of a connection that was dialled; returns what it says of itself.
///
/// # Errors
/// Why it is not the process that it should be, or why it does not want this one.
pub fn dial(stream: &mut TcpStream, mine: &Hello, key: &Key) -> Result<Hello, Refusal> {
    let until = Instant::now() + PATIENCE;
    let said = mine.encode();
    write(stream, Kind::Hello, &said, until)?;
    let heard = read(stream, Kind::Hello, until)?;
    let theirs = decode(&heard)?;
    if let Some(why) = theirs.objection(mine) {
        return refuse(stream, why, until);
    }
    write(stream, Kind::Proof, hmac::sign(key, &proven("dialler", &said, &heard)).as_ref(), until)?;
    let proof = read(stream, Kind::Welcome, until)?;
    match hmac::verify(key, &proven("acceptor", &said, &heard), &proof) {
        Ok(()) => Ok(theirs),
        Err(_) => Err(Refusal::Stranger(WRONG_SECRET.to_owned())),
    }
}

/// What both sides say of a proof that is none.
const WRONG_SECRET: &str =
    "it does not know this cluster's secret: `cluster.secret_file` must hold the same everywhere";

/// Answers whoever has connected. `answer` is what to say to it; `admit` decides, once it has proved who it is, whether it
/// is wanted now.
///
/// # Errors
/// Why it was refused, which it was told, but for what is not even of this protocol.
pub fn accept(
    stream: &mut TcpStream,
    key: &Key,
    answer: impl FnOnce(&Hello) -> Hello,
    admit: impl FnOnce(&Hello) -> Result<(), String>,
) -> Result<Hello, Refusal> {
    let until = Instant::now() + PATIENCE;
    let heard = match read(stream, Kind::Hello, until) {
        Err(Refusal::Ours(why)) => return refuse(stream, why, until),
        heard => heard?,
    };
    let theirs = decode(&heard)?;
    let mine = answer(&theirs);
    let said = mine.encode();
    write(stream, Kind::Hello, &said, until)?;
    let proof = read(stream, Kind::Proof, until)?;
    if hmac::verify(key, &proven("dialler", &heard, &said), &proof).is_err() {
        return refuse(stream, WRONG_SECRET.to_owned(), until);
    }
    if let Some(why) = theirs.objection(&mine) {
        return refuse(stream, why, until);
    }
    if let Err(why) = admit(&theirs) {
        return refuse(stream, why, until);
    }
    write(stream, Kind::Welcome, hmac::sign(key, &proven("acceptor", &heard, &said)).as_ref(), until)?;
    Ok(theirs)
}

/// What is proven: the direction, and what both have said, the dialler first.
fn proven(who: &str, dialler: &[u8], acceptor: &[u8]) -> Vec<u8> {
    let length = (dialler.len() as u64).to_be_bytes();
    [b"tidings ", who.as_bytes(), &length, dialler, acceptor].concat()
}

fn decode(body: &[u8]) -> Result<Hello, Refusal> {
    Hello::decode(body).ok_or_else(|| Refusal::Stranger("its greeting cannot be read".to_owned()))
}

fn refuse<T>(stream: &mut TcpStream, why: String, until: Instant) -> Result<T, Refusal> {
    // Whoever does not take it will not know.
    let _ = write(stream, Kind::Refused, why.as_bytes(), until);
    Err(Refusal::Ours(why))
}

fn write(stream: &mut TcpStream, kind: Kind, body: &[u8], until: Instant) -> io::Result<()> {
    let body = &body[..body.len().min(MOST)];
    let mut frame = Vec::with_capacity(HEAD + body.len());
    frame.extend_from_slice(&MAGIC);
    frame.extend_from_slice(&PROTOCOL.to_be_bytes());
    frame.push(kind as u8);
    frame.extend_from_slice(&(body.len() as u16).to_be_bytes());
    frame.extend_from_slice(body);
    stream.set_write_timeout(Some(left(until)?))?;
    stream.write_all(&frame)
}

/// The body of the next frame, which must be of this kind.
fn read(stream: &mut TcpStream, wanted: Kind, until: Instant) -> Result<Vec<u8>, Refusal> {
    let mut head = [0; HEAD];
    // Nothing more is waited for from one that does not begin as it should.
    read_exact(stream, &mut head[..8], until)?;
    if head[..8] != MAGIC {
        return Err(Refusal::Stranger(format!(
            "it does not speak this protocol: {:?}",
            head[..8].escape_ascii().to_string()
        )));
    }
    read_exact(stream, &mut head[8..], until)?;
    let protocol = u16::from_be_bytes([head[8], head[9]]);
    if protocol != PROTOCOL {
        return Err(Refusal::Ours(format!(
            "it speaks protocol {protocol}, this process {PROTOCOL}: all processes must run the same binary"
        )));
    }
    let len = usize::from(u16::from_be_bytes([head[11], head[12]]));
    if len > MOST {
        return Err(Refusal::Stranger(format!("it announces {len} bytes, {MOST} are the most")));
    }
    let mut body = vec![0; len];
    read_exact(stream, &mut body, until)?;
    match head[10] {
        kind if kind == wanted as u8 => Ok(body),
        kind if kind == Kind::Refused as u8 => Err(Refusal::Theirs(shown(&body))),
        kind => Err(Refusal::Stranger(format!("it sent a frame of kind {kind} out of turn"))),
    }
}

/// A reason from elsewhere, fit for a log: one line without control characters.
fn shown(reason: &[u8]) -> String {
    let text = String::from_utf8_lossy(&reason[..reason.len().min(500)]);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn read_exact(stream: &mut TcpStream, mut buffer: &mut [u8], until: Instant) -> io::Result<()> {
    while !buffer.is_empty() {
        stream.set_read_timeout(Some(left(until)?))?;
        match stream.read(buffer) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection")),
            Ok(n) => buffer = &mut buffer[n..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                left(until).map(drop)?
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("it said nothing for {} s", PATIENCE.as_secs()),
        ));
    }
    Ok(left)
}

#[cfg(test)]
mod tests;
