//! The HTTP interface over the engine's reader.
//!
//! Idea: [`listen`] binds, [`run`] serves until it is told to stop. A file per resource answers one route; `resource` wraps
//! all of them, `accept` and `connection` keep clients from holding what they do not use.
//! Invariant: nothing that a client sends, or fails to send, ends the process, grows memory beyond the limits named in
//! these files, or holds up the engine; every answer about counts carries the stamp of the one cut that it was read from.
//! Cost: a connection is a task of a few kilobytes; a read takes the engine no time, but a core while it runs.

mod accept;
mod access;
mod answer;
mod api;
mod bounds;
mod connection;
mod counts;
mod decode;
mod early;
mod events;
mod greet;
mod health;
mod interface;
mod listen;
mod lookup;
mod metrics;
mod notices;
mod openapi;
mod page;
mod problem;
mod progress;
mod pulse;
mod query;
mod request;
mod resource;
mod route;
mod scope;
mod series;
mod stall;
mod stamp;
mod status;
mod term;
mod terms;
#[cfg(test)]
mod tests;
mod top;
mod worded;

use std::sync::Arc;

use tokio::sync::watch;

pub use access::{Access, AccessError};
pub use early::{Early, Phase};
pub use listen::{Listener, ServeError, listen};
pub use stamp::Time;

use crate::engine::Reader;
use accept::Door;
use api::Api;

/// Connections at once on the listener for health and metrics.
const HEALTH_CONNECTIONS: usize = 64;

/// Serves until `stop`, then says that it is not ready, takes no more connections and ends those that there are within
/// 5 seconds. The listener for health and metrics is the last to close.
pub async fn run(listener: Listener, reader: Reader, stop: impl Future<Output = ()>) {
    let (stop_main, stopping) = watch::channel(false);
    let (stop_health, health_stopping) = watch::channel(false);
    let api = Api::new(reader.clone(), listener.access.clone(), listener.most_streams, stopping.clone());
    let api = Arc::new(api);
    let pulse = Arc::clone(&api);
    tokio::spawn(async move { pulse.pulse.run(&pulse.reader, pulse.stopping()).await });
    let main = Door {
        listener: listener.main,
        most: listener.most,
        access: Some(listener.access),
        resource: interface::all(&api),
        crowded: interface::crowded(&api),
        misled: interface::misled(&api),
    };
    let mut serving = tokio::spawn(accept::serve(main, api.metrics.clone(), stopping));
    let health = listener.health.map(|listener| {
        let health = Door {
            listener,
            most: HEALTH_CONNECTIONS,
            access: None,
            resource: interface::health(&api),
            crowded: interface::health_crowded(&api),
            misled: interface::misled(&api),
        };
        tokio::spawn(accept::serve(health, api.metrics.clone(), health_stopping))
    });
    tokio::select! {
        () = stop => {}
        ended = &mut serving => tracing::error!(?ended, "the accept loop has ended"),
    }
    reader.drain();
    stop_main.send_replace(true);
    if !serving.is_finished() {
        drop(serving.await);
    }
    stop_health.send_replace(true);
    if let Some(health) = health {
        drop(health.await);
    }
}
