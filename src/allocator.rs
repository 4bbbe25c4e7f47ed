//! Keeps what has been freed for a while, since the next epoch wants it again.
//!
//! Idea: an epoch makes blocks and batches of some megabytes and drops them soon after. mimalloc gives such pieces back to the
//! system after a hundredth of a second (large ones after a tenth), and each page of them costs a fault when it is used
//! again. So it is told to wait for longer than an epoch takes; and since it looks only when something else is freed nearby, and
//! waits anew whenever some of it was used, each worker tells it from time to time to give back whatever is free.
//! Invariant: memory falls after a burst, whether posts go on to come or not.
//! Cost: what was freed within the last ten seconds; faults for it once in that time.

use std::ffi::c_long;
use std::time::Duration;

/// Milliseconds for which freed pages are kept; of large pieces ten times as long.
const DELAY_MS: c_long = 1000;

/// `mi_option_purge_delay` of `mimalloc.h`, for which libmimalloc-sys has no name.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// How often a worker should give back what is free.
pub const EVERY: Duration = Duration::from_secs(10);

/// To be called where mimalloc is the allocator, before there is a second thread. The environment prevails
/// (`MIMALLOC_PURGE_DELAY`).
#[expect(unsafe_code, reason = "mimalloc's options can be set through its C interface only")]
pub fn keep_for_the_next_epoch() {
    // SAFETY: an option is a number in mimalloc's memory, which no other thread reads yet. An unknown one is ignored.
    unsafe {
        libmimalloc_sys::mi_option_set_default(PURGE_DELAY, DELAY_MS);
    }
}

/// Gives back what is free of this thread's memory, and of all large pieces.
#[expect(unsafe_code, reason = "mimalloc can be asked for it through its C interface only")]
pub fn give_back() {
    // SAFETY: any thread may call it at any time, for itself; it takes no pointer, and frees only what is free.
    unsafe {
        libmimalloc_sys::mi_collect(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(unsafe_code, reason = "mimalloc's options can be read through its C interface only")]
    fn the_option_is_the_delay() {
        // SAFETY: it reads a number.
        let read = |option| unsafe { libmimalloc_sys::mi_option_get(option) };
        // Its neighbours and its default say whether the number still stands for it.
        assert_eq!([14, 15, 16].map(read), [1, 10, 0]);
        keep_for_the_next_epoch();
        assert_eq!(read(PURGE_DELAY), DELAY_MS);
    }
}
