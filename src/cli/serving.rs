//! An engine that is served until somebody asks it to stop.
//!
//! Idea: the address is bound first, so that it is known to be free before anything is read, and supervisors are answered
//! from then on; the engine starts behind it, and takes over once it is there.
//! Invariant: a stop ends with 0 once everything is published and kept. Where the workers have not come to a common end within
//! [`LONGEST_STOP`], the process ends all the same, and its exit code says whose doing that is.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::signal::unix::SignalKind;

use super::failure::{Code, Failure};
use super::stopping::{end_of_input, listen_for, signals};
use crate::config::Config;
use crate::engine::reader::NotReady;
use crate::engine::{Engine, EngineError, Reader};
use crate::serve::{self, Phase};

/// How long stopping may take before the process ends anyway.
const LONGEST_STOP: Duration = Duration::from_secs(30);

/// Serves an engine until a signal comes or the engine ends by itself; or, if that is wanted, standard input ends. `start` is
/// told where answers are given, and tells how far it is.
///
/// # Errors
/// Why the address cannot be had, the engine not be started, or not go on; what kept it from stopping.
pub(super) fn run_until_stopped(
    config: &Config,
    until_input_ends: bool,
    start: impl FnOnce(SocketAddr, &Phase) -> Result<Engine, EngineError> + Send + 'static,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("http")
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Code::Io, format!("cannot start the threads that answer: {error}")))?;
    let done = runtime.block_on(async {
        // The address first: that it is taken should be known before anything is read.
        let listener = serve::listen(&config.http).await?;
        let (signals, input) = (signals(|| ())?, end_of_input(until_input_ends)?);
        let mut asked = std::pin::pin!(async move {
            tokio::select! { () = signals => {}, () = input => {} }
        });
        let address = listener.local_addr();
        let access = listener.access();
        access.warn();
        if access.is_reloadable() {
            reload_at_signals(access.clone())?;
        }
        let phase = Phase::new(config.cluster.hosts.len() > 1);
        let early = listener.serve_early(&phase);
        let scheme = if access.is_encrypted() { "https" } else { "http" };
        tracing::info!("until the engine is there, {scheme}://{address} answers /livez and /readyz");
        // Kafka may take its time to answer, and other processes to come; a signal must not wait for them.
        let engine = tokio::select! {
            started = tokio::task::spawn_blocking(move || start(address, &phase)) => {
                started.map_err(|error| Failure::new(Code::Bug, format!("starting panicked: {error}")))??
            }
            () = &mut asked => return Ok(()),
        };
        early.end().await;
        let (reader, control) = (engine.reader(), engine.control());
        tracing::info!("answering on {scheme}://{address}");
        if let Some(address) = listener.health_addr() {
            tracing::info!("health and metrics on http://{address}");
        }
        let (stop_serving, stopped) = tokio::sync::oneshot::channel::<()>();
        let served = tokio::spawn(serve::run(listener, reader.clone(), async {
            let _ = stopped.await;
        }));
        let mut engine = tokio::task::spawn_blocking(move || engine.join());
        let ended = tokio::select! {
            ended = &mut engine => ended,
            () = &mut asked => {
                tracing::info!("stopping: closing the epoch; a second signal ends at once");
                reader.drain();
                control.stop();
                match tokio::time::timeout(LONGEST_STOP, engine).await {
                    Ok(ended) => ended,
                    // What it could not go on with may be why it takes so long, too.
                    Err(_) => return control.take_failure().map_or_else(|| overdue(&reader), |why| Err(why.into())),
                }
            }
        };
        let _ = stop_serving.send(());
        let _ = served.await;
        ended.map_err(|error| Failure::new(Code::Bug, format!("the engine panicked: {error}")))??;
        Ok(())
    });
    // A thread that does not end must not keep the process: what was to be done has been done, or cannot be.
    runtime.shutdown_background();
    done
}

/// What it means that the workers have not come to an end in time.
fn overdue(reader: &Reader) -> Result<(), Failure> {
    let waited = LONGEST_STOP.as_secs();
    if let Some((process, silence)) = reader.silent() {
        let silence = silence.as_secs();
        return Err(Failure::new(
            Code::Peer,
            format!(
                "the workers could not stop together within {waited} s: process {process} has been silent for {silence} s"
            ),
        ));
    }
    if reader.not_ready().contains(&NotReady::Restoring) {
        // Nothing has been read since, so nothing is lost.
        tracing::info!("what was kept is still being loaded after {waited} s, and stands as it was");
        return Ok(());
    }
    Err(Failure::new(Code::Bug, format!("the workers did not stop within {waited} s")))
}

/// Reads what says who may ask anew at each SIGHUP. Without anything to read the signal keeps its usual meaning, so that a
/// server ends with its terminal.
fn reload_at_signals(access: serve::Access) -> Result<(), Failure> {
    let mut signals = listen_for(SignalKind::hangup())?;
    tokio::spawn(async move {
        while signals.recv().await.is_some() {
            let access = access.clone();
            // A file may be where reading takes its time. That it panicked has been said already.
            let _ = tokio::task::spawn_blocking(move || access.reload()).await;
        }
    });
    Ok(())
}
