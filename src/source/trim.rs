//! Gives memory back that librdkafka has freed.
//!
//! Idea: librdkafka allocates through the C library, whose allocator keeps free pages between pieces that are still in use; a
//! process that has once fetched a burst would hold the room of it for good. glibc lets go of such pages when it is asked,
//! and only then.
//! Invariant: only what is free is given back. Where the C library is another one nothing is done.
//! Cost: a thread, and well under a millisecond of it every ten seconds; pages that are used again are faulted in again.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
use std::time::Duration;

/// Between two times. A burst that has been counted is soon gone, and nobody waits for it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const EVERY: Duration = Duration::from_secs(10);

/// Begins, for as long as the process lives.
///
/// # Errors
/// Where no thread can be started.
pub fn start() -> std::io::Result<()> {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    std::thread::Builder::new().name("trim".to_owned()).spawn(|| {
        loop {
            std::thread::sleep(EVERY);
            trim();
        }
    })?;
    Ok(())
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "no safe interface to malloc_trim(3) exists")]
fn trim() {
    // SAFETY: malloc_trim(3) may be called by any thread at any time, and takes no pointer.
    unsafe {
        libc::malloc_trim(0);
    }
}
