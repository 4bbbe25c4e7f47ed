//! How a server is asked to stop.
//!
//! Idea: a signal asks, and so does the end of standard input where whoever started the process may die before it. A second
//! signal means that somebody does not want to wait.
//! Invariant: signals are heard from the first call here until the process ends, whatever asked first: one that comes after
//! standard input has ended is the first signal, since whoever stops a group of processes sends it to all of them.

use std::future::Future;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::failure::{Code, Failure};

/// What a shell reports for a program that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// Completes at the first SIGTERM or SIGINT; the second runs `at_second` and ends the process. Must be called within a tokio
/// runtime.
///
/// # Errors
/// Where the system does not tell of signals.
pub(super) fn signals(
    at_second: impl FnOnce() + Send + 'static,
) -> Result<impl Future<Output = ()>, Failure> {
    let mut terminate = listen_for(SignalKind::terminate())?;
    let mut interrupt = listen_for(SignalKind::interrupt())?;
    let (asked, hears) = oneshot::channel();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        // Nobody waits for it where standard input has ended before.
        let _ = asked.send(());
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        at_second();
        std::process::exit(INTERRUPTED);
    });
    Ok(heard(hears))
}

/// Completes when standard input ends, or never where that is not wanted.
///
/// # Errors
/// Where no thread can be started.
pub(super) fn end_of_input(wanted: bool) -> Result<impl Future<Output = ()>, Failure> {
    let (ended, hears) = oneshot::channel();
    if wanted {
        let read = move || {
            // Whatever comes means nothing; an error is an end too.
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            let _ = ended.send(());
        };
        let thread = std::thread::Builder::new().name("input".to_owned()).spawn(read);
        thread.map_err(|error| Failure::new(Code::Io, format!("cannot start a thread: {error}")))?;
    }
    Ok(heard(hears))
}

/// Completes when something is sent, and never where nothing can be any more.
async fn heard(hears: oneshot::Receiver<()>) {
    if hears.await.is_err() {
        std::future::pending().await
    }
}

/// Hears a signal from now on.
pub(super) fn listen_for(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::new(Code::Io, format!("cannot listen for signals: {error}")))
}
