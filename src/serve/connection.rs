//! One connection, from its first byte to its last.
//!
//! Idea: hyper serves HTTP/1.1 on it, with a limit for everything that a client could let us wait for or hold.
//! Invariant: the connection ends by itself if its client is silent before a request, slow within its head, or does not
//! read, or not as fast as answers come; it ends after the answer in hand once the server is being stopped.
//! Cost: 8 KiB of buffers when idle, 16 KiB for reading at most.

use std::error::Error;
use std::io;
use std::pin::pin;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::resource::Resource;
use super::stall::{Patience, Unstalled};

/// Bytes of a request's head, at most.
const HEAD: usize = 16 << 10;

/// How long a client may take nothing of what it is sent, and how long not everything.
const PATIENCE: Patience = Patience { stalled: Duration::from_secs(10), behind: Duration::from_secs(60) };

/// How a connection is treated.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// How long the client may take to send the head of a request, the wait for its first byte included.
    pub head: Duration,
    /// Whether another request may follow.
    pub keep_alive: bool,
}

/// Serves a connection until either side ends it; returns whether it was ended since the client did not read.
pub async fn serve(
    stream: TcpStream,
    resource: Resource,
    manners: Manners,
    mut stopping: watch::Receiver<bool>,
) -> bool {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot send small answers at once");
    }
    let service = TowerToHyperService::new(warp::service(resource));
    let service = service_fn(move |mut request: Request<Incoming>| {
        // Only CONNECT has no path; warp cannot bear that.
        if request.uri().path_and_query().is_none() {
            *request.uri_mut() = Uri::from_static("*");
        }
        service.call(request)
    });
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(manners.head);
    protocol.max_buf_size(HEAD).keep_alive(manners.keep_alive);
    let connection = protocol.serve_connection(TokioIo::new(Unstalled::new(stream, PATIENCE)), service);
    let mut connection = pin!(connection);
    let mut ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = stopping.wait_for(|stopping| *stopping) => None,
    };
    if ended.is_none() {
        connection.as_mut().graceful_shutdown();
        ended = Some(connection.await);
    }
    let Some(Err(error)) = ended else { return false };
    tracing::debug!(%error, "a connection ended badly");
    let of_stream = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    of_stream.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
}
