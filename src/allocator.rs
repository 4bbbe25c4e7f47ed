//! Keeps what has been freed for a while, since the next epoch wants it again.
//!
//! Idea: an epoch makes blocks and batches of some megabytes and drops them soon after. mimalloc gives such pieces back to the
//! system after a hundredth of a second (large ones after a tenth), and each page of them costs a fault when it is used
//! again, a quarter of a microsecond or so. So it is told to wait for longer than an epoch takes.
//! Invariant: what is not used again is given back all the same; memory falls after a burst.
//! Cost: at most what was freed within the last ten seconds.

use std::ffi::c_long;

/// Milliseconds for which freed pages are kept; of large pieces ten times as long.
const DELAY_MS: c_long = 1000;

/// `mi_option_purge_delay` of `mimalloc.h`, for which libmimalloc-sys has no name.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// To be called once, where mimalloc is the allocator, before there is much to free.
#[expect(unsafe_code, reason = "mimalloc's options can be set through its C interface only")]
pub fn keep_for_the_next_epoch() {
    // SAFETY: an option may be set at any time by any thread, and takes no pointer. An unknown one is ignored.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, DELAY_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the number still stands for the delay: its default says so.
    #[test]
    #[expect(unsafe_code, reason = "mimalloc's options can be read through its C interface only")]
    fn the_option_is_the_delay() {
        // SAFETY: as above.
        let read = || unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(read(), 10);
        keep_for_the_next_epoch();
        assert_eq!(read(), DELAY_MS);
    }
}
