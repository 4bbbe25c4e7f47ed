//! The accept loop.
//!
//! Idea: a slot a connection. When all are taken, a few more are kept for short visits, on which supervisors are still
//! answered and everybody else is told at once that there is no room. When those are taken too, the oldest visit makes
//! room for the newest: a flood of connections that say nothing cannot keep out one that asks.
//! Invariant: there are never more connections than slots and [`SPARE`]; a failing accept is tried again ever more
//! slowly instead of in a busy loop; after the stop no connection lives longer than [`DRAIN`].
//! Cost: a task a connection.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::Instant;

use super::access::Access;
use super::connection::{self, Manners, Visitor};
use super::metrics::Metrics;
use super::resource::Resource;

/// Connections beyond the limit that are still answered, if only with that.
const SPARE: usize = 32;

/// How long a visit may last where others wait for its place.
const VISIT: Duration = Duration::from_millis(250);

/// How long connections may take to end once the server is being stopped.
const DRAIN: Duration = Duration::from_secs(5);

/// How connections are treated.
const USUAL: Manners = Manners { head: Duration::from_secs(10), keep_alive: true };

/// How connections beyond the limit are treated.
const HASTY: Manners = Manners { head: Duration::from_secs(2), keep_alive: false };

/// The longest pause after an accept that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A listener, and what is answered there.
pub struct Door {
    /// Where connections come in.
    pub listener: Arc<TcpListener>,
    /// Connections at once, at most.
    pub most: usize,
    /// Says whether connections are encrypted, and how; `None`: they are plain.
    pub access: Option<Access>,
    /// What is answered.
    pub resource: Resource,
    /// What is answered when there is no room.
    pub crowded: Resource,
    /// What is answered to those who come in the clear where they must not.
    pub misled: Resource,
}

/// Accepts and serves connections until `stopping`, then ends them.
pub async fn serve(door: Door, metrics: Metrics, mut stopping: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(door.most.min(Semaphore::MAX_PERMITS)));
    let (mut open, mut visits) = (JoinSet::new(), VecDeque::new());
    let stopped = stopping.clone();
    loop {
        let (stream, client) = tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => break,
            Some(ended) = open.join_next() => {
                note(ended, &metrics);
                continue;
            }
            stream = accept(&door.listener) => stream,
        };
        let slot = Arc::clone(&slots).try_acquire_owned().ok();
        let is_visit = slot.is_none();
        let (resource, manners) =
            if is_visit { (door.crowded.clone(), HASTY) } else { (door.resource.clone(), USUAL) };
        visits.retain(|(_, visit): &(Instant, AbortHandle)| !visit.is_finished());
        if is_visit
            && visits.len() >= SPARE
            && let Some((since, visit)) = visits.pop_front()
        {
            // Whoever asks at once has its answer by then.
            tokio::time::sleep_until(since + VISIT).await;
            visit.abort();
        }
        let connected = metrics.connected();
        let tls = door.access.as_ref().and_then(Access::tls);
        let misled = door.misled.clone();
        let visitor = Visitor { stream, client, tls, metrics: metrics.clone(), stopping: stopped.clone() };
        let task = open.spawn(async move {
            connection::serve(visitor, resource, misled, manners).await;
            drop((slot, connected));
        });
        if is_visit {
            visits.push_back((Instant::now(), task));
        }
    }
    drop(door.listener);
    let ending = async {
        while let Some(ended) = open.join_next().await {
            note(ended, &metrics);
        }
    };
    if tokio::time::timeout(DRAIN, ending).await.is_err() {
        tracing::info!(connections = open.len(), "connections cut off");
        open.shutdown().await;
    }
}

fn note(ended: Result<(), JoinError>, metrics: &Metrics) {
    if let Err(error) = ended
        && !error.is_cancelled()
    {
        metrics.panicked();
        tracing::error!(%error, "a connection has met a bug");
    }
}

/// The next connection. A failure that is not of one connection, such as too few file descriptors, is waited out.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut pause = Duration::from_millis(10);
    loop {
        let error = match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => error,
        };
        let of_one = [
            io::ErrorKind::ConnectionAborted,
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::ConnectionRefused,
        ];
        if of_one.contains(&error.kind()) {
            continue;
        }
        tracing::warn!(%error, "cannot accept connections, trying again in {pause:?}");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
