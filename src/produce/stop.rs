//! When to stop.
//!
//! Idea: Ctrl-C and SIGTERM raise a flag that loops look at; what was begun is ended in good order. A second signal
//! ends the process at once, so that nobody has to wait for a broker that does not come back.
//! Invariant: a flag that was raised stays so. Cost: one sleeping thread; a look is one relaxed load.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

/// Exit code of a process that was told twice to stop: 128 and the number of SIGINT.
const TWICE: i32 = 130;

/// A flag that says whether to stop; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// A flag that is raised by [`Stop::raise`] only.
    pub fn new() -> Self {
        Self::default()
    }

    /// A flag that Ctrl-C and SIGTERM raise. To be called once in a process.
    ///
    /// # Errors
    /// Where the operating system grants no thread or no signal handler.
    pub fn on_signals() -> io::Result<Self> {
        let stop = Self::new();
        let raised = stop.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let (mut interrupt, mut terminate) = {
            let _entered = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                    }
                    if raised.asked() {
                        std::process::exit(TWICE);
                    }
                    raised.raise();
                }
            });
        })?;
        Ok(stop)
    }

    /// Raises the flag.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the flag is raised.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
