//! One connection, from its first byte to its last.
//!
//! Idea: hyper serves HTTP/1.1 on it, with a limit for everything that a client could let us wait for or hold.
//! Invariant: the connection ends by itself if its client is silent before a request, slow within its head or its
//! handshake, or does not read, or not as fast as answers come; it ends after the answer in hand once the server is being
//! stopped.
//! Cost: 8 KiB of buffers when idle, 16 KiB for reading at most; with TLS those of the encryption besides.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_rustls::rustls::ServerConfig;

use super::greet::{Greeting, Stream, greet};
use super::metrics::Metrics;
use super::resource::Resource;
use super::stall::Patience;
use super::worded::Worded;

/// Bytes of a request's head, at most.
pub const HEAD: usize = 16 << 10;

/// How long a client may take nothing of what it is sent, and how long not everything.
pub const PATIENCE: Patience = Patience { stalled: Duration::from_secs(10), behind: Duration::from_secs(60) };

/// Somebody who has connected.
pub struct Visitor {
    /// The connection.
    pub stream: TcpStream,
    /// Where it comes from.
    pub client: SocketAddr,
    /// What a handshake needs; `None`: there is none.
    pub tls: Option<Arc<ServerConfig>>,
    /// What is measured.
    pub metrics: Metrics,
    /// Tells when the server is being stopped.
    pub stopping: watch::Receiver<bool>,
}

/// How a connection is treated.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// How long the client may take to send the head of a request, the wait for its first byte included; of the first
    /// request also the handshake.
    pub head: Duration,
    /// Whether another request may follow.
    pub keep_alive: bool,
}

/// Serves a connection until either side ends it; who comes in the clear where there is TLS gets what is `misled`.
pub async fn serve(visitor: Visitor, resource: Resource, misled: Resource, manners: Manners) {
    let Visitor { stream, client, tls, metrics, mut stopping } = visitor;
    let deadline = Instant::now() + manners.head;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot send small answers at once");
    }
    let greeting = tokio::select! {
        greeting = greet(stream, client, tls, deadline, &metrics) => greeting,
        _ = stopping.wait_for(|stopping| *stopping) => None,
    };
    let (stream, resource) = match greeting {
        Some(Greeting::Right(stream)) => (stream, resource),
        Some(Greeting::Misled(stream)) => (stream, misled),
        None => return,
    };
    if answer(stream, resource, manners, deadline, stopping).await {
        metrics.dropped();
    }
}

/// Answers requests, of which the first must have come by the deadline; returns whether the connection was ended since the
/// client did not read.
async fn answer(
    stream: Box<dyn Stream>,
    resource: Resource,
    manners: Manners,
    deadline: Instant,
    mut stopping: watch::Receiver<bool>,
) -> bool {
    let service = TowerToHyperService::new(warp::service(resource));
    let asked = Arc::new(AtomicBool::new(false));
    let noticed = Arc::clone(&asked);
    let service = service_fn(move |mut request: Request<Incoming>| {
        noticed.store(true, Ordering::Relaxed);
        // Only CONNECT has no path; warp cannot bear that.
        if request.uri().path_and_query().is_none() {
            *request.uri_mut() = Uri::from_static("*");
        }
        service.call(request)
    });
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(manners.head);
    protocol.max_buf_size(HEAD).keep_alive(manners.keep_alive);
    let connection = protocol.serve_connection(TokioIo::new(Worded::new(stream)), service);
    let mut connection = pin!(connection);
    // hyper's own limit begins anew with each request, so the time of a handshake is not in it.
    let silent = async {
        sleep_until(deadline).await;
        if asked.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    let mut ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = stopping.wait_for(|stopping| *stopping) => None,
        () = silent => return false,
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
