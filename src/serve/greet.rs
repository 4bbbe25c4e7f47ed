//! The first bytes of a connection: encrypted or plain, as the port takes them or not.
//!
//! Idea: a TLS handshake begins with a byte that no request begins with (RFC 8446, section 5.1), so one look tells what the
//! client speaks, and one that speaks the wrong thing is told so in words that it understands.
//! Invariant: nothing that a client sends or keeps to itself holds up anybody but its own connection: this runs in the
//! connection's own task, and ends at the deadline.
//! Cost: a look at one byte; a handshake is much dearer than a request, and holds its buffers while it lasts.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

use super::connection::PATIENCE;
use super::metrics::Metrics;
use super::notices::Mistake;
use super::stall::Unstalled;

/// The type of a TLS record that holds a part of a handshake.
const HANDSHAKE: u8 = 22;

/// A connection's bytes.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl Stream for Unstalled<TcpStream> {}
impl Stream for TlsStream<Unstalled<TcpStream>> {}

/// What a connection has begun with.
pub enum Greeting {
    /// What the port takes.
    Right(Box<dyn Stream>),
    /// Plain HTTP where TLS was expected.
    Misled(Box<dyn Stream>),
}

/// Waits for the first byte, and shakes hands where the port takes TLS; `None` where the connection is not to be served.
pub async fn greet(
    stream: TcpStream,
    client: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    deadline: Instant,
    metrics: &Metrics,
) -> Option<Greeting> {
    let mut first = [0];
    let seen = timeout_at(deadline, stream.peek(&mut first)).await;
    if !matches!(seen, Ok(Ok(1))) {
        if tls.is_some() && seen.is_err() {
            metrics.mistaken(Mistake::SlowHandshake, client, "nothing was sent");
        }
        return None;
    }
    let stream = Unstalled::new(stream, PATIENCE);
    let encrypted = first == [HANDSHAKE];
    let Some(tls) = tls else {
        if encrypted {
            metrics.mistaken(Mistake::UnexpectedTls, client, "");
        }
        // hyper refuses what is no request, in a way that TLS clients report as what it is.
        return Some(Greeting::Right(Box::new(stream)));
    };
    if !encrypted {
        metrics.mistaken(Mistake::PlainHttp, client, "");
        return Some(Greeting::Misled(Box::new(stream)));
    }
    match timeout_at(deadline, TlsAcceptor::from(tls).accept(stream)).await {
        Ok(Ok(stream)) => Some(Greeting::Right(Box::new(stream))),
        Ok(Err(error)) => {
            metrics.mistaken(Mistake::BrokenHandshake, client, &error.to_string());
            None
        }
        Err(_) => {
            metrics.mistaken(Mistake::SlowHandshake, client, "only a part of it was sent");
            None
        }
    }
}
